"""Arguments of commands that read stored results: one or several folders and files, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.results import Results
from nasbench_lab.suites.result_sources import results_of

ResultPaths = Annotated[
    list[Path], typer.Argument(metavar="RESULTS...", help="Folder of results, or traces file; several are combined.")
]

Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        help="Label of RESULTS, one for each, in order. Added to the names of strategies that have one name in "
        "several of them, but are not the same.",
    ),
]


def open_paths(paths: Sequence[Path], labels: Sequence[str] | None) -> Results:
    """Return the results at one or several paths. Of unfinished suites, only finished simulations are read.

    Raises:
        ParameterError: there is not one label per path, or strategies cannot be told apart.
        DataError: there are no results at a path, or they are damaged.
    """
    if not labels:
        return results_of(paths[0] if len(paths) == 1 else paths, partial=True)
    if len(labels) != len(paths) or len(set(labels)) < len(labels):
        raise ParameterError(f"give --label once for each of the {len(paths)} results, each with another label")
    return results_of(dict(zip(labels, paths, strict=True)), partial=True)
