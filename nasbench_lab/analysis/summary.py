"""One row per strategy and table: what the runs ended with."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence

import numpy as np

from nasbench_lab.simulate.trace import Trace
from nasbench_lab.streams import FloatArray


@dataclasses.dataclass(frozen=True)
class Summary:
    """What the runs of one strategy on one table ended with; NaN where the table has no such measurements.

    Means and standard deviations (with n - 1) are over runs. Regrets are those of `Trace.regret` at the end of a run.

    Attributes:
        table: name of the table.
        strategy: name, and the parameters that differ from their defaults.
        runs: number of runs.
        evaluations: median number of evaluations of a run.
        seconds: median simulated seconds at the end of the last evaluation.
        valid_mean, valid_std, test_mean, test_std: of the last incumbent's mean validation and test value.
        valid_regret, test_regret: median.
        test_regret_low, test_regret_high: lower and upper quartile.
    """

    table: str
    strategy: str
    runs: int
    evaluations: float
    seconds: float
    valid_mean: float
    valid_std: float
    test_mean: float
    test_std: float
    valid_regret: float
    test_regret: float
    test_regret_low: float
    test_regret_high: float


def summarize(trace: Trace) -> Summary:
    """Summarize the runs of one strategy on one table.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "local-search", runs=10, budget=nl.Budget(evaluations=243))
    >>> summarize(trace).evaluations
    243.0
    """
    ends = np.where(trace.mask, trace.time, -np.inf).max(axis=1, initial=-np.inf)
    ends = np.where(np.isfinite(ends), ends, np.nan)
    finals = {split: _final(trace, split) for split in ("valid", "test")}
    regrets = {split: _regret(trace, split, values) for split, values in finals.items()}
    low, middle, high = _quartiles(regrets["test"])
    return Summary(
        table=trace.setting.table,
        strategy=trace.setting.label,
        runs=trace.runs,
        evaluations=float(np.median(trace.evaluations)),
        seconds=_quartiles(ends)[1],
        valid_mean=float(finals["valid"].mean()),
        valid_std=_std(finals["valid"]),
        test_mean=float(finals["test"].mean()),
        test_std=_std(finals["test"]),
        valid_regret=_quartiles(regrets["valid"])[1],
        test_regret=middle,
        test_regret_low=low,
        test_regret_high=high,
    )


def to_csv(summaries: Sequence[Summary]) -> str:
    """Return summaries as CSV with a header; six significant digits, empty where there is no value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in dataclasses.fields(Summary))
    for summary in summaries:
        writer.writerow(_cell(value) for value in dataclasses.astuple(summary))
    return text.getvalue()


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return str(value)


def _final(trace: Trace, split: str) -> FloatArray:
    if split not in trace.reference.means:
        return np.full(trace.runs, np.nan)
    return trace.final(split)


def _regret(trace: Trace, split: str, final: FloatArray) -> FloatArray:
    if split not in trace.reference.means:
        return final
    sign = -1.0 if trace.reference.metrics[split].direction == "minimize" else 1.0
    return sign * (trace.reference.optimum(split) - final)


def _quartiles(values: FloatArray) -> tuple[float, float, float]:
    if np.isnan(values).any():
        return (float("nan"),) * 3
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def _std(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
