"""How strategies look in figures and on the page: colour, dashes and marker by their position in the study.

Eight colours are as many as readers can tell apart reliably. Beyond eight, colours repeat with other dashes, and every
line has markers. The numbers of colours, dashes and markers have no common divisor, so 280 looks are different.
"""

from __future__ import annotations

from typing import Any

COLORS = ("#0068a9", "#c45604", "#03966c", "#b97faa", "#49bcec", "#e58f08", "#1f2021", "#763569")
"""Blue, vermillion, green, mauve, sky blue, orange, black and plum.

They are close to the colours of Okabe and Ito, Color Universal Design (2008), without yellow, which is hard to see on
white. Each is shifted a little, so that any two differ by at least 13 (CIEDE2000) for readers with normal vision and
for those without one kind of cones, and by at least 5 in lightness (CIE L*), so that they also differ in a grey print.
"""

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
"""Line styles as in matplotlib. Strategies with the same dashes, five positions apart, differ most in lightness."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Markers of points, and of lines if there are more lines than colours."""

GREY = "#b4b4b4"
"""Colour of strategies that are not highlighted."""


def line_look(number: int, strategies: int) -> dict[str, Any]:
    """Return the look of a strategy's line: colour, dashes and, if colours repeat, a marker.

    Args:
        number: of the strategy in the study, from 0.
        strategies: number of strategies of the study.

    >>> line_look(0, 3)["marker"], line_look(7, 30)["marker"]
    ('', 'o')
    """
    look = {"color": COLORS[number % len(COLORS)], "linestyle": DASHES[number % len(DASHES)]}
    return {**look, "marker": MARKERS[number % len(MARKERS)] if strategies > len(COLORS) else ""}


def point_look(number: int) -> dict[str, Any]:
    """Return colour and marker of a strategy that is drawn as a point.

    >>> point_look(1)
    {'color': '#c45604', 'marker': 's'}
    """
    return {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
