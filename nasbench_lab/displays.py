"""What notebooks show for an object: small HTML with escaped texts and no style sheets of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

_LARGE = 1000.0  # from here on, four digits would lose the ones


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """Return a table of texts, with a note below.

    >>> html_table(["a"], [["<b>"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    below = f"<p>{html.escape(note)}</p>" if note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def html_card(title: str, facts: Mapping[str, str], *parts: str) -> str:
    """Return a title, facts below it (a fact without text is left out), and further HTML.

    >>> html_card("chain", {"architectures": "243", "notes": ""})
    '<div><strong>chain</strong><br>architectures: 243</div>'
    """
    lines = [f"{html.escape(name)}: {html.escape(text)}" for name, text in facts.items() if text]
    return f"<div><strong>{html.escape(title)}</strong>{''.join(f'<br>{line}' for line in lines)}{''.join(parts)}</div>"


def html_notes(notes: Sequence[str]) -> str:
    """Return a list of notes; empty without any."""
    return f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with the name of what it counts.

    Args:
        number: the number.
        one: name of one thing.
        several: name of several things; by default that of one with an "s".

    >>> counted(1, "run"), counted(2000, "run"), counted(2, "strategy", "strategies")
    ('1 run', '2,000 runs', '2 strategies')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def short_number(value: Any) -> str:
    """Return a value as a short text: four significant digits for a fraction, empty for a missing value.

    >>> [short_number(value) for value in (94.372812, 81234.5678, float("nan"), 12_345_678, "a")]
    ['94.37', '81234.6', '', '12345678', 'a']
    """
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if value != value:  # NaN
        return ""
    return f"{value:.1f}" if _LARGE <= abs(value) < float("inf") else f"{value:.4g}"
