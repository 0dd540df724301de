"""Tasks: which simulations belong to the same task, and the names of tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasbench_lab.analysis.random_baseline import random_value
from nasbench_lab.analysis.studies.results import Task
from nasbench_lab.analysis.trajectories import TIME_AXES, TimeAxis, Trajectories
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.combined_results import REMEDY
from nasbench_lab.simulation.reference import Reference
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import REGRETS, RegretKind
from nasbench_lab.spaces import make_space

_SHARED = ("table", "checksum", "fidelity", "repeat", "budget", "workers", "objective", "objectives", "limits")
"""Fields that the simulations of a task share. They differ in strategy and seed."""

_CHECKSUM_LENGTH = 8


@dataclasses.dataclass(frozen=True)
class Group:
    """The simulations of one task.

    Attributes:
        name: of the task.
        numbers: of each strategy's simulation, None for a strategy that did not run on the task, shape (S,).
    """

    name: str
    numbers: tuple[int | None, ...]


def group(settings: Sequence[Setting]) -> tuple[tuple[str, ...], list[Group]]:
    """Return the labels of the strategies and the tasks, both in order of appearance.

    Raises:
        ParameterError: there are no results, or a strategy ran twice on a task (for example with different seeds).
    """
    if not settings:
        raise ParameterError("there are no results to study")
    labels = tuple(dict.fromkeys(setting.label for setting in settings))
    groups: dict[str, dict[str, int]] = {}
    for number, setting in enumerate(settings):
        members = groups.setdefault(repr([_shared(setting, field) for field in _SHARED]), {})
        if setting.label in members:
            what = f"strategy {setting.label!r} ran twice on table {setting.table!r} with one setting"
            raise ParameterError(f"{what}; {REMEDY}")
        members[setting.label] = number
    members_of = list(groups.values())
    names = _names([settings[min(members.values())] for members in members_of])
    return labels, [
        Group(name, tuple(members.get(label) for label in labels))
        for name, members in zip(names, members_of, strict=True)
    ]


def describe(
    name: str,
    setting: Setting,
    reference: Reference,
    found: Sequence[Trajectories],
    best: Mapping[RegretKind, float] | None = None,
) -> Task:
    """Return the description of a task.

    Args:
        name: of the task.
        setting: of any of its simulations.
        reference: the table's means of all architectures.
        found: the trajectories of all strategies that ran.
        best: the lowest loss of each kind whose optimum is not known, see `Trajectories.without_optimum`.
    """
    best = best or {}
    kinds: tuple[RegretKind, ...] = tuple(kind for kind in REGRETS if all(kind in each.regrets for each in found))
    timed = all("seconds" in each.times for each in found) and any(each.end("seconds") > 0 for each in found)
    counted = any("evaluations" in each.times for each in found)
    axes = tuple(axis for axis in TIME_AXES if (counted if axis == "evaluations" else timed))
    clock = clock_of(setting.budget, axes)
    compared: list[RegretKind] = [kind for kind in kinds if kind != "observed"]
    random = {kind: random_value(reference, kind) for kind in compared}
    gaps = {kind: float(reference.regret(kind, np.array(random[kind]))) for kind in compared}
    without = tuple(kind for kind in kinds if any(kind in each.without_optimum for each in found))
    optimum = {kind: reference.observable if kind == "observed" else reference.optimum(kind) for kind in kinds}
    metric = {kind: setting.objective if kind == "observed" else reference.metrics[kind] for kind in kinds}
    for kind in without:
        optimum[kind] = best[kind] if metric[kind].direction == "minimize" else -best[kind]
    return Task(
        name=name,
        table=setting.table,
        checksum=setting.checksum,
        conditions=dataclasses.replace(setting.conditions, seed=0),
        objective=setting.objective,
        kinds=kinds,
        axes=axes,
        clock=clock,
        horizon=max(each.end(clock) for each in found),
        searched_on_test=setting.objective.split == "test",
        metric=metric,
        optimum=optimum,
        random_value=random,
        scale={kind: gaps[kind] if kind in gaps and gaps[kind] > 0 else float("nan") for kind in kinds},
        architectures=_size(reference),
        space=reference.space,
        table_kind=reference.kind,
        without_optimum=without,
    )


def _size(reference: Reference) -> int:
    """Return the number of architectures of the space."""
    if reference.members is None:
        return len(next(iter(reference.means.values())))
    try:
        return make_space(reference.space).size
    except NasbenchLabError:  # a space of a package that is not installed here
        return len(reference.members)


def clock_of(budget: Budget, axes: Sequence[TimeAxis]) -> TimeAxis:
    """Return the axis on which a budget is spent. A budget in epochs alone is shown in seconds if there are any.

    >>> clock_of(Budget(evaluations=10), ["evaluations", "seconds"]), clock_of(Budget(epochs=10), ["evaluations"])
    ('evaluations', 'evaluations')
    """
    in_seconds = budget.seconds is not None or budget.evaluations is None
    return "seconds" if in_seconds and "seconds" in axes else "evaluations"


def _names(settings: Sequence[Setting]) -> list[str]:
    """Return the names of tasks: the table, and for several tasks on one table also their differences."""
    tables = [setting.table for setting in settings]
    names = []
    for setting in settings:
        same = [other for other in settings if other.table == setting.table]
        parts = [
            _part(field, _shared(setting, field))
            for field in _SHARED[1:]
            if any(_shared(other, field) != _shared(setting, field) for other in same)
        ]
        names.append(f"{setting.table} ({', '.join(parts)})" if tables.count(setting.table) > 1 else setting.table)
    return names


def _shared(setting: Setting, field: str) -> Any:
    """Return a field of a setting or of its conditions."""
    return getattr(setting if hasattr(setting, field) else setting.conditions, field)


def _part(field: str, value: Any) -> str:
    """Return a field that distinguishes a task from another, in words."""
    if field == "checksum":
        return f"content {value[:_CHECKSUM_LENGTH] or 'unknown'}"
    if field == "fidelity":
        return f"{value} epochs each"
    if field == "budget":
        return str(value)
    if field == "workers":
        return f"{value} workers" if value > 1 else "1 worker"
    if field == "repeat":
        return {"sample": "sampled repeats", "mean": "mean of repeats"}.get(str(value), f"repeat {value}")
    if field == "objective":
        return f"on {value.name}"
    if field == "objectives":
        return f"also {' and '.join(value)}" if value else "one objective"
    return " and ".join(f"{name} limit {limit:g}" for name, limit in value.items()) or "no limits"
