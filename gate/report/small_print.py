"""What stands below the table: how often the rule errs, and where the prices are known from."""

from collections.abc import Sequence

from gate.core.evidence import Evidence, Reference, SuiteBaseline
from gate.core.window import join_prices
from gate.report.escape import clip

PRICES_LIMIT = 80
# The worst cells of the simulated rule: docs/explanation/statistics.md.
RATES = (
    "In simulation an unchanged version gets ROLLBACK in at most 1.2% of runs, "
    "and one worse by the whole margin gets PROMOTE in at most 7.8%."
)
LEGEND = (
    "Changes in points; brackets: lower bound for inputs like these (for exactly these cases in scope set), "
    "upper bound for exactly these cases; "
    "in parentheses: reported only."
)
SMALL_PRINT = (RATES, LEGEND)


def small_print(
    evidence: Evidence, references: Sequence[Reference], *, compared: bool, told: str = ""
) -> tuple[str, ...]:
    """The error rates where something was compared, the source of the prices where anything was paid, and `told`."""
    return (*(SMALL_PRINT if compared else ()), *filter(None, (_prices(evidence, references), told)))


def _prices(evidence: Evidence, references: Sequence[Reference]) -> str:
    """Where prices are known from, and the baselines' where other prices alone may have changed the cost."""
    now = join_prices(*(suite.prices for suite in evidence.suites))
    sound = (reference.baseline for reference in references if isinstance(reference.baseline, SuiteBaseline))
    before = join_prices(*(baseline.prices for baseline in sound))
    other = f"; the baseline's: {clip(before, PRICES_LIMIT)}" if before and before != now else ""
    return f"Prices: {clip(now, PRICES_LIMIT)}{other}." if now else ""
