"""Conformance cases: what every strategy must do. Each case raises an AssertionError if the strategy does not.

Run them with pytest like this::

import pytest
from nasbench_lab.testing import CASES

@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_conformance(case):
    case(MyStrategy(population_size=4))
"""

from __future__ import annotations

import dataclasses
import functools
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.checks import domains
from nasbench_lab.errors import OneFidelityWarning, ParameterError, SettingWarning
from nasbench_lab.simulation import Budget, Trace, simulate
from nasbench_lab.simulation.sent_objects import packed
from nasbench_lab.simulation.zero_cost_scores import TableScores
from nasbench_lab.spaces import ChainSpace
from nasbench_lab.strategies import Evaluations, Problem, Proposals, Strategy
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy
from nasbench_lab.streams import SCORE, Streams
from nasbench_lab.tables import Table
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.testing.function_tables import function_table
from nasbench_lab.testing.synthetic import SPACES, synthetic_table

Case = Callable[[StrategyLike], None]

_RUNS = 7
_ALONE = (_RUNS - 1, _RUNS // 2, 0)  # runs that are repeated alone: the last, the middle, the first
_BUDGET = Budget(evaluations=40)
_LONG_BUDGET = Budget(evaluations=600)
_ENOUGH_EVALUATIONS = 90


def identical(one: Trace, other: Trace) -> bool:
    """Return whether two traces hold the same evaluations, bit for bit.

    >>> trace = simulate(synthetic_table(), "random-search", runs=2, budget=Budget(evaluations=3))
    >>> identical(trace, trace), identical(trace, simulate(synthetic_table(), "random-search", runs=2, seed=1,
    ...                                                    budget=Budget(evaluations=3)))
    (True, False)
    """
    left, right = one.arrays(), other.arrays()
    return left.keys() == right.keys() and all(
        np.array_equal(array, right[name], equal_nan=name in _FLOATS) for name, array in left.items()
    )


_FLOATS = ("observed", "time")


def row(trace: Trace, run: int) -> Trace:
    """Return the trace of one run alone, without the steps after its end."""
    steps = int(trace.evaluations[run])
    arrays = {name: array[run : run + 1, :steps] for name, array in trace.arrays().items() if array.ndim == 2}
    return Trace(trace.setting, trace.reference, **arrays, stopped=trace.stopped[run : run + 1])


def case_a_run_does_not_depend_on_its_company(strategy: Strategy[Any]) -> None:
    """Run r is the same alone as among others, whatever the table and the budget."""
    for table in _all_tables():
        for budget in (_BUDGET, Budget(seconds=150.0)):
            together = _simulate(table, strategy, runs=_RUNS, budget=budget, first_run=3)
            for run in _ALONE:
                alone = _simulate(table, strategy, runs=1, budget=budget, first_run=3 + run)
                assert identical(row(together, run), row(alone, 0)), f"run {run} on {table.name} depends on the others"


def case_a_long_run_does_not_depend_on_its_company(strategy: Strategy[Any]) -> None:
    """The same over several hundred evaluations, when every phase of a strategy has been reached."""
    table, first = synthetic_table("chain"), _RUNS // 2
    together = _simulate(table, strategy, runs=_RUNS, budget=_LONG_BUDGET)
    fewer = _simulate(table, strategy, runs=2, budget=_LONG_BUDGET, first_run=first)
    for run in range(2):
        same = identical(row(together, first + run), row(fewer, run))
        assert same, f"run {first + run} depends on the others in a long search"


def case_different_runs_and_seeds_differ(strategy: Strategy[Any]) -> None:
    """Runs of one seed, and equal runs of two seeds, are not copies of each other, unless the strategy says so."""
    table = synthetic_table("topology")
    one = _simulate(table, strategy, runs=2, budget=_BUDGET, seed=1)
    other = _simulate(table, strategy, runs=2, budget=_BUDGET, seed=2)
    if strategy.deterministic:
        assert np.array_equal(one.architecture[0], one.architecture[1]), "two runs differ, but it says they do not"
        assert np.array_equal(one.architecture, other.architecture), "two seeds differ, but it says they do not"
        return
    assert not np.array_equal(one.architecture[0], one.architecture[1]), "two runs of one seed are the same"
    assert not np.array_equal(one.architecture, other.architecture), "two seeds give the same runs"


def case_a_longer_budget_only_adds(strategy: Strategy[Any]) -> None:
    """The first evaluations do not depend on how many are still to come, and the budget is used exactly."""
    for table in _all_tables():
        long = _simulate(table, strategy, runs=_RUNS, budget=_BUDGET)
        for evaluations in (1, 2, 17):
            short = _simulate(table, strategy, runs=_RUNS, budget=Budget(evaluations=evaluations))
            expected = np.minimum(long.evaluations, evaluations)
            assert np.array_equal(short.evaluations, expected), f"a budget of {evaluations} is not used exactly"
            steps = short.steps
            assert np.array_equal(short.architecture, long.architecture[:, :steps]), "the budget changes the search"


def case_no_evaluation_ends_after_the_budget(strategy: Strategy[Any]) -> None:
    """With a budget in seconds or epochs, what counts ended in time, and one more would not have."""
    table = synthetic_table("topology")
    in_seconds = _simulate(table, strategy, runs=_RUNS, budget=Budget(seconds=200.0))
    assert in_seconds.evaluations.min() > 0
    assert np.nanmax(in_seconds.time) <= 200.0
    longest = float(table.cost().max())
    assert np.nanmax(in_seconds.time, axis=1).min() > 200.0 - longest, "a run stopped early"
    in_epochs = _simulate(table, strategy, runs=_RUNS, budget=Budget(epochs=100), fidelity=12)
    if strategy.multi_fidelity:
        assert (in_epochs.evaluations >= 100 // 12).all()
    else:
        assert (in_epochs.evaluations == 100 // 12).all()


def case_workers_change_nothing_about_independence(strategy: Strategy[Any]) -> None:
    """With several workers a run is the same alone as among others, time never runs backwards, and work is shared."""
    table = synthetic_table("topology")
    for budget in (_BUDGET, Budget(seconds=150.0)):
        together = _simulate(table, strategy, runs=_RUNS, budget=budget, workers=3)
        for run in _ALONE:
            alone = _simulate(table, strategy, runs=1, budget=budget, first_run=run, workers=3)
            assert identical(row(together, run), row(alone, 0)), f"run {run} depends on the others with workers"
            time = together.time[run][together.mask[run]]
            assert (np.diff(time) >= 0).all(), "an evaluation is listed before one that ended earlier"
    if strategy.asynchronous:
        one = _simulate(table, strategy, runs=_RUNS, budget=_BUDGET)
        three = _simulate(table, strategy, runs=_RUNS, budget=_BUDGET, workers=3)
        assert three.time[:, -1].max() < one.time[:, -1].min(), "three workers are not faster than one"


def case_survives_failed_trainings(strategy: Strategy[Any]) -> None:
    """NaN, often or always, neither stops a search nor becomes its incumbent."""
    some = synthetic_table("chain", failures=0.5)
    trace = _simulate(some, strategy, runs=_RUNS, budget=_BUDGET)
    assert (trace.evaluations == 40).all(), "a search stopped because of failed trainings"
    found = _best_observed(trace).final_incumbent()
    assert (found >= 0).all()
    failed = np.isnan(some.mean_values("valid_accuracy"))
    assert not failed[found].any(), "a failed training is the incumbent"
    assert not (failed[trace.final_incumbent()] & _evaluated(trace)).any(), "a training is recommended that failed"


def case_survives_ties(strategy: Strategy[Any]) -> None:
    """Where all values are equal the search goes on, and the first architecture seen is the incumbent."""
    trace = _simulate(synthetic_table("chain", constant=True), strategy, runs=_RUNS, budget=_BUDGET)
    assert (trace.evaluations == 40).all(), "a search stopped because of ties"
    assert (_best_observed(trace).incumbent() == trace.architecture[:, :1]).all()


def case_survives_a_space_of_two(strategy: Strategy[Any]) -> None:
    """A space smaller than any population is searched until the budget or the space is used up."""
    trace = _simulate(synthetic_table("tiny"), strategy, runs=_RUNS, budget=_BUDGET)
    assert (trace.evaluations >= 2).all()
    assert {0, 1} >= set(np.unique(trace.architecture[trace.mask]).tolist())


def case_searches_a_space_too_large_to_list(strategy: Strategy[Any]) -> None:
    """10**18 architectures are searched like a thousand; a strategy that cannot says so before the first evaluation."""
    table = _large_table()
    budget = Budget(evaluations=16)
    try:
        together = _simulate(table, strategy, runs=3, budget=budget)
    except ParameterError as error:
        reason = str(error)
    else:
        reason = ""
    if reason:
        assert len(reason.splitlines()) == 1, f"the reason why it cannot is not one line: {reason}"
        return
    assert (together.evaluations == 16).all(), "a search stopped early"
    assert together.architecture.min() >= 0
    assert identical(row(together, 2), row(_simulate(table, strategy, runs=1, budget=budget, first_run=2), 0)), (
        "run 2 depends on the others"
    )


def case_the_direction_of_the_metric_does_not_matter(strategy: Strategy[Any]) -> None:
    """A table of errors is searched exactly as the table of the accuracies."""
    up = _simulate(_dyadic(synthetic_table("chain")), strategy, runs=_RUNS, budget=_BUDGET)
    down = _simulate(_dyadic(synthetic_table("chain", direction="minimize")), strategy, runs=_RUNS, budget=_BUDGET)
    assert np.array_equal(up.architecture, down.architecture), "the strategy is told raw errors"
    assert np.array_equal(up.incumbent(), down.incumbent())


def case_state_survives_pickling(strategy: Strategy[Any]) -> None:
    """A search that is pickled half-way and loaded again goes on as if nothing had happened."""
    search = _Search(strategy)
    search.proposals(11)
    state = pickle.loads(packed(search.state))  # noqa: S301 - made in the line itself
    loaded = _Search(strategy, state, search.evaluated)
    assert search.proposals(13) == loaded.proposals(13), "the search changes when its state is pickled"


def case_recommending_changes_nothing(strategy: Strategy[Any]) -> None:
    """Recommendations are indices of the space, one per run, and asking for them does not change the search."""
    if not _recommends(strategy):
        return

    def recommending(step: int, state: Any) -> None:
        if step:
            once, again = (np.asarray(strategy.recommend(state)) for _ in range(2))
            size = synthetic_table("chain").space.size
            assert once.shape == (_RUNS,), f"the recommendation must have shape ({_RUNS},), not {once.shape}"
            assert once.dtype.kind in "iu", f"the recommendation must be of integers, not {once.dtype}"
            assert once.min() >= -1, f"{once.min()} is recommended; -1 means none yet"
            assert once.max() < size, f"architecture {once.max()} is recommended; the space has 0..{size - 1}"
            assert np.array_equal(once, again), "two recommendations without a value in between differ"

    plain = _Search(strategy).proposals(30)
    assert plain == _Search(strategy).proposals(30, recommending), "recommending changes the search"


def case_recommends_what_keeps_the_limits(strategy: Strategy[Any]) -> None:
    """No run ends with the recommendation of an architecture that it saw break a limit, if it saw one that does not."""
    if not _recommends(strategy):
        return
    table = synthetic_table("chain")
    parameters = table.mean_values("parameters")
    limit = float(np.median(parameters))
    trace = _simulate(table, strategy, runs=_RUNS, budget=_BUDGET, limits={"parameters": limit})
    assert trace.recommended is not None
    last = np.where(trace.evaluations > 0, trace.recommended[np.arange(_RUNS), trace.evaluations - 1], -1)
    seen = ((trace.architecture == last[:, None]) & trace.mask).any(axis=1)
    allowed = ((parameters[trace.architecture] <= limit) & trace.mask).any(axis=1)
    broken = (last >= 0) & (parameters[last] > limit)
    assert not (broken & seen & allowed).any(), "an architecture is recommended that was seen to break a limit"


def case_bad_parameters_are_refused(strategy: Strategy[Any]) -> None:
    """Every value that a parameter's annotation does not allow is a ParameterError that names the parameter."""
    given: Any = strategy
    if not dataclasses.is_dataclass(type(strategy)):
        return
    for name, domain in domains(type(strategy)).items():
        for value in domain.bad_values():
            try:
                dataclasses.replace(given, **{name: value})
            except ParameterError as error:
                message = str(error)
            else:
                raise AssertionError(f"{name}={value!r} is accepted, but it must be {domain}")
            assert name in message, f"the error for {name}={value!r} does not name the parameter: {message}"
            assert len(message.splitlines()) == 1, f"the error for {name}={value!r} is not one line: {message}"


class _Search:
    """A search that does not wait for the ends of trainings, and that can go on from a copy of its state."""

    def __init__(self, strategy: Strategy[Any], state: Any = None, evaluated: int = 0) -> None:
        self.table = synthetic_table("chain")
        self.strategy, self.evaluated = strategy, evaluated
        self.state = strategy.start(_problem(self.table)) if state is None else state

    def proposals(self, steps: int, before: Callable[[int, Any], None] | None = None) -> list[Any]:
        """Go on and return what was proposed; something may look at the state before every step.

        It ends early when so many evaluations were asked for that the strategy has learned from several batches.
        """
        values = np.nan_to_num(self.table.mean_values("valid_accuracy"))
        asked: list[Any] = []
        last = self.evaluated + _ENOUGH_EVALUATIONS
        for step in range(steps):
            if before is not None:
                before(step, self.state)
            proposed = self.strategy.ask(self.state)
            proposals = proposed if isinstance(proposed, Proposals) else Proposals(proposed)
            asked.append([None if array is None else array.tolist() for array in proposals])
            architecture = proposals.architecture
            count = architecture.shape[1]
            number = np.broadcast_to(np.arange(self.evaluated, self.evaluated + count), architecture.shape)
            value = values[np.maximum(architecture, 0)]
            self.strategy.tell(self.state, Evaluations(architecture, value, number, proposals.fidelity))
            self.evaluated += count
            if self.evaluated >= last:
                break
        return asked


def _problem(table: Table) -> Problem:
    scores = TableScores(table, Streams(5, 0, _RUNS, SCORE))
    return Problem(table.space, Streams(5, 0, _RUNS), table.fidelities, scores=scores)


def _recommends(strategy: Strategy[Any]) -> bool:
    return strategy.recommends(strategy.start(_problem(synthetic_table("chain"))))


def _best_observed(trace: Trace) -> Trace:
    """Return a trace without recommendations."""
    return dataclasses.replace(trace, recommended=None)


def _evaluated(trace: Trace) -> NDArray[np.bool_]:
    """Return whether each run has evaluated its last incumbent, shape (runs,)."""
    return ((trace.architecture == trace.final_incumbent()[:, None]) & trace.mask).any(axis=1)


def _simulate(*arguments: Any, **options: Any) -> Trace:
    """Simulate without the warnings that a short budget ends before a second fidelity, and of `Strategy.notes`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OneFidelityWarning)
        warnings.simplefilter("ignore", SettingWarning)
        return simulate(*arguments, **options)


def _all_tables() -> list[Table]:
    """One synthetic table on every kind of space."""
    return [synthetic_table(kind) for kind in SPACES]  # type: ignore[arg-type] # the keys are the kinds


@functools.cache
def _large_table() -> ComputedTable:
    """A table on a space that cannot be listed."""
    return function_table(ChainSpace("0123456789", 18), interactions=0.0)


def _dyadic(table: Table) -> Table:
    """Round the objective to multiples of 2**-20, so that 1 - value is exact and ties are the same both ways."""
    values = {name: table.values(name) for name in table.metrics}
    rounded = np.round(np.asarray(values["valid_accuracy"]) * 2**20) / 2**20
    return Table(table.description, {**values, "valid_accuracy": rounded})


def _case(check: Callable[[Strategy[Any]], None]) -> Case:
    """Let a case take whatever stands for a strategy."""

    @functools.wraps(check)
    def case(strategy: StrategyLike) -> None:
        check(find_strategy(strategy))

    return case


CASES: dict[str, Case] = {
    name.removeprefix("case_"): _case(case) for name, case in list(globals().items()) if name.startswith("case_")
}
"""All conformance cases by name. Each is a function of a strategy: an object, a class or a name, see `simulate`. Of a
class with ``ask`` and ``tell`` for a single run, every case makes its own objects."""
