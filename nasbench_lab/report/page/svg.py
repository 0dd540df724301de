"""Parts of SVG as markup. Colours come from the style sheet, so drawings follow the theme."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

Attribute = str | float | int | None


def tag(name: str, *children: str, **attributes: Attribute) -> Markup:
    """Return an element; texts and attributes are escaped, markup is not.

    Underscores in names of attributes become hyphens, and one at the end is dropped. None leaves an attribute out.

    >>> tag("text", "a < b", class_="strong", text_anchor="end", x=1.04)
    Markup('<text class="strong" text-anchor="end" x="1">a &lt; b</text>')
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-") if key != "viewBox" else key}="{escape(number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{''.join(escape(child) for child in children)}</{name}>")  # noqa: S704 - escaped


def number(value: str | float) -> str:
    """Return a coordinate, to a tenth of a pixel; texts as they are.

    >>> number(12.34), number(5.0), number(-0.01), number("auto")
    ('12.3', '5', '0', 'auto')
    """
    if isinstance(value, str):
        return value
    text = f"{value:.1f}"
    return "0" if float(text) == 0 else text.removesuffix(".0")


def look(position: int) -> str:
    """Return the class that gives the strategy at this position its colour and dashes."""
    from nasbench_lab.report.page.theme import looks_in_all

    return f"look-{position % looks_in_all()}"


def breakable(text: str) -> Markup:
    """Return a text whose long words may break at natural places.

    >>> breakable("tpe(gamma=0.1)")
    Markup('tpe<wbr>(gamma=<wbr>0.1)')
    """
    return Markup("<wbr>").join(re.split(r"(?<=[-_,=/])|(?=\()", text))


def swatch(position: int) -> Markup:
    """Return the line of a strategy for legends."""
    line = tag("line", class_="curve", x1=0, y1=6, x2=32, y2=6)
    return tag("svg", line, class_=f"swatch {look(position)}", viewBox="0 0 32 12", aria_hidden="true")
