"""The figure of a validation: promised against trained accuracy, and whether the winner still wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.retraining import Validation
from nasbench_lab.report.figures import style
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.looks import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = "osD^vPX*<>"
_ROW = 3.1  # inches


def validation_figure(validations: Sequence[Validation], dataset: str) -> Figure:
    """Draw a row per table: promised against trained accuracy per architecture, and leads of the promised winner.

    Args:
        validations: one per table.
        dataset: name of the data set of the trainings, for the axes.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    with drawing(style.RC, [dataset, *(name for each in validations for name in (each.table, *each.strategies))]):
        figure = ShownFigure(figsize=(7.2, _ROW * len(validations)))
        panels = figure.subplots(len(validations), 2, squeeze=False, width_ratios=(3, 2))
        for validation, (left, right) in zip(validations, panels, strict=True):
            _draw_promises(left, validation, dataset)
            _draw_leads(right, validation)
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), fontsize=8)
    return figure


def _draw_promises(panel: Any, validation: Validation, dataset: str) -> None:
    for number, strategy in enumerate(validation.strategies):
        picks = [pick for pick in validation.picks if pick.strategy == strategy]
        trained = [validation.trained[pick.architecture] for pick in picks]
        panel.errorbar(
            [pick.promised for pick in picks],
            [each.estimate for each in trained],
            yerr=_bars(trained),
            linestyle="none",
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=5,
            # Strategies often share picks: hollow markers of different shapes keep all of them visible.
            markerfacecolor="none",
            elinewidth=0.7,
            color=COLORS[number % len(COLORS)],
            label=strategy,
        )
    panel.set_title(f"{validation.table}\nrank correlation {_signed(validation.correlation)}")
    panel.set_xlabel("mean test value in the table")
    panel.set_ylabel(f"trained: test accuracy on {dataset} (%)")


def _draw_leads(panel: Any, validation: Validation) -> None:
    names = [*validation.lead][::-1]
    leads = [validation.lead[name] for name in names]
    panel.axvline(0.0, color="black", linewidth=0.8)
    panel.errorbar(
        [lead.estimate for lead in leads], range(len(names)), xerr=_bars(leads), fmt="o", color="black", markersize=4
    )
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(-0.6, len(names) - 0.4)
    panel.grid(visible=False, axis="y")
    panel.set_title(f"{validation.winner}, best in the table:\n{validation.verdict} after training")
    panel.set_xlabel("lead over each strategy (points, 95 % interval)")


def _bars(intervals: Sequence[Interval]) -> Any:
    """Return the lengths of error bars, shape (2, intervals)."""
    lengths = [(each.estimate - each.low, each.high - each.estimate) for each in intervals]
    return np.array(lengths).reshape(-1, 2).T


def _signed(interval: Interval) -> str:
    if np.isnan(interval.low):
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
