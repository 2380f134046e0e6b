"""The page `docs/explanation/decision-benchmark.md`: tables from the counts, without a date."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from statistics import median

from benchmarks.decision.cells import LAST_LOOK, MARGINS, SIZES, Cell, Tallies, Tally, edge, margin_of
from benchmarks.decision.collect import Collected, edge_cells
from benchmarks.decision.extras import DECAY_CASES, DECAY_PASSES, MERGE_LOSS, MERGES
from benchmarks.decision.goals import judge_goals
from benchmarks.decision.rivals import RIVALS
from benchmarks.decision.shapes import SHAPES
from benchmarks.decision.truths import EDGES, NO_CHANGE, TRUTHS
from benchmarks.page import goals_section, table
from gate.core.finding import Outcome

PROMOTE, HOLD, ROLLBACK = (str(outcome) for outcome in Outcome)
COMMAND = "make bench-decision"


def percent(share: float) -> str:
    """A share of 1 as a percentage, with a decimal where it is small."""
    return f"{share * 100:.1f}" if 0 < share < 0.0995 else f"{share * 100:.0f}"  # noqa: PLR2004 ten per cent


def spread(tally: Tally, name: str = PROMOTE, of: str = "runs") -> float:
    """Standard error of a share, a share of 1."""
    share, count = tally.share(name, of), tally.counts[of]
    return math.sqrt(share * (1 - share) / count) if count else 0.0


def outcomes(tally: Tally, prefix: str = "") -> str:
    """PROMOTE/HOLD/ROLLBACK in per cent."""
    return "/".join(f"{tally.share(prefix + name, f'{prefix}runs') * 100:.0f}" for name in (PROMOTE, HOLD, ROLLBACK))


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of several cells."""
    summed = Tally()
    for tally in tallies:
        summed.counts.update(tally.counts)
    return summed


def saved(tally: Tally) -> float:
    """Share of the calls of five fixed passes that were not made."""
    return 1 - tally.share("calls per 1000 cases") / 1000 / LAST_LOOK


def page(found: Collected) -> str:
    """The whole page."""
    parts = [
        _intro(found),
        goals_section(judge_goals(found)),
        _unchanged(found.cells),
        _pairs_again(found),
        _by_truth(found.cells),
        _named(found.cells),
        _edges(found),
        _rivals(found.cells),
        _correlated(found),
        _decay(found),
        _merge(found),
        _speed(found),
        _reading(),
    ]
    return "\n".join(parts)


def _intro(found: Collected) -> str:
    unchanged, changed = found.repetitions.unchanged, found.repetitions.changed
    return f"""# How often the decision is right

This page is written by `{COMMAND}`. Do not edit it.

Simulated pull requests with known truth go through the real `decide` and the real loop of looks and confirmation
trials. Only the answers are simulated: a trial of a case passes with the case's true rate.
Baselines have ten trials. The quality dimension stands alone (regression and broken cases, no floor).
Everything follows from fixed seeds.
For every shape, 50/100/200/500 cases: {"/".join(str(unchanged[n]) for n in SIZES)} suites without a change, each judged
four times, and {"/".join(str(changed[n]) for n in SIZES)} for every other truth.
Figures are per cent; "±" is one standard error.

![Share of changes that merge, by what they truly lose](../images/decision-benchmark.svg)

Shapes, with the share of cases that flip between two runs of the same version:
{", ".join(f"{shape.name} {shape.flips * 100:.1f} %" for shape in SHAPES.values())}.
"clustered" is typical with five like cases to a cluster. m90 is the margin that `gate plan` prints.
"""


def _unchanged_grid(cells: Tallies, show: Callable[[Tally], str]) -> list[list[str]]:
    return [[name, *(show(_cell(cells, name, n, truth=NO_CHANGE.name)) for n in SIZES)] for name in SHAPES]


def _sizes(first: str) -> list[str]:
    return [first, *(f"{n} cases" for n in SIZES)]


def _unchanged(cells: Tallies) -> str:
    def show(tally: Tally) -> str:
        return (
            f"{percent(tally.share(PROMOTE))} / {percent(tally.share(ROLLBACK))} / "
            f"{percent(tally.share('contradictory', 'pairs'))}, {saved(tally) * 100:.0f} % saved"
        )

    def rolling(tally: Tally) -> str:
        return (
            f"{percent(tally.share('rolling ROLLBACK', 'rolling runs'))} / "
            f"{percent(tally.share('rolling contradictory', 'rolling pairs'))}"
        )

    margins = [[s.name, *(f"{margin_of(s, n, 'm90') * 100:.1f}" for n in SIZES)] for s in SHAPES.values()]
    return f"""## No change at all

At m90: PROMOTE / ROLLBACK / pairs of runs of one version of which one is promoted and one rolled back, and calls saved
against five fixed passes.

{table(_sizes("Shape"), _unchanged_grid(cells, show))}
The same where the policy says `on_broken: rollback`: ROLLBACK / contradictory pairs.

{table(_sizes("Shape"), _unchanged_grid(cells, rolling))}
m90 in points:

{table(_sizes("Shape"), margins)}"""


def _pairs_again(found: Collected) -> str:
    rows = [
        [
            cell.shape,
            str(cell.cases),
            cell.margin,
            *(
                f"{percent(one.share('contradictory', 'pairs'))} ± {spread(one, 'contradictory', 'pairs') * 100:.1f}"
                for one in (found.cells[cell], tally)
            ),
            percent(tally.share(ROLLBACK)),
        ]
        for cell, tally in sorted(found.again.items(), key=lambda item: -item[1].share("contradictory", "pairs"))
        if cell.truth == NO_CHANGE.name
    ]
    head = ["Shape", "Cases", "Margin", "Pairs, first", "Pairs, again", "ROLLBACK, again"]
    return f"""The cells with most contradictory pairs, drawn again with fresh seeds.
Four runs of a suite make six pairs, so that the "±" is a little too small:

{table(head, rows)}"""


def _by_truth(cells: Tallies) -> str:
    parts = ["## What each change leads to\n", "PROMOTE/HOLD/ROLLBACK and mean passes, all shapes together.\n"]
    for margin in MARGINS:
        rows = []
        for truth in TRUTHS:
            row = [truth]
            for n in SIZES:
                tally = total(cells[Cell(shape=shape, cases=n, truth=truth, margin=margin)] for shape in SHAPES)
                row.append(f"{outcomes(tally)}, {tally.share('calls per 1000 cases') / 1000:.1f}")
            rows.append(row)
        title = "Margin m90" if margin == "m90" else f"Margin {margin} points"
        parts.append(f"### {title}\n\n{table(_sizes('True change'), rows)}")
    return "\n".join(parts)


def _named(cells: Tallies) -> str:
    rows = [
        [truth, str(n), *(percent(_cell(cells, shape, n, truth=truth).share("caught")) for shape in SHAPES)]
        for truth in ("two solid cases break", "slice of 10 % loses 40", "half-broken -10", "broad -10")
        for n in SIZES
    ]
    return f"""## Caught, with the right cause named

Not promoted, and a finding names the loss of the suite or a case that truly lost; for two broken cases, only a named
case counts. `all-.70` has no solid case. At m90.

{table(["True change", "Cases", *SHAPES], rows)}"""


def _cell(cells: Tallies, shape: str, n: int, *, truth: str) -> Tally:
    return cells[Cell(shape=shape, cases=n, truth=truth)]


def _edges(found: Collected) -> str:
    rows = []
    for how in EDGES:
        for margin in MARGINS:
            row = [f"{how}, margin {margin}"]
            for n in SIZES:
                picked = [
                    found.cells[
                        Cell(shape=s.name, cases=n, truth=edge(how, s, cases=n, margin=margin).name, margin=margin)
                    ]
                    for s in SHAPES.values()
                ]
                worst = max(picked, key=lambda tally: tally.share(PROMOTE))
                row.append(f"{percent(total(picked).share(PROMOTE))} ({percent(worst.share(PROMOTE))})")
            rows.append(row)
    again = [
        [
            cell.shape,
            str(cell.cases),
            cell.truth,
            cell.margin,
            f"{percent(found.cells[cell].share(PROMOTE))} ± {spread(found.cells[cell]) * 100:.1f}",
            f"{percent(tally.share(PROMOTE))} ± {spread(tally) * 100:.1f}",
        ]
        for cell, tally in sorted(found.again.items(), key=lambda item: -item[1].share(PROMOTE))
        if cell in set(edge_cells())
    ]
    return f"""## Worse by exactly the margin

PROMOTE, mean over shapes and (largest). {len(list(edge_cells()))} cells in all.

{table(_sizes("Way"), rows)}
The largest of many noisy figures is too large. So the cells that promoted most were drawn again with fresh seeds:

{table(["Shape", "Cases", "True change", "Margin", "First", "Again"], again)}"""


def _rivals(cells: Tallies) -> str:
    truths = [name for name in TRUTHS if not name.startswith("half") or name.endswith("-10")]
    parts = [
        "## Beside other rules\n",
        "PROMOTE/HOLD/ROLLBACK (rules that only block or pass have no HOLD), all shapes together, lockgate at m90.",
        "The rules are reimplemented with their defaults: this says nothing about anything else that the tools do.\n",
    ]
    for n in (50, 200):
        rows = []
        ours = [total(cells[Cell(shape=s, cases=n, truth=truth)] for s in SHAPES) for truth in truths]
        calls = ours[0].share("calls per 1000 cases") * n / 1000
        rows.append(["**lockgate**", f"{calls:.0f}", *(outcomes(tally) for tally in ours)])
        for rival in RIVALS:
            theirs = [
                total(cells[Cell(shape=s, cases=n, truth=truth, rule=rival.name)] for s in SHAPES) for truth in truths
            ]
            name = f"{rival.name} ({rival.default_of})"
            rows.append([name, str(rival.passes * n), *(outcomes(tally) for tally in theirs)])
        parts.append(f"### {n} cases\n\n{table(['Rule', 'Calls at no change', *truths], rows)}")
    return "\n".join(parts)


def _correlated(found: Collected) -> str:
    rows = [
        [
            one.way,
            outcomes(one.unchanged),
            percent(one.unchanged.share("contradictory", "pairs")),
            percent(one.unchanged.share("false names")),
            percent(one.unchanged.share("warned")),
            outcomes(one.worse),
            one.printed or "nothing",
        ]
        for one in found.correlated
    ]
    head = ["", "No change", "Contradictory pairs", "Cases wrongly named", "Warned", "Worse by the margin", "Printed"]
    return f"""## Trials that are not independent

100 cases, shapes quiet, typical and noisy together, m90. An outage hits the first pass and its confirmation trials.
"Cached" means that trials of a case repeat its first answer ("half": every other one repeats the one before).
"Warned": the report says that trials repeat each other, and that the stated error rates are too small. After one pass,
where most of these runs end, nothing can be said. The last column is the commonest outcome other than PROMOTE, with its
rule. Caches have to be off while the gate measures.

{table(head, rows)}"""


def _decay(found: Collected) -> str:
    rows = []
    for loss, alarms in found.decay.items():
        heard = [alarm for alarm in alarms if alarm is not None]
        first = f"{median(heard):g}" if heard else "never"
        rows.append([f"{loss * 100:g}", percent(len(heard) / len(alarms)), first])
    return f"""## Slow decay

{MERGES} merges, {DECAY_CASES} typical cases, {DECAY_PASSES} passes, an anchor of ten trials pinned at the start
({MERGE_LOSS * 100:g} points a merge are {MERGE_LOSS * MERGES * 100:g} in the end).

{table(["Points lost with each merge", "Series in which the anchor speaks", "First at merge (median)"], rows)}"""


def _merge(found: Collected) -> str:
    rows = []
    for name, tally in found.merge.items():
        why = [(count, key) for key, count in tally.counts.items() if key.startswith((f"{HOLD} ", f"{ROLLBACK} "))]
        rows.append(
            [
                name,
                outcomes(tally),
                percent(tally.share("contradictory", "pairs")),
                f"{tally.share('calls'):.0f}",
                ", ".join(f"{key} {percent(count / tally.counts['runs'])}" for count, key in sorted(why, reverse=True)),
            ]
        )
    return f"""## The whole `merge` profile, no change

Three suites of that size (quality with the floor of 80 %, safety .999, over-refusal mostly .999), and cost.

{table(["Quality suite", "Outcomes", "Contradictory pairs", "Calls", "Not promoted because of"], rows)}"""


def _speed(found: Collected) -> str:
    rows = [[f"{name} passes", f"{rate:,.0f}"] for name, rate in found.speed.items()]
    return f"""## Speed

Calls a second on one processor, 200 typical cases, measured where this page was written.

{table(["", "a second"], rows)}"""


def _reading() -> str:
    return """## Reading this

- A confirmed broken case holds by default. A version that trades cases (6 % churn) is therefore held, not promoted.
- Margins of 3 and 5 points cannot be shown with fewer than 100 and 60 cases, whatever they answer; there, everything
  harmless is held.
- all-.70 (every case passes in 70 %) has no case that could be seen to break, and more noise than 100 cases can carry.
  A test that knew every rate, and spent all of the 0.5 % that a no-op may be rolled back with at the first pass, would
  stop there in 31 % of broad -10 with 100 cases: 1.69 passes on average at the very least, even if it always stopped at
  the second. It is left out of the two goals on passes; with it they are in brackets.
- The shapes are chosen, not measured: look up your own suite's flip rate with `gate plan`.
"""
