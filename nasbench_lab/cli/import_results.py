"""``nasbench-lab results import``: the logs of other programs as a folder of results."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import parse_repeat
from nasbench_lab.cli.run_summary import print_notes, print_summaries
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import ImportedResultsWarning, ParameterError
from nasbench_lab.files import atomic_folder
from nasbench_lab.messages import as_command
from nasbench_lab.report import FILES
from nasbench_lab.report.run_folder import write_overview, write_traces
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.simulation import Budget, import_results
from nasbench_lab.simulation.budget import KINDS
from nasbench_lab.simulation.logs.formats import BUILT_IN
from nasbench_lab.tables.importers.columns.hints import as_flags

_BUDGETS = {kind.name: kind.help.removesuffix(".") for kind in KINDS}


def _budget(kind: str) -> Any:
    return typer.Option(help=f"{_BUDGETS[kind]}, which ends the runs.")


def import_logs(
    log: Annotated[list[str], typer.Argument(metavar="LOG...", help="Files, folders or addresses of databases.")],
    out: Annotated[Path, typer.Option(help="Folder for the result; must be new or empty.")],
    kind: Annotated[str, typer.Option("--format", help=f"Format of the logs: auto, {', '.join(BUILT_IN)}.")] = "auto",
    table: Annotated[
        str | None, typer.Option(help="Table that was searched. [default: the column table of the logs]")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="Name of the strategy. [default: its name in the logs]")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=COLUMN", help="Name of a column in the logs, as value=val_acc; may be repeated."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of the values: percent or fraction. [default: that of the table]")
    ] = None,
    error: Annotated[bool, typer.Option("--error", help="The values are errors, not accuracies.")] = False,
    negated: Annotated[bool, typer.Option("--negated", help="The values have the opposite sign.")] = False,
    clock: Annotated[
        str, typer.Option(help="Seconds of the evaluations: log, table (costs of the table), or none.")
    ] = "log",
    durations: Annotated[
        bool, typer.Option("--durations", help="Seconds are those of each evaluation, not elapsed ones.")
    ] = False,
    order: Annotated[
        str, typer.Option(help="Order of the evaluations of a run: auto, step, seconds, or rows.")
    ] = "auto",
    reports: Annotated[str, typer.Option(help="Reports of a training that are evaluations: all, or the last.")] = "all",
    fidelity: Annotated[
        int | None, typer.Option(help="Epochs per evaluation, if the logs do not say them. [default: the highest]")
    ] = None,
    evaluations: Annotated[int | None, _budget("evaluations")] = None,
    epochs: Annotated[int | None, _budget("epochs")] = None,
    seconds: Annotated[float | None, _budget("seconds")] = None,
    trainings: Annotated[int | None, _budget("trainings")] = None,
    repeat: Annotated[
        str | None,
        typer.Option(help="What an evaluation observed: sample, mean or a number. [default: judged by the values]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Workers per run. [default: unknown]")] = None,
    seed: Annotated[int | None, typer.Option(help="Root seed. [default: unknown]")] = None,
    check: Annotated[bool, typer.Option(help="Whether values that cannot be from the table are an error.")] = True,
    delimiter: Annotated[
        str | None, typer.Option(help="CSV: separator of cells. [default: detected from the header]")
    ] = None,
    encoding: Annotated[str, typer.Option(help="CSV, JSON: encoding of the files.")] = "utf-8",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older result in the folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import the logs of other programs as a result folder, with the regrets of the table. Files cannot run code."""
    limits = {"evaluations": evaluations, "epochs": epochs, "seconds": seconds, "trainings": trainings}
    stated: Any = {
        "budget": Budget(**{name: limit for name, limit in limits.items() if limit is not None})  # type: ignore[arg-type]
        if any(limit is not None for limit in limits.values())
        else None,
        "repeat": None if repeat is None else parse_repeat(repeat),
        "workers": workers,
        "seed": seed,
    }
    given: Any = {
        "unit": unit,
        "error": error,
        "negated": negated,
        "clock": clock,
        "durations": durations,
        "order": order,
        "fidelity": fidelity,
        "check": check,
        "reports": reports,
    }
    usual = {"error": False, "negated": False, "clock": "log", "durations": False, "order": "auto", "check": True}
    options = {name: value for name, value in given.items() if value is not None and value != usual.get(name)}
    with (
        atomic_folder(out, replace=FILES if overwrite else None) as folder,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always", ImportedResultsWarning)
        with as_flags():
            results = import_results(
                log,
                table=table,
                strategy=strategy,
                format=kind,
                columns=_pairs(column),
                delimiter=delimiter,
                encoding=encoding,
                **stated,
                **options,
            )
        collected = list(write_traces(([trace] for trace in results), folder))
        write_overview(collected, folder)
    summaries = [each.summary for each in collected]
    print_notes(summaries, [str(warning.message) for warning in caught])
    if as_json:
        print_json({"folder": out, "summaries": summaries})
        return
    print_summaries(summaries)
    runs = sum(row.runs for row in summaries)
    tell(f"\nimported {in_words(runs, 'run')} into {out}; for figures: {as_command('report', out)}")


def _pairs(texts: list[str] | None) -> dict[str, str]:
    """Parse ``NAME=COLUMN``. The name of a column may contain an equals sign.

    >>> _pairs(["value=val acc", "seconds=a=b"])
    {'value': 'val acc', 'seconds': 'a=b'}
    """
    found = {}
    for text in texts or ():
        name, equals, place = text.partition("=")
        if not equals or not name or not place:
            raise ParameterError(f"the option must be NAME=COLUMN, for example value=val_acc, got {text!r}")
        if name in found:
            raise ParameterError(f"column {name!r} is given twice")
        found[name] = place
    return found
