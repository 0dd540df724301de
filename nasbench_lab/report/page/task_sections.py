"""The section of a task on the page: the answer, facts, final results, targets, and the architectures found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from nasbench_lab.analysis.studies.results import Study, TargetTimes
from nasbench_lab.report.axis_names import axis_words
from nasbench_lab.report.incumbent_words import kind_name
from nasbench_lab.report.page.answers import PageAnswer, best_first, task_answer
from nasbench_lab.report.page.cards import Card, found_cards
from nasbench_lab.report.page.figure_commands import architecture_command
from nasbench_lab.report.page.final_results import final_table
from nasbench_lab.report.page.numbers import column, short, with_unit
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table, sort_key
from nasbench_lab.simulation.trace import RegretKind

_MOST_TARGETS = 3


@dataclasses.dataclass(frozen=True)
class TaskSection:
    """The section of a task.

    Attributes:
        name: of the task.
        answer: who is first; None without a comparison.
        facts: names and values.
        tables: what runs ended with, and when they reached targets.
        cards: architectures found.
        command: that draws the best of them; empty if there is none.
    """

    name: str
    answer: PageAnswer | None
    facts: tuple[tuple[str, str], ...]
    tables: tuple[PageTable, ...]
    cards: tuple[Card, ...]
    command: str


def task_details(study: Study, source: str = "RESULTS") -> Iterator[TaskSection]:
    """Yield the sections of all tasks, with commands for results at a path."""
    summaries = iter(study.summaries)
    for place, task in enumerate(study.tasks):
        ran = [number for number in range(len(study.labels)) if study.runs[number, place] > 0]
        summary = {number: next(summaries) for number in ran}
        kind = study.kind if study.kind in task.kinds else task.kinds[-1]
        members = best_first(study, kind, place, ran)
        rows = [summary[number] for number in members]
        tables = [final_table(study, place, kind, members, rows), _targets(study, place, kind, members)]
        yield TaskSection(
            task.name,
            task_answer(study, kind, place),
            _facts(study, place),
            tuple(table for table in tables if table),
            tuple(found_cards(study, place, kind)),
            architecture_command(source, study, place),
        )


def _facts(study: Study, place: int) -> tuple[tuple[str, str], ...]:
    task = study.tasks[place]
    conditions = task.conditions
    workers = f", {conditions.workers} workers" if conditions.workers > 1 else ""
    facts = [
        (
            "searched on",
            f"{task.objective.name} ({task.objective.unit}), {conditions.fidelity} epochs, repeat: {conditions.repeat}",
        ),
        ("budget per run", f"{conditions.budget}{workers}"),
        ("architectures", f"{task.architectures:,}"),
    ]
    if task.table_kind != "measured":
        facts.insert(0, ("table", task.table_kind))
    for kind in task.kinds:
        text = with_unit(short(task.optimum[kind], 5), task.unit(kind))
        if math.isfinite(task.random_value.get(kind, math.nan)):
            text += f"; the average architecture has {short(task.random_value[kind], 5)}"
        name = kind_name(study, kind, place)
        facts.append((f"best found, {name}" if kind in task.without_optimum else f"optimum, {name}", text))
    if conditions.objectives:
        facts.append(("further objectives", ", ".join(conditions.objectives)))
    if conditions.limits:
        facts.append(("limits", ", ".join(f"{name} {limit:g}" for name, limit in conditions.limits.items())))
    return tuple(facts)


def _targets(study: Study, place: int, kind: RegretKind, members: Sequence[int]) -> PageTable | None:
    """Return the table of times to targets; None without targets."""
    task = study.tasks[place]
    times = study.times.get((kind, task.clock))
    if times is None or not np.isfinite(task.scale.get(kind, math.nan)):
        return None
    columns = []
    for target in _some_targets(times):
        goal = float(times.targets[target]) * task.scale[kind]
        heading = f"regret ≤ {with_unit(short(goal, 2), task.unit(kind))}" if goal else "the optimum"
        expected = times.expected[members, place, target].tolist()
        shares = [
            f"{short(100 * share, 2)} %" if math.isfinite(share) else ""
            for share in times.reached[members, place, target]
        ]
        cells = [
            PageCell(text, sort_key(value), f"({share})" if share else "", below=False)
            for text, value, share in zip(column(expected), expected, shares, strict=True)
        ]
        columns.append((PageColumn(heading, "ascending", kind="wrapped"), cells))
    if not any(math.isfinite(float(cell.value or "nan")) for _, cells in columns for cell in cells):
        return None
    caption = (
        f"Expected {axis_words(study, times.axis, [place])} until a restarted search first reaches a target, "
        "and the share of runs that reached it."
    )
    if kind != "observed":
        caption += (
            f" A target stays reached, but the {kind_name(study, kind, place)} of an incumbent can rise again: this "
            "favours strategies that change their incumbent often."
        )
    rows = [(study.labels[number], number) for number in members]
    return make_table(caption, PageColumn("strategy", "ascending", kind="text"), columns, rows)


def _some_targets(times: TargetTimes) -> list[int]:
    count = len(times.targets)
    return sorted(
        {round(number * (count - 1) / (_MOST_TARGETS - 1)) for number in range(_MOST_TARGETS)} if count else []
    )
