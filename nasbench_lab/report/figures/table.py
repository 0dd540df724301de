"""The figure of a table: its measurements, and how reliable they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.table_quality import Quality, cost, reported_metric
from nasbench_lab.report.figures import style
from nasbench_lab.report.figures.axis_scales import label_linear_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.looks import COLORS, line_look
from nasbench_lab.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINT: Any = {"s": 2, "linewidths": 0, "alpha": 0.35, "color": COLORS[0], "rasterized": True}


def table_figure(table: Table, quality: Quality) -> Figure:
    """Draw four panels: distribution, agreement of repeats, agreement of fidelities with the end, time and quality.

    Where the table lacks the measurements of a panel, the panel says so.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    with drawing(style.RC, [table.name, *table.metrics, *map(str, table.description.repeats)]):
        figure = ShownFigure(figsize=(7.2, 5.4))
        (distribution, repeats), (fidelities, time) = figure.subplots(2, 2)
        _draw_distribution(distribution, table)
        _draw_repeats(repeats, table, quality)
        _draw_fidelities(fidelities, table, quality)
        _draw_time(time, table, quality)
        for panel in (distribution, repeats, fidelities, time):
            if panel.axison:
                label_linear_axis(panel.xaxis)
                label_linear_axis(panel.yaxis)
        figure.suptitle(table.name, fontsize=10, x=0.01, ha="left")
    return figure


def _draw_distribution(panel: Any, table: Table) -> None:
    metrics = {metric.name: metric for metric in (table.objective, reported_metric(table))}
    means = {name: table.mean_values(name) for name in metrics}
    known = np.concatenate(list(means.values()))
    bins = np.histogram_bin_edges(known[~np.isnan(known)], bins=60)
    for number, (name, values) in enumerate(means.items()):
        look = {key: value for key, value in line_look(number, 1).items() if key != "marker"}
        panel.hist(values, bins=bins, histtype="step", label=name, **look)
    panel.set_title("mean over repeats at the highest fidelity")
    panel.set_xlabel(next(iter(metrics.values())).unit)
    panel.set_ylabel("architectures")
    panel.legend(loc="upper left", fontsize=7)


def _draw_repeats(panel: Any, table: Table, quality: Quality) -> None:
    values = table.repeat_values(table.objective.name)
    filled = np.flatnonzero((~np.isnan(values)).any(axis=0))
    if len(filled) < 2:
        _say(panel, "a single repeat")
        return
    first, second = filled[:2]
    panel.set_axisbelow(True)
    panel.scatter(values[:, first], values[:, second], **_POINT)
    panel.set_title(f"repeats: mean rank correlation {quality.between_seeds:.3f}")
    names = table.description.repeats
    panel.set_xlabel(f"{table.objective.name}, repeat {names[first]}")
    panel.set_ylabel(f"repeat {names[second]}")


def _draw_fidelities(panel: Any, table: Table, quality: Quality) -> None:
    if len(table.fidelities) < 2:
        _say(panel, "a single fidelity")
        return
    lines = {"mean over repeats": quality.with_end, "single repeats": quality.with_end_single}
    for number, (label, values) in enumerate(lines.items()):
        # A correlation ends at 1: the markers there are drawn over the edge of the panel.
        look = line_look(number, 1) | {"marker": "."}
        panel.plot(table.fidelities, values, label=label, clip_on=False, zorder=3, **look)
    panel.set_ylim(top=1.0)
    panel.set_title("rank correlation with the end")
    panel.set_xlabel("epochs")
    panel.legend(loc="lower right", fontsize=7)


def _draw_time(panel: Any, table: Table, quality: Quality) -> None:
    if not table.has_times:
        _say(panel, "no times were published")
        return
    metric = reported_metric(table)
    panel.set_axisbelow(True)
    panel.scatter(cost(table), table.mean_values(metric.name), **_POINT)
    panel.set_title(f"time and quality: rank correlation {quality.cost_with_quality:.3f}")
    panel.set_xlabel("seconds of an evaluation")
    panel.set_ylabel(f"{metric.name} ({metric.unit})")


def _say(panel: Any, text: str) -> None:
    panel.text(0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes)
    panel.set_axis_off()
