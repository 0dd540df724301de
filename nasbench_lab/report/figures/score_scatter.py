"""The figure of one supernet: the score of every network against its true value, for all networks and the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.ranked_scores import TOP_NAMES, RankedScores
from nasbench_lab.analysis.score_rankings import Truth
from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.axis_scales import label_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import panel_grid, set_title
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.looks import COLORS
from nasbench_lab.tables import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = {"single": 2.3, "double": 2.6, "slide": 4.0}  # of a panel, inches
_AROUND = 0.04  # of an axis, around the points
_SHARES = (1.0, 0.2)


def score_figure(
    scored: RankedScores, *, truth: Truth = "valid", picks: int = 10, style: PaperStyle | str = "single"
) -> Figure:
    """Draw the true value of every network against its score, for all networks and for the top fifth.

    The best by score and the truly best network are marked. Titles have Kendall's rank correlation.

    Args:
        scored: scores with true values: from `nasbench_lab.train.one_shot.ranking`, or from
            `nasbench_lab.analysis.rank_scores`.
        truth: ``"valid"`` or ``"test"``: the true values.
        picks: number of networks with the best scores that are marked.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such style.
        MissingDataError: the table has no such true values.
        ParameterError: the number of picks is not allowed.
    """
    if truth not in scored.truth:
        raise MissingDataError(f"{scored.table} has no {truth} values; there are: {', '.join(scored.truth)}")
    count = whole("picks", picks, AtLeast(1))
    chosen, metric = paper_style(style), scored.metrics[truth]
    known = np.isfinite(scored.scores) & np.isfinite(scored.truth[truth])
    score, value = scored.scores[known], scored.truth[truth][known]
    sign = -1.0 if metric.direction == "minimize" else 1.0
    order = np.lexsort((sign * value, score))[::-1]
    picked = order[: min(count, len(order))]
    best = int(np.argmax(sign * value))
    columns = 1 if chosen.name == "single" else 2
    with drawing(chosen.rc, [scored.table, scored.label]):
        marks = _marks(chosen)
        name = f"{scored.label} on {scored.table}" if scored.label else scored.table
        entries = [("networks", marks[0]), (f"best {len(picked)} by score", marks[1]), ("truly best", marks[2])]
        legend = Legend.plan([(text, {**look, "linestyle": ""}) for text, look in entries], name, chosen)
        height = _HEIGHT[chosen.name] if chosen.name != "slide" else chosen.height - legend.height
        figure, panels = panel_grid(chosen, 2, columns, height, legend.height)
        for panel, share in zip(panels, _SHARES, strict=True):
            top = sign * value >= np.sort(sign * value)[-max(1, int(np.ceil(share * len(value))))]
            _draw(panel, (score, value), top, picked, best, marks)
            tau = scored.qualities[truth].kendall[share]
            title = f"{'all networks' if share == 1.0 else TOP_NAMES[share]}: Kendall {tau:.2f}"
            set_title(panel, title if np.isfinite(tau) else title.split(":")[0], chosen, chosen.width / columns - 0.6)
            panel.set_ylabel(_words(metric))
        for panel in panels[-columns:]:
            panel.set_xlabel("score")
        legend.draw(figure)
    return figure


def _marks(style: PaperStyle) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    scale = style.scale
    return (
        {"marker": "o", "color": COLORS[4], "markersize": 2.0 * scale, "markeredgewidth": 0},
        {
            "marker": "o",
            "color": COLORS[1],
            "markersize": 4.0 * scale,
            "markerfacecolor": "none",
            "markeredgewidth": 0.9 * scale,
        },
        {"marker": "*", "color": COLORS[6], "markersize": 7.0 * scale, "markeredgewidth": 0},
    )


def _draw(
    panel: Axes,
    points: tuple[FloatArray, FloatArray],
    top: NDArray[np.bool_],
    picked: NDArray[np.intp],
    best: int,
    marks: tuple[dict[str, Any], ...],
) -> None:
    x, y = points
    shown = np.flatnonzero(top)
    for chosen, look, above in ((shown, marks[0], 1.0), (picked, marks[1], 2.0), (np.array([best]), marks[2], 3.0)):
        part = chosen[np.isin(chosen, shown)]
        alpha = 0.6 if above == 1.0 else 1.0
        panel.plot(x[part], y[part], linestyle="", zorder=above, alpha=alpha, clip_on=False, **look)
    for axis, values in ((panel.set_xlim, x[shown]), (panel.set_ylim, y[shown])):
        low, high = float(values.min()), float(values.max())
        room = _AROUND * (high - low) or 1.0
        axis(low - room, high + room)
    label_axis(panel.xaxis)
    label_axis(panel.yaxis)


def _words(metric: Metric) -> str:
    return f"{metric.name.replace('_', ' ')} ({metric.unit})" if metric.unit else metric.name.replace("_", " ")
