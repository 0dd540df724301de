"""The options ``--network``, ``--dataset`` and ``--folder`` of commands that build networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened


def network_options(texts: Sequence[str]) -> dict[str, int] | None:
    """Return options of networks from texts like ``key=number``; None without any.

    >>> network_options(["channels=16", "cells=5"])
    {'channels': 16, 'cells': 5}
    """
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value.isascii() or not value.isdigit() or not key.isidentifier():
            raise ParameterError(f"a network option must be key=number, for example channels=16, got {shortened(text)}")
        options[key] = int(value)
    return options or None


def dataset_option(name: str | None, folder: Path | None, table: str | None) -> dict[str, Any] | None:
    """Return the data set as plain data, by default the one of the table; None without both.

    >>> dataset_option("digits:versions=6", None, None)
    {'name': 'digits', 'versions': 6}
    """
    from nasbench_lab.tables import load
    from nasbench_lab.train.chosen_datasets import dataset_of
    from nasbench_lab.train.one_shot.protocols import DATASETS

    if name is None:
        if table is None:
            return None
        name = dataset_of(load(table))
    if folder is None:
        if name in DATASETS:
            raise ParameterError(f"{name} is read from its official files; say where they are with --folder FOLDER")
        return {"file": name} if name.endswith(".npz") else _with_options(name)
    if name not in DATASETS:
        raise ParameterError(f"--folder is for {', '.join(DATASETS)}; {name} needs none")
    return {"name": name, "folder": str(folder)}


def _with_options(text: str) -> dict[str, Any]:
    """Return a data set of ``NAME`` or ``NAME:key=number,...`` as plain data."""
    name, _, options = text.partition(":")
    found: dict[str, Any] = {"name": name}
    for option in options.split(",") if options else ():
        key, _, value = option.partition("=")
        if not key.isidentifier() or not value.isascii() or not value.isdigit():
            raise ParameterError(
                f"an option of a data set must be key=number, as in digits:versions=6, got {shortened(option)}"
            )
        found[key] = int(value)
    return found
