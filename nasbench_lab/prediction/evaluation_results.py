"""The result of an evaluation of predictors: the quality of every predictor in every trial, with intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.ranking_curves import correlation_text, mean_over_runs
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted, html_card, html_table, short_number
from nasbench_lab.messages import unknown
from nasbench_lab.prediction.measures import MEASURES, Measure
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trial_runs import COLUMNS, SECONDS
from nasbench_lab.records import Categories, Records

if TYPE_CHECKING:
    import pandas as pd

TOTAL = "seconds"
"""The column with the sum of `SECONDS`."""


@dataclasses.dataclass(frozen=True, eq=False)
class PredictorTrials:
    """The trials of one predictor.

    Attributes:
        label: of the predictor.
        name: without its encoding.
        encoding: empty for a predictor without one.
        needs_labels: whether predictions depend on labels.
        trials: numbers of the trials, shape (trials,).
        sizes: numbers of labels, shape (sizes,).
        values: the `COLUMNS`, shape (columns, trials, sizes).
    """

    label: str
    name: str
    encoding: str
    needs_labels: bool
    trials: IntArray
    sizes: IntArray
    values: FloatArray

    def of(self, column: str) -> FloatArray:
        """Return a measure or seconds, shape (trials, sizes); ``"seconds"`` are all seconds together.

        Raises:
            UnknownNameError: there is no such column.
        """
        if column == TOTAL:
            return np.asarray(np.sum([self.of(part) for part in SECONDS], axis=0))
        if column not in COLUMNS:
            raise unknown("measure of a prediction", column, [*COLUMNS, TOTAL])
        return self.values[COLUMNS.index(column)]

    def intervals(self, column: str = "kendall") -> Intervals:
        """Return the mean over trials at every number of labels, with Student's t interval, each of shape (sizes,).

        A single trial has no interval (NaN). Intervals end where the measure ends, at 1 for a correlation. A trial in
        which a measure does not exist, such as the rank correlation of constant predictions, is left out.
        """
        found = mean_over_runs(self.of(column))
        low, high = (MEASURES[column].low, MEASURES[column].high) if column in MEASURES else (0.0, np.inf)
        return Intervals(found.estimate, np.maximum(found.low, low), np.minimum(found.high, high))


@dataclasses.dataclass(frozen=True, eq=False)
class PredictorEvaluation:
    """How well predictors predict architectures of a table, over trials and numbers of labels.

    Attributes:
        settings: table, sizes, test architectures and seed.
        unit: of labels, and so of errors and regrets.
        networks: number of different networks of the table.
        predictors: one per predictor.
    """

    settings: Settings
    unit: str
    networks: int
    predictors: tuple[PredictorTrials, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the predictors."""
        return tuple(each.label for each in self.predictors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of labels."""
        return self.settings.sizes

    @cached_property
    def has_seconds(self) -> bool:
        """Whether the table knows what its trainings cost."""
        return any(np.isfinite(each.of("label_seconds")).any() for each in self.predictors)

    def predictor(self, label: str) -> PredictorTrials:
        """Return the trials of a predictor.

        Raises:
            UnknownNameError: there is no such predictor.
        """
        for each in self.predictors:
            if each.label == label:
                return each
        raise unknown("predictor", label, self.labels)

    def only(self, labels: Sequence[str]) -> PredictorEvaluation:
        """Return the evaluation of some predictors: by label, or by name for all encodings.

        Raises:
            UnknownNameError: there is no such predictor.
        """
        for label in labels:
            if label not in self.labels and label not in {each.name for each in self.predictors}:
                raise unknown("predictor", label, self.labels)
        kept = tuple(each for each in self.predictors if {each.label, each.name} & {*labels})
        return dataclasses.replace(self, predictors=kept)

    def ranked(self, measure: str = "kendall", size: int | None = None) -> list[tuple[str, Interval]]:
        """Return predictors by the mean of a measure, best first.

        Args:
            measure: see `MEASURES`.
            size: number of labels; by default the largest.

        Raises:
            UnknownNameError: there is no such measure, or no such number of labels.
        """
        place, sign = self.place(size), -1.0 if measure_of(measure).better == "higher" else 1.0
        found = [(each.label, each.intervals(measure).at(place)) for each in self.predictors]
        return sorted(found, key=lambda pair: (np.isnan(pair[1].estimate), sign * pair[1].estimate))

    def place(self, size: int | None) -> int:
        """Return the position of a number of labels; None means the largest.

        Raises:
            UnknownNameError: there is no such number of labels.
        """
        if size is None:
            return len(self.sizes) - 1
        if size not in self.sizes:
            raise unknown("number of labels", str(size), map(str, self.sizes))
        return self.sizes.index(size)

    def records(self) -> Records:
        """Return one row per predictor, trial and number of labels.

        Columns are ``predictor``, ``model``, ``encoding``, ``trial``, ``labels``, the measures, ``missing`` (test
        architectures without a prediction), ``label_seconds``, ``fit_seconds``, ``query_seconds``, ``source_seconds``
        and their sum ``seconds``.
        """
        parts = []
        for each in self.predictors:
            trials, sizes = len(each.trials), len(each.sizes)
            parts.append(
                Records(
                    {
                        **_names(each, trials * sizes),
                        "trial": np.repeat(each.trials, sizes),
                        "labels": np.tile(each.sizes, trials),
                        **{name: each.of(name).ravel() for name in (*COLUMNS, TOTAL)},
                    },
                    self._units(),
                )
            )
        return Records.stack(parts)

    def summary(self) -> Records:
        """Return one row per predictor and number of labels: means over trials and their intervals.

        A measure ``kendall`` has the columns ``kendall``, ``kendall_low`` and ``kendall_high``; seconds have means.
        """
        parts = []
        for each in self.predictors:
            columns: dict[str, FloatArray] = {}
            for name in MEASURES:
                found = each.intervals(name)
                columns |= {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
            columns |= {name: mean_over_runs(each.of(name)).estimate for name in ("missing", *SECONDS, TOTAL)}
            count = np.full(len(each.sizes), len(each.trials))
            parts.append(
                Records(
                    {**_names(each, len(each.sizes)), "labels": each.sizes, "trials": count, **columns}, self._units()
                )
            )
        return Records.stack(parts)

    def to_frame(self) -> pd.DataFrame:
        """Return all trials as a pandas data frame; see `records`."""
        return self.records().to_frame()

    def _units(self) -> dict[str, str]:
        seconds = dict.fromkeys((*SECONDS, TOTAL), "s")
        return seconds | {name: self.unit for name, measure in MEASURES.items() if measure.has_unit}

    def __repr__(self) -> str:
        trials = max((len(each.trials) for each in self.predictors), default=0)
        size = f"{counted(len(self.predictors), 'predictor')}, {counted(trials, 'trial')}"
        return f"<PredictorEvaluation on {self.settings.table}: {size}, {', '.join(map(str, self.sizes))} labels>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: Kendall's rank correlation by number of labels, best predictor first."""
        facts = {
            "test": f"{self.settings.test} architectures ({self.settings.test_from})",
            "networks": f"{self.networks:,}",
            "source": "" if self.settings.source is None else self.settings.source.table,
        }
        return html_card(
            f"predictors on {self.settings.table}: Kendall's rank correlation",
            facts,
            html_table(["predictor", "trials", *map(str, self.sizes)], self.rows()),
        )

    def rows(self, measure: str = "kendall") -> list[list[str]]:
        """Return a table as text: predictor, trials, and mean with interval at every number of labels; best first."""
        found = []
        for label, _ in self.ranked(measure):
            each = self.predictor(label)
            values = each.intervals(measure)
            texts = [_text(values.at(place), measure) for place in range(len(self.sizes))]
            found.append([label, str(len(each.trials)), *texts])
        return found


def measure_of(name: str) -> Measure:
    """Return a measure.

    Raises:
        UnknownNameError: there is no such measure.
    """
    if name not in MEASURES:
        raise unknown("measure of a prediction", name, MEASURES)
    return MEASURES[name]


def _names(each: PredictorTrials, rows: int) -> dict[str, Categories]:
    texts = {"predictor": each.label, "model": each.name, "encoding": each.encoding}
    return {column: Categories.constant(text, rows) for column, text in texts.items()}


def _text(interval: Interval, measure: str) -> str:
    if not MEASURES[measure].has_unit:
        return correlation_text(interval)
    if np.isnan(interval.estimate):
        return ""
    if np.isnan(interval.low):
        return short_number(interval.estimate)
    return f"{short_number(interval.estimate)} [{short_number(interval.low)}, {short_number(interval.high)}]"
