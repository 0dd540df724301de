"""Traces: the evaluations of every run of a simulation."""

from __future__ import annotations

import dataclasses
import functools
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted
from nasbench_lab.errors import ImportedResultsWarning, MissingDataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.records import Records
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.incumbents import at_steps, best_observed
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.simulation.recommendations import Searcher, arranged_recommendations
from nasbench_lab.simulation.reference import Reference, regret_of
from nasbench_lab.simulation.run_arrays import MISSING
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.steps.arrange import StatedConditions, arranged
from nasbench_lab.simulation.steps.columns import step_columns
from nasbench_lab.simulation.steps.options import step_options
from nasbench_lab.simulation.trace_card import trace_card, trace_size
from nasbench_lab.simulation.trace_records import trace_records
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.catalogue import load
from nasbench_lab.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd

IncumbentKind = Literal["observed", "recommended"]
"""How incumbents are chosen: the best observed value, or what the strategy recommended."""

RegretKind = Literal["observed", "valid", "test"]
REGRETS: tuple[RegretKind, ...] = ("observed", "valid", "test")

EVALUATIONS_AT_A_TIME = 2**21
"""Evaluations that an analysis reads and works on at a time. The results do not depend on it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Trace:
    """The evaluations of many runs. Row r is run ``setting.first_run + r``; column i is its (i+1)-th evaluation.

    Where ``mask`` is False, the run had ended: architecture and repeat are -1, observed and time are NaN.

    Attributes:
        setting: setting of the simulation.
        reference: the table's means, see `Reference`.
        architecture: index of the architecture, shape (runs, steps); int32, or int64 in spaces of more than 2**31.
        fidelity: training epochs, int32, shape (runs, steps).
        repeat: number of the observed repeat, -1 for the mean, int16, shape (runs, steps).
        observed: observed value of the objective in its unit, NaN for a failed training, float64, shape (runs, steps).
        time: simulated seconds at the end of the evaluation, NaN if the table has no times, shape (runs, steps).
        mask: whether the evaluation happened, that is, ended within the budget, bool, shape (runs, steps).
        stopped: whether the run ended because the strategy proposed nothing more, bool, shape (runs,).
        recommended: the architecture that the strategy recommended after the evaluation, -1 before there is one,
            like ``architecture``; None for a strategy that does not recommend (see `Strategy.recommend`).
    """

    setting: Setting
    reference: Reference
    architecture: NDArray[np.signedinteger[Any]]
    fidelity: NDArray[np.int32]
    repeat: NDArray[np.int16]
    observed: FloatArray
    time: FloatArray
    mask: NDArray[np.bool_]
    stopped: NDArray[np.bool_]
    recommended: NDArray[np.signedinteger[Any]] | None = None

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
        found = load(table) if not isinstance(table, AnyTable) else table
        if not isinstance(found, Table):
            raise ParameterError(
                f"results of other programs need a table with stored values; {found.name} computes them"
            )
        stated = StatedConditions(budget, repeat, workers, seed)
        made = arranged(step_columns(steps, columns), found, strategy, step_options(options), stated, {})
        for note in made.notes:
            warnings.warn(note, ImportedResultsWarning, stacklevel=2)
        return cls(made.setting, made.reference, **made.arrays)

    @classmethod
    def from_recommendations(
        cls,
        recommended: Any,
        seconds: Any,
        *,
        table: Table | str | os.PathLike[str],
        strategy: str,
        label: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        version: int = 1,
        conditions: Conditions | None = None,
        first_run: int = 0,
        training: Mapping[str, Any] | None = None,
    ) -> Trace:
        """Return a trace of a search that trained networks itself, such as a one-shot search.

        Such a search evaluates nothing of the table; the table only judges what it recommends. The trace has regrets
        ``"valid"`` and ``"test"`` over seconds. It has no observed values, and its steps are no evaluations: repeat is
        -1 and fidelity 0. The last recommendation of a run holds until the end of the budget.

        Args:
            recommended: index of the architecture that each run recommends, integers, shape (runs, steps); -1 before
                there is one.
            seconds: when it did, on the clock of the table, not decreasing, shape (runs, steps). NaN after the last
                step of a run.
            table: the table, its name, or the path of a table file.
            strategy: name of the strategy.
            label: its name with the parameters that differ from their defaults; by default the name.
            parameters: its parameters, as plain data.
            version: version of the strategy.
            conditions: conditions of the search. With the conditions of simulations on this table, the trace belongs to
                their task. The budget must be in seconds; steps after its end are cut off. By default the budget is the
                last second, and everything else has its usual value.
            first_run: number of the first run.
            training: facts of the training as plain data, such as data set, epochs and device. A report shows
                ``clock_scale``: the factor from the seconds measured to those on the clock of the table.

        Raises:
            ParameterError: the arrays contradict themselves or the table, or an argument is not allowed.
            MissingDataError: the table lacks what the conditions need.
            UnknownNameError: no such table, fidelity or metric.

        >>> trace = Trace.from_recommendations(
        ...     [[-1, 120, 77]], [[30.0, 60.0, 90.0]], table="digits/topology", strategy="darts"
        ... )
        >>> trace.incumbent().tolist(), trace.incumbent_kind, str(trace.setting.budget)
        ([[-1, 120, 77]], 'recommended', '90 s')
        """
        found = load(table) if not isinstance(table, AnyTable) else table
        searcher = Searcher(strategy, label, parameters, version)
        made = arranged_recommendations(
            recommended, seconds, found, searcher, conditions, first_run=first_run, training=training
        )
        return cls(made.setting, made.reference, **made.arrays)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.architecture.shape[0]

    @property
    def steps(self) -> int:
        """Largest number of evaluations of a run."""
        return self.architecture.shape[1]

    @property
    def incumbent_kind(self) -> IncumbentKind:
        """How incumbents are chosen: ``"recommended"`` by the strategy, or as the best ``"observed"`` value."""
        return "observed" if self.recommended is None else "recommended"

    @property
    def kinds(self) -> tuple[RegretKind, ...]:
        """The kinds of regret that the trace has, see `regret`; none where the optimum is not known."""
        observed = not self.setting.trains_networks
        has = {"observed": observed, **{kind: kind in self.reference.means for kind in ("valid", "test")}}
        return tuple(kind for kind in REGRETS if has[kind] and self.reference.knows_optimum(kind))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the trace by name, without copying them; without `recommended` if it is None."""
        named = {name: getattr(self, name) for name in (*MISSING, "stopped")}
        return {name: array for name, array in named.items() if array is not None}

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
        return Trace(setting, self.reference, **{name: array[rows] for name, array in self.arrays().items()})

    @property
    def evaluations(self) -> NDArray[np.int64]:
        """Number of evaluations of every run, shape (runs,); of a search that trains networks itself, its steps."""
        return self.mask.sum(axis=1, dtype=np.int64)

    @cached_property
    def _best_step(self) -> NDArray[np.signedinteger[Any]]:
        """Step of the best observed value so far, -1 before the first value, shape (runs, steps)."""
        return self._by_blocks(self._best_steps_of, np.min_scalar_type(-max(self.steps, 1)))

    def _best_steps_of(self, rows: slice) -> IntArray:
        observed = self.observed[rows]
        score = -observed if self.setting.objective.direction == "minimize" else observed
        if self.reference.feasible is not None:
            score = np.where(self.reference.keeps_limits(self.architecture[rows]), score, np.nan)
        return best_observed(score, self.fidelity[rows], self.mask[rows])

    def _by_blocks(self, compute: Callable[[slice], NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of shape (runs, steps), computed for some runs at a time to bound working memory."""
        found = np.empty((self.steps, self.runs), dtype=dtype).T  # one step of all runs is contiguous
        for rows in row_blocks(self.runs, self.steps):
            found[rows] = compute(rows)
        return found

    def incumbent(self) -> NDArray[np.int64]:
        """Return the architecture that each run would answer after every evaluation, shape (runs, steps).

        It is the recommended architecture if the strategy has recommended one (see `incumbent_kind`), unless that
        breaks a limit. Otherwise it is the one with the best observed value so far. Ties: the first. If evaluations
        differ in fidelity, the best at the highest fidelity that the run has observed so far, since values at different
        fidelities cannot be compared (the rule of the implementation of BOHB, Falkner et al. 2018). -1 before the first
        value and after the end of the run.
        """
        return self._by_blocks(self._incumbent_of, np.int64)

    def _incumbent_of(self, rows: slice) -> NDArray[np.int64]:
        found = at_steps(self.architecture[rows], self._best_step[rows].astype(np.int64), -1)
        if self.recommended is not None:
            recommended = self.recommended[rows]
            found = np.where(self.reference.keeps_limits(recommended), recommended, found)
        return np.where(self.mask[rows], found, -1)

    def regret(self, kind: RegretKind = "test") -> FloatArray:
        """Return how far the incumbent is from the optimum after every evaluation, shape (runs, steps).

        Args:
            kind: ``"observed"``: the difference between the best observable value and the best observed value, also if
                the strategy recommends another architecture. ``"valid"``: the difference between the best mean
                validation value of all architectures at the highest fidelity and the incumbent's (see `incumbent`).
                ``"test"``: the same with mean test values. The incumbent is never chosen by test values.

        Returns:
            Regret in the metric's unit, at least 0. NaN before the first value and after the end of the run. The
            observed regret never grows with one fidelity; with several, it can grow when the run reaches a higher one.

        Raises:
            UnknownNameError: no such kind.
            MissingDataError: the table publishes no measurements of that split, its optimum is not known (of a table
                that computes its answers), or the search observed no values.
        """
        if kind not in REGRETS:
            raise unknown("regret", kind, REGRETS)
        if kind == "observed" and self.setting.trains_networks:
            raise MissingDataError(
                f"{self.setting.label} trained networks itself and observed no values of the table; "
                "its regret is 'valid' or 'test'"
            )
        if kind != "observed":
            self.reference.mean(kind)  # raises an error where there is none
        if not self.reference.knows_optimum(kind):
            metric = self.setting.objective if kind == "observed" else self.reference.metrics[kind]
            raise MissingDataError(
                f"the best {metric.name} of {self.setting.table} is not known, so there is no {kind} regret; "
                "compare values: Trace.value, Trace.final, plot --y value"
            )
        return self._by_blocks(functools.partial(self._regret_of, kind), np.float64)

    def _regret_of(self, kind: RegretKind, rows: slice) -> FloatArray:
        """Return the regret of some runs."""
        if kind == "observed":
            value = at_steps(self.observed[rows], self._best_step[rows].astype(np.int64), np.nan)
            regret = regret_of(value, self.reference.observable, self.setting.objective.direction)
        else:
            regret = self.reference.regret(kind, self.reference.means_of(self._incumbent_of(rows), kind))
        return np.where(self.mask[rows], regret, np.nan)

    def value(self, split: Literal["observed", "valid", "test"] = "test") -> FloatArray:
        """Return the value of the incumbent after every evaluation, shape (runs, steps).

        Args:
            split: ``"observed"``: the best observed value. ``"valid"`` or ``"test"``: the incumbent's mean validation
                or test value in the table at the highest fidelity.

        Returns:
            Values in the metric's unit; NaN before the first value, after the end of the run, and where the table does
            not know the mean of an architecture.

        Raises:
            UnknownNameError: no such split.
            MissingDataError: the table publishes no measurements of that split, or the search observed no values.

        >>> import nasbench_lab as nl
        >>> from nasbench_lab.testing import function_table
        >>> table = function_table({"name": "chain", "choices": "abc", "length": 12})
        >>> trace = nl.simulate(table, "random-search", runs=2, budget=nl.Budget(evaluations=3))
        >>> trace.kinds, trace.value("valid").shape
        ((), (2, 3))
        """
        if split == "observed":
            if self.setting.trains_networks:
                raise MissingDataError(f"{self.setting.label} trained networks itself and observed no values")
            return self._by_blocks(self._observed_value_of, np.float64)
        self.reference.mean(split)  # raises an error where there is none
        return self._by_blocks(lambda rows: self.reference.means_of(self._incumbent_of(rows), split), np.float64)

    def _observed_value_of(self, rows: slice) -> FloatArray:
        value = at_steps(self.observed[rows], self._best_step[rows].astype(np.int64), np.nan)
        return np.where(self.mask[rows], value, np.nan)

    def final_incumbent(self) -> NDArray[np.int64]:
        """Return the last incumbent of every run, shape (runs,); -1 if a run has none."""
        if not self.steps:
            return np.full(self.runs, -1)
        run = np.arange(self.runs)
        step = self._best_step[:, -1].astype(np.int64)
        found = np.where(step >= 0, self.architecture[run, step], -1).astype(np.int64)
        if self.recommended is None:
            return found
        last = self.evaluations - 1
        recommended = np.where(last >= 0, self.recommended[run, last], -1)
        return np.where(self.reference.keeps_limits(recommended), recommended, found)

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
        ``incumbent``       index of the incumbent after the evaluation (see `incumbent`); -1 before the first
        ``regret_...``      regret of the incumbent, for every kind that the table has (see `regret`)
        ``value_...``       value of the incumbent, where the optimum is not known (see `value`)
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
        return trace_records(self, notation=notation)

    def to_frame(self, *, notation: bool = True) -> pd.DataFrame:
        """Return the evaluations as a pandas data frame; see `records` for the columns."""
        return self.records(notation=notation).to_frame()

    def __repr__(self) -> str:
        kind = "" if self.reference.kind == "measured" else f" ({self.reference.kind})"
        what = f"{self.setting.label} on {self.setting.table}{kind}"
        return f"<Trace of {what}: {counted(self.runs, 'run')}, {trace_size(self)}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the setting, and the final regrets."""
        return trace_card(self)


def row_blocks(runs: int, steps: int, evaluations: int | None = None) -> Iterator[slice]:
    """Yield slices of consecutive runs with at most ``evaluations`` evaluations, but at least one run.

    >>> list(row_blocks(5, 3, 6))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    limit = EVALUATIONS_AT_A_TIME if evaluations is None else evaluations
    together = max(1, limit // max(1, steps))
    for first in range(0, runs, together):
        yield slice(first, min(first + together, runs))
