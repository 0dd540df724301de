"""The study of a comparison: one pass over the traces computes all statistics of figures, tables and the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from nasbench_lab.analysis.anytime import POINTS
from nasbench_lab.analysis.bootstrap import RESAMPLES
from nasbench_lab.analysis.collected_runs import CollectedRuns, collect_runs
from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.pairwise import Pairwise, compare_pairs
from nasbench_lab.analysis.studies.across_tasks import (
    CommonTasks,
    compare_ranks,
    leaderboard,
    profiles,
    progress,
    target_times,
)
from nasbench_lab.analysis.studies.per_task import StudyOptions, TaskEvidence, collect
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.studies.tasks import group
from nasbench_lab.analysis.studies.warnings import study_warnings
from nasbench_lab.analysis.trajectories import TIME_AXES
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, Below, number, whole
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.provenance import provenance
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.trace import REGRETS, RegretKind
from nasbench_lab.streams import check_seed
from nasbench_lab.suites.result_sources import ResultsSource, results_of

_DEFAULT_REFERENCE = "random-search"


def study(
    results: ResultsSource | CollectedResults,
    *,
    reference: str | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    margin: float = 0.01,
    points: int = POINTS,
    seed: int = 0,
    curves_only: bool = False,
) -> Study:
    """Study the results of a comparison.

    Results are read in blocks of runs, and only the incumbents are kept. `docs/design/statistics.md` says which unit
    and which test each statistic has, and how ties and missing values are treated.

    Args:
        results: stored results, a trace, the path of a folder of results or of a traces file, or several of these in a
            list. Runs that several of them have count once. If a strategy has the same label in two of them, but other
            parameters, another seed or other runs, give a dictionary with a label for each. Also takes simulations that
            were collected already.
        reference: label of the strategy that others are compared with; by default random search, where it is one of
            them, else the first.
        level: confidence of intervals and verdicts, above 0.5 and below 1.
        resamples: number of bootstrap resamples; with 0 there are estimates without intervals (NaN).
        margin: largest difference of mean regrets that does not matter in practice, as a share of the regret of the
            average random architecture.
        points: limit for the points of a curve's grid, besides the ends of the curves.
        seed: of the bootstrap. The same results and arguments give the same study.
        curves_only: leave out all that compares strategies (leaderboard, tests, ranks, profiles): those mappings are
            empty. With ``resamples=0`` this is all that a figure of quartiles needs, and fast.

    Raises:
        ParameterError: there are no results, strategies cannot be told apart, or a number is out of range.
        UnknownNameError: no strategy has the label of ``reference``.
        DataError: stored results are damaged or incomplete.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> table, names = synthetic_table("topology"), ("random-search", "regularized-evolution")
    >>> traces = [nl.simulate(table, name, runs=40, budget=nl.Budget(evaluations=200)) for name in names]
    >>> found = study(traces)
    >>> [row.strategy for row in found.leaderboard["test"]]
    ['regularized-evolution', 'random-search']
    >>> found.curves["test", "seconds", 0].iqm.estimate.shape[0]
    2

    Results that were stored earlier, together with a new trace:

    >>> import tempfile
    >>> from nasbench_lab.simulation import save_traces
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_traces(traces[:1], f"{folder}/traces.h5")
    ...     study([folder, traces[1]], resamples=0).labels
    ('random-search', 'regularized-evolution')
    """
    options = _options(level, resamples, margin, points, seed)
    opened = _opened(results)
    labels, groups = group(opened.settings)
    if reference is not None and reference not in labels:
        raise unknown("strategy", reference, labels)
    names = {setting.label: setting.strategy for setting in opened.settings}
    compared_with = _reference(labels, names) if reference is None else labels.index(reference)
    evidence = list(collect(opened.collected, labels, groups, options))
    kinds = tuple(kind for kind in REGRETS if any(kind in each.final for each in evidence))
    judged = () if curves_only else kinds
    pairwise = {kind: _pairwise(kind, evidence, len(labels), options) for kind in judged}
    fields = {kind: CommonTasks(kind, labels, evidence, options) for kind in judged}
    compared = {kind: field for kind, field in fields.items() if field.tasks}
    scaled = {kind: field for kind, field in compared.items() if field.normalised}
    timed = {key for each in evidence for key in each.times}
    return Study(
        labels=labels,
        strategies=tuple(names[label] for label in labels),
        tasks=tuple(each.task for each in evidence),
        kinds=kinds,
        reference=compared_with,
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
        runs=_runs(evidence, len(labels)),
        summaries=tuple(row for each in evidence for row in each.summaries),
        final={kind: _final(kind, evidence, len(labels)) for kind in kinds},
        auc={kind: _auc(kind, evidence, len(labels)) for kind in kinds},
        curves={(*key, task): curves for task, each in enumerate(evidence) for key, curves in each.curves.items()},
        progress={kind: progress(field) for kind, field in compared.items()},
        leaderboard={kind: leaderboard(field, pairwise[kind], compared_with) for kind, field in compared.items()},
        pairwise=pairwise,
        ranks={kind: compare_ranks(field) for kind, field in compared.items()},
        times={
            (kind, axis): target_times(fields[kind], axis)
            for kind in judged
            for axis in TIME_AXES
            if (kind, axis) in timed
        },
        profiles={kind: profiles(field) for kind, field in scaled.items()},
        found=tuple(row for each in evidence for row in each.found),
        warnings=study_warnings(evidence, opened.provenance),
        provenance=opened.provenance,
    )


class CollectedResults:
    """Simulations that were collected already (see `collect_runs`), each of another strategy or on another table."""

    def __init__(self, runs: Sequence[CollectedRuns]) -> None:
        self._runs = runs
        self.settings = tuple(dataclasses.replace(each.setting, first_run=0) for each in runs)
        self.provenance = provenance(self.settings, kind="memory")

    def collected(self, number: int) -> CollectedRuns:
        """Return a simulation."""
        return self._runs[number]


class _Reading:
    """Results that are collected on demand."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.settings, self.provenance = results.settings, results.provenance

    def collected(self, number: int) -> CollectedRuns:
        return collect_runs(self._results.blocks(number))


def _opened(results: ResultsSource | CollectedResults) -> CollectedResults | _Reading:
    return results if isinstance(results, CollectedResults) else _Reading(results_of(results))


def _options(level: float, resamples: int, margin: float, points: int, seed: int) -> StudyOptions:
    """Return the options of a study, or raise ParameterError."""
    checked = StudyOptions(
        level=number("level", level, Above(0.5), Below(1)),
        resamples=whole("resamples", resamples, AtLeast(0)),
        margin=number("margin", margin, AtLeast(0)),
        points=whole("points", points, AtLeast(2)),
        seed=whole("seed", seed),
    )
    check_seed(checked.seed, 0, 1)
    return checked


def _reference(labels: Sequence[str], names: Mapping[str, str]) -> int:
    """Return the position of random search, or else of the first strategy."""
    return next((place for place, label in enumerate(labels) if names[label] == _DEFAULT_REFERENCE), 0)


def _pairwise(kind: RegretKind, evidence: Sequence[TaskEvidence], strategies: int, options: StudyOptions) -> Pairwise:
    losses = [each.final.get(kind, [None] * strategies) for each in evidence]
    margin = [options.margin * each.task.scale.get(kind, float("nan")) for each in evidence]
    return compare_pairs(kind, losses, np.array(margin), options.level)


def _runs(evidence: Sequence[TaskEvidence], strategies: int) -> IntArray:
    runs = np.zeros((strategies, len(evidence)), dtype=np.int64)
    for task, each in enumerate(evidence):
        runs[:, task] = [0 if losses is None else len(losses) for losses in next(iter(each.final.values()))]
    return runs


def _final(kind: RegretKind, evidence: Sequence[TaskEvidence], strategies: int) -> FloatArray:
    """Return the regrets at the end, padded to the largest number of runs, shape (S, T, R)."""
    most = int(_runs(evidence, strategies).max())
    final = np.full((strategies, len(evidence), most), np.nan)
    for task, each in enumerate(evidence):
        for strategy, losses in enumerate(each.final.get(kind, [])):
            if losses is not None:
                final[strategy, task, : len(losses)] = np.where(np.isinf(losses), np.nan, losses)
    return final


def _auc(kind: RegretKind, evidence: Sequence[TaskEvidence], strategies: int) -> FloatArray:
    auc = np.full((strategies, len(evidence)), np.nan)
    for task, each in enumerate(evidence):
        for strategy, areas in enumerate(each.areas.get(kind, [])):
            if areas is not None:
                auc[strategy, task] = areas.mean()
    return auc
