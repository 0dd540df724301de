"""The regret over the search: median with quartiles, or a mean with its bootstrap interval, on log axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.studies.results import Study, Task
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import (
    AXIS_WORDS,
    KIND_WORDS,
    check_something_drawn,
    draw_losses,
    label_outer,
    panel_grid,
    say,
    set_title,
)
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import wrap_label
from nasbench_lab.report.study_selection import (
    chosen_kind,
    chosen_tasks,
    looks_of,
    names_in,
    runs_in_words,
    why_no_curves,
)
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Statistic = Literal["median", "mean", "iqm"]
STATISTICS: tuple[Statistic, ...] = ("median", "mean", "iqm")

PANEL_HEIGHTS = {1: 2.0, 2: 1.5, 3: 1.6, 4: 1.4}
"""Height of a panel in inches, by the number of columns."""

_OVERVIEW_HEIGHT = 2.3  # of a panel with labels of its own, inches
_POINTS = 256  # of a curve that is computed for the figure
_AROUND = 0.55  # height of a panel but for its axis, inches


@dataclass(frozen=True)
class _Panel:
    """What a panel shows: the regret of one kind on one task against one axis."""

    place: int
    kind: RegretKind
    axis: TimeAxis


def regret_figure(
    results: StudySource,
    kind: RegretKind | Literal["both"] | None = None,
    axis: TimeAxis | Literal["both"] = "evaluations",
    *,
    statistic: Statistic = "median",
    tasks: Sequence[int | str] | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the regret over the search on log axes, one panel per task and one line per strategy.

    A regret of zero is drawn on a line at the bottom that is marked ``optimum``. A line ends where the first run of
    its strategy ends.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one. With ``"both"`` mean validation and mean test regret stand
            side by side, where the tables have them.
        axis: ``"evaluations"`` or ``"seconds"``. With ``"both"`` each task has a row of panels against evaluations and,
            where its table has times, one against simulated seconds.
        statistic: ``"median"`` with the interquartile range, or ``"mean"`` or ``"iqm"`` with its bootstrap interval.
        tasks: their positions or names; by default all.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        ParameterError: there are no results, or a strategy ran twice on a task.
        UnknownNameError: there is no such kind, axis, statistic, task or style.
        MissingDataError: no task has that kind of regret, or no panel would have a curve.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> [panel.get_ylabel() for panel in regret_figure(trace).axes]
    ['mean test regret (fraction)']
    >>> len(regret_figure(trace, "both", "both").axes)
    4
    """
    return _figure(results, kind, axis, statistic, tasks, style)


def overview_figure(results: StudySource) -> Figure:
    """Draw both regrets against both axes, see `regret_figure`; panels without a curve say why, even if all do."""
    return _figure(results, "both", "both", "median", None, "double", may_be_empty=True)


def _figure(
    results: StudySource,
    kind: RegretKind | Literal["both"] | None,
    axis: TimeAxis | Literal["both"],
    statistic: Statistic,
    tasks: Sequence[int | str] | None,
    style: PaperStyle | str,
    *,
    may_be_empty: bool = False,
) -> Figure:
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS)
    if axis not in (*AXIS_WORDS, "both"):
        raise unknown("axis", axis, (*AXIS_WORDS, "both"))
    quick = {"resamples": 0, "curves_only": True} if statistic == "median" else {}
    study = study_of(results, points=_POINTS, **quick)
    chosen, places = paper_style(style), chosen_tasks(study, tasks)
    overview = "both" in (kind, axis)
    kinds = _both_kinds(study, places) if kind == "both" else [chosen_kind(study, kind)]
    panels = [
        _Panel(place, each, against)
        for place in places
        for against in _axes(study.tasks[place], axis)
        for each in kinds
    ]
    reasons = [_why_empty(study, panel, statistic) for panel in panels]
    if not may_be_empty:
        check_something_drawn(reasons)
    columns = len(kinds) if len(kinds) > 1 else regret_columns(chosen, len(panels))
    height = _OVERVIEW_HEIGHT if overview else PANEL_HEIGHTS[columns]
    titles = _titles(study, places, overview=overview)
    with drawing(chosen.rc, names_in(study)):
        legend = Legend.plan(study.labels, _legend_title(study, places, statistic), chosen)
        figure, axes = panel_grid(chosen, len(panels), columns, height, legend.height)
        for one, panel, reason in zip(axes, panels, reasons, strict=True):
            if reason:
                say(one, reason)
            else:
                curves = study.curves[panel.kind, panel.axis, panel.place]
                draw_losses(one, curves.grid, _lines(curves, statistic), looks_of(study))
            set_title(one, titles[panel.place], chosen, columns)
            if overview and one.axison:
                one.set_xlabel(AXIS_WORDS[panel.axis])
                label = f"{KIND_WORDS[panel.kind]} ({study.tasks[panel.place].unit(panel.kind)})"
                one.set_ylabel(wrap_label(label, height - _AROUND, chosen.font_size))
        if not overview:
            words = AXIS_WORDS[panels[0].axis], KIND_WORDS[kinds[0]]
            label_outer(figure, axes, columns, legend.height, words, _units(study, places, kinds[0]))
        legend.draw(figure, looks_of(study))
    return figure


def regret_columns(style: PaperStyle, panels: int) -> int:
    """Return how many panels stand side by side.

    >>> from nasbench_lab.report.figures.paper_styles import STYLES
    >>> regret_columns(STYLES["single"], 1), regret_columns(STYLES["double"], 20)
    (1, 4)
    """
    if style.name == "single" or panels == 4:
        return min(panels, 2)
    return min(panels, 3 if panels <= 9 else 4)


def _axes(task: Task, axis: TimeAxis | Literal["both"]) -> tuple[TimeAxis, ...]:
    return task.axes if axis == "both" else (axis,)


def _both_kinds(study: Study, places: Sequence[int]) -> list[RegretKind]:
    """Return the kinds of regret that are judged by means, and that some of the tasks have."""
    compared: tuple[RegretKind, ...] = ("valid", "test")
    found = [kind for kind in compared if any(kind in study.tasks[place].kinds for place in places)]
    if not found:
        raise MissingDataError("no table has validation or test measurements")
    return found


def _titles(study: Study, places: Sequence[int], *, overview: bool) -> dict[int, str]:
    """Return a title for the panels of each task; in an overview there is room to say what evaluations observe."""
    if not overview:
        tested = {place: study.tasks[place].searched_on_test for place in places}
        return {place: f"{study.tasks[place].name}{', on test' if tested[place] else ''}" for place in places}
    titles = {place: _full_title(study.tasks[place]) for place in places}
    several = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    return {place: study.tasks[place].name if title in several else title for place, title in titles.items()}


def _full_title(task: Task) -> str:
    repeat = task.conditions.repeat
    parts = [f"{task.conditions.fidelity} epochs"]
    if repeat != "sample":
        parts.append("mean of repeats" if repeat == "mean" else f"repeat {repeat}")
    if task.searched_on_test:
        parts.append("on test")
    return f"{task.table} ({', '.join(parts)})"


def _legend_title(study: Study, places: Sequence[int], statistic: Statistic) -> str:
    runs = runs_in_words(study, places)
    if statistic == "median":
        return f"median (line) and interquartile range (band) of {runs}"
    name = {"mean": "mean", "iqm": "interquartile mean"}[statistic]
    if not study.resamples:
        return f"{name} of {runs}"
    return f"{name} (line) of {runs}, with its {100 * study.level:g} % bootstrap interval (band)"


def _units(study: Study, places: Sequence[int], kind: RegretKind) -> list[str]:
    """Return the unit on each panel; a panel without measurements has the unit of the others."""
    units = [study.tasks[place].unit(kind) if kind in study.tasks[place].kinds else "" for place in places]
    known = [unit for unit in units if unit]
    return [unit or next(iter(known), "") for unit in units]


def _lines(curves: AnytimeCurves, statistic: Statistic) -> FloatArray:
    """Return lower end, middle and upper end, shape (3, S, P)."""
    if statistic == "median":
        return curves.quartiles
    intervals = curves.mean if statistic == "mean" else curves.iqm
    return np.stack([intervals.low, intervals.estimate, intervals.high])


def _why_empty(study: Study, panel: _Panel, statistic: Statistic) -> str:
    """Return the reason why a panel has no curve; empty if it has."""
    curves = study.curves.get((panel.kind, panel.axis, panel.place))
    if curves is None:
        return why_no_curves(study, panel.place, panel.kind, panel.axis)
    return "" if np.isfinite(_lines(curves, statistic)[1]).any() else "too few runs have a value"
