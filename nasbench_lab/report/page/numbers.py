"""Numbers as text: few digits, the same decimals down a column, a dash for a missing number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from nasbench_lab.analysis.intervals import Interval

NONE = "\N{EN DASH}"
"""Placeholder for a missing number."""

_MINUS = "\N{MINUS SIGN}"  # as wide as the digits

_MOST_DECIMALS = 6


def decimals(values: Iterable[float]) -> int:
    """Return the decimals of a column of numbers: three digits of the largest, and two of the smallest if possible.

    >>> decimals([0.5, 12.0]), decimals([0.001, 0.25]), decimals([4.0, 1500.0]), decimals([])
    (2, 4, 0, 0)
    """
    sizes = [abs(value) for value in values if math.isfinite(value) and value]
    if all(size.is_integer() for size in sizes):
        return 0
    of_largest = 2 - math.floor(math.log10(max(sizes)))
    of_smallest = 1 - math.floor(math.log10(min(sizes)))
    return min(max(min(of_smallest, of_largest + 2), of_largest, 0), _MOST_DECIMALS)


def fixed(value: float, places: int) -> str:
    """Return a number with fixed decimals and separated thousands.

    >>> fixed(1234.5, 1), fixed(float("nan"), 2) == NONE, fixed(float("inf"), 0), fixed(-0.001, 2)
    ('1,234.5', True, '∞', '0.00')
    """
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    text = f"{value:,.{places}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", _MINUS)


def column(values: Sequence[float]) -> list[str]:
    """Return the texts of numbers in a column, with the same decimals.

    >>> column([0.5, 12.0, 3.14159])
    ['0.50', '12.00', '3.14']
    """
    places = decimals(values)
    return [fixed(value, places) for value in values]


def short(value: float, digits: int = 3) -> str:
    """Return the text of a single number.

    >>> short(0.012345), short(93.74321), short(15625.0), short(2e-7)
    ('0.0123', '93.7', '15,625', '2e-07')
    """
    if not math.isfinite(value):
        return fixed(value, 0)
    if value and (abs(value) < 1e-4 or abs(value) >= 1e9):
        return f"{value:.{digits}g}"
    places = 0 if not value else max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(text: str, unit: str) -> str:
    """Return a number with its unit; a fraction has no unit.

    >>> with_unit("5.9", "percent"), with_unit("0.06", "fraction"), with_unit("12", "ms")
    ('5.9 %', '0.06', '12 ms')
    """
    symbol = {"percent": "%", "fraction": ""}.get(unit, unit)
    return f"{text} {symbol}".strip()


def interval_columns(intervals: Sequence[Interval]) -> list[tuple[str, str]]:
    """Return the texts of estimates and of their intervals (empty if missing), all with the same decimals."""
    places = decimals(value for each in intervals for value in (each.estimate, each.low, each.high))
    return [
        (
            fixed(each.estimate, places),
            "" if math.isnan(each.low) else f"{fixed(each.low, places)} to {fixed(each.high, places)}",
        )
        for each in intervals
    ]


def duration(seconds: float) -> str:
    """Return a duration in one or two units.

    >>> duration(0.4), duration(75), duration(7300), duration(200_000)
    ('0.4 s', '1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{short(seconds)} s"
    whole = round(seconds)
    for name, size, part, smaller in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {part}"
    return f"{whole} s"
