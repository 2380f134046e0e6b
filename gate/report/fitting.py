"""Fitting a report into a limit: whole sections go, the least important first, and what went is said."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BORDER = "\n\n"
NOTE_ROOM = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report: `name` is its kind for people, the lowest `worth` goes first, of equals the last."""

    name: str
    text: str
    worth: int


def utf16_units(text: str) -> int:
    """Length as JavaScript and GitHub's comment box count it; never less than the number of code points."""
    return len(text.encode("utf-16-le")) // 2


def utf8_bytes(text: str) -> int:
    """Length in a UTF-8 file."""
    return len(text.encode("utf-8"))


def fit(sections: Sequence[Section], limit: int, size: Callable[[str], int]) -> str:
    """Join sections within a limit; the most valuable one always stays. Empty sections are not printed."""
    kept = [section for section in sections if section.text.strip()]
    dropped: set[int] = set()
    room = limit - NOTE_ROOM
    used = sum(size(section.text + BORDER) for section in kept)
    for index in sorted(range(len(kept)), key=lambda index: (kept[index].worth, -index)):
        if used <= room or len(dropped) == len(kept) - 1:
            break
        dropped.add(index)
        used -= size(kept[index].text + BORDER)
    texts = [section.text.strip("\n") for index, section in enumerate(kept) if index not in dropped]
    return BORDER.join((*texts, *_note([kept[index].name for index in dropped]))) + "\n"


def _note(dropped: Sequence[str]) -> tuple[str, ...]:
    """Say what went: "Left out for length: the last 3 cases, the slices. All of it is in the artifact."."""
    if not dropped:
        return ()
    names = Counter(dropped)
    what = ", ".join(
        f"the {name}" if number == 1 else f"the last {number} {name}s" for name, number in sorted(names.items())
    )
    return (f"Left out for length: {what}. All of it is in the artifact.",)
