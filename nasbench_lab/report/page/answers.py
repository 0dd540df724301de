"""The answers at the top of the page and of each task: which strategy is first, and whether that is significant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from nasbench_lab.analysis.studies.leaders import FirstGroup, first_group
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.first_in_words import leaders_in_words, names_in_words
from nasbench_lab.report.incumbent_words import kind_name
from nasbench_lab.report.page.numbers import NONE, fixed
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table, sort_key
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.simulation.trace import RegretKind

MARKS = {"first": "first", "same": "not distinguishable", "worse": "significantly worse"}
"""Marks of strategies, and their texts."""


@dataclasses.dataclass(frozen=True)
class PageAnswer:
    """Who is first, in words and as groups.

    Attributes:
        sentence: the answer.
        groups: heading, mark and strategies of each group; empty if nothing is known.
        notes: further sentences.
        marks: by strategy, a key of `MARKS`; empty if nothing is known.
    """

    sentence: str
    groups: tuple[tuple[str, str, tuple[int, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    marks: dict[int, str] = dataclasses.field(default_factory=dict)


def answer_of(study: Study, found: FirstGroup) -> PageAnswer:
    """Return the answer of a comparison."""
    if found.finding in ("alone", "too few"):
        return PageAnswer(leaders_in_words(study, found), notes=tuple(_failures(study, found)))
    parts = (
        ("First", "first", found.first),
        ("Not distinguishable from the first", "same", found.same),
        ("Significantly worse", "worse", found.worse),
    )
    groups = tuple(part for part in parts if part[2])
    marks = {strategy: mark for _, mark, members in groups for strategy in members}
    return PageAnswer(leaders_in_words(study, found), groups, tuple(_failures(study, found)), marks)


def main_answer(study: Study) -> PageAnswer:
    """Return the answer over all tasks; a sentence that says why, if there is none."""
    try:
        found = first_group(study)
    except MissingDataError:
        return PageAnswer(
            "No task was searched by all strategies, so they cannot be ranked together. See each task below."
        )
    answer = answer_of(study, found)
    if len(found.tasks) < 2 or found.finding == "alone":
        return answer
    return dataclasses.replace(answer, notes=(_on_single_tasks(study, found), *answer.notes))


def task_answer(study: Study, kind: RegretKind, place: int) -> PageAnswer | None:
    """Return the answer on a task; None without a comparison."""
    try:
        return answer_of(study, first_group(study, kind, place))
    except MissingDataError:
        return None


def best_first(study: Study, kind: RegretKind, place: int, ran: Sequence[int]) -> tuple[int, ...]:
    """Return the strategies that ran on a task, best first where they can be compared."""
    try:
        return first_group(study, kind, place).order
    except MissingDataError:
        return tuple(ran)


def against_first(
    study: Study, kind: RegretKind, place: int, order: Sequence[int]
) -> tuple[PageColumn, list[PageCell]]:
    """Return the column that compares the runs of every strategy on a task with those of the first.

    Args:
        study: the study.
        kind: of regret.
        place: of the task.
        order: strategies of the rows.
    """
    found = first_group(study, kind, place)
    marks, first = answer_of(study, found).marks, found.first[0]
    name = study.labels[first]
    about = (
        f"probability that a run of {name} ends better than one of this strategy; ties count half. The words below "
        f"the number come from the test of it: Mann-Whitney, Holm-adjusted over all pairs, level {1 - study.level:.2g}"
    )
    values = [float(study.pairwise[kind].a12[first, strategy, place]) for strategy in order]
    cells = [
        PageCell(NONE if strategy == first else fixed(value, 2), sort_key(value), mark=marks.get(strategy, ""))
        for strategy, value in zip(order, values, strict=True)
    ]
    return PageColumn("P(first is better)", "ascending", about, kind="wrapped"), cells


def answers_by_task(study: Study) -> PageTable | None:
    """Return the table of who is first on each task; None for a single task or strategy."""
    found = [(place, one) for place, one in _by_task(study) if one.finding != "alone"]
    if len(study.tasks) < 2 or not found:
        return None
    cells: dict[str, list[PageCell]] = {
        heading: [] for heading in ("first", "not distinguishable", "significantly worse")
    }
    for _, one in found:
        unknown = one.finding == "too few"
        for heading, members in zip(cells, (one.first, one.same, one.worse), strict=True):
            names = [study.labels[s] for s in members]
            cells[heading].append(
                PageCell(names_in_words(names) if names else "too few runs" if unknown else NONE, kind="wide")
            )
    columns = [(PageColumn(heading, kind="text"), column) for heading, column in cells.items()]
    caption = (
        f"First on each task by run rank ({kind_name(study, study.kind)} at the end). Tests of single tasks: "
        f"Mann-Whitney over runs, Holm-adjusted over all pairs, level {1 - study.level:.2g}."
    )
    rows = [(study.tasks[place].name, None) for place, _ in found]
    return make_table(caption, PageColumn("task", "ascending", kind="text"), columns, rows)


def _by_task(study: Study) -> Iterator[tuple[int, FirstGroup]]:
    for place in range(len(study.tasks)):
        try:
            yield place, first_group(study, study.kind, place)
        except MissingDataError:
            continue


def _on_single_tasks(study: Study, found: FirstGroup) -> str:
    """Return on how many tasks the first strategy leads by its runs: another question than that over tasks."""
    singles = [one for place, one in _by_task(study) if place in found.tasks]
    tested = [one for one in singles if one.finding in ("group", "no difference")]
    if not tested:
        return "On each task alone, the runs are too few for a verdict."
    texts = []
    for first in found.first[:2]:
        among = sum(first in (*one.first, *one.same) for one in tested)
        alone = sum(one.first == (first,) and not one.same for one in tested)
        others = "the other" if len(found.order) == 2 else "all others"
        ahead = f", and significantly better than {others} on {alone}" if alone else ""
        texts.append(
            f"{study.labels[first]} is in the first group on {among} of {in_words(len(tested), 'task')}{ahead}"
        )
    return f"By the runs of each task alone, {'; '.join(texts)}."


def _failures(study: Study, found: FirstGroup) -> Iterator[str]:
    """Yield a sentence about runs without a value."""
    counts = _without_value(study, found)
    failing = [
        f"{study.labels[s]} ({counts[s]:,} of {_runs(study, found, s):,} runs)" for s in found.order if counts[s]
    ]
    if failing:
        more = f" and {len(failing) - 3} others" if len(failing) > 3 else ""
        yield f"Without any value, so counted as the worst: {', '.join(failing[:3])}{more}."


def _without_value(study: Study, found: FirstGroup) -> dict[int, int]:
    final, tasks = study.final[found.kind], list(found.tasks)
    return {s: _runs(study, found, s) - int(np.isfinite(final[s, tasks]).sum()) for s in found.order}


def _runs(study: Study, found: FirstGroup, strategy: int) -> int:
    return int(study.runs[strategy, list(found.tasks)].sum())
