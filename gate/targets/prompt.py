"""Prompts: Jinja2 templates of the candidate, rendered in a confined child process."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gate.core.canonical import digest_text
from gate.core.model import Json, Missing
from gate.documents.tree import Tree
from gate.documents.wording import quoted
from gate.errors import PromptError
from gate.worker.quoting import escape_controls
from gate.worker.run import WorkerFailure, run_worker

SECONDS = 2
BYTES = 1_000_000
_ALL_BYTES = 100 * BYTES
_MEMORY_BYTES = 2**30
_START_SECONDS = 10
_TAGS = re.compile(r"\{#(?P<comment>.*?)#\}|\{[{%].*?[}%]\}", re.DOTALL)
# Texts, raw and captured blocks can make words or counts of what only looks like a comment or a blank.
_PLAIN = re.compile(r"\{(?:\{|%[-+]?\s*(?:if|elif|else|endif|for|endfor)\b)[^\"'{]*")
_SHOWN = 300
_NAMES_SHOWN = 20
_ALARM = "ended by SIGALRM"
_NOT_STARTED = "cannot run "
_RENDERER = Path(__file__).with_name("render_main.py")

Inputs: TypeAlias = Sequence[tuple[str, Mapping[str, Json]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A template as text, with the digest of the text."""

    path: str
    text: str
    digest: str


def load_prompt(tree: Tree, path: str) -> Prompt:
    """Load a prompt template; raises PromptError where it is missing, over 1 MB, or not UTF-8."""
    content = tree.read(path)
    if content is None:
        raise PromptError(f"{path}: no such prompt in {tree.name}", hint="correct `prompt:` in gate.yaml, or add it")
    if len(content) > BYTES:
        raise PromptError(f"{path}: larger than {BYTES} bytes", hint="shorten the prompt")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PromptError(f"{path}:{line}: not UTF-8", hint="save the prompt as UTF-8") from error
    return Prompt(path=path, text=text, digest=digest_text(text))


def family_text(template: str) -> str:
    """The template without its comments, every run of whitespace one blank: versions alike in it are one family.

    A comment of HTML reaches the model, so it stays. A template with more than variables, conditions and loops is a
    family of its own.
    """
    tags = (found[0] for found in _TAGS.finditer(template) if found["comment"] is None)
    if not all(_PLAIN.fullmatch(tag) for tag in tags):
        return template
    return " ".join(_TAGS.sub(_without_words, template).split())


def _without_words(found: re.Match[str]) -> str:
    """A tag as it is, and of a comment only the signs that strip the blanks beside it."""
    words = found["comment"]
    if words is None:
        return found[0]
    before, after = (sign if sign in ("-", "+") else "" for sign in (words[:1], words[-1:]))
    return f"{{#{before} {after}#}}" if before or after else ""


def render_prompts(template: str, name: str, inputs: Inputs) -> tuple[str, ...]:
    """Render a template once for each (case id, variables), in order; `name` is the template's file in messages.

    Sandboxed, without include and import, 2 s and 1 MB for each case, 1 GB of memory. Raises PromptError with file,
    line and case for whatever the template does beyond that, and for variables that a case does not have.
    """
    head: Json = {"template": template, "seconds": SECONDS, "bytes": BYTES}
    documents = (head, *(dict(variables) for _, variables in inputs))
    result = run_worker(
        (sys.executable, "-I", str(_RENDERER)),
        "".join(json.dumps(document) + "\n" for document in documents),
        cwd=_RENDERER.parent,
        timeout_s=_START_SECONDS + SECONDS * len(inputs),
        max_output=_ALL_BYTES,
        memory_bytes=_MEMORY_BYTES,
    )
    replies = _read_replies(result.partial if isinstance(result, WorkerFailure) else result.text)
    where = _Place(file=name, inputs=inputs)
    if replies and "error" in replies[-1]:
        raise _refused(where, len(replies) - 1, replies[-1])
    if isinstance(result, WorkerFailure):
        raise _ended(where, len(replies), result)
    texts = tuple(str(reply["text"]) for reply in replies[1:] if "text" in reply)
    if len(texts) != len(inputs):
        raise PromptError(f"{name}: {len(texts)} of {len(inputs)} cases were rendered", hint="report this as a bug")
    return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Names the step of the renderer: 0 is reading the template, n is case n - 1."""

    file: str
    inputs: Inputs

    def name(self, step: int, line: Json) -> str:
        file = f"{self.file}:{line}" if isinstance(line, int) else self.file
        return f"{file}: case {quoted(self.inputs[step - 1][0])}" if 0 < step <= len(self.inputs) else file

    def variables(self, step: int) -> str:
        names = sorted(self.inputs[step - 1][1])
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        return (", ".join(quoted(name) for name in names[:_NAMES_SHOWN]) or "none") + more


def _read_replies(text: str) -> list[dict[str, Json]]:
    """Read the complete lines; a last one that broke off is none."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def _refused(where: _Place, step: int, reply: Mapping[str, Json]) -> PromptError:
    said = escape_controls(str(reply["error"])[:_SHOWN])
    message = f"{where.name(step, reply.get('line'))}: {said}"
    if reply.get("kind") == "UndefinedError" and step:
        return PromptError(message, hint=f"the case's input has: {where.variables(step)}; or test `is defined` first")
    if reply.get("kind") == "TemplateSyntaxError":
        return PromptError(message, hint="put braces that are not Jinja2 between {% raw %} and {% endraw %}")
    return PromptError(message, hint="prompts are sandboxed Jinja2: plain variables, conditions, loops and filters")


def _ended(where: _Place, step: int, failure: WorkerFailure) -> PromptError:
    if failure.detail == _ALARM or failure.reason is Missing.TIMED_OUT:
        said = f"takes longer than {SECONDS} s to render"
    elif failure.reason is Missing.TOO_LARGE:
        said = f"all prompts together are over {_ALL_BYTES} bytes"
    else:
        said = f"the renderer {failure.detail}"
    started = not failure.detail.startswith(_NOT_STARTED)
    hint = "simplify the prompt" if started else "install lockgate where this user may run its Python"
    return PromptError(f"{where.name(step, None)}: {said}", hint=hint)
