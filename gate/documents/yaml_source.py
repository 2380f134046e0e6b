"""YAML as plain data with the line and column of every value.

YAML 1.2 manners, and stricter: only `true`, `false`, `null`, plain integers and plain decimals are anything but text.
`no`, `on`, `2026-01-01`, `12:30:45`, `1e3`, `010` and `0x1F` stay text. Tags, NaN, infinities, duplicate keys, keys
that are not text, and second documents are refused. Aliases may be used; what they expand to is bounded.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, cast

import yaml

from gate.core.model import Json
from gate.documents.wording import quoted
from gate.errors import ConfigurationError

SIZE_LIMIT = 2**20
EXPANDED_LIMIT = 4 * 2**20
DEPTH_LIMIT = 64
DIGIT_LIMIT = 100

Place = tuple[int, int]
_Opening = yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)\.[0-9]+|\.[0-9]+)")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """One value: where it starts, what is below it, and how large it is with every alias written out."""

    value: Json
    place: Place
    size: int = 1
    height: int = 1
    keys: Mapping[str, Place] = field(default_factory=dict)
    children: Mapping[str | int, "_Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A YAML file as data, with positions for messages; lines and columns start at 1."""

    name: str
    root: _Node

    @property
    def data(self) -> Json:
        """The plain data; not to be changed, because aliased parts are shared."""
        return self.root.value

    def position(self, path: tuple[str | int, ...]) -> Place:
        """Return where the value at a path starts, or its nearest parent that exists."""
        return self._descend(path).place

    def key_position(self, path: tuple[str | int, ...]) -> Place:
        """Return where the key at the end of a path is written, or where its nearest parent that exists starts."""
        parent = self._descend(path[:-1])
        return parent.keys.get(str(path[-1]), parent.place) if path else parent.place

    def _descend(self, path: tuple[str | int, ...]) -> _Node:
        node = self.root
        for part in path:
            below = node.children.get(part)
            if below is None:
                break
            node = below
        return node


def load_yaml(source: str | bytes, name: str) -> YamlDocument:
    """Read one YAML document; raises ConfigurationError with `name:line:column` for everything that it refuses.

    Bytes are UTF-8, with or without a byte order mark; at most 1 MB. An empty file is `null`.
    """
    text = _decoded(source, name)
    try:
        return YamlDocument(name=name, root=_Composer(text, name).document())
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        _refuse(name, _end_of(before), f"the character {error.character:#x} is not allowed", hint="remove it")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _at(mark)
        problem, hint = _syntax_problem(text, place, error)
        _refuse(name, place, problem, hint=hint)


def _decoded(source: str | bytes, name: str) -> str:
    raw = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(raw) > SIZE_LIMIT:
        _refuse(name, (1, 1), f"the file has {len(raw)} bytes; at most {SIZE_LIMIT} are read", hint="split the file")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").removeprefix("\ufeff")
        _refuse(name, _end_of(before), f"byte {raw[error.start]:#x} is not UTF-8", hint="save the file as UTF-8")


def _end_of(text: str) -> Place:
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _syntax_problem(text: str, place: Place, error: yaml.MarkedYAMLError) -> tuple[str, str]:
    lines = text.splitlines()
    line = lines[place[0] - 1] if place[0] <= len(lines) else ""
    if line[place[1] - 1 : place[1]] == "\t":
        return "a tab is used for indentation", "YAML is indented with spaces"
    context = f"{error.context}: " if error.context else ""
    return f"not YAML: {context}{error.problem}", "check the indentation, quotes and brackets at this place"


def _refuse(name: str, place: Place, problem: str, *, hint: str) -> NoReturn:
    raise ConfigurationError(f"{name}:{place[0]}:{place[1]}: {problem}", hint=hint)


class _Composer:
    """Builds nodes from parser events, so that depth and expansion are bounded while reading."""

    def __init__(self, text: str, name: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._name = name
        self._anchors: dict[str, _Node] = {}
        self._expanded = 0

    def document(self) -> _Node:
        """Return the only document, or a null node for an empty stream."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return _Node(value=None, place=(1, 1))
        root = self._node(next(self._events), depth=1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._fail(after, "a second document starts here", hint="keep one document in a file")
        return root

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        # Between its start and its end, a document has no other events than these.
        opening = cast("_Opening", event)
        if depth > DEPTH_LIMIT:
            self._fail(event, f"nested more than {DEPTH_LIMIT} levels deep", hint="flatten the file")
        if opening.tag is not None:
            self._fail(event, f"the tag {quoted(opening.tag)} is not supported", hint='use quotes for text: "..."')
        node = self._untagged(opening, depth)
        if opening.anchor is not None:
            self._anchors[opening.anchor] = node
        return node

    def _untagged(self, event: _Opening, depth: int) -> _Node:
        if isinstance(event, yaml.ScalarEvent):
            size = 1 + len(event.value)
            self._count(event, size)
            value = self._plain_value(event) if event.implicit[0] else event.value
            return _Node(value=value, place=_place(event), size=size)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _sequence(self, start: yaml.Event, depth: int) -> _Node:
        self._count(start, 1)
        items: list[_Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        value: list[Json] = [item.value for item in items]
        size = 1 + sum(item.size for item in items)
        children: dict[str | int, _Node] = dict(enumerate(items))
        return _Node(value=value, place=_place(start), size=size, height=_height(items), children=children)

    def _mapping(self, start: yaml.Event, depth: int) -> _Node:
        self._count(start, 1)
        keys: dict[str, Place] = {}
        children: dict[str | int, _Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, keys)
            keys[key] = _place(event)
            children[key] = self._node(next(self._events), depth + 1)
        value: dict[str, Json] = {key: children[key].value for key in keys}
        size = 1 + sum(1 + len(key) + children[key].size for key in keys)
        height = _height(children.values())
        return _Node(value=value, place=_place(start), size=size, height=height, keys=keys, children=children)

    def _key(self, event: yaml.Event, keys: Mapping[str, Place]) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            self._fail(event, "a key must be plain text", hint='write the key as a word or in quotes: "..."')
        if event.implicit[0] and not isinstance(self._plain_value(event), str):
            self._fail(event, f"the key {quoted(event.value)} is not text", hint='put the key in quotes: "..."')
        key: str = event.value
        self._count(event, 1 + len(key))
        if key in keys:
            first = keys[key]
            self._fail(
                event,
                f"the key {quoted(key)} is given twice; the first is at line {first[0]}, column {first[1]}",
                hint="keep one of the two",
            )
        return key

    def _plain_value(self, event: yaml.ScalarEvent) -> bool | int | float | str | None:
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            self._fail(event, f"{text} is not a usable number", hint="write a finite number, or quote it")
        integer, decimal = _INTEGER.fullmatch(text), _DECIMAL.fullmatch(text)
        if (integer or decimal) and len(text) > DIGIT_LIMIT:
            self._fail(event, f"a number of more than {DIGIT_LIMIT} digits", hint='quote it as text: "..."')
        return int(text) if integer else float(text) if decimal else text

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            message = f"the alias {quoted(event.anchor)} has no finished anchor before it"
            self._fail(event, message, hint="define the anchor above, outside of itself")
        if depth + node.height - 1 > DEPTH_LIMIT:
            self._fail(event, f"aliases nest more than {DEPTH_LIMIT} levels deep", hint="write the values out")
        self._count(event, node.size)
        return replace(node, place=_place(event))

    def _count(self, event: yaml.Event, size: int) -> None:
        self._expanded += size
        if self._expanded > EXPANDED_LIMIT:
            self._fail(event, "aliases expand to more than 4 MB", hint="write the values out")

    def _fail(self, event: yaml.Event, problem: str, *, hint: str) -> NoReturn:
        _refuse(self._name, _place(event), problem, hint=hint)


def _place(event: yaml.Event) -> Place:
    return _at(event.start_mark)


def _at(mark: "yaml.Mark | yaml._yaml.Mark | None") -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _height(below: Iterable[_Node]) -> int:
    return 1 + max((node.height for node in below), default=0)
