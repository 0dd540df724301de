"""Runs of a one-shot search as tasks that any process can do, with checkpoints and snapshots in a folder."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasbench_lab.files import as_output_error
from nasbench_lab.spaces import Space
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import torch_threads as torch_threads
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.saved_supernets import SupernetDetails, save_supernet
from nasbench_lab.train.one_shot.search_context import SupernetOptions
from nasbench_lab.train.one_shot.search_run import SearchRun
from nasbench_lab.train.one_shot.snapshots import snapshot_path
from nasbench_lab.train.recipes import TrainingRecipe

_BETWEEN_CHECKPOINTS = 5.0  # seconds

Report = Callable[[int], None]
"""Called with the number of finished epochs."""


@dataclasses.dataclass(frozen=True, eq=False)
class RunTask:
    """A run of a one-shot search.

    Attributes:
        method: the method.
        space: the search space.
        dataset: what the supernet is trained on.
        record: how the data set is found again.
        recipe: how the shared weights are trained.
        run: number of the run.
        seed: of the run.
        options: how the supernet is built and trained.
        folder: for the checkpoint and the snapshots.
        snapshots: epochs after which the supernet is saved; the last one always is.
        table: name of the table.
        threads: of torch.
    """

    method: Method[Any]
    space: Space
    dataset: Dataset
    record: DatasetRecord
    recipe: TrainingRecipe
    run: int
    seed: int
    options: SupernetOptions
    folder: Path
    snapshots: tuple[int, ...]
    table: str
    threads: int = 1

    @property
    def checkpoint(self) -> Path:
        """The file of the last checkpoint, which stays after the end."""
        return self.folder / "checkpoints" / f"run-{self.run}.pt"

    def restored(self) -> SearchRun:
        """Return the run as its last checkpoint has it, or before its first epoch.

        Raises:
            DataError: the checkpoint is damaged, or belongs to another search.
        """
        search = SearchRun(self.method, self.space, self.dataset, self.recipe, self.seed, self.options)
        if self.checkpoint.exists():
            search.load(self.checkpoint)
        return search


@dataclasses.dataclass(frozen=True)
class RunOutcome:
    """What a run recommended.

    Attributes:
        run: number of the run.
        recommended: the architecture after every epoch, -1 for none.
        times: the measured seconds after every epoch.
        failed: whether the training failed.
    """

    run: int
    recommended: tuple[int, ...]
    times: tuple[float, ...]
    failed: bool


def do_run(task: RunTask, report: Report | None = None) -> RunOutcome:
    """Search to the end, from the checkpoint where there is one.

    Args:
        task: the run.
        report: called after every epoch.

    Raises:
        DataError: the checkpoint is damaged, or belongs to another search.
        OutputError: the folder cannot be written.
    """
    with torch_threads(task.threads):
        search = task.restored()
        if report is not None and search.context.epoch:
            report(search.context.epoch)
        saved = time.monotonic()
        for epoch in search.epochs():
            if search.finished or epoch in task.snapshots:
                _save_snapshot(task, search)
            if search.finished or time.monotonic() - saved > _BETWEEN_CHECKPOINTS:
                _save_checkpoint(task, search)
                saved = time.monotonic()
            if report is not None:
                report(epoch)
    return RunOutcome(task.run, tuple(search.recommended), tuple(search.times), search.failed)


def finished_outcome(task: RunTask) -> RunOutcome | None:
    """Return what a run recommended if its checkpoint says that it has ended; None otherwise."""
    if not task.checkpoint.exists():
        return None
    with torch_threads(task.threads):
        search = task.restored()
    if not search.finished:
        return None
    return RunOutcome(task.run, tuple(search.recommended), tuple(search.times), search.failed)


def _save_checkpoint(task: RunTask, search: SearchRun) -> None:
    with as_output_error(task.checkpoint):
        task.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        search.save(task.checkpoint)


def _save_snapshot(task: RunTask, search: SearchRun) -> None:
    path = snapshot_path(task.folder, task.run, search.context.epoch)
    details = SupernetDetails(
        method=task.method.label,
        epoch=search.context.epoch,
        seed=task.seed,
        seconds=search.seconds,
        recipe=task.recipe,
        dataset=task.record,
        table=task.table,
    )
    with as_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_supernet(path, search.supernet, details)


def snapshot_epochs(epochs: int, count: int) -> tuple[int, ...]:
    """Return epochs at equal distances, with the last one.

    >>> snapshot_epochs(50, 5), snapshot_epochs(3, 10)
    ((10, 20, 30, 40, 50), (1, 2, 3))
    """
    return tuple(sorted({-(-epochs * (number + 1) // count) for number in range(count)}))
