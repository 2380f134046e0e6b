"""Unicode normal forms of hostile text, in linear time.

`unicodedata.normalize` sorts a run of combining marks in quadratic time: minutes for a long run.
"""

import unicodedata

# Unicode's Stream-Safe Text Format (UAX #15, section 13): no real text has longer runs.
MARK_LIMIT = 30


def decompose(text: str) -> str:
    """Return the compatibility decomposition (NFKD) of each character, marks left in the order of the text."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFKD", character) for character in text)


def compose(text: str) -> str:
    """Return the text in NFKC, with at most 30 combining marks in a row kept."""
    if text.isascii():
        return text
    kept: list[str] = []
    run = 0
    for character in decompose(text):
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MARK_LIMIT:
            kept.append(character)
    return unicodedata.normalize("NFKC", "".join(kept))
