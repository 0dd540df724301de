"""The regret figure: median and quartiles over runs, on log axes, one line a strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nasbench_lab.analysis import regret_curve
from nasbench_lab.analysis.curves import Axis
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.report.figures import style
from nasbench_lab.report.figures.legend import add_legend, columns_that_fit
from nasbench_lab.report.figures.panels import AXIS_WORDS, KIND_WORDS, draw_steps, mark_optimum, say
from nasbench_lab.simulation.trace import RegretKind, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (3.8, 2.5)  # inches
_TITLE_LENGTH = 48  # characters that fit over a panel; longer titles are set smaller
_LINE = 0.2  # height of a line of the legend, inches


def regret_figure(traces: Sequence[Trace]) -> Figure:
    """Draw the regret of strategies on one or more tables.

    Every table (searched at one fidelity, observing one kind of repeat) has a row of panels against evaluations and,
    where it has times, one against simulated seconds; the columns are mean validation and mean test regret, where the
    tables have them. A regret of zero, which a log axis cannot show, is drawn on a line at the bottom that is marked
    ``optimum``.

    Args:
        traces: of any strategies and tables; those of one table share its panels.

    Raises:
        ParameterError: there are no traces, or two of the same strategy for one panel.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if not traces:
        raise ParameterError("there are no traces to draw")
    groups = _group(traces)
    labels = list(dict.fromkeys(trace.setting.label for trace in traces))
    rows = [(group, axis) for group in groups for axis in _axes_of(group)]
    kinds: list[RegretKind] = [k for k in ("valid", "test") if any(k in t.reference.means for t in traces)]
    with rc_context(style.RC):
        width = _PANEL[0] * len(kinds)
        columns, size = columns_that_fit(labels, width, float(style.RC["font.size"]))
        height = _PANEL[1] * len(rows) + _LINE * (1.5 + -(-len(labels) // columns))
        figure = Figure(figsize=(width, height))
        panels = figure.subplots(len(rows), len(kinds), squeeze=False)
        for (group, axis), row in zip(rows, panels, strict=True):
            for kind, panel in zip(kinds, row, strict=True):
                _draw_panel(panel, group, kind, axis, labels)
        looks = [style.line(number) for number in range(len(labels))]
        add_legend(figure, labels, looks, columns, size, _legend_title(traces))
    return figure


def _group(traces: Sequence[Trace]) -> list[list[Trace]]:
    """Collect the traces that share panels, in order of appearance."""
    groups: dict[tuple[object, ...], list[Trace]] = {}
    for trace in traces:
        setting = trace.setting
        key = (setting.table, setting.checksum, setting.fidelity, setting.conditions.repeat, setting.objective)
        group = groups.setdefault(key, [])
        if any(other.setting.label == setting.label for other in group):
            raise ParameterError(f"strategy {setting.label!r} appears twice on table {setting.table!r}")
        group.append(trace)
    return list(groups.values())


def _axes_of(traces: Sequence[Trace]) -> list[Axis]:
    timed = all(not np.isnan(trace.time[trace.mask]).any() for trace in traces)
    return ["evaluations", "seconds"] if timed else ["evaluations"]


def _draw_panel(panel: Axes, traces: Sequence[Trace], kind: RegretKind, axis: Axis, labels: Sequence[str]) -> None:
    reference = traces[0].reference
    if kind not in reference.means:
        return say(panel, f"no {KIND_WORDS[kind].split()[1]} measurements")
    try:
        curves = [regret_curve(trace, kind, axis) for trace in traces]
    except MissingDataError as error:
        return say(panel, f"no curves against {AXIS_WORDS[axis]}:\n{error}")
    drawn = np.concatenate([curve.quantiles[:, np.isfinite(curve.quantiles[1])].reshape(-1) for curve in curves])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return say(panel, "too few runs have a value")
    floor = _floor(traces, kind)
    for trace, curve in zip(traces, curves, strict=True):
        low, median, high = np.maximum(curve.quantiles, floor)
        draw_steps(panel, curve.grid, low, median, high, style.line(labels.index(trace.setting.label)))
    panel.set_xscale("log")
    panel.set_yscale("log")
    if drawn.min() <= 0:
        mark_optimum(panel, floor, drawn.max())
    title = _title(traces[0])
    panel.set_title(title, fontsize=style.RC["axes.titlesize"] * min(1.0, _TITLE_LENGTH / len(title)))
    panel.set_xlabel(AXIS_WORDS[axis])
    panel.set_ylabel(f"{KIND_WORDS[kind]} ({reference.metrics[kind].unit})")
    return None


def _title(trace: Trace) -> str:
    setting = trace.setting
    parts = [f"{setting.fidelity} epochs"]
    if setting.conditions.repeat != "sample":
        parts.append(
            "mean of repeats" if setting.conditions.repeat == "mean" else f"repeat {setting.conditions.repeat}"
        )
    if setting.objective.split == "test":
        parts.append("on test")
    return f"{setting.table} ({', '.join(parts)})"


def _floor(traces: Sequence[Trace], kind: RegretKind) -> float:
    """Where a regret of zero is drawn: a third of the smallest positive regret that any architecture has."""
    gaps = traces[0].reference.regret(kind, traces[0].reference.mean(kind))
    positive = gaps[gaps > 0]
    return float(positive.min()) / 3 if len(positive) else 1e-12


def _legend_title(traces: Sequence[Trace]) -> str:
    counts = sorted({trace.runs for trace in traces})
    runs = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"median (line) and interquartile range (band) of {runs} runs"
