"""Modules that a run needs later, loaded in a thread while it waits for other processes and for the first answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from gate.app.project import Project

REPORTS = ("gate.report.comment", "gate.report.junit")
MODELS = ("gate.targets.exchange", "genai_prices.data")
OFFLINE = "offline"


def load_ahead(project: Project) -> threading.Thread:
    """Start to load what this project's run will need; who needs a module sooner waits for it as ever."""
    providers = {plan.definition.provider for plan in project.targets}
    modules = (*(MODELS if providers - {None, OFFLINE} else ()), *REPORTS)
    thread = threading.Thread(target=_load, args=(modules,), name="ahead", daemon=True)
    thread.start()
    return thread


def _load(modules: Sequence[str]) -> None:
    for name in modules:
        # Whoever needs it meets the same error, with a place to tell it.
        with suppress(Exception):
            import_module(name)
