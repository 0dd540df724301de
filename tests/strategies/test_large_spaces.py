"""Strategies without models in spaces too large to list: the same searches, bounded memory, and clear refusals."""

import functools
import pickle
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from plain_searches import search

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import ChainSpace, ChoicesSpace, ListedChoicesSpace, make_space, unlisted
from nasbench_lab.strategies import registry
from nasbench_lab.strategies.parts.architecture_sets import BitSets, HashSets
from nasbench_lab.strategies.parts.complete_tree import CompleteTree
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams
from nasbench_lab.testing import function_table, identical

HUGE = ChainSpace("0123456789", 18)
"""10**18 architectures."""

VARIANTS = (
    "asha",
    "asng",
    "dehb",
    "differential-evolution",
    "exhaustive",
    "genetic-algorithm",
    "greedy-search:initial=4",
    "gumbel-softmax",
    "hill-climbing",
    "hyperband",
    "learning-curve-stopping",
    "local-search:initial=4",
    "local-search:improvement=best,restarts=False",
    "mcts",
    "mu-plus-lambda:mutation=replace",
    "nsga-ii",
    "pbil",
    "ppo",
    "q-learning",
    "random-scalarisation:population_size=10",
    "random-search",
    "random-search:replacement=False",
    "regularized-evolution:population_size=10",
    "reinforce",
    "simulated-annealing",
    "successive-halving",
    "tabu-search",
    "tabu-search:tenure=5",
    "umda",
    "zero-cost-filter",
    "zero-cost-warm-start:candidates=30",
)
"""Strategies without models."""

WITH_MODELS = {
    "adversarial-search",
    "bananas",
    "bohb",
    "brp-nas",
    "gp-bo",
    "npenas",
    "predictor-search",
    "progressive-search",
    "recurrent-controller",
    "smac",
    "tpe",
}
"""The others, which have tests of their own."""

SPACES = {
    "chain": (ChainSpace("012", 3), 3),  # small, so that architectures are met again, and used up
    "topology": (make_space({"name": "topology"}), 1),
    "incomplete": (
        ListedChoicesSpace.of(
            [("a", range(5)), ("b", range(4)), ("c", range(3))],
            [[a, b, c] for a in range(5) for b in range(4) for c in range(3) if (a + b + c) % 3],
        ),
        2,
    ),
}
"""Spaces, and how many workers search them."""


def searched(strategy, space, **options):
    """What three runs propose, and the state at the end."""
    name = strategy.partition(":")[0]
    fidelities = (1, 3, 9) if registry.resolve(name, {}).multi_fidelity else (1,)
    objectives = 2 if name in ("nsga-ii", "random-scalarisation") else 1
    return search(strategy, space, fidelities=fidelities, objectives=objectives, **options)


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("strategy", VARIANTS)
def test_searches_are_the_same_whether_a_space_is_listed_or_not(strategy, kind):
    if strategy == "mcts" and kind == "incomplete":
        pytest.skip("needs a list of all architectures, see below")
    space, workers = SPACES[kind]
    listed, other = (searched(strategy, each, workers=workers)[0] for each in (space, unlisted(space)))
    assert np.array_equal(listed, other)
    assert listed.max() > 20


def test_searches_in_the_simulation_are_the_same():
    """With failed trainings, seconds and several workers."""
    for strategy in ("regularized-evolution:population_size=10", "q-learning"):
        listed, other = (
            nl.simulate(
                function_table(space, failures=0.2), strategy, runs=3, budget=nl.Budget(seconds=1000), workers=2
            )
            for space in (SPACES["topology"][0], unlisted(SPACES["topology"][0]))
        )
        assert identical(listed, other)
        assert listed.evaluations.min() > 10


def test_every_strategy_without_a_model_is_tried():
    tried = {name.partition(":")[0] for name in VARIANTS}
    assert tried | WITH_MODELS == set(registry.list_strategies())


@functools.cache
def in_large_space(strategy, space):
    """What three runs propose in 40 evaluations, and how many bytes the state takes afterwards."""
    proposed, state = searched(strategy, space)
    return proposed, len(pickle.dumps(state))


@pytest.mark.parametrize("strategy", VARIANTS)
def test_the_state_of_a_search_does_not_grow_with_the_space(strategy):
    _, million = in_large_space(strategy, unlisted(ChainSpace("0123456789", 6)))
    proposed, quintillion = in_large_space(strategy, HUGE)
    assert quintillion < 4 * million, "three times as many codes may take three times as much"
    assert quintillion < 2**20, "1 MiB; one bit per architecture would be 114 pebibytes"
    assert ((proposed >= 0) & (proposed < HUGE.size)).all()
    if strategy != "exhaustive":
        assert (proposed % 1000 > 0).any(), "the low digits are never drawn"
        assert np.ptp(proposed.astype(float)) > HUGE.size / 10


@pytest.mark.parametrize("strategy", VARIANTS)
def test_searches_of_the_largest_space(strategy):
    """Numbers of architectures are close to 2**63: no sum or product may be larger."""
    space = ChoicesSpace([(name, range(127)) for name in "abcdefghi"])
    assert 2**62.8 < space.size < 2**63
    with warnings.catch_warnings(action="error"):
        proposed, _ = searched(strategy, space, runs=2, evaluations=30)
    assert ((proposed >= 0) & (proposed < space.size)).all()
    assert (space.index(space.codes(proposed)) == proposed).all()


def test_populations_begin_as_random_search_does():
    """As in small spaces, so that strategies with the same seed begin with the same architectures."""
    random = searched("random-search", HUGE)[0]
    for strategy in (
        "regularized-evolution:population_size=10",
        "local-search:initial=4",
        "genetic-algorithm",
        "mu-plus-lambda",
    ):
        proposed, _ = searched(strategy, HUGE)
        assert np.array_equal(proposed[:, :4], random[:, :4])


def test_a_search_tree_of_a_large_space_needs_every_combination_of_codes():
    space = unlisted(SPACES["incomplete"][0])
    with pytest.raises(
        ParameterError, match="^tree search needs a list of all architectures, or a space in which every"
    ):
        searched("mcts", space, evaluations=0)


def test_an_exhaustive_search_of_a_large_space_begins_with_the_first_architectures():
    assert searched("exhaustive", HUGE)[0][0].tolist() == list(range(64))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=120), st.sampled_from([50, 2**62]))
def test_hash_tables_are_sets(steps, size):
    stride = (size - 1) // 49
    sets, plain = HashSets(size, 2), [set(), set()]
    for removes, number in steps:
        run, architecture = number % 2, (number * number) % 50 * stride
        both = np.array([run]), np.array([architecture])
        if removes and architecture in plain[run]:
            sets.remove(*both)
            plain[run].remove(architecture)
        elif architecture not in plain[run]:
            sets.add(*both)
            plain[run].add(architecture)
    everything = np.arange(50) * stride
    for run in range(2):
        assert set(everything[sets.has(np.array(run), everything)].tolist()) == plain[run]
        left = size - len(plain[run])
        assert sets.left(np.array([run])).tolist() == [left]
        for rank in {0, 1, left // 2, left - 1} if left else ():
            found = int(sets.outside(np.array([run]), np.array([rank]))[0])
            assert found not in plain[run]
            assert found - sum(member < found for member in plain[run]) == rank


def test_hash_tables_and_bits_agree_on_many_runs():
    random, runs, size = np.random.default_rng(0), 40, 400
    bits, tables, run = BitSets(size, runs), HashSets(size, runs), np.arange(runs)
    for _ in range(300):
        architecture = random.integers(size, size=runs)
        known = bits.has(run, architecture)
        assert np.array_equal(tables.has(run, architecture), known)
        for sets in (bits, tables):
            sets.add(run[~known], architecture[~known])
            sets.remove(run[known], architecture[known])
    rank = random.integers(bits.left(run))
    assert np.array_equal(tables.left(run), bits.left(run))
    assert np.array_equal(tables.outside(run, rank), bits.outside(run, rank))


def test_second_draws_are_uniform_in_a_large_space():
    """Where the first draw was visited before, the second is drawn from everything else, with all bits."""
    runs = 20_000
    visited, run = Visited(HUGE, runs), np.arange(runs)
    streams = Streams(3, 0, runs)
    uniform = streams.uniform(visited.draws).copy()
    first = visited.draw(run, uniform)
    visited.add(run, first)
    second = visited.draw(run, uniform)
    assert not (first == second).any()
    for digit in range(18):
        counts = np.bincount(second // 10**digit % 10, minlength=10)
        assert scipy.stats.chisquare(counts).pvalue > 1e-4


def test_the_deepest_tree():
    tree = CompleteTree(ChainSpace("ab", 62))
    node = np.array([tree.root])
    for depth in range(62):
        assert tree.count(node).tolist() == [2 ** (62 - depth)]
        assert tree.low(node).tolist() == [2**62 - 2 ** (62 - depth)]
        node = tree.first_child(node) + 1
    assert tree.degree(node).tolist() == [0]
    assert tree.architecture(tree.low(node)).tolist() == [2**62 - 1]
