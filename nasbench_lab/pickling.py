"""What objects that compute values once, and keep them, put into a pickle or a copy."""

from __future__ import annotations

from functools import cached_property
from typing import Any


def state_without_caches(instance: object) -> dict[str, Any]:
    """Return the attributes of an object except the values of its ``cached_property``s, for its ``__getstate__``.

    Such values can be large, or of types that cannot be pickled, and the copy computes them again.

    >>> class Circle:
    ...     def __init__(self, radius): self.radius = radius
    ...     area = cached_property(lambda circle: 3 * circle.radius**2)
    >>> Circle.area.__set_name__(Circle, "area")
    >>> circle = Circle(2)
    >>> circle.area, state_without_caches(circle)
    (12, {'radius': 2})
    """
    kind = type(instance)
    return {
        name: value
        for name, value in vars(instance).items()
        if not isinstance(getattr(kind, name, None), cached_property)
    }
