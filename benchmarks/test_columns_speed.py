"""Importing a user's CSV, beside the usual loop: csv.DictReader into a dictionary."""

import csv

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.spaces import registry

EPOCHS, SEEDS = 4, 2


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """Learning curves of all architectures of the topology space: 125,000 rows, 14 MB."""
    space, random = spaces.TopologySpace(), np.random.default_rng(0)
    path = tmp_path_factory.mktemp("columns") / "curves.csv"
    names = space.format(np.arange(space.size))
    with path.open("w") as file:
        file.write("arch,epoch,seed,val_acc,test_acc,train_time\n")
        for seed, epoch in np.ndindex(SEEDS, EPOCHS):
            values = random.random((space.size, 2)).tolist()
            rows = zip(names, values, strict=True)
            file.writelines(f"{n},{epoch + 1},{seed},{v:.4f},{t:.4f},{epoch + 1}\n" for n, (v, t) in rows)
    return path


def dictionary(path):
    found = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key = row["arch"], int(row["epoch"]), int(row["seed"])
            found[key] = float(row["val_acc"]), float(row["test_acc"]), float(row["train_time"])
    return found


@pytest.mark.parametrize("contender", ["ours", "csv to dict"])
def test_importing_rows(benchmark, per_item, curves, contender, tmp_path):
    benchmark.group = "import a row of a CSV file"
    rows = 15_625 * EPOCHS * SEEDS
    if contender == "ours":
        table = per_item(contender, rows, lambda: nl.read_columns(curves, tmp_path / "curves.h5", cost="train_time"))
        assert table.fidelities == (1, 2, 3, 4)
    else:
        assert len(per_item(contender, rows, lambda: dictionary(curves))) == rows


@pytest.mark.parametrize("contender", ["ours", "csv to dict"])
def test_opening_a_hundred_thousand_listed_architectures(benchmark, per_item, tmp_path_factory, contender):
    benchmark.group = "open 100,000 listed names, read one value"
    folder = tmp_path_factory.mktemp("listed")
    rows = "".join(f"network_{number:06d},{number % 997 / 997}\n" for number in range(100_000))
    (folder / "listed.csv").write_text("arch,val_acc\n" + rows)
    if contender == "ours":
        nl.read_columns(folder / "listed.csv", folder / "listed.h5")

        def open_and_read():
            registry._make_once.cache_clear()  # as in a new process
            return nl.load(folder / "listed.h5").lookup(7)

        assert per_item(contender, 1, open_and_read) == pytest.approx(7 / 997)
    else:

        def read_again():
            with (folder / "listed.csv").open(newline="") as file:
                return {row["arch"]: float(row["val_acc"]) for row in csv.DictReader(file)}["network_000007"]

        assert per_item(contender, 1, read_again) == pytest.approx(7 / 997)
