"""The options of one scorer as written in a suite, read with plain sentences about what is wrong."""

import math
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from gate.core.model import Json
from gate.documents.tree import Tree
from gate.documents.wording import quoted, suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one scorer, and the suite folder and tree that its files come from.

    Every reader raises ValueError with one plain sentence.
    """

    values: Mapping[str, Json]
    folder: str
    tree: Tree

    def allow(self, *names: str) -> None:
        """Refuse every option that is not named here, and suggest the nearest one."""
        for name in self.values:
            if name not in names:
                raise ValueError(f"unknown option {quoted(name)}{suggestion(name, names)}")

    def exactly_one(self, *names: str) -> str:
        """Return the one name of these that is given; refuses none and several."""
        given = [name for name in names if name in self.values]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(f"exactly one of {', '.join(names)} is needed, found {found}")
        return given[0]

    def text(self, name: str, default: str | None = None) -> str:
        """Read text that is not empty; without a default it must be given."""
        value = self._given(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, "text", value)
        if not value:
            raise ValueError(f'"{name}" must not be empty')
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return value

    def number(self, name: str, *, default: float | None = None, maximum: float = math.inf) -> float:
        """Read a finite number from 0 to `maximum`; without a default it must be given."""
        value = self._given(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number", value)
        if not 0 <= value <= maximum or value == math.inf:
            span = "0 or more" if maximum == math.inf else f"from 0 to {maximum:g}"
            raise ValueError(f'"{name}" must be {span}, not {quoted(value)}')
        return value

    def seconds(self, name: str, *, default: float, maximum: float) -> float:
        """Read a time limit in seconds: more than 0, at most `maximum`."""
        value = self.number(name, default=default, maximum=maximum)
        if value == 0:
            raise ValueError(f'"{name}" must be more than 0 seconds')
        return value

    def count(self, name: str) -> int | None:
        """Read a whole number of 0 or more, or None where the option is not given."""
        value = self.values.get(name)
        if name not in self.values:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(name, "a whole number of 0 or more", value)
        return value

    def choice(self, name: str, *names: str) -> str:
        """Read one of these names; the first is the default."""
        value = self.text(name, names[0])
        if value not in names:
            raise ValueError(f'"{name}" must be one of {", ".join(names)}, not {quoted(value)}')
        return value

    def file(self, name: str) -> str:
        """Read the UTF-8 text of the file that the option names, relative to the suite folder and inside it."""
        written = self.text(name)
        path = posixpath.normpath(written)
        if path.startswith(("/", "..")) or "\\" in path or "\0" in path:
            raise ValueError(f'"{name}" must name a file in the suite folder, not {quoted(written)}')
        content = self.tree.read(posixpath.normpath(posixpath.join(self.folder, path)))
        if content is None:
            raise ValueError(f"there is no file {quoted(written)} in the suite folder")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"file {quoted(written)} is not UTF-8 text") from error

    def wrong(self, name: str, wanted: str, value: object) -> ValueError:
        """Build the error for an option of the wrong kind."""
        return ValueError(f'"{name}" must be {wanted}, not {quoted(value)}')

    def _given(self, name: str, default: Json) -> Json:
        value = self.values.get(name, default)
        if value is None and name not in self.values:
            raise ValueError(f'"{name}" is missing')
        return value


def last_segment(path: str) -> str:
    """Return what follows the last dot of a JSON path: the key of `expected` that most suites use."""
    return path.rsplit(".", 1)[-1]
