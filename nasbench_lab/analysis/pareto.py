"""Several objectives: the Pareto front of each run, and the share of the table's true front that it covers.

Like incumbents, fronts are chosen by observed values and judged by means over repeats. The front of a run consists of
the evaluated architectures that no other evaluated architecture dominates, by observed value and further objectives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.trace import Trace

Split = Literal["valid", "test"]

_FIRST_SLOTS = 8


@dataclass(frozen=True, eq=False)
class ParetoFronts:
    """Which evaluations were on the Pareto front of their run, and until when.

    Attributes:
        entered: whether no earlier evaluation dominates or equals the evaluation, shape (runs, steps).
        left: step of the later evaluation that dominates it and so removed it from the front; the number of steps where
            there is none, and the evaluation's own step where it never was on the front. Shape (runs, steps).
    """

    entered: NDArray[np.bool_]
    left: IntArray

    def at(self, step: int) -> NDArray[np.bool_]:
        """Return which evaluations were on the front after a step (0 is the first), shape (runs, steps)."""
        return self.entered & (np.arange(self.entered.shape[1]) <= step) & (self.left > step)


def pareto_fronts(trace: Trace) -> ParetoFronts:
    """Return the Pareto front of every run over time, by observed values and the further objectives of the search.

    Failed trainings, architectures with an unknown objective, and those that break a limit are never on a front. Only
    evaluations at the highest fidelity count, as values at different fidelities do not compare.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "nsga-ii", runs=2, objectives=["parameters"],
    ...                     budget=nl.Budget(evaluations=40))
    >>> on_front = pareto_fronts(trace).at(39)
    >>> on_front.shape, bool((on_front.sum(axis=1) > 1).all())
    ((2, 40), True)
    """
    entered = np.zeros((trace.runs, trace.steps), dtype=bool)
    left = np.broadcast_to(np.arange(trace.steps), entered.shape).copy()
    before = np.full((_FIRST_SLOTS, trace.runs), -1)
    for step, entering, slots in _archives(_observed_points(trace)):
        removed = before[:, entering]
        gone = (removed >= 0) & (slots[: len(before), entering] != removed)
        left[np.broadcast_to(entering, gone.shape)[gone], removed[gone]] = step
        entered[entering, step] = True
        left[entering, step] = trace.steps
        before = slots.copy()
    return ParetoFronts(entered, left)


def relative_hypervolume(trace: Trace, split: Split = "test", reference: Sequence[float] | None = None) -> FloatArray:
    """Return the share of the true front's hypervolume that the front of each run covers after each evaluation.

    Fronts are chosen as in `pareto_fronts`. Their architectures are then judged by their mean validation or test values
    at the highest fidelity, with the other objectives as they are. So the share can fall, just as test regret can rise,
    when an architecture enters the front by a lucky observation.

    Args:
        trace: the runs.
        split: by which means architectures are judged, ``"valid"`` or ``"test"``.
        reference: the point from which the hypervolume is measured, in the units of the metrics: first the split's,
            then the further objectives. By default the worst value in each objective of any architecture of the table
            (that keeps the limits), so that every architecture can count.

    Returns:
        Shape (runs, steps), from 0 to 1 where only architectures of the table are judged; 0 before the first value,
        NaN after the end of the run.

    Raises:
        UnknownNameError: there is no such split.
        MissingDataError: the table publishes no measurements of that split.
        ParameterError: the reference has another number of objectives, or the true front covers nothing.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "nsga-ii", runs=9, objectives=["parameters"],
    ...                     budget=nl.Budget(evaluations=100))
    >>> share = relative_hypervolume(trace)
    >>> share.shape, bool(np.median(share[:, -1]) > np.median(share[:, 19]))
    ((9, 100), True)
    """
    points = _judged_points(trace, split)
    signs = _signs(trace, split)
    if reference is None:
        corner = np.fmin.reduce(points, axis=0, initial=np.nan)
    else:
        corner = np.asarray(reference, dtype=np.float64)
        if corner.shape != signs.shape:
            raise ParameterError(f"the reference must have {len(signs)} objectives, got shape {corner.shape}")
        corner = signs * corner
    whole = hypervolume(points[non_dominated(points)], corner)
    if not whole > 0:
        raise ParameterError("the true front covers nothing: no architecture is better than the reference in all")
    covered = np.zeros((trace.steps, trace.runs))
    last = np.zeros(trace.runs)
    done = 0
    architecture = trace.architecture.T
    for step, entering, slots in _archives(_observed_points(trace)):
        covered[done:step] = last
        done = step
        held = slots[:, entering]
        found = points[architecture[np.maximum(held, 0), entering]]
        found[held < 0] = np.nan
        last[entering] = hypervolume(np.moveaxis(found, 0, 1), corner) / whole
    covered[done:] = last
    return np.where(trace.mask, covered.T, np.nan)


def true_front(trace: Trace, split: Split = "test") -> IntArray:
    """Return the architectures that no other of the table dominates, by mean values, ascending.

    Of architectures that are equal in all objectives, only the first. With limits, only those that keep them.

    Raises:
        UnknownNameError: there is no such split.
        MissingDataError: the table publishes no measurements of that split.
    """
    return np.flatnonzero(non_dominated(_judged_points(trace, split)))


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Return which points no other one dominates, shape (n, objectives) to (n,); higher is better.

    Of equal points only the first counts, and points with a NaN never do. In lexicographic order the first point is
    not dominated; it is taken, what it dominates is left out, and so on: O(objectives n f) operations for f points on
    the front, and O(n log n) to sort.

    >>> non_dominated([[3, 1], [1, 3], [1, 1], [3, 1], [2, 2]]).tolist()
    [True, True, False, False, True]
    """
    array = np.asarray(points, dtype=np.float64)
    order = np.lexsort(-array.T[::-1])
    rest = order[~np.isnan(array[order]).any(axis=1)]
    found = np.zeros(len(array), dtype=bool)
    while len(rest):
        best = rest[0]
        found[best] = True
        rest = rest[(array[rest] > array[best]).any(axis=1)]
    return found


def hypervolume(points: ArrayLike, reference: ArrayLike) -> FloatArray:
    """Return the volume that sets of points dominate, as far as it is better than a reference point; exact.

    The measure of the union of the boxes between the reference r and every point p (Zitzler and Thiele, IEEE
    Transactions on Evolutionary Computation 1999), higher is better:

        HV = volume( union over p of [r_1, p_1] x ... x [r_m, p_m] )

    Points that are not better than the reference in all objectives, dominated points and points with a NaN add
    nothing. With two objectives the points are sorted and strips added, O(n log n); with each further objective the
    volume is cut into slices between the values of the last one, n times as many operations (While, Hingston, Barone
    and Huband, IEEE Transactions on Evolutionary Computation 2006).

    Args:
        points: sets of n points, shape (..., n, objectives).
        reference: shape (objectives,), or broadcasting against (..., objectives).

    Returns:
        Shape (...).

    >>> float(hypervolume([[3, 1], [1, 3], [2, 2]], [0, 0]))
    6.0
    >>> hypervolume([[[2, 2, 2], [1, 3, 1]], [[1, 1, 1], [np.nan, 1, 1]]], [0, 0, 0]).tolist()
    [9.0, 1.0]
    """
    array, corner = np.asarray(points, dtype=np.float64), np.asarray(reference, dtype=np.float64)[..., None, :]
    extent = array - corner
    counts = (extent > 0).all(axis=-1, keepdims=True)
    return _volume(np.where(counts, extent, 0.0))


def _volume(extent: FloatArray) -> FloatArray:
    """Return the volume of the union of boxes from the origin, shape (..., n, objectives) to (...)."""
    if not extent.shape[-2]:
        return np.zeros(extent.shape[:-2])
    order = np.argsort(-extent[..., 0], axis=-1, kind="stable")
    most = int((extent[..., 0] > 0).sum(axis=-1).max())  # boxes of no size come last
    ordered = np.take_along_axis(extent, order[..., : max(most, 1), None], axis=-2)
    return _volume_of_sorted([np.ascontiguousarray(column) for column in np.moveaxis(ordered, -1, 0)])


def _volume_of_sorted(columns: list[FloatArray]) -> FloatArray:
    """Return the volume of the union of boxes given by their extents in every objective, descending in the first."""
    first, last = columns[0], columns[-1]
    if len(columns) == 1:
        return first[..., 0]
    if len(columns) == 2:
        height = np.maximum.accumulate(last, axis=-1)
        # Added one after the other, so that boxes of no size at the end do not change a bit of the sum.
        return np.cumsum(first * np.diff(height, axis=-1, prepend=0.0), axis=-1)[..., -1]
    level = -np.sort(-last, axis=-1)
    thickness = -np.diff(level, axis=-1, append=0.0)
    total = np.zeros(first.shape[:-1])
    for place in range(first.shape[-1]):
        reaching = np.where(last >= level[..., place, None], columns[-2], 0.0)
        total += thickness[..., place] * _volume_of_sorted([*columns[:-2], reaching])
    return total


def _signs(trace: Trace, split: Split) -> FloatArray:
    """Return 1 for each objective to be maximised and -1 for the others; the objective of the split comes first."""
    trace.reference.mean(split)  # raises where there is no such split
    metrics = [trace.reference.metrics[name] for name in (split, *trace.setting.conditions.objectives)]
    return np.array([-1.0 if metric.direction == "minimize" else 1.0 for metric in metrics])


def _judged_points(trace: Trace, split: Split) -> FloatArray:
    """Return the mean objectives of all architectures, higher is better, shape (architectures, objectives).

    NaN in all objectives where one is unknown, or where a limit is broken.
    """
    if trace.reference.members is not None:
        raise MissingDataError(f"the Pareto front of {trace.setting.table} is not known: it computes its answers")
    means = [
        trace.reference.mean(split),
        *(trace.reference.means[name] for name in trace.setting.conditions.objectives),
    ]
    points = np.stack(means, axis=1) * _signs(trace, split)
    unknown = np.isnan(points).any(axis=1)
    if trace.reference.feasible is not None:
        unknown |= ~trace.reference.feasible
    points[unknown] = np.nan
    return points


def _observed_points(trace: Trace) -> FloatArray:
    """Return the objectives of all evaluations as the strategy saw them, shape (objectives, steps, runs).

    NaN where an evaluation cannot be on a front.
    """
    where = trace.architecture.T
    points = [-trace.observed.T if trace.setting.objective.direction == "minimize" else trace.observed.T]
    for name in trace.setting.conditions.objectives:
        sign = -1.0 if trace.reference.metrics[name].direction == "minimize" else 1.0
        points.append(sign * trace.reference.at(name, where))
    counts = trace.mask.T & (trace.setting.fidelity == trace.fidelity.T)
    counts &= trace.reference.keeps_limits(where)
    return np.where(counts, np.stack(points), np.nan)


def _archives(points: FloatArray) -> Iterator[tuple[int, IntArray, IntArray]]:
    """Follow the fronts of all runs over the steps.

    Args:
        points: shape (objectives, steps, runs).

    Yields:
        Each step at which a front changed; the runs whose front changed; and the steps of the evaluations on the fronts
        of all runs, shape (slots, runs), -1 for an empty slot. This array is changed in place, and may get more slots.
    """
    objectives, steps, runs = points.shape
    slots = np.full((_FIRST_SLOTS, runs), -1)
    values = np.full((objectives, _FIRST_SLOTS, runs), np.nan)  # NaN is neither better nor worse than anything
    for step in range(steps):
        new = points[:, step]
        beaten = (values >= new[:, None]).all(axis=0).any(axis=0)
        enters = ~beaten & ~np.isnan(new).any(axis=0)
        entering = np.flatnonzero(enters)
        if not len(entering):
            continue
        worse = (values <= new[:, None]).all(axis=0) & enters
        slots[worse] = -1
        values[:, worse] = np.nan
        if (slots[:, entering] >= 0).all(axis=0).any():
            slots = np.concatenate([slots, np.full_like(slots, -1)])
            values = np.concatenate([values, np.full_like(values, np.nan)], axis=1)
        free = (slots[:, entering] < 0).argmax(axis=0)
        slots[free, entering] = step
        values[:, free, entering] = new[:, entering]
        yield step, entering, slots
