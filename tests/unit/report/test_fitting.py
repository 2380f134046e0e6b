"""Fitting: what goes, in which order, and that it is said."""

from gate.report.fitting import Section, fit, utf8_bytes, utf16_units


def section(name: str, worth: int, size: int = 100) -> Section:
    """Build a section of `size` letters."""
    return Section(name=name, text=name[0] * size, worth=worth)


def test_fit__keeps_everything_that_fits() -> None:
    assert fit((section("a", 1, 3), section("b", 2, 2)), 1_000, len) == "aaa\n\nbb\n"


def test_fit__drops_the_least_worth_and_of_equals_the_last() -> None:
    last = Section(name="case", text="l" * 200, worth=1)
    sections = (section("verdict", 9), section("case", 1, 200), last, section("foot", 8))
    text = fit(sections, 900, len)
    assert text == "\n\n".join(
        ("v" * 100, "c" * 200, "f" * 100, "Left out for length: the case. All of it is in the artifact.\n")
    )


def test_fit__counts_what_went() -> None:
    sections = (section("verdict", 9), section("case", 1), section("case", 1), section("slices", 2))
    text = fit(sections, 510, len)
    assert text.endswith("\n\nLeft out for length: the last 2 cases, the slices. All of it is in the artifact.\n")


def test_fit__never_drops_the_last_section() -> None:
    text = fit((section("verdict", 9, 5_000), section("case", 1)), 500, len)
    assert text.startswith("v" * 5_000 + "\n\nLeft out")


def test_fit__leaves_out_empty_sections() -> None:
    assert fit((section("a", 1, 1), Section(name="b", text="\n \n", worth=3)), 1_000, len) == "a\n"


def test_sizes__count_units_and_bytes() -> None:
    assert (utf16_units("a\U0001f512"), utf8_bytes("é")) == (3, 2)
