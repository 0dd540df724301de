"""The tables of the catalogue as parameters of tests."""

import pytest

import nasbench_lab as nl
from nasbench_lab.tables import StreamedRecipe, find_recipe

NEEDS_MIRROR = (
    "nats-bench-tss/",
    "nas-bench-macro/",
    "nas-bench-101/",
    "ec-nas/",
    "trans-nas-bench-101-",
    "nas-bench-suite-zero-",
)


def table_parameters(names=None):
    """Names of tables as pytest parameters; those made from the mirror carry its marker.

    By default all but those of hundreds of megabytes, which nobody downloads for a test.
    """
    return [
        pytest.param(name, marks=[pytest.mark.mirror] if name.startswith(NEEDS_MIRROR) else [])
        for name in names or [name for name in nl.list_tables() if not isinstance(find_recipe(name), StreamedRecipe)]
    ]
