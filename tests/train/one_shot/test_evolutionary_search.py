"""The evolutionary search with shared weights, on made-up scores."""

import functools
import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.train.one_shot.methods.registry import make_method

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, search  # noqa: E402

from nasbench_lab.train.one_shot.search_context import SearchContext  # noqa: E402

SPACE = TopologySpace()


def evolve(monkeypatch, score, space="topology", seed=0, **parameters):
    """The generations of a search that trains nothing, and what it recommends."""
    asked = []

    def scored(self, architectures, split="valid"):
        assert split == "valid"
        asked.append([int(each) for each in architectures])
        return np.array([float(score(each)) for each in asked[-1]])

    monkeypatch.setattr(SearchContext, "supernet_scores", scored)
    context, method = tiny(space), make_method("spos", parameters)
    context.seed = seed
    context.begin("finish")
    state = method.start(context)
    method.finish(context, state)
    return asked, method.recommend(context, state)


@functools.cache
def tiny(space):
    return search("spos", space).context


def convolutions(index):
    return int((SPACE.codes(index) == 3).sum())


def test_it_scores_a_thousand_architectures_once_each_and_finds_the_best_of_an_easy_score(monkeypatch):
    generations, recommended = evolve(monkeypatch, convolutions, population=50, generations=20, parents=10)
    assert [len(each) for each in generations] == [50] * 20
    together = list(itertools.chain(*generations))
    assert len(set(together)) == 1000
    assert recommended == SPACE.index([3] * 6)  # a random thousand has it with probability 0.06


def test_the_defaults_are_the_published_ones():
    method = make_method("spos")
    assert (method.population, method.generations, method.parents, method.mutation) == (50, 20, 10, 0.1)
    with pytest.raises(ParameterError, match="parents must be at most population, 5, got 6"):
        make_method("spos", {"population": 5, "parents": 6})


def test_half_of_the_children_are_mutations_and_half_crossovers_of_the_best(monkeypatch):
    changed = []
    for seed in range(40):
        (first, second), _ = evolve(
            monkeypatch, convolutions, seed=seed, population=20, generations=2, parents=1, mutation=0.5
        )
        best = SPACE.codes(max(first, key=convolutions))
        changed += [int((SPACE.codes(each) != best).sum()) for each in second[:10]]
    # Each of six codes changes with probability 0.5 * 4 / 5; children equal to the parent are drawn again.
    expected = 0.4 / (1 - 0.6**6)
    assert binomtest(sum(changed), 6 * len(changed), expected).pvalue > 1e-3

    (first, second), _ = evolve(monkeypatch, convolutions, population=20, generations=2, parents=2, mutation=0.0)
    one, other = (SPACE.codes(each) for each in sorted(first, key=convolutions, reverse=True)[:2])
    mixed = [each for each in second if ((SPACE.codes(each) == one) | (SPACE.codes(each) == other)).all()]
    possible = 2 ** int((one != other).sum()) - 2
    assert len(mixed) == min(10, possible)
    assert len(set(second)) == 20, "random architectures take the places of others"


def test_it_ends_when_all_architectures_are_scored(monkeypatch):
    generations, recommended = evolve(
        monkeypatch, lambda each: each, space="layer-chain", population=5, generations=9, parents=2
    )
    assert sorted(itertools.chain(*generations)) == list(range(CHAIN.size))
    assert recommended == CHAIN.size - 1
