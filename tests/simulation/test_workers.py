"""Several simulated workers, against an event-by-event simulation in plain Python."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.strategies import Strategy
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("topology")
COST = TABLE.cost()[:, 0]


class Listed(Strategy):
    """Every run proposes its own fixed architectures, some at a time, and remembers what it is told."""

    name = "listed"

    def __init__(self, architectures, at_a_time, asynchronous):
        self.architectures, self.at_a_time, self.__dict__["asynchronous"] = architectures, at_a_time, asynchronous
        self.told = []

    def start(self, task):
        return {"next": 0}

    def ask(self, state):
        first, state["next"] = state["next"], state["next"] + self.at_a_time
        block = self.architectures[:, first : state["next"]]
        missing = self.at_a_time - block.shape[1]
        return np.pad(block, ((0, 0), (0, missing)), constant_values=-1)

    def tell(self, state, evaluations):
        self.told.append((evaluations.number.copy(), evaluations.architecture.copy()))


def plain(architectures, workers, at_a_time, asynchronous):
    """The architectures of one run and the seconds at which they end, in that order."""
    ended = []
    if asynchronous:
        busy = [(0.0, worker) for worker in range(workers)]
        for architecture in architectures:
            now, worker = heapq.heappop(busy)
            heapq.heappush(busy, (now + COST[architecture], worker))
            ended.append((now + COST[architecture], worker, architecture))
        return [(architecture, end) for end, worker, architecture in sorted(ended)]
    now = 0.0
    for first in range(0, len(architectures), at_a_time):
        free, batch = [now] * workers, []
        for architecture in architectures[first : first + at_a_time]:
            worker = free.index(min(free))
            free[worker] += COST[architecture]
            batch.append((architecture, free[worker]))
        ended += sorted(batch, key=lambda pair: pair[1])
        now = max(end for _, end in batch)
    return ended


@given(
    seed=st.integers(0, 2**32),
    workers=st.integers(2, 9),
    at_a_time=st.integers(1, 9),
    asynchronous=st.booleans(),
    evaluations=st.integers(1, 30),
)
@settings(max_examples=60)
def test_workers_do_what_a_plain_simulation_does(seed, workers, at_a_time, asynchronous, evaluations):
    architectures = np.random.default_rng(seed).integers(TABLE.space.size, size=(3, 20))
    strategy = Listed(architectures, at_a_time, asynchronous)
    trace = nl.simulate(TABLE, strategy, runs=3, budget=nl.Budget(evaluations=evaluations), workers=workers)
    for run in range(3):
        expected = plain(architectures[run].tolist(), workers, at_a_time, asynchronous)
        if not asynchronous:  # the budget cuts the last proposals off before they start
            expected = plain(architectures[run][:evaluations].tolist(), workers, at_a_time, asynchronous)
        expected = expected[:evaluations]
        kept = trace.mask[run]
        assert trace.architecture[run][kept].tolist() == [architecture for architecture, _ in expected]
        np.testing.assert_allclose(trace.time[run][kept], [end for _, end in expected], rtol=1e-12)


def test_everything_told_has_the_number_under_which_it_was_proposed():
    architectures = np.random.default_rng(0).integers(TABLE.space.size, size=(5, 40))
    for asynchronous in (True, False):
        strategy = Listed(architectures, 4, asynchronous)
        nl.simulate(TABLE, strategy, runs=5, budget=nl.Budget(evaluations=30), workers=4)
        for number, architecture in strategy.told:
            assert np.array_equal(np.take_along_axis(architectures, number, axis=1), architecture)


def test_one_worker_is_the_same_whether_a_strategy_could_be_asynchronous_or_not():
    architectures = np.random.default_rng(1).integers(TABLE.space.size, size=(2, 40))
    one, other = (
        nl.simulate(TABLE, Listed(architectures, 3, kind), runs=2, budget=nl.Budget(seconds=200)) for kind in (0, 1)
    )
    assert np.array_equal(one.time, other.time, equal_nan=True)


def test_four_workers_of_random_search_do_four_times_as_much():
    budget = nl.Budget(seconds=5_000)
    one, four = (nl.simulate(TABLE, "random-search", runs=20, budget=budget, workers=w) for w in (1, 4))
    assert 3.9 < four.evaluations.mean() / one.evaluations.mean() < 4.1


def test_workers_that_make_no_sense_are_refused():
    for workers in (0, -1, 10_000):
        with pytest.raises(ParameterError, match="workers must be from 1 to 1024"):
            nl.simulate(TABLE, "random-search", runs=1, budget=nl.Budget(evaluations=1), workers=workers)
    with pytest.raises(ParameterError, match="whole number"):
        nl.simulate(TABLE, "random-search", runs=1, budget=nl.Budget(evaluations=1), workers=2.0)
    with pytest.raises(MissingDataError, match="no times, so several workers are impossible"):
        nl.simulate(
            nl.load("nas-bench-graph/proteins"), "random-search", runs=1, budget=nl.Budget(evaluations=1), workers=2
        )
