"""``nasbench-lab cite``: the BibTeX of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import check_ending
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.tables import cite as bibtex
from nasbench_lab.tables.citations import entries


def cite(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Tables (also with *, or a publication), or table files.")
    ],
    out: Annotated[Path | None, typer.Option(help="File to write, e.g. refs.bib, instead of printing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the BibTeX of the publications of tables, each publication once."""
    if as_json and out is not None:
        raise ParameterError("--json prints the entries, so it cannot be used with --out")
    check_ending("--out", out, ".bib", ".txt")
    text = bibtex(*names)
    if as_json:
        print_json([{"key": key, "bibtex": entry} for key, entry in entries(text)])
        return
    if out is None:
        typer.echo(text)
        return
    with atomic_path(out) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")
    tell(f"wrote {out}")
