"""The landscapes of tables on the page: one row per table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.report.figures.landscape_comparison import COMPARED
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, interval_cells, make_table

_NONE = Interval(math.nan, math.nan, math.nan)


def landscapes_section(landscapes: Sequence[Landscape]) -> PageTable | None:
    """Return the table of landscapes; None if there is none."""
    if not landscapes:
        return None
    values = [PageCell(f"{each.metric.name}, {each.fidelity} epochs", kind="text") for each in landscapes]
    columns: list[tuple[PageColumn, Sequence[PageCell]]] = [(PageColumn("values", kind="text"), values)]
    for compared in COMPARED:
        column = [compared.value(each) or _NONE for each in landscapes]
        if any(math.isfinite(each.estimate) for each in column):
            heading = PageColumn(compared.short, "descending", compared.about, kind="wrapped")
            columns.append((heading, interval_cells(column)))
    rows = [(each.table, None) for each in landscapes]
    return make_table("Landscapes of the tables", PageColumn("table", kind="text"), columns, rows)
