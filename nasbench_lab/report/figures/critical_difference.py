"""The critical-difference diagram: average ranks over tasks, and which of them do not differ significantly.

Drawn as in Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006: an axis of ranks, the
best at the left; every strategy on a line of its own, half of them at each side; bars that join groups of strategies
which Nemenyi's test does not tell apart; and the critical difference as a bar above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.studies.results import RankComparison, Study
from nasbench_lab.report.figures.panels import KIND_WORDS
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label
from nasbench_lab.report.study_selection import chosen_kind, in_words, part_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 1.3  # height of a line of text, font sizes
_GAP = 0.05  # between a label and its line, inches
_STUB = 0.08  # least length of the line beside a label, inches
_BAR_STEP = 0.07  # between bars of groups, inches
_TICK = 0.05  # inches
_WIDEST_LABEL = 0.32  # share of the width of a figure
_MOST_TICKS = 10
_INK, _LIGHT = "#222222", "#666666"


def cd_figure(study: Study, kind: RegretKind | None = None, *, style: PaperStyle | str = "single") -> Figure:
    """Draw the critical-difference diagram of the average ranks over tasks.

    Where there are fewer than three strategies or two tasks there is no test: the ranks are drawn without bars, and a
    line says so.

    Args:
        study: what was compared.
        kind: of regret; by default the most telling one.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: no such kind or style.
        MissingDataError: no task has that kind of regret.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    chosen, kind = paper_style(style), chosen_kind(study, kind)
    ranks = part_of(study.ranks, kind, "ranks")
    plan = _Plan.of(study.labels, ranks, chosen)
    note = wrap_label(_note(ranks, kind), chosen.width - 0.1, chosen.font_size)
    line = _LINE * chosen.font_size / 72
    height = plan.depth + (3.2 + line_count(note)) * line
    settings: Any = {**chosen.rc, "figure.constrained_layout.use": False}
    with rc_context(settings):
        figure = Figure(figsize=(chosen.width, height))
        axis_y = 2.9 * line + line_count(note) * line
        # One unit is an inch; y is counted downwards from the axis of ranks.
        panel = figure.add_axes((0, 0, 1, 1), xlim=(0, chosen.width), ylim=(height - axis_y, -axis_y))
        panel.axis("off")
        panel.text(0.05, -axis_y + 0.03, note, va="top", fontsize=chosen.font_size)
        _draw_axis(panel, plan, line)
        _draw_difference(panel, plan, ranks, line)
        _draw_groups(panel, plan, ranks)
        _draw_strategies(panel, plan)
    return figure


@dataclass(frozen=True)
class _Plan:
    """Where everything is, in inches; y downwards from the axis.

    Attributes:
        first, last: ranks at the ends of the axis.
        left, right: x of these ends.
        order: strategies, best rank first.
        x: of every strategy, in that order.
        labels: of every strategy in that order, broken into lines.
        y: of the label of every strategy in that order.
        at_left: how many of them have their labels at the left.
        rows: which row of bars each group is in.
        depth: how far the lowest label reaches.
        width: of the figure.
    """

    first: int
    last: int
    left: float
    right: float
    order: tuple[int, ...]
    x: tuple[float, ...]
    labels: tuple[str, ...]
    y: tuple[float, ...]
    at_left: int
    rows: tuple[int, ...]
    depth: float
    width: float

    @classmethod
    def of(cls, names: Sequence[str], ranks: RankComparison, style: PaperStyle) -> _Plan:
        order = sorted((s for s in range(len(names)) if np.isfinite(ranks.ranks[s])), key=lambda s: ranks.ranks[s])
        values = [float(ranks.ranks[s]) for s in order]
        first, last = math.floor(min(values, default=1)), math.ceil(max(values, default=2))
        last = max(last, first + 1)
        texts = [f"{value:.2f}" for value in values]
        room = _WIDEST_LABEL * style.width
        labels = [wrap_label(f"{names[s]} {text}", room, style.font_size) for s, text in zip(order, texts, strict=True)]
        widths = [max(text_width(line, style.font_size) for line in label.split("\n")) for label in labels]
        at_left = -(-len(order) // 2)
        needed = [width + _GAP + _STUB for width in widths]
        share = [(value - first) / (last - first) for value in values]
        left, right = _ends(share, needed, at_left, style.width)
        rows = _rows(ranks, dict(zip(order, values, strict=True)))
        top = (max(rows, default=-1) + 1) * _BAR_STEP + 0.16
        heights = [line_count(label) * _LINE * style.font_size / 72 for label in labels]
        left_y = _stack(heights[:at_left], top)
        right_y = _stack(heights[at_left:][::-1], top)[::-1]
        depth = top + max(sum(heights[:at_left]), sum(heights[at_left:]))
        x = [left + one * (right - left) for one in share]
        return cls(first, last, left, right, tuple(order), tuple(x), tuple(labels), (*left_y, *right_y), at_left,
                   rows, depth, style.width)  # fmt: skip

    def place(self, rank: float) -> float:
        """Return the x of a rank."""
        return self.left + (rank - self.first) / (self.last - self.first) * (self.right - self.left)


def _ends(share: Sequence[float], needed: Sequence[float], at_left: int, width: float) -> tuple[float, float]:
    """Return the longest axis beside which the labels have room: each ends before the line of its strategy.

    A strategy lies at a share of the axis, so its label may reach below the axis. Of x = left + share * (right - left)
    the left labels need x >= needed and the right ones width - x >= needed.
    """
    left, right = 0.12, width - 0.12
    for _ in range(50):
        for number, (part, room) in enumerate(zip(share, needed, strict=True)):
            x = left + part * (right - left)
            if number < at_left and x < room:
                left = min((room - part * right) / (1 - part) if part < 1 else room, width * 0.6)
            elif number >= at_left and width - x < room:
                right = max((width - room - (1 - part) * left) / part if part > 0 else width - room, width * 0.4)
    return left, max(right, left + 0.3)


def _rows(ranks: RankComparison, value: dict[int, float]) -> tuple[int, ...]:
    """Put the bars of groups into rows so that bars of one row do not touch."""
    ends: list[float] = []
    rows = []
    for group in ranks.cliques:
        start, end = min(value[s] for s in group), max(value[s] for s in group)
        row = next((number for number, taken in enumerate(ends) if start > taken + 0.05), len(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return tuple(rows)


def _stack(heights: Sequence[float], top: float) -> list[float]:
    """Return the middles of boxes under each other."""
    ends = np.cumsum(heights) if len(heights) else np.zeros(0)
    return [top + float(end) - height / 2 for end, height in zip(ends, heights, strict=True)]


def _note(ranks: RankComparison, kind: RegretKind) -> str:
    over = f"average ranks by {KIND_WORDS[kind]} over {in_words(len(ranks.tasks), 'task')}"
    if not math.isfinite(ranks.critical_difference):
        return f"{over}; a test needs three strategies and two tasks"
    return f"{over}; Friedman p = {ranks.p:.2g}, Nemenyi at {1 - ranks.level:.2g}"


def _draw_axis(panel: Axes, plan: _Plan, line: float) -> None:
    panel.plot([plan.left, plan.right], [0, 0], color=_INK, linewidth=0.8)
    step = next(
        step for power in range(6) for step in (10**power, 2 * 10**power, 5 * 10**power)
        if (plan.last - plan.first) / step <= _MOST_TICKS
    )  # fmt: skip
    for rank in range(plan.first, plan.last + 1):
        if (rank - plan.first) % step == 0:
            panel.plot([plan.place(rank)] * 2, [0, -_TICK], color=_INK, linewidth=0.8)
            panel.text(plan.place(rank), -_TICK - 0.2 * line, str(rank), ha="center", va="bottom")


def _draw_difference(panel: Axes, plan: _Plan, ranks: RankComparison, line: float) -> None:
    difference = ranks.critical_difference
    if not math.isfinite(difference):
        return
    y, text = -2.0 * line, f"CD = {difference:.2f}"
    if difference > plan.last - plan.first:
        panel.text(plan.left, y, f"{text} (longer than the axis)", ha="left", va="center", color=_LIGHT)
        return
    end = plan.place(plan.first + difference)
    panel.plot([plan.left, end], [y, y], color=_LIGHT, linewidth=0.8)
    for x in (plan.left, end):
        panel.plot([x, x], [y - 0.03, y + 0.03], color=_LIGHT, linewidth=0.8)
    beside = end + text_width(text, 8) + 0.1 < plan.width
    panel.text(end + 0.05 if beside else plan.left - 0.05, y, text, ha="left" if beside else "right", va="center",
               color=_LIGHT)  # fmt: skip


def _draw_groups(panel: Axes, plan: _Plan, ranks: RankComparison) -> None:
    for group, row in zip(ranks.cliques, plan.rows, strict=True):
        places = [plan.x[plan.order.index(s)] for s in group]
        y = 0.1 + row * _BAR_STEP
        reach = 0.02
        panel.plot([min(places) - reach, max(places) + reach], [y, y], color=_INK, linewidth=2.4,
                   solid_capstyle="butt", gid="group")  # fmt: skip


def _draw_strategies(panel: Axes, plan: _Plan) -> None:
    look: dict[str, Any] = {"color": _LIGHT, "linewidth": 0.6}
    for number, (x, y, label) in enumerate(zip(plan.x, plan.y, plan.labels, strict=True)):
        left = number < plan.at_left
        width = max(text_width(line, _font_size()) for line in label.split("\n"))
        edge = width + _GAP if left else plan.width - width - _GAP
        panel.plot([x, x, edge], [0, y, y], **look)
        panel.text(0.02 if left else plan.width - 0.02, y, label, ha="left" if left else "right", va="center")


def _font_size() -> float:
    from matplotlib import rcParams

    return float(rcParams["font.size"])
