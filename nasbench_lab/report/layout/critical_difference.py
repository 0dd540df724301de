"""The critical-difference diagram as plain data: ranks on an axis, labels beside it, and bars over equal strategies.

As in Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006: an axis of average task
ranks with the best at the left; each strategy has a line to its label, half of the labels at each side; bars join
groups of strategies that Nemenyi's test does not tell apart; the critical difference is a bar above the axis.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nasbench_lab.analysis.studies.results import RankComparison
from nasbench_lab.report.layout.graph import text_size
from nasbench_lab.report.layout.wrapping import wrap_text

TICK = 0.5
"""Length of a tick, em. Ticks point upwards, with their labels above."""

_LINE = 1.3  # height of a line of text, em
_MARGIN = 0.5  # beside the diagram, em
_GAP = 0.6  # between a label and its line, em
_STUB = 0.8  # least length of the horizontal line beside a label, em
_WIDEST_LABEL = 0.34  # share of the width
_BAR_STEP = 0.75  # between the bars of groups, em
_BAR_REACH = 0.25  # how far a bar reaches beyond its outer ranks, at most half of the way to the next rank, em
_BAR_GAP = 0.5  # least space between two bars of a row, em
_TICK_SPACE = 0.9  # least space between the labels of ticks, em
_STEPS = 200


@dataclass(frozen=True)
class RankTick:
    """A tick of the axis, with its number above."""

    rank: int
    x: float


@dataclass(frozen=True)
class RankLabel:
    """A strategy: the line from its rank on the axis down to the height of its label, and the label.

    Attributes:
        strategy: its position in the study.
        rank: its average task rank.
        lines: the name and the rank, broken to fit.
        side: of the diagram at which the label stands.
        x: of the rank on the axis, em.
        y: of the middle of the label, em.
        edge: x at which the line meets the label, em.
        text_x: x of the label, em: its right end at the left side, its left end at the right side.
    """

    strategy: int
    rank: float
    lines: tuple[str, ...]
    side: Literal["left", "right"]
    x: float
    y: float
    edge: float
    text_x: float


@dataclass(frozen=True)
class CliqueBar:
    """A bar over strategies whose ranks do not differ significantly.

    Attributes:
        strategies: their positions in the study.
        start, end: of the bar, em.
        y: of the bar, em.
    """

    strategies: tuple[int, ...]
    start: float
    end: float
    y: float


@dataclass(frozen=True)
class DifferenceBar:
    """The length of the critical difference, above the axis.

    Attributes:
        text: what it says, at ``text_x``, its left end, and ``text_y``, its middle.
        start: of the bar, em.
        end: of the bar, em; None where the bar would be longer than the diagram, and only the text is shown.
        y: of the bar, em.
        text_x: em.
        text_y: em.
    """

    text: str
    start: float
    end: float | None
    y: float
    text_x: float
    text_y: float


@dataclass(frozen=True)
class CriticalDifferenceDiagram:
    """Where everything is, in em (multiples of the font size): x to the right, y downwards from the top.

    Nothing overlaps and nothing is cut, as long as no text is wider than the measure with which it was laid out.

    Attributes:
        width, height: everything lies between 0 and these.
        axis_y: of the axis.
        left, right: x of its ends.
        ticks: of the axis.
        labels: of the strategies, best first.
        bars: of the groups, best first.
        difference: the bar of the critical difference; None where there is no test.
    """

    width: float
    height: float
    axis_y: float
    left: float
    right: float
    ticks: tuple[RankTick, ...]
    labels: tuple[RankLabel, ...]
    bars: tuple[CliqueBar, ...]
    difference: DifferenceBar | None


def estimated_width(text: str) -> float:
    """Return the most that one line of text takes in common sans-serif fonts, em."""
    return text_size(text)[0]


def lay_out_ranks(
    ranks: RankComparison, names: Sequence[str], width: float, text_width: Callable[[str], float] = estimated_width
) -> CriticalDifferenceDiagram:
    """Lay out the critical-difference diagram.

    Args:
        ranks: average task ranks, groups and critical difference. Strategies without a rank are left out.
        names: of the strategies.
        width: of the diagram, em.
        text_width: returns the width of one line of text, em; by default an estimate for fonts that are not known.

    >>> ranks = RankComparison("test", (0, 1), np.ones((2, 3)), np.array([1.0, 2.5, 2.5]), 3.0, 0.2, 0.9,
    ...                        np.ones((3, 3)), np.ones((3, 3)), ((0, 1, 2),), 0.95)
    >>> diagram = lay_out_ranks(ranks, ["evolution", "random", "local"], width=60)
    >>> [(label.lines[0], label.side) for label in diagram.labels]
    [('evolution 1.00', 'left'), ('random 2.50', 'left'), ('local 2.50', 'right')]
    >>> [tick.rank for tick in diagram.ticks], diagram.difference.text
    ([1, 2, 3], 'CD = 0.90')
    """
    order = [s for s in np.argsort(ranks.ranks, kind="stable").tolist() if np.isfinite(ranks.ranks[s])]
    values = [float(ranks.ranks[s]) for s in order]
    first, last = math.floor(min(values, default=1)), math.ceil(max(values, default=2))
    last = max(last, first + 1)
    shares = [(value - first) / (last - first) for value in values]
    texts = [f"{names[s]} {value:.2f}" for s, value in zip(order, values, strict=True)]
    lines = [tuple(wrap_text(text, _WIDEST_LABEL * width, text_width)) for text in texts]
    widths = [max(map(text_width, each)) for each in lines]
    at_left = -(-len(order) // 2)
    left, right = _axis_ends(shares, [each + _MARGIN + _GAP + _STUB for each in widths], at_left, width)

    def place(rank: float) -> float:
        return left + (rank - first) / (last - first) * (right - left)

    difference = _difference_bar(ranks.critical_difference, place(first), place(first + 1), width, text_width)
    axis_y = (2.3 if difference else 0.2) + _LINE + TICK
    x = dict(zip(order, map(place, values), strict=True))
    bars = _bars(ranks.cliques, x, axis_y + 0.9)
    top = max([axis_y + 0.7, *(bar.y + 0.6 for bar in bars)])
    heights = [_LINE * len(each) + 0.15 for each in lines]
    left_y = _stack(heights[:at_left], top)
    right_y = _stack(heights[at_left:][::-1], top)[::-1]
    labels = []
    for number, (strategy, y) in enumerate(zip(order, [*left_y, *right_y], strict=True)):
        reach = _MARGIN + widths[number]
        at = ("left", reach + _GAP, reach) if number < at_left else ("right", width - reach - _GAP, width - reach)
        side: Literal["left", "right"] = "left" if at[0] == "left" else "right"
        labels.append(RankLabel(strategy, values[number], lines[number], side, x[strategy], y, at[1], at[2]))
    depth = max([top, *(label.y + _LINE * len(label.lines) / 2 for label in labels)])
    return CriticalDifferenceDiagram(
        width=width,
        height=depth + _MARGIN,
        axis_y=axis_y,
        left=left,
        right=right,
        ticks=tuple(RankTick(rank, place(rank)) for rank in _tick_ranks(first, last, right - left, text_width)),
        labels=tuple(labels),
        bars=bars,
        difference=difference,
    )


def _axis_ends(shares: Sequence[float], needed: Sequence[float], at_left: int, width: float) -> tuple[float, float]:
    """Return the ends of the longest axis that leaves each label room between the margin and its own line.

    A strategy at a share of the axis has x = left + share (right - left). Labels at the left need x >= needed, labels
    at the right width - x >= needed. The ends move inwards from the margins until both hold.

    Args:
        shares: of the axis, from 0 to 1, ascending.
        needed: by each label with its line.
        at_left: how many labels stand at the left.
        width: of the diagram.
    """
    left, right = 2 * _MARGIN, width - 2 * _MARGIN
    for _ in range(_STEPS):
        for number, (share, room) in enumerate(zip(shares, needed, strict=True)):
            if number < at_left and share < 1:
                left = max(left, (room - share * right) / (1 - share))
            elif number >= at_left and share > 0:
                right = min(right, (width - room - (1 - share) * left) / share)
    places = [left + share * (right - left) for share in shares]
    fits = all(
        (x if number < at_left else width - x) >= room - 1e-6
        for number, (x, room) in enumerate(zip(places, needed, strict=True))
    )
    if fits and right > left:
        return left, right
    # The axis beside all labels always fits.
    return max(needed[:at_left], default=left), width - max(needed[at_left:], default=2 * _MARGIN)


def _tick_ranks(first: int, last: int, length: float, text_width: Callable[[str], float]) -> list[int]:
    """Return the ranks that have a tick: all of them, or every 2nd, 5th, 10th, ... where their numbers would touch."""
    space = max(text_width(str(first)), text_width(str(last))) + _TICK_SPACE
    steps = (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    step = next(each for each in steps if each * length / (last - first) >= space or each >= last - first)
    return list(range(-(-first // step) * step, last + 1, step))


def _difference_bar(
    difference: float, start: float, next_rank: float, width: float, text_width: Callable[[str], float]
) -> DifferenceBar | None:
    if not math.isfinite(difference):
        return None
    end = start + difference * (next_rank - start)
    fits = end <= width - _MARGIN
    text = f"CD = {difference:.2f}" if fits else f"CD = {difference:.2f} (longer than the diagram)"
    text_x = max(_MARGIN, min(start, width - _MARGIN - text_width(text)))
    return DifferenceBar(text, start, end if fits else None, 1.75, text_x, 0.75)


def _bars(cliques: Sequence[tuple[int, ...]], x: dict[int, float], top: float) -> tuple[CliqueBar, ...]:
    """Return the bars of groups, in as few rows as possible without bars of one row that touch.

    A bar ends before the rank of the nearest strategy outside its group, so that it covers its group and nothing else.
    """
    ends: list[float] = []
    bars = []
    for clique in cliques:
        first, last = min(x[s] for s in clique), max(x[s] for s in clique)
        start = first - _reach(first - each for s, each in x.items() if s not in clique and each < first)
        end = last + _reach(each - last for s, each in x.items() if s not in clique and each > last)
        row = next((number for number, taken in enumerate(ends) if start > taken + _BAR_GAP), len(ends))
        ends[row : row + 1] = [end]
        bars.append(CliqueBar(tuple(clique), start, end, top + row * _BAR_STEP))
    return tuple(bars)


def _reach(distances: Iterable[float]) -> float:
    """Return how far a bar reaches beyond its outer rank, given the distances to the ranks beyond it."""
    return min([_BAR_REACH, *(distance / 2 for distance in distances)])


def _stack(heights: Sequence[float], top: float) -> list[float]:
    """Return the middles of boxes that stand below each other."""
    ends = itertools.accumulate(heights, initial=top)
    return [end + height / 2 for end, height in zip(ends, heights, strict=False)]
