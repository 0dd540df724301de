"""Studies with made-up numbers, of any size, for tests of what shows them."""

import numpy as np

import nasbench_lab as nl
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
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.tables.description import Metric

RUNS, POINTS = 40, 100
NAMES = ("random-search", "regularized-evolution", "local-search", "bananas", "tpe", "hyperband", "smac", "umda")
BIBTEX = "@inproceedings{made2020up, title = {A made-up table}, year = {2020}}"

VALID = Metric("valid_accuracy", "valid", "percent", "maximize", "")
TEST = Metric("test_accuracy", "test", "percent", "maximize", "")


def made_up_study(strategies=3, tasks=2, *, labels=None, tables=None, timed=True, seed=0, **changes):
    """A study of so many strategies on so many tasks; better strategies come first."""
    random = np.random.default_rng(seed)
    labels = tuple(labels or (label(number) for number in range(strategies)))
    tables = tuple(tables or (f"made-up/table-{number}" for number in range(tasks)))
    axes = ("evaluations", "seconds") if timed else ("evaluations",)
    kinds = ("observed", "valid", "test")
    s, t = len(labels), len(tables)
    parts = {
        "labels": labels,
        "strategies": tuple(text.partition("(")[0] for text in labels),
        "tasks": tuple(task(table, axes, kinds) for table in tables),
        "kinds": kinds,
        "reference": 0,
        "level": 0.95,
        "resamples": 1000,
        "seed": 0,
        "runs": np.full((s, t), RUNS),
        "summaries": tuple(summary(table, name, rank) for table in tables for rank, name in enumerate(labels)),
        "final": {kind: np.abs(random.normal(np.arange(s)[:, None, None] + 1, 1.0, (s, t, RUNS))) for kind in kinds},
        "auc": {kind: random.random((s, t)) for kind in ("valid", "test")},
        "curves": {(k, a, n): curves(k, a, n, s, random) for k in kinds for a in axes for n in range(t)},
        "progress": {kind: progress(kind, s, t, random) for kind in kinds},
        "leaderboard": {kind: standings(labels, random) for kind in kinds},
        "pairwise": {kind: pairwise(kind, s, t, random) for kind in kinds},
        "ranks": {kind: ranks(kind, s, t) for kind in kinds},
        "times": {(kind, axis): times(kind, axis, s, t) for kind in ("valid", "test") for axis in axes},
        "profiles": {kind: profiles(kind, s, t) for kind in ("valid", "test")},
        "found": tuple(
            Found(n, i, (37 * i + n) % 15_625, RUNS // 2, 0.5, 91.0, 90.0, {"valid": 0.1, "test": 0.2})
            for n in range(t)
            for i in range(s)
        ),
        "warnings": ("there are few tasks: tests over tasks have little power",),
        "provenance": provenance(tables),
    }
    return Study(**{**parts, **changes})


def label(number):
    name = NAMES[number % len(NAMES)]
    return name if number < len(NAMES) else f"{name}(population_size={number})"


def task(table, axes, kinds):
    metric = {"observed": VALID, "valid": VALID, "test": TEST}
    return Task(
        name=table,
        table=table,
        checksum="0" * 64,
        fidelity=200,
        repeat="sample",
        budget=nl.Budget(evaluations=300),
        workers=1,
        objective=VALID,
        objectives=(),
        limits={},
        kinds=kinds,
        axes=axes,
        clock="evaluations",
        horizon=300.0,
        searched_on_test=False,
        metric={kind: metric[kind] for kind in kinds},
        optimum=dict.fromkeys(kinds, 94.37),
        random_value={"valid": 83.0, "test": 82.5},
        scale={"observed": np.nan, "valid": 11.37, "test": 11.87},
        architectures=15_625,
        space=dict(TopologySpace().spec()),
    )


def summary(table, name, rank):
    regret = 0.1 * rank
    return Summary(
        table, name, RUNS, "300 evaluations", 200, "sample", 0, 300.0, 1.2e6, 0, 91.5 - regret, 0.2, 94.3 - regret,
        0.31, regret, regret, max(0.0, regret - 0.05), regret + 0.05, "0" * 64,
    )  # fmt: skip


def curves(kind, axis, place, s, random):
    grid = np.unique(np.rint(np.geomspace(1, 300, POINTS))) if axis == "evaluations" else np.geomspace(600, 1e6, POINTS)
    speed = 0.4 + 0.15 * np.arange(s)[:, None]
    middle = 12 * np.exp(-np.linspace(0, 5, len(grid)) / speed) * random.uniform(0.9, 1.1, (s, 1))
    middle = np.where(middle < 0.02, 0.0, middle)  # the optimum is found
    quartiles = np.stack([0.6 * middle, middle, 1.7 * middle])
    if axis == "seconds":
        quartiles[2, :, :5] = np.inf  # too few runs have a value yet
        quartiles[1, :, :3] = np.inf
    around = Intervals(middle * 1.1, middle, middle * 1.3)
    return Curves(kind, axis, place, grid, np.full(s, grid[-1]), quartiles, around, around)


def progress(kind, s, t, random):
    fractions = np.linspace(0.01, 1, POINTS)
    rank = 1 + np.argsort(np.argsort(random.random((s, POINTS)) + 2 * np.arange(s)[:, None] / s, axis=0), axis=0)
    middle = np.exp(-4 * fractions / (1 + np.arange(s)[:, None]))
    around = Intervals(middle, 0.9 * middle, 1.1 * middle)
    if kind == "observed":
        around = Intervals(*(np.full((s, POINTS), np.nan) for _ in range(3)))
    places = tuple(range(t))
    return Progress(kind, fractions, places, places if kind != "observed" else (), around, around, rank.astype(float))


def standings(labels, random):
    def interval(middle, half):
        return Interval(middle, middle - half, middle + half)

    return tuple(
        Standing(
            place, name, 1.0 + 0.9 * (place - 1), interval(0.02 * place, 0.004), interval(0.03 * place, 0.006),
            interval(0.75 - 0.01 * place, 0.02), interval(14.2 - 0.1 * place, 0.3), interval(0.05 * place, 0.003),
            max(0.0, 0.6 - 0.05 * place), max(0, 4 - place), 0,
        )
        for place, name in enumerate(labels, start=1)
    )  # fmt: skip


def pairwise(kind, s, t, random):
    lead = np.arange(s)[None, :, None] - np.arange(s)[:, None, None] + np.zeros((1, 1, t))
    a12 = 0.5 + 0.5 * np.tanh(lead / 4)
    p = np.exp(-np.abs(lead) * 2)
    estimate = -0.1 * lead
    verdict = np.select([lead == 0, lead > 1, lead < -1], ["", "better", "worse"], "inconclusive")
    around = Intervals(estimate, estimate - 0.05, estimate + 0.05)
    return Pairwise(kind, a12, p, p, around, verdict, np.full(t, 0.12), 0.95)


def ranks(kind, s, t):
    average = 1.0 + 0.9 * np.arange(s)
    apart = np.abs(average[:, None] - average[None, :])
    cliques = tuple(tuple(range(first, min(s, first + 3))) for first in range(0, max(1, s - 2), 2)) if s > 2 else ()
    return RankComparison(
        kind, tuple(range(t)), np.tile(average, (t, 1)), average, 11.2, 0.004, 2.1, np.exp(-apart), np.exp(-apart),
        cliques, 0.95,
    )  # fmt: skip


def times(kind, axis, s, t):
    targets = np.array([0.5, 0.1, 0.01])
    reached = np.clip(1 - 0.02 * np.arange(s)[:, None, None] - 0.15 * np.arange(3), 0.1, 1) * np.ones((s, t, 3))
    grid = np.geomspace(1, 300, POINTS) * (1 if axis == "evaluations" else 3000)
    ecdf = np.clip(np.linspace(0, 1, POINTS) - 0.02 * np.arange(s)[:, None], 0, 1)
    return TargetTimes(
        kind, axis, targets, reached, 30 / reached, 40 / reached, grid, ecdf, np.full(s, 300.0), tuple(range(t))
    )


def profiles(kind, s, t):
    share = np.clip(np.linspace(0, 1, POINTS) - 0.02 * np.arange(s)[:, None], 0, 1)
    scores = Intervals(share, np.maximum(0, share - 0.03), np.minimum(1, share + 0.03))
    return Profiles(
        kind, tuple(range(t)), np.geomspace(0.001, 1, POINTS), scores, np.geomspace(1, 50, POINTS), share, 3 * t
    )


def provenance(tables):
    return {
        "kind": "suite",
        "title": "",
        "spec": {"tables": list(tables), "runs": RUNS},
        "spec_hash": "f" * 64,
        "versions": {"nasbench-lab": ["0.1.0"]},
        "platforms": ["Linux x86_64"],
        "wall_seconds": 75.0,
        "tables": [
            {
                "name": table, "checksum": "0" * 64, "title": "A made-up table", "licence": "MIT", "citation": BIBTEX,
                "source": "nowhere", "notes": ["its numbers mean nothing"],
            }
            for table in tables
        ],
        "skipped": [],
        "missing": 0,
    }  # fmt: skip
