"""Scales of axes: linear or logarithmic, with limits and ticks for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.messages import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Scale = Literal["linear", "log"]
SCALES: tuple[Scale, ...] = get_args(Scale)

_WIDE = 5.0  # a ratio of largest and smallest loss from which a linear axis would hide differences
_SEVERAL_DECADES = 50  # ratio of the ends of a log axis from which powers of ten are labelled
_NARROW = 4  # a log axis with a smaller ratio of its ends is labelled like a linear axis
_MULTIPLES = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
_TICK = 3.2  # room that a number of the x axis needs, font sizes
_USUAL = 3.0  # size of a figure, inches
_LINE = 3.2  # room that a number of the y axis needs, font sizes


def check_scale(name: str, scale: str | None) -> None:
    """Raise UnknownNameError if there is no such scale; None lets the data decide."""
    if scale is not None and scale not in SCALES:
        raise unknown(name, scale, SCALES)


def scale_for(values: Sequence[FloatArray]) -> Scale:
    """Return the scale on which losses can be compared: logarithmic if the largest is a multiple of the smallest.

    Args:
        values: losses that are drawn, several arrays; zeros and what is not finite do not count. Without any other
            values the scale is logarithmic, on which the optimum has a line of its own.

    >>> scale_for([np.array([0.1, 0.2])]), scale_for([np.array([0.0, 0.01]), np.array([0.2])])
    ('linear', 'log')
    """
    shown = np.concatenate([each[np.isfinite(each) & (each > 0)] for each in values]) if values else np.empty(0)
    return "linear" if len(shown) and shown.max() / shown.min() <= _WIDE else "log"


def set_x_axis(panel: Axes, scale: Scale, first: float, last: float) -> None:
    """Set the scale and the limits of the x axis: from zero or, on a logarithmic axis, from the first point."""
    if scale == "log":
        panel.set_xscale("log")
        panel.set_xlim(first, last if last > first else first * 10)
    else:
        panel.set_xlim(0.0, last)
    label_axis(panel.xaxis)


def label_axis(axis: Axis, room: float | None = None) -> None:
    """Label an axis whose scale and limits are set, with numbers that do not overlap in small panels.

    Args:
        axis: of a panel.
        room: length of the axis, inches; by default an estimate.
    """
    if axis.get_scale() == "log":
        label_log_axis(axis, room)
    else:
        label_linear_axis(axis, room)


def label_linear_axis(axis: Axis, room: float | None = None) -> None:
    """Label a linear axis with round numbers, as many as its panel has room for."""
    from matplotlib import ticker

    from nasbench_lab.report.figures.tick_formatters import EvenFormatter

    low, high = sorted(axis.get_view_interval())
    # Steps of 2.5 between whole numbers would have a needless digit.
    steps = [1, 2, 5, 10] if 2 < high - low < 40 else [1, 2, 2.5, 5, 10]
    axis.set_major_locator(ticker.MaxNLocator(_most_ticks(axis, room), steps=steps))
    axis.set_major_formatter(EvenFormatter())


def label_log_axis(axis: Axis, room: float | None = None) -> None:
    """Label a logarithmic axis whose limits are set: with powers of ten, and on a short axis with numbers between."""
    from matplotlib import ticker

    from nasbench_lab.report.figures.tick_formatters import EvenFormatter, LogFormatter

    low, high = sorted(axis.get_view_interval())
    most = _most_ticks(axis, room)
    axis.set_minor_formatter(ticker.NullFormatter())
    if high / low >= _SEVERAL_DECADES:
        axis.set_major_locator(ticker.LogLocator(numticks=max(3, most)))
        axis.set_major_formatter(LogFormatter())
    elif high / low < _NARROW:
        axis.set_major_locator(ticker.MaxNLocator(min(4, most), steps=[1, 2, 2.5, 5, 10]))
        axis.set_minor_locator(ticker.NullLocator())
        axis.set_major_formatter(EvenFormatter())
    else:
        axis.set_major_locator(ticker.LogLocator(subs=_between_powers(low, high, most)))
        axis.set_major_formatter(LogFormatter())


def _between_powers(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return which multiples of powers of ten are labelled: at most so many in all, but at least two.

    >>> _between_powers(0.005, 0.2, 6), _between_powers(0.005, 0.2, 3), _between_powers(0.011, 0.09, 1)
    ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0, 2.0, 5.0))
    """
    powers = 10.0 ** np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    counts = {
        subs: int(((np.outer(powers, subs) >= low) & (np.outer(powers, subs) <= high)).sum()) for subs in _MULTIPLES
    }
    fitting = [subs for subs, count in counts.items() if 2 <= count <= most]
    enough = [subs for subs, count in counts.items() if count >= 2]
    return fitting[0] if fitting else enough[-1] if enough else _MULTIPLES[0]


def _most_ticks(axis: Axis, room: float | None) -> int:
    """Return for how many numbers an axis has room, by default by the share of the figure that its panel has."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    panel = axis.axes
    em = rcParams["font.size"] / 72
    horizontal = axis is panel.xaxis
    if room is None:
        place, figure = panel.get_subplotspec(), panel.figure
        width, height = figure.get_size_inches() if isinstance(figure, Figure) else (_USUAL, _USUAL)
        rows, columns = place.get_gridspec().get_geometry() if place else (1, 1)
        room = width / columns - 6 * em if horizontal else height / rows - 5 * em
    return max(2, min(6, int(room / em / (_TICK if horizontal else _LINE))))
