"""The learning-curve tables of an official archive: their descriptions, and writing all of them together.

The shape of a table's arrays depends on its data. Most archives have the same seconds for every epoch of a training, so
one number per training is enough; some archives have top-5 accuracies. The compact layout is tried first. If the data
does not fit, `LayoutError` carries the layout that does, and the archive is read again.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.importers.nats_archives.benchmarks import DATASETS, IMAGES, SEEDS, Benchmark
from nasbench_lab.tables.importers.nats_archives.training import TOP5, ArchiveTraining, read
from nasbench_lab.tables.importers.nats_topology import tables as nats_topology
from nasbench_lab.tables.reading.untrusted_values import described

CITATION = nats_topology.CITATION
LICENCE = "MIT"

_SPLIT = {"train": "train", "valid": "valid", "test": "test", "valtest": "test"}
_PER_TRAINING = ("architecture", "repeat")


class TableKey(NamedTuple):
    """The key of a table of an archive: a data set and a hyper-parameter set."""

    dataset: str
    hp: str

    def __str__(self) -> str:
        return f"{self.dataset}-{self.hp}"


@dataclasses.dataclass(frozen=True)
class ArchiveLayout:
    """What determines the arrays of an archive's tables, besides its benchmark.

    Attributes:
        present: number of architectures in the archive; None for all of them.
        top5: tables with top-5 accuracies.
        varying: tables in which a metric in seconds differs between the epochs of a training.
        extra_seeds: tables with seeds that the publication does not mention.
    """

    present: int | None = None
    top5: frozenset[TableKey] = frozenset()
    varying: frozenset[TableKey] = frozenset()
    extra_seeds: frozenset[tuple[TableKey, int]] = frozenset()

    def seeds(self, benchmark: Benchmark, key: TableKey) -> tuple[int, ...]:
        """Return the seeds of a table's repeats, ascending."""
        return tuple(sorted({*benchmark.seeds[key.hp], *(seed for k, seed in self.extra_seeds if k == key)}))


class LayoutError(Exception):
    """The data does not fit the layout; ``layout`` is the next layout to try."""

    def __init__(self, layout: ArchiveLayout) -> None:
        super().__init__(f"the data needs {layout}")
        self.layout = layout


def describe(benchmark: Benchmark, layout: ArchiveLayout, key: TableKey, source: str) -> Description:
    """Return the description of one learning-curve table."""
    epochs = benchmark.epochs[key.hp]
    roles = DATASETS[key.dataset]
    metrics = [_measured("train", what, key.dataset) for what in ("accuracy", "loss")]
    if key in layout.top5:
        text = f"the right class is among the best five; {IMAGES[key.dataset]['train']}"
        metrics.append(Metric(TOP5, "train", "percent", "maximize", text))
    metrics += _times(key in layout.varying)
    for role in roles:
        metrics += [_measured(role, what, key.dataset) for what in ("accuracy", "loss")]
        metrics.append(_evaluation_seconds(role, key.dataset, key in layout.varying))
    costs = "mean over seeds" + (
        "; of seed 888 alone where they disagree, as the official code does" if benchmark.costs_repaired else ""
    )
    metrics += [
        Metric("parameters", "none", "millions", "minimize", f"trainable parameters; {costs}", ("architecture",)),
        Metric("flops", "none", "millions", "minimize", f"floating-point operations; {costs}", ("architecture",)),
        Metric("latency", "none", "s", "minimize", "a batch on the authors' GPU", _PER_TRAINING),
    ]
    train = "train_seconds" if key in layout.varying else "epoch_seconds"
    return Description(
        name=f"{benchmark.key}-curves/{key}",
        title=f"{benchmark.title}: learning curves of {epochs} epochs on {key.dataset}",
        space=benchmark.space.spec(),
        fidelities=tuple(range(1, epochs + 1)),
        repeats=tuple(map(str, layout.seeds(benchmark, key))),
        metrics=tuple(metrics),
        valid="valid_accuracy" if "valid" in roles else None,
        test="test_accuracy",
        cost=(train, "valid_seconds") if "valid" in roles else (train,),
        resumable=True,
        licence=LICENCE,
        citation=CITATION,
        source=source,
        notes=(
            "Repeats are named by their seeds. Fidelity e is the official epoch e - 1, which counts from 0.",
            *incomplete(benchmark, layout),
        ),
    )


def incomplete(benchmark: Benchmark, layout: ArchiveLayout) -> tuple[str, ...]:
    """Return the note about missing architectures, if there are any."""
    if layout.present is None:
        return ()
    size = benchmark.space.size
    return (f"Incomplete: {layout.present} of {size:,} architectures are present; all others are missing.",)


def _measured(role: str, what: str, dataset: str) -> Metric:
    unit, direction = ("percent", "maximize") if what == "accuracy" else ("nats", "minimize")
    return Metric(f"{role}_{what}", _SPLIT[role], unit, direction, IMAGES[dataset][role])  # type: ignore[arg-type]


def _times(varying: bool) -> list[Metric]:
    if not varying:
        text = "one epoch of training; the same for all epochs of a training"
        return [Metric("epoch_seconds", "none", "s/epoch", "minimize", text, _PER_TRAINING)]
    return [
        Metric("epoch_seconds", "none", "s/epoch", "minimize", "this epoch of training"),
        Metric("train_seconds", "none", "s", "minimize", "training from the first epoch to this one"),
    ]


def _evaluation_seconds(role: str, dataset: str, varying: bool) -> Metric:
    text = f"one pass over {IMAGES[dataset][role]}"
    if varying:
        return Metric(f"{role}_seconds", "none", "s", "minimize", text)
    return Metric(f"{role}_seconds", "none", "s", "minimize", f"{text}; the same at all epochs", _PER_TRAINING)


class CurveTableWriter:
    """Writes all learning-curve tables of an archive; the complete files appear when the block ends without an error.

    Args:
        benchmark: the benchmark of the archive.
        layout: the layout of its tables.
        source: name of the archive.
        folder: folder for the tables.
    """

    def __init__(self, benchmark: Benchmark, layout: ArchiveLayout, source: str, folder: Path) -> None:
        self._benchmark, self._layout, self._source, self._folder = benchmark, layout, source, folder
        self._drafts: dict[TableKey, store.Draft] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def keys(self) -> tuple[TableKey, ...]:
        """The tables with data, in the order of data sets and epochs."""
        every = (TableKey(dataset, hp) for dataset in DATASETS for hp in self._benchmark.epochs)
        return tuple(key for key in every if key in self._drafts)

    def put(self, index: int, hp: str, state: Any) -> None:
        """Write all trainings of one architecture with one hyper-parameter set.

        Args:
            index: index of the architecture.
            hp: the hyper-parameter set.
            state: the dictionary of the archive.

        Raises:
            DataError: the dictionary is invalid, or belongs to another architecture.
            LayoutError: it does not fit the layout.
        """
        if not isinstance(state, Mapping):
            raise DataError(f"its {hp!r} is not a dictionary")
        self._check_architecture(index, state)
        seeds, results = state.get("dataset_seed"), state.get("all_results")
        if not isinstance(seeds, Mapping) or not isinstance(results, Mapping):
            raise DataError(f"its {hp!r} lacks 'dataset_seed' or 'all_results'")
        for dataset, of_dataset in seeds.items():
            if type(dataset) is not str or dataset not in DATASETS:
                raise DataError(
                    f"its {hp!r} has the unknown data set {described(dataset)}; known: {', '.join(DATASETS)}"
                )
            if not isinstance(of_dataset, list | tuple) or not of_dataset:
                raise DataError(f"its {hp!r} has no list of seeds on {dataset}")
            trainings = {seed: self._read(results, dataset, seed, hp) for seed in map(_seed, of_dataset)}
            self._put_trainings(index, TableKey(dataset, hp), trainings)
        if len(results) != sum(len(set(of_dataset)) for of_dataset in seeds.values()):
            raise DataError(f"its {hp!r} has {len(results)} trainings, but another number of seeds")

    def _check_architecture(self, index: int, state: Mapping[str, Any]) -> None:
        name, number = state.get("arch_str"), state.get("arch_index")
        if (type(name), name, type(number), number) != (str, self._benchmark.space.format(index), int, index):
            raise DataError(f"it is another architecture: {described(number)}, {described(name)}")

    def _read(self, results: Mapping[Any, Any], dataset: str, seed: int, hp: str) -> ArchiveTraining:
        if (dataset, seed) not in results:
            raise DataError(f"its {hp!r} lacks the training on {dataset} with seed {seed}")
        try:
            return read(results[dataset, seed], dataset, self._benchmark.epochs[hp])
        except DataError as error:
            raise DataError(f"training on {dataset} with {hp!r} and seed {seed}: {error}") from error

    def _put_trainings(self, index: int, key: TableKey, trainings: Mapping[int, ArchiveTraining]) -> None:
        self._check_layout(key, trainings)
        values = self._draft(key).values
        repeats = self._layout.seeds(self._benchmark, key)
        for seed, training in trainings.items():
            repeat = repeats.index(seed)
            for metric, curve in training.curves.items():
                values[metric][index, :, repeat] = curve
            for metric, seconds in training.seconds.items():
                if key in self._layout.varying:
                    values[metric][index, :, repeat] = seconds
                else:
                    values[metric][index, repeat] = seconds[0]
            if key in self._layout.varying:  # cumsum adds sequentially, as the official code does
                values["train_seconds"][index, :, repeat] = np.cumsum(training.seconds["epoch_seconds"])
            values["latency"][index, repeat] = training.latency
        ordered = [trainings[seed] for seed in trainings]
        repaired = self._benchmark.costs_repaired
        alone = trainings.get(888) if repaired else None
        values["parameters"][index] = _cost([t.parameters for t in ordered], repaired, alone and alone.parameters)
        values["flops"][index] = _cost([t.flops for t in ordered], repaired, alone and alone.flops)

    def _check_layout(self, key: TableKey, trainings: Mapping[int, ArchiveTraining]) -> None:
        """Raise LayoutError if the trainings have data that the layout cannot store."""
        layout = fitting(self._benchmark, self._layout, key, trainings)
        if layout != self._layout:
            raise LayoutError(layout)

    def _draft(self, key: TableKey) -> store.Draft:
        """Return the arrays of a table, which is created when it is first needed."""
        if key not in self._drafts:
            description = describe(self._benchmark, self._layout, key, self._source)
            self._drafts[key] = self._open.enter_context(store.writing(description, self._folder / f"{key}.h5"))
        return self._drafts[key]


def fitting(
    benchmark: Benchmark, layout: ArchiveLayout, key: TableKey, trainings: Mapping[int, ArchiveTraining]
) -> ArchiveLayout:
    """Return the layout, extended for the data of trainings, by seed, that it cannot store."""
    unexpected = set(trainings) - set(layout.seeds(benchmark, key))
    if unexpected:
        layout = dataclasses.replace(layout, extra_seeds=layout.extra_seeds | {(key, s) for s in unexpected})
    if key not in layout.top5 and any(TOP5 in training.curves for training in trainings.values()):
        layout = dataclasses.replace(layout, top5=layout.top5 | {key})
    if key not in layout.varying and not all(_constant(s) for t in trainings.values() for s in t.seconds.values()):
        layout = dataclasses.replace(layout, varying=layout.varying | {key})
    return layout


def _seed(seed: Any) -> int:
    if type(seed) is not int or seed not in SEEDS:
        raise DataError(f"it has the unexpected seed {described(seed)}; known: {', '.join(map(str, SEEDS))}")
    return seed


def _constant(seconds: FloatArray) -> bool:
    """Return whether the seconds are the same at every epoch, or missing at all epochs."""
    return bool((seconds == seconds[0]).all() or np.isnan(seconds).all())


def _cost(values: list[float], repaired: bool, alone: float | None) -> float:
    """Return parameters or FLOPs as the official code computes them, to the last bit.

    Args:
        values: values of the trainings, in the order of the archive.
        repaired: whether disagreements between trainings are repaired.
        alone: the value of seed 888, used in this case; None if this training is missing.
    """
    if repaired and len({f"{value:.5f}" for value in values}) > 1:
        return float("nan") if alone is None else alone  # without seed 888, the official code fails
    total = 0.0
    for value in values:
        total += value
    return total / len(values)
