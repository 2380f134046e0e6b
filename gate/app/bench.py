"""What every suite run of a gate run shares, opened and closed in one place: budget, journals, cache, recordings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gate.app.engines import open_engine, site_of
from gate.app.project import Project, TargetPlan
from gate.app.request import CheckRequest
from gate.app.rights import rights_warning
from gate.core.canonical import digest, digest_text
from gate.core.evidence import Evidence
from gate.core.model import Answer, Call, Json, Unanswered
from gate.core.question import Origin
from gate.documents.tree import Tree, WorkingTree
from gate.errors import ConfigurationError, GateError
from gate.forge.git import Git, GitTree
from gate.runner.answers import NAME, AnswerJournal, Header, left_behind
from gate.runner.asking import NOT_ASKED, AnswerStore, Asking, Tally
from gate.runner.budget import Budget, Ceilings
from gate.runner.engine import Crew, Engine, LocalCrew
from gate.runner.journal import Journal
from gate.runner.progress import Progress
from gate.store.answer_cache import FOLDER as CACHE_FOLDER
from gate.store.answer_cache import NAME as CACHE_NAME
from gate.store.answer_cache import AnswerCache, CacheMode
from gate.store.recordings import Recordings
from gate.suites.settings import Settings
from gate.targets.definition import TargetDefinition
from gate.targets.pacing import Paces
from gate.targets.prices import PRICE_LISTS, Price, Priced, Prices, price_source
from gate.targets.request import SEEDED, needs_state, request_of

NO = frozenset(("", "false"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every suite run shares. `asks` is false where no model may be asked; `keyless` asks none with a key."""

    root: Path
    environ: Mapping[str, str]
    budget: Budget
    answers: AnswerJournal
    journal: Journal
    progress: Progress
    seed: int
    state: str
    engine: Engine
    earlier: tuple[Evidence, ...] = ()
    cache: AnswerCache | None = None
    records: bool = False
    asks: bool = True
    keyless: bool = False
    tally: Tally = field(default_factory=Tally)
    paces: Paces = field(default_factory=Paces)

    @property
    def calls(self) -> int:
        """Calls that were made."""
        return self.budget.calls

    @property
    def tokens(self) -> int:
        """Tokens in and out that were paid for, those of the journal included."""
        return self.budget.tokens

    @property
    def usd(self) -> float | None:
        """US dollars, those of the journal included."""
        return self.budget.usd

    @property
    def reused(self) -> tuple[tuple[Origin, int], ...]:
        """How many answers came from where, beside those that were asked for."""
        return self.tally.counts()


class Unasked:
    """The target of a run that asks no model: it needs no key, and has no answer of its own."""

    def answer(self, call: Call) -> Answer | Unanswered:  # noqa: ARG002 - there is no answer to any call
        """Say that there is no recorded answer."""
        return NOT_ASKED


def ceilings_from(settings: Settings, usd: float | None) -> Ceilings:
    """The base's budget; a run may ask for fewer dollars, never for more."""
    own = settings.budget
    limits = [limit for limit in (usd, own.usd) if limit is not None]
    return Ceilings(usd=min(limits, default=None), calls=own.calls, minutes=own.minutes, tokens=own.tokens)


def prices_from(settings: Settings) -> Prices:
    """Price overrides, dollars per million tokens."""
    return {
        name: Price(input=price.input, output=price.output, cached_input=price.cached_input)
        for name, price in settings.prices.items()
    }


def price_source_of(project: Project, plan: TargetPlan) -> Callable[[str], str]:
    """What says of a model that a target reported where its price is known from."""
    prices, provider = prices_from(project.settings), PRICE_LISTS.get(plan.definition.provider or "", "")
    return lambda model: price_source(Priced(model=model, provider=provider), prices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """What one kind of run brings: the command that it is, its ceilings, the names of its files, and whom it tells.

    `now` returns seconds of a steady clock.
    """

    purpose: str
    ceilings: Ceilings
    progress: Progress
    now: Callable[[], float]
    answers: str = NAME
    trials: str = "trials.jsonl"


@contextmanager
def open_bench(
    request: CheckRequest, project: Project, outfit: Outfit, *, earlier: tuple[Evidence, ...] = ()
) -> Iterator[Bench]:
    """Take the out folder and open what the run keeps; what an earlier process of it paid is spent from the start.

    Raises GateError for what cannot be used, before anything is replaced.
    """
    path = request.out / outfit.answers
    require_usable(request, project, path)
    if not request.resume:
        _note_replaced(path, outfit.progress)
    if told := rights_warning(project, request.root):
        outfit.progress.note(told)
    budget = Budget(outfit.ceilings, outfit.now)
    with ExitStack() as stack:
        engine = stack.enter_context(closing(open_engine(request, project)))
        header = Header(purpose=outfit.purpose, as_of=request.as_of)
        answers = stack.enter_context(closing(AnswerJournal(path, header, resume=request.resume)))
        for answer in answers.kept:
            budget.spend(answer)
        journal = stack.enter_context(closing(Journal(request.out / outfit.trials)))
        cache = None if request.cache is CacheMode.OFF else AnswerCache(request.root, request.cache)
        if cache is not None:
            stack.callback(cache.close)
        yield Bench(
            root=request.root,
            environ=request.environ,
            budget=budget,
            answers=answers,
            journal=journal,
            progress=outfit.progress,
            seed=request.seed,
            state=working_state(request, project),
            engine=engine,
            earlier=earlier,
            cache=cache,
            records=request.record,
            asks=not request.offline and request.cache is not CacheMode.READ_ONLY,
            keyless=request.keyless,
        )


def _note_replaced(path: Path, progress: Progress) -> None:
    """Say how many answers of an unfinished run are lost by starting anew."""
    if left := left_behind(path):
        progress.note(
            f"{path}: {left} answers of a run that did not come to its end are replaced; `--resume` goes on with them"
        )


def require_usable(request: CheckRequest, project: Project, answers: Path) -> None:
    """Refuse a cache in CI, answers that came with the repository, and recording that has no place to go."""
    ci = request.environ.get("CI", "")
    if request.cache is not CacheMode.OFF and ci.lower() not in NO:
        raise ConfigurationError(
            f"--cache {request.cache} is for work on your own machine, and CI is set here",
            hint="leave it out; for runs in CI without a model, commit recordings",
        )
    if request.resume:
        _require_own(request, answers)
    if request.cache is not CacheMode.OFF:
        _require_own(request, request.root / CACHE_FOLDER / CACHE_NAME)
    if request.record and all(plan.records_to is None for plan in project.targets):
        raise ConfigurationError(
            "`--record` has nowhere to write: no selected target has recordings",
            hint="name a folder in gate.yaml: recordings: recordings/NAME",
        )


def _require_own(request: CheckRequest, path: Path) -> None:
    """Refuse answers that are committed: they may have come with the change that they would judge."""
    root, place = request.root.resolve(), path.parent.resolve() / path.name
    if not place.is_relative_to(root):
        return
    name = place.relative_to(root).as_posix()
    try:
        tracked = bool(Git(root).run("ls-files", "-z", "--", name))
    except GateError:
        return
    if tracked:
        raise ConfigurationError(
            f"{name} is committed, and answers that come with a change are not believed",
            hint=f"git rm --cached {name}",
        )


def working_state(request: CheckRequest, project: Project) -> str:
    """A digest of the repository's files as git sees them, where a program needs it; without git a new one each time.

    The out folder and the cache are left out: a run writes them itself.
    """
    if not any(needs_state(plan.definition, plan.version) for plan in project.targets):
        return ""
    root = request.root.resolve()
    git, out = Git(root), request.out.resolve()
    own = (f"{out.relative_to(root).as_posix()}/" if out.is_relative_to(root) else "", f"{CACHE_FOLDER}/")
    try:
        tree = WorkingTree(root)
        changed = [path for path in git.changed_files("HEAD") if not path.startswith(tuple(filter(None, own)))]
        contents: list[Json] = [[path, _content(tree, path)] for path in changed]
        return digest([git.commit("HEAD"), contents])
    except GateError:
        return secrets.token_hex()


def _content(tree: Tree, path: str) -> str:
    content = tree.read(path)
    return "" if content is None else digest_text(content.decode("utf-8", "backslashreplace"))


def asking_of(project: Project, plan: TargetPlan, bench: Bench) -> Asking:
    """What surrounds the calls to a target; its suites differ in nothing but their name."""
    state = bench.state if needs_state(plan.definition, plan.version) else ""
    request = request_of(plan.definition, plan.version, state)
    stores: list[AnswerStore] = []
    if request.replayable and (plan.recordings or (bench.records and plan.records_to)):
        stores.append(_recordings(project, plan, bench))
    if request.replayable and bench.cache is not None:
        stores.append(bench.cache)
    return Asking(
        budget=bench.budget,
        journal=bench.answers,
        request=request,
        target=plan.definition.name,
        stores=tuple(stores),
        asks=may_ask(plan.definition, bench),
        tally=bench.tally,
    )


def _recordings(project: Project, plan: TargetPlan, bench: Bench) -> Recordings:
    folder = plan.recordings
    return Recordings(
        folder=folder or "",
        files=_files(project.base, folder) if folder else {},
        root=bench.root,
        written=plan.records_to if bench.records else None,
    )


def _files(tree: Tree, folder: str) -> dict[str, bytes]:
    if isinstance(tree, GitTree):
        return tree.read_all(folder)
    contents = ((path, tree.read(path)) for path in tree.list(folder))
    return {path: content for path, content in contents if content is not None}


def may_ask(definition: TargetDefinition, bench: Bench) -> bool:
    """Whether this target, or this judge's model, may be asked in this run."""
    needs_key = definition.provider not in (None, SEEDED) or definition.api_key_name is not None
    return bench.asks and not (bench.keyless and needs_key)


def crews_of(project: Project, plan: TargetPlan, bench: Bench) -> dict[str, Crew]:
    """Who executes a target's trials, by suite name; where no model may be asked, stand-ins."""
    prices = prices_from(project.settings)
    site = site_of(plan, environ=bench.environ, root=bench.root, prices=prices, paces=bench.paces)
    if not may_ask(plan.definition, bench):
        return dict.fromkeys((suite.name for suite in site.suites), LocalCrew(target=Unasked()))
    return bench.engine.open(site)


def suite_asking(asking: Asking, suite: str) -> Asking:
    """The same for one suite."""
    return replace(asking, suite=suite)
