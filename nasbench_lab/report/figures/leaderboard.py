"""The leaderboard as points with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.studies.results import Standing, Study
from nasbench_lab.errors import MissingDataError, unknown
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.panels import KIND_WORDS, label_rows, panel_grid, row_places
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import line_count, wrap_label
from nasbench_lab.report.looks import point_look
from nasbench_lab.report.study_selection import chosen_kind, in_words, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Literal["iqm", "mean", "improvement", "relative_improvement", "auc"]

MEASURES: dict[Measure, str] = {
    "iqm": "normalised regret, interquartile mean",
    "mean": "normalised regret, mean",
    "improvement": "probability of improvement",
    "relative_improvement": "improvement over a random architecture (%)",
    "auc": "area under the curve of normalised regret",
}
"""Measures of a leaderboard that can be drawn, see `Standing`."""

_DEFAULTS: dict[str, tuple[Measure, ...]] = {"single": ("iqm",), "double": ("iqm", "improvement", "auc")}
_LABEL_SHARE = {"single": 0.4, "double": 0.3}  # of the width of a figure, for the names of strategies
_ROW = 1.6  # font sizes
_BELOW = 0.26  # height of the numbers of an axis, inches
_LINE = 0.125  # height of a line of text, inches


def leaderboard_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    measures: Sequence[Measure] | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw measures of the leaderboard with bootstrap intervals, one row per strategy, the best on top.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        measures: names of `MEASURES`, one panel each; by default the interquartile mean of the normalised regret, and
            in the double style also the probability of improvement over the reference strategy and the area under the
            curve.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, measure or style.
        MissingDataError: no task has that kind of regret, or no strategy has a value.
    """
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    wanted = _DEFAULTS[chosen.name] if measures is None else tuple(measures)
    for measure in wanted:
        if measure not in MEASURES:
            raise unknown("measure", measure, MEASURES)
    standings = part_of(study.leaderboard, kind, "leaderboard")
    if all(np.isnan(getattr(row, measure).estimate) for row in standings for measure in wanted):
        absent = ", ".join(MEASURES[measure] for measure in wanted)
        raise MissingDataError(f"there is nothing to draw: no strategy has a value of these measures: {absent}")
    size = chosen.font_size
    labels = [wrap_label(row.strategy, _LABEL_SHARE[chosen.name] * chosen.width, size) for row in standings]
    room = chosen.width * (1 - _LABEL_SHARE[chosen.name]) / len(wanted)
    words = [wrap_label(_words(study, measure), room, size) for measure in wanted]
    below = _BELOW + _LINE * max(map(line_count, words))
    height = below + sum(map(line_count, labels)) * _ROW * size / 72
    tasks = in_words(len(part_of(study.progress, kind, "tasks").tasks), "task")
    title = f"{KIND_WORDS[kind]} at the end, {tasks}; {100 * study.level:g} % bootstrap intervals"
    above = wrap_label(title, chosen.width - 0.1, size)
    with drawing(chosen.rc, names_in(study)):
        figure, panels = panel_grid(chosen, len(wanted), len(wanted), height, 0.18 * line_count(above))
        figure.suptitle(above, fontsize=size, x=0.01, ha="left")
        for number, (panel, measure) in enumerate(zip(panels, wanted, strict=True)):
            _draw_panel(panel, study, standings, measure, row_places(labels)[0])
            label_rows(panel, labels, shown=number == 0)
            panel.set_xlabel(words[number])
    return figure


def _words(study: Study, measure: Measure) -> str:
    words = MEASURES[measure]
    return f"{words} over {study.labels[study.reference]}" if measure == "improvement" else words


def _draw_panel(
    panel: Axes, study: Study, standings: Sequence[Standing], measure: Measure, rows: Sequence[float]
) -> None:
    if measure == "improvement":
        panel.axvline(0.5, color="#666666", linewidth=0.8)
    for row, standing in zip(rows, standings, strict=True):
        interval: Interval = getattr(standing, measure)
        look = point_look(study.labels.index(standing.strategy))
        if not np.isfinite(interval.estimate):
            panel.text(0.02, row, "none" if np.isnan(interval.estimate) else "infinite", va="center",
                       transform=panel.get_yaxis_transform())  # fmt: skip
            continue
        ends = np.array([interval.low, interval.high])
        if np.isfinite(ends).all():
            panel.hlines(row, *ends, color=look["color"], linewidth=1.1)
        panel.plot(interval.estimate, row, linestyle="none", **look)
