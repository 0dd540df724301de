"""The scores of tables on the page: one row per score, the highest rank correlation of each table first."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_lab.analysis.score_bias import FEWEST
from nasbench_lab.displays import counted
from nasbench_lab.report.local_tables import TableAgreements
from nasbench_lab.report.page.numbers import fixed
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table, sort_key

_GROUPS = "architectures in a group"


def scores_section(scores: Sequence[TableAgreements]) -> PageTable | None:
    """Return the table of scores; None if there is none."""
    rows = [(each, name, found) for each in scores for name, found in each.in_order()]
    if not rows:
        return None
    agreements = [found for _, _, found in rows]
    columns: list[tuple[PageColumn, Sequence[PageCell]]] = [
        (PageColumn("score", "ascending", kind="text"), [_text(name, name) for _, name, _ in rows]),
        (PageColumn("values", kind="text"), [_text(each.metric) for each, _, _ in rows]),
        (
            PageColumn("whole space", "descending", "over all architectures that have the score", kind="wrapped"),
            _cells([each.spearman for each in agreements]),
        ),
        (
            PageColumn("top fifth", "descending", "among the best fifth by these values", kind="wrapped"),
            _cells([each.top_fifth for each in agreements]),
        ),
    ]
    if any(each.groups for each in agreements):
        within = [each.within for each in agreements]
        about = (
            "mean over groups of architectures of about the same size, weighted by their numbers of architectures; "
            f"groups of fewer than {FEWEST} are left out"
        )
        columns += [
            (PageColumn("within groups", "descending", about, kind="wrapped"), _cells(within)),
            (PageColumn(_GROUPS, kind="text"), [_text(each.groups) for each in agreements]),
        ]
    if any(each.without_score for each in agreements):
        cells = [
            PageCell(f"{each.without_score:,}" if each.without_score else "", str(each.without_score))
            for each in agreements
        ]
        about = "trained architectures without the score"
        columns.append((PageColumn("without a score", "descending", about, kind="wrapped"), cells))
    caption = f"Spearman's rank correlation of {counted(len(rows), 'score')} with the values of trained architectures"
    return make_table(caption, PageColumn("table", kind="text"), columns, [(each.table, None) for each, _, _ in rows])


def _cells(values: Sequence[float]) -> list[PageCell]:
    return [PageCell(fixed(value, 3), sort_key(value)) for value in values]


def _text(text: str, value: str = "") -> PageCell:
    return PageCell(text, value, kind="text")
