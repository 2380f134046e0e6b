"""What people say of answers, one JSON object a line: the measure of a judge."""

from collections.abc import Iterator

from gate.core.canonical import parse_json
from gate.core.judging import Label
from gate.core.model import Json
from gate.documents.wording import quoted
from gate.scorers.options import Options


def read_labels(options: Options, *, compared: bool) -> tuple[Label, ...]:
    """Read the file that `calibration` names, empty where none is named; raises ValueError that names the line.

    A line holds `case`, `answer` and `passed`; where answers are `compared`, `reference` too.
    """
    if "calibration" not in options.values:
        return ()
    file = options.text("calibration")
    labels = tuple(_labels(options.file("calibration"), file, compared=compared))
    if not labels:
        raise ValueError(f"file {quoted(file)} has no labels")
    return labels


def _labels(text: str, file: str, *, compared: bool) -> Iterator[Label]:
    wanted = {"case", "answer", "passed"} | ({"reference"} if compared else set())
    for number, line in enumerate(text.splitlines(), 1):
        place = f"file {quoted(file)}, line {number}"
        try:
            value = parse_json(line)
        except ValueError as error:
            raise ValueError(f"{place}: not JSON: {error}") from error
        if not isinstance(value, dict) or value.keys() != wanted:
            raise ValueError(f"{place}: a label is an object with the keys {', '.join(sorted(wanted))}")
        label = _label(value)
        if label is None:
            raise ValueError(f"{place}: passed must be true or false, and everything else text")
        yield label


def _label(value: dict[str, Json]) -> Label | None:
    match value | {"reference": value.get("reference", "")}:
        case {"case": str(case_id), "answer": str(answer), "passed": bool(passed), "reference": str(reference)}:
            return Label(case_id=case_id, answer=answer, passed=passed, reference=reference)
        case _:
            return None
