"""Trials on a Ray cluster: workers on every node ask the targets and score what needs nothing of this machine.

A lost worker or node costs time and no trial: what was under way there is asked again elsewhere, three times at most,
and is then missing evidence. Nothing that a worker prints reaches this process.
"""

from __future__ import annotations

import importlib
import math
import os
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gate import __version__
from gate.core.model import Answer, Call, Case, Exhibit, Missing, Unanswered
from gate.errors import ConfigurationError
from gate.runner.engine import Crew, Site
from gate.runner.scoring import Results, score_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = re.compile(r"(?:ray://)?(.+):([0-9]{1,5})")
CONNECT_S = 10.0
RETRIES = 3
CALLS_PER_WORKER = 16
OPENING_S = 120.0
# Over the target's own time limit: for the way there and back, and for scorers.
GRACE_S = 60.0
INSTALL = "install lockgate with its extra `ray`, or Ray itself: pip install 'ray[client]'"
SAME = "every node needs this lockgate version with the extra `ray`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One executed trial; `results` is None where it is to be scored elsewhere."""

    answer: Answer | Unanswered
    results: Results | None = None


class Worker:
    """One process on a node: the target, and the suites whose answers it scores. Used from several threads."""

    def __init__(self, site: Site) -> None:
        """Build the target here; keys come with the site."""
        self._target = site.build()
        self._suites = {suite.name: suite for suite in site.suites}
        self._cases: dict[str, dict[str, Case]] = {
            suite.name: {case.id: case for case in suite.cases} for suite in site.suites
        }

    def version(self) -> str:
        """The lockgate version of this node."""
        return __version__

    def run(self, suite: str, call: Call) -> Done:
        """Execute one trial: ask, and score where that can be done here."""
        answer = self._target.answer(call)
        case = self._cases.get(suite, {}).get(call.case_id)
        if isinstance(answer, Unanswered) or case is None or case.peers:
            return Done(answer=answer)
        results = score_answer(self._suites[suite].scorers, Exhibit(case=case, answer=answer))
        return Done(answer=answer, results=results)


class RayEngine:
    """A connection to a cluster: `auto` (the one this machine belongs to), `local` (a new one here), or an address."""

    def __init__(self, address: str) -> None:
        """Connect; raises ConfigurationError where Ray is not installed or there is no such cluster."""
        self._ray = _import_ray()
        options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "ignore_reinit_error": True}
        if address == "local":
            options |= {"include_dashboard": False}
        try:
            _require_listening(address)
            with _kept_signals():
                self._ray.init(address=address, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError, OverflowError) as error:
            message = f"there is no Ray cluster at {address!r}: {_first_line(error)}"
            raise ConfigurationError(message, hint="name one with `--address`, or `--address local`") from error

    def open(self, site: Site) -> dict[str, Crew]:
        """Start workers for one target on all nodes; raises GateError where it cannot be built, here or there."""
        # Built here first, so that what a user must mend is said as it is without a cluster.
        site.build()
        gang = Gang(ray=self._ray, site=site)
        gang.start()
        return {suite.name: RayCrew(gang=gang, suite=suite.name) for suite in site.suites}

    def close(self) -> None:
        """Disconnect; the cluster ends this run's workers."""
        with _kept_signals():
            self._ray.shutdown()


@dataclass(slots=True, kw_only=True)
class Gang:
    """The workers of one target, and how many calls each has under way; safe to share between threads."""

    ray: Any
    site: Site
    busy: dict[Any, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start workers on all nodes that are up, and wait for them; raises ConfigurationError where none comes up.

        One that is lost meanwhile, as on a node that goes just then, is left to the others; without others all start
        again.
        """
        why = ""
        for _ in range(1 + RETRIES):
            versions, why = self._versions(self._hire())
            if set(versions.values()) - {__version__}:
                other = ", ".join(sorted(set(versions.values()) - {__version__}))
                raise ConfigurationError(f"a node runs lockgate {other}, this is {__version__}", hint=SAME)
            if versions:
                self.busy = dict.fromkeys(versions, 0)
                return
        raise ConfigurationError(f"no worker stayed on the Ray cluster: {why}", hint=SAME)

    def _versions(self, workers: list[Any]) -> tuple[dict[Any, str], str]:
        """The lockgate version of each worker that came up, and why another one was lost."""
        versions, why, errors = {}, "", self.ray.exceptions
        asked = [(worker, worker.version.remote()) for worker in workers]
        until = time.monotonic() + OPENING_S
        for worker, reply in asked:
            try:
                versions[worker] = str(self.ray.get(reply, timeout=max(0.0, until - time.monotonic())))
            except errors.GetTimeoutError as error:
                message = f"no worker came up on the Ray cluster within {OPENING_S:g} s"
                raise ConfigurationError(message, hint=SAME) from error
            except errors.RayError as error:
                if not isinstance(error, errors.RayActorError) or error.actor_init_failed:
                    message = f"a worker on the Ray cluster could not start: {_last_line(error)}"
                    raise ConfigurationError(message, hint=SAME) from error
                why = _first_line(error)
        return versions, why

    def _hire(self) -> list[Any]:
        nodes = [node["NodeID"] for node in self.ray.nodes() if node["Alive"]]
        count = min(self.site.workers, max(len(nodes), math.ceil(self.site.workers / CALLS_PER_WORKER)))
        kind = self.ray.remote(Worker)
        scored = tuple(suite for suite in self.site.suites if suite.name in self.site.portable)
        sent = self.ray.put(replace(self.site, suites=scored))
        affinity = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        # Each takes all calls if need be: the others may be lost.
        return [
            kind.options(
                max_concurrency=self.site.workers,
                num_cpus=0,
                scheduling_strategy=affinity(nodes[number % len(nodes)], soft=True),
            ).remote(sent)
            for number in range(count)
        ]

    def run(self, suite: str, call: Call) -> Done:
        """Execute one trial on the worker with the least to do, again elsewhere where it was lost."""
        why = ""
        for _ in range(1 + RETRIES):
            worker = self._take()
            try:
                done: Done = self.ray.get(worker.run.remote(suite, call), timeout=self.site.timeout_s + GRACE_S)
            except (self.ray.exceptions.RayActorError, self.ray.exceptions.GetTimeoutError) as error:
                why = _first_line(error)
                self._lose(worker)
            except self.ray.exceptions.RayError as error:
                why = _last_line(error)
                self._release(worker)
            else:
                self._release(worker)
                return done
        detail = f"lost on the cluster {1 + RETRIES} times: {why}"
        return Done(answer=Unanswered(reason=Missing.DIED, detail=detail[:300], attempts=1 + RETRIES))

    def _take(self) -> Any:
        with self.lock:
            if not self.busy:
                self.busy = dict.fromkeys(self._hire(), 0)
            worker = min(self.busy, key=self.busy.__getitem__)
            self.busy[worker] += 1
            return worker

    def _release(self, worker: Any) -> None:
        with self.lock:
            if worker in self.busy:
                self.busy[worker] -= 1

    def _lose(self, worker: Any) -> None:
        """Ask this worker no more. Others may still wait for it, and will find out by themselves."""
        with self.lock:
            self.busy.pop(worker, None)
        with suppress(Exception):
            self.ray.kill(worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class RayCrew:
    """Executes trials of one suite by workers of the cluster."""

    gang: Gang
    suite: str
    last: threading.local = field(default_factory=threading.local, repr=False)

    def answer(self, call: Call) -> Answer | Unanswered:
        """Have one trial executed; its scores wait in this thread for `results`."""
        done = self.gang.run(self.suite, call)
        self.last.done = done
        return done.answer

    def results(self, answer: Answer) -> Results | None:
        """What the worker scored; None for an answer that it did not give or score."""
        done: Done | None = getattr(self.last, "done", None)
        return done.results if done is not None and done.answer is answer else None


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.util.scheduling_strategies")
    except ImportError as error:
        raise ConfigurationError("`--engine ray` needs Ray, which is not installed", hint=INSTALL) from error
    return ray


def _require_listening(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself would try for minutes."""
    found = ADDRESS.fullmatch(address)
    if found is not None:
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=CONNECT_S).close()


@contextmanager
def _kept_signals() -> Iterator[None]:
    """Ray takes over SIGTERM, which is to interrupt the run."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
