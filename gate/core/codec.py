"""Dataclasses to plain JSON values and back, strictly: every field present or defaulted, no unknown key, no wrong type.

Enums are their values, tuples are lists, mappings are objects, a tuple of (str, X) pairs stays a list of pairs. Unions
of dataclasses carry a `"type"` key with the class name. A field marked `UNWRITTEN_DEFAULT` is left out at its default,
so that records which do not need it keep their bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from gate.core.model import Json

T = TypeVar("T")
UNWRITTEN_DEFAULT: Mapping[str, bool] = MappingProxyType({"unwritten_default": True})
_PLAIN = frozenset((str, int, float, bool, NoneType))
# Equal to no value of a field.
_NEVER = object()


class DecodeError(ValueError):
    """A value does not have the declared shape; the message starts with the path to it."""


def encode(value: object) -> Json:
    """Turn a dataclass, or anything it may hold, into a JSON value; raises TypeError for what it may not hold."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[return-value]  # one of the plain types
    written = _written(kind)
    if written is not None:
        return _encode_fields(value, written)
    if isinstance(value, Enum):
        return encode(value.value)
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    message = f"cannot encode {type(value).__name__}"
    raise TypeError(message)


def _encode_fields(value: object, written: tuple[tuple[str, object], ...]) -> dict[str, Json]:
    own: dict[str, Json] = {}
    for name, left_out in written:
        item = getattr(value, name)
        if left_out is _NEVER or item != left_out:
            # Most fields are plain, and a call costs more than all else here.
            own[name] = item if type(item) in _PLAIN else encode(item)
    return own


def encode_lazily(value: object, many: str) -> dict[str, Json]:
    """Encode a dataclass for `readable_json`, the values of its field `many` one by one as they are written.

    As plain JSON, those of a hundred thousand cases take more room than all else.
    """
    kind: Any = type(value)
    written = _written(kind) or ()
    rest = _encode_fields(value, tuple((name, left_out) for name, left_out in written if name != many))
    return rest | {many: _Encoded(getattr(value, many))}


class _Encoded(list[Json]):
    """Holds values as they are, and shows each one encoded."""

    def __init__(self, values: Iterable[object]) -> None:
        super().__init__(values)  # type: ignore[arg-type]  # nobody sees them before they are encoded

    def __iter__(self) -> Iterator[Json]:
        return map(encode, super().__iter__())


@cache
def _written(kind: type) -> tuple[tuple[str, object], ...] | None:
    """The fields of a dataclass, each with the value that it is left out at; None for any other type."""
    if not is_dataclass(kind):
        return None
    return tuple(
        (field.name, field.default if field.metadata == UNWRITTEN_DEFAULT else _NEVER)
        for field in fields(kind)
        if field.init
    )


def encode_tagged(value: object) -> Json:
    """Encode a member of a union of dataclasses with its class name under `type`."""
    plain = encode(value)
    if not isinstance(plain, dict):
        message = "only dataclasses can be tagged"
        raise TypeError(message)
    return plain | {"type": type(value).__name__}


def decode(kind: type[T], value: Json, path: str = "") -> T:
    """Read a JSON value as the given type; raises DecodeError that names the path."""
    return _decode(kind, value, path)  # type: ignore[no-any-return]


def _decode(kind: Any, value: Json, path: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decode_union(get_args(kind), value, path)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, path)
    if origin is not None:
        return _decode_mapping(get_args(kind), value, path)
    if is_dataclass(kind):
        return _decode_dataclass(kind, value, path)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _decode_enum(kind, value, path)
    return _decode_plain(kind, value, path)


def _decode_plain(kind: Any, value: Json, path: str) -> Json:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = _as_float(value, path)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise _wrong(path, kind.__name__, value)
    return value


def _as_float(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise DecodeError(f"{path or 'top'}: a number that large cannot be used") from None


def _decode_enum(kind: type[Enum], value: Json, path: str) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise _wrong(path, "one of " + ", ".join(str(member.value) for member in kind), value) from None


def _decode_union(kinds: tuple[Any, ...], value: Json, path: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    if {bool, str} <= set(kinds):
        # Any JSON value, as arguments of tools are; what was parsed is one.
        return value
    rest = [kind for kind in kinds if kind is not NoneType]
    if len(rest) == 1:
        return _decode(rest[0], value, path)
    tagged = dict(value) if isinstance(value, dict) else {}
    name = tagged.pop("type", None)
    for kind in rest:
        if kind.__name__ == name:
            return _decode(kind, tagged, path)
    raise _wrong(path, "type one of " + ", ".join(kind.__name__ for kind in rest), name)


def _decode_tuple(kinds: tuple[Any, ...], value: Json, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(path, "a list", value)
    if kinds[-1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{path}[{index}]") for index, item in enumerate(value))
    if len(kinds) != len(value):
        raise _wrong(path, f"a list of {len(kinds)}", value)
    both = zip(kinds, value, strict=True)
    return tuple(_decode(kind, item, f"{path}[{index}]") for index, (kind, item) in enumerate(both))


def _decode_mapping(kinds: tuple[Any, ...], value: Json, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    return {key: _decode(kinds[1], item, f"{path}.{key}") for key, item in value.items()}


def _decode_dataclass(kind: Any, value: Json, path: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    hints, own = _hints(kind), _own_fields(kind)
    unknown = sorted(value.keys() - own.keys())
    if unknown:
        message = f"{path or 'top'}: unknown key {unknown[0]!r}"
        raise DecodeError(message)
    absent = [name for name, field in own.items() if name not in value and _required(field)]
    if absent:
        message = f"{path or 'top'}: key {absent[0]!r} is missing"
        raise DecodeError(message)
    try:
        return kind(**{name: _decode(hints[name], item, f"{path}.{name}") for name, item in value.items()})
    except DecodeError:
        raise
    except ValueError as error:
        message = f"{path or 'top'}: {error}"
        raise DecodeError(message) from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _own_fields(kind: Any) -> dict[str, Field[Any]]:
    return {field.name: field for field in fields(kind) if field.init}


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _wrong(path: str, wanted: str, value: object) -> DecodeError:
    shown = repr(value)
    return DecodeError(f"{path or 'top'}: {wanted} expected, not {shown[:60]}")
