"""Studies with made-up numbers, of any size, for tests of the figures, tables and pages that show them.

What the runs end with is drawn at random. The rest follows from it in simple ways, so that the parts of a study agree.
"""

import dataclasses

import numpy as np

import nasbench_lab as nl
from nasbench_lab.analysis.anytime import AnytimeCurves
from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.pairwise import Pairwise
from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.studies import leaders
from nasbench_lab.analysis.studies.results import (
    Found,
    Profiles,
    ProgressCurves,
    RankComparison,
    Study,
    TargetTimes,
    Task,
)
from nasbench_lab.analysis.studies.standings import Standing
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.tables.description import Metric

NAMES = ("random-search", "regularized-evolution", "local-search", "bananas", "tpe", "smac", "reinforce", "hyperband")
KINDS = ("observed", "valid", "test")
AXES = ("evaluations", "seconds")
STEP = {"evaluations": 1.0, "seconds": 37.5}  # what an evaluation takes on each axis
BUDGET = nl.Budget(evaluations=60)
POINTS, RUNS, FIDELITY, LEVEL = BUDGET.evaluations, 25, 12, 0.95

VALID = Metric("valid_accuracy", "valid", "fraction", "maximize", "made up")
TEST = Metric("test_accuracy", "test", "fraction", "maximize", "made up")
METRIC = {"observed": VALID, "valid": VALID, "test": TEST}
OPTIMUM, RANDOM = 0.9, 0.5
SCALE = {"observed": np.nan, "valid": OPTIMUM - RANDOM, "test": OPTIMUM - RANDOM}
TARGETS = np.array([0.5, 0.1, 0.01])

MARGIN, HALF_WIDTH = 0.012, 0.008  # of differences of mean regrets: what does not matter, and what is not sure
CHECKSUM = "0" * 64
BIBTEX = "@inproceedings{made2020up, title = {A made-up table}, year = {2020}}"
WARNING = "Only few tasks: tests over tasks have little power."


def made_up_study(
    strategies=3,
    tasks=2,
    *,
    labels=None,
    tables=None,
    kinds=KINDS,
    runs=RUNS,
    timed=True,
    zeros=0.0,
    long=False,
    **changes,
):
    """Make a study; of its strategies, the first ones tend to be the best.

    Args:
        strategies: how many there are, unless their labels are given.
        tasks: how many there are, unless their tables are given.
        labels: of the strategies.
        tables: names of the tables.
        kinds: of regret.
        runs: of every strategy on every task.
        timed: whether the tables have times.
        zeros: share of the runs that end without regret.
        long: whether labels have about 60 characters.
        changes: fields of the study that are something else.
    """
    labels = tuple(labels or (_label(number, long=long) for number in range(strategies)))
    tables = tuple(tables or (f"synthetic/table-{number}" for number in range(tasks)))
    axes = AXES if timed else AXES[:1]
    final = _final((len(labels), len(tables), runs), kinds, zeros)
    pairs = {kind: _pairwise(kind, regrets) for kind, regrets in final.items()}
    study = Study(
        labels=labels,
        strategies=tuple(label.partition("(")[0].strip() for label in labels),
        tasks=tuple(task(table, kinds=kinds, axes=axes) for table in tables),
        kinds=kinds,
        reference=0,
        level=LEVEL,
        resamples=1000,
        seed=0,
        runs=np.full((len(labels), len(tables)), runs),
        final=final,
        pairwise=pairs,
        warnings=(WARNING,) if len(tables) < 5 else (),
        provenance=provenance(tables, runs=runs),
        **_of_each_task(labels, tables, axes, final),
        **_of_all_tasks(labels, axes, final, pairs),
    )
    return dataclasses.replace(study, **changes)


def task(table, *, kinds=KINDS, axes=AXES):
    """Make the task of searching a table."""
    return Task(
        name=table,
        table=table,
        checksum=CHECKSUM,
        conditions=nl.Conditions(BUDGET, fidelity=FIDELITY),
        objective=VALID,
        kinds=kinds,
        axes=axes,
        clock="evaluations",
        horizon=float(POINTS),
        searched_on_test=False,
        metric={kind: METRIC[kind] for kind in kinds},
        optimum=dict.fromkeys(kinds, OPTIMUM),
        random_value=dict.fromkeys(_published(kinds), RANDOM),
        scale={kind: SCALE[kind] for kind in kinds},
        architectures=15_625,
        space=dict(TopologySpace().spec()),
    )


def provenance(tables, *, runs=RUNS):
    """Make the provenance of a suite on some tables."""
    described = {"checksum": CHECKSUM, "title": "A made-up table", "licence": "MIT", "citation": BIBTEX}
    notes = {"source": "nowhere", "notes": ["its numbers mean nothing"]}
    return {
        "kind": "suite",
        "title": "",
        "spec": {"tables": list(tables), "runs": runs},
        "spec_hash": "f" * 64,
        "versions": {"nasbench-lab": ["0.1.0"]},
        "platforms": ["Linux x86_64"],
        "wall_seconds": 75.0,
        "tables": [{"name": table, **described, **notes} for table in tables],
        "skipped": [],
        "missing": 0,
    }


def around(values, share=0.1):
    """Return intervals of a relative width around values."""
    values = np.asarray(values, dtype=float)
    return Intervals(values, values * (1 - share), values * (1 + share))


def _label(number, *, long):
    name = NAMES[number] if number < len(NAMES) else f"{NAMES[number % len(NAMES)]} (variant={number})"
    return f"{name} (population_size={number}, sample_size=10, rate=0.125)" if long else name


def _published(kinds):
    """Leave out the kind of regret that cannot be normalised."""
    return [kind for kind in kinds if kind != "observed"]


def _final(shape, kinds, zeros):
    """Draw what runs end with, by kind, of a shape of strategies, tasks and runs."""
    random = np.random.default_rng(0)
    skill = np.linspace(0.4, 1.6, shape[0])[:, None, None]
    final = {kind: 0.02 * skill * random.lognormal(0, 0.6, shape) for kind in kinds}
    for regrets in final.values():
        regrets[random.random(shape) < zeros] = 0.0
    return final


def _of_each_task(labels, tables, axes, final):
    """Make the parts of a study that look at one task at a time."""
    places = [(place, strategy) for place in range(len(tables)) for strategy in range(len(labels))]
    ends = {(place, s): {kind: regrets[s, place] for kind, regrets in final.items()} for place, s in places}
    return {
        "summaries": tuple(_summary(tables[place], labels[s], axes, ends[place, s]) for place, s in places),
        "found": tuple(_found(place, s, ends[place, s]) for place, s in places),
        "curves": {
            (kind, axis, place): _curves(kind, axis, place, regrets[:, place])
            for kind, regrets in final.items()
            for axis in axes
            for place in range(len(tables))
        },
        "auc": {kind: 3 * regrets.mean(axis=2) / SCALE[kind] for kind, regrets in final.items()},
    }


def _of_all_tasks(labels, axes, final, pairs):
    """Make the parts of a study that look at all tasks together."""
    split = _published(final)
    ranks = {kind: _rank_comparison(kind, regrets) for kind, regrets in final.items()}
    return {
        "ranks": ranks,
        "progress": {kind: _progress(kind, final[kind], _run_ranks(pairs[kind])) for kind in final},
        "leaderboard": {kind: _leaderboard(labels, final[kind], ranks[kind].ranks, pairs[kind]) for kind in final},
        "times": {(kind, axis): _times(kind, axis, final[kind]) for kind in split for axis in axes},
        "profiles": {kind: _profiles(kind, final[kind]) for kind in split},
    }


def _summary(table, label, axes, ends):
    """Sum up what the runs of a strategy on a table end with, by kind."""
    runs = len(ends["observed"])
    valid, test = (ends.get(kind, np.full(runs, np.nan)) for kind in ("valid", "test"))
    low, middle, high = np.quantile(test, (0.25, 0.5, 0.75)).tolist()
    return Summary(
        table=table,
        strategy=label,
        runs=runs,
        budget=str(BUDGET),
        fidelity=FIDELITY,
        repeat="sample",
        seed=0,
        evaluations=float(POINTS),
        seconds=POINTS * STEP["seconds"] if "seconds" in axes else np.nan,
        without_value=0,
        valid_mean=OPTIMUM - float(valid.mean()),
        valid_std=float(valid.std()),
        test_mean=OPTIMUM - float(test.mean()),
        test_std=float(test.std()),
        valid_regret=float(np.quantile(valid, 0.5)),
        test_regret=middle,
        test_regret_low=low,
        test_regret_high=high,
        checksum=CHECKSUM,
        valid_runs=int((~np.isnan(valid)).sum()),
        test_runs=int((~np.isnan(test)).sum()),
    )


def _found(place, strategy, ends):
    """Make the architecture with which half of the runs ended."""
    runs = len(ends["observed"])
    half = (runs + 1) // 2
    regret = {kind: float(np.median(ends[kind])) for kind in _published(ends)}
    valid, test = (OPTIMUM - regret.get(kind, np.nan) for kind in ("valid", "test"))
    return Found(place, strategy, (6111 + 37 * strategy + place) % 15_625, half, half / runs, valid, test, regret)


def _curves(kind, axis, place, ends):
    """Make curves that fall to the mean of what runs end with, or to zero where most of them end without regret."""
    steps = np.arange(1.0, POINTS + 1)
    falling = ends.mean(axis=1)[:, None] * (1 + 8 * (steps**-0.7 - POINTS**-0.7))
    quartiles = np.stack([falling * 0.8, falling, falling * 1.3])
    if (ends == 0).mean() > 0.5:
        quartiles[:, :, POINTS // 2 :] = 0.0
    late = 2 if axis == "evaluations" else 5
    quartiles[1, :, : late - 2] = np.inf  # too few runs have a value at first
    quartiles[2, :, :late] = np.inf
    grid = steps * STEP[axis]
    until = np.full(len(ends), grid[-1])
    return AnytimeCurves(kind, axis, place, grid, until, quartiles, around(falling), around(0.9 * falling))


def _progress(kind, final, ranks):
    """Make progress from equal ranks to those at the end."""
    strategies, tasks, _ = final.shape
    fractions = np.linspace(1 / 50, 1, 50)
    mean = final.mean(axis=(1, 2))[:, None] / SCALE[kind] / fractions
    middle = (strategies + 1) / 2
    rank = middle + (ranks[:, None] - middle) * np.sqrt(fractions)
    places = tuple(range(tasks))
    normalised = places if kind != "observed" else ()
    return ProgressCurves(kind, fractions, places, normalised, around(mean), around(0.9 * mean), rank)


def _leaderboard(labels, final, ranks, pairs):
    """Make the rows of a leaderboard, in the order of average task ranks."""
    mean = final.mean(axis=(1, 2)) / SCALE[pairs.kind]
    gain = 100 * (1 - mean) * SCALE[pairs.kind] / RANDOM
    run_ranks = _run_ranks(pairs)
    unbeaten = ~((pairs.adjusted < 1 - LEVEL) & (pairs.a12 < 0.5)).any(axis=1)
    return tuple(
        Standing(
            place=1 + int((ranks < ranks[s]).sum()),
            strategy=labels[s],
            task_rank=float(ranks[s]),
            run_rank=float(run_ranks[s]),
            iqm=around(0.9 * mean).at(s),
            mean=around(mean).at(s),
            improvement=around(pairs.a12[:, 0].mean(axis=1)).at(s),
            relative_improvement=around(gain).at(s),
            auc=around(3 * mean).at(s),
            solved=float((final[s] == 0).mean()),
            unbeaten=float(unbeaten[s].sum()),
            without_value=0,
        )
        for s in np.argsort(ranks, kind="stable").tolist()
    )


def _run_ranks(pairs):
    return np.mean([leaders.run_ranks(pairs.a12[..., task]) for task in range(pairs.a12.shape[2])], axis=0)


def _pairwise(kind, final):
    """Compare every strategy with every other; the more alike two are, the larger is their p-value."""
    one, other = final[:, None, :, :, None], final[None, :, :, None, :]
    a12 = (one < other).mean(axis=(3, 4)) + (one == other).mean(axis=(3, 4)) / 2
    p = (1 - 2 * np.abs(a12 - 0.5)) ** 3
    mean = final.mean(axis=2)
    difference = mean[:, None] - mean[None]
    intervals = Intervals(difference, difference - HALF_WIDTH, difference + HALF_WIDTH)
    margin = np.full(final.shape[1], MARGIN)
    adjusted = np.minimum(2 * p, 1)
    mean_a12 = a12.mean(axis=2)
    return Pairwise(
        kind=kind,
        a12=a12,
        p=p,
        adjusted=adjusted,
        mean_adjusted=np.minimum(1.5 * p, 1),
        median_adjusted=np.minimum(2.5 * p, 1),
        mean_a12=mean_a12,
        mean_a12_adjusted=(1 - 2 * np.abs(mean_a12 - 0.5)) ** 4,
        difference=intervals,
        verdict=_verdicts(intervals),
        margin=margin,
        level=LEVEL,
    )


def _verdicts(difference):
    """Judge differences by where their intervals lie beside the margin."""
    same = np.eye(len(difference.estimate), dtype=bool)[:, :, None]
    within = (difference.low > -MARGIN) & (difference.high < MARGIN)
    cases = {"": same, "better": difference.high < -MARGIN, "worse": difference.low > MARGIN, "equivalent": within}
    return np.select(list(cases.values()), list(cases), "inconclusive")


def _rank_comparison(kind, final):
    """Rank strategies on every task by their medians; tests need three strategies and two tasks."""
    strategies, tasks, _ = final.shape
    task_ranks = np.argsort(np.argsort(np.median(final, axis=2), axis=0), axis=0).T + 1.0
    ranks = task_ranks.mean(axis=0)
    testable = strategies >= 3 and tasks >= 2
    critical = 0.6 * np.sqrt(strategies * (strategies + 1) / tasks) if testable else np.nan
    p = (1 - LEVEL) ** (np.abs(ranks[:, None] - ranks[None]) / critical)  # the level at the critical difference
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
        level=LEVEL,
        iman_davenport=14.5 if testable else np.nan,
        iman_davenport_p=0.001 if testable else np.nan,
        exact=testable,
    )


def _cliques(ranks, critical):
    """Find the largest groups of strategies whose ranks differ by less than the critical difference."""
    order = np.argsort(ranks, kind="stable")
    found = []
    for first in range(len(order)):
        members = [int(s) for s in order[first:] if ranks[s] - ranks[order[first]] < critical]
        if len(members) > 1 and not any(set(members) <= set(other) for other in found):
            found.append(tuple(members))
    return tuple(found)


def _times(kind, axis, final):
    """Make times to targets; of what each strategy reaches, the first ones reach it soonest."""
    strategies, tasks, runs = final.shape
    reached = (final[..., None] / SCALE[kind] <= TARGETS).mean(axis=2)
    budget = POINTS * STEP[axis]
    median = np.where(reached >= 0.5, budget / 2, np.inf)
    expected = np.where(reached > 0, budget / np.maximum(reached, 1 / runs), np.inf)
    grid = np.geomspace(1, POINTS, 80) * STEP[axis]
    ecdf = reached.mean(axis=(1, 2))[:, None] * _rising(strategies, len(grid))
    return TargetTimes(
        kind, axis, TARGETS, reached, median, expected, grid, ecdf, np.full(strategies, grid[60]), tuple(range(tasks))
    )


def _profiles(kind, final):
    """Make profiles; the first strategies have the least costs."""
    strategies, tasks, _ = final.shape
    regrets, ratios = np.linspace(0, 0.3, 70), np.geomspace(1, 20, 50)
    share = (final[..., None] / SCALE[kind] <= regrets).mean(axis=(1, 2))
    scores = Intervals(share, np.maximum(share - 0.05, 0), np.minimum(share + 0.05, 1))
    costs = 0.1 + 0.9 * _rising(strategies, len(ratios))
    return Profiles(kind, tuple(range(tasks)), regrets, scores, ratios, costs, len(TARGETS) * tasks)


def _rising(strategies, points):
    """Return shares that rise from 0 to 1, sooner for the first strategies, shape (strategies, points)."""
    return np.linspace(0, 1, points) ** np.linspace(0.5, 1.5, strategies)[:, None]
