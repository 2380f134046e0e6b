"""Read what a case expects; what a suite's author got wrong is a ValueError that names the file, line and case."""

from gate.core.model import Case, Json
from gate.scorers.explanation import clip, escape, kind_of


def expected_value(case: Case, key: str) -> Json:
    """Return `expected[key]`; raises ValueError where it is missing."""
    if key not in case.expected:
        raise misfit(case, key, "is missing")
    return case.expected[key]


def expected_text(case: Case, key: str) -> str:
    """Return `expected[key]` as text that is not blank; raises ValueError for anything else."""
    value = expected_value(case, key)
    if not isinstance(value, str):
        raise misfit(case, key, f"must be text, not {kind_of(value)}")
    if not value.strip():
        raise misfit(case, key, "must not be blank")
    return value


def expected_texts(case: Case, key: str) -> tuple[str, ...]:
    """Return `expected[key]`, text or a list of texts, as at least one text; raises ValueError for anything else."""
    value = expected_value(case, key)
    values = value if isinstance(value, list) else [value]
    texts = tuple(text for text in values if isinstance(text, str) and text.strip())
    if not texts or len(texts) != len(values):
        raise misfit(case, key, "must be text or a list of texts, none of them blank")
    return texts


def misfit(case: Case, key: str, trouble: str) -> ValueError:
    """Build the error for an expectation that cannot be used: `file:line: case id: expected.key ...`."""
    return ValueError(clip(f"{case.place}: case {escape(case.id)}: expected.{escape(key)} {trouble}"))
