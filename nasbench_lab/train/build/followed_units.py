"""Callbacks of a build: the processes that train send their epochs to the one that started them, which calls."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.train.build.journal import Arrays, Unit
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.callbacks import Callback, GuardedCallbacks, TrainingRun
from nasbench_lab.train.training import QUANTITIES

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

    EpochQueue = SimpleQueue[tuple[Unit, int, NDArray[np.float64]]]
else:
    EpochQueue = Any


def send_epochs(queue: EpochQueue, unit: Unit, first: int, values: Mapping[str, NDArray[np.float64]]) -> None:
    """Send the epochs of a unit after number ``first``, one message each.

    So short a message is written to a pipe at once. A process that is killed leaves no half message behind, for whose
    end the other process would wait.

    Args:
        queue: to the process that calls the callbacks.
        unit: what is trained.
        first: number of the last epoch before.
        values: the quantities of `QUANTITIES`, each of shape (seeds, epochs).
    """
    stacked = np.stack([values[name] for name in QUANTITIES])
    for place in range(stacked.shape[2]):
        queue.put((unit, first + place, stacked[:, :, place]))


class FollowedUnits:
    """Calls callbacks for the units of a build, one run per seed.

    Everything is called in the process that started the build, in the order of the epochs. The result of a
    unit has all epochs, so what is missing is taken from there, and messages that come later are ignored.

    Args:
        callbacks: what follows the trainings.
        spec: specification of the units.
    """

    def __init__(self, callbacks: tuple[Callback, ...], spec: BuildSpec) -> None:
        self._callbacks = GuardedCallbacks(callbacks)
        self._spec = spec
        # Of processes that are started afresh, as those of a build are.
        context = multiprocessing.get_context("spawn")
        self.queue: EpochQueue | None = context.SimpleQueue() if self._callbacks.active else None
        self._runs: dict[Unit, list[TrainingRun]] = {}
        self._done: dict[Unit, int] = {}
        self._ended: set[Unit] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._callbacks.__exit__(kind, error, None)
        if self.queue is not None:
            self.queue.close()

    def receive(self) -> None:
        """Call the callbacks for all epochs that were sent so far."""
        while self.queue is not None and not self.queue.empty():
            unit, epoch, values = self.queue.get()
            self._epochs(unit, epoch, dict(zip(QUANTITIES, values[..., None], strict=True)))

    def finish(self, unit: Unit, arrays: Arrays) -> None:
        """Call the callbacks for the end of a unit, which is recorded already."""
        if not self._callbacks.active:
            return
        self.receive()
        self._epochs(unit, 0, {name: arrays[name] for name in QUANTITIES})
        for place, run in enumerate(self._runs.pop(unit)):
            end = {name: float(arrays[name][place, -1]) for name in QUANTITIES}
            end["seconds"] = float(np.nansum(arrays["seconds"][place]))
            self._callbacks.end(run, _finite(end), "failed" if arrays["failed"][place] else "finished")
        self._ended.add(unit)

    def _epochs(self, unit: Unit, first: int, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Call the callbacks for the epochs of a unit from number ``first`` + 1 on, except those that they have had."""
        if unit in self._ended:
            return
        runs = self._started(unit)
        count = values["seconds"].shape[1]
        for epoch in range(self._done[unit], first + count):
            for place, run in enumerate(runs):
                row = {name: float(array[place, epoch - first]) for name, array in values.items()}
                if row := _finite(row):
                    self._callbacks.epoch(run, epoch + 1, row)
        self._done[unit] = max(self._done[unit], first + count)

    def _started(self, unit: Unit) -> list[TrainingRun]:
        if unit not in self._runs:
            self._runs[unit] = [run_of(self._spec, unit, seed) for seed in self._spec.seeds]
            self._done[unit] = 0
            for run in self._runs[unit]:
                self._callbacks.start(run)
        return self._runs[unit]


def run_of(spec: BuildSpec, unit: Unit, seed: int) -> TrainingRun:
    """Return one training of a unit, as callbacks see it.

    >>> from nasbench_lab.train.recipes import recipe
    >>> spec = BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, recipe("digits"), (0, 7), (4, 12))
    >>> run_of(spec, (1462, 4), 7).name
    'topology 1462, 4 epochs, seed 7'
    """
    space, (architecture, epochs) = spec.make_space(), unit
    budget = f", {epochs} epochs" if spec.budgets else ""
    recipe = dataclasses.replace(spec.recipe, epochs=epochs)
    return TrainingRun(
        name=f"{spec.label(architecture)}{budget}, seed {seed}",
        group=spec.name,
        architecture=space.format(architecture),
        space=(space.parent or space).name,
        dataset=str(spec.dataset.get("name") or spec.dataset.get("file", "")),
        recipe=recipe,
        seed=seed,
    )


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if np.isfinite(value)}
