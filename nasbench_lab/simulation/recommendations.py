"""Recommendations of searches that train networks themselves, as the parts of a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.computed_measurements import measurements_of
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.measurements import MEAN, AnyMeasurements
from nasbench_lab.simulation.objectives import AnyGoals
from nasbench_lab.simulation.reference import reference_of
from nasbench_lab.simulation.run_arrays import index_type
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.steps.arrange import Arranged
from nasbench_lab.simulation.steps.options import name_of_strategy
from nasbench_lab.streams import check_seed
from nasbench_lab.tables.any_table import AnyTable

RECOMMENDATIONS = "recommendations"
"""Stored as ``training["format"]`` of every trace that was made of recommendations."""

CLOCK_SCALE = "clock_scale"
"""Key in ``training``: the factor from the seconds measured to those on the clock of the table."""


class Searcher(NamedTuple):
    """What a setting says about a strategy: name, label (None for the name), parameters and version."""

    name: str
    label: str | None
    parameters: Mapping[str, Any] | None
    version: int


def arranged_recommendations(
    recommended: Any,
    seconds: Any,
    table: AnyTable,
    searcher: Searcher,
    conditions: Conditions | None,
    *,
    first_run: int = 0,
    training: Mapping[str, Any] | None = None,
) -> Arranged:
    """Return recommendations as the parts of a trace; `Trace.from_recommendations` describes the arguments.

    Raises:
        ParameterError: the arrays contradict themselves or the table, or an argument is not allowed.
        MissingDataError: the table lacks what the conditions need.
        UnknownNameError: the table has no such fidelity or metric.
    """
    time = _seconds(seconds)
    architecture = _architectures(recommended, time, table)
    if conditions is None:
        measurements, goals = measurements_of(table, None, "sample"), None
        resolved = Conditions(_last_second(time), measurements.fidelity, measurements.repeat)
    else:
        resolved, measurements, goals = _on_table(conditions, table)
    runs = len(time)
    check_seed(resolved.seed, whole("first_run", first_run), runs)
    setting = Setting(
        table=table.name,
        checksum=table.checksum,
        strategy=name_of_strategy(searcher.name),
        version=whole("version", searcher.version, AtLeast(1)),
        label=name_of_strategy(searcher.name if searcher.label is None else searcher.label),
        parameters=_plain("parameters", searcher.parameters),
        conditions=resolved,
        first_run=int(first_run),
        objective=table.objective,
        training={"format": RECOMMENDATIONS, **_training(training)},
    )
    arrays = _arrays(architecture, time, resolved.stated_budget, index_type(table.space.size))
    reference = reference_of(table, measurements, goals, lambda: arrays["architecture"])
    return Arranged(setting, reference, arrays, ())


def _arrays(
    architecture: IntArray, time: FloatArray, budget: Budget, dtype: type[np.signedinteger[Any]]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a trace: the steps within the budget."""
    assert budget.seconds is not None  # noqa: S101 - checked before
    mask = time <= budget.seconds  # False for NaN
    steps = int(mask.sum(axis=1).max(initial=0))
    mask = mask[:, :steps]
    kept = np.where(mask, architecture[:, :steps], -1).astype(dtype)
    arrays: dict[str, NDArray[Any]] = {
        "architecture": kept,
        "fidelity": np.zeros(mask.shape, dtype=np.int32),
        "repeat": np.full(mask.shape, MEAN, dtype=np.int16),
        "observed": np.full(mask.shape, np.nan),
        "time": np.where(mask, time[:, :steps], np.nan),
        "mask": mask,
        "recommended": kept,
    }
    # In memory, one step of all runs is contiguous, as in the traces of simulations.
    found = {name: np.asfortranarray(array) for name, array in arrays.items()}
    return {**found, "stopped": np.zeros(len(mask), dtype=bool)}


def _seconds(seconds: Any) -> FloatArray:
    """Return the seconds as floats, shape (runs, steps); NaN only after the last step of a run."""
    time = _matrix("seconds", seconds)
    if time.dtype.kind not in "fiu":
        raise ParameterError(f"seconds must be numbers, got an array of {time.dtype}")
    time = time.astype(np.float64)
    ended = np.isnan(time)
    if (ended[:, :-1] & ~ended[:, 1:]).any() or ended[:, :1].any():
        run, _ = _first(ended[:, :1] if ended[:, :1].any() else ended[:, :-1] & ~ended[:, 1:])
        raise ParameterError(f"seconds of run {run} have a NaN before its last step; NaN is for steps after the end")
    wrong = np.isinf(time) | (time < 0)
    if wrong.any():
        run, step = _first(wrong)
        raise ParameterError(
            f"seconds must be finite and not negative, got {time[run, step]:g} in run {run}, step {step}"
        )
    falls = time[:, 1:] < time[:, :-1]
    if falls.any():
        run, step = _first(falls)
        raise ParameterError(
            f"seconds must not decrease, got {time[run, step + 1]:g} after {time[run, step]:g} in run {run}"
        )
    return time


def _architectures(recommended: Any, time: FloatArray, table: AnyTable) -> IntArray:
    """Return the recommendations as indices, -1 after the end of a run."""
    found = _matrix("recommended", recommended)
    if found.dtype.kind not in "iu":
        raise ParameterError(f"recommended must be indices of architectures, got an array of {found.dtype}")
    if found.shape != time.shape:
        raise ParameterError(f"recommended and seconds must have one shape, got {found.shape} and {time.shape}")
    size, there = table.space.size, ~np.isnan(time)
    outside = there & ((found < -1) | (found >= size))
    if outside.any():
        run, step = _first(outside)
        raise ParameterError(
            f"recommended[{run}, {step}] must be an index from 0 to {size - 1}, or -1 for none yet, "
            f"got {found[run, step]}"
        )
    found = np.where(there, found, -1).astype(np.int64)
    lost = there[:, 1:] & (found[:, 1:] < 0) & (found[:, :-1] >= 0)
    if lost.any():
        run, step = _first(lost)
        raise ParameterError(f"run {run} recommends nothing (-1) in step {step + 1}, after a recommendation")
    return found


def _matrix(name: str, given: Any) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.ndim != 2 or not array.size:
        raise ParameterError(f"{name} must be an array of shape (runs, steps), got {shortened(given)}")
    return array


def _first(found: NDArray[np.bool_]) -> tuple[int, int]:
    run, step = np.argwhere(found)[0].tolist()
    return run, step


def _last_second(time: FloatArray) -> Budget:
    last = float(np.nanmax(time))
    if last <= 0:
        raise ParameterError("seconds must be above 0 in the last step, or a budget must be given in conditions")
    return Budget(seconds=last)


def _on_table(conditions: Any, table: AnyTable) -> tuple[Conditions, AnyMeasurements, AnyGoals | None]:
    prepared = needs_seconds(conditions).on(table)
    return prepared.conditions, prepared.measurements, prepared.goals


def needs_seconds(conditions: Any) -> Conditions:
    """Return conditions if their budget is in seconds.

    Raises:
        ParameterError: they are something else, or their budget is in evaluations.
    """
    if not isinstance(conditions, Conditions):
        raise ParameterError(f"conditions must be Conditions, such as Conditions(budget), got {shortened(conditions)}")
    if conditions.stated_budget.seconds is None:
        raise ParameterError(
            "a search that trains networks itself is compared by seconds, so its budget must be in seconds; "
            f"got {conditions.stated_budget}"
        )
    return conditions


def _training(training: Any) -> dict[str, Any]:
    known = _plain("training", training)
    for scale in _as_list(known.get(CLOCK_SCALE, 1.0)):
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < float("inf"):
            raise ParameterError(f"{CLOCK_SCALE} must be a number above 0, got {shortened(scale)}")
    return known


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(name: str, given: Any) -> dict[str, Any]:
    """Return a mapping as plain data, as it is after it was stored."""
    if given is not None and not isinstance(given, Mapping):
        raise ParameterError(f"{name} must map names to plain values, got {shortened(given)}")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(given or {}), default=_scalar))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must be plain data that JSON can store: {error}") from None
    return plain


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"it contains {shortened(value)}")
