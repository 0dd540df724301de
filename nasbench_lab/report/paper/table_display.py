"""What a notebook shows for a table of a paper."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasbench_lab.report.paper.tables import ResultTable, TableCell


def result_html(table: ResultTable) -> str:
    """Return a table as HTML, with the caption above it."""
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in table.headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    caption = f"{html.escape(table.caption)} Best in <b>bold</b>, not significantly worse in <i>italics</i>."
    return f"<p>{caption}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: TableCell) -> str:
    text = html.escape(cell.text)
    text = f"<b>{text}</b>" if cell.best else f"<i>{text}</i>" if cell.tied else text
    return f"<td>{text}</td>"
