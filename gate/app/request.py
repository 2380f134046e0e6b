"""What a use case is asked for and gives back; plain values between the command line, the action and the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gate.app.history import History
from gate.core.finding import Decision, Outcome
from gate.errors import ExitCode
from gate.store.answer_cache import CacheMode

EXIT_CODES = {Outcome.PROMOTE: ExitCode.PROMOTE, Outcome.HOLD: ExitCode.HOLD, Outcome.ROLLBACK: ExitCode.ROLLBACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """One gate run.

    `base` is a git ref that policy, baseline, scorers and waivers are read from; None reads the working tree. Empty
    `targets` and `suites` mean all. `prompt` replaces the prompt of the one selected target for this run.
    `every` (--all) never skips an unchanged target. `evidence` names evidence files of earlier runs, which count where
    they speak of the same version. `resume` goes on with the answers in the out folder; `cache` says what becomes of
    those on this machine; `record` writes recordings, and `offline` asks no model. `aa` compares the baseline's version
    with itself. `as_of` is YYYY-MM-DD. `seed` feeds targets that take one. `head` and `run` name the commit and the CI
    run in the comment. `parts` are files or folders of what shards found, to be merged into one decision. `ray` is the
    address of a cluster that runs the trials, or None for this process. `keyless` asks no target that needs a key, and
    `unverified` says why what is found cannot be believed, where that is so. `history` is what earlier runs left on the
    evidence chain, None where this run is not kept for later ones.
    """

    root: Path
    out: Path
    as_of: str
    config: str = "gate.yaml"
    base: str | None = None
    targets: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    profile: str | None = None
    prompt: str | None = None
    passes: int | None = None
    budget_usd: float | None = None
    every: bool = False
    evidence: tuple[Path, ...] = ()
    aa: bool = False
    resume: bool = False
    cache: CacheMode = CacheMode.OFF
    record: bool = False
    offline: bool = False
    seed: int = 1
    author: str = ""
    head: str = ""
    run: str = ""
    parts: tuple[Path, ...] = ()
    ray: str | None = None
    keyless: bool = False
    unverified: str = ""
    history: History | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a gate run left behind: everything named here also stands in the out folder.

    `released_by` names the person who released a HOLD, and is empty where nobody did.
    """

    decision: Decision
    digest: str
    out: Path
    comment: str
    summary: str
    calls: int
    usd: float | None
    advisory: bool
    exit_code: ExitCode
    released_by: str = ""
