"""Model names that mean the same model tomorrow."""

import re
from urllib.parse import urlsplit

from gate.documents.wording import quoted

_LATEST = re.compile(r"(^|[-:@/_.])latest($|[-:@/_.])", re.IGNORECASE)
_DATED = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})(?!\d)")
_OWN_HOST = "api.openai.com"


def refuse_floating(*, provider: str, name: str, base_url: str | None) -> None:
    """Raise ValueError for a name that the provider may move to another model.

    `latest` floats everywhere. OpenAI's own names must carry their date (`gpt-4.1-mini-2025-04-14`,
    `gpt-3.5-turbo-0125`); names on somebody else's endpoint must carry some version number.
    """
    if _LATEST.search(name) or (provider == "openai" and not _versioned(name, base_url)):
        raise ValueError(f"{quoted(name)} is a floating model name; pin the dated name, such as gpt-4o-2024-08-06")


def _versioned(name: str, base_url: str | None) -> bool:
    own = base_url is None or urlsplit(base_url).hostname == _OWN_HOST
    return bool(_DATED.search(name)) if own else any(character.isdigit() for character in name)
