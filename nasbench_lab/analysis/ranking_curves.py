"""How well scores rank architectures over the epochs of a training, for several methods with several runs each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nasbench_lab.analysis.intervals import LEVEL, Interval, Intervals
from nasbench_lab.analysis.ranked_scores import TOP_NAMES, RankedScores
from nasbench_lab.analysis.score_rankings import Truth
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted, html_card, html_table, short_number
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.records import Categories, Records

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["kendall", "spearman", "precision", "regret"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

_RANGES: Mapping[Measure, tuple[float, float]] = {
    "kendall": (-1.0, 1.0),
    "spearman": (-1.0, 1.0),
    "precision": (0.0, 1.0),
    "regret": (0.0, np.inf),
}

CORRELATIONS: tuple[Measure, ...] = ("kendall", "spearman")
"""The measures that are computed within shares of best architectures; the others are of numbers of picks."""


def column_name(measure: Measure, at: float, truth: Truth = "valid") -> str:
    """Return the name of a measure in records and JSON.

    >>> column_name("kendall", 1.0), column_name("kendall", 0.2, "test"), column_name("regret", 10)
    ('kendall', 'test_kendall_top_fifth', 'regret_10')
    """
    top = "" if at == 1.0 else f"_{TOP_NAMES.get(at, '').replace(' ', '_')}"
    where = top if measure in CORRELATIONS else f"_{at:g}"
    return f"{'test_' if truth == 'test' else ''}{measure}{where}"


@dataclasses.dataclass(frozen=True, eq=False)
class RankedSnapshot:
    """The scores of one run after some epochs.

    Attributes:
        run: number of the run.
        epoch: number of finished epochs.
        seconds: of the training so far.
        scored: the architectures with their scores and true values.
    """

    run: int
    epoch: int
    seconds: float
    scored: RankedScores


@dataclasses.dataclass(frozen=True, eq=False)
class RankingCurve:
    """The snapshots of the runs of one method.

    Attributes:
        label: of the method.
        snapshots: by run and epoch.
    """

    label: str
    snapshots: tuple[RankedSnapshot, ...]

    @cached_property
    def runs(self) -> tuple[int, ...]:
        """The numbers of the runs, ascending."""
        return tuple(sorted({each.run for each in self.snapshots}))

    @cached_property
    def epochs(self) -> IntArray:
        """The epochs that all runs have, ascending, shape (epochs,); all epochs if the runs have none in common."""
        by_run = [{each.epoch for each in self.snapshots if each.run == run} for run in self.runs]
        common = set.intersection(*by_run) or set.union(*by_run)
        return np.array(sorted(common), dtype=np.int64)

    def values(self, measure: Measure = "kendall", at: float = 1.0, truth: Truth = "valid") -> FloatArray:
        """Return a measure of every run and epoch, shape (runs, epochs); NaN where it is missing.

        Args:
            measure: ``"kendall"``, ``"spearman"``, ``"precision"`` or ``"regret"``.
            at: the share of best architectures, or the number of architectures that are picked by score.
            truth: the true values, ``"valid"`` or ``"test"``.

        Raises:
            UnknownNameError: there is no such measure.
        """
        if measure not in MEASURES:
            raise unknown("measure of a ranking", measure, MEASURES)
        found = np.full((len(self.runs), len(self.epochs)), np.nan)
        for each, place in self._places:
            quality = each.scored.qualities.get(truth)
            if quality is not None:
                values: Mapping[float, float] = getattr(quality, measure)
                found[place] = values.get(at, np.nan)
        return found

    @cached_property
    def seconds(self) -> FloatArray:
        """The seconds of training of every run and epoch, shape (runs, epochs)."""
        found = np.full((len(self.runs), len(self.epochs)), np.nan)
        for each, place in self._places:
            found[place] = each.seconds
        return found

    def intervals(self, measure: Measure = "kendall", at: float = 1.0, truth: Truth = "valid") -> Intervals:
        """Return the mean over runs at every epoch, with Student's t interval, each of shape (epochs,).

        See `values` for the arguments. A single run has no interval (NaN). Intervals end where the measure ends: at -1
        and 1 for correlations, 0 and 1 for a precision, and 0 for a regret.
        """
        found, (low, high) = mean_over_runs(self.values(measure, at, truth)), _RANGES[measure]
        return Intervals(found.estimate, np.maximum(found.low, low), np.minimum(found.high, high))

    @cached_property
    def _places(self) -> list[tuple[RankedSnapshot, tuple[int, int]]]:
        run = {number: place for place, number in enumerate(self.runs)}
        epoch = {number: place for place, number in enumerate(self.epochs.tolist())}
        return [(each, (run[each.run], epoch[each.epoch])) for each in self.snapshots if each.epoch in epoch]


def mean_over_runs(values: FloatArray, level: float = LEVEL) -> Intervals:
    """Return means over runs with intervals of Student's t distribution, each of shape (points,).

    Args:
        values: shape (runs, points); NaN for a missing value.
        level: confidence of the intervals.

    >>> found = mean_over_runs(np.array([[0.4], [0.5], [0.6]]))
    >>> print(found.at(0))
    0.5 [0.2516, 0.7484]
    """
    from scipy.special import stdtrit

    known = ~np.isnan(values)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=0) / count
        variance = np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / (count - 1)
        half = stdtrit(count - 1.0, (1 + level) / 2) * np.sqrt(variance / count)
    half[count < 2] = np.nan
    return Intervals(mean, mean - half, mean + half)


@dataclasses.dataclass(frozen=True, eq=False)
class RankingCurves:
    """How well the scores of several methods rank the same architectures of a table, over the epochs of training.

    Attributes:
        table: name of the table.
        split: images that were scored, ``"valid"`` or ``"test"``.
        architectures: number of architectures that were scored.
        networks: number of different networks of the table from which they were chosen.
        curves: one per method.
    """

    table: str
    split: str
    architectures: int
    networks: int
    curves: tuple[RankingCurve, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the methods."""
        return tuple(curve.label for curve in self.curves)

    @property
    def picks(self) -> tuple[int, ...]:
        """The numbers of architectures that were picked by score."""
        return tuple(self.curves[0].snapshots[0].scored.valid.regret)

    @property
    def truths(self) -> tuple[Truth, ...]:
        """The true values with which scores were compared."""
        return tuple(self.curves[0].snapshots[0].scored.qualities)

    def unit(self, truth: Truth = "valid") -> str:
        """Return the unit of regrets."""
        return self.curves[0].snapshots[0].scored.metrics[truth].unit

    def curve(self, label: str) -> RankingCurve:
        """Return the curve of a method.

        Raises:
            UnknownNameError: there is no such method.
        """
        for curve in self.curves:
            if curve.label == label:
                return curve
        raise unknown("method", label, self.labels)

    def last(self, label: str, run: int | None = None) -> RankedSnapshot:
        """Return the snapshot of a method with the most epochs, of a run or of the first one.

        Raises:
            UnknownNameError: there is no such method.
            MissingDataError: there is no such run.
        """
        curve = self.curve(label)
        wanted = curve.runs[0] if run is None else run
        found = [each for each in curve.snapshots if each.run == wanted]
        if not found:
            raise MissingDataError(f"{label} has no run {wanted}; it has {', '.join(map(str, curve.runs))}")
        return max(found, key=lambda each: each.epoch)

    def records(self) -> Records:
        """Return all measures, one row per method, run and epoch.

        Columns are ``method``, ``run``, ``epoch``, ``seconds``, then ``kendall``, ``kendall_top_fifth`` and so on,
        ``spearman...``, ``precision_1``, ``regret_1`` and so on. Those that begin with ``test_`` compare with test
        values, the others with the values that a search observes.
        """
        every = [(curve.label, each) for curve in self.curves for each in curve.snapshots]
        columns, units = {}, {"seconds": "s"}
        for truth in self.truths:
            for measure in MEASURES:
                for at in TOP_NAMES if measure in CORRELATIONS else self.picks:
                    name = column_name(measure, at, truth)
                    found = [getattr(each.scored.qualities[truth], measure).get(at, np.nan) for _, each in every]
                    columns[name] = np.array(found)
                    if measure == "regret":
                        units[name] = self.unit(truth)
        return Records(
            {
                "method": Categories.of([label for label, _ in every]),
                "run": np.array([each.run for _, each in every]),
                "epoch": np.array([each.epoch for _, each in every]),
                "seconds": np.array([each.seconds for _, each in every]),
                **columns,
            },
            units,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return all measures as a pandas data frame; see `records`."""
        return self.records().to_frame()

    def __repr__(self) -> str:
        size = f"{counted(len(self.curves), 'method')}, {self.architectures:,} of {self.networks:,} networks"
        return f"<RankingCurves of {self.table}: {size}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the last epochs of every method."""
        header = ["method", "epochs", "runs", *(f"Kendall, {name}" for name in TOP_NAMES.values()), "seconds"]
        facts = {"scored": f"{self.architectures:,} of {self.networks:,} networks, {self.split} images"}
        return html_card(f"rankings on {self.table}", facts, html_table(header, [_row(each) for each in self.curves]))


def _row(curve: RankingCurve) -> Sequence[str]:
    correlations = [curve.intervals("kendall", share).at(-1) for share in TOP_NAMES]
    seconds = mean_over_runs(curve.seconds).estimate[-1]
    return [
        *(curve.label, str(curve.epochs[-1]), str(len(curve.runs))),
        *(correlation_text(each) for each in correlations),
        short_number(float(seconds)),
    ]


def correlation_text(interval: Interval) -> str:
    """Return a correlation with its interval, in two decimals.

    >>> correlation_text(Interval(0.5, 0.251, 0.749)), correlation_text(Interval(0.5, float("nan"), float("nan")))
    ('0.50 [0.25, 0.75]', '0.50')
    """
    if np.isnan(interval.estimate):
        return ""
    if np.isnan(interval.low):
        return f"{interval.estimate:.2f}"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
