"""Evidence, baselines and policies for tests, built through the real types from as few words as possible."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gate.core.evidence import (
    UNSCORED,
    BaselineCase,
    BaselineState,
    CaseEvidence,
    Evidence,
    Identity,
    Reference,
    SuiteBaseline,
    SuiteEvidence,
)
from gate.core.model import Case, Dimension, Kind, Missing, Scope, Suite
from gate.core.policy import PROFILES, Policy, Profile

DIGEST = "sha256:" + "0" * 64
AS_OF = "2026-11-21"


def identity(*, suite: str = "intent", target: str = "sales-email-intent", version: str = "sha256:c0ffee") -> Identity:
    """Build an identity; two of the same suite differ only in the version."""
    return Identity(
        target=target,
        suite=suite,
        version=version,
        coverage="complete",
        suite_digest=f"sha256:{suite}",
        scorer_digest="sha256:scorers",
        model="gpt-4.1-mini-2025-04-14",
        parameters="temperature=0.2",
    )


def case_evidence(
    case_id: str, marks: str, *, missing: Missing = Missing.TIMED_OUT, digest: str = DIGEST
) -> CaseEvidence:
    """Build a case with one mark a trial; every U gets the same reason."""
    return CaseEvidence(case_id=case_id, digest=digest, marks=marks, missing=(missing,) * marks.count(UNSCORED))


def suite_evidence(
    marks: Mapping[str, str],
    *,
    suite: str = "intent",
    target: str = "sales-email-intent",
    kind: Kind = Kind.GOLDEN,
    dimension: Dimension = Dimension.TASK_SUCCESS,
    passes: int = 3,
    margin: float | None = None,
    missing: Missing = Missing.TIMED_OUT,
) -> SuiteEvidence:
    """Build a suite's evidence from the marks of its cases, such as {"es-0042": "PFF"}."""
    return SuiteEvidence(
        identity=identity(suite=suite, target=target),
        kind=kind,
        dimension=dimension,
        scope=Scope.POPULATION,
        margin=margin,
        passes=passes,
        cases=tuple(case_evidence(case_id, text, missing=missing) for case_id, text in marks.items()),
    )


def suite_baseline(
    passes: Mapping[str, int],
    *,
    suite: str = "intent",
    target: str = "sales-email-intent",
    as_of: str = "2026-11-02",
    trials: int = 10,
) -> SuiteBaseline:
    """Build a suite's baseline from the passes of its cases, such as {"es-0042": 9}."""
    return SuiteBaseline(
        identity=identity(suite=suite, target=target, version="sha256:ba5e"),
        as_of=as_of,
        cases=tuple(
            BaselineCase(case_id=case_id, digest=DIGEST, passes=number, trials=trials)
            for case_id, number in passes.items()
        ),
    )


def references(*baselines: SuiteBaseline) -> tuple[Reference, ...]:
    """Build a reference for each baseline."""
    return tuple(
        Reference(target=baseline.identity.target, suite=baseline.identity.suite, baseline=baseline)
        for baseline in baselines
    )


def evidence(*suites: SuiteEvidence, stopped: str = "") -> Evidence:
    """Gather all suites of a run."""
    return Evidence(suites=suites, stopped=stopped)


def numbered(count: int, mark: str, *, prefix: str = "en") -> dict[str, str]:
    """Name many cases with the same marks, named en-0001 and so on."""
    return {f"{prefix}-{number:04d}": mark for number in range(1, count + 1)}


def same_passes(case_ids: Sequence[str], passes: int = 10) -> dict[str, int]:
    """Name many cases with the same number of baseline passes."""
    return dict.fromkeys(case_ids, passes)


_ENTRY = re.compile(r"(\S+?)(?:\*(\d+))?:\s*(\S+)")


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Read `a: PPF  b*40: PPP`; `b*40` stands for b-0001 to b-0040."""
    for name, times, what in _ENTRY.findall(text):
        yield from [(name, what)] if not times else [(f"{name}-{n:04d}", what) for n in range(1, int(times) + 1)]


def make_case(case_id: str = "en-0001", **changes: object) -> Case:
    """A case as a suite holds it."""
    base = Case(
        id=case_id, input={"email": "hello"}, expected={"intent": "other"}, digest=DIGEST, place="cases.jsonl:1"
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def make_suite(*case_ids: str, **changes: object) -> Suite:
    """A suite of such cases; what scores them is for the test to say."""
    base = Suite(
        name="intent",
        path="golden_sets/intent",
        kind=Kind.GOLDEN,
        dimension=Dimension.TASK_SUCCESS,
        scope=Scope.POPULATION,
        margin=None,
        pass_mark=0.7,
        scorers=(),
        cases=tuple(make_case(case_id) for case_id in case_ids),
        digest="sha256:intent",
        scorer_digest="sha256:scorers",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def make_case_evidence(case_id: str = "en-0001", marks: str = "P", **changes: object) -> CaseEvidence:
    """A candidate's case; every U times out unless `missing` says otherwise."""
    base = case_evidence(case_id, marks)
    return replace(base, **changes)  # type: ignore[arg-type]


def make_suite_evidence(cases: str | Sequence[CaseEvidence] = "en*100: P", **changes: object) -> SuiteEvidence:
    """A suite's evidence from text such as "a: PPF  b*40: PPP" or from cases; `passes` is the longest row of marks."""
    name, target = str(changes.pop("suite", "intent")), str(changes.pop("target", "sales-email-intent"))
    made = tuple(make_case_evidence(*entry) for entry in _entries(cases)) if isinstance(cases, str) else tuple(cases)
    passes = max((len(case.marks) for case in made), default=0)
    base = replace(suite_evidence({}, suite=name, target=target, passes=passes), cases=made)
    return replace(base, **changes)  # type: ignore[arg-type]


def make_baseline_case(case_id: str = "en-0001", passes: int = 10, trials: int = 10, **changes: object) -> BaselineCase:
    """A baseline's case."""
    base = BaselineCase(case_id=case_id, digest=DIGEST, passes=passes, trials=trials)
    return replace(base, **changes)  # type: ignore[arg-type]


def make_suite_baseline(cases: str | Sequence[BaselineCase] = "en*100: 10/10", **changes: object) -> SuiteBaseline:
    """A suite's baseline from text such as "a: 9/10  b*40: 10/10" or from cases."""
    name, target = str(changes.pop("suite", "intent")), str(changes.pop("target", "sales-email-intent"))
    if isinstance(cases, str):
        counts = [(case_id, what.partition("/")) for case_id, what in _entries(cases)]
        cases = tuple(make_baseline_case(case_id, int(passes), int(trials)) for case_id, (passes, _, trials) in counts)
    return replace(suite_baseline({}, suite=name, target=target), **{"cases": tuple(cases)} | changes)  # type: ignore[arg-type]


def make_reference(baseline: BaselineState | str = "en*100: 10/10", **changes: object) -> Reference:
    """What a suite is compared with: a sound baseline unless told otherwise."""
    state = make_suite_baseline(baseline) if isinstance(baseline, str) else baseline
    own = state.identity if isinstance(state, SuiteBaseline) else identity()
    return replace(Reference(target=own.target, suite=own.suite, baseline=state), **changes)  # type: ignore[arg-type]


def make_policy(*only: Dimension, profile: Profile = Profile.MERGE, **changes: object) -> Policy:
    """A profile's policy, narrowed to the dimensions named, if any are."""
    wanted = tuple(sorted(entry for entry in PROFILES[profile].items() if not only or entry[0] in only))
    return replace(Policy(profile=profile, requirements=wanted), **changes)  # type: ignore[arg-type]


TASK = make_policy(Dimension.TASK_SUCCESS)
SAFE = make_policy(Dimension.SAFETY)
