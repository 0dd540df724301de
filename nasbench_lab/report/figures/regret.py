"""The regret over the search: median with quartiles, or a mean with its bootstrap interval, one panel per task."""

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
from nasbench_lab.report.axis_names import AXES, axis_words
from nasbench_lab.report.figures.axis_scales import Scale, check_scale, scale_for
from nasbench_lab.report.figures.curves import (
    CurveOptions,
    Spread,
    chosen_spread,
    draw_losses,
    draw_values,
    end_together,
    spread_in_words,
)
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, looks_of
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import (
    check_something_drawn,
    label_outer,
    panel_grid,
    say,
    set_title,
)
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import wrap_label
from nasbench_lab.report.incumbent_words import (
    drawn_places,
    left_out_note,
    mark_note,
    regret_label,
    table_kinds_note,
)
from nasbench_lab.report.study_selection import (
    QUANTITIES,
    Quantity,
    check_optimum,
    chosen_kind,
    chosen_tasks,
    clock_of,
    names_in,
    optimum_note,
    runs_in_words,
    shown_as_value,
    why_no_curves,
)
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Statistic = Literal["median", "mean", "iqm"]
STATISTICS: tuple[Statistic, ...] = ("median", "mean", "iqm")


PANEL_HEIGHTS = {1: 2.0, 2: 1.7, 3: 1.6, 4: 1.4}
"""Height of a panel in inches, by the number of columns."""

_POINTS = 256  # of a curve that is computed for the figure


@dataclass(frozen=True)
class _Panel:
    """What a panel shows: the regret of one kind on one task against one axis."""

    place: int
    kind: RegretKind
    axis: TimeAxis


def regret_figure(
    results: StudySource,
    kind: RegretKind | Literal["both"] | None = None,
    axis: TimeAxis | Literal["both"] | None = None,
    *,
    statistic: Statistic = "median",
    x_scale: Scale = "linear",
    y_scale: Scale | None = None,
    spread: Spread = "auto",
    highlight: Highlight = None,
    tasks: Sequence[int | str] | None = None,
    y: Quantity | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the regret over the search, one panel per task and one line per strategy.

    Where the optimum is not known, as with most tables that compute their answers, panels show values instead.

    Strategies are named at the ends of their lines where there is room, otherwise in a legend. On a logarithmic axis, a
    regret of zero is drawn on a line at the bottom that is marked ``optimum``. A line ends where the first run of its
    strategy ends. On a linear x axis, the first evaluations may begin above the panel.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one. With ``"both"`` mean validation and mean test regret stand
            side by side, where the tables have them.
        axis: ``"evaluations"`` or ``"seconds"``; by default the one on which the budget is spent. With ``"both"`` each
            task has a row of panels against evaluations and, where its table has times, one against simulated seconds.
        statistic: ``"median"`` with the interquartile range, or ``"mean"`` or ``"iqm"`` with its bootstrap interval.
        x_scale: ``"linear"``, which shows the end of the search best, or ``"log"``.
        y_scale: ``"linear"`` or ``"log"``; by default logarithmic if the largest regret is a multiple of the smallest.
        spread: ``"bands"``, ``"bars"`` at chosen points or ``"none"``; by default bands around up to five lines, and
            bars otherwise.
        highlight: names of strategies, as in legends; the others are grey and thin.
        tasks: their positions or names; by default all.
        y: ``"value"`` shows values in the metric's unit on all panels, ``"regret"`` regrets; by default regrets where
            the optimum is known.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        ParameterError: there are no results, or a strategy ran twice on a task.
        UnknownNameError: there is no such kind, axis, statistic, scale, spread, strategy, task or style.
        MissingDataError: no task has that kind of regret, no panel would have a curve, or regrets are asked for where
            the optimum is not known.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> [panel.get_xlabel() for panel in regret_figure(trace).axes]
    ['evaluations']
    >>> len(regret_figure(trace, "both", "both").axes)
    4
    """
    chosen = _Choice(kind, axis, statistic, x_scale, y_scale, spread, y)
    return _figure(results, chosen, highlight, tasks, paper_style(style))


def overview_figure(results: StudySource) -> Figure:
    """Draw the most informative regret, see `regret_figure`; panels without a curve say why, even if all do."""
    chosen = _Choice(None, None, "median", "linear", None, "auto", None)
    return _figure(results, chosen, None, None, paper_style("double"), may_be_empty=True)


@dataclass(frozen=True)
class _Choice:
    """What a user chose, see `regret_figure`."""

    kind: RegretKind | Literal["both"] | None
    axis: TimeAxis | Literal["both"] | None
    statistic: Statistic
    x_scale: Scale
    y_scale: Scale | None
    spread: Spread
    y: Quantity | None

    def check(self) -> None:
        """Raise UnknownNameError if a name is unknown, before anything is computed."""
        if self.statistic not in STATISTICS:
            raise unknown("statistic", self.statistic, STATISTICS)
        if self.axis not in (*AXES, "both", None):
            raise unknown("axis", self.axis, (*AXES, "both"))
        check_scale("x scale", self.x_scale)
        check_scale("y scale", self.y_scale)
        if self.y not in (*QUANTITIES, None):
            raise unknown("quantity", str(self.y), QUANTITIES)


def _figure(
    results: StudySource,
    choice: _Choice,
    highlight: Highlight,
    tasks: Sequence[int | str] | None,
    style: PaperStyle,
    *,
    may_be_empty: bool = False,
) -> Figure:
    choice.check()
    quick = {"resamples": 0, "curves_only": True} if choice.statistic == "median" else {}
    study = study_of(results, points=_POINTS, **quick)
    places = chosen_tasks(study, tasks)
    kinds = _both_kinds(study, places) if choice.kind == "both" else [chosen_kind(study, choice.kind)]
    looks = looks_of(study, highlight, kinds[0])
    axis = choice.axis or clock_of(study, places)
    if choice.y == "regret":
        for place in places:
            check_optimum(study.tasks[place], kinds[0])
    panels = [
        _Panel(place, each, against)
        for place in places
        for against in _axes(study.tasks[place], axis)
        for each in kinds
    ]
    reasons = [_why_empty(study, panel, choice.statistic) for panel in panels]
    if not may_be_empty:
        check_something_drawn(reasons)
    columns = len(kinds) if len(kinds) > 1 else regret_columns(style, len(panels))
    lines = [None if reason else _lines_of(study, panel, choice) for panel, reason in zip(panels, reasons, strict=True)]
    drawn = drawn_places(study, axis)
    looks, lines = looks.only(drawn), [each and (each[0], each[1][:, drawn]) for each in lines]
    spread = chosen_spread(choice.spread, looks)
    as_values = [shown_as_value(study.tasks[panel.place], panel.kind, choice.y) for panel in panels]
    losses = [each[1] for each, value in zip(lines, as_values, strict=True) if each is not None and not value]
    y_scale = choice.y_scale or scale_for(losses)
    how = CurveOptions(looks, choice.x_scale, y_scale, spread, style.width / columns, style)
    with drawing(style.rc, names_in(study)):
        caption = _caption(study, places, choice.statistic, spread)
        caption += mark_note(study, kinds[0], drawn) + left_out_note(study, axis) + table_kinds_note(study, places)
        caption += optimum_note(study, places, kinds[0], choice.y)
        direct = end_together([each for each in lines if each is not None], how)
        height = PANEL_HEIGHTS[min(columns, 4)]
        names = Names.plan(looks, caption, style, len(panels), columns, height, direct=direct)
        figure, axes = panel_grid(style, len(panels), columns, names.panel_height, names.above)
        for one, panel, reason, curves in zip(axes, panels, reasons, lines, strict=True):
            if curves is None:
                say(one, reason)
            elif shown_as_value(study.tasks[panel.place], panel.kind, choice.y):
                values = study.tasks[panel.place].value(panel.kind, curves[1])
                draw_values(one, curves[0], values, how, logarithmic=choice.y_scale == "log")
            else:
                draw_losses(one, *curves, how)
            set_title(one, _title(study.tasks[panel.place]), style, style.width / columns - 4.5 * style.em)
        if "both" in (choice.kind, choice.axis):
            _label_each(study, axes, panels, as_values, names.panel_height, style)
        else:
            label = regret_label(study, kinds[0], values=all(as_values))
            if any(as_values) and not all(as_values):
                label = label.replace("regret", "regret or value", 1)
            words, units = (axis_words(study, panels[0].axis, places), label), _units(study, places, kinds[0])
            label_outer(figure, axes, columns, names.above, words, units, style)
        names.draw(figure, axes)
    return figure


def regret_columns(style: PaperStyle, panels: int) -> int:
    """Return how many panels stand side by side.

    >>> from nasbench_lab.report.figures.paper_styles import STYLES
    >>> regret_columns(STYLES["single"], 1), regret_columns(STYLES["double"], 20)
    (1, 4)
    """
    if style.name == "single" or panels == 4:
        return min(panels, 2)
    if style.name == "slide" and panels > 16:
        return 5
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


def _title(task: Task) -> str:
    return f"{task.name}{', on test' if task.searched_on_test else ''}"


def _caption(study: Study, places: Sequence[int], statistic: Statistic, spread: str) -> str:
    """Return which statistic over runs the lines show, and what is around them."""
    runs = runs_in_words(study, places)
    if statistic == "median":
        return f"lines: median of {runs}{spread_in_words(spread, 'interquartile range')}"
    name = {"mean": "mean", "iqm": "interquartile mean"}[statistic]
    around = spread if study.resamples else "none"
    return f"lines: {name} of {runs}{spread_in_words(around, f'its {100 * study.level:g} % bootstrap interval')}"


def _label_each(
    study: Study,
    axes: Sequence[Axes],
    panels: Sequence[_Panel],
    as_values: Sequence[bool],
    height: float,
    style: PaperStyle,
) -> None:
    """Label both axes of each panel."""
    for one, panel, value in zip(axes, panels, as_values, strict=True):
        if one.axison:
            one.set_xlabel(axis_words(study, panel.axis, [panel.place]))
            label = f"{regret_label(study, panel.kind, values=value)} ({study.tasks[panel.place].unit(panel.kind)})"
            one.set_ylabel(wrap_label(label, height - 4.5 * style.em, style.font_size))


def _units(study: Study, places: Sequence[int], kind: RegretKind) -> list[str]:
    """Return the unit on each panel; a panel without measurements has the unit of the others."""
    units = [study.tasks[place].unit(kind) if kind in study.tasks[place].kinds else "" for place in places]
    known = [unit for unit in units if unit]
    return [unit or next(iter(known), "") for unit in units]


def _lines_of(study: Study, panel: _Panel, choice: _Choice) -> tuple[FloatArray, FloatArray]:
    """Return the grid, and lower end, middle and upper end of the curves, shape (3, S, P)."""
    curves = study.curves[panel.kind, panel.axis, panel.place]
    return curves.grid, _lines(curves, choice.statistic)


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
