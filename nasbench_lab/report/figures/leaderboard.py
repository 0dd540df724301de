"""The leaderboard as points with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.studies.standings import Standing
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.axis_scales import label_linear_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, Looks, looks_of
from nasbench_lab.report.figures.names import CAPTION, write_caption
from nasbench_lab.report.figures.panels import label_rows, panel_grid, row_places
from nasbench_lab.report.figures.paper_styles import PaperStyle, fit_slide, paper_style
from nasbench_lab.report.figures.text_fit import line_count, wrap_label
from nasbench_lab.report.incumbent_words import mark_note, regret_label
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

_DEFAULTS: dict[str, tuple[Measure, ...]] = {
    "single": ("iqm",),
    "double": ("iqm", "improvement", "auc"),
    "slide": ("iqm", "improvement"),
}
_LABEL_SHARE = {"single": 0.4, "double": 0.3, "slide": 0.35}  # of the width of a figure, for the names of strategies
_ROW = 1.6  # font sizes
_BELOW = 2.7  # height of the numbers of an axis, font sizes
_LINE = 1.3  # height of a line of text, font sizes


def leaderboard_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    measures: Sequence[Measure] | None = None,
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw measures of the leaderboard with bootstrap intervals, one row per strategy, the best on top.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        measures: names of `MEASURES`, one panel each; by default the interquartile mean of the normalised regret, and
            in the other styles also the probability of improvement over the reference strategy, and in the double
            style the area under the curve.
        highlight: names of strategies, as in legends; the others are grey.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, measure, strategy or style.
        MissingDataError: no task has that kind of regret, or no strategy has a value.
    """
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    wanted = _DEFAULTS[chosen.name] if measures is None else tuple(measures)
    for measure in wanted:
        if measure not in MEASURES:
            raise unknown("measure", measure, MEASURES)
    standings = part_of(study.leaderboard, kind, "leaderboard")
    if all(np.isnan(getattr(row, measure).estimate) for row in standings for measure in wanted):
        absent = ", ".join(MEASURES[measure] for measure in wanted)
        raise MissingDataError(f"there is nothing to draw: no strategy has a value of these measures: {absent}")
    order = [study.labels.index(row.strategy) for row in standings]
    names = [looks.labels[number] for number in order]
    fitted = fit_slide(chosen, lambda style: _height(study, names, wanted, style) + 2 * CAPTION * style.em)
    size = fitted.font_size
    labels, words = _labels(names, fitted), _axis_labels(study, wanted, fitted)
    tasks = in_words(len(part_of(study.progress, kind, "tasks").tasks), "task")
    bars = f"; bars: {100 * study.level:g} % bootstrap intervals" if study.resamples else ""
    shown = f"{regret_label(study, kind)}{bars}{mark_note(study, kind)}"
    caption = wrap_label(f"at the end of all runs on {tasks}; {shown}", fitted.width - 0.1, size)
    above = CAPTION * line_count(caption) * fitted.em
    with drawing(fitted.rc, names_in(study)):
        figure, panels = panel_grid(fitted, len(wanted), len(wanted), _height(study, names, wanted, fitted), above)
        write_caption(figure, caption, fitted)
        inks = [looks.ink(number) for number in order]
        for number, (panel, measure) in enumerate(zip(panels, wanted, strict=True)):
            _draw_panel(panel, study, standings, measure, row_places(labels)[0], looks)
            label_rows(panel, labels, shown=number == 0, inks=inks)
            panel.set_xlabel(words[number])
    return figure


def _labels(names: Sequence[str], style: PaperStyle) -> list[str]:
    room = _LABEL_SHARE[style.name] * style.width
    return [wrap_label(name, room, style.font_size) for name in names]


def _axis_labels(study: Study, measures: Sequence[Measure], style: PaperStyle) -> list[str]:
    room = style.width * (1 - _LABEL_SHARE[style.name]) / len(measures)
    return [wrap_label(_words(study, measure), room, style.font_size) for measure in measures]


def _height(study: Study, names: Sequence[str], measures: Sequence[Measure], style: PaperStyle) -> float:
    """Return the height of the panels, inches."""
    rows = sum(map(line_count, _labels(names, style)))
    below = max(map(line_count, _axis_labels(study, measures, style)))
    return (_BELOW + _LINE * below + _ROW * rows) * style.em


def _words(study: Study, measure: Measure) -> str:
    words = MEASURES[measure]
    return f"{words} over {study.labels[study.reference]}" if measure == "improvement" else words


def _draw_panel(
    panel: Axes, study: Study, standings: Sequence[Standing], measure: Measure, rows: Sequence[float], looks: Looks
) -> None:
    from matplotlib import rcParams

    if measure == "improvement":
        panel.axvline(0.5, color="#666666", linewidth=0.8)
    for row, standing in zip(rows, standings, strict=True):
        interval: Interval = getattr(standing, measure)
        look = looks.point(study.labels.index(standing.strategy))
        if not np.isfinite(interval.estimate):
            panel.text(0.02, row, "none" if np.isnan(interval.estimate) else "infinite", va="center",
                       transform=panel.get_yaxis_transform())  # fmt: skip
            continue
        ends = np.array([interval.low, interval.high])
        if np.isfinite(ends).all():
            panel.hlines(row, *ends, color=look["color"], linewidth=rcParams["lines.linewidth"])
        panel.plot(interval.estimate, row, linestyle="none", **look)
    label_linear_axis(panel.xaxis)
