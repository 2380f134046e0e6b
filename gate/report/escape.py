"""All escaping of lockgate: what a model, a case or a pull request wrote is shown, and never obeyed.

Mentions, references and links are broken with U+200B behind their first sign, because GitHub looks for them in the
rendered text, where a backslash or an entity is no longer there to see.
"""

import html
import re
import unicodedata

BREAK = "\u200b"
BLANKS = f" {BREAK}"
TEXT_LIMIT = 300
CODE_LIMIT = 120
FENCE_CHARS = 1_500
FENCE_LINES = 40
SHORTEST_FENCE = 3
BYTE_END, WORD_END = 0x100, 0x10000

_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
# Letters and marks that are drawn as nothing although Unicode does not class them as format characters.
_HIDDEN_RANGES = (
    (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFE00, 0xFE0E), (0xFFA0, 0xFFA0), (0xFFFE, 0xFFFF), (0xE0000, 0xE0FFF),
)  # fmt: skip

_PUNCTUATION = re.compile(r"[\\`*_\[\]<>|~&#$]")
_BLOCK_START = re.compile(r"^(?:[-+=]|\d+(?=[.)]))")
_TRIGGERS = (
    (re.compile(r"([@#$:])(?=\S)"), rf"\1{BREAK}"),
    (re.compile(r"(?:GH|CVE)-(?=\d)|GHSA-", re.IGNORECASE), rf"\g<0>{BREAK}"),
    (re.compile(r"(www)\.", re.IGNORECASE), rf"\1{BREAK}."),
)
_HASH = re.compile(r"[0-9a-fA-F]{7,}")
_HASH_PART = re.compile(r"([0-9a-fA-F]{6})(?=[0-9a-fA-F])")
_CODE_SPAN = re.compile(r"`([^`]+)`")
_FENCE_RUN = re.compile(r"`+|~+")


def visible(text: str, *, keep: str = "") -> str:
    r"""Show control, direction, zero-width and other hidden characters as escapes such as `\x1b`; `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char in keep or not _hidden(char) else _escape(char) for char in text)


def _hidden(char: str) -> bool:
    code = ord(char)
    if unicodedata.category(char) in _HIDDEN_CATEGORIES:
        return True
    return any(low <= code <= high for low, high in _HIDDEN_RANGES)


def _escape(char: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named is not None:
        return named
    code = ord(char)
    if code < BYTE_END:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < WORD_END else f"\\U{code:08x}"


def clip(text: str, limit: int) -> str:
    """Cut a text to `limit` characters; the last one is then an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _line(text: str, limit: int) -> str:
    """One visible line of at most `limit` characters; line ends and tabs become single spaces."""
    joined = " ".join(clip(text, 4 * limit).split())
    return clip(visible(joined), limit)


def md_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Foreign text for one Markdown paragraph or table cell: plain words, one line, nothing that works.

    No mention, reference, link, image, HTML, entity, emphasis, code, heading, list, emoji name or formula survives.
    """
    line = _line(text, limit)
    start = _BLOCK_START.match(line)
    escaped = _PUNCTUATION.sub(r"\\\g<0>", _inert(line))
    if start is None:
        return escaped
    head = start.group()
    return f"{head}\\{escaped[len(head) :]}" if head.isdigit() else f"\\{escaped}"


def md_prose(text: str, limit: int = TEXT_LIMIT) -> str:
    """One of our own sentences, which may quote foreign names: like `md_text`, but `quoted words` stay code."""
    parts = _CODE_SPAN.split(clip(text, limit))
    return "".join(md_code(part) if index % 2 else _between(part) for index, part in enumerate(parts)).strip(BLANKS)


def _between(part: str) -> str:
    """Escape the words between two code spans, keeping the blanks at their ends; touching spans are kept apart."""
    before, after = (" " if part[:1].isspace() else ""), (" " if part[-1:].isspace() else "")
    return f"{before}{md_text(part)}{after}" if part.strip() else before or BREAK


def md_code(text: str, limit: int = CODE_LIMIT) -> str:
    """Foreign text as a Markdown code span, in a table too; backticks and pipes are replaced by look-alikes."""
    shown = _line(text, limit).replace("`", "\u02cb").replace("|", "¦")
    shown = log_line(shown.replace("<!--", f"<!{BREAK}--"))
    return f"`{shown}`" if shown else ""


def html_text(text: str, limit: int = CODE_LIMIT) -> str:
    """Foreign text inside an HTML element of a comment, such as `<summary>`, where Markdown is not read."""
    return html.escape(_inert(_line(text, limit))).replace("`", "&#96;")


def _inert(line: str) -> str:
    """Break mentions, issue and commit references, addresses, emoji names and formulas."""
    for pattern, replacement in _TRIGGERS:
        line = pattern.sub(replacement, line)
    return _HASH.sub(lambda found: _HASH_PART.sub(rf"\1{BREAK}", found.group()), line)


def md_fence(text: str, info: str = "", *, chars: int = FENCE_CHARS, lines: int = FENCE_LINES) -> str:
    """Foreign text as a fenced block that it cannot leave, of at most `chars` characters and `lines` lines."""
    kept = text.replace("\r\n", "\n")[: 2 * chars]
    shown = visible(kept, keep="\n\t").replace("<!--", f"<!{BREAK}--").replace("-->", f"--{BREAK}>")
    rows = clip(shown, chars).rstrip("\n").split("\n")
    if len(rows) > lines:
        rows = [*rows[: lines - 1], f"… {len(rows) - lines + 1} more lines"]
    body = "\n".join(map(log_line, rows))
    longest = max((len(run) for run in _FENCE_RUN.findall(body)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}{info}\n{body}\n{fence}"


def workflow_line(text: str) -> str:
    """Foreign text for a CI log, line by line: no workflow command and no terminal control works in it."""
    return "\n".join(log_line(line) for line in visible(text, keep="\n\t").split("\n"))


def json_lines(text: str) -> str:
    """Make a JSON document safe to print: the same value for whoever parses it, and no workflow command in a log.

    Hidden characters become JSON escapes; in JSON they stand in strings only.
    """
    escapes = {ord(char): _json_escape(char) for char in set(text) if char != "\n" and _hidden(char)}
    return text.translate(escapes).replace("##[", "#\\u0023[")


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def log_line(line: str) -> str:
    """One visible line for a CI log: no workflow command works in it."""
    shown = line.replace("##[", f"#{BREAK}#[")
    if not shown.lstrip().startswith("::"):
        return shown
    return shown.replace("::", f":{BREAK}:", 1)


def terminal_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Foreign text as one line for a terminal, safe in a CI log too."""
    return log_line(_line(text, limit))


def marker_value(text: str) -> str:
    """Reduce a value for the hidden marker: letters, digits, dots, underscores and hyphens only; `none` for nothing."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:100] or "none"


def xml_text(text: str, limit: int = 2_000) -> str:
    """Text without the characters that XML 1.0 forbids, even as references."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", clip(text, limit))
