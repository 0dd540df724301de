"""The tables of the catalogue as parameters of tests."""

import pytest

import nasbench_lab as nl

NEEDS_MIRROR = ("nats-bench-tss/", "nas-bench-macro/")


def table_parameters(names=None):
    """Names of tables as pytest parameters; those made from the mirror carry its marker."""
    return [
        pytest.param(name, marks=[pytest.mark.mirror] if name.startswith(NEEDS_MIRROR) else [])
        for name in names or nl.tables()
    ]
