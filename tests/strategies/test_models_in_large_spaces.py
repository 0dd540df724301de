"""Strategies with models in spaces too large to list: the same searches, bounded memory, and clear refusals."""

import functools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_searches import quality, search

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import ChainSpace, ChoicesSpace, TransMicroSpace, make_space, unlisted
from nasbench_lab.strategies.models.whole_space import evenly_spaced
from nasbench_lab.strategies.parts.architecture_sizes import ArchitectureSizes
from nasbench_lab.strategies.parts.scored_vectors import ScoredVectors
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.streams import Streams

HUGE = ChainSpace("0123456789", 18)
"""10**18 architectures."""

TPE_REVISITS = "tpe:revisit=True,initial=3"
PREDICTOR = "predictor-search:model=linear,encoding=codes,batch=15"
SAME = (
    "adversarial-search",
    "bananas:steps=3",
    "bohb",
    "gp-bo:kernel=path,pool_size=60",
    "gp-bo:kernel=path,acquisition=thompson,pool_size=20",
    "npenas:steps=3",
    "progressive-search:steps=3,initial=12,batch=5",
    "recurrent-controller:units=4",
    "smac:trees=2",
    "tpe",
    TPE_REVISITS,
)
"""Strategies that make no pass over the whole space."""
POOLS = (
    "brp-nas:steps=3",
    "gp-bo:pool_size=60,acquisition=ucb,recommendation=evaluated",
    "gp-bo:pool_size=60,kernel=matern,acquisition=mes",
    PREDICTOR,
)
"""Strategies that take a pool in spaces that are too large to list."""


def fidelities(strategy):
    return (1, 3, 9) if strategy == "bohb" else (1,)


@pytest.mark.parametrize("space", [ChainSpace("012", 6), TransMicroSpace()], ids=lambda space: space.name)
@pytest.mark.parametrize("strategy", SAME)
def test_searches_are_the_same_whether_a_space_is_listed_or_not(strategy, space):
    listed, _ = search(strategy, space, fidelities=fidelities(strategy))
    other, _ = search(strategy, unlisted(space), fidelities=fidelities(strategy))
    assert np.array_equal(listed, other)


@pytest.mark.parametrize("strategy", POOLS)
def test_a_space_that_is_not_listed_is_searched_with_a_pool(strategy):
    space = ChainSpace("012", 6)
    given_pool = f"{strategy},candidates=pool"
    listed, _ = search(given_pool, space)
    other, _ = search(strategy, unlisted(space))
    whole, _ = search(strategy.replace("pool_size=60", "initial=10"), space)
    assert np.array_equal(listed, other)
    assert not np.array_equal(listed, whole), "all architectures of a small space are candidates"


@functools.cache
def searched(strategy, space):
    """The proposals of three runs of 60 evaluations, and how many bytes the state takes after it."""
    proposed, state = search(strategy, space, runs=3, evaluations=60, fidelities=fidelities(strategy))
    return proposed[:, :60], len(pickle.dumps(state))


@pytest.mark.parametrize("strategy", [*SAME, *POOLS])
def test_the_state_of_a_search_does_not_grow_with_the_space(strategy):
    million = searched(strategy, unlisted(ChainSpace("0123456789", 6)))[1]
    proposed, quintillion = searched(strategy, HUGE)
    assert quintillion < 4 * million, "three times as many codes may take three times as much"
    assert quintillion < 2**22, "4 MiB; one byte per architecture would be an exbibyte"
    assert ((proposed >= 0) & (proposed < HUGE.size)).all()
    if strategy not in (TPE_REVISITS, "bohb", "recurrent-controller:units=4", "adversarial-search"):
        assert all(len(np.unique(row)) == 60 for row in proposed), "an architecture is proposed twice"


SLOW_TO_START = ("bohb", "recurrent-controller", "progressive-search")
"""What is no better than random search after 60 evaluations: the last one is still among small architectures."""


@pytest.mark.parametrize("strategy", [name for name in SAME + POOLS if not name.startswith(SLOW_TO_START)])
def test_models_find_more_than_random_search_in_a_space_of_a_quintillion_architectures(strategy):
    proposed, _ = searched(strategy, HUGE)
    random = HUGE.draw(Streams(1, 0, 500), 60)
    found, expected = (quality(HUGE, each).max(axis=1) for each in (proposed, random))
    assert found.mean() > expected.mean()


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("gp-bo:candidates=all", "candidates='all' needs a space that can be listed.*choose 'pool'"),
        ("brp-nas:candidates=all", "candidates='all' needs a space that can be listed.*choose 'pool'"),
        ("predictor-search:candidates=all", "candidates='all' needs a space that can be listed.*choose 'pool'"),
        ("gp-bo:recommendation=space", "recommendation='space' needs all architectures as candidates.*'evaluated'"),
    ],
)
def test_what_needs_all_architectures_is_refused_before_anything_is_evaluated(strategy, message):
    with pytest.raises(ParameterError, match=message) as caught:
        search(strategy, HUGE, evaluations=0)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("gp-bo:candidates=all,kernel=path", "for kernel 'path' choose 'pool'"),
        ("predictor-search:candidates=all,pool_size=10", "leave out pool_size"),
        ("gp-bo:candidates=some", "candidates"),
    ],
)
def test_candidates_that_fit_nothing_else_are_refused(strategy, message):
    with pytest.raises(ParameterError, match=message):
        search(strategy, ChainSpace("012", 3), evaluations=0)


def test_all_of_a_space_with_too_many_combinations_are_no_candidates_of_a_gaussian_process():
    with pytest.raises(ParameterError, match="at most 65,536 combinations of codes.*has 177,147: choose 'pool'"):
        search("gp-bo:candidates=all", ChainSpace("012", 11), evaluations=0)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_the_smallest_architectures_are_built_from_codes(cardinalities, most):
    space = ChoicesSpace([(f"choice{place}", range(count)) for place, count in enumerate(cardinalities)])
    listed, built = (ArchitectureSizes(each).growth(most) for each in (space, unlisted(space)))
    assert np.array_equal(listed.smallest, built.smallest)
    assert np.array_equal(listed.sizes, built.sizes)


def test_the_smallest_cells_are_found_where_not_all_codes_are_architectures():
    space = make_space({"name": "gnn", "operations": ["gcn", "skip"]})
    listed, built = (ArchitectureSizes(each).growth(7) for each in (space, unlisted(space)))
    assert np.array_equal(listed.smallest, built.smallest)
    assert set(listed.sizes) < set(built.sizes), "that no cell has size 5 cannot be seen without listing them"


@pytest.mark.parametrize("length", [1, 5, 33, 34, 35, 39])
def test_architectures_at_equal_distances_are_in_the_space(length):
    space = ChainSpace("012", length)
    spread = evenly_spaced(space, 1000)
    assert spread[0] == 0
    assert len(np.unique(spread)) == len(spread) == min(space.size, 1000)
    assert np.array_equal(space.check_index(spread), spread)


class ScoreOfIndex(Scores):
    """A score that is different for every architecture, and missing for every fifth."""

    names = ("index",)

    def score(self, name, architecture):
        assert name == "index"
        return np.where(architecture % 5 == 0, np.nan, architecture.astype(np.float64))


def test_scores_of_architectures_are_kept_in_a_space_of_a_quintillion():
    vectors, random = ScoredVectors(HUGE, ScoreOfIndex(), "codes+index", 3), np.random.default_rng(4)
    seen = np.zeros((3, 0), dtype=np.int64)
    for _ in range(4):
        architecture = np.concatenate([random.integers(HUGE.size, size=(3, 50)), seen[:, :7]], axis=1)
        seen = np.concatenate([seen, architecture], axis=1)
        lowest = np.where(seen % 5 == 0, np.inf, seen).min(axis=1, keepdims=True)
        expected = np.where(architecture % 5 == 0, lowest, architecture)
        found = vectors.encode(architecture)
        assert np.array_equal(found[..., :-1], HUGE.codes(architecture))
        assert np.array_equal(found[..., -1], expected)
