"""The critical-difference diagram (Demšar, JMLR 2006) as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from nasbench_lab.analysis.studies.results import RankComparison
from nasbench_lab.report.page.numbers import fixed
from nasbench_lab.report.page.svg import look, tag

_WIDTH = 960
_SIDE = 300  # room for labels left and right of the axis
_AXIS = 62  # where the axis lies
_BAR = 11  # between the bars of cliques
_ROW = 21  # between labels
_LONGEST = 33  # characters of a label that fit


def cd_diagram(ranks: RankComparison, labels: Sequence[str]) -> Markup:
    """Return average ranks on an axis, with bars over strategies that do not differ significantly.

    Args:
        ranks: average ranks, cliques and critical difference.
        labels: of the strategies.
    """
    order = sorted(range(len(labels)), key=lambda place: (ranks.ranks[place], place))
    most = max(2, len(labels))
    bars = _bars(ranks, most)
    first_row = _AXIS + 22 + _BAR * len(bars)
    half = (len(order) + 1) // 2
    left, right = order[:half], order[half:][::-1]
    parts = [*_axis(most), *_difference(ranks.critical_difference, most), *bars]
    for side, column in (("left", left), ("right", right)):
        for row, place in enumerate(column):
            parts += _leader(float(ranks.ranks[place]), most, first_row + row * _ROW, side, place, labels[place])
    height = first_row + max(len(left), len(right)) * _ROW
    description = "; ".join(f"{labels[place]} {fixed(float(ranks.ranks[place]), 2)}" for place in order)
    return tag(
        "svg",
        tag("title", f"Critical-difference diagram. Average ranks: {description}"),
        *parts,
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
    )


def _x(rank: float, most: int) -> float:
    return _SIDE + (rank - 1) / (most - 1) * (_WIDTH - 2 * _SIDE)


def _axis(most: int) -> list[Markup]:
    parts = [tag("line", class_="axis", x1=_SIDE, x2=_WIDTH - _SIDE, y1=_AXIS, y2=_AXIS)]
    every = math.ceil(most / 16)
    for rank in range(1, most + 1):
        x = _x(rank, most)
        parts.append(tag("line", class_="axis", x1=x, x2=x, y1=_AXIS - 6, y2=_AXIS))
        if (rank - 1) % every == 0:
            parts.append(tag("text", str(rank), x=x, y=_AXIS - 11, text_anchor="middle"))
    return parts


def _difference(critical: float, most: int) -> list[Markup]:
    """Draw how long the critical difference is, above the axis; none where there is no such test."""
    if not math.isfinite(critical):
        return []
    start, end = _SIDE, _x(1 + critical, most)
    fits = end <= _WIDTH
    end = min(end, _WIDTH - 4)
    ends = (start, end) if fits else (start,)
    text = f"critical difference {fixed(critical, 2)}{'' if fits else ' (more than there is room for)'}"
    return [
        tag("line", class_="axis", x1=start, x2=end, y1=28, y2=28),
        *(tag("line", class_="axis", x1=x, x2=x, y1=23, y2=33) for x in ends),
        tag("text", text, class_="strong", x=start, y=16),
    ]


def _bars(ranks: RankComparison, most: int) -> list[Markup]:
    parts = []
    for number, clique in enumerate(ranks.cliques):
        inside = [float(ranks.ranks[place]) for place in clique]
        y = _AXIS + 12 + number * _BAR
        parts.append(
            tag("line", class_="clique", x1=_x(min(inside), most) - 4, x2=_x(max(inside), most) + 4, y1=y, y2=y)
        )
    return parts


def _leader(rank: float, most: int, y: float, side: str, place: int, label: str) -> list[Markup]:
    """Draw the line from a strategy's rank on the axis to its label."""
    x = _x(rank, most)
    edge, anchor, step = (_SIDE - 20, "end", -1) if side == "left" else (_WIDTH - _SIDE + 20, "start", 1)
    shown = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    name = tag("tspan", shown, class_="strong")
    value = tag("tspan", fixed(rank, 2))
    words = (name, "  ", value) if side == "left" else (value, "  ", name)
    return [
        tag("path", class_="leader", d=f"M{x:.1f},{_AXIS}V{y}H{edge}"),
        tag("circle", class_=f"rank {look(place)}", cx=x, cy=_AXIS, r=3.5),
        tag("text", *words, x=edge + step * 6, y=y + 4, text_anchor=anchor),
    ]
