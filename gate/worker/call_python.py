"""Call one function in this process: `python -I call_python.py module:function`, from the folder that holds it.

Reads one JSON document from standard input, calls the function with it, and writes `{"result": ...}` or
`{"error": "..."}` to standard output. What the function itself prints goes to standard error. Standard library only.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    """Answer one call; an exception of the function is an answer too, a SystemExit is not."""
    reply = os.dup(1)
    os.dup2(2, 1)
    try:
        answer = {"result": _load(sys.argv[1])(json.loads(sys.stdin.buffer.read()))}
        text = json.dumps(answer, allow_nan=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is to read it
        text = json.dumps({"error": f"{type(error).__name__}: {error}"})
    sys.stdout.flush()
    with os.fdopen(reply, "wb") as out:
        out.write(text.encode("ascii"))


def _load(name: str) -> Callable[[object], object]:
    sys.path.insert(0, str(Path.cwd()))
    module, _, function = name.partition(":")
    found: Callable[[object], object] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
