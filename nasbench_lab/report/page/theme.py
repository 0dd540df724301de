"""The page's colours, light and dark: text at WCAG AA (4.5 : 1), lines at 3 : 1 against their background."""

from __future__ import annotations

from nasbench_lab.report import looks
from nasbench_lab.report.contrast import readable

LINE_CONTRAST = 3.0
"""Least contrast of a curve with its background (WCAG 2.2, 1.4.11)."""

LINE_WIDTH = 2.0
"""Width of a curve in CSS pixels; dashes are in multiples of it, as in Matplotlib."""

LIGHT = {
    "page": "#f6f7f9",
    "surface": "#ffffff",
    "raised": "#eef1f5",
    "text": "#191d23",
    "muted": "#545c67",
    "rule": "#d8dde4",
    "edge": "#7d8794",
    "accent": "#0b5cad",
    "accent-soft": "#e6f0fb",
    "on-accent": "#ffffff",
    "warning": "#6a4700",
    "warning-soft": "#fff4dc",
    "warning-edge": "#c98a1b",
    "better": "#cfe5f7",
    "worse": "#fbdcc8",
    "shade": "#191d2340",
}
DARK = {
    "page": "#12151a",
    "surface": "#1a1e24",
    "raised": "#252b33",
    "text": "#e8ebef",
    "muted": "#a6afbb",
    "rule": "#343c47",
    "edge": "#7a8593",
    "accent": "#82bbf7",
    "accent-soft": "#1d3149",
    "on-accent": "#0d1620",
    "warning": "#f4d796",
    "warning-soft": "#332a15",
    "warning-edge": "#94752c",
    "better": "#1f4566",
    "worse": "#5f3418",
    "shade": "#000000c0",
}


def stylesheet() -> str:
    """Return the CSS of both themes' colours, and of the colour and dashes of each line of a chart.

    The dark theme applies if the system asks for it, unless the reader chose a theme. Prints are always light.
    """
    light, dark = _variables(LIGHT), _variables(DARK)
    classes = "\n".join(
        f".look-{number} {{ --look: var(--line-{number % len(looks.COLORS)}); --dash: {dasharray(number)}; }}"
        for number in range(looks_in_all())
    )
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) '
        f"{{ color-scheme: dark; {dark} }} }}\n"
        f'@media screen {{ :root[data-theme="dark"] {{ color-scheme: dark; {dark} }} }}\n'
        f"{classes}\n"
    )


def looks_in_all() -> int:
    """Return the number of lines after which colours and dashes repeat together."""
    import math

    return math.lcm(len(looks.COLORS), len(looks.DASHES))


def dasharray(number: int) -> str:
    """Return the dashes of a line in the syntax of SVG and CSS.

    >>> dasharray(0)
    'none'
    """
    dashes = looks.DASHES[number % len(looks.DASHES)]
    if dashes == "-":
        return "none"
    return " ".join(f"{length * LINE_WIDTH:g}" for length in dashes[1])


def _variables(colors: dict[str, str]) -> str:
    named = [f"--{name}: {value};" for name, value in colors.items()]
    lines = [readable(color, colors["surface"], LINE_CONTRAST) for color in looks.COLORS]
    return " ".join(named + [f"--line-{number}: {color};" for number, color in enumerate(lines)])
