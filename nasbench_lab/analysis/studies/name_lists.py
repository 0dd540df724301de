"""Lists of names in sentences."""

from __future__ import annotations

from collections.abc import Iterable


def some_names(names: Iterable[str], most: int = 4) -> str:
    """Return names in a sentence, the first of them if there are many.

    >>> some_names("abc"), some_names("abcdef")
    ('a, b, c', 'a, b, c, d and 2 more')
    """
    listed = list(names)
    shown = ", ".join(listed[:most])
    return f"{shown} and {len(listed) - most} more" if len(listed) > most else shown
