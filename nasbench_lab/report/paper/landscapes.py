"""The landscapes of several tables as a table of a paper."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.report.figures.landscape_comparison import COMPARED
from nasbench_lab.report.paper.table_cells import TableCell
from nasbench_lab.report.paper.tables import ResultTable

_CAPTION = (
    "Landscapes of the tables, of means over repeats at the highest fidelity, test values where a table has them: "
    "strict local optima per 1,000 architectures; best- and first-improvement climbs that reach the best architecture; "
    "Spearman correlation of quality and distance to it (FDC); moves until the autocorrelation of random walks is 1/e; "
    "architectures with a neighbour of the same value, where those that share a training count once; share of the "
    "variance of one training that lies between architectures."
)


def landscapes_table(landscapes: Sequence[Landscape]) -> ResultTable:
    """Return the table of landscapes: a row per table, a column per statistic.

    Args:
        landscapes: from `nasbench_lab.analysis.landscape`, one per table.

    >>> from nasbench_lab.analysis import landscape
    >>> from nasbench_lab.testing import synthetic_table
    >>> landscapes_table([landscape(synthetic_table())])
    <ResultTable landscapes: 1 rows, 9 columns>
    """
    rows = [(TableCell(each.table), TableCell(f"{each.architectures:,}"), *_cells(each)) for each in landscapes]
    headings = ("table", "architectures", *(compared.short for compared in COMPARED))
    return ResultTable("landscapes", _CAPTION, headings, tuple(rows), marked=False)


def _cells(landscape: Landscape) -> list[TableCell]:
    values = [compared.value(landscape) for compared in COMPARED]
    return [
        TableCell("–" if each is None or math.isnan(each.estimate) else f"{each.estimate:.3g}")  # noqa: RUF001
        for each in values
    ]
