"""What strategies recommend, in the simulation and in traces."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import StrategyError
from nasbench_lab.simulation import concatenate, load_traces, save_traces
from nasbench_lab.strategies import Strategy, resolve
from nasbench_lab.testing import synthetic_table
from nasbench_lab.testing.conformance import CASES, identical, row

TABLE = synthetic_table("chain")


@dataclass
class State:
    space: object
    streams: object
    told: list
    asked: int = 0


@dataclass(frozen=True)
class LastButOne(Strategy[State]):
    """Random search that recommends the last architecture it was told before the last `tell`; -1 for the first."""

    asynchronous = True

    width: int = 3
    offset: int = 1

    def start(self, problem):
        return State(problem.space, problem.streams, [])

    def ask(self, state):
        return state.space.sample(state.streams.uniform(self.width))

    def tell(self, state, evaluations):
        state.told.append(evaluations.architecture[:, -1])

    def recommend(self, state):
        if len(state.told) <= self.offset:
            return np.full(len(state.told[0]), -1)
        return state.told[-1 - self.offset]


@dataclass(frozen=True)
class Silent(LastButOne):
    """The same search without recommendations."""

    def recommends(self, state):
        return False


def simulated(strategy, table=TABLE, **options):
    return nl.simulate(table, strategy, **{"runs": 4, "budget": nl.Budget(evaluations=10), **options})


def test_a_recommendation_belongs_to_the_last_of_the_evaluations_told_together():
    trace, silent = simulated(LastButOne()), simulated(Silent())
    a, found = trace.architecture, trace.recommended
    assert np.array_equal(a, silent.architecture)
    assert found.dtype == np.int32
    assert (found[:, :5] == -1).all()
    for step, source in ((5, 2), (6, 2), (7, 2), (8, 5), (9, 8)):  # the last batch is one evaluation: the budget is 10
        assert np.array_equal(found[:, step], a[:, source]), step
    observed = silent.incumbent()
    assert np.array_equal(trace.incumbent(), np.where(found >= 0, found, observed))
    assert np.array_equal(trace.final_incumbent(), a[:, 8])
    assert np.array_equal(trace.regret("observed"), silent.regret("observed"))
    means = TABLE.mean_values("test_accuracy")
    assert np.array_equal(trace.final("test"), means[a[:, 8]])
    assert (trace.incumbent_kind, silent.incumbent_kind) == ("recommended", "observed")
    assert silent.recommended is None
    assert np.array_equal(trace.records().columns["incumbent"], trace.incumbent().reshape(-1))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("budget", [nl.Budget(evaluations=11), nl.Budget(seconds=90.0)])
def test_the_same_for_batches_blocks_and_parts(workers, budget, monkeypatch, tmp_path):
    options = {"runs": 5, "budget": budget, "workers": workers}
    whole = simulated(LastButOne(), **options)
    assert (whole.recommended[~whole.mask] == -1).all()
    parts = [simulated(LastButOne(), **{**options, "runs": n}, first_run=first) for first, n in ((0, 2), (2, 3))]
    assert identical(whole, concatenate(parts))
    assert identical(whole, concatenate(list(whole.blocks(evaluations=2 * whole.steps))))
    for name, pieces in (("whole", [whole]), ("joined", [concatenate(parts)])):
        save_traces(pieces, tmp_path / f"{name}.h5")
    assert (tmp_path / "whole.h5").read_bytes() == (tmp_path / "joined.h5").read_bytes()
    assert identical(whole, load_traces(tmp_path / "whole.h5")[0])
    monkeypatch.setattr("nasbench_lab.simulation.run_batches.RUNS_AT_A_TIME", 2)
    assert identical(whole, simulated(LastButOne(), **options))
    for run in range(5):
        assert identical(row(whole, run), row(simulated(LastButOne(), **{**options, "runs": 1}, first_run=run), 0))


def test_the_same_for_processes():
    options = {"runs": 5, "budget": nl.Budget(seconds=90.0), "workers": 3}
    assert identical(simulated(LastButOne(), **options), simulated(LastButOne(), **options, processes=2))


def test_asynchronous_recommendations_follow_the_ends():
    trace = simulated(LastButOne(width=1), workers=3)
    assert np.array_equal(trace.recommended[:, 1:], trace.architecture[:, :-1])
    assert (trace.recommended[:, 0] == -1).all()


def test_a_run_that_ends_within_a_batch_keeps_the_earlier_recommendation():
    trace = simulated(LastButOne(width=7, offset=0), budget=nl.Budget(seconds=150.0), runs=20)
    for run, length in enumerate(trace.evaluations):
        last = trace.architecture[run, length // 7 * 7 - 1] if length >= 7 else simulated_best(trace, run)
        assert trace.final_incumbent()[run] == last


def simulated_best(trace, run):
    return dataclasses.replace(trace, recommended=None).final_incumbent()[run]


def test_what_breaks_a_limit_does_not_count():
    options = {"limits": {"parameters": 1.0}, "budget": nl.Budget(evaluations=60)}
    trace, silent = simulated(LastButOne(), **options), simulated(Silent(), **options)
    allowed = TABLE.mean_values("parameters") <= 1.0
    counts = (trace.recommended >= 0) & allowed[trace.recommended]
    assert 0.2 < counts.mean() < 0.8
    assert np.array_equal(trace.incumbent(), np.where(counts, trace.recommended, silent.incumbent()))
    assert np.array_equal(trace.final_incumbent(), trace.incumbent()[:, -1])
    assert np.nanmin(trace.regret("test")) >= 0


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (
            lambda runs: np.zeros((runs, 1), int),
            r"recommend integers of shape \(4,\), not int64 of shape \(4, 1\)",
        ),
        (np.zeros, "not float64 of shape"),
        (lambda _: None, "not object of shape"),
        (lambda runs: np.full(runs, 243), "recommended architecture 243; 'synthetic/chain' has 0..242"),
        (lambda runs: np.full(runs, -2), "recommended architecture -2"),
    ],
)
def test_bad_recommendations(returned, message):
    class Bad(LastButOne):
        def recommend(self, state):
            return returned(len(state.told[0]))

    with pytest.raises(StrategyError, match=message) as caught:
        simulated(Bad())
    assert "\n" not in str(caught.value)


class Plain:
    """Random search that recommends what it proposed first, in official notation, from the second value on."""

    def __init__(self, space, random):
        self.space, self.random, self.asked = space, random, []

    def ask(self):
        self.asked.append(int(self.random.integers(self.space.size)))
        return self.asked[-1] if len(self.asked) <= 5 else None

    def tell(self, architecture, value):
        self.told = value

    def recommend(self):
        return self.space.format([self.asked[0]])[0] if len(self.asked) > 1 else None


class Quiet(Plain):
    recommend = None


def test_plain_classes_recommend_by_index_or_notation():
    trace = simulated(Plain)
    assert (trace.evaluations == 5).all()
    assert (trace.recommended[:, 0] == -1).all()
    assert (trace.recommended[:, 1:] == trace.architecture[:, :1]).all()
    assert np.array_equal(trace.final_incumbent(), trace.architecture[:, 0])
    quiet = simulated(Quiet)
    assert quiet.recommended is None
    assert np.array_equal(quiet.architecture, trace.architecture)

    class Outside(Plain):
        def recommend(self):
            return self.space.size

    with pytest.raises(StrategyError, match="Outside recommended 243: "):
        simulated(Outside)


def test_the_strategy_around_another_recommends_what_that_recommends():
    class Keeps(LastButOne):
        name = "keeps"

    inner = simulated(Keeps(width=1))
    trace = simulated(resolve("zero-cost-filter", {"inner": Keeps(width=1), "candidates": 1}))
    assert np.array_equal(trace.recommended, inner.recommended)
    assert simulated("zero-cost-filter").recommended is None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_conformance(case):
    case(Best())


@dataclass(frozen=True)
class Best(LastButOne):
    """It recommends the best observed architecture: the same incumbents as without recommendations."""

    width: int = 2

    def start(self, problem):
        state = super().start(problem)
        state.best, state.value = np.full(problem.runs, -1), np.full(problem.runs, -np.inf)
        return state

    def tell(self, state, evaluations):
        for architecture, value in zip(evaluations.architecture.T, evaluations.value.T, strict=True):
            better = value > state.value
            state.best, state.value = np.where(better, architecture, state.best), np.where(better, value, state.value)

    def recommend(self, state):
        return state.best


class Counting(Best):
    """Its recommendation depends on how often `recommend` was called in all runs: a mistake."""

    def recommend(self, state):
        state.told.append(0)
        return (state.best + len(state.told) * (len(state.best) - 1)) % state.space.size


class BreaksLimits(Best):
    """It recommends the worst architecture that it was told: one that breaks a limit, if there is any."""

    def tell(self, state, evaluations):
        super().tell(state, evaluations._replace(value=-evaluations.value))


MISTAKES = {
    "a_run_does_not_depend_on_its_company": Counting,
    "recommends_what_keeps_the_limits": BreaksLimits,
    "recommending_changes_nothing": Counting,
}


@pytest.mark.parametrize(("case", "strategy"), MISTAKES.items())
def test_mistakes_do_not_conform(case, strategy):
    with pytest.raises(AssertionError):
        CASES[case](strategy())
