"""Words and stems of a text, the same for every language that is written with spaces between words."""

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
ENDING = re.compile(r"(?<=\w{4})[aeosn]{1,2}$")
LONGEST = 8
NUMBER = "0"


def words(text: str) -> list[str]:
    """Words without case and accents, in order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))


def stems(text: str) -> list[str]:
    """Stems of the words, in order; any number stands for every other."""
    return [stem(word) for word in words(text)]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Cut a word down to what its forms have in common: its first letters, without a common ending."""
    return NUMBER if word.isdecimal() else ENDING.sub("", word)[:LONGEST]
