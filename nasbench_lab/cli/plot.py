"""``nasbench-lab plot``: draw one figure from stored results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from nasbench_lab import spaces
from nasbench_lab.analysis.studies.pipeline import study as study_of
from nasbench_lab.analysis.studies.recommended_incumbents import training_warnings
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.studies.warnings import imported_warnings, provenance_warnings
from nasbench_lab.cli.results import Labels, ResultPaths, open_paths
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.architecture import architecture_figure
from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.pareto import pareto_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.save import PAPER_FORMATS, save_figure_as
from nasbench_lab.report.figures.targets import ecdf_figure, profile_figure
from nasbench_lab.report.paper.folder import best_found, searches
from nasbench_lab.simulation.provenance import trained_searches
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OF_STUDY: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "regret": (regret_figure, ("kind", "axis", "statistic", "y", "x_scale", "y_scale", "spread", "highlight")),
    "rank": (rank_figure, ("kind", "x_scale", "highlight")),
    "normalised": (normalised_figure, ("kind", "statistic", "x_scale", "y_scale", "spread", "highlight")),
    "cd": (cd_figure, ("kind", "highlight")),
    "ecdf": (ecdf_figure, ("kind", "axis", "x_scale", "highlight")),
    "profile": (profile_figure, ("kind", "spread", "highlight")),
    "final": (final_figure, ("kind", "y", "x_scale", "highlight")),
    "a12": (a12_figure, ("kind", "highlight")),
    "leaderboard": (leaderboard_figure, ("kind", "highlight")),
}
"""Figures that are drawn from a study alone, with their options."""
_OTHERS = {"pareto": ("kind", "spread", "highlight"), "architecture": ()}

FIGURES = (*_OF_STUDY, *_OTHERS)


def plot(
    results: ResultPaths,
    figure: Annotated[str, typer.Option(help=f"Figure to draw: {', '.join(FIGURES)}.")],
    out: Annotated[Path, typer.Option(help="File to write (.pdf, .svg or .png); an existing file is replaced.")],
    table: Annotated[list[str] | None, typer.Option(help="Use only this table. May be repeated.")] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(help="Use only this strategy, named as in legends. May be repeated.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Regret to draw: test, valid or observed; the figure regret also takes both (valid and test). "
            "[default: the first available one]"
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            help="Horizontal axis: evaluations or seconds; the figure regret also takes both. "
            "[default: that of the budget]"
        ),
    ] = None,
    statistic: Annotated[
        str | None, typer.Option(help="Statistic of regret (median, mean or iqm) or normalised (mean or iqm).")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Strategy to compare the others with. [default: random-search]")
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(help="What regret and final show: regret or value. [default: regret where the optimum is known]"),
    ] = None,
    x_scale: Annotated[
        str | None,
        typer.Option(help="Scale of the horizontal axis: linear or log. [default: linear; for ecdf and final, log]"),
    ] = None,
    y_scale: Annotated[
        str | None,
        typer.Option(help="Scale of the vertical axis: linear or log. [default: what suits the values]"),
    ] = None,
    spread: Annotated[
        str | None,
        typer.Option(
            help="What is drawn around lines: bands, bars or none. [default: bands for up to five lines, else bars]"
        ),
    ] = None,
    highlight: Annotated[
        list[str] | None,
        typer.Option(help="Draw all strategies in grey except this one, named as in legends. May be repeated."),
    ] = None,
    style: Annotated[
        str, typer.Option(help="Size of the figure: single or double column, or slide (16:9).")
    ] = "single",
    label: Labels = None,
) -> None:
    """Draw one figure for a paper from stored results."""
    chosen = paper_style(style)
    options: dict[str, Any] = {
        "kind": kind,
        "axis": axis,
        "y": y,
        "statistic": statistic,
        "x_scale": x_scale,
        "y_scale": y_scale,
    }
    options |= {"spread": spread, "highlight": highlight or None}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    _check(figure, out, given)
    opened = open_paths(results, label)
    for warning in provenance_warnings({**opened.provenance, "skipped": []}):
        note(warning)
    wanted = _select(opened, table or [], strategy or [])
    for warning in imported_warnings(opened.settings[number] for number in wanted):
        note(warning)
    for warning in training_warnings(trained_searches(opened.settings[number] for number in wanted)):
        note(warning)
    if figure == "pareto":
        drawn = _pareto(opened, wanted, chosen, given)
    else:
        # All stored results, or only the selected traces.
        part: Results | list[Trace] = opened if len(wanted) == len(opened) else [opened.trace(n) for n in wanted]
        among = tuple(dict.fromkeys(setting.label for setting in opened.settings))
        found = dataclasses.replace(study_of(part, reference=reference), among=among)
        drawn = _draw(figure, found, chosen, given)
    with atomic_path(out) as temporary:
        save_figure_as(drawn, temporary, style=chosen)
    tell(f"wrote {out}")


def _check(figure: str, out: Path, given: dict[str, Any]) -> None:
    """Raise an error before anything is computed if the options do not fit together."""
    if figure not in FIGURES:
        raise unknown("figure", figure, FIGURES)
    if out.suffix[1:] not in PAPER_FORMATS:
        allowed = ", ".join(f".{form}" for form in PAPER_FORMATS)
        raise ParameterError(f"the file must end in {allowed}, got {out.name!r}")
    has = _OF_STUDY[figure][1] if figure in _OF_STUDY else _OTHERS[figure]
    for name in given:
        if name not in has:
            raise ParameterError(f"the figure {figure!r} has no option --{name.replace('_', '-')}")


def _select(results: Results, tables: Sequence[str], strategies: Sequence[str]) -> list[int]:
    """Return the numbers of the simulations of the wanted tables and strategies; no names select all of them."""
    for what, names, known in (
        ("table", tables, {setting.table for setting in results.settings}),
        ("strategy", strategies, {setting.label for setting in results.settings}),
    ):
        for name in names:
            if name not in known:
                raise unknown(f"{what} of these results", name, known)
    found = [
        number
        for number, setting in enumerate(results.settings)
        if setting.table in (tables or [setting.table]) and setting.label in (strategies or [setting.label])
    ]
    if not found:
        raise MissingDataError("none of these strategies ran on these tables")
    return found


def _draw(figure: str, study: Study, style: PaperStyle, given: dict[str, Any]) -> Figure:
    if figure == "architecture":
        return _architecture(study, style)
    return cast("Figure", _OF_STUDY[figure][0](study, **given, style=style))


def _several(tables: Sequence[str]) -> ParameterError:
    """Return the error for a figure of one search where there are several."""
    names = list(dict.fromkeys(tables))
    if len(names) > 1:
        return ParameterError(f"the figure shows one table; choose it with --table: {', '.join(names)}")
    return ParameterError(
        f"the figure shows one search, and these searches of {names[0]} differ (for example in their budgets); "
        "choose some with --strategy, or give fewer results"
    )


def _architecture(study: Study, style: PaperStyle) -> Figure:
    """Draw the best architecture that any strategy found on the table."""
    if len(study.tasks) > 1:
        raise _several([task.table for task in study.tasks])
    found = best_found(study, 0)
    if found is None:
        raise MissingDataError(f"no run on {study.tasks[0].name!r} has a value, so no architecture was found")
    if not study.tasks[0].space:
        raise MissingDataError("the search space is not stored in these results")
    return architecture_figure(spaces.make_space(study.tasks[0].space), found.architecture, style)


def _pareto(results: Results, wanted: Sequence[int], style: PaperStyle, given: dict[str, Any]) -> Figure:
    groups = searches([results.settings[number] for number in wanted])
    if len(groups) > 1:
        raise _several([results.settings[number].table for number in wanted])
    among = [setting.label for setting in results.settings]
    options = {"split" if name == "kind" else name: value for name, value in given.items()}
    return pareto_figure([results.trace(number) for number in wanted], **options, among=among, style=style)
