"""Parents of proposals: where children inherit weights, strategies name the evaluations of their parents."""

import numpy as np
import pytest

from nasbench_lab.strategies import list_strategies, resolve
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams
from nasbench_lab.testing import synthetic_table

RUNS = 6
NAMING = [name for name in list_strategies() if resolve(name, {}).names_parents]
MUTATING = {"hill-climbing", "local-search", "mu-plus-lambda", "regularized-evolution", "simulated-annealing"} | {
    "greedy-search",
    "tabu-search",
}
"""Strategies whose children are neighbours of their parents."""


def searched(strategy, *, inherits, steps=40, workers=1):
    """Yield architectures, parents and what was told before, for every proposal of a search of a synthetic table."""
    table = synthetic_table("chain")
    values = np.nan_to_num(table.mean_values("valid_accuracy"))
    problem = Problem(table.space, Streams(5, 0, RUNS), table.fidelities[-1:], workers, inherits=inherits)
    state, told = strategy.start(problem), np.zeros((RUNS, 0), dtype=np.int64)
    while told.shape[1] < steps:
        asked = strategy.ask(state)
        proposals = asked if isinstance(asked, Proposals) else Proposals(asked)
        architecture = np.asarray(proposals.architecture)
        yield table.space, architecture, proposals.parent, told
        count = told.shape[1]
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        strategy.tell(state, Evaluations(architecture, values[architecture], number))
        told = np.concatenate([told, architecture], axis=1)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", NAMING)
def test_parents_are_earlier_evaluations_of_architectures_next_to_the_child(name, workers):
    named = 0
    for space, child, parent, told in searched(resolve(name, {}), inherits=True, workers=workers):
        if parent is None:
            continue
        assert parent.shape == child.shape
        assert parent.min() >= -1
        assert parent.max() < told.shape[1]
        for run, place in zip(*np.nonzero(parent >= 0), strict=True):
            named += 1
            if name in MUTATING:
                assert child[run, place] in space.neighbors(int(told[run, parent[run, place]]))
    assert named > RUNS


@pytest.mark.parametrize("name", NAMING)
def test_the_same_architectures_are_proposed_whether_or_not_children_inherit(name):
    alone, inheriting = (
        [architecture.tolist() for _, architecture, _, _ in searched(resolve(name, {}), inherits=inherits)]
        for inherits in (False, True)
    )
    assert alone == inheriting


@pytest.mark.parametrize("name", NAMING)
def test_nothing_is_named_where_nothing_is_inherited(name):
    assert all(parent is None for _, _, parent, _ in searched(resolve(name, {}), inherits=False))


def test_the_child_of_a_tournament_has_the_winner_as_its_parent():
    """Sixty draws out of four members miss one with a probability of 1e-7, so the parent is the best of the four."""
    strategy = resolve("regularized-evolution", {"population_size": 4, "sample_size": 60})
    values = np.nan_to_num(synthetic_table("chain").mean_values("valid_accuracy"))
    for _, _, parent, told in searched(strategy, inherits=True):
        if parent is not None:
            alive = np.arange(told.shape[1] - 4, told.shape[1])
            best = values[told[:, alive]].max(axis=1)
            assert np.array_equal(values[told[np.arange(RUNS), parent[:, 0]]], best)


def test_the_incumbent_of_hill_climbing_is_trained_again_from_random_weights():
    strategy = resolve("hill-climbing", {"samples": 2, "again": 1})
    for _, _, parent, _ in searched(strategy, inherits=True):
        if parent is not None:
            assert (parent[:, -1] == -1).all()
            assert (parent[:, :-1] >= 0).all()
