"""Tables: what was measured. The store, the query API, the importers and the catalogue."""

from nasbench_lab.tables.catalogue import cached_path, load, recipe, tables
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.recipe import Recipe
from nasbench_lab.tables.store import open_table, write
from nasbench_lab.tables.table import Table

__all__ = [
    "Description",
    "Metric",
    "Recipe",
    "Table",
    "cached_path",
    "load",
    "open_table",
    "recipe",
    "tables",
    "write",
]
