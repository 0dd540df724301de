"""Distributions of times to targets, and performance profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import AXIS_WORDS, KIND_WORDS, label_log_axis, panel_grid, say
from nasbench_lab.report.figures.paper_styles import PaperStyle, marker_places, paper_style
from nasbench_lab.report.study_selection import chosen_kind, in_words, looks_of, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 1.9  # of a panel, inches
_BOUND = 0.35  # opacity of lines that are lower bounds only
_SHARES = (-0.02, 1.02)
_MOST_TARGETS = 6


def ecdf_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    axis: TimeAxis = "evaluations",
    *,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the share of targets that runs have reached over time, over all pairs of a run and a target.

    Targets are normalised regrets, and shares are averaged over tasks. Once a run of a strategy has ended without
    reaching all targets, the shares are lower bounds, and the line continues faintly.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        axis: ``"evaluations"`` or ``"seconds"``.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, axis or style.
        MissingDataError: the regret cannot be normalised, no task has times, or no run reached a target.
    """
    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    if axis not in AXIS_WORDS:
        raise unknown("axis", axis, AXIS_WORDS)
    times = part_of(study.times, (kind, axis), "times to targets")
    if not times.grid.size:
        raise MissingDataError("there is nothing to draw: no run reached a target")
    with drawing(chosen.rc, names_in(study)):
        legend = Legend.plan(study.labels, _targets_in_words(times.targets, kind), chosen)
        figure, (panel,) = panel_grid(chosen, 1, 1, _HEIGHT, legend.height)
        for number, look in enumerate(looks_of(study)):
            sure = times.grid <= times.complete_until[number]
            _draw_share(panel, times.grid[sure], times.ecdf[number][sure], look, number)
            bound = ~sure
            bound[:-1] |= ~sure[1:]  # from the last sure point, so that the line has no gap
            faint = {**look, "alpha": _BOUND, "marker": ""}
            panel.plot(times.grid[bound], times.ecdf[number][bound], drawstyle="steps-post", **faint)
        panel.set_xscale("log")
        label_log_axis(panel.xaxis)
        panel.set_ylim(*_SHARES)
        panel.set_xlabel(AXIS_WORDS[axis])
        panel.set_ylabel("share of targets reached")
        legend.draw(figure, looks_of(study))
    return figure


def profile_figure(
    results: StudySource, kind: RegretKind | None = None, *, style: PaperStyle | str = "single"
) -> Figure:
    """Draw two performance profiles; higher is better.

    The first shows the share of runs that end with at most a given normalised regret, averaged over tasks, with
    bootstrap intervals (Agarwal et al., NeurIPS 2021). The second shows the share of problems (a target on a task) on
    which the expected time to the target is at most a given multiple of the best strategy's (Dolan and Moré, 2002).

    Raises:
        UnknownNameError: there is no such kind or style.
        MissingDataError: the regret cannot be normalised.
    """
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    profiles = part_of(study.profiles, kind, "profiles")
    tasks = in_words(len(profiles.tasks), "task")
    title = f"{KIND_WORDS[kind]} on {tasks}; bands: {100 * study.level:g} % bootstrap intervals"
    with drawing(chosen.rc, names_in(study)):
        legend = Legend.plan(study.labels, title, chosen)
        columns = 1 if chosen.name == "single" else 2
        figure, (scores, costs) = panel_grid(chosen, 2, columns, _HEIGHT, legend.height)
        looks = looks_of(study)
        for number, look in enumerate(looks):
            _draw_share(scores, profiles.regrets, profiles.scores.estimate[number], look, number, log=False)
            _draw_share(costs, profiles.ratios, profiles.costs[number], look, number)
            band = {"color": look["color"], "alpha": 0.18 * min(1.0, 6 / len(looks)), "linewidth": 0}
            low, high = profiles.scores.low[number], profiles.scores.high[number]
            scores.fill_between(profiles.regrets, low, high, step="post", **band)
        scores.set_xlabel("normalised regret at the end")
        scores.set_ylabel("share of runs with at most that")
        scores.set_ylim(*_SHARES)
        if not profiles.problems:
            say(costs, "no run reached a target")
        else:
            costs.set_xscale("log")
            label_log_axis(costs.xaxis)
            costs.set_xlabel("expected time to a target / that of the best")
            costs.set_ylabel(f"share of {in_words(profiles.problems, 'problem')}")
            costs.set_ylim(*_SHARES)
        legend.draw(figure, looks)
    return figure


def _draw_share(
    panel: Axes, grid: FloatArray, share: FloatArray, look: dict[str, Any], number: int, *, log: bool = True
) -> None:
    known = np.isfinite(share)
    marks: dict[str, Any] = {"markevery": marker_places(grid[known], number, log=log)} if look["marker"] else {}
    panel.plot(grid[known], share[known], drawstyle="steps-post", **look, **marks)


def _targets_in_words(targets: FloatArray, kind: RegretKind) -> str:
    words = f"share of targets of the normalised {KIND_WORDS[kind].removeprefix('mean ')} that runs reached"
    if len(targets) <= _MOST_TARGETS:
        return f"{words} (targets: {', '.join(f'{target:.3g}' for target in targets)})"
    return f"{words} ({len(targets)} targets from {targets.max():.3g} to {targets.min():.3g})"
