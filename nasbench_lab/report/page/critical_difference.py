"""The critical-difference diagram as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from nasbench_lab.analysis.studies.results import RankComparison
from nasbench_lab.report.layout.critical_difference import (
    TICK,
    CriticalDifferenceDiagram,
    DifferenceBar,
    RankLabel,
    lay_out_ranks,
)
from nasbench_lab.report.page.numbers import fixed
from nasbench_lab.report.page.svg import look, tag

_EM = 12  # CSS pixels; the style sheet has the same font size
_WIDTH = 960
_LINE = 1.3  # from line to line of a label, em
_BASELINE = 0.34  # the baseline lies this far below the middle of letters, em


def cd_diagram(ranks: RankComparison, labels: Sequence[str]) -> Markup:
    """Return the critical-difference diagram as SVG, with a text for readers who cannot see it.

    Args:
        ranks: average task ranks, groups and critical difference.
        labels: of the strategies.
    """
    diagram = lay_out_ranks(ranks, labels, _WIDTH / _EM)
    described = "; ".join(f"{labels[label.strategy]} {fixed(label.rank, 2)}" for label in diagram.labels)
    return tag(
        "svg",
        tag("title", f"Critical-difference diagram. Average task ranks: {described}"),
        *_axis(diagram),
        *([] if diagram.difference is None else _difference(diagram.difference)),
        *(_line("clique", bar.start, bar.y, bar.end, bar.y) for bar in diagram.bars),
        *(part for label in diagram.labels for part in _strategy(label, diagram.axis_y)),
        viewBox=f"0 0 {_WIDTH} {diagram.height * _EM:.0f}",
        role="img",
    )


def _axis(diagram: CriticalDifferenceDiagram) -> list[Markup]:
    y = diagram.axis_y
    parts = [_line("axis", diagram.left, y, diagram.right, y)]
    for tick in diagram.ticks:
        parts.append(_line("axis", tick.x, y - TICK, tick.x, y))
        parts.append(_text([str(tick.rank)], tick.x, y - TICK - 0.7, "middle"))
    return parts


def _difference(difference: DifferenceBar) -> list[Markup]:
    parts = [_text([difference.text], difference.text_x, difference.text_y, "start", "strong")]
    if difference.end is not None:
        y = difference.y
        parts.append(_line("axis", difference.start, y, difference.end, y))
        parts += [_line("axis", x, y - 0.4, x, y + 0.4) for x in (difference.start, difference.end)]
    return parts


def _strategy(label: RankLabel, axis_y: float) -> list[Markup]:
    """Draw the line from a strategy's rank on the axis to its label."""
    x, y = label.x * _EM, axis_y * _EM
    anchor = "end" if label.side == "left" else "start"
    return [
        tag("path", class_="leader", d=f"M{x:.1f},{y:.1f}V{label.y * _EM:.1f}H{label.edge * _EM:.1f}"),
        tag("circle", class_=f"rank {look(label.strategy)}", cx=x, cy=y, r=3.5),
        _text(label.lines, label.text_x, label.y, anchor, "strong"),
    ]


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return tag("line", class_=kind, x1=x1 * _EM, y1=y1 * _EM, x2=x2 * _EM, y2=y2 * _EM)


def _text(lines: Sequence[str], x: float, y: float, anchor: str, kind: str | None = None) -> Markup:
    """Return lines of text whose middle is at y."""
    first = y - (len(lines) - 1) / 2 * _LINE + _BASELINE
    spans = [tag("tspan", line, x=x * _EM, y=(first + row * _LINE) * _EM) for row, line in enumerate(lines)]
    return tag("text", *spans, text_anchor=anchor, class_=kind)
