"""Which part of a study a figure or table shows, and words that figures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from nasbench_lab.analysis.studies.results import Study, Task
from nasbench_lab.analysis.trajectories import TimeAxis
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.trace import REGRETS, RegretKind

_SPLIT_WORDS: dict[RegretKind, str] = {"observed": "observed", "valid": "validation", "test": "test"}

NO_COMMON_TASK = "there is no task on which all strategies ran"
"""Why a study has no figure over tasks."""
_NO_SCALE = f"{NO_COMMON_TASK} and the architectures differ"
_NO_AXIS = "no table with architectures that differ has such an axis"

Quantity = Literal["regret", "value"]
QUANTITIES: tuple[Quantity, ...] = ("regret", "value")
"""What a figure shows: how far from the optimum a search is, or the value itself."""

_Part = TypeVar("_Part")


def computed_only(study: Study) -> bool:
    """Return whether no table of a study has stored answers, so that no regret can be normalised."""
    return all(task.table_kind != "measured" and not np.isfinite([*task.scale.values()]).any() for task in study.tasks)


def chosen_kind(study: Study, kind: str | None) -> RegretKind:
    """Return a kind of regret that the study has: by default its most informative one.

    Raises:
        UnknownNameError: there is no such kind.
        MissingDataError: no task has it.
    """
    if kind is None:
        return study.kind
    known = {name: name for name in REGRETS}
    if kind not in known:
        raise unknown("regret", kind, REGRETS)
    if kind not in study.kinds:
        what = (
            "no table has observed values of all searches"
            if kind == "observed"
            else f"no table has {kind} measurements"
        )
        raise MissingDataError(f"{what}; there are regrets of {', '.join(study.kinds)}")
    return known[kind]


def part_of(parts: Mapping[Any, _Part], key: Any, what: str, *, without_scale: bool = False) -> _Part:
    """Return an entry of a study.

    Args:
        parts: a mapping of the study.
        key: the kind of regret, or a tuple that starts with the kind.
        what: the entry is, for the message.
        without_scale: whether it is missing because the tables compute their answers, see `computed_only`.

    Raises:
        MissingDataError: there is no such entry.
    """
    if key not in parts:
        wanted = " against ".join(key) if isinstance(key, tuple) else key
        reason = {"times to targets": _NO_AXIS, "profiles": _NO_SCALE}.get(what, NO_COMMON_TASK)
        if without_scale:
            reason = "regrets are not normalised where the optimum and the average architecture are not known"
        raise MissingDataError(f"the study has no {what} of {wanted} regret: {reason}")
    return parts[key]


def shown_as_value(task: Task, kind: RegretKind, y: str | None = None) -> bool:
    """Return whether a figure shows the values of a task: they were asked for, or the optimum is not known."""
    return y == "value" or kind in task.without_optimum


def check_optimum(task: Task, kind: RegretKind) -> None:
    """Raise MissingDataError if the optimum of a task is not known, so that it has no regret."""
    if kind in task.without_optimum:
        raise MissingDataError(
            f"the best {task.metric[kind].name} of {task.table} is not known, so there is no {kind} regret; plot "
            "--y value"
        )


def optimum_note(study: Study, places: Sequence[int], kind: RegretKind, y: str | None = None) -> str:
    """Return what a caption says where values stand for regrets, with a semicolon before."""
    tasks = [study.tasks[place] for place in places if kind in study.tasks[place].kinds]
    without = [task.name for task in tasks if kind in task.without_optimum]
    if y == "value" or not without:
        return ""
    where = "" if len(without) == len(tasks) else f" of {', '.join(without)}"
    return f"; the optimum{where} is not known, so values are shown"


def chosen_tasks(study: Study, tasks: Sequence[int | str] | None) -> tuple[int, ...]:
    """Return the positions of tasks given by position, name or table; by default all.

    Raises:
        UnknownNameError: there is no such task.
    """
    if tasks is None:
        return tuple(range(len(study.tasks)))
    found: list[int] = []
    for wanted in tasks:
        same = [n for n, task in enumerate(study.tasks) if wanted in (n, task.name, task.table)]
        if not same:
            raise unknown("task", wanted, [task.name for task in study.tasks])
        found += same
    return tuple(dict.fromkeys(found))


def clock_of(study: Study, places: Sequence[int] | None = None) -> TimeAxis:
    """Return the axis on which the budget of all tasks is spent: evaluations, where tasks differ."""
    clocks = {study.tasks[place].clock for place in (range(len(study.tasks)) if places is None else places)}
    return clocks.pop() if len(clocks) == 1 else "evaluations"


def why_no_curves(study: Study, place: int, kind: RegretKind, axis: TimeAxis) -> str:
    """Return the reason why a study has no curves of a task, in words."""
    task = study.tasks[place]
    if kind not in task.kinds:
        if kind == "observed":
            return "no observed values: a search\ntrained networks itself"
        return f"no {_SPLIT_WORDS[kind]} measurements"
    if axis not in task.axes:
        return "no training times" if axis == "seconds" else "no evaluations"
    return "no curves: every strategy has a run\nthat ended before it had a value"


def names_in(study: Study) -> list[str]:
    """Return all names that figures of a study show."""
    units = (metric.unit for task in study.tasks for metric in task.metric.values())
    return [*study.labels, *(task.name for task in study.tasks), *units]


def runs_in_words(study: Study, tasks: Sequence[int]) -> str:
    """Return how many runs a strategy has on a task, in words.

    >>> from types import SimpleNamespace
    >>> runs_in_words(SimpleNamespace(runs=np.array([[1000, 1000], [0, 200]])), [0, 1])
    '200 to 1,000 runs'
    """
    counts = np.unique(study.runs[:, list(tasks)])
    counts = counts[counts > 0]
    if not len(counts):
        return "no runs"
    least, most = int(counts[0]), int(counts[-1])
    number = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return f"{number} run{'' if most == 1 else 's'}"


def in_words(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> in_words(1, "task"), in_words(1200, "run")
    ('1 task', '1,200 runs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
