"""Comparison of all pairs of strategies: a map of the probabilities that one ends better than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.panels import KIND_WORDS
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label
from nasbench_lab.report.study_selection import chosen_kind, chosen_tasks, in_words, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = "PuOr"  # both ends differ for the colour-blind, and in grey from the middle
_LABEL_SHARE = 0.4  # of the width of a figure, for the names of strategies
_SMALLEST = 5.0  # font of the names, points
_ROW = 1.42  # least height of a line of a row, font sizes
_RIGHT = 0.1  # inches
_CELL = 0.24  # inches; the least width and height of a cell that shows its number
_TALLEST = 0.34  # cell, inches
_BAR = 0.42  # room for the colour bar below, inches
_SELF = "#e8e8e8"  # on the diagonal, and where there is no value
_DARK = 0.3  # cells further from one half than this are dark


def a12_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    task: int | str | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the probability that a run of the row's strategy ends better than one of the column's, ties counting half.

    This is A12 of Vargha and Delaney (2000). A dot marks a significant difference: on one task by the Mann-Whitney test
    over runs, Holm-adjusted; over all tasks, where the mean of the probabilities is drawn, by the sign-flip test of
    that mean over tasks, Holm-adjusted. Rows and columns are in the order of the average rank.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        task: position or name of a task; by default all, or the only one.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, task or style.
        MissingDataError: no task has that kind of regret, or no two strategies can be compared.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    values, significant, title = _numbers(study, kind, task)
    if not np.isfinite(values[~np.eye(len(values), dtype=bool)]).any():
        raise MissingDataError("there is nothing to draw: no two strategies ran on the same task")
    order = _order(study, kind)
    values, significant = values[np.ix_(order, order)].copy(), significant[np.ix_(order, order)]
    np.fill_diagonal(values, np.nan)
    size = chosen.font_size
    names = [f"{place}  {study.labels[s]}" for place, s in enumerate(order, start=1)]
    room = _LABEL_SHARE * chosen.width
    small = min(size, max(_SMALLEST, size * room / max(text_width(name, size) for name in names)))
    labels = [wrap_label(name, room, small) for name in names]
    left = max(text_width(line, small) for label in labels for line in label.split("\n")) + 0.1
    cell = (chosen.width - left - _RIGHT) / len(order)
    row = max(min(cell, _TALLEST), _ROW * small / 72 * max(map(line_count, labels)))
    above = wrap_label(title, chosen.width - 0.1, size)
    top = 0.16 * line_count(above) + 0.22
    height = top + row * len(order) + _BAR
    settings: Any = {**chosen.rc, "figure.constrained_layout.use": False, "axes.grid": False}
    with drawing(settings, names_in(study)):
        figure = ShownFigure(figsize=(chosen.width, height))
        figure.text(0.05 / chosen.width, 1 - 0.04 / height, above, va="top", fontsize=size)
        width = cell * len(order) / chosen.width
        panel = figure.add_axes((left / chosen.width, _BAR / height, width, row * len(order) / height))
        panel.set_facecolor(_SELF)
        image = panel.imshow(values, cmap=_COLORS, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        panel.set_yticks(range(len(order)), labels, fontsize=small)
        step = 1 if cell * 72 > 1.5 * small else 5
        places = [place for place in range(1, len(order) + 1) if place == 1 or place % step == 0]
        panel.set_xticks([place - 1 for place in places], [str(place) for place in places], fontsize=small)
        panel.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, pad=2)
        panel.spines[:].set_visible(False)
        _mark(panel, values, significant, numbered=min(cell, row * 1.5) >= _CELL, size=size, cell=min(cell, row))
        bar = figure.add_axes((left / chosen.width, 0.24 / height, width, 0.08 / height))
        figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 0.25, 0.5, 0.75, 1], format="%.2g")
    return figure


def _numbers(study: Study, kind: RegretKind, task: int | str | None) -> tuple[FloatArray, NDArray[np.bool_], str]:
    """Return the probabilities, which of them are significant, and the title."""
    pairwise = part_of(study.pairwise, kind, "pairs")
    places = chosen_tasks(study, None if task is None else [task])
    what = f"A12 of {KIND_WORDS[kind]}: row better than column"
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


def _mark(
    panel: Axes, values: FloatArray, significant: NDArray[np.bool_], *, numbered: bool, size: float, cell: float
) -> None:
    """Write numbers into cells where they fit, and mark significant cells with dots."""
    dots: dict[str, list[tuple[float, float]]] = {"white": [], "black": []}
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            continue
        ink = "white" if abs(value - 0.5) > _DARK else "black"
        if numbered:
            center: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": min(size, 6.5)}
            panel.text(column, row - 0.08, f"{value:.2f}", color=ink, **center)
        if significant[row, column]:
            dots[ink].append((column, row + (0.32 if numbered else 0)))
    for ink, places in dots.items():
        if places:
            look: dict[str, Any] = {"markersize": min(2.2, cell * 72 * 0.3), "markeredgewidth": 0}
            panel.plot(*zip(*places, strict=True), "o", color=ink, **look)
