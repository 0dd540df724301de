"""The search tables of an archive: one table per data set, with the last epoch of every hyper-parameter set.

As in the table assembled from public repositories (`nats_topology`), a search on CIFAR-10 observes networks trained on
half of the training images and validated on the other half, and pays for that training. The test accuracy is that of
the same architecture trained on all training images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.importers.nats_archives.benchmarks import IMAGES, Benchmark
from nasbench_lab.tables.importers.nats_archives.curve_tables import (
    CITATION,
    LICENCE,
    ArchiveLayout,
    TableKey,
    incomplete,
)
from nasbench_lab.tables.table import Table

_SOURCES = {
    "cifar10": ("cifar10-valid", "cifar10"),
    "cifar100": ("cifar100", "cifar100"),
    "ImageNet16-120": ("ImageNet16-120", "ImageNet16-120"),
}
"""Data set of a search to the training data sets of the observed metrics, and of the reported metrics."""

_OBSERVED = ("valid_accuracy", "train_seconds", "valid_seconds")
_REPORTED = ("test_accuracy", "test_seconds", "valtest_accuracy")


def write(
    benchmark: Benchmark, layout: ArchiveLayout, keys: Sequence[TableKey], folder: Path, source: str
) -> list[str]:
    """Write the search tables that can be made from the learning-curve tables in the same folder.

    Args:
        benchmark: the benchmark of the archive.
        layout: the layout of its tables.
        keys: the existing learning-curve tables.
        folder: the folder of all tables.
        source: name of the archive.

    Returns:
        Names of the files.
    """
    names = []
    for dataset in _SOURCES:
        hps = _hps(benchmark, dataset, keys)
        if hps:
            _write_one(benchmark, layout, dataset, hps, keys, folder, source)
            names.append(f"search-{dataset}.h5")
    return names


def describe_all(
    benchmark: Benchmark, layout: ArchiveLayout, keys: Sequence[TableKey], source: str
) -> list[Description]:
    """Return the descriptions of the search tables that `write` makes."""
    wanted = {dataset: _hps(benchmark, dataset, keys) for dataset in _SOURCES}
    return [
        _describe(benchmark, layout, dataset, hps, _seeds(benchmark, layout, dataset, hps, keys), source)
        for dataset, hps in wanted.items()
        if hps
    ]


def _hps(benchmark: Benchmark, dataset: str, keys: Sequence[TableKey]) -> list[str]:
    """Return the hyper-parameters with trainings that a search on a data set observes."""
    return [hp for hp in benchmark.epochs if TableKey(_SOURCES[dataset][0], hp) in keys]


def _used(dataset: str, hps: Sequence[str], keys: Sequence[TableKey]) -> list[TableKey]:
    """Return the learning-curve tables that a search table takes its numbers from."""
    return [key for key in keys for hp in hps for name in _SOURCES[dataset] if key == TableKey(name, hp)]


def _seeds(
    benchmark: Benchmark, layout: ArchiveLayout, dataset: str, hps: Sequence[str], keys: Sequence[TableKey]
) -> list[int]:
    return sorted({seed for key in _used(dataset, hps, keys) for seed in layout.seeds(benchmark, key)})


def _write_one(
    benchmark: Benchmark,
    layout: ArchiveLayout,
    dataset: str,
    hps: Sequence[str],
    keys: Sequence[TableKey],
    folder: Path,
    source: str,
) -> None:
    used, seeds = _used(dataset, hps, keys), _seeds(benchmark, layout, dataset, hps, keys)
    description = _describe(benchmark, layout, dataset, hps, seeds, source)
    with store.writing(description, folder / f"search-{dataset}.h5") as draft:
        for key in used:
            table = store.open_table(folder / f"{key}.h5")
            columns = [seeds.index(int(repeat)) for repeat in table.description.repeats]
            for metric, values in _last_epoch(table, key.dataset, dataset).items():
                if metric in draft.values:
                    draft.values[metric][:, hps.index(key.hp), columns] = values
            if key.dataset == _SOURCES[dataset][1]:  # the last key, of the longest training, wins
                for metric in ("parameters", "flops"):
                    draft.values[metric][:] = table.values(metric)


def _last_epoch(table: Table, trained: str, dataset: str) -> dict[str, FloatArray]:
    """Return the metrics that a search on ``dataset`` uses of networks trained on ``trained``.

    Returns:
        Metric to its values at the last epoch, shape (architectures, repeats).
    """
    observed, reported = _SOURCES[dataset]
    names = (_OBSERVED if trained == observed else ()) + (_REPORTED if trained == reported else ())
    shape = (table.space.size, table.repeats)
    found = {}
    for name in names:
        if name == "train_seconds" and name not in table.metrics:
            found[name] = table.repeat_values("epoch_seconds") * table.fidelities[-1]
        elif name in table.metrics:
            found[name] = table.repeat_values(name)
    return {name: np.broadcast_to(values, shape) for name, values in found.items()}


def _describe(
    benchmark: Benchmark, layout: ArchiveLayout, dataset: str, hps: Sequence[str], seeds: Sequence[int], source: str
) -> Description:
    observed, reported = _SOURCES[dataset]
    half = "trained on half of the training images, " if observed != reported else ""
    valid, test = IMAGES[observed]["valid"], IMAGES[reported]["test"]
    whole = "; trained on all training images" if observed != reported else ""
    metrics = [
        Metric("valid_accuracy", "valid", "percent", "maximize", f"{half}every training on its own; {valid}"),
        Metric("test_accuracy", "test", "percent", "maximize", f"every training on its own; {test}{whole}"),
        Metric("train_seconds", "none", "s", "minimize", "the whole training"),
        Metric("valid_seconds", "none", "s", "minimize", f"one pass over {valid}"),
        Metric("test_seconds", "none", "s", "minimize", f"one pass over {test}"),
        Metric("parameters", "none", "millions", "minimize", "trainable parameters", ("architecture",)),
        Metric("flops", "none", "millions", "minimize", "floating-point operations", ("architecture",)),
    ]
    if "valtest" in IMAGES[reported]:
        metrics.append(Metric("valtest_accuracy", "test", "percent", "maximize", IMAGES[reported]["valtest"]))
    schedules = "Trainings of different lengths are separate schedules: one cannot be resumed as the other."
    halves = ["Validation is of networks trained on half of the training images (cifar10-valid)."] if half else []
    return Description(
        name=f"{benchmark.key}-search/{dataset}",
        title=f"{benchmark.title} on {dataset}",
        space=benchmark.space.spec(),
        fidelities=tuple(benchmark.epochs[hp] for hp in hps),
        repeats=tuple(map(str, seeds)),
        metrics=tuple(metrics),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds", "valid_seconds"),
        resumable=False,
        licence=LICENCE,
        citation=CITATION,
        source=source,
        notes=("Repeats are named by their seeds.", *incomplete(benchmark, layout), schedules, *halves),
    )
