"""Statistics over many runs, beside plain loops over resamples, runs and pairs with scipy."""

import dataclasses
import itertools

import numpy as np
import pytest
import scipy.stats

import nasbench_lab as nl
from nasbench_lab.analysis import (
    anytime_curves,
    bootstrap_interval,
    count_pairs,
    expected_ranks,
    mann_whitney,
    study,
)
from nasbench_lab.analysis.bootstrap import resampler
from nasbench_lab.testing import synthetic_table

TASKS, RUNS, RESAMPLES, STRATEGIES = 20, 1000, 1000, 10


@pytest.fixture(scope="module")
def losses():
    return np.random.default_rng(0).exponential(size=(STRATEGIES, TASKS, RUNS))


def plain_bootstrap(tasks, resamples):
    draws = np.random.default_rng(0)
    drawn = np.empty(resamples)
    for place in range(resamples):
        pooled = np.concatenate([task[draws.integers(0, len(task), len(task))] for task in tasks])
        drawn[place] = scipy.stats.trim_mean(pooled, 0.25)
    return np.quantile(drawn, [0.025, 0.975])


@pytest.mark.parametrize("contender", ["ours", "ours, drawing", "numpy loop"])
def test_bootstrapping_an_interquartile_mean(benchmark, per_item, losses, contender):
    benchmark.group = f"a resample of the IQM, {TASKS} x {RUNS:,} runs"
    tasks = list(losses[0])
    if contender == "numpy loop":
        low, high = per_item(contender, 50, lambda: plain_bootstrap(tasks, 50), rounds=2)
    else:
        bootstrap_interval(
            tasks, "iqm", resamples=RESAMPLES
        )  # draws the resamples, which every other strategy uses again

        def again():
            if contender == "ours, drawing":
                resampler.cache_clear()
            return bootstrap_interval(tasks, "iqm", resamples=RESAMPLES)

        found = per_item(contender, RESAMPLES, again)
        low, high = found.low, found.high
    assert low < high


@pytest.mark.parametrize("contender", ["ours", "scipy"])
def test_comparing_all_pairs(benchmark, per_item, losses, contender):
    benchmark.group = f"A12 and Mann-Whitney of a pair, {RUNS:,} runs"
    samples = list(losses[:, 0].round(3))
    pairs = list(itertools.combinations(range(STRATEGIES), 2))
    if contender == "ours":
        p = per_item(contender, len(pairs), lambda: (count_pairs(samples).a12, mann_whitney(samples)))[1]
        assert p.shape == (STRATEGIES, STRATEGIES)
    else:
        per_item(
            contender,
            len(pairs),
            lambda: [scipy.stats.mannwhitneyu(samples[i], samples[j], method="asymptotic") for i, j in pairs],
        )


@pytest.mark.parametrize("contender", ["ours", "scipy, run by run"])
def test_ranking(benchmark, per_item, losses, contender):
    benchmark.group = f"rank a run among {STRATEGIES} strategies"
    runs = losses[:, 0]
    if contender == "ours":
        ranks = per_item(contender, RUNS, lambda: expected_ranks(runs))
    else:
        ranks = per_item(
            contender, RUNS, lambda: np.mean([scipy.stats.rankdata(runs[:, run]) for run in range(RUNS)], axis=0)
        )
    assert ranks.sum() == pytest.approx(STRATEGIES * (STRATEGIES + 1) / 2)


@pytest.mark.parametrize("contender", ["ours", "curves alone"])
def test_studying_a_comparison(benchmark, per_item, contender):
    """The other computes the curves of the regret figure only: median and quartiles, without any statistics."""
    benchmark.group = "study a run of 100 evaluations, 5 x 5 x 200"
    trace = nl.simulate(synthetic_table("topology"), "random-search", runs=200, budget=nl.Budget(evaluations=100))
    traces = [
        dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, label=f"{label}", table=f"{table}"))
        for table, label in itertools.product(range(5), range(5))
    ]
    runs = len(traces) * 200
    if contender == "ours":
        found = per_item(contender, runs, lambda: study(traces), rounds=2)
        assert len(found.leaderboard["test"]) == 5
    else:
        per_item(
            contender,
            runs,
            lambda: [
                anytime_curves([each], axis, resamples=0) for each in traces for axis in ("evaluations", "seconds")
            ],
            rounds=2,
        )


@pytest.mark.parametrize("contender", ["ours", "plain matplotlib"])
def test_drawing_24_strategies_on_twelve_tables(benchmark, per_item, contender):
    """The other draws the same medians and a legend, and lays out the panels."""
    from matplotlib.figure import Figure

    from nasbench_lab.report import regret_figure

    benchmark.group = "a regret figure of 24 strategies on 12 tables"
    table, budget = synthetic_table("chain"), nl.Budget(evaluations=60)
    one = nl.simulate(table, "random-search", runs=20, budget=budget)
    traces = [dataclasses.replace(one, setting=dataclasses.replace(one.setting, label=f"seed {n}")) for n in range(24)]
    alone = study(traces, curves_only=True, resamples=0)
    curves = {(kind, axis, task): each for (kind, axis, _), each in alone.curves.items() for task in range(12)}
    found = dataclasses.replace(alone, tasks=alone.tasks * 12, curves=curves, runs=np.repeat(alone.runs, 12, axis=1))

    def plain():
        figure = Figure(figsize=(6.75, 5.0), layout="constrained")
        for task, panel in enumerate(figure.subplots(3, 4).ravel()):
            curve = curves["test", "evaluations", task]
            for label, median in zip(found.labels, curve.quartiles[1], strict=True):
                panel.plot(curve.grid, median, drawstyle="steps-post", label=label)
            panel.set_yscale("log")
        figure.legend(found.labels, loc="outside upper left", ncols=4)
        return figure

    def draw():
        figure = regret_figure(found, style="double") if contender == "ours" else plain()
        figure.draw_without_rendering()
        return figure

    assert len(per_item(contender, 1, draw, rounds=3).axes) == 12
