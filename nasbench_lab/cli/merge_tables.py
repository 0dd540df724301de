"""``nasbench-lab tables merge``: one table from several with parts of a space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import as_command
from nasbench_lab.tables import load, write
from nasbench_lab.tables.catalogue import TABLE_SUFFIXES
from nasbench_lab.tables.merging import merge
from nasbench_lab.tables.tabulated import stored_table


def merge_tables(
    tables: Annotated[
        list[str],
        typer.Argument(metavar="TABLE...", help="Measured tables of one space: files or names, at least two."),
    ],
    out: Annotated[Path, typer.Option(help="Table file to write (.h5).")],
    name: Annotated[str | None, typer.Option(help="Name of the merged table. [default: that of the first]")] = None,
    same_training: Annotated[
        bool,
        typer.Option("--same-training", help="Trust that recipe and data are equal where a table does not name them."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Merge tables with parts of one space, such as samples: all architectures and repeats, in a new table file."""
    if out.suffix not in TABLE_SUFFIXES:
        raise ParameterError(f"the name of a table file must end in .h5, got {out}")
    parts = [stored_table(load(each)) for each in tables]
    merged = merge(parts, name=name, same_training=same_training)
    write(merged, out)
    sizes = [part.space.size for part in parts]
    if as_json:
        print_json(
            {
                "table": merged.name,
                "file": out,
                "architectures": merged.space.size,
                "repeats": merged.repeats,
                "parts": sizes,
            }
        )
        return
    shared = sum(sizes) - merged.space.size
    tell(f"{merged.space.size:,} architectures, {merged.repeats} repeats; {shared:,} were in several tables")
    tell(f"wrote {out}; to describe it: {as_command('tables', 'describe', out)}")
