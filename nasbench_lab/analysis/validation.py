"""What real training says of a search's picks: whether what the table promised holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from nasbench_lab.analysis.picks import Pick
from nasbench_lab.errors import ParameterError
from nasbench_lab.streams import FloatArray
from nasbench_lab.tables.description import Direction

Verdict = Literal["still wins", "tied", "undecided", "loses", "no rival"]

_LEVEL = 0.95
_RESAMPLES, _SEED = 10_000, 0


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence interval; NaN where it cannot be computed."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.4g} [{self.low:.4g}, {self.high:.4g}]"


@dataclasses.dataclass(frozen=True)
class Validation:
    """The picks of all strategies on one table, trained.

    Attributes:
        table: name of the table.
        picks: what was trained, strategy by strategy.
        trained: mean test accuracy over the seeds of every architecture, in percent.
        strategies: mean of a strategy's picks, in percent, best promise first.
        lead: by how much the strategy with the best promise is ahead of every other, in percent points.
        correlation: Spearman's rank correlation of promise and training over all architectures.
        verdict: whether the strategy with the best promise still wins.
    """

    table: str
    picks: tuple[Pick, ...]
    trained: Mapping[int, Interval]
    strategies: Mapping[str, Interval]
    lead: Mapping[str, Interval]
    correlation: Interval
    verdict: Verdict

    @property
    def winner(self) -> str:
        """The strategy with the best promise."""
        return next(iter(self.strategies))


def validate(picks: Sequence[Pick], accuracy: Mapping[int, FloatArray], direction: Direction) -> Validation:
    """Compare what a table promised of picks with what training gave.

    Every mean and difference is a linear combination of the architectures' mean accuracies over seeds. Its standard
    error comes from the variance between seeds, pooled over all architectures (as in an analysis of variance), and its
    interval from Student's t with the pooled degrees of freedom. Picks count as given: the intervals speak of the
    training seeds alone. An architecture that two strategies share cancels in their difference. The interval of the
    rank correlation holds the middle 95 % of the correlations when all mean accuracies are redrawn with their standard
    errors.

    Args:
        picks: of one table.
        accuracy: test accuracy of every picked architecture, in percent, shape (seeds,); NaN for a failed training.
        direction: of the table's test metric.

    Raises:
        ParameterError: there are no picks, of several tables, or an architecture was not trained.

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
    noise = _Noise([accuracy[architecture] for architecture in architectures])
    promise = {pick.architecture: -pick.promised if direction == "minimize" else pick.promised for pick in picks}
    weights = {
        name: np.array([_share(picks, name, architecture) for architecture in architectures])
        for name in dict.fromkeys(pick.strategy for pick in picks)
    }
    promised = np.array([promise[architecture] for architecture in architectures])
    ranked = sorted(weights, key=lambda name: -float(weights[name] @ promised))
    lead = {name: noise.interval(weights[ranked[0]] - weights[name]) for name in ranked[1:]}
    return Validation(
        table=tables.pop(),
        picks=tuple(picks),
        trained={each: noise.interval(np.eye(len(architectures))[i]) for i, each in enumerate(architectures)},
        strategies={name: noise.interval(weights[name]) for name in ranked},
        lead=lead,
        correlation=noise.correlation(promised),
        verdict=_verdict(list(lead.values())),
    )


def _share(picks: Sequence[Pick], strategy: str, architecture: int) -> float:
    """Weight of an architecture in the mean of a strategy's picks."""
    own = [pick.architecture for pick in picks if pick.strategy == strategy]
    return own.count(architecture) / len(own)


def _verdict(leads: Sequence[Interval]) -> Verdict:
    """Judge the leads of the strategy with the best promise over the others."""
    if not leads:
        return "no rival"
    if any(lead.high < 0 for lead in leads):
        return "loses"
    if all(lead.low > 0 for lead in leads):
        return "still wins"
    if all(lead.low == lead.high == 0 for lead in leads):
        return "tied"
    return "undecided"


class _Noise:
    """The means of several samples, with a pooled variance.

    Args:
        samples: one of every architecture; NaN marks what is missing.
    """

    def __init__(self, samples: Sequence[FloatArray]) -> None:
        known = [np.asarray(sample)[~np.isnan(sample)] for sample in samples]
        self.count = np.array([len(sample) for sample in known])
        self.mean = np.array([sample.mean() if len(sample) else np.nan for sample in known])
        self.degrees = int(np.maximum(self.count - 1, 0).sum())
        squares = sum(float(((sample - sample.mean()) ** 2).sum()) for sample in known if len(sample))
        self.variance = squares / self.degrees if self.degrees else np.nan

    def interval(self, weights: FloatArray) -> Interval:
        """Return the weighted sum of the means with its interval."""
        from scipy.stats import t

        used = weights != 0
        if not used.any():
            return Interval(0.0, 0.0, 0.0)
        estimate = float(weights[used] @ self.mean[used])
        with np.errstate(divide="ignore"):
            error = float(np.sqrt(self.variance * (weights[used] ** 2 / self.count[used]).sum()))
        half = float(t.ppf((1 + _LEVEL) / 2, self.degrees)) * error if self.degrees else np.nan
        return Interval(estimate, estimate - half, estimate + half)

    def correlation(self, promised: FloatArray) -> Interval:
        """Return Spearman's correlation of the means with what was promised, with its interval."""
        from scipy.stats import rankdata

        known = ~np.isnan(self.mean) & ~np.isnan(promised)
        if known.sum() < 2:
            return Interval(np.nan, np.nan, np.nan)
        rank = rankdata(promised[known])
        random = np.random.Generator(np.random.Philox(_SEED))
        errors = np.sqrt(self.variance / self.count[known])
        drawn = self.mean[known] + errors * random.standard_normal((_RESAMPLES, int(known.sum())))
        estimate = float(_correlations(rank, rankdata(self.mean[known])[None])[0])
        low, high = np.quantile(_correlations(rank, rankdata(drawn, axis=1)), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        return Interval(estimate, float(low), float(high))


def _correlations(rank: FloatArray, others: FloatArray) -> FloatArray:
    """Pearson's correlation of one row with each of several; NaN where either is constant."""
    one, many = rank - rank.mean(), others - others.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (many @ one) / np.sqrt((one @ one) * (many**2).sum(axis=1))
