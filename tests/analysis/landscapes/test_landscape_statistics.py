"""All statistics of landscapes against brute force on small graphs, with ties, missing values and both directions."""

import dataclasses

import hypothesis
import hypothesis.strategies as st
import landscape_oracles as oracle
import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nasbench_lab.analysis.landscapes.climbing import RULES, climb_all, climb_from
from nasbench_lab.analysis.landscapes.distance_correlation import fitness_distance
from nasbench_lab.analysis.landscapes.fitness_levels import fitness, levels
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.neutral_networks import neutrality, neutrality_of_trainings
from nasbench_lab.analysis.landscapes.optima import local_optima
from nasbench_lab.analysis.landscapes.optimum_escapes import climb_ends, escapes, positions
from nasbench_lab.analysis.landscapes.random_walks import correlation_length, exact_autocorrelation, walk_correlation
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.spaces import Cell101Space, ChainSpace, ListedChoicesSpace, SubsetSpace, TopologySpace
from nasbench_lab.tables import Metric

SPACES = (
    ChainSpace("abc", 3),
    ChainSpace("ab", 4),
    Cell101Space(4),
    SubsetSpace(TopologySpace(), range(0, 15_625, 700)),
    ListedChoicesSpace.of(
        [("a", [1, 2, 3]), ("b", [1, 2]), ("c", [1, 2])], [[0, 0, 0], [0, 0, 1], [1, 0, 1], [2, 1, 0]]
    ),
)
METRIC = Metric("accuracy", "test", "percent", "maximize", "")
BOTH = (METRIC, dataclasses.replace(METRIC, direction="minimize"))


@st.composite
def landscapes(draw):
    """A space with whole numbers as values, so that many are equal; some are missing."""
    space = draw(st.sampled_from(SPACES))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = random.integers(0, draw(st.integers(1, 30)), space.size).astype(float)
    values[random.random(space.size) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    hypothesis.assume(not np.isnan(values).all())
    return space, values, draw(st.sampled_from(BOTH))


def prepared(given):
    space, values, metric = given
    found = fitness(values, metric)
    graph = oracle.graph_of(space, found.known)
    sign = -1 if metric.direction == "minimize" else 1
    return found, LandscapeGraph(space, found.known), graph, {i: sign * int(values[i]) for i in graph}


@hypothesis.given(landscapes())
@hypothesis.settings(max_examples=25)
def test_optima_and_neutrality(given):
    found, neighborhood, graph, values = prepared(given)
    optima = local_optima(found, neighborhood)
    assert sorted(optima.strict_indices) == oracle.strict_optima(graph, values)
    assert sorted(optima.weak_indices) == oracle.weak_optima(graph, values)
    assert optima.strict.estimate == len(optima.strict_indices)
    assert optima.weak.estimate == len(optima.weak_indices)
    assert optima.plateaus.estimate == oracle.optimum_plateaus(graph, values)
    assert [values[i] for i in optima.weak_indices] == sorted((values[i] for i in optima.weak_indices), reverse=True)
    neutral = neutrality(found, neighborhood)
    sizes = oracle.neutral_networks(graph, values)
    assert neutral.sizes.tolist() == sizes
    assert (neutral.networks.estimate, neutral.largest.estimate) == (len(sizes), max(sizes, default=0))
    assert neutral.neutral.estimate == pytest.approx(sum(sizes) / len(graph))
    ratios = [np.mean([values[n] == values[i] for n in near]) for i, near in graph.items() if near]
    assert neutral.ratio.estimate == pytest.approx(np.mean(ratios) if ratios else np.nan, nan_ok=True)


@hypothesis.given(landscapes(), st.sampled_from(RULES))
@hypothesis.settings(max_examples=25)
def test_climbs(given, rule):
    found, neighborhood, graph, values = prepared(given)
    basins, moves, evaluations = oracle.climbs(graph, values, rule)
    climbing = climb_all(found, neighborhood, rule)
    assert dict(zip(climbing.ends.tolist(), climbing.basins.tolist(), strict=True)) == pytest.approx(
        {end: float(share) for end, share in basins.items()}
    )
    assert (np.diff(climbing.basins) <= 0).all()
    assert climbing.moves.estimate == pytest.approx(float(moves))
    assert climbing.evaluations.estimate == pytest.approx(float(evaluations))
    best = [i for i in graph if values[i] == max(values.values())]
    assert climbing.reach.estimate == pytest.approx(float(sum(basins.get(i, 0) for i in best)))
    each = [float(basins.get(i, 0)) for i in best[:10]]
    assert [one.estimate for one in climbing.reach_each] == pytest.approx(each)


@hypothesis.given(landscapes())
@hypothesis.settings(max_examples=20)
def test_distances_and_their_correlation(given):
    found, neighborhood, graph, values = prepared(given)
    best = [i for i in graph if values[i] == max(values.values())]
    assert found.best.tolist() == best
    far = oracle.distances(graph, best)
    result = fitness_distance(found, neighborhood, found.best)
    assert result.count.sum() == len(far)
    assert result.unreachable == len(graph) - len(far)
    x, y = [values[i] for i in far], list(far.values())
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert result.pearson.estimate == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert result.spearman.estimate == pytest.approx(spearmanr(x, y).statistic)
        assert result.kendall.estimate == pytest.approx(kendalltau(x, y).statistic)
    for distance in set(y):
        here = [given[1][i] for i in far if far[i] == distance]
        worst_first = sorted(here, reverse=given[2].direction == "minimize")
        quantiles = result.quantiles[distance]
        assert quantiles[[0, 2, 4]].tolist() == pytest.approx([worst_first[0], np.median(here), worst_first[-1]])


@hypothesis.given(landscapes())
@hypothesis.settings(max_examples=4)
def test_autocorrelation_of_an_endless_walk(given):
    found, neighborhood, graph, values = prepared(given)
    result = exact_autocorrelation(found, neighborhood, 2)
    for lag in range(3) if neighborhood.degrees.any() else ():
        wanted = oracle.autocorrelation(graph, values, lag)
        assert result[lag] == pytest.approx(np.nan if wanted is None else float(wanted), abs=1e-9, nan_ok=True)


@hypothesis.given(landscapes(), st.integers(1, 2))
@hypothesis.settings(max_examples=15)
def test_complete_network_of_local_optima(given, perturbation):
    found, neighborhood, graph, values = prepared(given)
    ends = climb_ends(found, neighborhood)
    assert {i: int(ends[i]) for i in graph} == {i: oracle.climb_end(graph, values, i) for i in graph}
    optima = np.unique(ends[neighborhood.members])
    source, target, weight = escapes(neighborhood, ends, optima, perturbation)
    edges = {
        (int(optima[one]), int(optima[other])): share
        for one, other, share in zip(source, target, weight.tolist(), strict=True)
    }
    wanted = oracle.optima_network(graph, values, perturbation)
    assert edges == pytest.approx({pair: float(share) for pair, share in wanted.items()})
    np.testing.assert_array_equal(positions(optima[::-1], optima), np.arange(len(optima))[::-1])


@hypothesis.given(landscapes(), st.integers(2, 5))
@hypothesis.settings(max_examples=15)
def test_architectures_that_share_a_training_count_once(given, groups):
    """Against the same statistics of the graph whose nodes are the trainings."""
    found, neighborhood, graph, values = prepared(given)
    shared = found.levels * groups + np.arange(found.levels.size) % groups  # those that share have equal values
    quotient, level = {}, {}
    for i, near in graph.items():
        level[shared[i]] = values[i]
        quotient.setdefault(shared[i], set()).update(shared[n] for n in near if shared[n] != shared[i])
    result = neutrality_of_trainings(found, neighborhood, shared)
    assert result.architectures == len(quotient)
    assert result.sizes.tolist() == oracle.neutral_networks(quotient, level)


@pytest.mark.parametrize("metric", BOTH)
def test_samples_agree_with_all_architectures(metric):
    """Most 95 % intervals contain what all architectures give."""
    space = ChainSpace("abc", 5)
    random = np.random.default_rng(5)
    values = (space.codes(np.arange(space.size)).sum(axis=1) % 5 + random.integers(0, 3, space.size)).astype(float)
    values[::17] = np.nan
    found = fitness(values, metric)
    graph = LandscapeGraph(space, found.known)

    def statistics(sample, seed):
        draws = np.random.default_rng(seed)
        climbs = (
            climb_all(found, graph, "first") if sample is None else climb_from(found, graph, "first", sample, draws)
        )
        best = climb_all(found, graph, "best") if sample is None else climb_from(found, graph, "best", sample, draws)
        distance = fitness_distance(found, graph, found.best, sample)
        optima, neutral = local_optima(found, graph, sample), neutrality(found, graph, sample)
        return (
            *(optima.strict, optima.weak, neutral.ratio, neutral.neutral, climbs.reach, climbs.moves),
            *(climbs.evaluations, best.reach, best.moves, best.evaluations, distance.pearson, distance.spearman),
            *(distance.kendall, *climbs.reach_each[:2]),
        )

    exact = [each.estimate for each in statistics(None, 0)]
    inside = np.zeros((30, len(exact)))
    for seed in range(len(inside)):
        sample = graph.members[np.random.default_rng(100 + seed).integers(0, len(graph.members), 150)]
        for place, each in enumerate(statistics(sample, seed)):
            inside[seed, place] = each.low <= exact[place] <= each.high
    assert inside.mean() > 0.9
    assert (inside.mean(axis=0) > 0.7).all()


def test_simulated_walks_estimate_the_endless_walk():
    """Long walks have nearly no bias; short ones have estimates that are too low."""
    space = ChainSpace("abc", 4)
    values = space.codes(np.arange(space.size)).sum(axis=1).astype(float)
    for missing in (0, 9):
        values[:missing] = np.nan
        found = fitness(values, METRIC)
        graph = LandscapeGraph(space, found.known)
        draws = np.random.default_rng(0)
        long = walk_correlation(found, graph, walks=20, steps=2500, lags=5, random=draws, everything=True)
        np.testing.assert_allclose(long.walked.estimate, long.exact, atol=0.04)
        assert long.length == correlation_length(long.exact[1])
        short = walk_correlation(found, graph, walks=500, steps=20, lags=5, random=draws, everything=False)
        assert short.lag_one.high < long.exact[1]
        assert short.length == correlation_length(short.lag_one.estimate)
        assert np.isnan(short.exact).all()


def test_equal_values_have_no_correlations():
    space = ChainSpace("ab", 3)
    found = fitness(np.full(8, 0.3), METRIC)
    graph = LandscapeGraph(space, found.known)
    walk = walk_correlation(found, graph, walks=5, steps=9, lags=2, random=np.random.default_rng(0), everything=True)
    assert np.isnan([walk.lag_one.estimate, walk.exact[1], walk.length]).all()
    assert np.isnan(fitness_distance(found, graph, found.best).pearson.estimate)
    assert local_optima(found, graph).plateaus.estimate == 1
    assert (local_optima(found, graph).strict.estimate, local_optima(found, graph).weak.estimate) == (0, 8)
    assert climb_all(found, graph, "best").reach.estimate == 1


def test_levels_ignore_rounding_errors_only():
    a, b, c = 0.1, 0.2, 0.3
    sums = [(a + b + c) / 3, (c + b + a) / 3, (b + c + a) / 3, a]
    assert len(set(sums[:3])) > 1, "the example must have rounding errors"
    values = np.array(sums)
    assert len(set(fitness(values, METRIC).levels[:3].tolist())) == 1
    assert len(set(fitness(values, METRIC, 0.0).levels.tolist())) == len(set(sums))
    assert levels(np.array([0.0, 0.5, 1.0, 2.0]), 0.5).tolist() == [0, 0, 0, 1]
    assert levels(np.array([3.0, 1.0, 2.0]), 1.0).tolist() == [0, 0, 0]


def test_values_that_make_no_landscape_are_refused():
    with pytest.raises(MissingDataError, match="has no accuracy of any architecture"):
        fitness(np.full(3, np.nan), METRIC, name="mine")
    with pytest.raises(ParameterError, match="infinite"):
        fitness(np.array([1.0, np.inf]), METRIC)
    for wrong in (-1.0, float("nan"), float("inf"), "small"):
        with pytest.raises(ParameterError, match="tolerance must be"):
            fitness(np.array([1.0, 2.0]), METRIC, wrong)
