"""Auditing a trace against its table: the clock, the budget, and that the search only observed validation.

A comparison with a baseline would miss such errors: a simulator that charges too little for every training, or that
shows test values instead of validation values, can give the same architectures, or better ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation import Trace
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.expected_evaluations import expected_seconds, expected_values

_RELATIVE = 1e-9
"""Relative rounding error that is allowed in sums of seconds and means over repeats."""


def audit_trace(trace: Trace, table: Table, *, pays_for_scores: bool = False, may_stop: bool = True) -> list[str]:
    """Return what is wrong with a trace according to its table, one line each; an empty list if nothing is wrong.

    A search that trained networks itself has no evaluations whose values and seconds a table knows. Of such a trace,
    only the budget and the recommended architectures are audited.

    Args:
        trace: the runs.
        table: the table that was searched.
        pays_for_scores: whether the strategy may spend seconds on scores between evaluations.
        may_stop: whether the strategy may end a run before the budget is used.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table()
    >>> audit_trace(nl.simulate(table, "random-search", runs=9, budget=nl.Budget(evaluations=20)), table)
    []
    """
    if trace.setting.trains_networks:
        return [line for line in (_recommended(trace, table), _own_clock(trace)) if line]
    found = [_observations(trace, table), _recommended(trace, table), _budget(trace, table, pays_for_scores)]
    if not may_stop and trace.stopped.any():
        run = int(np.flatnonzero(trace.stopped)[0])
        found.append(
            f"budget: run {_number(trace, run)} ended itself after {trace.evaluations[run]} evaluations, before its "
            f"budget of {trace.setting.budget}; no run of the baseline did"
        )
    if table.has_times:
        found.append(_clock(trace, table, pays_for_scores))
    return [line for line in found if line]


def _observations(trace: Trace, table: Table) -> str:
    """Check that all observed values are the table's objective for the evaluated architecture, fidelity and repeat."""
    expected = expected_values(trace, table, table.objective.name)
    wrong = trace.mask & ~_close(trace.observed, expected)
    if not wrong.any():
        return ""
    run, step = (int(place[0]) for place in np.nonzero(wrong))
    line = (
        f"observation: run {_number(trace, run)} observed {trace.observed[run, step]:.9g} in evaluation {step + 1}, "
        f"but {table.objective.name} of architecture {trace.architecture[run, step]} is {expected[run, step]:.9g}"
    )
    test = table.description.test
    if test and test != table.objective.name:
        same = _close(trace.observed, expected_values(trace, table, test))
        if same[wrong].all():
            line += f"; the observed value is {test}, which no search may see"
    return line


def _recommended(trace: Trace, table: Table) -> str:
    """Check that all recommendations are architectures of the table."""
    if trace.recommended is None:
        return ""
    outside = trace.mask & ((trace.recommended < -1) | (trace.recommended >= table.space.size))
    text = f"recommends what is not in 0..{table.space.size - 1} of the space"
    return _line("recommendation", trace, outside.sum(axis=1) > 0, text)


def _own_clock(trace: Trace) -> str:
    """Check that the seconds of a search that trained networks itself neither decrease nor exceed the budget."""
    limit = trace.setting.budget.seconds or np.inf
    time = np.where(trace.mask, trace.time, np.inf)
    late = trace.mask & (np.isnan(trace.time) | (time > limit))
    backwards = trace.mask[:, 1:] & (time[:, 1:] < time[:, :-1])
    return _line("budget", trace, late.sum(axis=1) > 0, f"goes on after {limit:g} s") or _line(
        "clock", trace, backwards.sum(axis=1) > 0, "has seconds that decrease"
    )


def _budget(trace: Trace, table: Table, pays_for_scores: bool) -> str:
    """Check that no run has used more than its budget, and that all have used it unless they ended themselves."""
    budget, setting = trace.setting.budget, trace.setting
    counted = trace.evaluations
    one_fidelity = bool((trace.fidelity[trace.mask] == setting.fidelity).all())
    limit = budget.max_evaluations(setting.fidelity) if one_fidelity else budget.evaluations
    if limit is not None and (counted > limit).any():
        return _line("budget", trace, counted > limit, f"has more than the {limit} evaluations that {budget} allow")
    if budget.epochs is not None and not table.description.resumable:  # resumed trainings use fewer epochs
        spent = np.where(trace.mask, trace.fidelity, 0).sum(axis=1) > budget.epochs
        if spent.any():
            return _line("budget", trace, spent, f"trains for more than {budget.epochs} epochs")
    if budget.seconds is None:
        short = (counted < limit) & ~trace.stopped if limit is not None and one_fidelity else np.zeros(trace.runs, bool)
        return _line("budget", trace, short, f"has fewer than the {limit} evaluations that {budget} allow")
    ends = _ends(trace)
    if (ends > budget.seconds).any():
        return _line("budget", trace, ends > budget.seconds, f"goes on after {budget.seconds:g} s")
    if setting.conditions.workers > 1 or pays_for_scores or not table.has_times:
        return ""
    longest = float(np.nanmax(table.cost(setting.fidelity)))
    early = (ends + longest < budget.seconds) & ~trace.stopped
    if limit is not None:
        early &= counted < limit
    return _line("budget", trace, early, f"ends more than the longest evaluation before {budget.seconds:g} s")


def _clock(trace: Trace, table: Table, pays_for_scores: bool) -> str:
    """Check the seconds of the evaluations: each with one worker, their sum at least with several workers."""
    charge = expected_seconds(trace, table)
    unknown = trace.mask & np.isnan(charge.most)
    if unknown.any():
        return ""
    if np.isnan(trace.time[trace.mask]).any():
        return "clock: the table has times, but some evaluations took none"
    if trace.setting.conditions.workers > 1:
        done = np.where(trace.mask, charge.least, 0.0).sum(axis=1)
        fast = _ends(trace) * trace.setting.conditions.workers < done * (1 - _RELATIVE)
        return _line("clock", trace, fast, f"did more than {trace.setting.conditions.workers} workers can in its time")
    took = np.diff(trace.time, axis=1, prepend=0.0)
    slack = _RELATIVE * np.abs(trace.time)
    wrong = trace.mask & (took < charge.least - slack)
    if not pays_for_scores:
        wrong |= trace.mask & (took > charge.most + slack)
    if not wrong.any():
        return ""
    run, step = (int(place[0]) for place in np.nonzero(wrong))
    return (
        f"clock: evaluation {step + 1} of run {_number(trace, run)} took {took[run, step]:.9g} s; the table charges "
        f"{_between(charge.least[run, step], charge.most[run, step])} s for it"
    )


def _between(least: float, most: float) -> str:
    return f"{most:.9g}" if least == most else f"from {least:.9g} to {most:.9g}"


def _ends(trace: Trace) -> FloatArray:
    return np.where(trace.mask, trace.time, 0.0).max(axis=1, initial=0.0)


def _line(what: str, trace: Trace, wrong: NDArray[np.bool_], text: str) -> str:
    """Return a line on the first wrong run, or an empty text if there is none."""
    runs = np.flatnonzero(wrong)
    return f"{what}: run {_number(trace, int(runs[0]))} {text} ({len(runs)} of {trace.runs} runs)" if len(runs) else ""


def _number(trace: Trace, run: int) -> int:
    return trace.setting.first_run + run


def _close(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    return np.isclose(one, other, rtol=_RELATIVE, atol=0.0, equal_nan=True)
