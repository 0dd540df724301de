"""Benchmark tables: description, queries, file format, importers and catalogue."""

from nasbench_lab.tables.added_columns import with_columns
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.catalogue import cached_path, fetch, find_recipe, list_tables, load
from nasbench_lab.tables.citations import cite
from nasbench_lab.tables.computed import Answers, ComputedTable
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.importers.columns.read import read_columns
from nasbench_lab.tables.known_answers import VerificationResult
from nasbench_lab.tables.merging import merge
from nasbench_lab.tables.recipe import AbstractRecipe, Recipe, StreamedRecipe
from nasbench_lab.tables.store import open_table, write
from nasbench_lab.tables.subsets import subset
from nasbench_lab.tables.table import Table
from nasbench_lab.tables.tabulated import tabulate
from nasbench_lab.tables.verification import verify

__all__ = [
    "AbstractRecipe",
    "Answers",
    "AnyTable",
    "ComputedTable",
    "Description",
    "Metric",
    "Recipe",
    "StreamedRecipe",
    "Table",
    "VerificationResult",
    "cached_path",
    "cite",
    "fetch",
    "find_recipe",
    "list_tables",
    "load",
    "merge",
    "open_table",
    "read_columns",
    "subset",
    "tabulate",
    "verify",
    "with_columns",
    "write",
]
