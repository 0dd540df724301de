"""``nasbench-lab one-shot run``: search with shared weights, and judge what is recommended with a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_lab.cli.json_output import AsJson
from nasbench_lab.cli.one_shot_results import print_outcome
from nasbench_lab.cli.options import Device, Precision, Threads, needs_torch
from nasbench_lab.cli.progress import Tell, shown_progress
from nasbench_lab.cli.training_options import dataset_option, network_options
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import OutputError, ParameterError
from nasbench_lab.files import is_working
from nasbench_lab.messages import shortened
from nasbench_lab.plain_files import is_folder
from nasbench_lab.report.run_folder import write_result
from nasbench_lab.strategies.lookup import parse_parameters, parse_strategy, split_path

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot import OneShotProgress
    from nasbench_lab.train.one_shot.protocols import PublishedProtocol


def run(
    table: Annotated[
        str | None,
        typer.Option(help="Name of a table, or path of a table file. [default: that of the protocol and data set]"),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Name of a method, file.py:Class or module:Class, with parameters as NAME:key=value,...; "
            "see `one-shot methods`."
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Name of a published protocol, instead of a method; see `one-shot protocols`.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Parameter of the method; may be repeated.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of a data set, or path of an .npz file. [default: the one in the name of the table]"),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder with the official files of the data set (cifar10, ...).")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of every run. [default: those of the method or protocol]")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Number of runs; each trains one supernet.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
    training: Annotated[
        str | None,
        typer.Option("--recipe", help="Name of a recipe for the shared weights. [default: depends on the data set]"),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=NUMBER", help="Network option, e.g. channels=16; may be repeated."),
    ] = None,
    statistics: Annotated[
        str | None,
        typer.Option(help="Batch normalisation of scores: batch, recalibrated or running. [default: batch]"),
    ] = None,
    affine: Annotated[bool, typer.Option("--affine", help="Train scales and shifts of normalisations.")] = False,
    scale: Annotated[
        float | None, typer.Option(help="Seconds of the table per second of the search. [default: measured]")
    ] = None,
    snapshots: Annotated[int, typer.Option(min=1, help="How often each run saves its supernet.")] = 10,
    processes: Annotated[int, typer.Option(min=1, help="Processes that share the runs.")] = 1,
    threads: Threads = 1,
    device: Device = "cpu",
    precision: Precision = "float32",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the result; a search there that was stopped continues. [default: store nothing]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search with one network for all architectures, and look up what it recommends in a table."""
    needs_torch()
    from nasbench_lab.train.one_shot import search
    from nasbench_lab.train.one_shot.protocols import protocol as protocol_named

    chosen = None if protocol is None else protocol_named(protocol)
    given = {
        "table": table,
        "epochs": epochs,
        "recipe": training,
        "statistics": statistics,
        "affine": affine or None,
        "network": network_options(network or []),
        "scale": scale,
    }
    arguments = {
        **_searched(chosen, method, param or [], dataset_option(dataset, folder, table), given),
        "runs": runs,
        "seed": seed,
        "snapshots": snapshots,
        "processes": processes,
        "threads": threads,
        "device": device,
        "precision": precision,
        "folder": out,
    }
    before = _checkpoints(out)
    if out is not None:
        _check_folder(out)
    stopped = "" if out is None else f"finished epochs are kept in {out}; run the same command again to continue"
    with shown_progress(stopped) as show:
        show("reading data and measuring the clock", 0, 0)
        trace = search(**arguments, progress=lambda progress: _show(show, progress))
        if out is not None:
            write_result([trace], out)
    if before and before == _checkpoints(out):
        tell(f"the search in {out} was finished already; its results:")
    print_outcome(trace, chosen, out, as_json=as_json)


def _searched(
    chosen: PublishedProtocol | None,
    method: str | None,
    parameters: Sequence[str],
    dataset: Mapping[str, str] | None,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments of the search that a protocol or the user says."""
    options = {name: value for name, value in given.items() if value is not None}
    own = _parameters(parameters)
    if (method is None) == (chosen is None):
        raise ParameterError("give --method or --protocol, one of the two; `one-shot methods` lists all methods")
    if chosen is not None:
        if dataset is None:
            raise ParameterError(f"--protocol needs --dataset: {', '.join(chosen.datasets)}, or others with --table")
        return chosen.options(dataset, parameters=own, **options)
    if "table" not in options:
        raise ParameterError("--method needs --table, which judges what the method recommends, e.g. digits/topology")
    place, rest = split_path(method or "")
    name, more = (place, parse_parameters(place, rest) if rest else {}) if place else parse_strategy(method or "")
    twice = sorted(own.keys() & more.keys())
    if twice:
        raise ParameterError(f"parameter {twice[0]!r} is given twice: in {method!r} and with --param")
    return {"method": name, "parameters": {**more, **own}, "dataset": dataset, **options}


def _parameters(texts: Sequence[str]) -> dict[str, Any]:
    """Return parameters of a method from texts like ``key=value``.

    >>> _parameters(["population=20", "mutation=0.2"])
    {'population': 20, 'mutation': 0.2}
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier() or not value:
            raise ParameterError(f"a parameter must be key=value, for example population=20, got {shortened(text)}")
        read = parse_parameters(text, text)
        twice = sorted(found.keys() & read.keys())
        if twice:
            raise ParameterError(f"parameter {twice[0]!r} is given twice with --param")
        found.update(read)
    return found


def _check_folder(folder: Path) -> None:
    """Refuse a folder that has something else than a search."""
    from nasbench_lab.train.one_shot.searches import SEARCH

    if not is_folder(folder):
        if folder.exists():
            raise OutputError(f"{folder} is not a folder; choose another one")
        return
    names = sorted(path.name for path in folder.iterdir() if not is_working(path))
    if names and SEARCH not in names:
        raise OutputError(f"{folder} is not empty, and has no one-shot search ({SEARCH}); choose another folder")


def _checkpoints(folder: Path | None) -> dict[str, int]:
    """Return when the checkpoints in a folder were written, by file."""
    place = None if folder is None else folder / "checkpoints"
    if place is None or not place.is_dir():
        return {}
    return {path.name: path.stat().st_mtime_ns for path in sorted(place.glob("run-*.pt"))}


def _show(show: Tell, progress: OneShotProgress) -> None:
    said = f"{progress.done:,} of {progress.epochs:,} epochs (run {progress.run}: {progress.epoch:,})"
    show(f"{progress.method} on {progress.table}", progress.done, progress.epochs, said=said)
