"""The charts of a study: regret on every table, progress over all of them, targets and profiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.studies.results import ProgressCurves, Study
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.report.axis_names import AXES, axis_words
from nasbench_lab.report.incumbent_words import regret_in_words, regret_label, shows_values
from nasbench_lab.report.page.charts import Chart, ChartView, Choice, Line
from nasbench_lab.report.page.figure_commands import figure_options, kind_option, option, table_option
from nasbench_lab.report.study_selection import why_no_curves
from nasbench_lab.simulation.trace import RegretKind

_KIND_OPTIONS: dict[RegretKind, str] = {"observed": "observed", "valid": "validation", "test": "test"}
_AXIS_OPTIONS: dict[TimeAxis, str] = {"evaluations": "evaluations", "seconds": "seconds"}

_CENTERS = (("median", "median"), ("iqm", "IQM"), ("mean", "mean"))
_OPTIMUM = "optimum"
_BUDGET = "% of the budget"


def study_charts(study: Study) -> list[Chart]:
    """Return all charts for which a study has data."""
    charts = [regret_chart(study), progress_chart(study), rank_chart(study), target_chart(study)]
    return [chart for chart in charts if chart.views]


def regret_chart(study: Study) -> Chart:
    """Return the chart of the anytime regret on each task."""
    axes = [axis for axis in AXES if any(axis in task.axes for task in study.tasks)]
    choices = (
        Choice(
            "task",
            "Task",
            tuple((str(t), task.name) for t, task in enumerate(study.tasks)),
            "0",
            tuple(table_option(study, t) for t in range(len(study.tasks))),
        ),
        _kind_choice(study, study.kinds),
        Choice(
            "axis",
            "Against",
            tuple((axis, _AXIS_OPTIONS[axis]) for axis in axes),
            study.tasks[0].clock,
            tuple(option("axis", axis) for axis in axes),
        ),
        _center_choice(_CENTERS, "median"),
    )
    views: dict[str, ChartView] = {}
    missing: dict[str, str] = {}
    for place in range(len(study.tasks)):
        for kind in study.kinds:
            for axis in axes:
                curves = study.curves.get((kind, axis, place))
                for center, _ in _CENTERS:
                    key = f"{place}|{kind}|{axis}|{center}"
                    view = None if curves is None else _curves_view(study, curves, center)
                    if view is None:
                        reason = why_no_curves(study, place, kind, axis).replace("\n", " ")
                        missing[key] = f"{study.tasks[place].table}: {reason}."
                    else:
                        views[key] = view
    values = all(shows_values(study, kind) for kind in study.kinds)
    title = "Value over the search" if values else "Regret over the search"
    scale: Literal["linear", "log"] = "linear" if values else "log"
    return Chart("regret", title, choices, views, missing, "linear", scale, "regret", scaled=("x", "y"))


def _curves_view(study: Study, curves: AnytimeCurves, center: str) -> ChartView | None:
    if center == "median":
        (low, middle, high), text = curves.quartiles, "median of runs, quartiles"
    else:
        found: Intervals = curves.iqm if center == "iqm" else curves.mean
        low, middle, high = found.low, found.estimate, found.high
        text = f"{'interquartile mean' if center == 'iqm' else 'mean'} of runs, {_level(study)}"
    task = study.tasks[curves.task]
    as_value = curves.kind in task.without_optimum
    if as_value:
        middle, low, high = (task.value(curves.kind, each) for each in (middle, low, high))
    lines = _lines(middle, low, high)
    if not lines:
        return None
    unit = study.tasks[curves.task].unit(curves.kind)
    words = regret_label(study, curves.kind, values=as_value)
    label = f"{words} ({unit})" if unit else words
    title = axis_words(study, curves.axis, [curves.task])
    if not as_value:
        return ChartView(curves.grid, lines, title, label, text, zero=_OPTIMUM)
    best: Literal["low", "high"] = "high" if task.direction(curves.kind) == "maximize" else "low"
    return ChartView(curves.grid, lines, title, label, text, best=best, limits=_value_limits(lines))


def _value_limits(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the limits of an axis of values, which need not begin at 0."""
    every = np.concatenate([array for line in lines for array in line.arrays])
    shown = every[np.isfinite(every)]
    low, high = float(shown.min()), float(shown.max())
    room = 0.0 if high > low else 0.1 * (abs(high) or 1.0)
    return low - room, high + room


def progress_chart(study: Study) -> Chart:
    """Return the chart of the normalised regret over tasks against the budget; without views for a single task."""
    kinds = [kind for kind in study.kinds if kind in study.progress and len(study.progress[kind].normalised_tasks) > 1]
    options = (("iqm", "IQM"), ("mean", "mean"))

    def view(progress: ProgressCurves, center: str) -> ChartView | None:
        found = progress.iqm if center == "iqm" else progress.mean
        count = len(progress.normalised_tasks)
        text = (
            f"{'interquartile mean' if center == 'iqm' else 'mean'} over {count} tasks and their runs, {_level(study)}"
        )
        lines = _lines(found.estimate, found.low, found.high)
        return (
            _over_budget(progress, lines, f"normalised {regret_label(study, progress.kind)}", text) if lines else None
        )

    choices = (_kind_choice(study, kinds), _center_choice(options, "iqm"))
    views = _by_kind(study, kinds, [key for key, _ in options], view)
    return Chart(
        "progress",
        "Normalised regret over all tasks",
        choices,
        views,
        {},
        "linear",
        "log",
        "normalised",
        scaled=("x", "y"),
    )


def rank_chart(study: Study) -> Chart:
    """Return the chart of the average run rank over tasks against the budget; without views for a single strategy."""
    several = len(study.labels) > 1
    kinds = [kind for kind in study.kinds if several and kind in study.progress and study.progress[kind].tasks]

    def view(progress: ProgressCurves, _: str) -> ChartView | None:
        lines = _lines(progress.run_rank)
        if not lines:
            return None
        count = len(progress.tasks)
        text = f"average over {count} tasks" if count > 1 else "on one task"
        shown = _over_budget(progress, lines, f"average run rank by {regret_in_words(study, progress.kind)}", text)
        return dataclasses.replace(shown, zero=None, limits=(1.0, float(max(2, len(study.labels)))))

    choices = (_kind_choice(study, kinds),)
    views = _by_kind(study, kinds, [""], view)
    return Chart("rank", "Run rank over the search", choices, views, {}, "linear", "linear", "rank", scaled=("x",))


def _over_budget(progress: ProgressCurves, lines: tuple[Line, ...], label: str, text: str) -> ChartView:
    return ChartView(100 * progress.fractions, lines, _BUDGET, label, text, zero=_OPTIMUM)


def _by_kind(
    study: Study,
    kinds: Sequence[RegretKind],
    options: Sequence[str],
    view: Callable[[ProgressCurves, str], ChartView | None],
) -> dict[str, ChartView]:
    found = {(kind, option): view(study.progress[kind], option) for kind in kinds for option in options}
    return {"|".join(filter(None, key)): each for key, each in found.items() if each is not None}


def target_chart(study: Study) -> Chart:
    """Return the chart of targets over time, of regrets at the end, and of relative costs."""
    kinds = [kind for kind in study.kinds if kind in study.profiles or any(key[0] == kind for key in study.times)]
    axes = [axis for axis in AXES if any(key[1] == axis for key in study.times)]
    options = [(f"by-{axis}", f"targets reached by {axis_words(study, axis)}") for axis in axes]
    options += [("scores", "regret at the end"), ("costs", "cost relative to the cheapest strategy")]
    views: dict[str, ChartView] = {}
    for kind in kinds:
        found = {f"by-{axis}": _ecdf_view(study, kind, axis) for axis in axes}
        found |= {"scores": _score_view(study, kind), "costs": _cost_view(study, kind)}
        views |= {f"{name}|{kind}": view for name, view in found.items() if view is not None}
    shown = [option for option in options if any(key.startswith(f"{option[0]}|") for key in views)]
    start = shown[0][0] if shown else ""
    drawn = {f"by-{axis}": figure_options("ecdf") + option("axis", axis) for axis in axes}
    arguments = tuple(drawn.get(key, figure_options("profile")) for key, _ in shown)
    choices = (Choice("what", "Share of", tuple(shown), start, arguments), _kind_choice(study, kinds))
    missing = {
        f"{name}|{kind}": "No task has such targets."
        for name, _ in shown
        for kind in kinds
        if f"{name}|{kind}" not in views
    }
    return Chart("targets", "Targets and profiles", choices, views, missing, "log", "linear", even=False)


def _ecdf_view(study: Study, kind: RegretKind, axis: TimeAxis) -> ChartView | None:
    times = study.times.get((kind, axis))
    if times is None or not (lines := _lines(times.ecdf)):
        return None
    text = f"{len(times.targets)} targets on {_tasks(times.tasks)}, all runs"
    return _share(times.grid, lines, axis_words(study, axis, times.tasks), "share of targets reached", text)


def _score_view(study: Study, kind: RegretKind) -> ChartView | None:
    profiles = study.profiles.get(kind)
    if profiles is None:
        return None
    lines = _lines(profiles.scores.estimate, profiles.scores.low, profiles.scores.high)
    text = f"runs on {_tasks(profiles.tasks)}, {_level(study)}"
    label = f"normalised {regret_label(study, kind)}"
    return _share(profiles.regrets, lines, label, "share of runs with at most that regret", text) if lines else None


def _cost_view(study: Study, kind: RegretKind) -> ChartView | None:
    profiles = study.profiles.get(kind)
    if profiles is None or not profiles.problems or not (lines := _lines(profiles.costs)):
        return None
    text = f"{profiles.problems} problems: a task and a target"
    label = "expected time relative to the cheapest strategy"
    return _share(profiles.ratios, lines, label, "share of problems solved at that cost", text)


def _share(grid: FloatArray, lines: tuple[Line, ...], x_label: str, y_label: str, text: str) -> ChartView:
    return ChartView(grid, lines, x_label, y_label, text, best="high", limits=(0.0, 1.0))


def _level(study: Study) -> str:
    return f"{100 * study.level:g} % intervals"


def _tasks(places: Sequence[int]) -> str:
    return "1 task" if len(places) == 1 else f"{len(places)} tasks"


def _kind_choice(study: Study, kinds: Sequence[RegretKind]) -> Choice:
    start = study.kind if study.kind in kinds else (kinds[-1] if kinds else "")
    options = tuple((kind, _KIND_OPTIONS[kind]) for kind in kinds)
    name = "Value" if all(shows_values(study, kind) for kind in kinds) else "Regret"
    return Choice("kind", name, options, start, tuple(map(kind_option, kinds)))


def _center_choice(options: Sequence[tuple[str, str]], start: str) -> Choice:
    arguments = tuple(option("statistic", key) for key, _ in options)
    return Choice("center", "Over runs", tuple(options), start, arguments)


def _lines(middle: FloatArray, low: FloatArray | None = None, high: FloatArray | None = None) -> tuple[Line, ...]:
    """Return the curves of the strategies that have any value."""
    return tuple(
        Line(number, middle[number])
        if low is None or high is None
        else Line(number, middle[number], low[number], high[number])
        for number in range(len(middle))
        if np.isfinite(middle[number]).any()
    )
