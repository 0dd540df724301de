"""The figure of predictors: how well they predict, against the number of labels or against the seconds they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.ranking_curves import mean_over_runs
from nasbench_lab.arrays import FloatArray
from nasbench_lab.displays import counted
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.prediction import PredictorEvaluation, PredictorTrials
from nasbench_lab.prediction.evaluation_results import TOTAL, measure_of
from nasbench_lab.report.figures.axis_scales import Scale, check_scale, label_axis, set_x_axis
from nasbench_lab.report.figures.curves import (
    CurveOptions,
    Spread,
    chosen_spread,
    draw_curves,
    end_together,
    spread_in_words,
)
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, Looks, make_looks
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import wrap_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PredictorAxis = Literal["labels", "seconds"]
PREDICTOR_AXES: tuple[PredictorAxis, ...] = get_args(PredictorAxis)

_HEIGHT = {"single": 2.2, "double": 2.8, "slide": 4.0}  # of a panel, inches
_AROUND = 0.05  # of the y axis, above the highest and below the lowest value
_BEYOND = 1.15  # the first and last points are this factor away from the ends of a log axis
_WORDS = {"labels": "labels (trained architectures)", "seconds": "seconds (labels, fitting and queries)"}


def predictor_quality_figure(
    evaluation: PredictorEvaluation,
    measure: str = "kendall",
    axis: PredictorAxis = "labels",
    *,
    x_scale: Scale = "log",
    spread: Spread = "auto",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw a measure of all predictors against the number of labels, or against seconds.

    Lines are means over trials; a band or bar is the 95 % interval of the mean (Student's t). Predictors that need no
    labels are horizontal lines against labels, and points against seconds. Seconds are those of labels, fitting and
    predicting, and of what predictors read of the test architectures.

    Args:
        evaluation: from `nasbench_lab.prediction.evaluate`.
        measure: one of `nasbench_lab.prediction.MEASURES`.
        axis: ``"labels"`` or ``"seconds"``.
        x_scale: ``"log"`` or ``"linear"``.
        spread: ``"bands"``, ``"bars"`` or ``"none"``; by default bands around up to five lines, and bars otherwise.
        highlight: labels or names of predictors; the others are grey and thin.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such measure, axis, scale, spread, predictor or style.
        MissingDataError: the table has no seconds, or no predictor has this measure.
    """
    check_scale("x scale", x_scale)
    words = measure_of(measure)
    if axis not in PREDICTOR_AXES:
        raise unknown("axis", axis, PREDICTOR_AXES)
    chosen = paper_style(style)
    if axis == "seconds" and not evaluation.has_seconds:
        raise MissingDataError(f"{evaluation.settings.table} has no seconds; use the axis labels")
    shown = [each for each in evaluation.predictors if np.isfinite(each.intervals(measure).estimate).any()]
    if not shown:
        raise MissingDataError(f"there is nothing to draw: no predictor has {words.words}")
    labels, predictors = [each.label for each in shown], [each.name for each in shown]
    looks = make_looks(labels, predictors, highlight, evaluation.labels, what="predictor")
    several = max(len(each.trials) for each in shown) > 1
    around = chosen_spread(spread, looks) if several else "none"
    grid, lines = _lines(shown, measure, axis)
    scale: Scale = x_scale if grid[0] > 0 else "linear"
    how = CurveOptions(looks, scale, "linear", around, chosen.width, chosen, steps=False)
    with drawing(chosen.rc, [evaluation.settings.table, *looks.labels]):
        caption = _caption(evaluation, shown, around)
        height = _HEIGHT[chosen.name]
        names = Names.plan(looks, caption, chosen, 1, 1, height, direct=end_together([(grid, lines)], how))
        figure, (panel,) = panel_grid(chosen, 1, 1, names.panel_height, names.above)
        _draw(panel, grid, lines, how)
        panel.set_xlabel(_WORDS[axis])
        label = f"{words.words} ({evaluation.unit})" if words.has_unit and evaluation.unit else words.words
        panel.set_ylabel(wrap_label(label, names.panel_height - 4.5 * chosen.em, chosen.font_size))
        names.draw(figure, [panel])
    return figure


def _lines(shown: list[PredictorTrials], measure: str, axis: PredictorAxis) -> tuple[FloatArray, FloatArray]:
    """Return the places of all points, and lower end, mean and upper end of each predictor there."""
    places = [
        each.sizes.astype(float) if axis == "labels" else mean_over_runs(each.of(TOTAL)).estimate for each in shown
    ]
    grid = np.unique(np.concatenate(places))
    grid = grid[np.isfinite(grid)]
    lines = np.full((3, len(shown), len(grid)), np.nan)
    for number, (each, own) in enumerate(zip(shown, places, strict=True)):
        found = each.intervals(measure)
        known = np.isfinite(own)
        at = np.searchsorted(grid, own[known])
        for row, values in enumerate((found.low, found.estimate, found.high)):
            lines[row, number, at] = values[known]
    return grid, lines


def _draw(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions) -> None:
    first, last = float(grid[0]), float(grid[-1])
    around = 1.0 if how.x_scale == "linear" else _BEYOND if first == last else 1.0
    set_x_axis(panel, how.x_scale, first / around, last * around)
    draw_curves(panel, grid, lines, how)
    for number in range(lines.shape[1]):
        known = np.flatnonzero(np.isfinite(lines[1, number]))
        if len(known) == 1:
            _point(panel, grid[known], lines[:, number, known], how.looks, number, bars=how.spread != "none")
    panel.set_ylim(*_limits(lines, how.spread))
    label_axis(panel.yaxis)


def _point(panel: Axes, place: FloatArray, values: FloatArray, looks: Looks, number: int, *, bars: bool) -> None:
    """Draw a predictor that has a single point."""
    low, middle, high = values
    look = looks.point(number) | {"zorder": 3.0, "clip_on": False}
    look.setdefault("marker", "o")
    panel.plot(place, middle, linestyle="", **look)
    if bars and np.isfinite(low).all() and np.isfinite(high).all():
        panel.vlines(place, low, high, color=looks.color(number), zorder=2.9)


def _limits(lines: FloatArray, around: str) -> tuple[float, float]:
    """Return the limits of the y axis; intervals are shown as far as they do not hide the differences of means."""
    means = lines[1][np.isfinite(lines[1])]
    shown = means if around == "none" else lines[np.isfinite(lines)]
    low, high = float(means.min()), float(means.max())
    room = max(high - low, 1e-3 * max(abs(high), 1e-3))
    low, high = min(low, max(float(shown.min()), low - room / 3)), max(high, min(float(shown.max()), high + room / 3))
    margin = _AROUND * (high - low) or 0.05 * max(abs(high), 1e-3)
    return low - margin, high + margin


def _caption(evaluation: PredictorEvaluation, shown: list[PredictorTrials], around: str) -> str:
    counts = sorted({len(each.trials) for each in shown})
    many = counted(counts[0], "trial") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} trials"
    lines = "" if counts == [1] else f"; lines: mean of {many}"
    return f"{_tested(evaluation)}{lines}{spread_in_words(around, f'{100 * LEVEL:g} % intervals')}"


def _tested(evaluation: PredictorEvaluation) -> str:
    where = " near good ones" if evaluation.settings.test_from == "good" else ""
    return f"{evaluation.settings.table}: {evaluation.settings.test} unseen architectures{where}"
