"""Hand-made studies: random numbers in the shapes that figures and tables read, for tests of how they are shown."""

import numpy as np

from nasbench_lab.analysis.findings import (
    Curves,
    Found,
    Pairwise,
    Profiles,
    Progress,
    RankComparison,
    Standing,
    Study,
    TargetTimes,
    Task,
)
from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.summary import Summary
from nasbench_lab.analysis.validation import Interval
from nasbench_lab.simulate import Budget
from nasbench_lab.tables.description import Metric

NAMES = ("random-search", "regularized-evolution", "local-search", "bananas", "tpe", "smac", "reinforce", "hyperband")
POINTS = 60


def make_study(
    strategies=3, tasks=1, *, runs=25, kinds=("observed", "valid", "test"), timed=True, zeros=0.0, long=False, seed=0
):
    """Make a study; `zeros` is the share of runs that end without regret, `long` gives labels of 60 characters."""
    random = np.random.default_rng(seed)
    labels = tuple(_label(number, long) for number in range(strategies))
    skill = np.linspace(0.4, 1.6, strategies)[:, None, None]
    final = {kind: 0.02 * skill * random.lognormal(0, 0.6, (strategies, tasks, runs)) for kind in kinds}
    for regrets in final.values():
        regrets[random.random(regrets.shape) < zeros] = 0.0
    axes = ("evaluations", "seconds") if timed else ("evaluations",)
    described = tuple(_task(number, kinds, axes) for number in range(tasks))
    split = [kind for kind in kinds if kind != "observed"]
    return Study(
        labels=labels,
        strategies=tuple(label.split(" ")[0] for label in labels),
        tasks=described,
        kinds=kinds,
        reference=0,
        level=0.95,
        resamples=100,
        seed=0,
        runs=np.full((strategies, tasks), runs),
        summaries=tuple(_summary(label, task, runs) for task in described for label in labels),
        final=final,
        auc={kind: regrets.mean(axis=2) for kind, regrets in final.items()},
        curves={
            (kind, axis, task): _curves(kind, axis, task, final[kind][:, task], random)
            for kind in kinds
            for axis in axes
            for task in range(tasks)
        },
        progress={kind: _progress(kind, final[kind], random) for kind in kinds},
        leaderboard={kind: _leaderboard(labels, final[kind]) for kind in kinds},
        pairwise={kind: _pairwise(kind, final[kind]) for kind in kinds},
        ranks={kind: _ranks(kind, final[kind]) for kind in kinds},
        times={(kind, axis): _times(kind, axis, strategies, tasks, random) for kind in split for axis in axes},
        profiles={kind: _profiles(kind, final[kind], random) for kind in split},
        found=tuple(_found(task, strategy, split) for task in range(tasks) for strategy in range(strategies)),
        warnings=("Only few tasks: tests over tasks have little power.",) if tasks < 5 else (),
        provenance={"kind": "memory", "title": "", "versions": {"nasbench-lab": ["0.1.0"]}, "tables": []},
    )


def around(values, share=0.1):
    """Intervals of a relative width around values."""
    values = np.asarray(values, dtype=float)
    return Intervals(values, values * (1 - share), values * (1 + share))


def _label(number, long):
    name = NAMES[number] if number < len(NAMES) else f"{NAMES[number % len(NAMES)]} (variant={number})"
    return f"{name} (population_size={number}, sample_size=10, rate=0.125)" if long else name


def _task(number, kinds, axes):
    metric = {kind: Metric(f"{kind}_accuracy", "test", "fraction", "maximize", "made up") for kind in kinds}
    return Task(
        name=f"synthetic/table-{number}",
        table=f"synthetic/table-{number}",
        checksum="",
        fidelity=12,
        repeat="sample",
        budget=Budget(evaluations=POINTS),
        workers=1,
        objective=metric["observed"],
        objectives=(),
        limits={},
        kinds=kinds,
        axes=axes,
        clock="evaluations",
        horizon=float(POINTS),
        searched_on_test=False,
        metric=metric,
        optimum=dict.fromkeys(kinds, 0.9),
        random_value={kind: 0.5 for kind in kinds if kind != "observed"},
        scale={kind: np.nan if kind == "observed" else 0.4 for kind in kinds},
        architectures=15_625,
        space={"name": "topology"},
    )


def _summary(label, task, runs):
    nan = float("nan")
    return Summary(
        table=task.table,
        strategy=label,
        runs=runs,
        budget=str(task.budget),
        fidelity=task.fidelity,
        repeat="sample",
        seed=0,
        evaluations=float(POINTS),
        seconds=nan,
        without_value=0,
        valid_mean=0.8,
        valid_std=0.01,
        test_mean=0.79,
        test_std=0.012,
        valid_regret=0.01,
        test_regret=0.02,
        test_regret_low=0.01,
        test_regret_high=0.03,
        checksum="",
    )


def _curves(kind, axis, task, final, random):
    strategies = len(final)
    grid = np.arange(1.0, POINTS + 1) * (1 if axis == "evaluations" else 37.5)
    falling = final.mean(axis=1)[:, None] * (1 + 8 / np.arange(1, POINTS + 1) ** 0.7)
    quartiles = np.stack([falling * 0.8, falling, falling * 1.3])
    quartiles[2, :, :2] = np.inf  # the upper quartile has no value at first
    if (final == 0).mean() > 0.5:
        quartiles[:, :, POINTS // 2 :] = 0.0
    return Curves(
        kind, axis, task, grid, np.full(strategies, grid[-1]), quartiles, around(falling), around(falling * 0.9)
    )


def _progress(kind, final, random):
    strategies, tasks, _ = final.shape
    fractions = np.linspace(1 / 50, 1, 50)
    mean = final.mean(axis=(1, 2))[:, None] * (1 + 1 / fractions) * 2.5
    rank = np.argsort(np.argsort(mean[:, -1])) + 1.0
    ranks = rank[:, None] + 0.3 * random.standard_normal((strategies, 1)) * (1 - fractions)
    known = np.nan if kind == "observed" else 1.0
    usable = tuple(range(tasks))
    return Progress(kind, fractions, usable, usable, around(mean * known), around(0.9 * mean * known), ranks)


def _leaderboard(labels, final):
    mean = final.mean(axis=(1, 2)) * 2.5
    order = np.argsort(mean)

    def interval(value):
        return Interval(float(value), float(value * 0.9), float(value * 1.1))

    return tuple(
        Standing(
            place=place + 1,
            strategy=labels[s],
            rank=place + 1.0,
            iqm=interval(mean[s]),
            mean=interval(mean[s] * 1.1),
            improvement=interval(0.8 - 0.6 * place / max(len(labels) - 1, 1)),
            relative_improvement=interval(50 - place),
            auc=interval(mean[s] * 3),
            solved=float((final[s] == 0).mean()),
            wins=1 if place == 0 else 0,
            without_value=0,
        )
        for place, s in enumerate(order)
    )


def _pairwise(kind, final):
    strategies, tasks, _ = final.shape
    better = (final[:, None, :, :, None] < final[None, :, :, None, :]).mean(axis=(3, 4))
    ties = (final[:, None, :, :, None] == final[None, :, :, None, :]).mean(axis=(3, 4))
    a12 = better + ties / 2
    p = np.clip(1 - 2 * np.abs(a12 - 0.5), 0, 1) ** 3
    adjusted = np.clip(p * 2, 0, 1)
    mean = final.mean(axis=2)
    difference = mean[:, None] - mean[None]
    verdict = np.where(difference < 0, "better", "worse").astype("<U12")
    verdict[np.arange(strategies), np.arange(strategies)] = ""
    return Pairwise(
        kind, a12, p, adjusted, Intervals(difference, difference - 0.01, difference + 0.01), verdict,
        np.full(tasks, 0.004), 0.95,
    )  # fmt: skip


def _ranks(kind, final):
    strategies, tasks, _ = final.shape
    task_ranks = np.argsort(np.argsort(np.median(final, axis=2), axis=0), axis=0).T + 1.0
    ranks = task_ranks.mean(axis=0)
    testable = strategies >= 3 and tasks >= 2
    critical = 0.6 * np.sqrt(strategies * (strategies + 1) / max(tasks, 1)) if testable else np.nan
    apart = np.abs(ranks[:, None] - ranks[None])
    p = np.clip(1 - apart / (2 * critical), 0, 1) if testable else np.full((strategies, strategies), np.nan)
    return RankComparison(
        kind=kind,
        tasks=tuple(range(tasks)),
        task_ranks=task_ranks,
        ranks=ranks,
        statistic=12.5 if testable else np.nan,
        p=0.002 if testable else np.nan,
        critical_difference=critical,
        nemenyi=p,
        wilcoxon=p,
        cliques=_cliques(ranks, critical) if testable else (),
        level=0.95,
    )


def _cliques(ranks, critical):
    order = np.argsort(ranks, kind="stable")
    found = []
    for first in range(len(order)):
        members = [int(s) for s in order[first:] if ranks[s] - ranks[order[first]] < critical]
        if len(members) > 1 and not any(set(members) <= set(other) for other in found):
            found.append(tuple(members))
    return tuple(found)


def _times(kind, axis, strategies, tasks, random):
    grid = np.geomspace(1, POINTS, 80) * (1 if axis == "evaluations" else 37.5)
    share = np.linspace(0, 1, 80)[None] ** np.linspace(0.5, 1.5, strategies)[:, None]
    targets = np.array([0.5, 0.1, 0.01])
    shape = (strategies, tasks, len(targets))
    return TargetTimes(
        kind, axis, targets, random.random(shape), random.random(shape) * POINTS, random.random(shape) * POINTS,
        grid, share, np.full(strategies, grid[60]), tuple(range(tasks)),
    )  # fmt: skip


def _profiles(kind, final, random):
    strategies, tasks, _ = final.shape
    regrets = np.linspace(0, 0.3, 70)
    scores = (final[..., None] / 0.4 <= regrets).mean(axis=(1, 2))
    ratios = np.geomspace(1, 20, 50)
    costs = np.linspace(0.1, 1, 50)[None] ** np.linspace(0.5, 1.5, strategies)[:, None]
    scores = Intervals(scores, np.clip(scores - 0.05, 0, 1), np.clip(scores + 0.05, 0, 1))
    return Profiles(kind, tuple(range(tasks)), regrets, scores, ratios, costs, 3 * tasks)


def _found(task, strategy, split):
    regret = dict.fromkeys(split, 0.01)
    return Found(task, strategy, 6111 + strategy, 12, 0.48, 0.85, 0.84, regret)
