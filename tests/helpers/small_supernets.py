"""Supernets of a small space on a small data set, with a table, so that scoring takes a millisecond."""

import numpy as np

from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.tables import Description, Metric, Table, write
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.one_shot import SupernetDetails, make_supernet, save_supernet, snapshot_path

SPACE = LayerChainSpace([["identity", "max-pool", "conv3x3-2"], ["identity", "tanh", "conv3x3-2"], ["dense-3", "tanh"]])
IMAGE, CLASSES = (1, 4, 4), 3


def write_dataset(path, seed=0):
    """Write a data set whose images depend on a seed."""
    random = np.random.default_rng(seed)
    parts = {"train": 40, "valid": 30, "test": 30}
    images = {f"{part}_images": random.random((number, 4, 4)) for part, number in parts.items()}
    labels = {f"{part}_labels": np.arange(number) % CLASSES for part, number in parts.items()}
    np.savez(path, **images, **labels)
    return path


def small_table(name="small"):
    """Return a table of the space with random values; those of one architecture are missing."""
    metrics = tuple(Metric(f"{part}_accuracy", part, "percent", "maximize", "") for part in ("valid", "test"))
    description = Description(
        *(name, "made up", SPACE.spec(), (1,), ("0",), metrics, "valid_accuracy", "test_accuracy"),
        cost=(),
        resumable=False,
    )
    values = np.random.default_rng(3).uniform(50, 90, (2, SPACE.size, 1, 1))
    values[:, 5] = np.nan
    return Table(description, {metric.name: each for metric, each in zip(metrics, values, strict=True)})


class SmallSearches:
    """A folder with a data set and a table, in which folders of supernets can be written.

    Args:
        home: the folder.
    """

    def __init__(self, home):
        self.home, self.table = home, small_table()
        self.dataset = write_dataset(home / "data.npz")
        self.file = home / "small.h5"
        write(self.table, self.file)
        self.record = DatasetRecord.of(self.dataset)

    def write(self, folder, runs=(0, 1), epochs=(1, 2), method="spos", first=0, **details):
        """Write untrained supernets, each with other weights, and return their folder."""
        known = {"dataset": self.record, "table": str(self.file), **details}
        for run in runs:
            for epoch in epochs:
                supernet = make_supernet(SPACE, image=IMAGE, classes=CLASSES, seed=first + 10 * run + epoch)
                about = SupernetDetails(method, epoch, run, 1.5 * epoch, **known)
                save_supernet(snapshot_path(self.home / folder, run, epoch), supernet, about)
        return self.home / folder
