"""Replay: the same strategies on a surrogate and on the truth, and how often the same one wins."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError, SettingWarning
from nasbench_lab.prediction.surrogates.checks import kendall
from nasbench_lab.prediction.surrogates.verdict import ReplayCheck
from nasbench_lab.simulation import Budget, simulate
from nasbench_lab.tables import AnyTable, Metric

STRATEGIES = (
    "differential-evolution",
    "genetic-algorithm",
    "hill-climbing",
    "local-search",
    "random-search",
    "regularized-evolution",
    "reinforce",
    "simulated-annealing",
    "tabu-search",
    "tpe",
    "umda",
)
"""The strategies of a replay by default: those that take a fraction of a second."""

RUNS = 20
_SHARES = (0.25, 0.5, 1.0)  # of the budget

Progress = Callable[[int, int], None]


def replay(
    surrogate: AnyTable,
    truth: AnyTable,
    strategies: Sequence[str] = STRATEGIES,
    *,
    runs: int = RUNS,
    evaluations: int = 200,
    seed: int = 0,
    progress: Progress = lambda _done, _total: None,
) -> ReplayCheck:
    """Search a surrogate and the truth with the same strategies, and compare which of two wins.

    A strategy wins where the architectures that its runs report are better on average, in the test metric of the table
    that was searched (the validation metric where there is no test metric): what a user would conclude from each table.
    Winners are compared after a quarter, half and all of the evaluations. Where two strategies are equally good, other
    runs on the truth have another winner, too; so the truth is also compared with other runs on itself.

    Args:
        surrogate: the surrogate table.
        truth: a table of the same space.
        strategies: names of strategies.
        runs: searches of each strategy on each table.
        evaluations: of a search.
        seed: root seed of the searches.
        progress: called with the numbers of finished and all searches.

    Raises:
        ParameterError: fewer than two strategies, or a number is out of range.
    """
    if len(strategies) < 2:
        raise ParameterError("a replay needs at least two strategies")
    budgets = budgets_of(whole("evaluations", evaluations, AtLeast(1)))
    results = []
    parts = ((truth, 0), (truth, runs), (surrogate, 0))
    for place, (table, first) in enumerate(parts):
        each = []
        for number, strategy in enumerate(strategies):
            each.append(results_of(table, strategy, runs, budgets, seed, first))
            progress(place * len(strategies) + number + 1, len(parts) * len(strategies))
        results.append(np.stack(each))
    true, again, said = results
    return compared(truth.name, strategies, budgets, true, again, said, sign_of(judged(truth)))


def budgets_of(evaluations: int) -> tuple[int, ...]:
    """Return the numbers of evaluations after which winners are compared.

    >>> budgets_of(200)
    (50, 100, 200)
    """
    return tuple(sorted({max(1, round(share * evaluations)) for share in _SHARES}))


def results_of(
    table: AnyTable, strategy: str, runs: int, budgets: Sequence[int], seed: int = 0, first_run: int = 0
) -> FloatArray:
    """Return the true values of what the runs of a strategy report after some evaluations, shape (runs, budgets)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SettingWarning)
        budget = Budget(evaluations=budgets[-1])
        trace = simulate(table, strategy, runs=runs, budget=budget, seed=seed, first_run=first_run)
    steps = np.minimum(np.array(budgets), trace.steps) - 1
    reported = trace.incumbent()[:, steps]
    values = table.lookup(np.maximum(reported, 0), metric=judged(table).name)
    return np.where(reported >= 0, values, np.nan)


def compared(
    truth: str,
    strategies: Sequence[str],
    budgets: Sequence[int],
    true: FloatArray,
    again: FloatArray,
    predicted: FloatArray,
    sign: float,
) -> ReplayCheck:
    """Compare the winners of all pairs of strategies.

    Args:
        truth: name of the truth.
        strategies: names.
        budgets: numbers of evaluations.
        true: results on the truth, shape (strategies, runs, budgets).
        again: of other runs on the truth, likewise.
        predicted: results on the surrogate, likewise.
        sign: 1 if higher is better, -1 otherwise.

    >>> true = np.array([[[3.0], [3.1]], [[2.0], [2.1]], [[1.0], [1.1]]])
    >>> found = compared("mine", "abc", [10], true, true, true[[1, 0, 2]], 1.0)
    >>> round(found.same, 3), found.clear_pairs, found.again
    (0.667, 3, 1.0)
    """
    same, clear = _agreement(true, predicted, sign)
    repeated, _ = _agreement(true, again, sign)
    first, second = (np.nanmean(sign * results[:, :, -1], axis=1) for results in (true, predicted))
    return ReplayCheck(
        truth=truth,
        strategies=tuple(strategies),
        runs=true.shape[1],
        evaluations=tuple(budgets),
        pairs=len(same),
        same=_mean(same),
        clear_pairs=len(clear),
        clear_same=_mean(clear),
        again=_mean(repeated),
        order=kendall(second, first),
    )


def _agreement(true: FloatArray, other: FloatArray, sign: float) -> tuple[list[float], list[float]]:
    """Return for all pairs and budgets, and for those that are clear on the truth, whether the winner is the same.

    A tie on one side only is half right.
    """
    same, clear = [], []
    means = [np.nanmean(sign * results, axis=1) for results in (true, other)]
    for place in range(true.shape[2]):
        for one, two in itertools.combinations(range(len(true)), 2):
            difference, found = (_difference(float(mean[one, place]), float(mean[two, place])) for mean in means)
            if not math.isfinite(difference) or not math.isfinite(found):
                continue
            agreement = 1.0 if np.sign(difference) == np.sign(found) else 0.5 if 0.0 in (difference, found) else 0.0
            same.append(agreement)
            if _is_clear(true[one, :, place], true[two, :, place]):
                clear.append(agreement)
    return same, clear


def _difference(one: float, two: float) -> float:
    """Return the difference of two means, 0 where rounding alone makes one."""
    return 0.0 if math.isclose(one, two, rel_tol=1e-12) else one - two


def _mean(shares: list[float]) -> float:
    return float(np.mean(shares)) if shares else math.nan


def _is_clear(one: FloatArray, other: FloatArray) -> bool:
    """Return whether the means of two strategies differ significantly on the truth (Welch's t test)."""
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if min(len(one), len(other)) < 2:
        return False
    difference = abs(float(one.mean() - other.mean()))
    parts = one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)
    variance = sum(parts)
    if variance == 0:
        return difference > 0
    from scipy.special import stdtrit

    freedom = variance**2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True))
    return difference > float(stdtrit(freedom, 0.975)) * math.sqrt(variance)


def judged(table: AnyTable) -> Metric:
    """Return the metric by which searches on a table are judged."""
    return table.description.metric(table.description.test or table.objective.name)


def sign_of(metric: Metric) -> float:
    """Return -1 for a metric that is minimised, 1 otherwise."""
    return -1.0 if metric.direction == "minimize" else 1.0
