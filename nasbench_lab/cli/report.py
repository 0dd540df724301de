"""``nasbench-lab report``: a page about stored results, and a folder of figures and tables for a paper."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.analysis.studies.pipeline import study as study_of
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.cli.options import check_ending
from nasbench_lab.cli.progress import reporting
from nasbench_lab.cli.results import Labels, ResultPaths, open_paths
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import OutputError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.prediction import is_evaluation, load_evaluation
from nasbench_lab.report.local_tables import StudyLandscapes, StudyScores, study_landscapes, study_scores
from nasbench_lab.report.page import write_page
from nasbench_lab.report.paper.folder import MISSING, write_paper_folder
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.trace import REGRETS, RegretKind

_MEGABYTE = 1e6


def report(
    results: ResultPaths,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    paper: Annotated[
        Path | None, typer.Option(help="Folder for figures and tables. [default: report-paper, beside the page]")
    ] = None,
    page_only: Annotated[bool, typer.Option("--page-only", help="Do not write figures and tables.")] = False,
    kind: Annotated[
        str | None, typer.Option(help="Regret to report: test, valid or observed. [default: the first available one]")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Strategy to compare the others with. [default: random-search]")
    ] = None,
    predictors: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `predictors run --out` that the page shows, too; may be repeated."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing page and folder.")] = False,
    label: Labels = None,
    without_landscapes: Annotated[
        bool, typer.Option("--no-landscapes", help="Leave out the landscapes of the tables.")
    ] = False,
    without_scores: Annotated[
        bool, typer.Option("--no-scores", help="Leave out how well the scores of the tables rank.")
    ] = False,
) -> None:
    """Write a page about stored results, and a folder of figures and tables for a paper."""
    if page_only and paper is not None:
        raise ParameterError("--page-only writes no folder, so it cannot be used with --paper")
    if kind is not None and kind not in REGRETS:
        raise unknown("regret", kind, REGRETS)
    folder = None if page_only else paper or out.with_name(f"{out.stem}-paper")
    _check_free(out, folder, overwrite=overwrite)
    check_ending("--out", out, ".html", ".htm")
    evaluated = {str(path): load_evaluation(path) for path in predictors or ()}
    for path in results:
        if is_evaluation(path):
            raise ParameterError(f"{path} is an evaluation of predictors; give it with --predictors, beside a search")
    opened = open_paths(results, label)
    with reporting("nothing was written") as progress:
        progress("analysing", 0, 0)
        study = _by_kind(study_of(opened, reference=reference), kind)
        landscapes = StudyLandscapes() if without_landscapes else study_landscapes(study)
        scores = StudyScores() if without_scores else study_scores(study)
        progress("writing the page", 0, 0)
        sources = [str(path) for path in results]
        write_page(study, out, source=sources, landscapes=landscapes, scores=scores, predictors=evaluated)
    for warning in study.warnings:
        note(warning)
    tell(f"wrote {out} ({out.stat().st_size / _MEGABYTE:.1f} MB): open it in a browser")
    if folder is not None:
        _write_paper(study, opened, folder, landscapes, scores, overwrite=overwrite)


def _write_paper(
    study: Study,
    results: Results,
    folder: Path,
    landscapes: StudyLandscapes,
    scores: StudyScores,
    *,
    overwrite: bool,
) -> None:
    with reporting("the page is complete") as progress:
        names = write_paper_folder(
            study,
            results,
            folder,
            overwrite=overwrite,
            report=progress,
            landscapes=landscapes.found,
            scores=scores.found,
        )
    tell(f"wrote {folder}: {len(names)} files, figures and tables for a paper")
    if MISSING in names:
        note(f"{folder / MISSING} says which figures and tables are missing, and why")


def _check_free(out: Path, folder: Path | None, *, overwrite: bool) -> None:
    """Raise an OutputError before anything is computed if the outputs cannot be written."""
    if out.is_dir():
        raise OutputError(f"{out} is a folder; choose another file")
    if overwrite:
        return
    if out.exists():
        raise OutputError(f"{out} already exists; choose another file, or use --overwrite")
    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} is not empty; choose another folder, or use --overwrite")


def _by_kind(study: Study, kind: str | None) -> Study:
    """Return the study with a kind of regret as the one that it reports."""
    chosen: list[RegretKind] = [each for each in study.kinds if each == kind]
    if kind is None:
        return study
    if not chosen:
        raise unknown("regret of these results", kind, study.kinds)
    return dataclasses.replace(study, kinds=(*(each for each in study.kinds if each != kind), *chosen))
