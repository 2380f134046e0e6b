"""The plot: which share of changes merges, by what they truly lose. Plain SVG, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.decision.cells import Cell, Tallies, Tally
from benchmarks.decision.rivals import RIVALS
from benchmarks.decision.shapes import SHAPES
from gate.core.finding import Outcome

WIDTH, HEIGHT = 860, 430
LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 60, 50, 520, 310
CASES = 200
LINE = ("0", "broad -1", "broad -2", "broad -3", "broad -5", "broad -10")
APART = ("two solid cases break", "slice of 10 % loses 40")
LABELS = ("0", "1", "2", "3", "5", "10", "2 cases", "slice")
COLOURS = ("#8a8a8a", "#b07aa1", "#e15759", "#f28e2b", "#76b7b2", "#59a14f", "#9c755f", "#edc948")
OURS = "#1f6feb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One rule: its share of PROMOTE for every column of the plot."""

    name: str
    colour: str
    shares: tuple[float, ...]


def curves(cells: Tallies) -> list[Curve]:
    """Every rival and lockgate, lockgate last so that it is drawn on top."""
    rivals = [
        Curve(name=rival.name, colour=colour, shares=_shares(cells, rival.name))
        for rival, colour in zip(RIVALS, COLOURS, strict=True)
    ]
    return [*rivals, Curve(name="lockgate", colour=OURS, shares=_shares(cells, ""))]


def _shares(cells: Tallies, rule: str) -> tuple[float, ...]:
    return tuple(_share(cells, truth, rule) for truth in (*LINE, *APART))


def _share(cells: Tallies, truth: str, rule: str) -> float:
    summed = Tally()
    for shape in SHAPES:
        summed.counts.update(cells[Cell(shape=shape, cases=CASES, truth=truth, rule=rule)].counts)
    return summed.share(str(Outcome.PROMOTE))


def draw(cells: Tallies) -> str:
    """The whole picture."""
    every = curves(cells)
    body = [*_frame(), *(part for curve in every for part in _curve(curve)), *_legend(every)]
    style = (
        "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-size:15px;font-weight:600}"
        "@media(prefers-color-scheme:dark){text{fill:#9ea7b3}}"
    )
    title = f"Share of changes that merge, by what they truly lose ({CASES} cases, eight shapes of suites)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{escape(title)}">\n'
        f"<style>{style}</style>\n"
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _x(column: int) -> float:
    gap = 0.6 if column >= len(LINE) else 0.0
    return LEFT + 20 + (column + gap) * (PLOT_WIDTH - 40) / (len(LABELS) - 0.4)


def _y(share: float) -> float:
    return TOP + (1 - share) * PLOT_HEIGHT


def _frame() -> list[str]:
    parts = []
    for tenth in (0, 25, 50, 75, 100):
        y = _y(tenth / 100)
        parts.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + PLOT_WIDTH}" y2="{y:.1f}"'
            ' stroke="#8a8a8a" stroke-opacity=".3"/>'
        )
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth} %</text>')
    for column, label in enumerate(LABELS):
        parts.append(f'<text x="{_x(column):.1f}" y="{TOP + PLOT_HEIGHT + 22}" text-anchor="middle">{label}</text>')
    parts.append(
        f'<text x="{LEFT}" y="{TOP + PLOT_HEIGHT + 46}">points lost by every case'
        " (right: two solid cases break; a slice of 10 % loses 40)</text>"
    )
    return parts


def _curve(curve: Curve) -> list[str]:
    points = [(_x(column), _y(share)) for column, share in enumerate(curve.shares)]
    width = 3.5 if curve.colour == OURS else 1.6
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points[: len(LINE)])
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 1:.1f}" fill="{curve.colour}"/>' for x, y in points[len(LINE) :]
    ]
    return [f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="{width}"/>', *dots]


def _legend(every: Sequence[Curve]) -> list[str]:
    parts = []
    for row, curve in enumerate(reversed(every)):
        y = TOP + 12 + row * 24
        x = LEFT + PLOT_WIDTH + 24
        parts.append(f'<rect x="{x}" y="{y - 9}" width="18" height="6" fill="{curve.colour}"/>')
        parts.append(f'<text x="{x + 26}" y="{y}">{escape(curve.name)}</text>')
    return parts
