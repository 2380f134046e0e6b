"""Commands and files for the runner, judged by a reading of them that follows the runner's own rules."""

import io
from pathlib import Path

import pytest

from gate.errors import OutputError
from gate.forge import commands
from gate.forge.commands import (
    Annotation,
    Level,
    annotate,
    commands_stopped,
    cut_summary,
    escape_data,
    escape_property,
    mask,
    write_outputs,
    write_summary,
)
from tests.rigs.runner import read_file_command


def test_escape_data__leaves_one_line_without_a_command_inside() -> None:
    assert escape_data("50%\r\n::error::x ##[add-mask]y") == "50%25%0D%0A::error::x #\u200b#[add-mask]y"


def test_escape_property__escapes_the_separators_too() -> None:
    assert escape_property("a:b,c%\n") == "a%3Ab%2Cc%25%0A"


def test_mask__hides_each_line_of_a_secret() -> None:
    assert mask("one\n\ntwo\n") == "::add-mask::one\n::add-mask::two\n"
    assert mask("") == ""


def test_annotate__writes_properties_that_are_there() -> None:
    shown = annotate([Annotation(level=Level.ERROR, message="no\nway", title="a,b", file="gate.yaml", line=3)])
    assert shown == "::error file=gate.yaml,line=3,title=a%2Cb::no%0Away\n"
    assert annotate([Annotation(level=Level.NOTICE, message="m", line=3)]) == "::notice::m\n"


def test_annotate__bounds_one_message() -> None:
    assert annotate([Annotation(level=Level.WARNING, message="x" * 9_000)]) == f"::warning::{'x' * 4_000}\n"


@pytest.mark.parametrize(
    ("given", "lines", "last"),
    [(9, 9, "m8"), (10, 10, "1 more in the job summary"), (50, 10, "41 more in the job summary")],
)
def test_annotate__shows_nine_and_counts_the_rest(given: int, lines: int, last: str) -> None:
    shown = annotate([Annotation(level=Level.ERROR, message=f"m{index}") for index in range(given)]).splitlines()
    assert len(shown) == lines
    assert shown[-1].endswith(f"::{last}")


def test_commands_stopped__surrounds_with_a_token_that_nobody_knows() -> None:
    stdout = io.StringIO()
    with commands_stopped(stdout):
        print("::set-output name=outcome::PROMOTE", end="", file=stdout)
    first, middle, last = stdout.getvalue().splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert (middle, last) == ("::set-output name=outcome::PROMOTE", f"::{token}::")


def test_write_outputs__appends_values_of_any_shape(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before=1\n")
    write_outputs(file, {"outcome": "HOLD", "empty": "", "lines": "a\noutcome=PROMOTE\nEOF", "é": "ü"})
    assert read_file_command(file) == {
        "before": "1", "outcome": "HOLD", "empty": "", "lines": "a\noutcome=PROMOTE\nEOF", "é": "ü"
    }  # fmt: skip


def test_write_outputs__refuses_a_value_with_its_delimiter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.secrets, "token_hex", lambda _bytes: "guessed")
    with pytest.raises(OutputError, match="'outcome' contains its own delimiter"):
        write_outputs(tmp_path / "output", {"outcome": "x\nlockgate_guessed\noutcome=PROMOTE"})
    assert not (tmp_path / "output").exists()


def test_write_outputs__says_when_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="output of the runner cannot be written"):
        write_outputs(tmp_path / "missing" / "output", {"outcome": "HOLD"})


def test_write_summary__appends(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("first\n")
    write_summary(file, "second\n")
    assert file.read_text() == "first\nsecond\n"


def test_write_summary__counts_what_is_there_already(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * (1024 * 1024 - 300))
    write_summary(file, "# Head\nkept\n# Tail\n" + "y" * 400)
    assert file.stat().st_size <= 1024 * 1024
    assert file.read_text().endswith("# Head\nkept\n" + commands.CUT_NOTE)


def test_cut_summary__keeps_whole_sections_only() -> None:
    fold = "<details>\n# inside\n<details>\n# deeper\n</details>\n</details>\n"
    fence = "# code\n````\n```\n# not a heading\n````\n"
    text = "top\n" + fold + fence + "# last\n" + "é" * 500
    for limit in range(len(commands.CUT_NOTE.encode()) + 4, 1_300):
        kept = cut_summary(text, limit).removesuffix(commands.CUT_NOTE)
        assert len(cut_summary(text, limit).encode()) <= limit
        assert kept in ("top\n", "top\n" + fold, "top\n" + fold + fence, text)
    assert cut_summary(text, 1_300) == text


def test_cut_summary__without_room_leaves_nothing() -> None:
    assert cut_summary("x" * 100, 50) == ""
