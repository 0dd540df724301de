"""The look of figures: colours that colour-blind readers can distinguish, and dashes for black-and-white prints."""

from __future__ import annotations

from typing import Any

# Okabe and Ito, Color Universal Design (2008), without yellow and black.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))

RC: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlelocation": "left",
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # text stays text in the PDF
    "figure.constrained_layout.use": True,
}


def line(number: int) -> dict[str, Any]:
    """Return colour and dashes of the line with a number; both repeat, but not in step.

    >>> line(0)["color"], line(6)["color"], line(0)["linestyle"] == line(6)["linestyle"]
    ('#0072B2', '#0072B2', False)
    """
    return {"color": COLORS[number % len(COLORS)], "linestyle": DASHES[number % len(DASHES)]}
