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
    """A cell of a table.

    Attributes:
        text: the number or word.
        value: sort key; empty for cells that stay last.
        spread: smaller than the text, e.g. an interval.
        kind: class in the style sheet.
        picture: shown instead of the text.
        below: whether the spread stands below the text, else behind it.
        mark: of a strategy, by the test of the text: a key of `MARKS`, or empty.
    """

    text: str = ""
    value: str = ""
    spread: str = ""
    kind: str = ""
    picture: Markup | None = None
    below: bool = True
    mark: str = ""


@dataclasses.dataclass(frozen=True)
class PageColumn:
    """A heading.

    Attributes:
        title: of the column.
        sort: direction of the first sorting; empty for a column that cannot be sorted.
        about: meaning, in words.
        sorted: whether the rows already have this order.
        kind: class in the style sheet.
    """

    title: str
    sort: Literal["ascending", "descending", ""] = ""
    about: str = ""
    sorted: bool = False
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class PageRow:
    """A row: its heading, the position of its strategy (if any), and its cells."""

    label: str
    strategy: int | None
    cells: tuple[PageCell, ...]


@dataclasses.dataclass(frozen=True)
class PageTable:
    """A table.

    Attributes:
        caption: of the table.
        columns: headings, the first is that of the row headings.
        rows: of cells.
        terms: words of the table and their meanings, for readers who open them.
    """

    caption: str
    columns: tuple[PageColumn, ...]
    rows: tuple[PageRow, ...]
    terms: tuple[tuple[str, str], ...] = ()


def make_table(
    caption: str,
    first: PageColumn,
    columns: Sequence[tuple[PageColumn, Sequence[PageCell]]],
    rows: Sequence[tuple[str, int | None]],
    terms: Sequence[tuple[str, str]] = (),
) -> PageTable:
    """Return a table, given by columns.

    Args:
        caption: of the table.
        first: heading of the row headings.
        columns: headings and cells.
        rows: heading of each row, and position of its strategy.
        terms: words and their meanings, besides those of the columns.
    """
    made = [
        PageRow(label, strategy, tuple(cells[place] for _, cells in columns))
        for place, (label, strategy) in enumerate(rows)
    ]
    headings = (first, *(heading for heading, _ in columns))
    meanings = [(heading.title, heading.about) for heading in headings if heading.title and heading.about]
    return PageTable(caption, headings, tuple(made), (*meanings, *terms))


def number_cells(values: Sequence[float], best: Literal["low", "high", ""] = "") -> list[PageCell]:
    """Return the cells of a column of numbers; the best are marked."""
    marked = best_of(values, best)
    return [
        PageCell(text, sort_key(value), kind="best" if value == marked else "")
        for text, value in zip(column(values), values, strict=True)
    ]


def interval_cells(intervals: Sequence[Interval], best: Literal["low", "high", ""] = "") -> list[PageCell]:
    """Return the cells of a column of estimates with intervals; the best are marked."""
    marked = best_of([each.estimate for each in intervals], best)
    return [
        PageCell(
            text, sort_key(each.estimate), f"[{spread}]" if spread else "", "best" if each.estimate == marked else ""
        )
        for (text, spread), each in zip(interval_columns(intervals), intervals, strict=True)
    ]


def marked_cells(cells: Sequence[PageCell], marks: Sequence[str]) -> list[PageCell]:
    """Return the cells with marks, which must come from the test of their numbers."""
    return [dataclasses.replace(cell, mark=mark) for cell, mark in zip(cells, marks, strict=True)]


def best_of(values: Sequence[float], best: Literal["low", "high", ""]) -> float:
    """Return the best of the finite values; NaN, which equals no value, if there is none.

    >>> best_of([2.0, float("nan"), 1.0], "low"), best_of([2.0], "")
    (1.0, nan)
    """
    known = [value for value in values if math.isfinite(value)]
    if not known or not best:
        return math.nan
    return min(known) if best == "low" else max(known)


def sort_key(value: float) -> str:
    """Return the sort key of a number for the page's script; empty for NaN.

    >>> sort_key(0.5), sort_key(float("inf")), sort_key(float("nan"))
    ('0.5', 'Infinity', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))
