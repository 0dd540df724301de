"""Distributions of times to targets, and performance profiles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.axis_names import AXES, axis_words
from nasbench_lab.report.figures.axis_scales import Scale, check_scale, label_axis, set_x_axis
from nasbench_lab.report.figures.curves import CurveOptions, Spread, chosen_spread, draw_curves, spread_in_words
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, looks_of
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid, say
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.incumbent_words import drawn_places, left_out_note, mark_note, regret_label
from nasbench_lab.report.study_selection import (
    NO_COMMON_TASK,
    chosen_kind,
    clock_of,
    computed_only,
    in_words,
    names_in,
    part_of,
)
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 1.9  # of a panel, inches
_SHARES = (-0.02, 1.02)
_MOST_TARGETS = 6


def ecdf_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    axis: TimeAxis | None = None,
    *,
    x_scale: Scale = "log",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the share of targets that runs have reached over time, over all pairs of a run and a target.

    Targets are normalised regrets, and shares are averaged over tasks. Once a run of a strategy has ended without
    reaching all targets, the shares are lower bounds, and the line continues faintly.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        axis: ``"evaluations"`` or ``"seconds"``; by default the one on which the budget is spent.
        x_scale: ``"log"``, as is usual for times to targets, or ``"linear"``.
        highlight: names of strategies, as in legends; the others are grey and thin.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, axis, scale, strategy or style.
        MissingDataError: the regret cannot be normalised, no task has times, or no run reached a target.
    """
    check_scale("x scale", x_scale)
    if axis not in (*AXES, None):
        raise unknown("axis", axis, AXES)
    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    axis = axis or clock_of(study)
    drawn = drawn_places(study, axis)
    looks = looks.only(drawn)
    times = part_of(study.times, (kind, axis), "times to targets", without_scale=computed_only(study))
    if not times.grid.size:
        reason = "no run reached a target" if times.tasks else NO_COMMON_TASK
        raise MissingDataError(f"there is nothing to draw: {reason}")
    with drawing(chosen.rc, names_in(study)):
        title = _targets_in_words(times.targets, regret_label(study, kind))
        title += mark_note(study, kind, drawn) + left_out_note(study, axis)
        names = Names.plan(looks, title, chosen, 1, 1, _HEIGHT)
        figure, (panel,) = panel_grid(chosen, 1, 1, names.panel_height, names.above)
        how = CurveOptions(looks, x_scale, "linear", "none", chosen.width, chosen)
        sure = times.grid <= times.complete_until[:, None]
        bound = ~sure
        bound[:, :-1] |= ~sure[:, 1:]  # from the last sure point, so that the line has no gap
        shares = [np.where(part, times.ecdf, np.nan)[drawn] for part in (sure, bound)]
        draw_curves(panel, times.grid, np.stack([shares[1]] * 3), how, faint=True)
        draw_curves(panel, times.grid, np.stack([shares[0]] * 3), how)
        set_x_axis(panel, x_scale, float(times.grid[0]), float(times.grid[-1]))
        _share_axis(panel)
        panel.set_xlabel(axis_words(study, axis, times.tasks))
        panel.set_ylabel("share of targets reached")
        names.draw(figure, [panel])
    return figure


def profile_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    spread: Spread = "auto",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw two performance profiles; higher is better.

    The first shows the share of runs that end with at most a given normalised regret, averaged over tasks, with
    bootstrap intervals (Agarwal et al., NeurIPS 2021). The second shows the share of problems (a target on a task) on
    which the expected time to the target is at most a given multiple of the best strategy's (Dolan and Moré, 2002).

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        spread: ``"bands"``, ``"bars"`` or ``"none"``; by default bands around up to five lines, and bars otherwise.
        highlight: names of strategies, as in legends; the others are grey and thin.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, spread, strategy or style.
        MissingDataError: the regret cannot be normalised.
    """
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    around = chosen_spread(spread, looks) if study.resamples else "none"
    profiles = part_of(study.profiles, kind, "profiles", without_scale=computed_only(study))
    what = f"{100 * study.level:g} % bootstrap intervals"
    title = f"{regret_label(study, kind)}; {in_words(len(profiles.tasks), 'task')}{spread_in_words(around, what)}"
    title += mark_note(study, kind)
    with drawing(chosen.rc, names_in(study)):
        columns = 1 if chosen.name == "single" else 2
        names = Names.plan(looks, title, chosen, 2, columns, _HEIGHT, direct=False)  # all lines end at 1
        figure, (scores, costs) = panel_grid(chosen, 2, columns, names.panel_height, names.above)
        how = CurveOptions(looks, "linear", "linear", around, chosen.width / columns, chosen)
        shares = profiles.scores
        draw_curves(scores, profiles.regrets, np.stack([shares.low, shares.estimate, shares.high]), how)
        set_x_axis(scores, "linear", 0.0, float(profiles.regrets[-1]))
        scores.set_xlabel("normalised regret at the end")
        scores.set_ylabel("share of runs with at most that")
        _share_axis(scores)
        if not profiles.problems:
            say(costs, "no run reached a target")
        else:
            how = dataclasses.replace(how, x_scale="log", spread="none")
            draw_curves(costs, profiles.ratios, np.stack([profiles.costs] * 3), how)
            set_x_axis(costs, "log", float(profiles.ratios[0]), float(profiles.ratios[-1]))
            costs.set_xlabel("expected time to a target / that of the best")
            costs.set_ylabel(f"share of {in_words(profiles.problems, 'problem')}")
            _share_axis(costs)
        names.draw(figure, [scores, costs])
    return figure


def _share_axis(panel: Axes) -> None:
    """Set the limits of an axis of shares; lines at both ends stay visible."""
    panel.set_ylim(*_SHARES)
    label_axis(panel.yaxis)


def _targets_in_words(targets: FloatArray, regret: str) -> str:
    words = f"targets: normalised {regret}"
    if len(targets) <= _MOST_TARGETS:
        return f"{words}: {', '.join(f'{target:.3g}' for target in targets)}"
    return f"{words}, {len(targets)} from {targets.max():.3g} to {targets.min():.3g}"
