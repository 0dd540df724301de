"""Real trainings of a search's picks: whether the advantage that the table promised holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.intervals import LEVEL, Interval
from nasbench_lab.analysis.picks import Pick
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.description import Direction

RetrainingVerdict = Literal["still wins", "tied", "undecided", "loses", "no rival"]


@dataclasses.dataclass(frozen=True)
class Validation:
    """The picks of all strategies on one table, with their real trainings.

    Attributes:
        table: name of the table.
        picks: the architectures that were trained, strategy by strategy.
        trained: mean test accuracy of each architecture over seeds, in percent.
        strategies: mean accuracy of each strategy's picks, in percent, best promise first.
        lead: lead of the strategy with the best promise over each other strategy, in percentage points.
        correlation: Spearman's rank correlation of promised and trained accuracy over all architectures.
        verdict: whether the strategy with the best promise still wins.
        failed: number of failed trainings; if there are any, the verdict is "undecided".
    """

    table: str
    picks: tuple[Pick, ...]
    trained: Mapping[int, Interval]
    strategies: Mapping[str, Interval]
    lead: Mapping[str, Interval]
    correlation: Interval
    verdict: RetrainingVerdict
    failed: int = 0

    @property
    def winner(self) -> str:
        """The strategy with the best promise."""
        return next(iter(self.strategies))


def validate(
    picks: Sequence[Pick],
    accuracy: Mapping[int, FloatArray],
    direction: Direction,
    same: Mapping[int, int] | None = None,
) -> Validation:
    """Compare the accuracy that a table promised for picks with that of real trainings.

    Each mean and difference is a linear combination of the trainings' mean accuracies over seeds. Its standard error
    comes from the variance between seeds, pooled over all trainings (as in an analysis of variance), and its interval
    from Student's t with the pooled degrees of freedom. The picks are taken as given: these intervals cover the
    variation between training seeds only. Picks that two strategies share cancel in their difference. The verdict is
    "loses" if some rival is ahead with the error of the 95 % level divided by the number of rivals (Bonferroni).

    The interval of the rank correlation is Fisher's with the variance of Bonett and Wright (Psychometrika 2000), for
    architectures drawn at random; there is none for fewer than four, or for a perfect correlation.

    Args:
        picks: of one table.
        accuracy: test accuracy of each picked architecture, in percent, shape (seeds,); NaN for a failed training.
        direction: of the table's test metric.
        same: for each architecture the one whose training it shares; by default each has its own training.

    Raises:
        ParameterError: there are no picks, they are of several tables, or an architecture was not trained.

    >>> first = Pick("a", "random-search", 1, 7, 3, 90.0, 91.0)
    >>> second = dataclasses.replace(first, strategy="local-search", architecture=8, promised=93.0)
    >>> result = validate([first, second], {7: np.array([80.0, 81.0]), 8: np.array([90.0, 89.0])}, "maximize")
    >>> result.winner, result.verdict
    ('local-search', 'still wins')
    """
    tables = {pick.table for pick in picks}
    if len(tables) != 1:
        raise ParameterError(f"validation needs picks of one table, got {sorted(tables)}")
    architectures = sorted({pick.architecture for pick in picks})
    missing = [architecture for architecture in architectures if architecture not in accuracy]
    if missing:
        raise ParameterError(f"architectures that were not trained: {missing}")
    training = {each: (same or {}).get(each, each) for each in architectures}
    trainings = sorted(set(training.values()))
    samples = {training[each]: np.asarray(accuracy[each], dtype=np.float64) for each in architectures}
    noise = _Noise([samples[each] for each in trainings])
    weights = {
        name: np.array([_share(picks, name, training, each) for each in trainings])
        for name in dict.fromkeys(pick.strategy for pick in picks)
    }
    sign = -1.0 if direction == "minimize" else 1.0
    ranked = sorted(weights, key=lambda name: -sign * _promise(picks, name))
    contrasts = {name: weights[ranked[0]] - weights[name] for name in ranked[1:]}
    lead = {name: noise.interval(contrast) for name, contrast in contrasts.items()}
    trained = {each: noise.interval(np.array(trainings) == training[each]) for each in architectures}
    promise = {pick.architecture: sign * pick.promised for pick in picks}
    failed = sum(int(np.isnan(sample).sum()) for sample in samples.values())
    strict = [noise.interval(contrast, 1 - (1 - LEVEL) / len(contrasts)) for contrast in contrasts.values()]
    return Validation(
        table=tables.pop(),
        picks=tuple(picks),
        trained=trained,
        strategies={name: noise.interval(weights[name]) for name in ranked},
        lead=lead,
        correlation=_correlation(
            [promise[each] for each in architectures], [trained[a].estimate for a in architectures]
        ),
        verdict="undecided" if failed else _verdict(list(lead.values()), strict),
        failed=failed,
    )


def _promise(picks: Sequence[Pick], strategy: str) -> float:
    """Return the mean promise of a strategy's picks."""
    return float(np.mean([pick.promised for pick in picks if pick.strategy == strategy]))


def _share(picks: Sequence[Pick], strategy: str, training: Mapping[int, int], which: int) -> float:
    """Return the weight of a training in the mean of a strategy's picks."""
    own = [training[pick.architecture] for pick in picks if pick.strategy == strategy]
    return own.count(which) / len(own)


def _verdict(leads: Sequence[Interval], strict: Sequence[Interval]) -> RetrainingVerdict:
    """Judge the leads of the strategy with the best promise; ``strict`` has the wider intervals for "loses"."""
    if not leads:
        return "no rival"
    if any(lead.high < 0 for lead in strict):
        return "loses"
    if all(lead.low > 0 for lead in leads):
        return "still wins"
    if all(lead.low == lead.high == 0 for lead in leads):
        return "tied"
    return "undecided"


def _correlation(promised: Sequence[float], trained: Sequence[float]) -> Interval:
    """Return Spearman's rank correlation with its interval."""
    from scipy.stats import norm, rankdata

    known = ~np.isnan(promised) & ~np.isnan(trained)
    ranks = [rankdata(np.asarray(values)[known]) for values in (promised, trained)]
    count = int(known.sum())
    if count < 2 or any(np.ptp(rank) == 0 for rank in ranks):
        return Interval(np.nan, np.nan, np.nan)
    estimate = float(np.corrcoef(*ranks)[0, 1].round(12))
    if count < 4 or abs(estimate) == 1:
        return Interval(estimate, np.nan, np.nan)
    half = norm.ppf((1 + LEVEL) / 2) * np.sqrt((1 + estimate**2 / 2) / (count - 3))
    return Interval(estimate, *(float(np.tanh(np.arctanh(estimate) + side * half)) for side in (-1, 1)))


class _Noise:
    """The means of several samples, with a pooled variance.

    Args:
        samples: one per training; NaN marks a missing value.
    """

    def __init__(self, samples: Sequence[FloatArray]) -> None:
        known = [np.asarray(sample)[~np.isnan(sample)] for sample in samples]
        self.count = np.array([len(sample) for sample in known])
        self.mean = np.array([sample.mean() if len(sample) else np.nan for sample in known])
        self.degrees = int(np.maximum(self.count - 1, 0).sum())
        squares = sum(float(((sample - sample.mean()) ** 2).sum()) for sample in known if len(sample))
        self.variance = squares / self.degrees if self.degrees else np.nan

    def interval(self, weights: FloatArray | NDArray[np.bool_], level: float = LEVEL) -> Interval:
        """Return the weighted sum of the means with its interval."""
        from scipy.stats import t

        used = weights != 0
        if not used.any():
            return Interval(0.0, 0.0, 0.0)
        estimate = float(weights[used] @ self.mean[used])
        with np.errstate(divide="ignore"):
            error = float(np.sqrt(self.variance * (weights[used].astype(float) ** 2 / self.count[used]).sum()))
        # If no seed changes anything, or there is one seed, nothing is known about the spread.
        half = float(t.ppf((1 + level) / 2, self.degrees)) * error if self.variance > 0 else np.nan
        return Interval(estimate, estimate - half, estimate + half)
