"""How well scores rank architectures, against brute force over all orders of ties."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nasbench_lab.analysis.score_rankings import TOPS, ranking_quality, regret_of_choice
from nasbench_lab.errors import ParameterError

few = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)


@hypothesis.given(few, st.sampled_from(["maximize", "minimize"]))
@hypothesis.settings(deadline=None)
def test_precision_and_regret_are_means_over_all_ways_to_break_ties(pairs, direction):
    scores, truth = np.array(pairs, dtype=float).T
    value = truth if direction == "maximize" else -truth
    found = ranking_quality(scores, truth, direction=direction, picks=range(1, len(pairs) + 1))
    orders = [
        order
        for order in itertools.permutations(range(len(pairs)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    for k in range(1, len(pairs) + 1):
        good = value >= np.sort(value)[-k]
        picked = [list(order[:k]) for order in orders]
        assert found.precision[k] == pytest.approx(np.mean([good[each].mean() for each in picked]))
        assert found.regret[k] == pytest.approx(value.max() - np.mean([value[each].max() for each in picked]))


def test_correlations_are_those_of_scipy_within_the_best():
    random = np.random.default_rng(0)
    truth = random.normal(size=200).round(1)
    scores = truth + random.normal(size=200)
    found = ranking_quality(scores, truth)
    for share in TOPS:
        best = truth >= np.sort(truth)[-int(np.ceil(share * 200))]
        assert found.kendall[share] == pytest.approx(kendalltau(scores[best], truth[best]).statistic)
        assert found.spearman[share] == pytest.approx(spearmanr(scores[best], truth[best]).statistic)
    assert found.kendall[1.0] > found.kendall[0.1]


def test_missing_values_are_counted_and_ignored():
    truth = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    scores = np.array([1.0, 2.0, 9.0, 3.0, np.nan])
    found = ranking_quality(scores, truth, picks=[1, 3, 4])
    assert (found.architectures, found.without_score) == (3, 1)
    assert found.regret == {1: 1.0, 3: 1.0}, "the optimum is that of all; more picks than scores are left out"
    assert found.kendall[1.0] == 1.0
    assert np.isnan(found.kendall[0.1])


def test_constant_scores_have_no_correlation():
    found = ranking_quality(np.ones(10), np.arange(10.0), picks=[1, 10])
    assert np.isnan(found.kendall[1.0])
    assert found.regret == {1: pytest.approx(4.5), 10: 0.0}


@pytest.mark.parametrize(
    ("scores", "truth", "options", "words"),
    [
        ([1.0], [1.0, 2.0], {}, "arrays of one length"),
        ([np.nan], [1.0], {}, "no architecture has a score and a true value"),
        ([1.0], [1.0], {"picks": [0]}, "picks must be"),
    ],
)
def test_bad_input_is_refused(scores, truth, options, words):
    with pytest.raises(ParameterError, match=words):
        ranking_quality(scores, truth, **options)


triples = st.lists(st.tuples(*[st.integers(0, 2)] * 2, st.integers(0, 5)), min_size=1, max_size=6)


@hypothesis.given(triples, st.sampled_from(["maximize", "minimize"]), st.sampled_from(["maximize", "minimize"]))
@hypothesis.settings(deadline=None)
def test_the_regret_of_a_choice_is_that_of_all_orders(rows, chosen_by, reported):
    scores, truth, outcome = np.array(rows, dtype=float).T
    value, end = (-x if d == "minimize" else x for x, d in ((truth, chosen_by), (outcome, reported)))
    number = len(rows)
    found = regret_of_choice(
        scores, truth, outcome, directions=(chosen_by, reported), picks=[*range(1, number + 1), number + 5]
    )
    orders = [
        order
        for order in itertools.permutations(range(number))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    assert list(found) == list(range(1, number + 1))
    for k in found:
        # The first of the picked with the best value: the one with the higher score.
        ends = [end[max(order[:k], key=lambda each: value[each])] for order in orders]
        assert found[k] == pytest.approx(end.max() - np.mean(ends))


def test_the_regret_of_a_choice_needs_all_three_values():
    nan = np.nan
    found = regret_of_choice([1, 2, 3, nan], [1, 2, nan, 4], [5, nan, 7, 8], picks=[1, 2])
    assert found == {1: 3.0}, "one architecture has all; the best outcome is that of all"
    with pytest.raises(ParameterError, match="one length"):
        regret_of_choice([1], [1, 2], [1])
    with pytest.raises(ParameterError, match="no architecture"):
        regret_of_choice([nan, 1], [1, nan], [1, 1])
