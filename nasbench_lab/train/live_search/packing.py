"""A table file of what live searches have trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import __version__
from nasbench_lab.errors import DataError
from nasbench_lab.spaces import SubsetSpace
from nasbench_lab.tables.description import AXES, Description
from nasbench_lab.tables.table import Table
from nasbench_lab.train.build.assembly import METRICS, this_platform
from nasbench_lab.train.classification_metrics import MacroScores
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.live_search.journal import JournalledTraining
from nasbench_lab.train.live_search.spec import LiveSpec, TrainingLimits
from nasbench_lab.train.live_search.trainings import TrainingsOnDemand, stored_spec

Arrays = dict[str, NDArray[Any]]


def table_of_trainings(folder: Path, *, name: str | None = None, dataset: Dataset | None = None) -> Table:
    """Return a table of all trainings in a folder; its space is a subset with the architectures that were trained.

    Where a training has not reached a fidelity, or has failed, there is no value. Two searches in one folder, or with
    ``--trainings``, share a table.

    Args:
        folder: of live searches, or of a live table.
        name: of the table; by default that of the live table.
        dataset: the data set, if it cannot be loaded by its name or path.

    Raises:
        DataError: the folder has no trainings, or is damaged.
    """
    spec = stored_spec(folder)
    data = spec.dataset.load() if dataset is None else dataset
    with TrainingsOnDemand(spec, data, TrainingLimits(folder), ("cpu",)) as trainings:
        return _table(spec, data, trainings, name or spec.name)


def _table(spec: LiveSpec, data: Dataset, trainings: TrainingsOnDemand, name: str) -> Table:
    every = list(trainings.journal.items())
    if not every:
        raise DataError(f"nothing is trained in {trainings.folder} yet")
    chosen = sorted({trained.architecture for trained in every})
    rows = {architecture: row for row, architecture in enumerate(chosen)}
    lengths = dict(zip(AXES, (len(chosen), len(spec.fidelities), len(spec.seeds)), strict=True))
    values = {m.name: np.full([lengths[axis] for axis in m.axes], np.nan, np.float32) for m in METRICS}
    for trained in every:
        _fill(values, rows[trained.architecture], trained, spec, trainings)
    for metric in ("parameters", "flops"):
        values[metric] = np.array([trainings.numbers.value(metric, each) for each in chosen])
    return Table(_description(spec, data, chosen, len(every), name), values)


def _fill(values: Arrays, row: int, trained: JournalledTraining, spec: LiveSpec, trainings: TrainingsOnDemand) -> None:
    for place, epochs in enumerate(spec.fidelities):
        if spec.budget_of(epochs) != trained.budget or not trained.answers(epochs):
            continue
        for name, found in trainings.at_epoch(trained, epochs).items():
            values[name][row, place] = found
    if trained.budget == spec.fidelities[-1] and "confusion" in trained.arrays:
        failed = np.isnan(trained.arrays["test_loss"][:, -1])
        for repeat, (confusion, bad) in enumerate(zip(trained.arrays["confusion"], failed, strict=True)):
            if not bad:
                scores = MacroScores.from_confusion(confusion)
                for name in ("precision", "recall", "f1"):
                    values[f"test_{name}"][row, repeat] = getattr(scores, name)


def _description(spec: LiveSpec, data: Dataset, chosen: list[int], count: int, name: str) -> Description:
    complete = len(chosen) == spec.made_space.size
    provenance = (
        f"trained by nasbench-lab {__version__} on demand, {count:,} networks from the seeds {list(spec.seeds)} each",
        str(spec.recipe),
        f"networks with {dict(spec.network)}" if spec.network else "networks as published",
        f"data: {data.description} (sha256 {data.digest()})",
        this_platform(),
    )
    return Description(
        name=name,
        title=f"networks that live searches trained on {spec.dataset.name}",
        space=spec.space if complete else SubsetSpace(spec.made_space, chosen).spec(),
        fidelities=spec.fidelities,
        repeats=tuple(map(str, spec.seeds)),
        metrics=METRICS,
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("seconds",),
        resumable=not spec.budgets,
        source="; ".join(provenance),
        notes=("the architectures are those that searches chose, so they are better than random ones",),
    )
