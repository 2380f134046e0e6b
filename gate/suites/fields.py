"""The kinds of text and numbers that configuration files hold, each refusing what it is not with a plain sentence."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gate.documents.wording import quoted

_TARGET = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?")
PER_TRIAL = "per-trial"
_CALLABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


class Strict(BaseModel):
    """A frozen mapping of known keys: nothing unknown, nothing converted, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _target_name(text: str) -> str:
    return _matching(_TARGET, text, "must be a target name: small letters, digits and dashes")


def _case_id(text: str) -> str:
    return _matching(_NAME, text, "must be 1 to 80 letters, digits, dots, dashes or underscores, starting with no sign")


def _variable(text: str) -> str:
    return _matching(_VARIABLE, text, "must be the name of an environment variable")


def _host(text: str) -> str:
    return _matching(_HOST, text.lower(), "must be a host name, without scheme or path")


def _callable(text: str) -> str:
    return _matching(_CALLABLE, text, 'must be "module:function"')


def _matching(pattern: re.Pattern[str], text: str, wanted: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{wanted}, not {quoted(text)}")
    return text


def _relative_path(text: str) -> str:
    path = PurePosixPath(text)
    unsafe = text.startswith("/") or ".." in path.parts or "\\" in text or not text.isprintable()
    if unsafe or not path.parts:
        raise ValueError(f"must be a relative path inside of the repository, not {quoted(text)}")
    return str(path)


def _suite_path(text: str) -> str:
    path = _relative_path(text)
    _matching(_NAME, PurePosixPath(path).name, "the last part of the path names the suite and must be plain letters")
    return path


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in text or "?" in text or "#" in text or not text.isprintable():
        raise ValueError(f"must be an http or https address without user, query or fragment, not {quoted(text)}")
    return text


def _argument(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError(f"must be an argument that is not empty, not {quoted(text)}")
    return text


def _seed(value: object) -> object:
    if isinstance(value, bool) or not (isinstance(value, int) or value == PER_TRIAL):
        raise ValueError(f"must be a whole number, or {PER_TRIAL}, not {quoted(value)}")
    return value


TargetName = Annotated[str, AfterValidator(_target_name)]
CaseId = Annotated[str, AfterValidator(_case_id)]
Variable = Annotated[str, AfterValidator(_variable)]
Host = Annotated[str, AfterValidator(_host)]
PythonCallable = Annotated[str, AfterValidator(_callable)]
RelativePath = Annotated[str, AfterValidator(_relative_path)]
SuitePath = Annotated[str, AfterValidator(_suite_path)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Seed = Annotated[int | Literal["per-trial"], BeforeValidator(_seed)]
Argument = Annotated[str, AfterValidator(_argument)]
Label = Annotated[str, Field(min_length=1, max_length=200)]
Margin = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0)]
