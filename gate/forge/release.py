"""A person's command to release a HOLD, and the hidden line that points to it: pure readings of text."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from gate.errors import ConfigurationError

COMMAND = re.compile(r"/gate[ \t]+approve[ \t]+(?:sha256:)?([0-9A-Fa-f]{8,64})[ \t]+(\S.*)", re.DOTALL)
USAGE = "write: /gate approve DIGEST REASON, with at least 8 digits of the digest in the foot of the comment"
LONGEST_REASON = 500
LONGEST_RECORD = 8_000
POINTER = re.compile(r"<!-- lockgate-release:v1 ([A-Za-z0-9_=-]{1,12000}) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What somebody asks for: `prefix` are the first hex digits of a decision's digest, `reason` is one line."""

    prefix: str
    reason: str


def parse_approval(body: str) -> Approval:
    """Read a command; raises ConfigurationError that says how it is written."""
    found = COMMAND.fullmatch(body.strip())
    if found is None:
        raise ConfigurationError("this is not a command that lockgate knows", hint=USAGE)
    reason = " ".join(found.group(2).split())
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError(f"the reason has more than {LONGEST_REASON} characters", hint="say it in fewer words")
    return Approval(prefix=found.group(1).lower(), reason=reason)


def pointer_line(record: str) -> str:
    """The hidden first line of the reply that carries a record; nothing in the record can end the line."""
    return f"<!-- lockgate-release:v1 {base64.urlsafe_b64encode(record.encode()).decode()} -->"


def pointed_record(line: str) -> str | None:
    """The record in such a line; None in any other one."""
    found = POINTER.fullmatch(line)
    try:
        text = base64.urlsafe_b64decode(found.group(1)).decode() if found else None
    except (binascii.Error, ValueError):
        return None
    return text if text is not None and len(text) <= LONGEST_RECORD else None
