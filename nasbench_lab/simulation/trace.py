"""Traces: the evaluations of every run of a simulation."""

from __future__ import annotations

import dataclasses
import functools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.displays import counted, html_card
from nasbench_lab.errors import ImportedResultsWarning, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.records import Categories, Column, Records
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.simulation.reference import Reference, regret_of
from nasbench_lab.simulation.run_arrays import MISSING, join_arrays
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.steps.arrange import StatedConditions, arranged
from nasbench_lab.simulation.steps.columns import step_columns
from nasbench_lab.simulation.steps.options import step_options
from nasbench_lab.spaces import make_space
from nasbench_lab.tables.catalogue import load
from nasbench_lab.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd

RegretKind = Literal["observed", "valid", "test"]
REGRETS: tuple[RegretKind, ...] = ("observed", "valid", "test")

EVALUATIONS_AT_A_TIME = 2**21
"""Evaluations that an analysis reads and works on at a time. The results do not depend on it."""


@final
@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """The evaluations of many runs. Row r is run ``setting.first_run + r``; column i is its (i+1)-th evaluation.

    Where ``mask`` is False, the run had ended: architecture and repeat are -1, observed and time are NaN.

    Attributes:
        setting: setting of the simulation.
        reference: the table's means of every architecture.
        architecture: index of the architecture, int32, shape (runs, steps).
        fidelity: training epochs, int32, shape (runs, steps).
        repeat: number of the observed repeat, -1 for the mean, int16, shape (runs, steps).
        observed: observed value of the objective in its unit, NaN for a failed training, float64, shape (runs, steps).
        time: simulated seconds at the end of the evaluation, NaN if the table has no times, shape (runs, steps).
        mask: whether the evaluation happened, that is, ended within the budget, bool, shape (runs, steps).
        stopped: whether the run ended because the strategy proposed nothing more, bool, shape (runs,).
    """

    setting: Setting
    reference: Reference
    architecture: NDArray[np.int32]
    fidelity: NDArray[np.int32]
    repeat: NDArray[np.int16]
    observed: FloatArray
    time: FloatArray
    mask: NDArray[np.bool_]
    stopped: NDArray[np.bool_]

    @classmethod
    def from_steps(
        cls,
        steps: Any,
        *,
        table: Table | str | os.PathLike[str],
        strategy: str,
        columns: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        repeat: RepeatPolicy | None = None,
        workers: int | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> Trace:
        """Return a trace of evaluations that another program made on a table.

        It is a trace like any other: the incumbents are chosen by the given values, and regrets are measured with the
        table's. `docs/import-results.md` describes the columns and the rules. A condition that is not given is not
        known; `Setting.origin` lists these.

        Args:
            steps: the evaluations, as columns by name: a dictionary of arrays, a data frame, or `Records`. Needed are
                ``architecture`` (an index or notation) and ``value``; others are ``run``, ``step``, ``seconds``,
                ``fidelity``, ``repeat`` and ``training``. Arrays have shape (rows,), or all of them (runs, steps).
            table: the table, its name, or the path of a table file.
            strategy: name of the strategy.
            columns: where a column has another name, its name in ``steps``, such as ``{"value": "val_acc"}``.
            budget: limits per run, which end the runs; by default the longest run.
            repeat: what an evaluation observed, see `Conditions`; by default judged by the values.
            workers: number of workers per run.
            seed: root seed.
            **options: how to read the steps: ``unit``, ``error``, ``negated``, ``durations``, ``clock``, ``order``,
                ``fidelity`` and ``check``; see `nasbench_lab.simulation.StepOptions`.

        Raises:
            ParameterError: the steps contradict themselves or the table, or an option is not allowed.
            MissingDataError: the table lacks what the clock or the budget needs.
            UnknownNameError: no such table, column or fidelity.

        Warns:
            ImportedResultsWarning: something that a reader of the results should know.

        >>> steps = {"architecture": [0, 7, 9], "value": [0.7444, 0.88, 0.8933], "seconds": [0.7, 1.6, 2.1]}
        >>> trace = Trace.from_steps(steps, table="digits/topology", strategy="mine", unit="fraction")
        >>> trace.incumbent().tolist(), str(trace.setting.budget)
        ([[0, 7, 9]], '3 evaluations')
        """
        found = load(table) if not isinstance(table, Table) else table
        stated = StatedConditions(budget, repeat, workers, seed)
        made = arranged(step_columns(steps, columns), found, strategy, step_options(options), stated, {})
        for note in made.notes:
            warnings.warn(note, ImportedResultsWarning, stacklevel=2)
        return cls(made.setting, made.reference, **made.arrays)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.architecture.shape[0]

    @property
    def steps(self) -> int:
        """Largest number of evaluations of a run."""
        return self.architecture.shape[1]

    def blocks(self, evaluations: int | None = None) -> Iterator[Trace]:
        """Yield traces of consecutive runs, which share the arrays of this trace.

        Args:
            evaluations: limit for the size of a block; by default 2,097,152. A block has at least one run.

        >>> import nasbench_lab as nl
        >>> from nasbench_lab.testing import synthetic_table
        >>> trace = nl.simulate(synthetic_table(), "random-search", runs=5, budget=nl.Budget(evaluations=3))
        >>> [(block.setting.first_run, block.runs) for block in trace.blocks(evaluations=6)]
        [(0, 2), (2, 2), (4, 1)]
        """
        for rows in row_blocks(self.runs, self.steps, evaluations):
            yield self if rows == slice(0, self.runs) else self._rows(rows)

    def _rows(self, rows: slice) -> Trace:
        setting = dataclasses.replace(self.setting, first_run=self.setting.first_run + rows.start)
        arrays = {name: getattr(self, name)[rows] for name in (*MISSING, "stopped")}
        return Trace(setting, self.reference, **arrays)

    @property
    def evaluations(self) -> NDArray[np.int64]:
        """Number of evaluations of every run, shape (runs,)."""
        return self.mask.sum(axis=1, dtype=np.int64)

    @cached_property
    def _incumbent_step(self) -> NDArray[np.signedinteger[Any]]:
        """Step at which the incumbent was evaluated, -1 before the first value, shape (runs, steps)."""
        return self._by_blocks(self._incumbent_steps_of, np.min_scalar_type(-max(self.steps, 1)))

    def _incumbent_steps_of(self, rows: slice) -> NDArray[np.int64]:
        """Return the steps of the incumbents of some runs."""
        observed, fidelity = self.observed[rows], self.fidelity[rows]
        score = -observed if self.setting.objective.direction == "minimize" else observed
        if self.reference.feasible is not None:
            kept = self.reference.feasible.take(np.maximum(self.architecture[rows], 0))
            score = np.where(kept, score, np.nan)
        if fidelity.size and fidelity.max() != fidelity.min(where=self.mask[rows], initial=fidelity.max()):
            score = _by_fidelity(score, fidelity)
        best = np.fmax.accumulate(score, axis=1)
        improved = np.empty(score.shape, dtype=bool)
        improved[:, :1] = ~np.isnan(score[:, :1])
        # A first value after failures improves on NaN, against which every comparison is False.
        improved[:, 1:] = (score[:, 1:] > best[:, :-1]) | (np.isnan(best[:, :-1]) & ~np.isnan(score[:, 1:]))
        return np.maximum.accumulate(np.where(improved, np.arange(self.steps), -1), axis=1)

    def _by_blocks(self, compute: Callable[[slice], NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of shape (runs, steps), computed for some runs at a time to bound working memory."""
        found = np.empty((self.steps, self.runs), dtype=dtype).T  # one step of all runs is contiguous
        for rows in row_blocks(self.runs, self.steps):
            found[rows] = compute(rows)
        return found

    def incumbent(self) -> NDArray[np.int64]:
        """Return the architecture with the best observed value so far, shape (runs, steps).

        Ties: the first. If evaluations differ in fidelity, the incumbent is the best at the highest fidelity that the
        run has observed so far, since values at different fidelities cannot be compared (the rule of the
        implementation of BOHB, Falkner et al. 2018). -1 before the first value and after the end of the run.
        """
        return self._by_blocks(self._incumbent_of, np.int64)

    def _incumbent_of(self, rows: slice) -> NDArray[np.int64]:
        return np.where(self.mask[rows], self._of_incumbent(self.architecture, -1, rows), -1)

    def regret(self, kind: RegretKind = "test") -> FloatArray:
        """Return how far the incumbent is from the optimum after every evaluation, shape (runs, steps).

        Args:
            kind: ``"observed"``: the difference between the best observable value and the best observed value.
                ``"valid"``: the difference between the best mean validation value of all architectures at the highest
                fidelity and the incumbent's. ``"test"``: the same with mean test values. The incumbent is always chosen
                by observed values.

        Returns:
            Regret in the metric's unit, at least 0. NaN before the first value and after the end of the run. The
            observed regret never grows with one fidelity; with several, it can grow when the run reaches a higher one.

        Raises:
            UnknownNameError: no such kind.
            MissingDataError: the table publishes no measurements of that split.
        """
        if kind not in REGRETS:
            raise unknown("regret", kind, REGRETS)
        if kind != "observed":
            self.reference.mean(kind)  # raises an error where there is none
        return self._by_blocks(functools.partial(self._regret_of, kind), np.float64)

    def _regret_of(self, kind: RegretKind, rows: slice) -> FloatArray:
        """Return the regret of some runs."""
        if kind == "observed":
            value = self._of_incumbent(self.observed, np.nan, rows)
            regret = regret_of(value, self.reference.observable, self.setting.objective.direction)
        else:
            regret = self.reference.regret(kind, self.reference.means_of(self._incumbent_of(rows), kind))
        return np.where(self.mask[rows], regret, np.nan)

    def final_incumbent(self) -> NDArray[np.int64]:
        """Return the last incumbent of every run, shape (runs,); -1 if a run observed no value."""
        if not self.steps:
            return np.full(self.runs, -1)
        step = self._incumbent_step[:, -1].astype(np.int64)
        return np.where(step >= 0, self.architecture[np.arange(self.runs), step], -1).astype(np.int64)

    def final(self, split: str = "test") -> FloatArray:
        """Return the table's mean value of every run's last incumbent at the highest fidelity, shape (runs,).

        Args:
            split: ``"valid"`` or ``"test"``.

        Returns:
            Values in the metric's unit; NaN if a run observed no value.

        Raises:
            UnknownNameError: no such split.
            MissingDataError: the table publishes no measurements of that split.
        """
        return self.reference.means_of(self.final_incumbent(), split)

    def records(self, *, notation: bool = True) -> Records:
        """Return the evaluations in long form: one row per evaluation, run by run, in the order in which they ended.

        The columns, in order:

        ==================  ==========================================================================
        ``strategy``        label of the strategy
        ``table``           name of the table
        ``run``             number of the run, from ``setting.first_run``
        ``step``            number of the evaluation in its run, from 0, as in the arrays' second axis
        ``architecture``    index of the architecture
        ``notation``        the architecture in official notation
        ``fidelity``        training epochs
        ``repeat``          number of the observed repeat; -1 for the mean
        ``observed``        observed value of the objective; NaN for a failed training
        ``seconds``         simulated seconds at the end of the evaluation; NaN without times
        ``incumbent``       index of the incumbent after the evaluation; -1 before the first value
        ``regret_...``      regret of the incumbent, for every kind that the table has (see `regret`)
        ==================  ==========================================================================

        Args:
            notation: include the notation. It is left out of traces that do not contain their space (format 2).

        Raises:
            UnknownNameError: the notation of a space that is not installed was asked for.

        >>> import nasbench_lab as nl
        >>> from nasbench_lab.testing import synthetic_table
        >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))
        >>> trace.records(notation=False)
        <Records: 6 rows of strategy, table, run, step, architecture, fidelity, repeat, observed, seconds, incumbent, \
regret_observed, regret_valid, regret_test>
        """
        run, step = np.nonzero(self.mask)
        architecture = self.architecture[self.mask]
        columns: dict[str, Column] = {
            "strategy": Categories.constant(self.setting.label, len(run)),
            "table": Categories.constant(self.setting.table, len(run)),
            "run": run + self.setting.first_run,
            "step": step,
            "architecture": architecture,
        }
        if notation and self.reference.space:
            different, position = np.unique(architecture, return_inverse=True)
            columns["notation"] = Categories(position, tuple(make_space(self.reference.space).format(different)))
        columns["fidelity"] = self.fidelity[self.mask]
        columns["repeat"] = self.repeat[self.mask]
        columns["observed"] = self.observed[self.mask]
        columns["seconds"] = self.time[self.mask]
        columns["incumbent"] = self.incumbent()[self.mask]
        units = {"fidelity": "epochs", "observed": self.setting.objective.unit, "seconds": "s"}
        for kind in (kind for kind in REGRETS if kind == "observed" or kind in self.reference.means):
            metric = self.setting.objective if kind == "observed" else self.reference.metrics[kind]
            columns[f"regret_{kind}"] = self.regret(kind)[self.mask]
            units[f"regret_{kind}"] = metric.unit
        return Records(columns, units)

    def to_frame(self, *, notation: bool = True) -> pd.DataFrame:
        """Return the evaluations as a pandas data frame; see `records` for the columns."""
        return self.records(notation=notation).to_frame()

    def __repr__(self) -> str:
        what = f"{self.setting.label} on {self.setting.table}"
        size = f"{counted(self.runs, 'run')}, up to {counted(self.steps, 'evaluation')} each"
        return f"<Trace of {what}: {size}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the setting, and the final regrets."""
        facts = {
            "runs": f"{self.runs:,}, up to {counted(self.steps, 'evaluation')} each",
            "budget": str(self.setting.budget),
            "objective": f"{self.setting.objective.name} ({self.setting.objective.unit})",
            "optimum found": "",
            "imported from": str(self.setting.origin.get("format", "")),
        }
        for split in ("valid", "test"):
            if split in self.reference.means:
                regret, unit = self.reference.regret(split, self.final(split)), self.reference.metrics[split].unit
                facts[f"{split} regret at the end, median of runs"] = f"{_median(regret):.4g} ({unit})"
                facts["optimum found"] = f"by {np.mean(regret == 0):.1%} of runs ({split})"
        return html_card(f"{self.setting.label} on {self.setting.table}", facts)

    def _of_incumbent(self, array: NDArray[Any], missing: float, rows: slice) -> NDArray[Any]:
        """Return the entries of ``array`` at the step of the incumbent for some runs, also after the end of a run."""
        step = self._incumbent_step[rows].astype(np.int64)
        if not self.steps:
            return array[rows].copy()
        return np.where(step >= 0, np.take_along_axis(array[rows], np.maximum(step, 0), axis=1), missing)


def row_blocks(runs: int, steps: int, evaluations: int | None = None) -> Iterator[slice]:
    """Yield slices of consecutive runs with at most ``evaluations`` evaluations, but at least one run.

    >>> list(row_blocks(5, 3, 6))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    limit = EVALUATIONS_AT_A_TIME if evaluations is None else evaluations
    together = max(1, limit // max(1, steps))
    for first in range(0, runs, together):
        yield slice(first, min(first + together, runs))


def _median(regret: FloatArray) -> float:
    """Return the median over runs; a run without a value counts as infinitely bad."""
    return float(np.median(np.where(np.isnan(regret), np.inf, regret))) if len(regret) else float("nan")


def _by_fidelity(score: FloatArray, fidelity: NDArray[np.int32]) -> FloatArray:
    """Return numbers that order by fidelity first and by score second; NaN stays NaN."""
    # Ranks instead of a weighted sum keep equal scores equal and different scores different, regardless of their size.
    values, rank = np.unique(score, return_inverse=True)
    return np.where(np.isnan(score), np.nan, fidelity * float(len(values)) + rank.reshape(score.shape))


def concatenate(traces: Sequence[Trace]) -> Trace:
    """Join the traces of consecutive runs of one simulation, in order.

    Raises:
        ParameterError: the traces are not of the same simulation, or not consecutive.
    """
    if not traces:
        raise ParameterError("there are no traces to join")
    run = traces[0].setting.first_run
    for trace in traces:
        if trace.setting != dataclasses.replace(traces[0].setting, first_run=run):
            raise ParameterError("only traces of consecutive runs of one simulation can be joined")
        run += trace.runs
    if len(traces) == 1:
        return traces[0]
    joined = {
        name: join_arrays([getattr(trace, name) for trace in traces], missing) for name, missing in MISSING.items()
    }
    stopped = np.concatenate([trace.stopped for trace in traces])
    return Trace(traces[0].setting, traces[0].reference, **joined, stopped=stopped)
