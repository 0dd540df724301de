"""Checks of numbers and other parameters, with one message per kind of mistake.

A function checks its arguments with `whole`, `number`, `flag` and `one_of`. A frozen dataclass declares the allowed
values of its fields in annotations, and calls `check_fields` after its initialisation::

    @dataclass(frozen=True)
    class Settings:
        population_size: Annotated[int, AtLeast(1)] = 100
        rate: Annotated[float, Above(0), AtMost(1)] = 0.5
        selection: Literal["tournament", "rank"] = "rank"

        def __post_init__(self) -> None:
            check_fields(self)

The same declarations give a description of every field (``str(domain)``) and invalid example values
(`Domain.bad_values`).
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened


class Bound(Protocol):
    """A limit of a number."""

    def holds(self, value: float) -> bool:
        """Return whether a number is within the limit."""

    def outside(self) -> list[float]:
        """Return numbers near the limit that are not within it."""


@dataclass(frozen=True)
class AtLeast:
    """Lower bound: the limit or more."""

    limit: float

    def holds(self, value: float) -> bool:
        """Return whether ``value >= limit``."""
        return value >= self.limit

    def outside(self) -> list[float]:
        """Return a number below the limit."""
        return [self.limit - 1]

    def __str__(self) -> str:
        return f"at least {_digits(self.limit)}"


@dataclass(frozen=True)
class Above:
    """Lower bound: more than the limit."""

    limit: float

    def holds(self, value: float) -> bool:
        """Return whether ``value > limit``."""
        return value > self.limit

    def outside(self) -> list[float]:
        """Return the limit, and a number below it."""
        return [self.limit, self.limit - 1]

    def __str__(self) -> str:
        return f"above {_digits(self.limit)}"


@dataclass(frozen=True)
class AtMost:
    """Upper bound: the limit or less."""

    limit: float

    def holds(self, value: float) -> bool:
        """Return whether ``value <= limit``."""
        return value <= self.limit

    def outside(self) -> list[float]:
        """Return a number above the limit."""
        return [self.limit + 1]

    def __str__(self) -> str:
        return f"at most {_digits(self.limit)}"


@dataclass(frozen=True)
class Below:
    """Upper bound: less than the limit."""

    limit: float

    def holds(self, value: float) -> bool:
        """Return whether ``value < limit``."""
        return value < self.limit

    def outside(self) -> list[float]:
        """Return the limit, and a number above it."""
        return [self.limit, self.limit + 1]

    def __str__(self) -> str:
        return f"below {_digits(self.limit)}"


Count = Annotated[int, AtLeast(1)]
"""A whole number, at least 1."""

Positive = Annotated[float, Above(0)]
"""A number above 0."""

NonNegative = Annotated[float, AtLeast(0)]
"""A number, at least 0."""

Probability = Annotated[float, AtLeast(0), AtMost(1)]
"""A number from 0 to 1; also for other fractions of a whole."""


def whole(name: str, value: Any, *bounds: Bound) -> int:
    """Return a whole number as a plain int.

    Args:
        name: of the parameter, for the message.
        value: an int or a NumPy integer; a bool is not a number.
        bounds: limits that it must keep.

    Raises:
        ParameterError: the value is not a whole number, or outside the bounds.

    >>> whole("runs", np.int64(3)), type(whole("runs", np.int64(3)))
    (3, <class 'int'>)
    >>> whole("runs", 2.5)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: runs must be a whole number, got 2.5
    >>> whole("runs", 0, AtLeast(1))
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: runs must be at least 1, got 0
    """
    if not _is_whole(value):
        raise ParameterError(f"{name} must be a whole number, got {shortened(value)}")
    _check_bounds(name, value, bounds)
    return int(value)


def number(name: str, value: Any, *bounds: Bound) -> float:
    """Return a finite number as a plain float.

    Args:
        name: of the parameter, for the message.
        value: an int, a float or a NumPy number; a bool is not a number.
        bounds: limits that it must keep.

    Raises:
        ParameterError: the value is not a number, infinite, NaN, or outside the bounds.

    >>> number("level", 0.95, Above(0.5), Below(1))
    0.95
    >>> number("level", 1, Above(0.5), Below(1))
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: level must be above 0.5 and below 1, got 1
    >>> number("level", float("nan"))
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: level must be a finite number, got nan
    """
    if not _is_number(value) or not _is_finite(value):
        raise ParameterError(f"{name} must be a finite number, got {shortened(value)}")
    _check_bounds(name, value, bounds)
    return float(value)


def flag(name: str, value: Any) -> bool:
    """Return a value as a plain bool.

    Raises:
        ParameterError: the value is not True or False.

    >>> flag("restarts", 1)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: restarts must be True or False, got 1
    """
    if not isinstance(value, bool | np.bool_):
        raise ParameterError(f"{name} must be True or False, got {shortened(value)}")
    return bool(value)


def one_of(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """Return a value if it is one of the choices.

    Raises:
        ParameterError: the value is not among the choices.

    >>> one_of("kernel", "linear", ["matern", "path"])
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: kernel must be 'matern' or 'path', got 'linear'
    """
    known = tuple(choices)
    if not any(type(value) is type(choice) and value == choice for choice in known):
        raise ParameterError(f"{name} must be {_either(map(repr, known))}, got {shortened(value)}")
    return value


def require(condition: bool, message: str) -> None:
    """Raise ParameterError with this message unless the condition holds, for conditions that no bound can express.

    >>> require(30 <= 20, "selected must be at most population_size, 20, got 30")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: selected must be at most population_size, 20, got 30
    """
    if not condition:
        raise ParameterError(message)


@dataclass(frozen=True)
class Domain:
    """The allowed values of a parameter, read from its annotation.

    Attributes:
        kind: ``int``, ``float``, ``bool``, or ``object`` for anything, which is not checked.
        bounds: bounds of numbers.
        choices: the allowed values of a ``Literal``; empty otherwise.
        optional: whether None is also allowed.
    """

    kind: type = object
    bounds: tuple[Bound, ...] = ()
    choices: tuple[Any, ...] = ()
    optional: bool = False

    @classmethod
    def of(cls, annotation: Any) -> Domain:
        """Return the domain of an annotation.

        It can be ``int``, ``float``, ``bool``, ``Literal``, ``Annotated`` with bounds, or any of them with None. Other
        annotations are not checked.

        >>> Domain.of(typing.Annotated[int | None, AtLeast(1)])
        Domain(kind=<class 'int'>, bounds=(AtLeast(limit=1),), choices=(), optional=True)
        """
        origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Annotated:
            inner = cls.of(parts[0])
            bounds = tuple(each for each in parts[1:] if hasattr(each, "holds"))
            return dataclasses.replace(inner, bounds=(*inner.bounds, *bounds))
        if origin is Literal:
            return cls(choices=parts)
        if origin in (types.UnionType, typing.Union) and type(None) in parts:
            (rest, *more) = [part for part in parts if part is not type(None)]
            return cls(optional=True) if more else dataclasses.replace(cls.of(rest), optional=True)
        return cls(annotation) if annotation in (int, float, bool) else cls()

    def check(self, name: str, value: Any) -> Any:
        """Return a value as a plain number, bool or choice.

        Raises:
            ParameterError: the value is not allowed.
        """
        if value is None and self.optional:
            return None
        if self.choices:
            return one_of(name, value, self.choices)
        if self.kind is bool:
            return flag(name, value)
        if self.kind is int:
            return whole(name, value, *self.bounds)
        if self.kind is float:
            number(name, value, *self.bounds)
            return value.item() if isinstance(value, np.generic) else value  # 1 stays 1 in labels
        return value

    def bad_values(self) -> list[Any]:
        """Return invalid values for tests; none if nothing is checked."""
        if self.choices:
            return ["no such choice", *([] if self.optional else [None])]
        if self.kind is object:
            return []
        wrong: list[Any] = ["text", *([] if self.optional else [None])]
        if self.kind is bool:
            return [*wrong, 2]
        outside = [each for bound in self.bounds for each in bound.outside()]
        if self.kind is int:
            return [*wrong, True, 1.5, float("nan"), *(int(each) for each in outside)]
        return [*wrong, True, float("nan"), float("inf"), *outside]

    def __str__(self) -> str:
        """Return the domain in words, such as ``whole number, at least 1``."""
        kinds = {int: "whole number", float: "number", bool: "True or False"}
        what = _either(map(repr, self.choices)) if self.choices else kinds.get(self.kind, "")
        parts = [what, _in_words(self.bounds)]
        words = ", ".join(part for part in parts if part)
        return f"{words}, or None" if words and self.optional else words


@functools.cache
def domains(kind: Any) -> Mapping[str, Domain]:
    """Return the domain of every field of a dataclass.

    Nothing is checked if the annotations of the class cannot be evaluated at run time, e.g. because they name types
    that are imported under ``TYPE_CHECKING``.

    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     size: typing.Annotated[int, AtLeast(1)] = 3
    >>> {name: str(domain) for name, domain in domains(Settings).items()}
    {'size': 'whole number, at least 1'}
    """
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except NameError:  # a type that is imported for type checkers only
        hints = {}
    return {field.name: Domain.of(hints.get(field.name)) for field in dataclasses.fields(kind)}


def check_fields(instance: Any) -> None:
    """Check every field of a frozen dataclass against its annotation; NumPy numbers become plain ones.

    Raises:
        ParameterError: the value of a field is not allowed by its annotation.
    """
    kind: Any = type(instance)
    for name, domain in domains(kind).items():
        value = getattr(instance, name)
        checked = domain.check(name, value)
        if checked is not value:
            object.__setattr__(instance, name, checked)


def _check_bounds(name: str, value: Any, bounds: Iterable[Bound]) -> None:
    kept = tuple(bounds)
    if not all(bound.holds(value) for bound in kept):
        raise ParameterError(f"{name} must be {_in_words(kept)}, got {shortened(value)}")


def _digits(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _in_words(bounds: Sequence[Bound]) -> str:
    match bounds:
        case [AtLeast(low), AtMost(high)]:
            return f"from {_digits(low)} to {_digits(high)}"
    return " and ".join(map(str, bounds))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int that no float can hold
        return False


def _either(words: Iterable[str]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} or {last}" if rest else last
