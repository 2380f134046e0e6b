"""escape_controls on text that steers."""

from gate.worker.quoting import escape_controls


def test_escape_controls__keeps_letters_and_spaces() -> None:
    assert escape_controls("Grüße, 世界 \\n") == "Grüße, 世界 \\n"


def test_escape_controls__shows_what_does_not_print() -> None:
    assert escape_controls("a\nb\x1b\u202e\ud800\u2028") == r"a\nb\x1b\u202e\ud800\u2028"
