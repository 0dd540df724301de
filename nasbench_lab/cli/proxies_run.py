"""``nasbench-lab proxies run``: score architectures of a table, and compare the scores with its values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from nasbench_lab.analysis import reported_metric
from nasbench_lab.analysis.score_bias import ScoreAgreement, architecture_groups, score_agreement
from nasbench_lab.cli.json_output import AsJson, print_json, to_plain
from nasbench_lab.cli.options import Device, check_ending, needs_torch
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.score_lines import print_agreements
from nasbench_lab.cli.training_options import dataset_option, network_options
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.displays import short_number
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import as_command
from nasbench_lab.tables import Table, load, write
from nasbench_lab.tables.catalogue import TABLE_SUFFIXES

if TYPE_CHECKING:
    from nasbench_lab.train.proxies import ProxyScores

SAMPLE = 400
"""Networks that are scored by default."""

EVERY = "all"
"""Stands for all proxies."""


def run(
    table: Annotated[str, typer.Option(help="Name of a table, or path of a table file.")],
    proxy: Annotated[
        list[str],
        typer.Option(
            help="Name of a proxy, with parameters as NAME:key=value,..., file.py:Class or file.py:function; several "
            "separated by commas, or repeated; all: all of them. See `proxies list`."
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of a data set, or path of an .npz file. [default: the one in the name of the table]"),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder with the official files of the data set (cifar10, ...).")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help=f"Number of different networks to score, drawn at random. [default: {SAMPLE}]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Score all architectures of the table.")] = False,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of seeds of initial weights and images: 0, 1, ...")
    ] = 1,
    batch: Annotated[int, typer.Option(min=2, help="Images per batch.")] = 64,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=NUMBER",
            help="Network option, e.g. channels=16; may be repeated. [default: those of the table, if it knows them]",
        ),
    ] = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the scores (.h5). Scores that it has are not computed again, and others can be added."
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a row per architecture and seed to this file.")] = None,
    write_table: Annotated[
        Path | None,
        typer.Option(
            help="Write the table with the scores as columns to this file (.h5), for zero-cost strategies; needs --all."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score networks without training them, and check how well the scores rank them."""
    needs_torch()
    if every and sample is not None:
        raise ParameterError("--all and --sample exclude each other")
    if write_table is not None and not every:
        raise ParameterError("--write-table needs the scores of all architectures: give --all, too")
    check_ending("--out", out, *TABLE_SUFFIXES)
    check_ending("--write-table", write_table, *TABLE_SUFFIXES)
    check_ending("--csv", csv, ".csv")
    if out is not None and write_table is not None and out.resolve() == write_table.resolve():
        raise ParameterError("--out and --write-table must be different files")
    from nasbench_lab.train.devices import torch_threads
    from nasbench_lab.train.networks import networks_of
    from nasbench_lab.train.proxies import score_architectures

    found_table = load(table)
    networks_of(found_table.space)  # a space without networks is refused before images are asked for
    stopped = "" if out is None else f"finished scores are kept in {out}; run the same command again to continue"
    with torch_threads(threads), shown_progress(stopped) as told:
        told("networks", 0, 0)
        scores = score_architectures(
            found_table,
            _proxies(proxy),
            dataset=dataset_option(dataset, folder, table),
            architectures=None if every else sample or SAMPLE,
            seeds=range(seeds),
            batch=batch,
            device=device,
            options=network_options(network or []),
            checkpoint=out,
            progress=lambda done, total: told("networks", done, total),
        )
    written = [path for path in (out, csv, write_table) if path is not None]
    if csv is not None:
        scores.records().to_csv(csv)
    if write_table is not None:
        _write_table(found_table, scores, write_table)
    agreements = _agreements(found_table, scores)
    if as_json:
        print_json({**_about(found_table, scores, batch), "scores": _rows(scores, agreements), "files": written})
        return
    _print(found_table, scores, agreements, batch)
    for path in written:
        tell(f"wrote {path}")
    if write_table is not None:
        name = next(iter(scores.values))
        strategy = ("--table", str(write_table), "--strategy", f"zero-cost-filter:score={name}")
        tell(f"search with a score    {as_command('run', *strategy)}")


def _proxies(given: list[str]) -> list[str]:
    """Return the proxies that are named, each once."""
    from nasbench_lab.train.proxies import list_proxies

    names = [name for text in given for name in split_proxies(text)]
    return list(dict.fromkeys(name for each in names for name in (list_proxies() if each == EVERY else [each])))


def split_proxies(text: str) -> list[str]:
    """Return the proxies in a text. A comma before ``key=value`` belongs to the parameters of a proxy.

    >>> split_proxies("synflow,swap:mu=1,sigma=2, zen")
    ['synflow', 'swap:mu=1,sigma=2', 'zen']
    """
    found: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        before_colon = part.partition(":")[0]
        if found and "=" in before_colon:
            found[-1] += f",{part}"
        else:
            found.append(part)
    if not all(found):
        raise ParameterError(f"proxies must be names separated by commas, got {text!r}")
    return found


def _agreements(table: Table, scores: ProxyScores) -> dict[str, ScoreAgreement]:
    metric = reported_metric(table)
    truth = table.mean_values(metric.name)[scores.architectures]
    truth = -truth if metric.direction == "minimize" else truth
    groups = architecture_groups(table, scores.architectures)
    return {label: score_agreement(values, truth, groups) for label, values in scores.values.items()}


def _write_table(table: Table, scores: ProxyScores, path: Path) -> None:
    from nasbench_lab.train.proxies import with_scores

    write(with_scores(table, scores), path)


def _about(table: Table, scores: ProxyScores, batch: int) -> dict[str, Any]:
    return {
        "table": table.name,
        "metric": reported_metric(table).name,
        "architectures": len(scores.architectures),
        "seeds": scores.seeds.tolist(),
        "batch": batch,
    }


def _rows(scores: ProxyScores, agreements: dict[str, ScoreAgreement]) -> list[dict[str, Any]]:
    return [
        {"proxy": label, **to_plain(each), "seconds": _seconds(scores, label), "failures": _failures(scores, label)}
        for label, each in agreements.items()
    ]


def _seconds(scores: ProxyScores, label: str) -> float:
    return float(np.mean(scores.seconds[label]))


def _failures(scores: ProxyScores, label: str) -> dict[str, int]:
    """Return the number of different networks without a score, by reason."""
    failed: dict[str, set[int]] = {}
    for each in scores.failures:
        if each.proxy == label:
            failed.setdefault(each.reason, set()).add(each.architecture)
    return {reason: len(networks) for reason, networks in failed.items()}


def _print(table: Table, scores: ProxyScores, agreements: dict[str, ScoreAgreement], batch: int) -> None:
    size, count = table.space.size, len(scores.architectures)
    seeds = f"{len(scores.seeds)} seeds" if len(scores.seeds) > 1 else "1 seed"
    typer.echo(f"{table.name}: {count:,} of {size:,} architectures, batches of {batch} images, {seeds}")
    seconds = {label: short_number(_seconds(scores, label)) for label in agreements}
    print_agreements(agreements, reported_metric(table).name, seconds=seconds)
    if len(scores.seeds) > 1:
        tell("correlations are means over seeds; seconds are those of one score")
    for label in agreements:
        for reason, number in _failures(scores, label).items():
            note(f"{label}: {number:,} {'network has' if number == 1 else 'networks have'} no score: {reason}")
