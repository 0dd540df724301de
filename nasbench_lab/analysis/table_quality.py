"""The quality of a table as a benchmark: whether its measurements distinguish architectures."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from nasbench_lab.analysis.score_bias import ScoreAgreement, architecture_groups, score_agreement
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.tables import Metric, Table


@dataclasses.dataclass(frozen=True, eq=False)
class Quality:
    """Statistics of a table at the highest fidelity, and of their noise. NaN where the table lacks the measurements.

    All rank correlations are Spearman's, over the architectures that have both values.

    Attributes:
        architectures: number of architectures with a value of the search's objective.
        best, median, worst: mean test value (or the objective, where there is no test) of architectures.
        ties: share of the architectures with values whose mean equals the best.
        between_seeds: rank correlation of the objective between two repeats, averaged over all pairs of repeats.
        with_end: rank correlation of the objective at each fidelity with that at the highest fidelity, both averaged
            over repeats, shape (fidelities,).
        with_end_single: the same correlation within a repeat, averaged over repeats, shape (fidelities,).
        between_fidelities: rank correlation of the objective at every pair of fidelities, averaged over repeats, shape
            (fidelities, fidelities).
        valid_with_test: rank correlation of mean validation and mean test.
        cost_with_quality: rank correlation of the cost in seconds and the mean test value.
        scores: name of every score that strategies can use (zero-cost proxies, supernets) to its rank correlations with
            the mean test value. If a score has repeats, they are mean correlations of one repeat.
    """

    architectures: int
    best: float
    median: float
    worst: float
    ties: float
    between_seeds: float
    with_end: FloatArray
    with_end_single: FloatArray
    between_fidelities: FloatArray
    valid_with_test: float
    cost_with_quality: float
    scores: Mapping[str, ScoreAgreement]


def quality(table: Table) -> Quality:
    """Return the quality of a table.

    >>> from nasbench_lab.testing import synthetic_table
    >>> found = quality(synthetic_table())
    >>> found.architectures, found.with_end[-1].round(6).item()
    (243, 1.0)
    """
    reported = reported_metric(table)
    means = table.mean_values(reported.name)
    known = means[~np.isnan(means)]
    if not len(known):
        raise MissingDataError(f"table {table.name!r} has no {reported.name} of any architecture")
    sign = _maximised(table, reported.name)
    objective = table.objective.name
    means_of_objective = [table.mean_values(objective, fidelity) for fidelity in table.fidelities]
    end = means_of_objective[-1]
    between = rank_correlations(means_of_objective)
    best = float(sign * (sign * known).max())
    return Quality(
        architectures=int((~np.isnan(end)).sum()),
        best=best,
        median=float(np.median(known)),
        worst=float(sign * (sign * known).min()),
        ties=float((known == best).mean()),
        between_seeds=between_repeats(table.repeat_values(objective)),
        with_end=between[:, -1],
        with_end_single=np.array([_within_repeats(table, objective, fidelity) for fidelity in table.fidelities]),
        between_fidelities=between,
        valid_with_test=rank_correlation(end, means) if reported.name != objective else float("nan"),
        cost_with_quality=rank_correlation(cost(table), means) if table.has_times else float("nan"),
        scores=score_agreements(table),
    )


def reported_metric(table: Table) -> Metric:
    """Return the test metric, or the objective where there is no test."""
    name = table.description.test
    return table.objective if name is None else table.description.metric(name)


def cost(table: Table) -> FloatArray:
    """Return the seconds of one evaluation at the highest fidelity, averaged over repeats, shape (architectures,)."""
    return np.sum([table.mean_values(name) for name in table.description.cost], axis=0)


def rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Return Spearman's rank correlation over the positions where both have values; NaN where either is constant.

    >>> rank_correlation(np.array([1.0, 2.0, np.nan, 9.0]), np.array([0.1, 0.2, 0.3, 0.4]))
    1.0
    """
    from scipy.stats import rankdata

    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 2:
        return float("nan")
    ranks = [rankdata(values[both]) for values in (one, other)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1].round(12))


def rank_correlations(columns: Sequence[FloatArray]) -> FloatArray:
    """Return what `rank_correlation` returns for every pair of columns, shape (columns, columns).

    >>> rank_correlations([np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])]).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    from scipy.stats import rankdata

    known = [~np.isnan(column) for column in columns]
    found = np.full((len(columns), len(columns)), np.nan)
    if all((each == known[0]).all() for each in known) and known[0].sum() > 1:
        # The same architectures have values everywhere, so each column is ranked once.
        ranks = np.array([rankdata(column[known[0]]) for column in columns])
        vary = np.flatnonzero(np.ptp(ranks, axis=1) > 0)
        if len(vary):
            found[np.ix_(vary, vary)] = np.atleast_2d(np.corrcoef(ranks[vary])).round(12)
        return found
    for one, other in itertools.combinations_with_replacement(range(len(columns)), 2):
        found[one, other] = found[other, one] = rank_correlation(columns[one], columns[other])
    return found


def between_repeats(values: FloatArray) -> float:
    """Return the rank correlation of two columns, averaged over all pairs; values of shape (architectures, repeats)."""
    pairs = itertools.combinations(range(values.shape[1]), 2)
    return _mean([rank_correlation(values[:, one], values[:, other]) for one, other in pairs])


def score_agreements(table: Table) -> dict[str, ScoreAgreement]:
    """Return how every score of a table agrees with the mean of `reported_metric`, by name of the score.

    >>> import nasbench_lab as nl
    >>> found = score_agreements(nl.load("digits/topology"))
    >>> {name: round(found[name].within, 2) for name in ("supernet_uniform", "synflow", "zen")}
    {'supernet_uniform': 0.71, 'synflow': 0.08, 'zen': 0.27}
    """
    names = score_names(table.description)
    if not names:
        return {}
    reported = reported_metric(table)
    values = _maximised(table, reported.name) * table.mean_values(reported.name)
    groups = architecture_groups(table)
    return {
        name: score_agreement(_maximised(table, name) * table.repeat_values(name), values, groups) for name in names
    }


def _maximised(table: Table, metric: str) -> float:
    """Return the factor with which the values of a metric are maximised."""
    return -1.0 if table.description.metric(metric).direction == "minimize" else 1.0


def _within_repeats(table: Table, metric: str, fidelity: int) -> float:
    early, late = table.repeat_values(metric, fidelity), table.repeat_values(metric)
    return _mean([rank_correlation(one, other) for one, other in zip(early.T, late.T, strict=True)])


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
