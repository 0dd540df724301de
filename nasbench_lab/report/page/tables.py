"""Tables of the page as plain data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.report.page.numbers import column, interval_columns


@dataclasses.dataclass(frozen=True)
class PageCell:
    """What stands in a table.

    Attributes:
        text: the number or word.
        value: what the table sorts by; empty for what stays last.
        spread: smaller than the text, e.g. an interval.
        kind: class in the style sheet.
        picture: drawn instead of the text.
        below: whether the spread stands below the text, else behind it.
    """

    text: str = ""
    value: str = ""
    spread: str = ""
    kind: str = ""
    picture: Markup | None = None
    below: bool = True


@dataclasses.dataclass(frozen=True)
class PageColumn:
    """A heading.

    Attributes:
        title: of the column.
        sort: direction of the first sorting; empty where the column does not sort.
        about: what it means, in words.
        sorted: whether the rows are in this order already.
        kind: class in the style sheet.
    """

    title: str
    sort: Literal["ascending", "descending", ""] = ""
    about: str = ""
    sorted: bool = False
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class PageRow:
    """A row: its heading, the line of the strategy that it is about, and its cells."""

    label: str
    strategy: int | None
    cells: tuple[PageCell, ...]


@dataclasses.dataclass(frozen=True)
class PageTable:
    """A table: what it shows, the headings (that of the rows' headings first) and the rows."""

    caption: str
    columns: tuple[PageColumn, ...]
    rows: tuple[PageRow, ...]


def make_table(
    caption: str,
    first: PageColumn,
    columns: Sequence[tuple[PageColumn, Sequence[PageCell]]],
    rows: Sequence[tuple[str, int | None]],
) -> PageTable:
    """Return a table that is given by columns.

    Args:
        caption: what it shows.
        first: heading of the rows' headings.
        columns: headings and cells.
        rows: heading of every row, and position of the strategy it is about.
    """
    made = [
        PageRow(label, strategy, tuple(cells[place] for _, cells in columns))
        for place, (label, strategy) in enumerate(rows)
    ]
    return PageTable(caption, (first, *(heading for heading, _ in columns)), tuple(made))


def number_cells(values: Sequence[float], best: Literal["low", "high", ""] = "") -> list[PageCell]:
    """Return the cells of a column of numbers; the best ones are marked."""
    marked = best_of(values, best)
    return [
        PageCell(text, sort_key(value), kind="best" if value == marked else "")
        for text, value in zip(column(values), values, strict=True)
    ]


def interval_cells(intervals: Sequence[Interval], best: Literal["low", "high", ""] = "") -> list[PageCell]:
    """Return the cells of a column of estimates with intervals; the best ones are marked."""
    marked = best_of([each.estimate for each in intervals], best)
    return [
        PageCell(
            text, sort_key(each.estimate), f"[{spread}]" if spread else "", "best" if each.estimate == marked else ""
        )
        for (text, spread), each in zip(interval_columns(intervals), intervals, strict=True)
    ]


def best_of(values: Sequence[float], best: Literal["low", "high", ""]) -> float:
    """Return the best of the finite values; NaN, which equals nothing, where there is none.

    >>> best_of([2.0, float("nan"), 1.0], "low"), best_of([2.0], "")
    (1.0, nan)
    """
    known = [value for value in values if math.isfinite(value)]
    if not known or not best:
        return math.nan
    return min(known) if best == "low" else max(known)


def sort_key(value: float) -> str:
    """Return what the page's script reads to sort by a number; empty where there is none.

    >>> sort_key(0.5), sort_key(float("inf")), sort_key(float("nan"))
    ('0.5', 'Infinity', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))
