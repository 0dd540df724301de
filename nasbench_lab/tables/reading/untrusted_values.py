"""Showing values from files in error messages."""

from __future__ import annotations

from typing import Any

_MOST_SHOWN = 80  # characters


def described(value: Any) -> str:
    """Return a short description of any value; values from a file may be huge, or contain themselves.

    >>> described("cifar10"), described(3), described([[1]])
    ("'cifar10'", '3', 'a list')
    """
    if isinstance(value, str):
        return ascii(value[:_MOST_SHOWN])
    if value is None or (isinstance(value, int | float) and abs(value) < 2**63):
        return repr(value)
    return f"a {type(value).__name__}"
