"""Render one prompt template for many cases in this process: `python -I render_main.py`, confined by its parent.

Standard input is one JSON document a line: first `{"template", "seconds", "bytes"}`, then the variables of each case.
Standard output is one a line too: `{}` when the template is read, then `{"text"}` for each case, in order, up to an
`{"error", "kind", "line"}`. The kernel's alarm ends the process when one step takes too long, which no template can
catch or outlast. Needs Jinja2 and nothing of this package.
"""

import json
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_SOURCE = "<prompt>"


class TooLongError(Exception):
    """One case's prompt is over the limit."""


def main() -> None:
    """Read the template, then answer line by line."""
    settings = json.loads(sys.stdin.readline())
    _set_alarm(settings["seconds"])
    try:
        template = _compile(settings["template"])
    except Exception as error:  # noqa: BLE001 - hostile templates fail in many ways, each of which is an answer
        _give_up(error)
    _write({})
    for line in sys.stdin:
        _set_alarm(settings["seconds"])
        try:
            text = _render(template, json.loads(line), settings["bytes"])
        except Exception as error:  # noqa: BLE001 - hostile templates fail in many ways, each of which is an answer
            _give_up(error)
        _write({"text": text})
    _set_alarm(0)


def _set_alarm(seconds: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _compile(source: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    # Both draw lots, so that the same version of a prompt would not be the same prompt.
    del environment.globals["lipsum"], environment.filters["random"]
    code = environment.compile(source, filename=_SOURCE)
    return Template.from_code(environment, code, environment.make_globals(None))


def _render(template: Template, variables: Mapping[str, object], limit: int) -> str:
    parts, size = [], 0
    for part in template.generate(variables):
        size += len(part.encode("utf-8", "surrogatepass"))
        if size > limit:
            message = f"the prompt is over {limit} bytes"
            raise TooLongError(message)
        parts.append(part)
    return "".join(parts)


def _give_up(error: Exception) -> NoReturn:
    _write({"error": _describe(error), "kind": type(error).__name__, "line": _line(error)})
    sys.exit(0)


def _describe(error: Exception) -> str:
    if isinstance(error, TemplateError | TooLongError):
        return str(error.message if isinstance(error, TemplateError) else error)
    if isinstance(error, MemoryError):
        return "needs too much memory"
    if isinstance(error, TypeError) and "no loader" in str(error):
        return "include, import and extends are not available: a prompt is one file"
    return f"{type(error).__name__}: {error}"


def _line(error: Exception) -> int | None:
    """Find the template's line: Jinja2 rewrites tracebacks so that they name the template."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == _SOURCE), None)


def _write(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
