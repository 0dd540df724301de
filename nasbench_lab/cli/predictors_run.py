"""``nasbench-lab predictors run``: evaluate predictors on a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.checks import require
from nasbench_lab.cli.json_output import AsJson
from nasbench_lab.cli.options import parse_repeat
from nasbench_lab.cli.predictors_show import print_evaluation
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.prediction import SIZES, evaluate
from nasbench_lab.prediction.evaluation_results import measure_of
from nasbench_lab.prediction.settings import TEST

_DEFAULT_SIZES = ",".join(map(str, SIZES))


def run(
    table: Annotated[str, typer.Option(help="Name of a table, or path of a table file.")],
    predictor: Annotated[
        list[str],
        typer.Option(
            help="Name of a predictor, with parameters as NAME:key=value,..., file.py:Class or module:Class; may be "
            "repeated. See `predictors list`."
        ),
    ],
    encoding: Annotated[
        list[str] | None,
        typer.Option(
            help="Encoding of architectures for models, e.g. path or one-hot+synflow; may be repeated: every model is "
            "evaluated with every encoding. [default: one-hot]"
        ),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Numbers of labels, separated by commas.")] = _DEFAULT_SIZES,
    trials: Annotated[int, typer.Option(min=1, help="Number of trials.")] = 100,
    first_trial: Annotated[int, typer.Option(min=0, help="Number of the first trial.")] = 0,
    test: Annotated[int, typer.Option(min=3, help="Number of test architectures.")] = TEST,
    test_from: Annotated[
        str, typer.Option(help="Test architectures: uniform (the whole space), or good (near good architectures).")
    ] = "uniform",
    repeat: Annotated[
        str, typer.Option(help="What a label is: sample (one training), mean, or the number of a repeat.")
    ] = "sample",
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    source: Annotated[
        str | None, typer.Option(help="Another table of the same space, or the same, from which models learn, too.")
    ] = None,
    source_epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of its labels. [default: the highest fidelity]")
    ] = None,
    source_labels: Annotated[int | None, typer.Option(min=2, help="Number of its labels. [default: 200]")] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option(
            help="How models learn from it: residual, stacked or pooled; may be repeated. [default: residual]"
        ),
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes. [default: one per processor]")] = None,
    measure: Annotated[
        str, typer.Option(help="Measure to print, e.g. kendall, mae, precision_10, regret_1.")
    ] = "kendall",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results. An evaluation that was stopped continues there, and predictors and trials "
            "can be added. [default: store nothing]"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate predictors: learn from some labels, predict architectures that were not seen, many times."""
    measure_of(measure)  # before anything is computed
    of_source = {"--transfer": transfer, "--source-labels": source_labels, "--source-epochs": source_epochs}
    for option in (name for name, given in of_source.items() if given):
        require(source is not None, f"{option} needs --source, the table to learn from")
    stopped = "" if out is None else f"finished trials are kept in {out}; run the same command again to continue"
    with shown_progress(stopped) as told:
        told("trials", 0, 0)
        found = evaluate(
            table,
            predictor,
            encodings=encoding or "one-hot",
            sizes=parse_sizes(sizes),
            trials=trials,
            first_trial=first_trial,
            test=test,
            test_from=test_from,  # type: ignore[arg-type] # checked there
            repeat=parse_repeat(repeat),
            seed=seed,
            source=source,
            source_epochs=source_epochs,
            source_labels=source_labels or 200,
            transfer=transfer or "residual",  # type: ignore[arg-type] # checked there
            processes=processes,
            out=out,
            progress=lambda done, total: told("trials", done, total),
        )
    print_evaluation(found, measure, out, as_json=as_json)


def parse_sizes(text: str) -> list[int]:
    """Return numbers of labels from a text like ``5,8,14``.

    >>> parse_sizes("5, 8,14")
    [5, 8, 14]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ParameterError(
            f"sizes must be whole numbers separated by commas, like {_DEFAULT_SIZES}, got {shortened(text)}"
        )
    return list(map(int, parts))
