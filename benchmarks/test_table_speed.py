"""Opening and asking tables, beside pickles in dictionaries, which is how benchmarks are usually shipped."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same table as our file, and as a pickle of one dictionary an architecture."""
    folder = tmp_path_factory.mktemp("files")
    table = synthetic_table("topology")
    write(table, folder / "table.h5")
    rows = {table.space.format(index): table.query(index) for index in range(table.space.size)}
    (folder / "table.pickle").write_bytes(pickle.dumps(rows))
    return folder


def open_pickle(folder):
    return pickle.loads((folder / "table.pickle").read_bytes())  # noqa: S301 - made by this file


@pytest.mark.parametrize("contender", ["ours", "pickle"])
def test_opening_a_table_and_reading_a_value(benchmark, per_item, files, contender):
    benchmark.group = "open a table and read one value"
    if contender == "ours":
        per_item(contender, 1, lambda: nl.load(files / "table.h5").lookup(0), rounds=30)
    else:
        per_item(contender, 1, lambda: next(iter(open_pickle(files).values()))["valid_accuracy"], rounds=5)


@pytest.mark.parametrize("contender", ["ours", "pickle"])
def test_looking_up_many_values(benchmark, per_item, files, contender):
    benchmark.group = "look up values by index"
    index = np.random.default_rng(0).integers(15_625, size=1_000_000)
    if contender == "ours":
        table = nl.load(files / "table.h5")
        table.lookup(0)
        per_item(contender, len(index), lambda: table.lookup(index))
    else:
        rows = list(open_pickle(files).values())
        some = index[:20_000].tolist()
        per_item(contender, len(some), lambda: [rows[i]["valid_accuracy"] for i in some])


def test_looking_up_one_architecture(benchmark, per_item, files):
    benchmark.group = "query one architecture, all metrics"
    table = nl.load(files / "table.h5")
    per_item("ours", 1_000, lambda: [table.query(index) for index in range(1_000)])


@pytest.mark.parametrize("contender", ["ours", "numpy alone"])
def test_importing_the_package(benchmark, per_item, contender):
    benchmark.group = "start Python and import"
    module = "nasbench_lab" if contender == "ours" else "numpy"
    per_item(contender, 1, lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True), rounds=7)
