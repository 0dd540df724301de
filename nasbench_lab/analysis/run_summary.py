"""Summaries: one row per strategy and table, with the final results of the runs."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.simulation.reference import Reference, joined_reference
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import Trace

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclasses.dataclass(frozen=True)
class Summary:
    """Final results of the runs of one strategy on one table; NaN where the table has no such measurements.

    Attributes:
        table: name of the table.
        strategy: name, and the parameters that differ from their defaults.
        runs: number of runs.
        budget, fidelity, repeat, seed: the setting, see `Setting`.
        evaluations: median number of evaluations of a run; NaN for a search that trains networks itself.
        seconds: median over runs of the simulated seconds at the end of the last evaluation.
        without_value: number of runs without an incumbent.
        valid_mean, valid_std, test_mean, test_std: mean and standard deviation (with n - 1) of the last
            incumbent's mean validation and test value, over the runs with such a value.
        valid_regret, test_regret: median, over all runs, of the regret at the end; runs without a value count as
            infinitely bad. NaN where the optimum is not known.
        test_regret_low, test_regret_high: lower and upper quartile.
        checksum: digest of the table's content.
        valid_runs, test_runs: number of runs with a validation or test value, over which the means are. If they are not
            all runs, the means are too good: the other runs are infinitely bad.
        incumbents: how incumbents are chosen, ``"observed"`` or ``"recommended"``, see `Trace.incumbent_kind`.
        kind: kind of the table, see `nasbench_lab.tables.Description`.
        workers: number of simulated workers per run.
    """

    table: str
    strategy: str
    runs: int
    budget: str
    fidelity: int
    repeat: str
    seed: int
    evaluations: float
    seconds: float
    without_value: int
    valid_mean: float
    valid_std: float
    test_mean: float
    test_std: float
    valid_regret: float
    test_regret: float
    test_regret_low: float
    test_regret_high: float
    checksum: str
    valid_runs: int
    test_runs: int
    incumbents: str = "observed"
    kind: str = "measured"
    workers: int = 1


def summarize(trace: Trace) -> Summary:
    """Return the summary of a trace.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "local-search", runs=10, budget=nl.Budget(evaluations=243))
    >>> summarize(trace).evaluations
    243.0
    """
    return summarize_blocks([trace])


def summarize_blocks(blocks: Iterable[Trace]) -> Summary:
    """Return the summary of a simulation whose runs are read block by block, see `Results.blocks`.

    Args:
        blocks: the traces of its consecutive runs, in order. At least one.
    """
    ends: list[RunEnds] = []
    references: list[Reference] = []
    for given in blocks:
        for block in given.blocks():
            ends.append(run_ends(block))
            setting = block.setting
            if not references or references[-1] is not block.reference:
                references.append(block.reference)
    return summarize_ends(setting, joined_reference(references), join_ends(ends))


class RunEnds(NamedTuple):
    """Numbers at the end of every run, shape (R,) each.

    Attributes:
        evaluations: number of evaluations.
        seconds: simulated seconds at the end of the last evaluation that has a time; -inf if none has.
        incumbent: architecture of the last incumbent; -1 if the run has none.
        recommended: whether the strategy recommends architectures.
    """

    evaluations: IntArray
    seconds: FloatArray
    incumbent: IntArray
    recommended: NDArray[np.bool_]


def run_ends(trace: Trace) -> RunEnds:
    """Return the numbers at the end of the runs of a trace."""
    seconds = np.where(trace.mask, trace.time, -np.inf).max(axis=1, initial=-np.inf)
    recommended = np.full(trace.runs, trace.incumbent_kind == "recommended")
    return RunEnds(trace.evaluations, seconds, trace.final_incumbent(), recommended)


def join_ends(blocks: Sequence[RunEnds]) -> RunEnds:
    """Join the ends of consecutive runs, in order."""
    return RunEnds(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def summarize_ends(setting: Setting, reference: Reference, ends: RunEnds) -> Summary:
    """Return the summary of a simulation from the ends of its runs."""
    valid, test = (_final(reference, ends.incumbent, split) for split in ("valid", "test"))
    valid_mean, valid_std = _mean_and_deviation(valid)
    test_mean, test_std = _mean_and_deviation(test)
    low, middle, high = _regret_quartiles(reference, "test", test)
    return Summary(
        table=setting.table,
        strategy=setting.label,
        runs=len(ends.incumbent),
        budget=str(setting.budget),
        fidelity=setting.fidelity,
        repeat=str(setting.conditions.repeat),
        seed=setting.conditions.seed,
        evaluations=float("nan") if setting.trains_networks else float(np.median(ends.evaluations)),
        seconds=_median_seconds(ends.seconds),
        without_value=int((ends.incumbent < 0).sum()),
        valid_mean=valid_mean,
        valid_std=valid_std,
        test_mean=test_mean,
        test_std=test_std,
        valid_regret=_regret_quartiles(reference, "valid", valid)[1],
        test_regret=middle,
        test_regret_low=low,
        test_regret_high=high,
        checksum=setting.checksum,
        valid_runs=int((~np.isnan(valid)).sum()),
        test_runs=int((~np.isnan(test)).sum()),
        incumbents="recommended" if ends.recommended.any() else "observed",
        kind=reference.kind,
        workers=setting.conditions.workers,
    )


def to_csv(summaries: Sequence[Summary]) -> str:
    """Return summaries as CSV with a header; six significant digits, empty where there is no value.

    Texts that a spreadsheet would run as a formula begin with an apostrophe (see `csv_text`).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in dataclasses.fields(Summary))
    for summary in summaries:
        writer.writerow(_cell(value) for value in dataclasses.astuple(summary))
    return text.getvalue()


def csv_text(text: str) -> str:
    """Return a text for a cell of a CSV file, so that a spreadsheet does not run it as a formula.

    A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe in front, unless it is
    a number.

    >>> csv_text("=1+1"), csv_text("random-search"), csv_text("-0.25")
    ("'=1+1", 'random-search', '-0.25')
    """
    return f"'{text}" if text.startswith(_FORMULAS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return csv_text(value) if isinstance(value, str) else str(value)


def _final(reference: Reference, incumbent: IntArray, split: str) -> FloatArray:
    if split not in reference.means:
        return np.full(len(incumbent), np.nan)
    return reference.means_of(incumbent, split)


def _regret_quartiles(reference: Reference, split: str, values: FloatArray) -> tuple[float, float, float]:
    if not reference.knows_optimum(split):
        return (float("nan"),) * 3
    low, middle, high = run_quantiles(reference.regret(split, values))
    return float(low), float(middle), float(high)


def _mean_and_deviation(values: FloatArray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _median_seconds(ends: FloatArray) -> float:
    known = ends[np.isfinite(ends)]
    return float(np.median(known)) if len(known) else float("nan")
