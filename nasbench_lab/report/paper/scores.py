"""The scores of several tables as a table of a paper."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nasbench_lab.analysis.score_bias import FEWEST
from nasbench_lab.report.local_tables import TableAgreements
from nasbench_lab.report.paper.table_cells import TableCell
from nasbench_lab.report.paper.tables import ResultTable

_MISSING = "–"  # noqa: RUF001
_CAPTION = (
    "Spearman's rank correlation of scores with the values of trained architectures (means over repeats at the highest "
    "fidelity, test values where a table has them): over the whole space, among the best fifth, and within groups of "
    "architectures of about the same size (mean over groups, weighted by their sizes; groups of fewer than "
    f"{FEWEST} are left out). A score that only counts operations has no correlation within groups."
)


def scores_table(scores: Sequence[TableAgreements]) -> ResultTable:
    """Return the table of scores: a row per table and score.

    Args:
        scores: of the tables, from `nasbench_lab.report.local_tables.study_scores`.

    >>> from nasbench_lab.analysis.score_bias import ScoreAgreement
    >>> found = ScoreAgreement(0.7, 0.2, 0.1, "equal numbers of convolutions", 0)
    >>> scores_table([TableAgreements("mine", "test_accuracy", {"synflow": found})])
    <ResultTable scores: 1 rows, 6 columns>
    """
    rows = [
        (
            TableCell(each.table),
            TableCell(name),
            *(_number(value) for value in (found.spearman, found.top_fifth, found.within)),
            TableCell(found.groups or _MISSING),
        )
        for each in scores
        for name, found in each.in_order()
    ]
    headings = ("table", "score", "whole space", "top fifth", "within groups", "groups")
    return ResultTable("scores", _CAPTION, headings, tuple(rows), marked=False)


def _number(value: float) -> TableCell:
    return TableCell(_MISSING if math.isnan(value) else f"{value:.3f}")
