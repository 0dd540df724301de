"""The figure of a validation: promised against trained accuracy, and whether the winner still wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.retraining import Validation
from nasbench_lab.report.figures import style
from nasbench_lab.report.figures.axis_scales import label_linear_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.panels import label_rows, row_places
from nasbench_lab.report.figures.text_fit import columns_that_fit, wrap_label
from nasbench_lab.report.looks import point_look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _LEAST = 7.2, 3.1  # of the figure, and of a row of panels, inches
_SIZE = 8.0  # font of names, points
_BESIDE, _ROW = 1.4, 0.17  # height of a panel but for its rows, and of a line of text, inches
_NAMES, _TITLE = 1.5, 1.7  # room for names beside a panel, and for a line above it, inches


def validation_figure(validations: Sequence[Validation], dataset: str) -> Figure:
    """Draw a row per table: promised against trained accuracy per architecture, and leads of the promised winner.

    Args:
        validations: one per table.
        dataset: name of the data set of the trainings, for the axes.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    strategies = tuple(dict.fromkeys(name for each in validations for name in each.strategies))
    columns, size = columns_that_fit(strategies, _WIDTH, _SIZE)
    heights = [max(_LEAST, _BESIDE + _ROW * row_places(_rows(each))[1]) for each in validations]
    below = 0.2 + _ROW * 1.2 * -(-len(strategies) // columns)
    with drawing(style.RC, [dataset, *(each.table for each in validations), *strategies]):
        figure = ShownFigure(figsize=(_WIDTH, sum(heights) + below))
        panels = figure.subplots(len(validations), 2, squeeze=False, width_ratios=(3, 2), height_ratios=heights)
        for validation, (left, right) in zip(validations, panels, strict=True):
            _draw_promises(left, validation, dataset, strategies)
            _draw_leads(right, validation)
        found: dict[str, Any] = {}
        for panel in panels[:, 0]:
            found |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
        names = [name for name in strategies if name in found]
        samples = [found[name] for name in names]
        figure.legend(samples, names, loc="outside lower center", ncols=columns, fontsize=size)
    return figure


def _draw_promises(panel: Any, validation: Validation, dataset: str, strategies: Sequence[str]) -> None:
    for strategy in validation.strategies:
        picks = [pick for pick in validation.picks if pick.strategy == strategy]
        trained = [validation.trained[pick.architecture] for pick in picks]
        panel.errorbar(
            [pick.promised for pick in picks],
            [each.estimate for each in trained],
            yerr=_bars(trained),
            linestyle="none",
            markersize=5,
            # Strategies often share picks: hollow markers of different shapes keep all of them visible.
            markerfacecolor="none",
            elinewidth=0.7,
            label=strategy,
            **point_look(strategies.index(strategy)),
        )
    panel.set_title(f"{validation.table}\nrank correlation {_signed(validation.correlation)}")
    panel.set_xlabel("test accuracy in the table, mean over repeats")
    panel.set_ylabel(f"trained: test accuracy on {dataset} (%)\nmean over seeds, 95 % interval")
    label_linear_axis(panel.xaxis)
    label_linear_axis(panel.yaxis)


def _draw_leads(panel: Any, validation: Validation) -> None:
    rows, leads = _rows(validation), [*validation.lead.values()]
    if not leads:  # a single strategy, or failed trainings
        panel.set_axis_off()
        return
    places, _ = row_places(rows)
    panel.axvline(0.0, color="black", linewidth=0.8)
    panel.errorbar([lead.estimate for lead in leads], places, xerr=_bars(leads), fmt="o", color="black", markersize=4)
    label_rows(panel, rows)
    panel.tick_params(axis="y", labelsize=_SIZE)
    winner = wrap_label(f"{validation.winner}, best in the table:", _TITLE, _SIZE + 0.5)
    panel.set_title(f"{winner}\n{validation.verdict} after training")
    panel.set_xlabel("lead over each strategy\n(points, 95 % interval)")
    label_linear_axis(panel.xaxis, 1.0)


def _rows(validation: Validation) -> list[str]:
    """Return the names of the strategies that the winner leads, broken into lines that fit."""
    return [wrap_label(name, _NAMES, _SIZE) for name in validation.lead]


def _bars(intervals: Sequence[Interval]) -> Any:
    """Return the lengths of error bars, shape (2, intervals)."""
    lengths = [(each.estimate - each.low, each.high - each.estimate) for each in intervals]
    return np.array(lengths).reshape(-1, 2).T


def _signed(interval: Interval) -> str:
    if np.isnan(interval.estimate):
        return "unknown"
    if np.isnan(interval.low):
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
