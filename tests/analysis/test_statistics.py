"""Statistics against oracles: scipy, scikit-posthocs, statsmodels, brute force on small cases, and simulation."""

import importlib
import itertools

import numpy as np
import pytest
import scikit_posthocs
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from traces import NAN, hand_made

import nasbench_lab as nl
from nasbench_lab.analysis import (
    Resampler,
    a12,
    anytime_curves,
    area_under_curve,
    average,
    bootstrap_interval,
    cliques,
    compare_pairs,
    compare_samples,
    complete_until,
    count_pairs,
    critical_difference,
    ecdf,
    equivalence_power,
    expected_ranks,
    expected_times,
    friedman_test,
    holm,
    incumbent_trajectories,
    mann_whitney,
    mean_ranks,
    median_test,
    performance_profile,
    probability_of_improvement,
    random_value,
    relative_improvement,
    run_quantiles,
    runs_needed,
    score_distribution,
    sign_flip,
    times_to_target,
    wilcoxon,
)
from nasbench_lab.analysis.bootstrap import hidden_share, ignored_tasks, pooled_average
from nasbench_lab.analysis.equivalence import intervals_of, verdicts, welch
from nasbench_lab.analysis.significance import least_p
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.testing import synthetic_table

INF = np.inf
losses = st.sampled_from([NAN, 0.0, 0.5, 1.0, 2.0, 7.0])
samples = st.lists(losses, min_size=1, max_size=8)


def worst(values):
    return [INF if np.isnan(value) else value for value in values]


def random():
    return np.random.default_rng(7)


# Averages and the bootstrap


@given(st.lists(losses, min_size=1, max_size=40))
def test_averages_by_definition(values):
    known = np.array(worst(values))
    assert average(values, "mean") == np.mean(known)
    assert average(values, "iqm") == scipy.stats.trim_mean(known, 0.25)
    assert average(values, "median") == run_quantiles(known, [0.5])[0]


def naive_bootstrap(tasks, statistic, resamples):
    """Resample runs within tasks one by one, and average what is pooled."""
    draws = random()
    drawn = np.concatenate([task[draws.integers(0, len(task), (resamples, len(task)))] for task in tasks], axis=1)
    return average(drawn, statistic)


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
@pytest.mark.parametrize("runs", [(60,), (25, 25, 25), (400, 400)])
def test_intervals_are_those_of_resampling_one_by_one(statistic, runs):
    tasks = [random().exponential(scale=1 + place, size=count) for place, count in enumerate(runs)]
    found = bootstrap_interval(tasks, statistic, resamples=4000)
    drawn = naive_bootstrap(tasks, statistic, 4000)
    assert found.estimate == pytest.approx(average(np.concatenate(tasks), statistic), rel=1e-12)
    # An end is a quantile of 4,000 resamples; its standard error is below a twelfth of their deviation.
    assert [found.low, found.high] == pytest.approx(run_quantiles(drawn, [0.025, 0.975]), abs=drawn.std() * 4 / 12)


def test_coverage_of_intervals():
    """Of 500 experiments with 4 tasks and 40 runs each, as many intervals as promised hold the truth."""
    experiments = 500
    tasks = list(random().exponential(size=(4, experiments, 40)))
    inner = scipy.integrate.quad(lambda share: -np.log1p(-share), 0.25, 0.75)[0] / 0.5
    for statistic, truth in (("mean", 1.0), ("iqm", inner)):
        found = bootstrap_interval(tasks, statistic, level=0.9)
        covered = ((found.low <= truth) & (truth <= found.high)).mean()
        four_errors = 4 * np.sqrt(0.9 * 0.1 / experiments)
        assert abs(covered - 0.9) < four_errors


def test_taking_neighbouring_runs_together_hides_little():
    """Also of a distribution with a heavy tail, and also where many tasks leave few groups to each."""
    for tasks, runs, groups in ((1, 6000, None), (10, 300, 40)):
        values = list(random().exponential(size=(tasks, runs)))
        draws = Resampler([runs] * tasks, resamples=4000, groups=groups)
        assert draws.counts.shape[1] < tasks * runs / 5
        low, high = draws.interval([draws.group(task) for task in values], "mean")
        exact = np.sqrt(sum(task.var() / runs for task in values)) / tasks * 2 * scipy.stats.norm.ppf(0.975)
        assert high - low == pytest.approx(exact, rel=0.06)  # of which four errors of a simulation are 0.045
        low, high = draws.interval([draws.group(task) for task in values], "iqm")
        drawn = naive_bootstrap(values, "iqm", 600)
        assert high - low == pytest.approx(np.ptp(run_quantiles(drawn, [0.025, 0.975])), rel=0.15)


def stuck(runs, count, value=10.0):
    """Losses of which a few are large."""
    return np.where(np.arange(runs) < count, value, 0.0)


@pytest.mark.parametrize(
    "tasks",
    [
        [stuck(1000, 3) + random().normal(0.1, 0.01, 1000)],
        [stuck(1000, 5)],
        [stuck(4000, 12) + random().normal(0.1, 0.01, 4000)],
        [stuck(1000, 5)] * 100,
    ],
    ids=["3 of 1,000", "a share of 0.5 percent", "12 of 4,000", "5 of 1,000 on 100 tasks"],
)
def test_intervals_are_wide_enough_where_few_runs_decide(tasks):
    """As wide as those of resampling how often each value occurs."""
    resamples = 4000 if len(tasks) == 1 else 1000
    error = 0.12 if len(tasks) == 1 else 0.2  # more than three errors of both simulations
    found = bootstrap_interval(tasks, "mean", resamples=resamples)
    draws, means = random(), np.zeros(resamples)
    for task in tasks:
        values, often = np.unique(task, return_counts=True)
        means += draws.multinomial(len(task), often / len(task), resamples) @ values / len(task) / len(tasks)
    low, high = run_quantiles(means, [0.025, 0.975])
    assert found.high - found.low == pytest.approx(high - low, rel=error)
    score = score_distribution(tasks, [5.0], resamples=resamples)
    shares = [draws.binomial(len(task), (task < 5).mean(), resamples) / len(task) for task in tasks]
    width = np.ptp(run_quantiles(np.mean(shares, axis=0), [0.025, 0.975]))
    assert score.high - score.low == pytest.approx(width, rel=error)


def test_the_probability_of_improvement_is_wide_enough_where_few_runs_decide():
    """Against a strategy that always ends at 0, a stuck run loses a half."""
    first, second = [stuck(1000, 5)] * 2, [np.zeros(1000)] * 2
    found = probability_of_improvement(first, second, resamples=4000)
    drawn = 0.5 - random().binomial(1000, 0.005, (4000, 2)).mean(axis=1) / 2000
    assert found.high - found.low == pytest.approx(np.ptp(run_quantiles(drawn, [0.025, 0.975])), rel=0.12)


@pytest.mark.parametrize(("runs", "groups"), [(1000, 81), (300, 32), (2000, 512), (50, 3)])
def test_what_grouping_hides_is_bounded_for_any_values(runs, groups):
    sizes = Resampler([runs], groups=groups).sizes(runs)
    assert sizes.sum() == runs
    assert len(sizes) <= max(groups, 3)
    steps = np.tri(runs, runs, -1)  # any ascending values are a sum of steps
    heavy = np.sort(random().pareto(0.8, (20, runs)), axis=1)
    values = np.concatenate([steps, heavy])
    values = np.sort(values[np.ptp(values, axis=1) > 0], axis=1)
    ends = np.cumsum(sizes)
    grouped = np.repeat(np.add.reduceat(values, ends - sizes, axis=1) / sizes, sizes, axis=1)
    hidden = 1 - grouped.var(axis=1) / values.var(axis=1)
    bound = hidden_share(runs, groups)
    assert hidden.max() <= bound + 1e-12
    assert hidden.max() > 0.6 * bound  # the bound is not far from what happens


def test_a_single_run_has_no_interval():
    for tasks in ([[0.5]], [[0.5], [1.0, 2.0]]):
        found = bootstrap_interval(tasks)
        assert np.isfinite(found.estimate)
        assert np.isnan([found.low, found.high]).all()
    improvement = probability_of_improvement([[1.0], [1.0, 2.0]], [[2.0, 3.0], [2.0, 3.0]])
    assert np.isfinite(improvement.estimate)
    assert np.isnan([improvement.low, improvement.high]).all()
    assert np.isnan(score_distribution([[0.5]], [1.0]).low).all()


def test_which_tasks_the_interquartile_mean_ignores():
    easy, hard = [[0.01], [0.1], [0.2], [0.3]], [[0.01], [0.1], [0.2], [0.9]]
    assert bootstrap_interval(easy, "iqm").estimate == bootstrap_interval(hard, "iqm").estimate
    for tasks, expected in ((easy, (0, 3)), (hard, (0, 3)), ([[1.0]] * 4, ()), ([[0.0, 1.0], [2.0], [3.0]], ())):
        assert ignored_tasks([np.array(task) for task in tasks]) == expected
    draws = random()
    for _ in range(50):
        tasks = [30 * draws.random(4) + shift for shift in draws.integers(0, 60, 5)]
        before = average(np.concatenate(tasks), "iqm")
        for place in range(5):
            spread = [task + draws.random(4) * 1e-6 * (number == place) for number, task in enumerate(tasks)]
            changed = average(np.concatenate(spread), "iqm") != before
            assert changed != (place in ignored_tasks(tasks))


@given(st.lists(samples, min_size=1, max_size=4), st.sampled_from(["mean", "iqm", "median"]))
@settings(max_examples=60)
def test_every_task_weighs_the_same(tasks, statistic):
    """As if each run were there so often that all tasks have as many."""
    common = int(np.lcm.reduce([len(task) for task in tasks]))
    found = bootstrap_interval(tasks, statistic, resamples=50)
    repeated = np.concatenate([np.repeat(worst(task), common // len(task)) for task in tasks])
    most, total = max(map(len, tasks)), max(map(len, tasks)) * len(tasks)
    if len({len(task) for task in tasks}) == 1 or statistic == "mean":
        expected = average(np.concatenate([worst(t) for t in tasks]) if statistic != "mean" else repeated, statistic)
        assert found.estimate == pytest.approx(expected)
    else:
        windows = {"iqm": (total // 4, total - total // 4), "median": ((total + 1) // 2 - 1, (total + 1) // 2)}
        low, high = windows[statistic]
        unit = common // most
        assert found.estimate == pytest.approx(np.sort(repeated)[low * unit : high * unit].mean())
    assert found.low <= found.high or np.isnan(found.low)


def test_infinite_losses_in_the_bootstrap():
    tasks = [np.where(np.arange(50) < bad, INF, random().random(50)) for bad in (15, 15, 5)]
    found = bootstrap_interval(tasks, "iqm", resamples=4000)
    drawn = naive_bootstrap(tasks, "iqm", 4000)
    assert 0.2 < np.isinf(drawn).mean() < 0.9
    draws = Resampler([50] * 3, resamples=4000)
    resampled = draws._pooled(np.concatenate([draws.group(task) for task in tasks])[None], "iqm")
    assert np.isinf(resampled).mean() == pytest.approx(np.isinf(drawn).mean(), abs=4 * 0.5 / np.sqrt(4000) * 2**0.5)
    assert found.high == INF
    assert bootstrap_interval(tasks, "mean").low == INF
    assert bootstrap_interval([np.full(5, INF), np.full(5, INF)], "iqm").estimate == INF


def test_the_bootstrap_is_seeded_and_does_not_depend_on_company():
    tasks = list(random().random((3, 10, 300)))
    whole, again, other = (bootstrap_interval(tasks, "iqm", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(whole.low, again.low)
    assert not np.array_equal(whole.low, other.low)
    alone = bootstrap_interval([task[4] for task in tasks], "iqm", seed=1)
    assert alone.low == pytest.approx(whole.low[4], rel=1e-12)


def test_what_a_bootstrap_needs():
    for call in (
        lambda: bootstrap_interval([]),
        lambda: bootstrap_interval([[]]),
        lambda: bootstrap_interval([[1.0]], resamples=-1),
        lambda: bootstrap_interval([[1.0]], level=1.0),
        lambda: average([]),
    ):
        with pytest.raises(ParameterError):
            call()
    with pytest.raises(UnknownNameError, match="unknown statistic"):
        average([1.0], "mode")
    assert float(pooled_average([np.array([1.0]), np.array([2.0, 4.0])], "mean")) == 2.0


# Effect sizes and tests


@given(samples, samples)
def test_a12_by_definition(first, second):
    pairs = list(itertools.product(worst(first), worst(second)))
    expected = np.mean([(x < y) + (x == y) / 2 for x, y in pairs])
    assert a12(first, second) == pytest.approx(expected)
    assert count_pairs([first, second]).a12[1, 0] == pytest.approx(1 - expected)


def test_mann_whitney_of_many_runs_is_that_of_scipy():
    groups = [random().integers(0, 9, size) / 4 + size / 400 for size in (70, 80, 90)]
    found = mann_whitney(groups)
    for one, other in itertools.combinations(range(len(groups)), 2):
        expected = scipy.stats.mannwhitneyu(groups[one], groups[other], method="asymptotic").pvalue
        assert found[one, other] == found[other, one] == pytest.approx(expected)


def two_sided(value, values):
    return min(1.0, 2 * min((values <= value + 1e-9).mean(), (values >= value - 1e-9).mean()))


@given(st.lists(losses, min_size=1, max_size=6), st.lists(losses, min_size=1, max_size=6))
def test_tests_of_few_runs_compare_with_all_ways_to_draw_them(first, second):
    together = np.array(worst([*first, *second]))
    ranks = scipy.stats.rankdata(together)
    ways = list(itertools.combinations(range(len(ranks)), len(first)))
    sums = np.array([ranks[list(way)].sum() for way in ways])
    assert mann_whitney([first, second])[0, 1] == pytest.approx(two_sided(ranks[: len(first)].sum(), sums))
    cuts = [together > cut for cut in together] + [together >= cut for cut in together]
    middle = np.sort(together)[(len(together) - 1) // 2]
    near = [together > middle, together >= middle]
    even = [abs(2 * cut.sum() - len(together)) for cut in near]
    above = near[int(even[1] < even[0])]
    assert any((above == cut).all() for cut in cuts)
    counts = np.array([above[list(way)].sum() for way in ways])
    found = median_test([first, second])
    assert found[0, 1] == found[1, 0] == pytest.approx(two_sided(above[: len(first)].sum(), counts))


def test_mann_whitney_of_examples():
    assert mann_whitney([[1.0, 1.0, 2.0], [3.0, 3.0, 4.0]])[0, 1] == pytest.approx(0.1)
    assert mann_whitney([[1.0, 1.0], [2.0, 2.0]])[0, 1] == pytest.approx(1 / 3)
    few = mann_whitney([stuck(1000, 5), np.zeros(1000)])[0, 1]
    assert few == pytest.approx(scipy.stats.fisher_exact([[5, 995], [0, 1000]]).pvalue)
    with pytest.raises(ParameterError, match="not empty"):
        median_test([[]])


@given(st.lists(st.sampled_from([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=9))
def test_tests_of_few_pairs_compare_with_all_signs(gaps):
    gaps = np.array(gaps)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=len(gaps))))
    ranks = np.where(gaps == 0, 0.0, scipy.stats.rankdata(np.abs(gaps)))
    sums = signs @ ranks
    assert wilcoxon(gaps, np.zeros(len(gaps))) == pytest.approx(two_sided((np.sign(gaps) * ranks).sum(), sums))
    assert sign_flip([gaps])[0] == pytest.approx(two_sided(gaps.sum(), signs @ gaps))


def test_the_sign_flip_test_of_many_differences_is_that_of_scipy():
    gaps = random().normal(0.2, 1.0, (2, 40))
    found = sign_flip(gaps)
    for row, p in zip(gaps, found, strict=True):
        oracle = scipy.stats.permutation_test(
            (row,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(1)
        )
        assert p == pytest.approx(oracle.pvalue, abs=4 * np.sqrt(0.25 / 20_000))
    assert (sign_flip(gaps) == found).all()
    with pytest.raises(ParameterError, match="finite"):
        sign_flip([[np.nan]])


def test_mann_whitney_of_few_runs_is_exact():
    values = random().permutation(20.0 + np.arange(13))
    first, second = values[:5], values[5:]
    exact = scipy.stats.mannwhitneyu(first, second, method="exact").pvalue
    assert mann_whitney([first, second])[0, 1] == pytest.approx(exact)
    missing = np.where(first == first.max(), NAN, first)  # worse than any other, as the largest was at most
    infinite = np.where(first == first.max(), 1e9, first)
    assert mann_whitney([missing, second])[0, 1] == mann_whitney([infinite, second])[0, 1]


def test_nothing_differs():
    assert mann_whitney([[1.0, 1.0], [1.0, 1.0]]).tolist() == [[1, 1], [1, 1]]
    assert mann_whitney([[NAN] * 9, [NAN] * 12])[0, 1] == 1
    assert wilcoxon([NAN, 1.0], [NAN, 1.0]) == 1
    assert a12([NAN], [NAN]) == 0.5


@pytest.mark.parametrize("pairs", [20, 50])
def test_wilcoxon_without_ties_is_that_of_scipy(pairs):
    gaps = random().normal(0.3, 1.0, pairs)
    assert wilcoxon(gaps, np.zeros(pairs)) == pytest.approx(scipy.stats.wilcoxon(gaps, method="exact").pvalue)


def test_wilcoxon_of_many_pairs_is_that_of_scipy():
    gaps = random().integers(-6, 8, 150).astype(float)
    expected = scipy.stats.wilcoxon(gaps, zero_method="pratt", method="approx", correction=True).pvalue
    assert wilcoxon(gaps, np.zeros(150)) == pytest.approx(expected)


def test_a_missing_value_is_the_largest_difference_of_a_pair():
    first, second = np.arange(8.0), np.arange(8.0) + np.array([1, -2, 3, 4, 5, 6, 7, 8])
    assert wilcoxon(first, np.where(second == 15, NAN, second)) == wilcoxon(first, second)
    with pytest.raises(ParameterError, match="equal length"):
        wilcoxon([1.0], [1.0, 2.0])


@pytest.mark.parametrize("tests", [1, 2, 5, 12])
def test_holm_is_that_of_statsmodels(tests):
    for p in (random().random(tests), random().random(tests).round(1) / 20):
        assert holm([*p, NAN])[:-1] == pytest.approx(multipletests(p, method="holm")[1])
        assert np.isnan(holm([*p, NAN])[-1])


def test_probability_of_improvement():
    draws = random()
    first, second = draws.random((5, 30)).round(1), draws.random((5, 40)).round(1) + 0.05
    found = probability_of_improvement(first, second, resamples=4000)
    assert found.estimate == pytest.approx(np.mean([a12(x, y) for x, y in zip(first, second, strict=True)]))
    drawn = np.empty(1500)
    for place in range(len(drawn)):
        effects = [a12(draws.choice(x, len(x)), draws.choice(y, len(y))) for x, y in zip(first, second, strict=True)]
        drawn[place] = np.mean(effects)
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=drawn.std() / 3)
    grouped = probability_of_improvement(list(draws.random((2, 900))), list(draws.random((2, 700))))
    # Of equal distributions, the deviation of the mean of two statistics is known.
    deviation = np.sqrt((900 + 700 + 1) / (12 * 900 * 700) / 2)
    assert grouped.high - grouped.low == pytest.approx(2 * scipy.stats.norm.ppf(0.975) * deviation, rel=0.15)
    with pytest.raises(ParameterError, match="same tasks"):
        probability_of_improvement([[1.0]], [])


# Ranks


@given(st.lists(st.lists(losses, min_size=1, max_size=4), min_size=1, max_size=4))
def test_expected_ranks_by_all_ways_to_draw_a_run_of_each(groups):
    every = [scipy.stats.rankdata(worst(draw)) for draw in itertools.product(*groups)]
    assert expected_ranks(groups) == pytest.approx(np.mean(every, axis=0))


def test_ranks_in_batches_and_of_scores():
    values = random().integers(0, 4, (3, 5, 7)).astype(float)
    batched = expected_ranks(values)
    assert batched.shape == (3, 5)
    assert batched.sum(axis=0) == pytest.approx([6] * 5)
    for row in range(5):
        assert batched[:, row] == pytest.approx(expected_ranks(values[:, row]))
    assert mean_ranks([[2.0, NAN, NAN, 1.0]]).tolist() == [[2, 3.5, 3.5, 1]]
    with pytest.raises(ParameterError, match="at least one"):
        expected_ranks([])


@given(
    st.integers(3, 6).flatmap(
        lambda size: st.lists(st.lists(st.integers(0, 3), min_size=size, max_size=size), min_size=3, max_size=9)
    )
)
@settings(max_examples=25)
def test_friedman_and_nemenyi_are_those_of_scipy_and_scikit_posthocs(scores):
    scores = np.array(scores, dtype=float)
    found = friedman_test(scores)
    if (np.ptp(scores, axis=1) == 0).all():
        assert (found.statistic, found.p) == (0, 1)
        return
    expected = scipy.stats.friedmanchisquare(*scores.T)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.exact or found.p == pytest.approx(expected.pvalue)
    nemenyi = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    assert found.nemenyi == pytest.approx(nemenyi, abs=1e-6)
    # What the critical difference says is what the p-values say.
    gaps = np.abs(np.subtract.outer(found.ranks, found.ranks))
    clear = np.abs(found.nemenyi - 0.05) > 1e-6
    assert ((gaps >= found.critical_difference) == (found.nemenyi < 0.05))[clear].all()


@given(
    st.sampled_from([(2, 6), (3, 3), (3, 4), (4, 2), (4, 3)]).flatmap(
        lambda shape: st.lists(
            st.lists(st.integers(0, 3), min_size=shape[0], max_size=shape[0]), min_size=shape[1], max_size=shape[1]
        )
    )
)
@settings(max_examples=30)
def test_friedman_with_few_tasks_compares_with_all_ways_to_assign_the_ranks(scores):
    ranks = mean_ranks(scores)
    middle = ranks.mean()
    ways = itertools.product(*(list(itertools.permutations(row)) for row in ranks.tolist()))
    spreads = np.array([((np.mean(way, axis=0) - middle) ** 2).sum() for way in ways])
    found = friedman_test(scores)
    expected = (spreads >= ((ranks.mean(axis=0) - middle) ** 2).sum() - 1e-9).mean()
    assert found.exact
    assert found.p == pytest.approx(expected)
    assert found.rejects == (expected < 0.05)


def test_friedman_with_many_strategies_and_iman_and_davenport():
    scores = random().random((12, 8)) + np.linspace(0, 0.4, 8)
    found = friedman_test(scores)
    assert not found.exact
    assert found.p == pytest.approx(scipy.stats.friedmanchisquare(*scores.T).pvalue)
    # F is that of an analysis of variance of the ranks in blocks.
    ranks = mean_ranks(scores)
    between = 12 * ((ranks.mean(axis=0) - ranks.mean()) ** 2).sum() / 7
    rest = (ranks - ranks.mean(axis=0) - ranks.mean(axis=1)[:, None] + ranks.mean()) ** 2
    ratio = between / (rest.sum() / (7 * 11))
    assert found.iman_davenport == pytest.approx(ratio)
    assert found.iman_davenport_p == pytest.approx(scipy.stats.f.sf(ratio, 7, 77))
    assert found.rejects == (found.iman_davenport_p < 0.05)
    same = friedman_test([[1.0, 2.0, 3.0]] * 2)
    assert (same.iman_davenport, same.iman_davenport_p) == (INF, pytest.approx(1 / 6))  # not 0: two tasks prove little
    assert (same.p, same.rejects) == (pytest.approx(1 / 6), False)


def test_critical_differences_are_those_of_demsar():
    """Table 5 of Demšar (2006) has quantiles with three digits, divided by the root of two and rounded again."""
    for strategies, quantile in ((2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)):
        error = np.sqrt(strategies * (strategies + 1) / (6 * 30))
        assert critical_difference(strategies, 30) == pytest.approx(
            quantile * error, abs=(5e-4 / 2**0.5 + 5e-4) * error
        )
    assert np.isnan(critical_difference(3, 1))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 6))
def test_cliques_by_definition(ranks, difference):
    ranks = np.array(ranks, dtype=float)
    alike = [
        set(group)
        for size in range(2, len(ranks) + 1)
        for group in itertools.combinations(range(len(ranks)), size)
        if np.ptp(ranks[list(group)]) < difference
    ]
    largest = [group for group in alike if not any(group < other for other in alike)]
    found = cliques(ranks, difference)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
    assert list(found) == sorted(found, key=lambda group: ranks[list(group)].mean())


def test_few_tasks_and_strategies():
    one = friedman_test([[1.0, 2.0, 3.0]])
    assert np.isnan([one.statistic, one.p, one.critical_difference]).all()
    assert one.cliques == ()
    assert one.ranks.tolist() == [1, 2, 3]
    two = friedman_test([[1.0, 2.0], [2.0, 1.0]])
    assert np.isnan([two.statistic, two.iman_davenport_p, two.critical_difference]).all()
    assert (two.p, two.nemenyi[0, 1], two.cliques) == (1, 1, ((0, 1),))
    for tasks, cliques_ in ((5, ((1, 0),)), (6, ())):
        ahead = friedman_test([[2.0, 1.0]] * tasks)
        assert ahead.p == ahead.nemenyi[0, 1] == pytest.approx(scipy.stats.binomtest(tasks, tasks).pvalue)
        assert (ahead.rejects, ahead.cliques) == (tasks == 6, cliques_)
    assert friedman_test([[1.0]]).nemenyi.tolist() == [[1.0]]
    with pytest.raises(ParameterError, match="shape"):
        friedman_test([1.0, 2.0])
    with pytest.raises(ParameterError, match="level"):
        friedman_test([[1.0, 2.0]], level=0)


# Trajectories, targets, areas


def three_runs():
    """Test regrets 4, 2, 0 at 1, 2, 4 s; 3, 1 at 2, 3 s (then it ended); none, 4, 4 at 1, 5, 6 s."""
    return hand_made(
        architecture=[[0, 2, 4], [1, 3, -1], [3, 0, 0]],
        observed=[[0.0, 2.0, 4.0], [1.0, 3.0, NAN], [NAN, 0.0, 0.0]],
        mask=[[True] * 3, [True, True, False], [True] * 3],
        time=[[1, 2, 4], [2, 3, NAN], [1, 5, 6]],
        valid=[0, 1, 2, 3, 4],
        test=[0, 1, 2, 3, 4],
    )


def test_trajectories_by_hand():
    found = incumbent_trajectories(three_runs())
    assert found.run.tolist() == [0, 0, 0, 1, 1, 2]
    assert found.times["evaluations"].tolist() == [1, 2, 3, 1, 2, 2]
    assert found.times["seconds"].tolist() == [1, 2, 4, 2, 3, 5]
    assert found.architecture.tolist() == [0, 2, 4, 1, 3, 0]
    assert found.regrets["test"].tolist() == [4, 2, 0, 3, 1, 4]
    assert found.ends["evaluations"].tolist() == [3, 2, 3]
    assert found.end("seconds") == 3
    grid = np.array([0.5, 1.0, 1.9, 2.0, 5.0])
    expected = [[INF, 4, 4, 2, 0], [INF, INF, INF, 3, 1], [INF, INF, INF, INF, 4]]
    assert found.regret_at("test", found.at("seconds", grid)).T.tolist() == expected
    with pytest.raises(UnknownNameError, match="unknown axis"):
        found.at("hours", grid)


def _at(trace, regret, run, seconds):
    """Regret of a run after the last evaluation that had ended by each time; inf before its first value."""
    values = []
    for time in seconds:
        ended = np.flatnonzero(trace.time[run] <= time)
        value = regret[run, ended[-1]] if len(ended) else NAN
        values.append(INF if np.isnan(value) else value)
    return values


@given(st.integers(0, 50), st.sampled_from(["random-search", "hyperband", "local-search"]))
@settings(max_examples=12)
def test_trajectories_say_what_traces_say(seed, strategy):
    table = synthetic_table("chain", failures=0.3)
    trace = nl.simulate(table, strategy, runs=7, budget=nl.Budget(seconds=300), seed=seed)
    found = incumbent_trajectories(trace)
    steps = np.arange(1.0, trace.steps + 1)
    seconds = np.geomspace(1, 300, 50)
    for kind in ("observed", "valid", "test"):
        regret = trace.regret(kind)
        by_step = np.where(trace.mask, found.regret_at(kind, found.at("evaluations", steps)).T, INF)
        assert np.array_equal(by_step, np.where(np.isnan(regret), INF, regret))
        timed = [_at(trace, regret, run, seconds) for run in range(trace.runs)]
        assert np.array_equal(found.regret_at(kind, found.at("seconds", seconds)).T, timed)
    final = np.where(found.final() < 0, -1, found.architecture[np.maximum(found.final(), 0)])
    assert np.array_equal(final, trace.final_incumbent())


def test_long_traces_are_read_in_parts(monkeypatch):
    trace = nl.simulate(synthetic_table("chain"), "random-search", runs=20, budget=nl.Budget(evaluations=30))
    whole = incumbent_trajectories(trace)
    module = importlib.import_module("nasbench_lab.simulation.trace")
    monkeypatch.setattr(module, "EVALUATIONS_AT_A_TIME", 100)
    parts = incumbent_trajectories(trace)
    assert np.array_equal(whole.run, parts.run)
    assert np.array_equal(whole.regrets["observed"], parts.regrets["observed"])


def test_curves_by_hand():
    found = incumbent_trajectories(three_runs())
    curves = anytime_curves([found, None], "evaluations", ["test"])["test"]
    assert curves.grid.tolist() == [1, 2]  # the second run ended
    assert curves.quartiles[:, 0].tolist() == [[3, 1], [4, 2], [INF, 4]]
    assert curves.mean.estimate[0].tolist() == [INF, pytest.approx(7 / 3)]
    assert curves.iqm.estimate[0].tolist() == [INF, pytest.approx(7 / 3)]  # of three runs nothing is trimmed
    assert np.isnan(curves.quartiles[:, 1]).all()
    assert np.isnan(curves.mean.low[1]).all()
    by_seconds = anytime_curves([found], "seconds", ["test"], points=8)["test"]
    assert (by_seconds.grid[0], by_seconds.grid[-1]) == (1.0, 3.0)
    assert by_seconds.quartiles[:, 0, -1].tolist() == [1, 2, INF]


def test_curves_of_several_strategies_agree_with_those_of_one_and_end_exactly():
    table = synthetic_table("topology")
    traces = [
        nl.simulate(table, "random-search", runs=30, budget=budget)
        for budget in (nl.Budget(evaluations=217), nl.Budget(evaluations=150))
    ]
    for axis in ("evaluations", "seconds"):
        curves = anytime_curves(traces, axis, ["valid"], points=20)["valid"]
        assert len(curves.grid) <= 21
        for place, trace in enumerate(traces):
            one = anytime_curves([trace], axis, ["valid"])["valid"]
            assert curves.ends[place] == one.ends[0] == one.grid[-1]
            last = int(np.searchsorted(curves.grid, curves.ends[place]))
            assert curves.grid[last] == one.grid[-1]
            assert curves.quartiles[:, place, last].tolist() == one.quartiles[:, 0, -1].tolist()
            assert np.isnan(curves.quartiles[:, place, last + 1 :]).all()
            assert curves.iqm.high[place, last] == one.iqm.high[0, -1]


def test_intervals_of_curves_are_those_of_every_point():
    """Also where nothing has changed since the point before."""
    trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=4, budget=nl.Budget(evaluations=40))
    found = incumbent_trajectories(trace)
    curves = anytime_curves([found], "evaluations", ["test"])["test"]
    losses = found.regret_at("test", found.at("evaluations", curves.grid))
    assert (losses[1:] == losses[:-1]).all(axis=1).any()
    draws = Resampler((4,))
    for name, band in (("mean", curves.mean), ("iqm", curves.iqm)):
        low, high = draws.interval([draws.group(losses)], name)
        assert (band.low[0] == low).all()
        assert (band.high[0] == high).all()
        assert band.estimate[0] == pytest.approx(average(losses, name))


def test_a_strategy_without_an_evaluation_beside_others():
    table, budget = synthetic_table("topology"), nl.Budget(seconds=10.0)
    found = [
        incumbent_trajectories(nl.simulate(table, name, runs=3, budget=budget))
        for name in ("random-search", "hyperband")
    ]
    assert (len(found[0].run), len(found[1].run) > 0) == (0, True)
    for axis in ("evaluations", "seconds"):
        curves = anytime_curves(found, axis, ["test"])["test"]
        assert not np.isfinite(curves.mean.estimate[0]).any()
        assert np.isfinite(curves.quartiles[:, 1]).any()


def test_nothing_to_draw():
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    assert anytime_curves([incumbent_trajectories(empty)], "evaluations", ["test"]) == {}
    untimed = nl.simulate(nl.load("nas-bench-graph/proteins"), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    with pytest.raises(MissingDataError, match="no times"):
        times_to_target(incumbent_trajectories(untimed), "test", "seconds", [0.0])


def test_times_to_target_by_hand():
    found = incumbent_trajectories(three_runs())
    times = times_to_target(found, "test", "seconds", [4.0, 2.0, 0.0])
    assert times.tolist() == [[1, 2, 4], [2, 3, INF], [5, INF, INF]]
    assert expected_times(times, found.ends["seconds"]).tolist() == [8 / 3, (2 + 3 + 6) / 2, 4 + 3 + 6]
    assert complete_until(times, found.ends["seconds"]) == 3
    assert complete_until(times[:, :1], found.ends["seconds"]) == INF
    assert ecdf(times, np.array([0.0, 2.0, 5.0, 100.0])).tolist() == [0, 3 / 9, 6 / 9, 6 / 9]
    by_evaluation = times_to_target(found, "test", "evaluations", [2.0])
    assert by_evaluation.tolist() == [[2], [2], [INF]]
    assert expected_times(np.full((2, 1), INF), np.ones(2)).tolist() == [INF]
    with pytest.raises(ParameterError, match="at least one time"):
        ecdf(np.empty(0), np.ones(1))


def test_a_target_stays_reached_when_test_regret_rises_again():
    trace = hand_made(architecture=[[1, 0]], observed=[[0.5, 0.9]], valid=[0.9, 0.5], test=[0.1, 0.8])
    assert times_to_target(incumbent_trajectories(trace), "test", "evaluations", [0.0]).tolist() == [[1]]


@given(st.integers(0, 20), st.floats(5, 290))
@settings(max_examples=10)
def test_areas_by_fine_sums(seed, end):
    table = synthetic_table("chain", failures=0.3)
    trace = nl.simulate(table, "random-search", runs=4, budget=nl.Budget(seconds=300), seed=seed)
    found = incumbent_trajectories(trace)
    area = area_under_curve(found, "test", "seconds", end, before=0.7)
    middles = (np.arange(20_000) + 0.5) / 20_000 * end
    regret = found.regret_at("test", found.at("seconds", middles))
    assert area == pytest.approx(np.where(np.isinf(regret), 0.7, regret).mean(axis=0), abs=2e-3)
    with pytest.raises(ParameterError, match="an area needs"):
        area_under_curve(found, "test", "seconds", 301, before=0.7)


# Profiles and relative improvement


def test_score_distributions():
    tasks = [np.array([0.0, 0.5, NAN, 1.0]), np.array([0.0, 0.0, 0.0, 0.5])]
    found = score_distribution(tasks, [0.0, 0.5, 2.0], resamples=3000)
    assert found.estimate.tolist() == [0.5, 0.75, 0.875]
    draws = random()
    shares = [draws.binomial(4, each, 20_000) / 4 for each in (0.25, 0.75)]
    assert [found.low[0], found.high[0]] == pytest.approx(
        run_quantiles(np.mean(shares, axis=0), [0.025, 0.975]), abs=0.125
    )
    assert (found.low <= found.estimate).all()
    assert found.high[-1] == 1


@given(st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, INF])] * 3), min_size=1, max_size=6))
def test_performance_profiles_by_definition(problems):
    costs, ratios = np.array(problems).T, [1.0, 1.5, 2.0]
    shares, count = performance_profile(costs, ratios)
    solved = [problem for problem in problems if min(problem) < INF]
    assert count == len(solved)
    for strategy, ratio in itertools.product(range(3), range(3)):
        if solved:
            expected = np.mean([problem[strategy] <= ratios[ratio] * min(problem) for problem in solved])
            assert shares[strategy, ratio] == pytest.approx(expected)
        else:
            assert np.isnan(shares).all()


def test_profiles_of_what_makes_no_sense():
    for costs, ratios in (([[NAN]], [1.0]), ([[1.0]], [0.5]), ([1.0], [1.0])):
        with pytest.raises(ParameterError, match="a profile needs"):
            performance_profile(costs, ratios)


def test_relative_improvement():
    table = synthetic_table("chain", direction="minimize")
    trace = nl.simulate(table, "random-search", runs=3, budget=nl.Budget(evaluations=30))
    mean = np.nanmean(table.mean_values("test_accuracy"))
    assert random_value(trace.reference, "test") == pytest.approx(mean)
    found = relative_improvement(trace.final("test"), mean, "minimize")
    assert found == pytest.approx(100 * (mean - trace.final("test")) / mean)
    assert (found > 0).all()
    limited = nl.simulate(table, "random-search", runs=2, budget=nl.Budget(evaluations=9), limits={"parameters": 0.9})
    kept = table.mean_values("parameters") <= 0.9
    assert random_value(limited.reference, "test") == pytest.approx(
        np.nanmean(table.mean_values("test_accuracy")[kept])
    )
    for value, direction in ((0.0, "maximize"), (1.0, "sideways")):
        with pytest.raises(ParameterError):
            relative_improvement(1.0, value, direction)
    with pytest.raises(UnknownNameError):
        random_value(trace.reference, "train")


# Practical equivalence


def simulated(difference, runs, experiments=4000, level=0.95, margin=0.5):
    """Verdicts on pairs of exponential samples whose means differ, as `compare_samples` gives them, in one batch."""
    draws = random()
    pairs = [draws.exponential(size=(experiments, runs)) + shift for shift in (difference, 0.0)]
    means, variances = ([f(sample) for sample in pairs] for f in (lambda s: s.mean(1), lambda s: s.var(1, ddof=1)))
    found = intervals_of(*welch(tuple(means), tuple(variances), (np.array(runs), np.array(runs))), 2 * level - 1)
    verdict = verdicts(found.low, found.high, np.array(margin))
    for place in range(5):
        assert compare_samples(pairs[0][place], pairs[1][place], margin, level).verdict == verdict[place]
    return {name: (verdict == name).mean() for name in ("equivalent", "better", "worse", "inconclusive")}


def test_verdicts_are_wrong_as_seldom_as_stated():
    allowed = 0.05 + 4 * np.sqrt(0.05 * 0.95 / 4000)
    same, at_margin, beyond = (simulated(difference, 100) for difference in (0.0, 0.5, -1.5))
    assert same["worse"] + same["better"] < 0.01
    assert at_margin["equivalent"] < allowed
    assert at_margin["worse"] < allowed
    assert beyond["better"] > 0.99
    assert beyond["worse"] == 0


def test_stated_power_is_what_simulations_give():
    error = np.sqrt(2 / 80)
    stated = equivalence_power(0.5, error, 158)
    assert simulated(0.0, 80)["equivalent"] == pytest.approx(stated, abs=0.03)
    runs = runs_needed(deviation=1.0, margin=0.5, power=0.9)
    assert simulated(0.0, runs)["equivalent"] == pytest.approx(0.9, abs=0.03)
    assert simulated(0.0, runs // 2)["equivalent"] < 0.85
    sample = random().exponential(size=120)
    detectable = compare_samples(sample, sample, 0.5).detectable
    assert simulated(detectable, 120)["worse"] == pytest.approx(0.8, abs=0.05 + 0.03)


def test_samples_against_scipy():
    draws = random()
    new, old = draws.random(30), draws.random(50) * 2
    found = compare_samples(new, old, margin=0.2)
    oracle = scipy.stats.ttest_ind(new, old, equal_var=False)
    interval = oracle.confidence_interval(0.9)
    assert [found.difference.low, found.difference.high] == pytest.approx([interval.low, interval.high])
    tails = [
        scipy.stats.ttest_ind(new - shift, old, equal_var=False, alternative=side).pvalue
        for shift, side in ((0.2, "less"), (-0.2, "greater"))
    ]
    assert found.p_equivalent == pytest.approx(max(tails))
    assert found.p_worse == pytest.approx(1 - tails[0])
    assert found.p_better == pytest.approx(1 - tails[1])
    paired = compare_samples(new, old[:30], margin=0.2, paired=True)
    interval = scipy.stats.ttest_rel(new, old[:30]).confidence_interval(0.9)
    assert [paired.difference.low, paired.difference.high] == pytest.approx([interval.low, interval.high])
    turned = compare_samples(new, old, margin=0.2, direction="maximize")
    assert turned.difference.estimate == pytest.approx(-found.difference.estimate)


def test_samples_without_spread():
    assert compare_samples([1.0] * 3, [1.0] * 3, 0.0).verdict == "equivalent"
    assert compare_samples([2.0] * 3, [1.0] * 3, 0.5).verdict == "worse"
    found = compare_samples([1.0] * 3, [2.0] * 3, 0.5)
    assert (found.verdict, found.p_better, found.p_worse, found.p_equivalent) == ("better", 0.05, 1, 1)
    assert compare_samples([1.5] * 3, [1.0] * 3, 0.5).p_equivalent == 0.05  # at the margin is within it
    single = compare_samples([1.0], [5.0], 0.5)
    assert single.verdict == "inconclusive"
    assert np.isnan(single.difference.estimate)


def test_too_few_runs_get_no_verdict():
    """Not even the most extreme order of two runs and two has a probability of at most 0.05."""
    for new in ([2.0, 2.0], [2.0, 2.0001], [1.0, 1.0]):
        found = compare_samples(new, [1.0, 1.0], 0.5)
        assert (found.verdict, found.power, found.detectable) == ("inconclusive", 0, INF)
        assert min(found.p_worse, found.p_better, found.p_equivalent) >= 1 / 6
    assert str(compare_samples([2.0, 2.0], [1.0, 1.0], 0.5)) == (
        "inconclusive: +1 with a margin of 0.5 (positive is worse)"
    )
    assert compare_samples([2.0] * 3, [1.0] * 3, 0.5, level=0.99).verdict == "inconclusive"
    assert compare_samples([2.0] * 4, [1.0] * 4, 0.5, paired=True).verdict == "inconclusive"
    assert compare_samples([2.0] * 5, [1.0] * 5, 0.5, paired=True).verdict == "worse"
    extreme = scipy.stats.mannwhitneyu(range(5), range(5, 12), method="exact", alternative="less")
    assert least_p(5, 7) == pytest.approx(extreme.pvalue)
    assert least_p(40, 60) == pytest.approx(1 / scipy.special.comb(100, 40))
    pairs = compare_pairs("test", [[np.full(2, 2.0), np.full(2, 1.0), np.full(3, 1.0)]], np.array([0.5]))
    assert pairs.verdict[0, 1, 0] == pairs.verdict[0, 2, 0] == "inconclusive"
    assert np.isnan(pairs.difference.low[0, 1, 0])
    assert pairs.difference.estimate[0, 1, 0] == 1
    assert (pairs.mean_adjusted[..., 0] > 0.5).all()


def test_failed_runs_are_the_worst_in_every_verdict():
    """The runs that are left of a strategy that fails more often may look better; they are not."""
    draws = random()
    new, old = draws.normal(0.0, 0.01, 20), draws.normal(1.0, 0.01, 20)
    new[:10], old[:5] = NAN, NAN
    found = compare_samples(new, old, margin=0.1)
    assert (found.verdict, found.p_better, found.p_equivalent) == ("inconclusive", 1, 1)
    assert str(found).endswith("over 10 of 20 new and 15 of 20 old runs; the others have no value")
    turned = compare_samples(old, new, margin=0.1)
    assert (turned.verdict, turned.p_worse, turned.p_equivalent) == ("inconclusive", 1, 1)
    assert compare_samples(new + 2, old, margin=0.1).verdict == "worse"  # more failures and a larger mean
    pairs = compare_pairs(
        "test", [[np.where(np.isnan(each), INF, each) for each in (new, old, old[5:])]], np.array([0.1])
    )
    assert pairs.verdict[0, 1, 0] == pairs.verdict[1, 0, 0] == "inconclusive"
    assert np.isnan(pairs.difference.estimate[0, 1, 0])  # both are infinite
    assert pairs.difference.estimate[0, 2, 0] == INF
    assert pairs.difference.estimate[2, 0, 0] == -INF
    assert np.isnan(pairs.mean_adjusted[0, 1:, 0]).all()


def test_tests_of_means_and_medians_of_all_pairs_are_those_of_single_pairs():
    draws = random()
    samples = [draws.exponential(size=40), draws.exponential(size=30) + 0.4]
    pairs = compare_pairs("test", [samples], np.array([0.1]))
    assert pairs.mean_adjusted[0, 1, 0] == pytest.approx(scipy.stats.ttest_ind(*samples, equal_var=False).pvalue)
    assert pairs.median_adjusted[0, 1, 0] == median_test(samples)[0, 1]
    same = compare_pairs("test", [[np.ones(9), np.ones(9)]], np.array([0.1]))
    assert (same.mean_adjusted[0, 1, 0], same.verdict[0, 1, 0]) == (1, "equivalent")


def test_samples_with_failures():
    good = random().random(60)
    some, many = np.where(np.arange(60) < 2, NAN, good), np.where(np.arange(60) < 30, NAN, good)
    worse = compare_samples(many, good, margin=10.0)
    assert (worse.verdict, worse.without_value) == ("worse", (30, 0))
    assert worse.p_failures == pytest.approx(scipy.stats.fisher_exact([[30, 30], [0, 60]]).pvalue)
    assert compare_samples(good, many, margin=10.0).verdict == "better"
    assert compare_samples(some, good, margin=10.0).verdict == "inconclusive"
    assert compare_samples(some, some, margin=10.0).verdict == "equivalent"
    paired = compare_samples(many, some, margin=10.0, paired=True)
    assert paired.p_failures == pytest.approx(scipy.stats.binomtest(28, 28).pvalue)
    assert compare_samples([NAN, NAN], [NAN, NAN], 1.0).verdict == "inconclusive"


def test_samples_that_make_no_sense():
    one = [1.0, 2.0]
    for arguments, options in (
        (([], one, 1.0), {}),
        ((one, [one], 1.0), {}),
        ((one, one, -1.0), {}),
        ((one, one, 1.0, 0.5), {}),
        ((one, one, 1.0, 0.95, "none"), {}),
        ((one, [1.0], 1.0), {"paired": True}),
    ):
        with pytest.raises(ParameterError):
            compare_samples(*arguments, **options)
    with pytest.raises(ParameterError):
        runs_needed(1.0, 0.0)


def test_all_pairs_are_single_pairs():
    draws = random()
    rows = [[draws.random(30), draws.random(30) + 0.3, None], [draws.random(30), None, np.full(30, INF)]]
    found = compare_pairs("test", rows, np.array([0.1, 0.1]))
    assert found.a12[0, 1, 0] == pytest.approx(a12(rows[0][0], rows[0][1]))
    single = compare_samples(rows[0][0], rows[0][1], 0.1)
    assert found.verdict[0, 1, 0] == single.verdict == "better"
    assert found.difference.at(0, 1, 0).low == pytest.approx(single.difference.low)
    assert found.verdict[1, 0, 0] == "worse"
    assert found.verdict[0, 2, 1] == compare_samples(rows[1][0], rows[1][2], 0.1).verdict == "better"
    assert found.verdict[0, 0, 0] == found.verdict[0, 2, 0] == ""
    assert np.isnan(found.p[0, 2, 0])
    assert found.adjusted[0, 1, 0] == found.p[0, 1, 0]  # a single test
    unknown = compare_pairs("test", rows, np.array([NAN, NAN]))
    assert (unknown.verdict == "").all()
