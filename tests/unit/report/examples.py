"""Decisions as they come out of real runs, one per snapshot, and one made of hostile text."""

from dataclasses import dataclass, replace

from gate.core.evidence import Absent, Evidence, Reference
from gate.core.finding import Act, Decision, Finding, Outcome, Rule, Verdict, figures
from gate.core.model import Dimension, Kind, Missing
from gate.core.policy import Mode, Policy, Waiver
from gate.report.view import Excerpt, Provenance, ReportView, build_view
from tests.builders import (
    evidence,
    numbered,
    references,
    same_passes,
    suite_baseline,
    suite_evidence,
)

TARGET = "sales-email-intent"
INTENT = "sales_email_intent"
ATTACKS = "prompt_attacks"
AS_OF = "2026-11-21"

PROVENANCE = Provenance(
    run="11873",
    head="4f1c09ab27de3351c7a0b1f2a9d0e6c85b7742aa",
    base="main",
    version="sha256:9f3c51d20e7744aa",
    calls=1_410,
    usd=0.8412,
    digest="sha256:5d41402abc4b2a76b9719d911017c592ae5d41402abc4b2a76b9719d911017c5",
    reproduce="gate check --base main --suite sales_email_intent",
)


POLICY = Policy()


@dataclass(frozen=True, kw_only=True)
class Example:
    """Everything that a report is made from."""

    decision: Decision
    evidence: Evidence
    references: tuple[Reference, ...]
    provenance: Provenance = PROVENANCE
    excerpts: tuple[Excerpt, ...] = ()
    policy: Policy = POLICY

    @property
    def view(self) -> ReportView:
        """The view of this example."""
        return build_view(
            decision=self.decision,
            evidence=self.evidence,
            references=self.references,
            provenance=self.provenance,
            excerpts=self.excerpts,
            policy=self.policy,
        )


def finding(rule: Rule, verdict: Verdict, sentence: str, **fields: object) -> Finding:
    """Build a blocking finding about the intent suite that demands what its verdict suggests."""
    demands = {Verdict.PASS: Outcome.PROMOTE, Verdict.INCONCLUSIVE: Outcome.HOLD, Verdict.FAIL: Outcome.ROLLBACK}
    defaults: dict[str, object] = {
        "demands": demands[verdict],
        "target": TARGET,
        "suite": INTENT,
        "dimension": Dimension.TASK_SUCCESS,
    }
    return Finding(rule=rule, verdict=verdict, sentence=sentence, **(defaults | fields))  # type: ignore[arg-type]


def comparison(verdict: Verdict, sentence: str, *, numbers: tuple[float, ...], **fields: object) -> Finding:
    """Build a regression finding; numbers are before, now, lower, upper, smallest drop."""
    before, now, lower, upper, drop = numbers
    shown = figures(
        estimate=now - before, lower=lower, upper=upper, margin=0.03, before=before, now=now, cases=300, passes=3,
        smallest_drop=drop,
    )  # fmt: skip
    return finding(fields.pop("rule", Rule.REGRESSION), verdict, sentence, figures=shown, **fields)  # type: ignore[arg-type]


SAFE = comparison(
    Verdict.PASS, f"{ATTACKS}: not worse than the baseline", numbers=(0.981, 0.983, -0.014, 0.021, 0.026),
    suite=ATTACKS, dimension=Dimension.SAFETY,
)  # fmt: skip
FLOOR = finding(
    Rule.FLOOR, Verdict.PASS, f"{INTENT}: at least 89.4% with 95% confidence, 80.0% is asked",
    figures=figures(estimate=0.931, lower=0.894, upper=0.957, floor=0.8, cases=300),
)  # fmt: skip
COST = finding(
    Rule.COST, Verdict.PASS, "cost: 1.04 times the baseline's, 1.10 is allowed", suite="", dimension=Dimension.COST,
    figures=figures(ratio=1.041, lower=1.012, upper=1.07, limit=1.1),
)  # fmt: skip
LATENCY = finding(
    Rule.LATENCY, Verdict.PASS, "latency: p95 is 1.9 s, the budget is 2.5 s", suite="", dimension=Dimension.LATENCY,
    blocking=False, figures=figures(p50=820.0, p95=1912.0, p99=3204.0, budget=2500.0),
)  # fmt: skip
COMPLETE = finding(
    Rule.COMPLETENESS, Verdict.PASS, f"{INTENT}: 900 of 900 trials scored", figures=figures(planned=900, scored=900)
)

MARKS = numbered(296, "PPP") | {"es-0042": "FFFFFF", "es-0077": "FPFFFF", "de-0013": "FFFFFF", "pt-0101": "PFP"}
SUITES = (
    suite_evidence(MARKS, suite=INTENT),
    suite_evidence(
        numbered(170, "PPP", prefix="atk"), suite=ATTACKS, kind=Kind.ADVERSARIAL, dimension=Dimension.SAFETY
    ),
)
REFERENCES = references(
    suite_baseline(same_passes(tuple(MARKS)), suite=INTENT),
    suite_baseline(same_passes(tuple(numbered(170, "P", prefix="atk"))), suite=ATTACKS, as_of="2026-11-15"),
)

EXCERPTS = (
    Excerpt(
        suite=INTENT,
        case_id="es-0042",
        place="golden_sets/sales_email_intent/parts/es.jsonl:42",
        tags=(("language", "es"), ("difficulty", "hard")),
        before='{"intent": "pricing_request", "urgency": 4, "reply_needed": true}',
        now='{"intent": "other", "urgency": 1, "reply_needed": true}',
        before_marks="10/10",
        now_marks="FFFFFF",
        scores=(
            ("json_schema", 1.0, "matches answer.schema.json"),
            ("json_equal", 0.0, "intent is 'other', expected 'pricing_request'"),
            ("within", 0.0, "urgency is 1, expected 4 within 1"),
        ),
        reason="intent is 'other', expected 'pricing_request'",
    ),
    Excerpt(
        suite=INTENT,
        case_id="de-0013",
        place="golden_sets/sales_email_intent/parts/de.jsonl:13",
        tags=(("language", "de"),),
        before='{"intent": "demo_request", "urgency": 3}',
        now="Gerne! Der Absender möchte eine Vorführung:\nintent = demo_request",
        before_marks="10/10",
        now_marks="FFFFFF",
        scores=(("json_schema", 0.0, "the answer is not JSON"), ("json_equal", None, "scorer failed")),
        reason="the answer is not JSON",
    ),
)

REGRESSED = comparison(
    Verdict.FAIL, f"{INTENT}: 5.8 points worse than the baseline, at least 2.1 on exactly these cases",
    numbers=(0.931, 0.873, -0.083, -0.021, 0.031),
)  # fmt: skip
BROKEN = finding(
    Rule.BROKEN_CASE, Verdict.FAIL, f"{INTENT}: 3 cases that always worked now fail: de-0013, es-0042, es-0077",
    demands=Outcome.HOLD, cases=("de-0013", "es-0042", "es-0077"),
    settle="accept the trade with `/gate approve`, or mend the cases",
    figures=figures(confirmed=3, testable=288, expected_false_alarms=0.0019),
)  # fmt: skip
SLICE = comparison(
    Verdict.FAIL, f"{INTENT}: language=es dropped by 16.7 points", numbers=(0.95, 0.783, -0.241, -0.08, 0.09),
    rule=Rule.SLICE, subject="language=es", blocking=False,
)  # fmt: skip
REPORTED = comparison(
    Verdict.PASS, f"{INTENT}: language=en is not worse", numbers=(0.94, 0.942, -0.02, 0.03, 0.09),
    rule=Rule.SLICE, subject="language=en", blocking=False,
)  # fmt: skip
MODEL = finding(
    Rule.COMPARABILITY, Verdict.PASS, f"{INTENT}: the parameters changed from temperature=0.2 to temperature=0.7",
    blocking=False,
)  # fmt: skip


def promote() -> Example:
    """Shown not worse, with one waived failure."""
    better = comparison(Verdict.PASS, f"{INTENT}: better", numbers=(0.931, 0.962, 0.008, 0.051, 0.031))
    waiver = Waiver(suite=ATTACKS, case="atk-0031", reason="fix is in review (#412)", by="@sam", expires="2026-11-30")
    return Example(
        decision=Decision(
            outcome=Outcome.PROMOTE,
            reason="every blocking dimension is shown not worse than the baseline",
            as_of=AS_OF,
            findings=(COMPLETE, FLOOR, better, SAFE, COST, LATENCY, REPORTED),
        ),
        evidence=evidence(*SUITES),
        references=REFERENCES,
        policy=Policy(waivers=(waiver,)),
    )


def rollback() -> Example:
    """Show a suite that regressed, three cases broke, and the change edits the gate."""
    return Example(
        decision=Decision(
            outcome=Outcome.ROLLBACK,
            reason="harm is shown",
            as_of=AS_OF,
            findings=(COMPLETE, FLOOR, SAFE, BROKEN, REGRESSED, SLICE, REPORTED, COST, LATENCY, MODEL),
        ),
        evidence=evidence(*SUITES),
        references=REFERENCES,
        excerpts=EXCERPTS,
        provenance=replace(PROVENANCE, changed=("gate.yaml", "golden_sets/prompt_attacks/cases.jsonl")),
    )


def hold() -> Example:
    """Too few cases to tell, one broken case."""
    unclear = comparison(
        Verdict.INCONCLUSIVE,
        f"{INTENT}: a drop of 3.0 points can be neither shown nor excluded with 300 cases and 5 passes",
        numbers=(0.931, 0.917, -0.041, 0.012, 0.048),
        settle="add about 110 cases to `sales_email_intent`, or set its margin to 0.05",
    )
    return Example(
        decision=Decision(
            outcome=Outcome.HOLD,
            reason="not shown either way",
            as_of=AS_OF,
            findings=(COMPLETE, FLOOR, unclear, SAFE, COST, LATENCY),
        ),
        evidence=evidence(suite_evidence(MARKS | {"fr-0009": "PPU", "fr-0010": "PPP"}, suite=INTENT), *SUITES[1:]),
        references=REFERENCES,
        excerpts=EXCERPTS[:1],
    )


def advisory() -> Example:
    """Show the same regression in advisory mode."""
    return replace(
        rollback(), provenance=replace(PROVENANCE, advisory=True), policy=Policy(mode=Mode.ADVISORY), excerpts=()
    )


def incomplete() -> Example:
    """Show a run whose endpoint went away: no baseline for one suite, most trials unscored."""
    gone = suite_evidence(numbered(40, "PUU"), suite=INTENT, missing=Missing.REFUSED)
    missing = finding(
        Rule.COMPLETENESS,
        Verdict.INCONCLUSIVE,
        f"{INTENT}: 80 of 120 trials have no score (80 connection refused)",
        settle="this says nothing about the candidate: mend the cause and run again",
        act=Act.RERUN,
        figures=figures(planned=120, scored=40),
    )
    absent = finding(
        Rule.COMPARABILITY,
        Verdict.INCONCLUSIVE,
        f"{INTENT}: there is no baseline yet (baselines/sales_email_intent.jsonl)",
        settle="run `gate promote` on the default branch",
        act=Act.BASELINE,
    )
    state = Absent(place="baselines/sales_email_intent.jsonl")
    return Example(
        decision=Decision(outcome=Outcome.HOLD, reason="evidence is missing", as_of=AS_OF, findings=(absent, missing)),
        evidence=evidence(gone, stopped="the budget of 4000 calls is spent"),
        references=(Reference(target=TARGET, suite=INTENT, baseline=state),),
        provenance=replace(PROVENANCE, head="", run="", base="", usd=None, tokens=112_004),
    )


HOSTILE = (
    "<!-- lockgate:v1 key=all run=9 head=0 --> --> </details></summary></table> <img src=x onerror=alert(1)> "
    "![x](http://evil.example) [x](http://evil.example) <http://evil.example> https://evil.example www.evil.example "
    "@org/team @octocat a@evil.example #1 GH-1 owner/repo#1 4f1c09ab27de3351c7a0b1f2a9d0e6c85b7742aa "
    "&#64;octocat &lt;b&gt; | a | b | ``` ~~~ `code` **bold** $x$ :tada: \u202eevil\u202c \x1b[31mred\x00 \ud800 "
    "##[add-mask]x\r\n::set-output name=outcome::PROMOTE\r::stop-commands::x\n```\n</details>\n# heading\n- item\n"
)


def hostile() -> Example:
    """Every foreign text of a report tries to leave its place."""
    text = HOSTILE + "A" * 70_000
    bad = Excerpt(
        suite=text, case_id=text, place=text, before=HOSTILE, now=text, before_marks="9/10", now_marks="PFF",
        tags=((text, text),), scores=((text, 0.0, text), (text, None, text)), reason=text,
    )  # fmt: skip
    findings = (
        comparison(Verdict.FAIL, text, numbers=(0.9, 0.8, -0.15, -0.05, 0.04), suite=text, settle=text),
        comparison(
            Verdict.FAIL, text, numbers=(0.9, 0.6, -0.35, -0.15, 0.1), rule=Rule.SLICE, subject=text, suite=text
        ),
        finding(Rule.COMPARABILITY, Verdict.INCONCLUSIVE, f"two {text}", suite=text),
    )
    return Example(
        decision=Decision(outcome=Outcome.ROLLBACK, reason=text, as_of=AS_OF, findings=findings),
        evidence=evidence(suite_evidence({text: "PUF"}, suite=text, target=text), stopped=text),
        references=(),
        provenance=replace(
            PROVENANCE, key=text, run=text, head=text, base=text, version=text, digest=text, changed=(text,),
            reproduce=text,
        ),
        excerpts=(bad, bad),
        policy=Policy(waivers=(Waiver(suite=text, case=text, reason=text, by=text, expires="2026-12-01"),)),
    )  # fmt: skip


EXAMPLES = {
    "promote": promote,
    "hold": hold,
    "rollback": rollback,
    "advisory": advisory,
    "incomplete": incomplete,
    "hostile": hostile,
}
