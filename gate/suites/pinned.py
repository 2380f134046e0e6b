"""Model names that mean the same model tomorrow."""

import re
from urllib.parse import urlsplit

from gate.documents.wording import quoted

_LATEST = re.compile(r"(^|[-:@/_.])latest($|[-:@/_.])", re.IGNORECASE)
_DATED = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})(?!\d)")
_CLAUDE = re.compile(r"claude-[a-z]+-(\d{1,3})(?:-(\d{1,3}))?")
# From this generation on, Anthropic's names without a date are pinned; older ones without a date are aliases.
_CLAUDE_PINNED = (4, 6)
_OWN_HOSTS = {"openai": "api.openai.com", "anthropic": "api.anthropic.com"}
_EXAMPLES = {
    "anthropic": "claude-sonnet-4-5-20250929",
    "deepseek": "deepseek-v4-flash",
    "gemini": "gemini-2.5-flash",
}


def refuse_floating(*, provider: str, name: str, base_url: str | None) -> None:
    """Raise ValueError for a name that the provider may move to another model.

    `latest` floats everywhere. OpenAI's own names must carry their date (`gpt-4.1-mini-2025-04-14`,
    `gpt-3.5-turbo-0125`), and so must Anthropic's before `claude-opus-4-6`. Names of the others, and on somebody else's
    endpoint, must carry some version number.
    """
    if _LATEST.search(name) or not (provider == "offline" or _versioned(provider, name, base_url)):
        example = _EXAMPLES.get(provider, "gpt-4o-2024-08-06")
        raise ValueError(f"{quoted(name)} is a floating model name; pin the dated name, such as {example}")


def _versioned(provider: str, name: str, base_url: str | None) -> bool:
    home = _OWN_HOSTS.get(provider)
    if home is None or (base_url is not None and urlsplit(base_url).hostname != home):
        return any(character.isdigit() for character in name)
    return bool(_DATED.search(name)) or (provider == "anthropic" and _is_pinned_claude(name))


def _is_pinned_claude(name: str) -> bool:
    found = _CLAUDE.fullmatch(name)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= _CLAUDE_PINNED
