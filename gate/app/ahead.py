"""Modules that a run needs later, loaded in a thread while it waits for other processes and for the first answers."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module

from gate.app.project import Project

ASKING = ("gate.targets.exchange",)
PRICES = ("genai_prices.data",)
DECIDING = ("gate.app.concluding",)
OFFLINE = "offline"


def load_for_asking(project: Project) -> threading.Thread:
    """Start to load what asking takes, while another process renders the prompts."""
    return _load(ASKING if _asks_models(project) else ())


def load_for_deciding(project: Project) -> threading.Thread:
    """Start to load what prices, decision and reports take, while the first answers are on their way."""
    return _load((*(PRICES if _asks_models(project) else ()), *DECIDING))


def _asks_models(project: Project) -> bool:
    return bool({plan.definition.provider for plan in project.targets} - {None, OFFLINE})


def _load(modules: Iterable[str]) -> threading.Thread:
    thread = threading.Thread(target=_import_all, args=(tuple(modules),), name="ahead", daemon=True)
    thread.start()
    return thread


def _import_all(modules: Iterable[str]) -> None:
    for name in modules:
        # Whoever needs it sooner waits for it as ever, and meets the same error, with a place to tell it.
        with suppress(Exception):
            import_module(name)
