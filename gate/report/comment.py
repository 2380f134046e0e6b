"""The pull-request comment and the job summary, as Markdown."""

from collections.abc import Iterator
from functools import cache
from itertools import islice

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from gate.core.finding import Outcome
from gate.report import escape
from gate.report.diff import answer_diff
from gate.report.fitting import Section, fit, utf8_bytes, utf16_units
from gate.report.view import Excerpt, ReportView

# GitHub refuses 65,536 units and skips a summary over 1 MiB; both limits leave room for what an API client adds.
COMMENT_UNITS = 60_000
SUMMARY_BYTES = 1_000_000
COMMENT_CASES = 20
SUMMARY_CASES = 200
COMMENT_ROWS = 12
SUMMARY_ROWS = 200
SUMMARY_FINDINGS = 1_000

_ALERTS = {Outcome.PROMOTE: "TIP", Outcome.HOLD: "WARNING", Outcome.ROLLBACK: "CAUTION"}


def render_comment(view: ReportView) -> str:
    """Markdown for the sticky comment: verdict first, at most 60,000 UTF-16 units, nothing foreign that works."""
    sections = _sections(view, cases=COMMENT_CASES, rows=COMMENT_ROWS)
    return fit(tuple(sections), COMMENT_UNITS, utf16_units)


def render_summary(view: ReportView) -> str:
    """Markdown for the job summary: the comment with more cases and every finding, at most 1,000,000 bytes."""
    sections = [*_sections(view, cases=SUMMARY_CASES, rows=SUMMARY_ROWS)]
    findings = _render("findings", view, findings=view.findings[:SUMMARY_FINDINGS])
    sections.insert(-1, Section(name="table of findings", text=findings, worth=3))
    sections.insert(-1, Section(name="plan", text=_render("plan", view), worth=3))
    return fit(tuple(sections), SUMMARY_BYTES, utf8_bytes)


def _sections(view: ReportView, *, cases: int, rows: int) -> Iterator[Section]:
    alert = "NOTE" if view.provenance.advisory else _ALERTS[view.outcome]
    yield Section(name="verdict", text=_render("verdict", view, alert=alert), worth=9)
    metrics = _render("metrics", view, rows=view.rows[:rows], more=max(0, len(view.rows) - rows))
    yield Section(name="metric table", text=metrics, worth=7)
    yield from _cases(view, most=cases)
    slices = _render("slices", view, rows=view.slices[:rows], more=max(0, len(view.slices) - rows))
    yield Section(name="slices", text=slices, worth=2)
    yield Section(name="exclusions", text=_render("exclusions", view), worth=6)
    yield Section(name="flags", text=_render("flags", view), worth=6)
    yield Section(name="digest", text=_render("foot", view), worth=8)


def _cases(view: ReportView, *, most: int) -> Iterator[Section]:
    """One fold a case; the first one carries the heading, so that a heading never stands alone."""
    for number, excerpt in enumerate(islice(view.excerpts, most)):
        fold = _render("case", view, case=excerpt, diff=_diff(excerpt))
        heading = _render("cases", view, shown=min(most, len(view.excerpts))) if number == 0 else ""
        yield Section(name="case", text=f"{heading}\n{fold}", worth=4 if number == 0 else 1)


def _diff(excerpt: Excerpt) -> str:
    return answer_diff(excerpt.before, excerpt.now)


def _render(name: str, view: ReportView, **values: object) -> str:
    return _environment().get_template(f"{name}.md.j2").render(view=view, **values)


@cache
def _environment() -> SandboxedEnvironment:
    """Templates of this package only; foreign text passes through an explicit filter each time."""
    environment = SandboxedEnvironment(
        loader=PackageLoader("gate.report"),
        autoescape=False,  # Markdown, not HTML: the filters below escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "text": escape.md_text,
        "prose": escape.md_prose,
        "code": escape.md_code,
        "html": escape.html_text,
        "fence": escape.md_fence,
        "marker": escape.marker_value,
    }
    return environment
