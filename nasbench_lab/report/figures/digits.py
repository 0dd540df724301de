"""Numbers at the ticks of axes: as many digits as tell them apart, and no more."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_PLAIN = (1e-3, 1e4)  # powers of ten from and below which they are written with an exponent


def evenly_spaced(values: Sequence[float]) -> list[str]:
    """Return the labels of equally spaced ticks, all with the same number of decimals.

    Numbers from 10,000 are written in thousands (k), millions (M) or billions (G).

    >>> evenly_spaced([0.0, 0.1, 0.2, 0.30000000000000004])
    ['0', '0.1', '0.2', '0.3']
    >>> evenly_spaced([0, 500_000, 1_000_000])
    ['0', '0.5M', '1M']
    """
    if not values:
        return []
    largest = max(map(abs, values))
    size, unit = next(((size, unit) for size, unit in _UNITS if largest >= max(size, 1e4)), (1.0, ""))
    step = min((abs(b - a) for a, b in itertools.pairwise(values) if a != b), default=largest)
    if largest and largest < _PLAIN[0]:
        exponent = math.floor(math.log10(largest) + 1e-9)
        tens = f"·10{str(exponent).translate(_SUPERSCRIPTS)}"
        labels = evenly_spaced([value / 10.0**exponent for value in values])
        return [label if label == "0" else label + tens for label in labels]
    decimals = _decimals(step / size)
    labels = [f"{value / size:.{decimals}f}" for value in values]
    return [_trimmed(label) + (unit if float(label) else "") for label in labels]


def significant(value: float, plain_below: float = _PLAIN[1]) -> str:
    """Return the label of a tick of a logarithmic axis: 1, 2 and 5 times powers of ten have one digit.

    Args:
        value: of the tick.
        plain_below: larger numbers are written in thousands (k), millions (M) or billions (G).

    >>> significant(0.05), significant(1.0), significant(2000.0), significant(0.30000000000000004)
    ('0.05', '1', '2000', '0.3')
    >>> significant(1e-5), significant(20_000.0), significant(0.0)
    ('10⁻⁵', '20k', '0')
    """
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    if _PLAIN[0] <= abs(value) * (1 + 1e-9) < plain_below:
        return _trimmed(f"{value:.{max(0, 2 - exponent)}f}")
    if abs(value) < _PLAIN[0] or abs(value) >= 1e12:
        mantissa = _trimmed(f"{value / 10.0**exponent:.2f}")
        power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
        return power if mantissa == "1" else f"{mantissa}·{power}"
    size, unit = next((size, unit) for size, unit in _UNITS if abs(value) >= size)
    return _trimmed(f"{value / size:.2f}") + unit


def _decimals(step: float) -> int:
    """Return how many decimals tell multiples of a step apart."""
    for decimals in range(12):
        if math.isclose(round(step, decimals), step, rel_tol=1e-6):
            return decimals
    return 12


def _trimmed(text: str) -> str:
    """Return a number without zeros at the end of its decimals, and without the sign of minus zero."""
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def power_of_ten(value: float) -> str:
    """Return a power of ten as text, which needs no formula; nothing for other numbers.

    >>> power_of_ten(0.001), power_of_ten(1.0), power_of_ten(10.0), power_of_ten(20.0)
    ('10⁻³', '1', '10', '')
    """
    exponent = math.log10(value) if value > 0 else 0.5
    if not math.isclose(exponent, round(exponent), abs_tol=1e-9):
        return ""
    power = round(exponent)
    return {0: "1", 1: "10"}.get(power, f"10{str(power).translate(_SUPERSCRIPTS)}")
