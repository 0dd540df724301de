"""A table whose answers are trained when somebody asks for them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Space
from nasbench_lab.tables import ComputedTable, Table
from nasbench_lab.tables.computed import Columns, mean_of_repeats
from nasbench_lab.tables.description import AXES, Description
from nasbench_lab.train.build.assembly import METRICS
from nasbench_lab.train.chosen_datasets import AnyDataset
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import check_device
from nasbench_lab.train.live_search.failures import RETRIED, check_kinds, counts_of
from nasbench_lab.train.live_search.network_numbers import UNTRAINED, untrained_metrics
from nasbench_lab.train.live_search.settings import live_spec
from nasbench_lab.train.live_search.spec import LiveSpec, TrainingLimits
from nasbench_lab.train.live_search.trainings import TrainingsOnDemand
from nasbench_lab.train.recipes import TrainingRecipe


@final
class LiveTable(ComputedTable):
    """A table that trains an architecture when it is first asked for, and keeps the result in its folder.

    `live` makes one.

    Args:
        trainings: the trainings of its folder.
        metrics: names of the metrics that need no training.
    """

    is_cheap = False

    def __init__(self, trainings: TrainingsOnDemand, metrics: Sequence[str] = UNTRAINED) -> None:
        spec = trainings.spec
        identity = spec.identity(trainings.dataset)
        super().__init__(
            description_of(spec, metrics), space=spec.made_space, checksum=hashlib.sha256(identity.encode()).hexdigest()
        )
        self.trainings, self._metrics = trainings, tuple(metrics)
        self.requests_at_a_time = len(trainings.devices)
        self._names = tuple(metric.name for metric in self.description.metrics if metric.axes == AXES)

    def __reduce__(self) -> tuple[Any, ...]:
        """Open the folder again in another process."""
        own = self.trainings
        return _reopened, (own.spec, own.dataset, own.limits, own.devices, self._metrics)

    def measure(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Mapping[str, ArrayLike]:
        """Train what is not trained yet, and return the measurements; see `ComputedTable.measure`."""
        pairs = list(zip(architecture.tolist(), epochs.tolist(), strict=True))
        requests = [self.trainings.request(*pair) for pair in pairs]
        trained = self.trainings.train(requests)
        rows = [self.trainings.at_epoch(each, at) for each, (_, at) in zip(trained, pairs, strict=True)]
        return {
            name: np.array([row[name][number] for row, number in zip(rows, repeat.tolist(), strict=True)])
            for name in self._names
        }

    def measure_untrained(self, architecture: IntArray, metrics: Sequence[str]) -> Mapping[str, ArrayLike]:
        """Return numbers of untrained networks; see `ComputedTable.measure_untrained`."""
        numbers = self.trainings.numbers
        return {name: np.array([numbers.value(name, each) for each in architecture.tolist()]) for name in metrics}

    def known_means(self, architecture: ArrayLike, epochs: int, metrics: Sequence[str]) -> Columns:
        """Return the means over repeats of all trainings in the folder; see `ComputedTable.known_means`."""
        where = self.space.check_index(architecture)
        untrained = [name for name in metrics if self.description.metric(name).axes == AXES[:1]]
        columns = self.untrained(where, untrained) if untrained else {}
        rows = [self._known_means(index, epochs) for index in where.reshape(-1).tolist()]
        for name in metrics:
            if name not in columns:
                columns[name] = np.array([row.get(name, np.nan) for row in rows]).reshape(where.shape)
        return columns

    def retry_failed(self, reasons: Sequence[str] = RETRIED) -> dict[str, int]:
        """Train what failed again, when it is next asked for; otherwise a failed training is never repeated.

        A training continues from its last checkpoint, if there is one.

        Args:
            reasons: kinds of failures: ``"memory"`` (out of memory), ``"time"`` (over the time limit), ``"process"``
                (its process died), ``"loss"`` (the loss is not finite) and ``"error"`` (anything else). By default the
                first three. Unless something changes, a loss that is not finite will be so again.

        Returns:
            Number of trainings by reason.

        Raises:
            ParameterError: there is no such reason.

        >>> from nasbench_lab import train
        >>> table = train.live("digits/chain", epochs=3, longest=1e-6)
        >>> table.lookup([7]), table.retry_failed()
        (array([nan]), {'time': 1})
        """
        kinds = check_kinds(reasons)
        self.forget()
        return counts_of(self.trainings.retry_failed(kinds))

    def _known_means(self, architecture: int, epochs: int) -> dict[str, float]:
        trained = self.trainings.known(self.trainings.request(architecture, epochs))
        found = {} if trained is None else self.trainings.at_epoch(trained, epochs)
        return {name: float(mean_of_repeats(values)) for name, values in found.items()}


def _reopened(
    spec: LiveSpec, dataset: Dataset, limits: TrainingLimits, devices: Sequence[str], metrics: Sequence[str]
) -> LiveTable:
    return LiveTable(TrainingsOnDemand(spec, dataset, limits, devices), metrics)


def live(
    space: Space | Table | str | os.PathLike[str],
    dataset: AnyDataset | None = None,
    recipe: TrainingRecipe | str | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    epochs: int | None = None,
    budgets: Sequence[int] = (),
    seeds: int | Sequence[int] | None = None,
    device: str | Sequence[str] = "cpu",
    processes: int | None = 1,
    precision: str = "float32",
    threads: int = 1,
    longest: float | None = None,
    metrics: Sequence[str] = UNTRAINED,
    name: str | None = None,
    **options: int,
) -> LiveTable:
    """Return a table that trains architectures on demand, for every strategy and every analysis.

    Every training is done once. It is kept in the folder, so that another search, another process or another session
    that asks for the same network finds it. A training that fails (its loss is not finite, memory or time run out) is
    kept as failed: its values are NaN. `LiveTable.retry_failed` allows another try.

    Args:
        space: a space, its name, a TOML file that describes it (see `nasbench_lab.spaces.read_space`); or a table, by
            default with its data set, recipe, seeds and options of networks.
        dataset: what the networks are trained on: a name, an ``.npz`` file, see `nasbench_lab.train.datasets`.
        recipe: how they are trained, or its name; by default our recipe for digits, and 200 epochs as in NATS-Bench
            for other data sets.
        folder: where trainings are kept; by default a folder that is removed with the table.
        epochs: number of epochs, if it is not that of the recipe. All smaller numbers are fidelities: a training
            resumes from its checkpoint.
        budgets: numbers of epochs, each with a training of its own, instead of one learning curve.
        seeds: number of networks that are trained side by side for every architecture, or their seeds; by default one.
            Each seed is a repeat.
        device: name of a torch device; or of several, such as ``["cuda:0", "cuda:1"]``.
        processes: trainings at the same time, where a search asks for several; by default one, in this process. None
            for one per processor, or one per GPU.
        precision: ``"float32"``, or ``"bfloat16"`` for mixed precision.
        threads: number of threads per training.
        longest: wall-clock seconds after which a training counts as failed; by default there is no limit.
        metrics: further metrics, which need no training: ``"parameters"``, ``"flops"``, ``"latency"``,
            ``"latency_256"``, ``"peak_memory"``, and the zero-cost proxies by name. Each is computed when it is asked
            for.
        name: of the table; by default made from the names of the data set and the space.
        options: of the networks, e.g. ``channels=16, cells=5``; by default those that were published, or those of the
            embedded tables for digits.

    Raises:
        ParameterError: the space has no networks, or a value is not allowed.
        UnknownNameError: there is no such space, data set or recipe.
        DataError: the folder has other trainings, or a file is damaged.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab import train
    >>> table = train.live("digits/chain", epochs=1)
    >>> trace = nl.simulate(table, "random-search", runs=1, budget=nl.Budget(evaluations=2))
    >>> trace.observed.shape
    (1, 2)
    """
    spec, data = live_spec(
        space, dataset, recipe, epochs=epochs, budgets=budgets, seeds=seeds, precision=precision, name=name, **options
    )
    devices = devices_of(device, processes)
    place = Path(tempfile.mkdtemp(prefix="nasbench-lab-live-")) if folder is None else Path(folder)
    untrained_metrics(metrics)  # before the folder is used
    table = LiveTable(TrainingsOnDemand(spec, data, TrainingLimits(place, threads, longest), devices), metrics)
    if folder is None:
        weakref.finalize(table, _remove, place)
    return table


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def devices_of(device: str | Sequence[str], processes: int | None) -> tuple[str, ...]:
    """Return the torch device of every training at the same time.

    Args:
        device: name of a device, or of several.
        processes: trainings at the same time; None for one per processor, or one per GPU.

    >>> devices_of("cpu", 3)
    ('cpu', 'cpu', 'cpu')
    """
    from nasbench_lab.child_processes import number_of_processes

    names = [check_device(each) for each in ([device] if isinstance(device, str) else device)]
    if not names:
        raise ParameterError("give at least one device")
    count = len(names) if processes is None and names != ["cpu"] else number_of_processes(processes)
    if count < len(names):
        count = len(names)
    return tuple(names[place % len(names)] for place in range(count))


def description_of(spec: LiveSpec, untrained: Sequence[str] = UNTRAINED) -> Description:
    """Return the description of a live table.

    Args:
        spec: what is trained.
        untrained: names of the metrics that need no training.

    Raises:
        UnknownNameError: there is no such metric.
    """
    trained = tuple(metric for metric in METRICS if metric.axes == AXES)
    return Description(
        name=spec.name,
        title=f"networks trained on demand on {spec.dataset.name}",
        space=spec.space,
        fidelities=spec.fidelities,
        repeats=tuple(str(seed) for seed in spec.seeds),
        metrics=(*trained, *untrained_metrics(untrained)),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("seconds",),
        resumable=not spec.budgets,
        source=f"{spec.recipe}; networks with {dict(spec.network)}; data: {spec.dataset.name}",
        kind="live",
    )
