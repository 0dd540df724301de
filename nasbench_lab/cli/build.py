"""``nasbench-lab tables build``: train a table of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.cli.options import (
    Checkpoint,
    Device,
    Precision,
    Processes,
    Threads,
    needs_torch,
    parse_number_of,
    training_progress,
)
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables import load, packed, write


def build(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="Specification of the table, a TOML file.")],
    out: Annotated[
        Path | None, typer.Option(help="Table file to write (.h5). [default: beside the specification, with its name]")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder for what is finished so far. [default: that of the table, with .build]")
    ] = None,
    shard: Annotated[str, typer.Option(help="Part of the work for this machine, e.g. 2/5 of five machines.")] = "1/1",
    processes: Processes = None,
    threads: Threads = 1,
    device: Device = "cpu",
    precision: Precision = "float32",
    checkpoint: Checkpoint = False,
) -> None:
    """Train every architecture of a specification into a table. The same command goes on where it was stopped."""
    needs_torch()
    from nasbench_lab.train import build as builds
    from nasbench_lab.train.devices import check_device, check_precision

    table = out or spec.with_suffix(".h5")
    if table.suffix not in (".h5", ".hdf5"):
        raise ParameterError(f"a table file ends in .h5, got {table}")
    folder = work or table.with_suffix(".build")
    specification = builds.read_spec(spec)
    with training_progress(folder) as progress:
        how = builds.ExecutionOptions(
            processes, threads, check_device(device), check_precision(precision), checkpoint, progress
        )
        builds.build(specification, folder, shard=builds.BuildShard(*parse_number_of(shard)), how=how)
    missing = builds.unfinished(specification, folder, precision=how.precision)
    if missing:
        typer.echo(f"shard {shard} is finished; {missing:,} trainings of other shards are not in {folder} yet")
        return
    write(builds.assemble(specification, folder, precision=how.precision), table)
    typer.echo(f"wrote {table}; look at it: nasbench-lab tables describe {shlex.quote(str(table))}")


def pack(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Table file (.h5).")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Packed file to write (.h5).")],
) -> None:
    """Write a small, compressed copy of a table, for shipping: rows that architectures share are in it once."""
    packed.pack(load(table), out)
    typer.echo(f"wrote {out}, {out.stat().st_size / 1e6:.2f} MB")
