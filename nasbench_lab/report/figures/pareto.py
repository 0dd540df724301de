"""Several objectives: the trade-offs that runs find, and the share of the true front that they cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.pareto import Split, pareto_fronts, relative_hypervolume, true_front
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.report.figures.axis_scales import label_axis, set_x_axis
from nasbench_lab.report.figures.curves import CurveOptions, Spread, chosen_spread, draw_curves, spread_in_words
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, make_looks
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid, say
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.report.study_source import StudySource, traces_of
from nasbench_lab.simulation.reference import joined_reference
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables.description import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 2.1  # of a panel, inches
_MOST_POINTS = 5000
_FRONT: Any = {"marker": "o", "color": "black", "markersize": 1.8, "markeredgewidth": 0}
_TABLE: Any = {"marker": ".", "color": "#bbbbbb", "markersize": 1.6}


def pareto_figure(
    results: StudySource,
    split: Split | None = None,
    *,
    spread: Spread = "auto",
    highlight: Highlight = None,
    among: Sequence[str] | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the final trade-offs of runs, one panel per further objective, and the hypervolume over time.

    For each limit of the further objective, a line shows the median over runs of the best value within the limit on
    the run's front (see `pareto_fronts`), with the interquartile range as band. These are the attainment
    surfaces of Fonseca and Fleming (1996) for the quartiles. Architectures are judged by their means. Grey points are
    the architectures of the table, black points those of the true front. The last panel shows the share of the true
    front's hypervolume, see `relative_hypervolume`.

    Args:
        results: traces of one table, searched with the same further objectives: one trace or several, results, or the
            path of a folder of results or of a traces file. A study does not have what is needed.
        split: by which means architectures are judged; by default ``"test"`` where the table has it.
        spread: ``"bands"``, ``"bars"`` or ``"none"``; by default bands around up to five lines, and bars otherwise.
        highlight: names of strategies, as in legends; the others are grey and thin.
        among: labels of all strategies of a comparison, if some did not run on the table: then each strategy looks as
            in the other figures.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such spread, strategy or style.
        ParameterError: there are no traces, they are of different searches, or the source is a study.
        MissingDataError: the search had no further objectives, no run has a value, or the table no such split. Searches
            that trained networks themselves have no values.
    """
    traces = _observing(traces_of(results))
    chosen, split = paper_style(style), _checked(traces, split)
    objectives = traces[0].setting.conditions.objectives
    labels = [trace.setting.label for trace in traces]
    looks = make_looks(labels, [trace.setting.strategy for trace in traces], highlight, among)
    around = chosen_spread(spread, looks)
    runs = in_words(traces[0].runs, "run")
    title = f"{traces[0].setting.table}; lines: median of {runs}{spread_in_words(around, 'interquartile range')}"
    with drawing(chosen.rc, [title, *labels, *objectives]):
        columns = 1 if chosen.name == "single" else 2
        more = [(name, _sample(look, chosen)) for name, look in (("true front", _FRONT), ("architectures", _TABLE))]
        names = Names.plan(looks, title, chosen, len(objectives) + 1, columns, _HEIGHT, more=more)
        figure, panels = panel_grid(chosen, len(objectives) + 1, columns, names.panel_height, names.above)
        how = CurveOptions(looks, "linear", "linear", around, chosen.width / columns, chosen)
        for panel, objective in zip(panels, objectives, strict=False):
            _draw_trade_off(panel, traces, split, objective, how)
        _draw_hypervolume(panels[-1], traces, split, how)
        names.draw(figure, panels)
    return figure


def _observing(traces: list[Trace]) -> list[Trace]:
    """Return the traces of searches that observed values: fronts consist of these."""
    kept = [trace for trace in traces if not trace.setting.trains_networks]
    if not kept:
        raise MissingDataError("there is nothing to draw: these searches trained networks themselves, without values")
    return kept


def _sample(look: dict[str, Any], style: PaperStyle) -> dict[str, Any]:
    """Return the settings of points in a legend, where small ones are larger."""
    return {**look, "linestyle": "", "markersize": 2 * look["markersize"] * style.scale}


def _checked(traces: Sequence[Trace], split: Split | None) -> Split:
    first = traces[0].setting
    if all((trace.final_incumbent() < 0).all() for trace in traces):
        raise MissingDataError(f"there is nothing to draw: no run on {first.table!r} has a value")
    for trace in traces:
        if (trace.setting.table, trace.setting.conditions.objectives) != (first.table, first.conditions.objectives):
            raise ParameterError("a figure of Pareto fronts has one table and one set of objectives")
    if not first.conditions.objectives:
        raise MissingDataError(f"the search on {first.table!r} had no further objectives, so there is no Pareto front")
    chosen: Split = split or ("test" if "test" in traces[0].reference.means else "valid")
    traces[0].reference.mean(chosen)  # raises an error if there is no such split
    return chosen


def _draw_trade_off(panel: Axes, traces: Sequence[Trace], split: Split, objective: str, how: CurveOptions) -> None:
    reference = joined_reference([trace.reference for trace in traces])
    cost_metric, value_metric = reference.metrics[objective], reference.metrics[split]
    cost, value = reference.means[objective], reference.means[split]
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(value))
    some = known[:: -(-len(known) // _MOST_POINTS)] if len(known) else known
    panel.plot(cost[some], value[some], linestyle="", rasterized=True, zorder=0.5, **_scaled(_TABLE, how.style))
    sign = 1.0 if value_metric.direction == "minimize" else -1.0
    for number, trace in enumerate(traces):
        grid, best = attainment(trace, split, objective)
        curve = np.full((3, len(traces), len(grid)), np.nan)
        curve[:, number] = sign * run_quantiles(best)
        draw_curves(panel, grid, curve, how)
    front = true_front(traces[0], split) if reference.members is None else np.empty(0, dtype=np.int64)
    panel.plot(cost[front], value[front], linestyle="", zorder=3, **_scaled(_FRONT, how.style))
    positive = cost[known]
    if len(positive) and positive.min() > 0 and positive.max() / positive.min() > 20:
        panel.set_xscale("log")
    label_axis(panel.xaxis)
    label_axis(panel.yaxis)
    panel.set_xlabel(_words(cost_metric))
    panel.set_ylabel(_words(value_metric))


def _scaled(look: dict[str, Any], style: PaperStyle) -> dict[str, Any]:
    return {**look, "markersize": look["markersize"] * style.scale}


def attainment(trace: Trace, split: Split, objective: str) -> tuple[FloatArray, FloatArray]:
    """Return the best value that the final front of each run attains within limits of a further objective.

    Args:
        trace: the runs.
        split: by which means architectures are judged.
        objective: name of a further objective.

    Returns:
        Limits from strict to loose, shape (P,), and losses (negated where more is better), NaN where
        a run has no architecture within the limit, shape (runs, P).
    """
    reference = trace.reference
    stricter = 1.0 if trace.reference.metrics[objective].direction == "minimize" else -1.0
    found = pareto_fronts(trace).at(trace.steps - 1)
    run, step = np.nonzero(found)
    architecture = trace.architecture[run, step]
    cost, loss = stricter * reference.at(objective, architecture), reference.means_of(architecture, split)
    if reference.metrics[split].direction == "maximize":
        loss = -loss
    grid = np.unique(cost)
    best = np.full((trace.runs, len(grid)), np.inf)
    np.fmin.at(best, (run, np.searchsorted(grid, cost)), loss)
    best = np.minimum.accumulate(best, axis=1)
    return stricter * grid, np.where(np.isfinite(best), best, np.nan)


def _draw_hypervolume(panel: Axes, traces: Sequence[Trace], split: Split, how: CurveOptions) -> None:
    longest = max(int(trace.evaluations.min()) for trace in traces)
    if traces[0].reference.members is not None:
        say(panel, "no hypervolume:\nthe front of the table\nis not known")
        return
    lines = np.full((3, len(traces), longest), np.nan)
    for number, trace in enumerate(traces):
        shortest = int(trace.evaluations.min())
        try:
            share = relative_hypervolume(trace, split)[:, :shortest]
        except ParameterError:
            say(panel, "no hypervolume:\nall architectures are equal\nin some objective")
            return
        # As losses, so that quartiles are values of actual runs.
        lines[:, number, :shortest] = 1 - run_quantiles(1 - share)[::-1]
    draw_curves(panel, np.arange(1.0, longest + 1), lines, how)
    set_x_axis(panel, "linear", 1.0, float(longest))
    label_axis(panel.yaxis)
    panel.set_xlabel("evaluations")
    panel.set_ylabel("share of the hypervolume")


def _words(metric: Metric) -> str:
    return f"{metric.name.replace('_', ' ')} ({metric.unit})" if metric.unit else metric.name.replace("_", " ")
