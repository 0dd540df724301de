"""Evaluating predictors: many trials, several numbers of labels, in one or several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.child_processes import number_of_processes
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.evaluation_folder import EvaluationFolder, StoredPredictor
from nasbench_lab.prediction.evaluation_results import PredictorEvaluation, PredictorTrials
from nasbench_lab.prediction.predictors import Predictor
from nasbench_lab.prediction.registry import make_predictors
from nasbench_lab.prediction.settings import SIZES, TEST, Settings, SourceSettings, TestFrom, checked_sizes
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.transfer import TransferWay
from nasbench_lab.prediction.trial_runs import TrialTask, run_trial
from nasbench_lab.prediction.trials import make_trial
from nasbench_lab.prediction.worker_processes import Tables, run_tasks
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.tables import Table, load

Progress = Callable[[int, int], None]
"""Called with the numbers of finished trials and of all trials, over all predictors."""

_MOST_TOGETHER = 10  # trials of a task: what a killed process loses


def evaluate(
    table: Table | str,
    predictors: Any,
    *,
    encodings: str | Sequence[str] = "one-hot",
    sizes: Sequence[int] = SIZES,
    trials: int = 100,
    first_trial: int = 0,
    test: int = TEST,
    test_from: TestFrom = "uniform",
    repeat: RepeatPolicy = "sample",
    seed: int = 0,
    source: Table | str | None = None,
    source_epochs: int | None = None,
    source_labels: int = 200,
    transfer: TransferWay | Sequence[TransferWay] = "residual",
    processes: int | None = 1,
    out: str | os.PathLike[str] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> PredictorEvaluation:
    """Evaluate predictors of performance as White et al. ("How powerful are performance predictors in NAS?", 2021) do.

    In every trial, test architectures and an order of further architectures are drawn at random. Every predictor learns
    from the labels of the first 5, 8, ... of these, and predicts the test architectures. Unlike in the original
    protocol, no two architectures of a trial are the same network. Trial t is the same whether it is evaluated alone
    (``first_trial=t, trials=1``) or among others, for all predictors and any number of processes.

    Args:
        table: the table, or its name.
        predictors: names (see `nasbench_lab.prediction.list_predictors`), such as ``"random-forest"`` or
            ``"last-value:epochs=12"``; regressors with the interface of scikit-learn; `Predictor` objects; or a mapping
            of names to regressors. One, or several.
        encodings: of models that have none of their own; every model is evaluated with every encoding.
        sizes: numbers of labels.
        trials: number of trials.
        first_trial: number of the first trial.
        test: number of test architectures.
        test_from: ``"uniform"``, drawn from the whole space; or ``"good"``, the best 5 of 200 random architectures and
            mutations of them.
        repeat: what a label is: ``"sample"``, one training; ``"mean"``, the mean over repeats; or the number of a
            repeat. The truth is always the mean at the highest fidelity.
        seed: root seed.
        source: another table of the same space, or the same table. Models are then also evaluated as models that learn
            from its labels, too.
        source_epochs: training epochs of its labels; by default the highest fidelity.
        source_labels: number of its labels.
        transfer: how they learn from it, see `TransferPredictor`; one way or several.
        processes: number of processes; None for one per processor.
        out: folder in which finished trials are stored. An evaluation that was stopped continues there, and predictors
            and trials can be added. By default, nothing is stored.
        progress: called after every task of up to ten trials.

    Returns:
        The evaluation of these predictors; with ``out``, of all predictors in the folder.

    Raises:
        UnknownNameError: there is no such table, predictor, encoding or fidelity.
        ParameterError: a number is out of range, the table has too few networks, or the tables have other spaces.
        MissingDataError: the table lacks what a predictor reads.
        OutputError: the folder has an evaluation with other settings, or cannot be written.

    >>> from sklearn.linear_model import Ridge
    >>> from nasbench_lab.testing import synthetic_table
    >>> found = evaluate(synthetic_table("chain"), Ridge(), sizes=[8, 64], trials=5, test=50)
    >>> found
    <PredictorEvaluation on synthetic/chain: 1 predictor, 5 trials, 8, 64 labels>
    >>> low, high = found.predictors[0].intervals("kendall").estimate
    >>> bool(low < high)
    True
    """
    opened = load(table) if isinstance(table, str) else table
    chosen = make_predictors(predictors, encodings, None if source is None else transfer)
    first = whole("first_trial", first_trial, AtLeast(0))
    numbers = range(first, first + whole("trials", trials, AtLeast(1)))
    used = number_of_processes(processes)
    tables = _tables(opened, repeat, source, source_epochs)
    least = max((each.fewest_labels for each in chosen if each.needs_labels), default=1)
    settings = Settings(
        table=opened.name,
        checksum=opened.checksum,
        sizes=checked_sizes(sizes, 0 if source is not None and least == 0 else 1),
        test=test,
        test_from=test_from,
        repeat=tables.trainings.repeat,
        seed=seed,
        source=_source_settings(tables.source, source_labels),
    )
    _check_labels(chosen, settings)
    networks = len(np.unique(opened.space.representatives[tables.trainings.labelled]))
    _try_out(chosen, settings, tables, numbers[0])
    if out is None:
        return _in_memory(chosen, settings, tables, numbers, used, networks, progress)
    folder = EvaluationFolder.begin(Path(out), settings, opened.objective.unit, networks)
    with folder.locked():
        folder.add(chosen)
        tasks, done = _missing(folder, chosen, settings, numbers, used)
        total = len(chosen) * len(numbers)
        progress(done, total)
        for task, values in run_tasks(tasks, tables, used):
            folder.store(task, values)
            done += len(task.trials)
            progress(done, total)
    return folder.results()


def _tables(table: Table, repeat: RepeatPolicy, source: Table | str | None, epochs: int | None) -> Tables:
    trainings = TableTrainings(table, None, repeat)
    if source is None:
        require(epochs is None, "source_epochs needs source, the other table")
        return Tables(trainings, None)
    other = load(source) if isinstance(source, str) else source
    if other.space.spec() != table.space.spec():
        raise ParameterError(
            f"{other.name!r} and {table.name!r} have different spaces, so there is nothing to transfer"
        )
    return Tables(trainings, TableTrainings(other, epochs, repeat))


def _source_settings(source: TableTrainings | None, labels: int) -> SourceSettings | None:
    if source is None:
        return None
    count = whole("source_labels", labels, AtLeast(2))
    return SourceSettings(source.table.name, source.table.checksum, source.epochs, count)


def _check_labels(predictors: Sequence[Predictor], settings: Settings) -> None:
    for each in predictors:
        if each.needs_labels and settings.sizes[0] < each.fewest_labels:
            raise ParameterError(
                f"{each.label} needs at least {each.fewest_labels} labels, but sizes has {settings.sizes[0]}"
            )


def _try_out(predictors: Sequence[Predictor], settings: Settings, tables: Tables, number: int) -> None:
    """Predict once with the largest training set, so that mistakes are noticed before hours of work."""
    trial = make_trial(number, settings, *tables)
    for each in predictors:
        run_trial(trial, each, settings.sizes[:1])


def _tasks(
    predictor: Predictor, settings: Settings, numbers: Sequence[int], processes: int, predictors: int
) -> list[TrialTask]:
    """Return tasks of up to ten trials, and of fewer where processes would otherwise have nothing to do."""
    together = max(1, min(_MOST_TOGETHER, -(-len(numbers) * predictors // processes)))
    return [
        TrialTask(predictor, settings, tuple(numbers[start : start + together]))
        for start in range(0, len(numbers), together)
    ]


def _missing(
    folder: EvaluationFolder, predictors: Sequence[Predictor], settings: Settings, numbers: range, processes: int
) -> tuple[list[TrialTask], int]:
    """Return the tasks with trials that are not stored, and the number of trials that are."""
    tasks: list[TrialTask] = []
    done = 0
    for each in predictors:
        stored = folder.trials(each.label)
        left = [number for number in numbers if number not in stored]
        done += len(numbers) - len(left)
        tasks += _tasks(each, settings, left, processes, len(predictors))
    return tasks, done


def _in_memory(
    predictors: Sequence[Predictor],
    settings: Settings,
    tables: Tables,
    numbers: range,
    processes: int,
    networks: int,
    progress: Progress,
) -> PredictorEvaluation:
    tasks = [task for each in predictors for task in _tasks(each, settings, numbers, processes, len(predictors))]
    place = {each.label: number for number, each in enumerate(predictors)}
    found: Mapping[int, dict[int, Any]] = {number: {} for number in place.values()}
    done = 0
    for task, values in run_tasks(tasks, tables, processes):
        found[place[task.predictor.label]].update(zip(task.trials, values.swapaxes(0, 1), strict=True))
        done += len(task.trials)
        progress(done, len(predictors) * len(numbers))
    parts = []
    for number, each in enumerate(map(StoredPredictor.of, predictors)):
        values = np.stack([found[number][trial] for trial in numbers], axis=1)
        trials, sizes = np.array(numbers), np.array(settings.sizes)
        parts.append(PredictorTrials(each.label, each.name, each.encoding, each.needs_labels, trials, sizes, values))
    return PredictorEvaluation(settings, tables.trainings.objective.unit, networks, tuple(parts))
