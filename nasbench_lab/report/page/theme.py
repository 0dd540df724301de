"""The page's colours, light and dark: text at WCAG AA (4.5 : 1), lines at 3 : 1 against their background."""

from __future__ import annotations

from nasbench_lab.report.figures import style

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
}


def stylesheet() -> str:
    """Return the CSS of both themes' colours, and of the colour and dashes of each line of a chart.

    The dark theme applies if the system asks for it, unless the reader chose a theme. Prints are always light.
    """
    light, dark = _variables(LIGHT), _variables(DARK)
    looks = "\n".join(
        f".look-{number} {{ --look: var(--line-{number % len(style.COLORS)}); --dash: {dasharray(number)}; }}"
        for number in range(looks_in_all())
    )
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) '
        f"{{ color-scheme: dark; {dark} }} }}\n"
        f'@media screen {{ :root[data-theme="dark"] {{ color-scheme: dark; {dark} }} }}\n'
        f"{looks}\n"
    )


def looks_in_all() -> int:
    """Return the number of lines after which colours and dashes repeat together."""
    import math

    return math.lcm(len(style.COLORS), len(style.DASHES))


def dasharray(number: int) -> str:
    """Return the dashes of a line in the syntax of SVG and CSS.

    >>> dasharray(0)
    'none'
    """
    dashes = style.line(number)["linestyle"]
    if dashes == "-":
        return "none"
    return " ".join(f"{length * LINE_WIDTH:g}" for length in dashes[1])


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "contrast ratio").

    >>> round(contrast("#000000", "#ffffff"), 2)
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(color: str, background: str, least: float) -> str:
    """Return the colour, moved towards black or white only as far as the contrast with the background requires.

    >>> readable("#0072B2", "#ffffff", 3.0)
    '#0072b2'
    """
    pole = "#000000" if _luminance(background) > 0.18 else "#ffffff"  # 0.18: equally far from both
    for step in range(101):
        mixed = _mix(color, pole, step / 100)
        if contrast(mixed, background) >= least:
            return mixed
    return pole


def _variables(colors: dict[str, str]) -> str:
    named = [f"--{name}: {value};" for name, value in colors.items()]
    lines = [readable(color, colors["surface"], LINE_CONTRAST) for color in style.COLORS]
    return " ".join(named + [f"--line-{number}: {color};" for number, color in enumerate(lines)])


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
