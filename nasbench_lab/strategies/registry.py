"""The strategies that can be named: the built-in ones and those that installed packages add.

A package adds its own with an entry point in its ``pyproject.toml``, which names a `Strategy` or a plain class::

    [project.entry-points."nasbench_lab.strategies"]
    my-idea = "my_package.my_idea:MyIdea"
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from nasbench_lab.errors import ParameterError, unknown
from nasbench_lab.strategies.base import Strategy, field_names
from nasbench_lab.strategies.plain import PlainRun, PlainStrategy

GROUP = "nasbench_lab.strategies"

_BUILT_IN = {
    "local-search": "nasbench_lab.strategies.local_search:LocalSearch",
    "random-search": "nasbench_lab.strategies.random_search:RandomSearch",
    "regularized-evolution": "nasbench_lab.strategies.regularized_evolution:RegularizedEvolution",
}


@functools.cache
def _loaders() -> dict[str, Callable[[], Any]]:
    """Return what imports each strategy; a built-in name cannot be taken over."""
    from importlib.metadata import entry_points  # slow to import, and only needed here

    added = {entry.name: entry.load for entry in entry_points(group=GROUP)}
    return {**added, **{name: functools.partial(_import, path) for name, path in _BUILT_IN.items()}}


def _import(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def strategies() -> list[str]:
    """Return the names of all strategies, sorted.

    >>> strategies()[:3]
    ['local-search', 'random-search', 'regularized-evolution']
    """
    return sorted(_loaders())


def strategy_class(name: str) -> type[Any]:
    """Return the class of a named strategy: a `Strategy`, or a plain class with ``ask`` and ``tell``.

    Raises:
        UnknownNameError: no strategy has that name.
        ParameterError: an installed package registered something else.
    """
    if name not in _loaders():
        raise unknown("strategy", name, _loaders())
    try:
        found = _loaders()[name]()
    except Exception as error:  # whatever the other package raises
        raise ParameterError(f"the entry point {name!r} in group {GROUP!r} cannot be loaded: {error!r}") from error
    if not isinstance(found, type) or not (issubclass(found, Strategy) or _is_plain(found)):
        raise ParameterError(f"the entry point {name!r} in group {GROUP!r} is not a class of strategies")
    return found


def reference(name: str) -> str:
    """Return where a named strategy was published; empty where it does not say."""
    return str(getattr(strategy_class(name), "reference", ""))


def resolve(strategy: str | Strategy[Any] | Callable[..., PlainRun], parameters: Mapping[str, Any]) -> Strategy[Any]:
    """Return the strategy object for a name or class and parameters, or an object as it is.

    A class with ``ask`` and ``tell`` that is no Strategy is wrapped in `PlainStrategy`.

    Raises:
        UnknownNameError: no strategy has that name.
        ParameterError: a parameter is unknown or has a bad value, or parameters come with an object.
    """
    title = strategy if isinstance(strategy, str) else ""
    if isinstance(strategy, str):
        strategy = strategy_class(strategy)
    if isinstance(strategy, type):
        if issubclass(strategy, Strategy):
            return _construct(strategy, parameters)
        if _is_plain(strategy):
            return PlainStrategy(strategy, parameters, title)
    if not isinstance(strategy, Strategy):
        raise ParameterError(
            f"strategy must be a name, a Strategy object or a class with ask and tell, got {strategy!r}"
        )
    if parameters:
        raise ParameterError(f"give parameters ({', '.join(parameters)}) to the strategy object, or name the strategy")
    return strategy


def _is_plain(kind: type[Any]) -> TypeGuard[type[PlainRun]]:
    return all(callable(getattr(kind, method, None)) for method in ("ask", "tell"))


def _construct(kind: type[Strategy[Any]], parameters: Mapping[str, Any]) -> Strategy[Any]:
    known = field_names(kind)
    for parameter in parameters:
        if parameter not in known:
            raise unknown(f"parameter of strategy {kind.name!r}", parameter, known)
    try:
        return kind(**parameters)
    except TypeError as error:
        raise ParameterError(f"strategy {kind.name!r}: {error}") from error
