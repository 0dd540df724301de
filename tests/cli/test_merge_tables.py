"""``nasbench-lab tables merge``: one file from several, and mistakes in one line."""

import json

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here

import nasbench_lab as nl
from nasbench_lab.tables import subset, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("merge")
    chain = nl.load("digits/chain")
    write(subset(chain, range(30)), path / "one.h5")
    write(subset(chain, range(20, 60)), path / "two.h5")
    return path


def test_parts_are_merged(folder):
    done = nasbench_lab_here(
        "tables", "merge", folder / "one.h5", folder / "two.h5", "--out", folder / "all.h5", "--json"
    )
    found = json.loads(done.stdout)
    assert list(found) == ["table", "file", "architectures", "repeats", "parts"]  # as in docs/shell.md
    assert (found["architectures"], found["repeats"], found["parts"]) == (60, 3, [30, 40])
    merged, chain = nl.load(folder / "all.h5"), nl.load("digits/chain")
    np.testing.assert_array_equal(merged.values("test_accuracy"), chain.values("test_accuracy")[:60])


def test_mistakes_are_one_line(folder):
    one = folder / "one.h5"
    assert_refused(nasbench_lab_here("tables", "merge", one, "--out", folder / "x.h5"), "at least two tables")
    other = nasbench_lab_here("tables", "merge", one, "digits/cell101", "--out", folder / "x.h5")
    assert_refused(other, "different spaces: layer-chain and cell101")
    assert_refused(nasbench_lab_here("tables", "merge", one, one, "--out", folder / "x.csv"), "must end in .h5")
    assert not list(folder.glob("x.*"))
