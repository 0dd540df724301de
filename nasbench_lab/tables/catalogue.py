"""Every table that can be had by name, where its data comes from, and the cache of converted tables."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from nasbench_lab.cache import cache_folder
from nasbench_lab.errors import unknown
from nasbench_lab.tables import store
from nasbench_lab.tables.recipe import Recipe
from nasbench_lab.tables.table import Table


@functools.cache
def recipes() -> dict[str, Recipe]:
    """Return the recipes of all tables by name."""
    from nasbench_lab.tables import embedded
    from nasbench_lab.tables.importers import nas_bench_graph, nas_bench_macro, nats_topology

    published = (recipe for module in (nas_bench_graph, nas_bench_macro, nats_topology) for recipe in module.RECIPES)
    return {recipe.description.name: recipe for recipe in (*embedded.recipes(), *published)}


def tables() -> list[str]:
    """Return the names of all tables of the catalogue, sorted.

    >>> "nas-bench-graph/cora" in tables()
    True
    """
    return sorted(recipes())


def recipe(name: str) -> Recipe:
    """Return the recipe of a table, or raise UnknownNameError with the nearest names."""
    if name not in recipes():
        raise unknown("table", name, recipes())
    return recipes()[name]


def cached_path(name: str) -> Path:
    """Return where the converted table is, or will be."""
    return cache_folder() / "tables" / f"{name.replace('/', '__')}-{recipe(name).digest[:16]}.h5"


def load(name: str | os.PathLike[str]) -> Table:
    """Open a table by its catalogue name, or a table file (``.h5``) by its path.

    A table of the catalogue is made from its published files on first use (a few seconds, and a download unless a
    local copy is found), then opened from the cache in milliseconds.

    Raises:
        UnknownNameError: no table has that name.
        SourceError: the published files can be neither found nor downloaded.
        DataError: a file is corrupt.
        OutputError: the converted table cannot be written to the cache.
    """
    text = os.fspath(name) if isinstance(name, str | os.PathLike) else str(name)
    if text.endswith((".h5", ".hdf5")):
        return store.open_table(text)
    path = cached_path(text)
    if not path.exists():
        store.write(recipe(text).make(), path)
    return store.open_table(path, remedy="; delete the file, and it is made again")
