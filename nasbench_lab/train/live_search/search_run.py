"""Running a live search in its folder."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.trace_files import load_traces, save_traces
from nasbench_lab.simulation.zero_cost_scores import require_scores
from nasbench_lab.strategies import list_strategies, resolve
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.live_search.failures import counts_of
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, StoredSearch, stored_searches
from nasbench_lab.train.live_search.search_log import LiveSearchLog
from nasbench_lab.train.live_search.search_loop import SearchLoop
from nasbench_lab.train.live_search.search_steps import LiveStep, Report
from nasbench_lab.train.live_search.search_trace import trace_of
from nasbench_lab.train.live_search.spec import TrainingLimits
from nasbench_lab.train.live_search.trainings import TrainingsOnDemand
from nasbench_lab.train.live_search.workers import TrainingWorkers

TRACE = "trace.h5"
"""Name of the trace in the folder of a search."""


@dataclasses.dataclass(frozen=True)
class SearchOutcome:
    """What a search found.

    Attributes:
        steps: the evaluations in the order in which they ended.
        finished: whether the budget is used up, or the strategy has nothing more to propose.
        failed: number of evaluations without a value by kind of failure, see
            `nasbench_lab.train.live_search.failures.KINDS`.
        note: why it ended early; empty if it did not.
        trace: of the evaluations; None without any.
    """

    steps: Sequence[LiveStep]
    finished: bool
    failed: Mapping[str, int] = dataclasses.field(default_factory=dict)
    note: str = ""
    trace: Trace | None = None


@contextlib.contextmanager
def open_table(
    search: StoredSearch,
    devices: Sequence[str],
    *,
    threads: int = 1,
    longest: float | None = None,
    dataset: Dataset | None = None,
) -> Iterator[LiveTable]:
    """Open the live table of a search.

    Args:
        search: the search.
        devices: torch device of every training at the same time.
        threads: number of threads per training.
        longest: wall-clock seconds after which a training counts as failed.
        dataset: the data set, if it is loaded.

    Raises:
        NasbenchLabError: the data set or the folder is damaged, or the space has no networks.
    """
    spec = search.plan.spec
    data = spec.dataset.load() if dataset is None else dataset
    limits = TrainingLimits(search.trainings, threads, longest, keep_weights=bool(search.plan.inherit))
    with TrainingsOnDemand(spec, data, limits, devices) as trainings:
        yield LiveTable(trainings, search.plan.metrics)


def run_search(search: StoredSearch, table: LiveTable, report: Report, *, train: bool = True) -> SearchOutcome:
    """Search until the budget is used up; what happened before is replayed.

    Args:
        search: the search, whose lock is held.
        table: its table.
        report: called with the state, about once a second.
        train: whether to continue the search; otherwise only what has happened is returned.

    Raises:
        NasbenchLabError: the conditions do not fit the table, the folder is damaged, or nothing could be trained.
    """
    strategy, prepared = search.plan.searcher, search.plan.conditions.on(table)
    with LiveSearchLog(search.path) as log:
        loop = SearchLoop(table, strategy, prepared, log, report, inherit=search.plan.inherit)
        loop.run(TrainingWorkers(table.trainings.trainer, table.trainings.devices) if train else None)
        failed = counts_of(filter(None, loop.without_value().values()))
    steps, trace = tuple(loop.steps), None
    if steps:
        stopped, recommends = loop.proposes_nothing, loop.recommends
        trace = trace_of(table, strategy, prepared, steps, stopped=stopped, recommends=recommends)
        if search.plan.inherit:  # never to be taken for a search from random weights
            parameters = {**trace.setting.parameters, "inherit": search.plan.inherit}
            setting = dataclasses.replace(trace.setting, label=search.plan.label, parameters=parameters)
            trace = dataclasses.replace(trace, setting=setting)
        save_traces([trace], search.path / TRACE)
    return SearchOutcome(steps, loop.is_over or loop.proposes_nothing, failed, loop.stopped, trace)


def finished_traces(folder: Path) -> list[Trace]:
    """Return the traces of all searches in a folder, the first started first."""
    paths = [each.path / TRACE for each in stored_searches(folder).values()]
    return [trace for path in paths if path.exists() for trace in load_traces(path)]


def check_plan(plan: LiveSearchPlan, dataset: Dataset) -> None:
    """Check everything about a search that can be checked before a training.

    Raises:
        NasbenchLabError: something is wrong.
    """
    strategy, budget = plan.searcher, plan.conditions.stated_budget
    if plan.inherit:
        check_inherits(strategy)
    if budget.energy is not None or budget.epochs is not None or budget.trainings is not None:
        raise ParameterError("the budget of a live search is in evaluations or in seconds")
    with tempfile.TemporaryDirectory() as folder:
        limits = TrainingLimits(Path(folder))
        with TrainingsOnDemand(plan.spec, dataset, limits, ("cpu",)) as trainings:
            table = LiveTable(trainings, plan.metrics)
            prepared = plan.conditions.on(table)
            require_scores(strategy, table)
            highest = prepared.measurements.fidelity
            strategy.evaluated_fidelities([epochs for epochs in table.fidelities if epochs <= highest])


def check_inherits(strategy: Strategy[Any]) -> None:
    """Check that a strategy says which evaluation a child inherits from.

    Raises:
        ParameterError: it does not.
    """
    if not strategy.names_parents:
        known = [name for name in list_strategies() if resolve(name, {}).names_parents]
        raise ParameterError(
            f"children inherit only where the strategy names their parents; {strategy.name!r} does not, "
            f"{', '.join(known)} do"
        )


def best_steps(steps: Sequence[LiveStep], count: int, *, minimize: bool = False) -> list[LiveStep]:
    """Return the best evaluations of different architectures, the best first.

    Only evaluations at the highest fidelity count that was reached, of architectures that keep the limits. Ties: the
    first.

    Args:
        steps: all evaluations.
        count: how many to return at most.
        minimize: whether lower values are better.

    >>> one = LiveStep(3, 12, 0, 80.0, 1.0, True, -1, True)
    >>> steps = [one, LiveStep(4, 12, 0, 90.0, 2.0, True, -1, True)]
    >>> [step.architecture for step in best_steps(steps, 1)]
    [4]
    """
    known = [step for step in steps if step.feasible and not np.isnan(step.observed)]
    highest = max((step.epochs for step in known), default=0)
    sign = 1 if minimize else -1
    ranked = sorted((step for step in known if step.epochs == highest), key=lambda step: sign * step.observed)
    first: dict[int, LiveStep] = {}
    for step in ranked:
        first.setdefault(step.architecture, step)
    return list(first.values())[:count]
