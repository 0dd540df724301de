"""The figure of a supernet's training: how well its scores rank all networks, and the best of them, over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.ranked_scores import TOP_NAMES
from nasbench_lab.analysis.ranking_curves import CORRELATIONS, RankingCurve, RankingCurves, mean_over_runs
from nasbench_lab.analysis.score_rankings import Truth
from nasbench_lab.arrays import FloatArray
from nasbench_lab.displays import counted
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
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
from nasbench_lab.report.figures.highlight import Highlight, make_looks
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid, set_title
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RankingAxis = Literal["epochs", "seconds"]
RANKING_AXES: tuple[RankingAxis, ...] = get_args(RankingAxis)

_HEIGHT = 1.75  # of a panel, inches
_AROUND = 0.06  # of the y axis, above the highest and below the lowest value
_WORDS = {"epochs": "epochs of training", "seconds": "seconds of training"}
_NAMES = {"kendall": "Kendall's rank correlation", "spearman": "Spearman's rank correlation"}
_TRUTHS = {"valid": "validation values", "test": "test values"}
_SHARES = (1.0, 0.2)


def ranking_curves_figure(
    curves: RankingCurves,
    measure: Literal["kendall", "spearman"] = "kendall",
    axis: RankingAxis = "epochs",
    *,
    truth: Truth = "valid",
    x_scale: Scale = "linear",
    spread: Spread = "auto",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw how well scores rank networks over the training: among all networks, and within the top fifth.

    Lines are means over runs; a band or bar is the 95 % interval of the mean (Student's t). Both panels have the same
    y axis, since a high correlation among all networks says little about the best ones. A thin line marks zero, the
    correlation of random scores.

    Args:
        curves: from `nasbench_lab.train.one_shot.rank_snapshots`.
        measure: ``"kendall"`` or ``"spearman"``.
        axis: ``"epochs"`` or ``"seconds"`` of training.
        truth: ``"valid"`` or ``"test"``: the true values of the table.
        x_scale: ``"linear"`` or ``"log"``.
        spread: ``"bands"``, ``"bars"`` or ``"none"``; by default bands around up to five lines, and bars otherwise.
        highlight: labels of methods; the others are grey and thin.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such measure, axis, scale, spread, method or style.
        MissingDataError: the table has no such true values, or no correlation could be computed.
    """
    check_scale("x scale", x_scale)
    for what, given, known in (("measure", measure, CORRELATIONS), ("axis", axis, RANKING_AXES)):
        if given not in known:
            raise unknown(what, given, known)
    if truth not in curves.truths:
        raise MissingDataError(f"{curves.table} has no {truth} values; there are: {', '.join(curves.truths)}")
    chosen = paper_style(style)
    looks = make_looks(curves.labels, curves.labels, highlight)
    several = max(len(curve.runs) for curve in curves.curves) > 1
    around = chosen_spread(spread, looks) if several else "none"
    drawn = [_lines(curves, measure, share, axis, truth) for share in _SHARES]
    if not any(np.isfinite(lines[1]).any() for _, lines in drawn):
        raise MissingDataError("there is nothing to draw: no correlation could be computed")
    columns = 1 if chosen.name == "single" else 2
    how = CurveOptions(looks, x_scale, "linear", around, chosen.width / columns, chosen, steps=False)
    with drawing(chosen.rc, [curves.table, *curves.labels]):
        caption = _caption(curves, truth, around)
        direct = all(np.isfinite(lines[1]).any() for _, lines in drawn) and end_together(drawn, how)
        names = Names.plan(looks, caption, chosen, 2, columns, _HEIGHT, direct=direct)
        figure, panels = panel_grid(chosen, 2, columns, names.panel_height, names.above)
        limits = _limits([lines for _, lines in drawn], around)
        for panel, share, (grid, lines) in zip(panels, _SHARES, drawn, strict=True):
            _draw(panel, grid, lines, how, limits)
            set_title(panel, _title(curves, share), chosen, how.width - 4.5 * chosen.em)
            panel.set_xlabel(_WORDS[axis] if panel in panels[-columns:] else "")
        if columns == 1:
            middle = (1 - names.above / figure.get_size_inches()[1]) / 2
            figure.supylabel(_NAMES[measure], y=middle, fontsize=chosen.font_size)
        else:
            panels[0].set_ylabel(_NAMES[measure])
        names.draw(figure, panels)
    return figure


def _lines(
    curves: RankingCurves, measure: Literal["kendall", "spearman"], share: float, axis: RankingAxis, truth: Truth
) -> tuple[FloatArray, FloatArray]:
    """Return the places of all points, and lower end, mean and upper end of each method there, (3, methods, points)."""
    places = [_places(curve, axis) for curve in curves.curves]
    grid = np.unique(np.concatenate(places))
    lines = np.full((3, len(places), len(grid)), np.nan)
    for number, (curve, own) in enumerate(zip(curves.curves, places, strict=True)):
        found = curve.intervals(measure, share, truth)
        at = np.searchsorted(grid, own)
        for row, values in enumerate((found.low, found.estimate, found.high)):
            lines[row, number, at] = values
    return grid, lines


def _places(curve: RankingCurve, axis: RankingAxis) -> FloatArray:
    """Return the epochs, or the seconds that they took on average over runs."""
    return curve.epochs.astype(float) if axis == "epochs" else mean_over_runs(curve.seconds).estimate


def _limits(lines: list[FloatArray], around: str) -> tuple[float, float]:
    """Return the limits of the y axis; intervals are shown as far as they do not hide the differences of means."""
    means = np.concatenate([each[1].ravel() for each in lines])
    shown = means if around == "none" else np.concatenate([each.ravel() for each in lines])
    low, high = (float(fold(np.append(means[np.isfinite(means)], 0.0))) for fold in (np.min, np.max))
    room = max(high - low, 0.1)
    finite = shown[np.isfinite(shown)]
    low, high = min(low, max(finite.min(), low - room / 3)), max(high, min(finite.max(), high + room / 3))
    return low - _AROUND * (high - low), high + _AROUND * (high - low)


def _draw(panel: Axes, grid: FloatArray, lines: FloatArray, how: CurveOptions, limits: tuple[float, float]) -> None:
    positive = grid[grid > 0]
    first = float(positive[0]) if how.x_scale == "log" and len(positive) else 0.0
    set_x_axis(panel, how.x_scale if len(positive) else "linear", first, max(float(grid[-1]), 1e-3))
    panel.axhline(0.0, color="#666666", linewidth=0.6 * how.style.scale, zorder=1.5)
    draw_curves(panel, grid, lines, how)
    panel.set_ylim(*limits)
    label_axis(panel.yaxis)


def _title(curves: RankingCurves, share: float) -> str:
    if share == 1.0:
        return f"all {curves.architectures:,} networks"
    return f"{TOP_NAMES[share]} of them"


def _caption(curves: RankingCurves, truth: Truth, around: str) -> str:
    runs = sorted({len(curve.runs) for curve in curves.curves})
    many = counted(runs[0], "run") if len(runs) == 1 else f"{runs[0]} to {runs[-1]} runs"
    lines = "" if runs == [1] else f"; lines: mean of {many}"
    what = spread_in_words(around, f"{100 * LEVEL:g} % intervals")
    return f"{curves.table}, ranked by {_TRUTHS[truth]}{lines}{what}"
