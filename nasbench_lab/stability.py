"""Marks for deprecated and experimental features: `deprecated`, `renamed_parameter` and `experimental`.

``docs/stability.md`` says what is public, and how long deprecated features stay. Other packages with strategies can use
these marks too.
"""

from __future__ import annotations

import abc
import functools
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from nasbench_lab.errors import ParameterError

Marked = TypeVar("Marked", bound=Callable[..., Any])

_VERSION = re.compile(r"(\d+)\.(\d+)")


class DeprecatedWarning(DeprecationWarning):
    """A deprecated feature was used. The message says when it will be removed and what to use instead."""


class ExperimentalWarning(UserWarning):
    """An experimental feature was used, which may change or be removed in any release without deprecation."""


def deprecated(*, since: str, removal: str, instead: str) -> Callable[[Marked], Marked]:
    """Mark a function or a class as deprecated: calls, and classes derived from it, give a warning.

    Args:
        since: the release that deprecates it, as ``"major.minor"``.
        removal: the first release without it, at least one minor release later.
        instead: the replacement, for the sentence "use ... instead".

    Raises:
        ParameterError: a release is not of the form ``"major.minor"``, or the removal is too early.

    >>> @deprecated(since="0.2", removal="0.3", instead="`sum`")
    ... def total(values):
    ...     '''Return the sum of values.'''
    ...     return sum(values)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     total([1, 2])
    3
    >>> print(caught[0].message)
    total is deprecated since 0.2 and will be removed in 0.3; use `sum` instead
    """
    when = _period(since, removal)
    return lambda thing: _mark(thing, f"{thing.__qualname__} is {when}; use {instead} instead", DeprecatedWarning)


def renamed_parameter(old: str, new: str, *, since: str, removal: str) -> Callable[[Marked], Marked]:
    """Accept the old name of a renamed parameter of a function or a class, with a warning.

    Args:
        old: the old name.
        new: the new name.
        since: the release that renames it, as ``"major.minor"``.
        removal: the first release that does not accept the old name, at least one minor release later.

    Raises:
        ParameterError: there is no parameter `new`, there is still a parameter `old`, or the releases are invalid as in
            `deprecated`. On a call: both names are given.

    >>> @renamed_parameter("n_runs", "runs", since="0.2", removal="0.3")
    ... def simulate(*, runs):
    ...     return runs
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     simulate(n_runs=5)
    5
    >>> print(caught[0].message)
    the parameter 'n_runs' of simulate is deprecated since 0.2 and will be removed in 0.3; use 'runs' instead
    """
    when = _period(since, removal)

    def decorate(thing: Marked) -> Marked:
        name, names = thing.__qualname__, inspect.signature(thing).parameters
        if new not in names or old in names:
            raise ParameterError(f"{name} must have a parameter {new!r} and none {old!r}")

        def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def renamed(*args: Any, **options: Any) -> Any:
                if old in options:
                    if new in options:
                        raise ParameterError(f"{name} was given {old!r} and {new!r}, which are the same; give {new!r}")
                    message = f"the parameter {old!r} of {name} is {when}; use {new!r} instead"
                    warnings.warn(message, DeprecatedWarning, stacklevel=2)
                    options[new] = options.pop(old)
                return function(*args, **options)

            return renamed

        return _around_calls(thing, wrap)

    return decorate


def experimental(thing: Marked) -> Marked:
    """Mark a function or a class as experimental: calls, and classes derived from it, give a warning.

    >>> @experimental
    ... class Forecast:
    ...     '''Says how a training will end.'''
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     forecast = Forecast()
    >>> print(caught[0].message)
    Forecast is experimental: it may change or go in any release
    """
    message = f"{thing.__qualname__} is experimental: it may change or go in any release"
    return _mark(thing, message, ExperimentalWarning)


def _period(since: str, removal: str) -> str:
    """Check the releases, and return the period of deprecation in words."""
    first, last = (_VERSION.fullmatch(release) for release in (since, removal))
    if first is None or last is None:
        raise ParameterError(f"releases must be like '0.2', not {since!r} and {removal!r}")
    if tuple(map(int, last.groups())) <= tuple(map(int, first.groups())):
        raise ParameterError(f"what is deprecated since {since} must stay in all of {since}, but {removal} removes it")
    return f"deprecated since {since} and will be removed in {removal}"


def _mark(thing: Marked, message: str, category: type[Warning]) -> Marked:
    """Warn on every call of a function or class and on every derived class; add a note to the docstring."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def warning(*args: Any, **options: Any) -> Any:
            warnings.warn(message, category, stacklevel=2)
            return function(*args, **options)

        return warning

    summary, gap, rest = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")
    if isinstance(thing, type):
        _warn_where_derived(thing, message, category)
    marked = _around_calls(thing, wrap)
    marked.__doc__ = f"{summary}\n\nNote: {message}.{gap}{rest}".strip()
    return marked


def _warn_where_derived(base: type[Any], message: str, category: type[Warning]) -> None:
    """Warn when a class is derived, as the ``__init__`` of a derived dataclass does not call that of its base."""
    own = vars(base).get("__init_subclass__")
    stacklevel = 3 if isinstance(base, abc.ABCMeta) else 2  # `abc` adds a frame between this and the class statement

    def derived(cls: type[Any], /, **options: Any) -> None:
        warnings.warn(message, category, stacklevel=stacklevel)
        if own is None:
            super(base, cls).__init_subclass__(**options)
        else:
            own.__func__(cls, **options)

    base.__init_subclass__ = classmethod(derived)  # type: ignore[assignment]


def _around_calls(thing: Marked, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Marked:
    """Wrap a function, or the ``__init__`` of a class. The class itself is kept, for `isinstance` and pickles."""
    if not isinstance(thing, type):
        return wrap(thing)  # type: ignore[return-value]  # same signature as the wrapped function
    thing.__init__ = wrap(thing.__init__)  # type: ignore[misc]
    return thing
