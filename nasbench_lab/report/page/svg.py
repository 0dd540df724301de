"""Parts of SVG as markup. Colours come from the style sheet, so drawings follow the theme."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from nasbench_lab.report.looks import line_look

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


_MARKERS = {
    "o": "M-4,0A4,4 0 1 0 4,0A4,4 0 1 0 -4,0Z",
    "s": "M-3.5,-3.5H3.5V3.5H-3.5Z",
    "^": "M0,-4.5L4.5,3.5H-4.5Z",
    "D": "M0,-5L5,0L0,5L-5,0Z",
    "v": "M0,4.5L4.5,-3.5H-4.5Z",
    "P": "M-1.5,-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
    "X": "M-4.5,-2.5L-2.5,-4.5L0,-2L2.5,-4.5L4.5,-2.5L2,0L4.5,2.5L2.5,4.5L0,2L-2.5,4.5L-4.5,2.5L-2,0Z",
}  # paths around the origin, CSS pixels


def marker_path(position: int, strategies: int) -> str:
    """Return the path of a strategy's marker around the origin; empty where colours alone tell strategies apart.

    >>> marker_path(0, 3), marker_path(1, 9)
    ('', 'M-3.5,-3.5H3.5V3.5H-3.5Z')
    """
    marker = line_look(position, strategies)["marker"]
    return _MARKERS[marker] if marker else ""


def swatch(position: int, strategies: int) -> Markup:
    """Return the line of a strategy for legends; with its marker where colours repeat."""
    parts = [tag("line", class_="curve", x1=0, y1=6, x2=32, y2=6)]
    if path := marker_path(position, strategies):
        parts.append(tag("path", class_="shape", d=path, transform="translate(16 6)"))
    return tag("svg", *parts, class_=f"swatch {look(position)}", viewBox="0 0 32 12", aria_hidden="true")
