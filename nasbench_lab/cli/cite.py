"""``nasbench-lab cite``: the BibTeX of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_lab.files import atomic_path
from nasbench_lab.tables import cite as bibtex


def cite(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Tables (also with *, or a publication), or table files.")
    ],
    out: Annotated[Path | None, typer.Option(help="File to write, e.g. refs.bib, instead of printing.")] = None,
) -> None:
    """Print the BibTeX of the publications of tables, each publication once."""
    text = bibtex(*names)
    if out is None:
        typer.echo(text)
        return
    with atomic_path(out) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")
    typer.echo(f"wrote {out}")
