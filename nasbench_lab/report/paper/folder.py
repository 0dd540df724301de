"""All figures, tables and texts for a paper in one folder."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_lab import spaces
from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.studies.results import Found, Study
from nasbench_lab.errors import DataError, MissingDataError, NasbenchLabError
from nasbench_lab.files import atomic_folder, file_names
from nasbench_lab.messages import first_line
from nasbench_lab.report.figures.architecture import architecture_figure
from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.final_regret import final_columns, final_figure, final_height
from nasbench_lab.report.figures.landscape_comparison import landscape_comparison_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.paper_styles import PAPER_STYLES, PaperStyle
from nasbench_lab.report.figures.pareto import pareto_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import PANEL_HEIGHTS, regret_columns, regret_figure
from nasbench_lab.report.figures.save import PAPER_FORMATS, save_figure_as
from nasbench_lab.report.figures.targets import ecdf_figure, profile_figure
from nasbench_lab.report.incumbent_words import marked_labels
from nasbench_lab.report.local_tables import TableAgreements
from nasbench_lab.report.paper.checklist import reproducibility_checklist
from nasbench_lab.report.paper.landscapes import landscapes_table
from nasbench_lab.report.paper.scores import scores_table
from nasbench_lab.report.paper.tables import (
    TABLE_STATISTICS,
    ResultTable,
    leaderboard_table,
    markdown,
    results_table,
)
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.tables.citations import entries
from nasbench_lab.tables.progress_callbacks import Report, silent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[PaperStyle], "Figure"]

CHECKLIST, REFERENCES, MISSING = "checklist.md", "references.bib", "missing.md"

_PAGE = 8.5  # height that figures may have, inches
_LEGEND = 1.5
_MISSING_TITLE = "# Missing figures and tables"
_OURS = re.compile(r"[a-z0-9-]+-(single|double)\.(pdf|svg|png)|[a-z0-9-]+\.(tex|md)|references\.bib")


def write_paper_folder(
    study: Study,
    results: Results | None,
    folder: Path,
    *,
    overwrite: bool = False,
    formats: Sequence[str] = PAPER_FORMATS,
    report: Report = silent,
    landscapes: Sequence[Landscape] = (),
    scores: Sequence[TableAgreements] = (),
) -> list[str]:
    """Write all figures in all styles and formats, tables, checklist and references.

    The folder appears complete or not at all.

    Files are called ``FIGURE-STYLE.FORMAT`` (``regret-evaluations-single.pdf``), ``TABLE.tex`` and ``TABLE.md``,
    ``checklist.md`` and ``references.bib``. Figures of several pages are numbered. Figures and tables for which the
    results lack the data (no times, a single strategy, no run with a value) are left out; ``missing.md`` names them
    with the reasons.

    Args:
        study: the study.
        results: its source, for figures of several objectives; None leaves them out.
        folder: must not exist or be empty, unless ``overwrite``.
        overwrite: replace an older folder of this function; any other file in it is an error.
        formats: of figures, among ``"pdf"``, ``"svg"`` and ``"png"``.
        report: called with the number of drawn figures and of all figures.
        landscapes: of the tables, which are drawn side by side and listed in a table.
        scores: of the tables, which are listed in a table.

    Returns:
        Names of the files, sorted.

    Raises:
        OutputError: the folder exists already, or cannot be written. It is left unchanged.
    """
    with atomic_folder(folder, replace=_replaceable(folder) if overwrite else None) as temporary:
        missing: dict[str, str] = {}
        absent: dict[str, dict[str, str]] = {}
        figures = [(style, *figure) for style in PAPER_STYLES for figure in _figures(study, results, style, landscapes)]
        for number, (style, name, draw) in enumerate(figures):
            report("drawing figures", number, len(figures))
            try:
                figure = draw(style)
            except MissingDataError as error:
                absent.setdefault(name, {})[style.name] = first_line(error)
                continue
            paths = [temporary / f"{name}-{style.name}.{form}" for form in formats]
            save_figure_as(figure, *paths, style=style)
        for name, reasons in absent.items():
            everywhere = len(reasons) == len(PAPER_STYLES)
            missing |= {name if everywhere else f"{name}-{style}": reason for style, reason in reasons.items()}
        for name, make in (_tables(study) | _tables_of_tables(landscapes, scores)).items():
            try:
                table = make()
            except MissingDataError as error:
                missing[name] = first_line(error)
                continue
            (temporary / f"{table.name}.tex").write_text(table.to_latex(), encoding="utf-8")
            (temporary / f"{table.name}.md").write_text(table.to_markdown(), encoding="utf-8")
        (temporary / CHECKLIST).write_text(reproducibility_checklist(study), encoding="utf-8")
        if references := bibliography(study):
            (temporary / REFERENCES).write_text(references, encoding="utf-8")
        else:
            missing[REFERENCES] = "the results contain no citation of a table"
        if missing:
            (temporary / MISSING).write_text(_list_of_missing(missing), encoding="utf-8")
        return sorted(path.name for path in temporary.iterdir())


def _list_of_missing(missing: Mapping[str, str]) -> str:
    """Return what is not in the folder, with the reasons, as Markdown."""
    lines = [f"- `{name}`: {markdown(reason)}" for name, reason in missing.items()]
    return "\n".join(
        ["# Missing figures and tables", "", "The results do not contain what these need:", "", *lines, ""]
    )


def bibliography(study: Study) -> str:
    """Return the BibTeX of the publications of all tables, each once."""
    found: dict[str, str] = {}
    for table in study.provenance.get("tables") or []:
        try:
            found |= {key: entry for key, entry in entries(table.get("citation", "")) if key not in found}
        except DataError:
            continue  # the citation is not known; the checklist says so
    return "".join(f"{entry}\n\n" for entry in found.values())


def _replaceable(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        return frozenset()
    return frozenset(path.name for path in folder.iterdir() if _OURS.fullmatch(path.name))


def _figures(
    study: Study, results: Results | None, style: PaperStyle, landscapes: Sequence[Landscape]
) -> Iterator[tuple[str, Draw]]:
    """Yield names and drawing functions of all figures; a function raises MissingDataError if the data is missing."""
    kind = study.kind
    drawn = [place for place, task in enumerate(study.tasks) if kind in task.kinds]
    for axis in ("evaluations", "seconds"):
        timed = [place for place in drawn if (kind, axis, place) in study.curves] or drawn
        columns = regret_columns(style, len(timed))
        pages = _pages(timed, columns, PANEL_HEIGHTS[max(columns, 1)])
        for name, tasks in _numbered(f"regret-{axis}", pages):
            yield name, _bind(regret_figure, study, kind, axis, tasks=tasks)
        yield f"ecdf-{axis}", _bind(ecdf_figure, study, kind, axis)
    yield from _of_all_tasks(study)
    pages = _pages(drawn, final_columns(style, len(drawn)), final_height(marked_labels(study, kind), style))
    for name, tasks in _numbered("final", pages):
        yield name, _bind(final_figure, study, kind, tasks=tasks)
    yield from _architectures(study)
    yield from _pareto(results)
    if landscapes:
        yield "landscapes", _bind(landscape_comparison_figure, landscapes)


def _of_all_tasks(study: Study) -> Iterator[tuple[str, Draw]]:
    yield "leaderboard", _bind(leaderboard_figure, study, study.kind)
    for name, figure in {"rank": rank_figure, "cd": cd_figure, "a12": a12_figure}.items():
        alone = len(study.labels) == 1
        yield name, _missing("there is only one strategy") if alone else _bind(figure, study, study.kind)
    yield "normalised", _bind(normalised_figure, study, study.kind)
    yield "profile", _bind(profile_figure, study, study.kind)


def _architectures(study: Study) -> Iterator[tuple[str, Draw]]:
    """Yield the architecture that the best strategy found on each task."""
    for place, file in enumerate(file_names(task.name for task in study.tasks)):
        yield f"architecture-{file}", _draw_best(study, place)


def _draw_best(study: Study, place: int) -> Draw:
    def draw(style: PaperStyle) -> Figure:
        task, found = study.tasks[place], best_found(study, place)
        if found is None:
            raise MissingDataError(f"no run on {task.name!r} has a value, so no architecture was found")
        if not task.space:
            raise MissingDataError("the search space is not stored in these results")
        try:
            space = spaces.make_space(task.space)
        except NasbenchLabError as error:  # a space of a package that is not installed
            raise MissingDataError(first_line(error)) from error
        return architecture_figure(space, found.architecture, style)

    return draw


def best_found(study: Study, task: int, strategy: int | None = None) -> Found | None:
    """Return what a strategy found on a task; by default the strategy with the best rank on the task."""
    there = [found for found in study.found if found.task == task and strategy in (None, found.strategy)]
    if not there:
        return None
    kind = study.kind if study.kind in study.tasks[task].kinds else study.tasks[task].kinds[-1]
    ranks = study.ranks.get(kind)
    if strategy is not None or ranks is None or task not in ranks.tasks:
        return there[0]
    row = ranks.task_ranks[ranks.tasks.index(task)]
    return min(there, key=lambda found: (float(row[found.strategy]), found.strategy))


def _pareto(results: Results | None) -> Iterator[tuple[str, Draw]]:
    """Yield the fronts of each table that was searched for several objectives."""
    if results is None:
        yield "pareto", _missing("the figure needs traces, and a study has none")
        return
    several = [found for found in searches(results.settings) if results.settings[found[0]].conditions.objectives]
    if not several:
        yield "pareto", _missing("no search had further objectives")
    files = file_names(results.settings[numbers[0]].table for numbers in several)
    for file, numbers in zip(files, several, strict=True):
        yield f"pareto-{file}", _draw_pareto(results, numbers)


def _draw_pareto(results: Results, numbers: Sequence[int]) -> Draw:
    among = [setting.label for setting in results.settings]
    return lambda style: pareto_figure([results.trace(number) for number in numbers], among=among, style=style)


def _missing(reason: str) -> Draw:
    """Return a drawing function of a figure that is missing."""

    def draw(_style: PaperStyle) -> Figure:
        raise MissingDataError(reason)

    return draw


def searches(settings: Sequence[Setting]) -> list[list[int]]:
    """Return groups of positions of settings that differ only in strategy and seed."""
    groups: dict[str, list[int]] = {}
    for number, setting in enumerate(settings):
        conditions = dataclasses.replace(setting.conditions, seed=0)
        alike = dataclasses.replace(setting, strategy="", version=0, label="", parameters={}, conditions=conditions)
        groups.setdefault(repr(alike), []).append(number)
    return list(groups.values())


def _tables(study: Study) -> dict[str, Callable[[], ResultTable]]:
    """Return what makes each table; MissingDataError is raised if the data is missing."""
    found: dict[str, Callable[[], ResultTable]] = {
        f"leaderboard-{study.kind}": lambda: leaderboard_table(study),
    }
    for statistic in TABLE_STATISTICS:
        found[f"results-{study.kind}-{statistic}"] = functools.partial(results_table, study, statistic=statistic)
    return found


def _tables_of_tables(
    landscapes: Sequence[Landscape], scores: Sequence[TableAgreements]
) -> dict[str, Callable[[], ResultTable]]:
    found: dict[str, Callable[[], ResultTable]] = {}
    if landscapes:
        found["landscapes"] = functools.partial(landscapes_table, landscapes)
    if scores:
        found["scores"] = functools.partial(scores_table, scores)
    return found


def _bind(figure: Callable[..., Figure], *arguments: object, **options: object) -> Draw:
    return lambda style: figure(*arguments, **options, style=style)


def _pages(places: Sequence[int], columns: int, height: float) -> list[tuple[int, ...]]:
    """Cut tasks into groups whose panels fit on a page."""
    rows = max(1, int((_PAGE - _LEGEND) / height))
    size = rows * max(columns, 1)
    return [tuple(places[first : first + size]) for first in range(0, len(places), size)]


def _numbered(name: str, pages: Sequence[tuple[int, ...]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for number, page in enumerate(pages, start=1):
        yield (name if len(pages) == 1 else f"{name}-{number}"), page
