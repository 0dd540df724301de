"""The section of a task on the page: final results, equivalence, targets, and the architectures found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup

from nasbench_lab import spaces
from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.studies.results import Found, Study, TargetTimes
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.page.architecture import draw_architecture
from nasbench_lab.report.page.curve_charts import AXIS_TITLES, KIND_TITLES
from nasbench_lab.report.page.numbers import column, decimals, fixed, short, with_unit
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table, number_cells, sort_key
from nasbench_lab.simulation.trace import RegretKind

MOST_DRAWINGS = 6
"""Largest number of architectures drawn per task; for others only the notation is shown."""

_MOST_TARGETS = 3
_ROW_WIDTH = 24.0  # em: a row of layers in a card


@dataclasses.dataclass(frozen=True)
class Card:
    """An architecture that strategies found.

    Attributes:
        title: short name.
        notation: official notation; empty if the space is not known.
        picture: its graph; None if it is not drawn.
        values: its values in the table.
        finders: label and position of each strategy that ended with it most often, with the share of its runs.
    """

    title: str
    notation: str
    picture: Markup | None
    values: tuple[str, ...]
    finders: tuple[tuple[str, int, str], ...]


@dataclasses.dataclass(frozen=True)
class TaskSection:
    """The section of a task.

    Attributes:
        name: of the task.
        facts: names and values.
        tables: what runs ended with, and when they reached targets.
        cards: architectures found.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[PageTable, ...]
    cards: tuple[Card, ...]


def task_details(study: Study) -> Iterator[TaskSection]:
    """Yield the sections of all tasks."""
    summaries = iter(study.summaries)
    for place, task in enumerate(study.tasks):
        members = [number for number in range(len(study.labels)) if study.runs[number, place] > 0]
        rows = [next(summaries) for _ in members]
        kind = study.kind if study.kind in task.kinds else task.kinds[-1]
        tables = [_ends(study, place, kind, members, rows), _targets(study, place, kind, members)]
        yield TaskSection(
            task.name,
            _facts(study, place),
            tuple(table for table in tables if table),
            tuple(_cards(study, place, kind)),
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
    for kind in task.kinds:
        text = with_unit(short(task.optimum[kind], 5), task.unit(kind))
        if math.isfinite(task.random_value.get(kind, math.nan)):
            text += f"; the average architecture has {short(task.random_value[kind], 5)}"
        facts.append((f"optimum, {KIND_TITLES[kind]}", text))
    if conditions.objectives:
        facts.append(("further objectives", ", ".join(conditions.objectives)))
    if conditions.limits:
        facts.append(("limits", ", ".join(f"{name} {limit:g}" for name, limit in conditions.limits.items())))
    return tuple(facts)


def _ends(study: Study, place: int, kind: RegretKind, members: Sequence[int], rows: Sequence[Summary]) -> PageTable:
    """Return the table of final results, with a comparison with the best strategy."""
    final = study.final[kind][members, place]
    levels = np.array([_quartiles(final[row, : rows[row].runs]) for row in range(len(rows))])
    unit = study.tasks[place].unit(kind)
    columns = [
        (PageColumn(f"{KIND_TITLES[kind]} ({unit}), median", "ascending", kind="wrapped"), _medians(levels)),
        (PageColumn("validation", "descending", "mean and standard deviation"), _means(rows, "valid")),
        (PageColumn("test", "descending", "mean and standard deviation"), _means(rows, "test")),
        (PageColumn("area under curve", "ascending", kind="wrapped"), _areas(study, kind, members, place)),
        _beside_best(study, place, kind, members),
        (PageColumn("evaluations", "descending", "median"), number_cells([row.evaluations for row in rows])),
        (PageColumn("seconds", "descending", "median, simulated"), number_cells([row.seconds for row in rows])),
        (PageColumn("runs", "descending"), number_cells([float(row.runs) for row in rows])),
        (PageColumn("without value", "descending", kind="wrapped"), _failures(rows)),
    ]
    shown = [(heading, cells) for heading, cells in columns if any(cell.value for cell in cells)]
    caption = "Final results of the runs. In brackets: quartiles of runs, or intervals of differences; ±: deviations."
    if any(_counted(row, split) for row in rows for split in ("valid", "test")):
        caption += " In parentheses: the runs with a value, over which a mean is; the others are infinitely bad."
    labels = [(study.labels[number], number) for number in members]
    return make_table(caption, PageColumn("strategy", "ascending", kind="text"), shown, labels)


def _quartiles(values: FloatArray) -> tuple[float, float, float]:
    from nasbench_lab.analysis.quantiles import run_quantiles

    low, middle, high = run_quantiles(values)
    return float(low), float(middle), float(high)


def _medians(levels: FloatArray) -> list[PageCell]:
    places = decimals(levels[np.isfinite(levels)].tolist())
    best = min((value for value in levels[:, 1].tolist() if math.isfinite(value)), default=math.nan)
    return [
        PageCell(
            fixed(middle, places),
            sort_key(middle),
            f"[{fixed(low, places)} to {fixed(high, places)}]",
            "best" if middle == best else "",
        )
        for low, middle, high in levels.tolist()
    ]


def _means(rows: Sequence[Summary], split: str) -> list[PageCell]:
    means = [float(getattr(row, f"{split}_mean")) for row in rows]
    deviations = [float(getattr(row, f"{split}_std")) for row in rows]
    places = max(0, decimals(deviations) - 1) if any(map(math.isfinite, deviations)) else decimals(means)
    spreads = ["" if math.isnan(deviation) else f"±{fixed(deviation, places)}" for deviation in deviations]
    counts = [_counted(row, split) for row in rows]
    return [
        PageCell(fixed(mean, places), sort_key(mean), f"{spread} {count}".strip(), below=False)
        for mean, spread, count in zip(means, spreads, counts, strict=True)
    ]


def _counted(row: Summary, split: str) -> str:
    """Return which runs a mean counts, if some of them have no value."""
    known = int(getattr(row, f"{split}_runs"))
    return "" if known in (0, row.runs) else f"({known} of {row.runs})"


def _areas(study: Study, kind: RegretKind, members: Sequence[int], place: int) -> list[PageCell]:
    if kind not in study.auc:
        return [PageCell() for _ in members]
    return number_cells(study.auc[kind][members, place].tolist(), "low")


def _failures(rows: Sequence[Summary]) -> list[PageCell]:
    if not any(row.without_value for row in rows):
        return [PageCell() for _ in rows]
    return number_cells([float(row.without_value) for row in rows])


def _beside_best(
    study: Study, place: int, kind: RegretKind, members: Sequence[int]
) -> tuple[PageColumn, list[PageCell]]:
    """Return verdicts on all strategies, compared with the one of the smallest mean regret."""
    empty = PageColumn("compared with the best"), [PageCell() for _ in members]
    if kind not in study.pairwise or not np.isfinite(study.pairwise[kind].margin[place]):
        return empty
    pairs = study.pairwise[kind]
    means = [float(np.mean(_without_value_as_infinite(study, kind, number, place))) for number in members]
    if not np.isfinite(means).any():
        return empty
    best = members[int(np.argmin(means))]
    differences = [pairs.difference[number, best, place] for number in members]
    places = decimals(float(each.estimate) for each in differences)
    cells = []
    for number, each in zip(members, differences, strict=True):
        if number == best:
            cells.append(PageCell("the best", "0", kind="text best"))
            continue
        estimate, low, high = float(each.estimate), float(each.low), float(each.high)
        spread = fixed(estimate, places)
        if not math.isnan(low):
            spread += f" [{fixed(low, places)} to {fixed(high, places)}]"
        cells.append(PageCell(str(pairs.verdict[number, best, place]), sort_key(estimate), spread, "text"))
    about = f"difference of mean regrets to {study.labels[best]}; margin {short(float(pairs.margin[place]))}"
    return PageColumn("compared with the best", "ascending", about, kind="text"), cells


def _without_value_as_infinite(study: Study, kind: RegretKind, strategy: int, place: int) -> FloatArray:
    values = study.final[kind][strategy, place, : study.runs[strategy, place]]
    return np.where(np.isnan(values), np.inf, values)


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
        f"Expected {AXIS_TITLES[times.axis]} until a restarted search first reaches a target, "
        "and the share of runs that reached it."
    )
    if kind != "observed":
        caption += (
            f" A target stays reached, but the {KIND_TITLES[kind]} of an incumbent can rise again: this favours "
            "strategies that change their incumbent often."
        )
    rows = [(study.labels[number], number) for number in members]
    return make_table(caption, PageColumn("strategy", "ascending", kind="text"), columns, rows)


def _some_targets(times: TargetTimes) -> list[int]:
    count = len(times.targets)
    return sorted(
        {round(number * (count - 1) / (_MOST_TARGETS - 1)) for number in range(_MOST_TARGETS)} if count else []
    )


def _cards(study: Study, place: int, kind: RegretKind) -> Iterator[Card]:
    """Yield the architectures that strategies found, most finders first."""
    groups: dict[int, list[Found]] = {}
    for found in study.found:
        if found.task == place:
            groups.setdefault(found.architecture, []).append(found)
    ordered = sorted(
        groups.values(), key=lambda group: (-len(group), -sum(f.share for f in group), group[0].architecture)
    )
    space = _space(study, place)
    for number, group in enumerate(ordered):
        architecture = group[0].architecture
        notation, picture = "", None
        if space is not None:
            graph = architecture_graph(space, architecture, _ROW_WIDTH)
            notation = graph.name
            picture = draw_architecture(graph) if number < MOST_DRAWINGS else None
        finders = tuple((study.labels[f.strategy], f.strategy, f"{short(100 * f.share, 2)} %") for f in group)
        yield Card(f"architecture {architecture:,}", notation, picture, _values(group[0], kind), finders)


def _space(study: Study, place: int) -> spaces.Space | None:
    spec = study.tasks[place].space
    if not spec:
        return None
    try:
        return spaces.make_space(spec)
    except NasbenchLabError:  # the space belongs to a package that is not installed here
        return None


def _values(found: Found, kind: RegretKind) -> tuple[str, ...]:
    parts = [("validation", found.valid), ("test", found.test)]
    texts = [f"{name} {short(value, 4)}" for name, value in parts if math.isfinite(value)]
    regret = found.regret.get(kind, math.nan)
    if math.isfinite(regret):
        texts.append("the optimum" if regret == 0 else f"{KIND_TITLES[kind]} {short(regret)}")
    return tuple(texts)
