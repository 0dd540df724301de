"""Strategies that begin with random architectures begin with the same ones: those of random search."""

import functools

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.strategies import Problem, registry, resolve
from nasbench_lab.streams import Streams
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("topology")

# Of every such strategy, the number of random architectures at its beginning, and the parameters that change it.
RANDOM = {
    # A training continues, or its architecture is evaluated again, before the next random one.
    "hill-climbing": (1, {}),
    "learning-curve-stopping": (1, {}),
    "tabu-search": (1, {}),
    # The first architectures of the first bracket; the best of them are promoted before others are drawn.
    "asha": (3, {}),
    "bohb": (3, {}),
    "dehb": (3, {}),
    "hyperband": (3, {}),
    "successive-halving": (3, {}),
    # The first architectures.
    "bananas": (7, {"initial": 7}),
    "brp-nas": (7, {"batch": 7}),
    "gp-bo": (7, {"initial": 7}),
    "greedy-search": (7, {"initial": 7}),
    "local-search": (7, {"initial": 7}),
    "npenas": (7, {"initial": 7}),
    "predictor-search": (7, {"initial": 7, "model": "decision-tree"}),
    "simulated-annealing": (7, {"initial": 7}),
    "smac": (7, {"initial": 7}),
    "tpe": (7, {"initial": 7}),
    # The first population.
    "differential-evolution": (7, {"population_size": 7}),
    "genetic-algorithm": (7, {"population_size": 7}),
    "mu-plus-lambda": (7, {"parents": 7}),
    "nsga-ii": (7, {"population_size": 7}),
    "random-scalarisation": (7, {"population_size": 7, "sample_size": 2}),
    "regularized-evolution": (7, {"population_size": 7, "sample_size": 2}),
    # All of them.
    "random-search": (30, {}),
}
# These draw code by code, from distributions that they learn or down a tree, begin with scores or with what they fix,
# or do not draw.
OTHERS = {
    "adversarial-search",
    "asng",
    "decoupled",
    "exhaustive",
    "gumbel-softmax",
    "mcts",
    "pbil",
    "ppo",
    "progressive-search",
    "q-learning",
    "recurrent-controller",
    "reinforce",
    "umda",
    "zero-cost-filter",
    "zero-cost-warm-start",
}


@functools.cache
def begun(name):
    """What 20 runs evaluate first, shape (20, evaluations): the random architectures and the next one."""
    count, parameters = RANDOM[name]
    budget = nl.Budget(evaluations=30 if name == "random-search" else count + 1)
    return nl.simulate(TABLE, resolve(name, parameters), runs=20, budget=budget, seed=3).architecture


def test_every_strategy_is_in_one_of_the_lists():
    assert sorted([*RANDOM, *OTHERS]) == sorted(registry.built_in())


def test_no_run_of_random_search_draws_an_architecture_twice_here():
    """A strategy that evaluates nothing twice would have to draw again."""
    assert all(len(set(row)) == 30 for row in begun("random-search").tolist())


@pytest.mark.parametrize("name", RANDOM)
def test_it_begins_like_random_search(name):
    count, _ = RANDOM[name]
    assert np.array_equal(begun(name)[:, :count], begun("random-search")[:, :count])


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_the_lists_say_how_many_architectures_are_random(name):
    """Not by accident: what follows differs in most runs."""
    count, _ = RANDOM[name]
    if name != "random-search":
        next_one = begun(name)[:, count] == begun("random-search")[:, count]
        assert next_one.mean() < 0.5, "more architectures are random"


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("name", ["greedy-search", "local-search", "tabu-search", "brp-nas", "tpe"])
def test_several_workers_begin_with_the_same_architectures(name, workers):
    count, parameters = RANDOM[name]
    first, like = (
        strategy.ask(strategy.start(Problem(TABLE.space, Streams(3, 0, 20), workers=workers)))
        for strategy in (resolve(name, parameters), resolve("random-search", {}))
    )
    assert first.shape[1] >= max(count, workers if name == "tabu-search" else 0)
    assert np.array_equal(first, like[:, : first.shape[1]])


def test_an_architecture_that_is_drawn_twice_is_replaced_where_nothing_is_evaluated_twice():
    table, budget = synthetic_table("chain"), nl.Budget(evaluations=10)
    once = nl.simulate(table, "greedy-search", runs=200, budget=budget).architecture
    twice = nl.simulate(table, "random-search", runs=200, budget=budget).architecture
    repeated = 0
    for one, other in zip(once.tolist(), twice.tolist(), strict=True):
        new = [architecture not in other[:place] for place, architecture in enumerate(other)]
        repeated += not all(new)
        first = new.index(False) if False in new else len(new)
        assert one[:first] == other[:first]
        assert len(set(one)) == 10
    assert repeated > 10
