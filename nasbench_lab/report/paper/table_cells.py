"""The cells of a table of a paper, and the table as a notebook shows it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TableCell:
    """One entry of a table.

    Attributes:
        text: content of the cell.
        best: whether it is the best of its column (or row): bold.
        tied: whether it is not significantly worse than the best: underlined in LaTeX, italic in Markdown.
    """

    text: str
    best: bool = False
    tied: bool = False


def table_html(
    caption: str, headings: Sequence[str], rows: Sequence[Sequence[TableCell]], *, marked: bool = True
) -> str:
    """Return a table as HTML, with the caption above it, which explains marked cells.

    >>> table_html("Regret.", ["strategy"], [[TableCell("a", best=True)]])[-42:]
    '<tr><td><b>a</b></td></tr></tbody></table>'
    """
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    text = html.escape(caption) + " Best in <b>bold</b>, not significantly worse in <i>italics</i>." * marked
    return f"<p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: TableCell) -> str:
    text = html.escape(cell.text)
    text = f"<b>{text}</b>" if cell.best else f"<i>{text}</i>" if cell.tied else text
    return f"<td>{text}</td>"
