"""``nasbench-lab tables build`` and ``tables pack``: train a new table, and write a packed copy of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.cli.options import (
    Checkpoint,
    Device,
    Log,
    Precision,
    Processes,
    Threads,
    loggers,
    needs_torch,
    parse_number_of,
)
from nasbench_lab.cli.progress import training_progress
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import as_command
from nasbench_lab.tables import load, packed_tables, write


def build(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="Specification of the table, a TOML file.")],
    out: Annotated[
        Path | None, typer.Option(help="Table file to write (.h5). [default: path of the specification, with .h5]")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder for finished trainings. [default: path of the table file, with .build]")
    ] = None,
    shard: Annotated[
        str, typer.Option(help="Share of the trainings for this machine, e.g. 2/5 for the second of five.")
    ] = "1/1",
    processes: Processes = None,
    threads: Threads = 1,
    device: Device = "cpu",
    precision: Precision = "float32",
    checkpoint: Checkpoint = False,
    log: Log = None,
) -> None:
    """Train all architectures of a specification, and write the table. Run the same command again to resume."""
    needs_torch()
    from nasbench_lab.train import build as builds
    from nasbench_lab.train.devices import check_device, check_precision

    table = out or spec.with_suffix(".h5")
    if table.suffix not in (".h5", ".hdf5"):
        raise ParameterError(f"the name of a table file must end in .h5, got {table}")
    folder = work or table.with_suffix(".build")
    specification = builds.read_spec(spec)
    with training_progress(folder) as progress:
        how = builds.ExecutionOptions(
            processes, threads, check_device(device), check_precision(precision), checkpoint, progress, loggers(log)
        )
        builds.build(specification, folder, shard=builds.BuildShard(*parse_number_of(shard)), how=how)
    missing = builds.unfinished(specification, folder, precision=how.precision)
    if missing:
        typer.echo(f"shard {shard} is finished; {missing:,} trainings of other shards are still missing in {folder}")
        return
    write(builds.assemble(specification, folder, precision=how.precision), table)
    tell(f"wrote {table}; to describe it: {as_command('tables', 'describe', table)}")


def pack(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Table file (.h5), or folder of live searches (`search --out`).")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write (.h5).")],
    name: Annotated[
        str | None, typer.Option(help="Name of the table of a live search. [default: made from data set and space]")
    ] = None,
) -> None:
    """Write a small, compressed copy of a table; or the trainings of live searches, as a table file.

    In the copy of a table, identical rows of measurements are stored once.
    """
    if table.is_dir():
        needs_torch()
        from nasbench_lab.train.live_search.packing import table_of_trainings

        write(table_of_trainings(table, name=name), out)
    else:
        if name is not None:
            raise ParameterError("--name is for the folder of a live search; a table file keeps its name")
        packed_tables.pack(load(table), out)
    tell(f"wrote {out}, {out.stat().st_size / 1e6:.2f} MB")
