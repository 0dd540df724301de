"""``nasbench-lab tables fit``: a surrogate table from a partly trained space, with what it is good for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.verbosity import detail, tell
from nasbench_lab.cli.verdict_lines import print_verdict
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import as_command
from nasbench_lab.prediction.surrogates.fitting import FOLDS, fit_surrogate, replayed_against
from nasbench_lab.prediction.surrogates.found_by import read_found_by
from nasbench_lab.prediction.surrogates.verdict import Verdict
from nasbench_lab.tables import load
from nasbench_lab.tables.catalogue import TABLE_SUFFIXES, is_table_file
from nasbench_lab.tables.surrogates.file import write_surrogate


def fit(
    sample: Annotated[
        str, typer.Argument(metavar="SAMPLE", help="Table with some measured architectures: a file or a name.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Surrogate to write (.h5). [default: beside SAMPLE, with -surrogate]")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model, with parameters as NAME:key=value,...; may be repeated: the mean of all predicts. "
            "[default: extra-trees and gradient-boosting]"
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of architectures, e.g. path+graph-features+scores. [default: by the space]"),
    ] = None,
    scores: Annotated[
        str | None, typer.Option(metavar="TABLE", help="Table with zero-cost scores of all architectures.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric besides those of validation, test and time; may be repeated. [default: energy, parameters, "
            "flops, macs]"
        ),
    ] = None,
    fidelity: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Training epochs; may be repeated. [default: up to four of the table]"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the surrogate table. [default: that of SAMPLE and (surrogate)]")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the cross-validation.")] = FOLDS,
    found_by: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV with the columns strategy and architecture, to leave out one strategy each."
        ),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Complete table of the space, for a replay against it."),
    ] = None,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Replay searches inside the sample.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is random.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit a surrogate table to a partly trained space, check it, and write it. It answers for every architecture."""
    target = out or _beside(sample)
    if target.suffix not in TABLE_SUFFIXES:
        raise ParameterError(f"the name of a surrogate must end in .h5, got {target}")
    found = None if found_by is None else read_found_by(found_by)
    complete = None if truth is None else load(truth)
    with shown_progress("") as told:
        surrogate = fit_surrogate(
            load(sample),
            list(model) if model else None,
            encoding,
            scores=scores,
            metrics=metric,
            fidelities=fidelity,
            name=name,
            folds=folds,
            found_by=found,
            check=check and complete is None,
            seed=seed,
            progress=told,
        )
        if complete is not None:
            surrogate = replayed_against(surrogate, complete, seed=seed, progress=told)
    write_surrogate(surrogate, target)
    verdict = Verdict.from_plain(surrogate.verdict)
    if as_json:
        print_json({"surrogate": surrogate.name, "file": target, "good": not verdict.weaknesses, **surrogate.verdict})
        return
    print_verdict(verdict)
    tell(f"wrote {target}, {target.stat().st_size / 1e6:.2f} MB; search it: {as_command('run', '--table', target)}")
    detail(f"its checksum is in the file; {as_command('tables', 'info', target)} shows the verdict again")


def _beside(sample: str) -> Path:
    if is_table_file(sample):
        path = Path(sample)
        return path.with_name(f"{path.stem}-surrogate.h5")
    return Path(f"{sample.rstrip('/').rpartition('/')[2]}-surrogate.h5")
