"""Comparison of all pairs of strategies: a map of the probabilities that one ends better than the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, looks_of
from nasbench_lab.report.figures.paper_styles import PaperStyle, fit_slide, paper_style
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label
from nasbench_lab.report.incumbent_words import mark_note, regret_in_words
from nasbench_lab.report.study_selection import chosen_kind, chosen_tasks, in_words, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = "PuOr"  # both ends differ for the colour-blind, and in grey from the middle
_LABEL_SHARE = 0.4  # of the width of a figure, for the names of strategies
_ROW = 1.42  # least height of a line of a row, font sizes
_LEFT, _RIGHT = 1.7, 1.0  # beside the names and the map, font sizes
_CELL = 2.7  # the least width and height of a cell that shows its number, font sizes
_TALLEST = 3.4  # cell, font sizes
_BAR, _BAR_AT, _BAR_HEIGHT = 4.2, 2.4, 0.8  # the colour bar below: its room, where it begins, font sizes
_NUMBER = 0.9  # size of the numbers in cells, font sizes
_SELF = "#e8e8e8"  # on the diagonal, and where there is no value
_DARK = 0.3  # cells further from one half than this are dark


def a12_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    task: int | str | None = None,
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the probability that a run of the row's strategy ends better than one of the column's, ties counting half.

    This is A12 of Vargha and Delaney (2000). A dot marks a significant difference: on one task by the Mann-Whitney test
    over runs, Holm-adjusted; over all tasks, where the mean of the probabilities is drawn, by the sign-flip test of
    that mean over tasks, Holm-adjusted. Rows and columns are in the order of the leaderboard.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        task: position or name of a task; by default all, or the only one.
        highlight: names of strategies, as in legends; the names of the others are grey.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, task, strategy or style.
        MissingDataError: no task has that kind of regret, or no two strategies can be compared.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    values, significant, title = _numbers(study, kind, task)
    title += mark_note(study, kind)
    if not np.isfinite(values[~np.eye(len(values), dtype=bool)]).any():
        raise MissingDataError("there is nothing to draw: no two strategies ran on the same task")
    order = _order(study, kind)
    values, significant = values[np.ix_(order, order)].copy(), significant[np.ix_(order, order)]
    np.fill_diagonal(values, np.nan)
    names = [f"{place}  {looks.labels[s]}" for place, s in enumerate(order, start=1)]
    fitted = fit_slide(chosen, lambda style: _Layout.of(names, title, style).height)
    layout, size = _Layout.of(names, title, fitted), fitted.font_size
    settings: Any = {**fitted.rc, "figure.constrained_layout.use": False, "axes.grid": False}
    with drawing(settings, names_in(study)):
        figure = ShownFigure(figsize=(fitted.width, layout.height))
        em = (fitted.em / fitted.width, fitted.em / layout.height)  # as shares of the figure
        figure.text(0.5 * em[0], 1 - 0.4 * em[1], layout.title, va="top", fontsize=size)
        left, width = layout.left / fitted.width, layout.cell * len(order) / fitted.width
        panel = figure.add_axes((left, _BAR * em[1], width, layout.row * len(order) / layout.height))
        panel.set_facecolor(_SELF)
        image = panel.imshow(values, cmap=_COLORS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        _label(panel, layout, [looks.ink(s) for s in order])
        _mark(panel, values, significant, layout, fitted)
        bar = figure.add_axes((left, _BAR_AT * em[1], width, _BAR_HEIGHT * em[1]))
        figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 0.25, 0.5, 0.75, 1], format="%.2g")
    return figure


@dataclass(frozen=True)
class _Layout:
    """The sizes of a map: all in inches, except for the font.

    Attributes:
        title: broken into lines that fit.
        labels: names of the rows, broken into lines that fit.
        size: of their font, points.
        left: room for them.
        cell: width of a cell.
        row: height of a cell.
        height: of the figure.
    """

    title: str
    labels: tuple[str, ...]
    size: float
    left: float
    cell: float
    row: float
    height: float

    @classmethod
    def of(cls, names: Sequence[str], title: str, style: PaperStyle) -> _Layout:
        """Lay out a map of strategies."""
        em, room = style.em, _LABEL_SHARE * style.width
        widest = max(text_width(name, style.font_size) for name in names)
        size = min(style.font_size, max(style.small, style.font_size * room / widest))
        labels = tuple(wrap_label(name, room, size) for name in names)
        left = max(text_width(line, size) for label in labels for line in label.split("\n")) + _LEFT * em
        cell = (style.width - left - _RIGHT * em) / len(names)
        above = wrap_label(title, style.width - 0.1, style.font_size)
        around = (1.55 * line_count(above) + 2.1 + _BAR) * em
        tallest = min(_TALLEST * em, (style.height - around) / len(names))
        row = max(min(cell, tallest), _ROW * size / 72 * max(map(line_count, labels)))
        return cls(above, labels, size, left, cell, row, around + row * len(names))


def _label(panel: Axes, layout: _Layout, inks: Sequence[str]) -> None:
    """Label the rows with names, and the columns with the numbers of the rows."""
    rows = len(layout.labels)
    panel.set_yticks(range(rows), layout.labels, fontsize=layout.size)
    for label, ink in zip(panel.get_yticklabels(), inks, strict=True):
        label.set_color(ink)
    step = 1 if layout.cell * 72 > 1.5 * layout.size else 5
    places = [place for place in range(1, rows + 1) if place == 1 or place % step == 0]
    panel.set_xticks([place - 1 for place in places], [str(place) for place in places], fontsize=layout.size)
    panel.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, pad=2)
    panel.spines[:].set_visible(False)


def _numbers(study: Study, kind: RegretKind, task: int | str | None) -> tuple[FloatArray, NDArray[np.bool_], str]:
    """Return the probabilities, which of them are significant, and the title."""
    pairwise = part_of(study.pairwise, kind, "pairs")
    places = chosen_tasks(study, None if task is None else [task])
    what = f"A12 of {regret_in_words(study, kind)}: row better than column"
    if len(places) == 1:
        place = places[0]
        significant = pairwise.adjusted[:, :, place] < 1 - study.level
        test = f"dot: p < {1 - study.level:.2g}, Mann-Whitney over runs, Holm"
        return pairwise.a12[:, :, place], significant, f"{what}, {study.tasks[place].name} ({test})"
    tasks = in_words(len(part_of(study.ranks, kind, "ranks").tasks), "task")
    test = f"dot: p < {1 - study.level:.2g}, sign flips over tasks, Holm"
    significant = pairwise.mean_a12_adjusted < 1 - study.level
    return pairwise.mean_a12, significant, f"{what}, mean of {tasks} ({test})"


def _order(study: Study, kind: RegretKind) -> list[int]:
    places = {standing.strategy: number for number, standing in enumerate(study.leaderboard.get(kind, ()))}
    return sorted(range(len(study.labels)), key=lambda s: (places.get(study.labels[s], len(places)), s))


def _mark(panel: Axes, values: FloatArray, significant: NDArray[np.bool_], layout: _Layout, style: PaperStyle) -> None:
    """Write numbers into cells where they fit, and mark significant cells with dots."""
    numbered = min(layout.cell, layout.row * 1.5) >= _CELL * style.em
    size, cell = max(style.smallest, _NUMBER * style.font_size), min(layout.cell, layout.row)
    dots: dict[str, list[tuple[float, float]]] = {"white": [], "black": []}
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        ink = "white" if abs(value - 0.5) > _DARK else "black"
        if numbered:
            center: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size}
            panel.text(column, row - 0.08, f"{value:.2f}", color=ink, **center)
        if significant[row, column]:
            dots[ink].append((column, row + (0.32 if numbered else 0)))
    for ink, places in dots.items():
        if places:
            look: dict[str, Any] = {"markersize": min(0.35 * size, cell * 72 * 0.3), "markeredgewidth": 0}
            panel.plot(*zip(*places, strict=True), "o", color=ink, **look)
