"""The names of strategies: the built-in ones, and those that installed packages add.

A built-in strategy is a module of this package, named like the strategy: ``regularized_evolution.py`` defines
"regularized-evolution". The modules of the contract are the only other ones. So a new file is a new strategy, and its
name, aliases, family and reference stand in that file.

Another package adds a strategy with an entry point in its ``pyproject.toml``. It names a `Strategy` or a plain class::

    [project.entry-points."nasbench_lab.strategies"]
    my-idea = "my_package.my_idea:MyIdea"
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import several, stands_for, unknown
from nasbench_lab.plugins import added_names, describe, ignored, load_entry_point, warn_of_ignored
from nasbench_lab.strategies.base import Strategy, field_names
from nasbench_lab.strategies.plain import PlainRun, PlainStrategy, plain_version

GROUP = "nasbench_lab.strategies"

HOW_TO_LIST = "to list the strategies: nasbench-lab strategies"

CONTRACT = frozenset({"base", "lookup", "places", "plain", "problem", "registry"})
"""The modules of this package that are no strategies."""


@functools.cache
def built_in() -> tuple[str, ...]:
    """Return the names of the strategies of this package, sorted; imports none of them.

    >>> built_in()[:3]
    ('adversarial-search', 'asha', 'asng')
    """
    modules = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if not module.ispkg)
    return tuple(sorted(module.replace("_", "-") for module in modules if module not in CONTRACT))


@functools.cache
def _built_in_class(name: str) -> type[Strategy[Any]]:
    """Import the module of a built-in strategy, and return the one public strategy class that it defines."""
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    (found,) = (
        value
        for title, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
        if not title.startswith("_")
    )
    return found


def _aliases() -> dict[str, list[str]]:
    """Return the strategies of every alias; imports them all, so it is for other names only."""
    named: dict[str, list[str]] = {}
    for name in list_strategies():
        try:
            kind = strategy_class(name)
        except NasbenchLabError:  # an entry point of another package that cannot be loaded
            continue
        for alias in kind.aliases if issubclass(kind, Strategy) else ():
            named.setdefault(alias, []).append(name)
    return named


def list_strategies() -> list[str]:
    """Return the names of all strategies, sorted.

    >>> "random-search" in list_strategies()
    True
    """
    return sorted([*built_in(), *added_names(GROUP, built_in())])


def ignored_entry_points() -> list[str]:
    """Return one line per installed entry point that is ignored, as its name is that of a built-in strategy."""
    return ignored(GROUP, built_in())


def full_name(name: str) -> str:
    """Return the name of a strategy that is given by its name, another spelling, or an alias.

    Raises:
        UnknownNameError: no strategy has that name, or several have that alias.

    >>> full_name("random-search"), full_name("Random_Search"), full_name("rs")
    ('random-search', 'random-search', 'random-search')
    """
    if name in built_in() or name in added_names(GROUP, built_in()):
        return name
    known, aliases = list_strategies(), _aliases()
    meant = stands_for(str(name), known, aliases)
    if len(meant) > 1:
        raise several("strategy", name, meant)
    if not meant:
        raise unknown("strategy", name, known, aliases, instead=HOW_TO_LIST)
    return meant[0]


def strategy_class(name: str) -> type[Any]:
    """Return the class of a named strategy: a `Strategy`, or a plain class with ``ask`` and ``tell``.

    Args:
        name: see `full_name`.

    Raises:
        UnknownNameError: no strategy has that name, or several have that alias.
        ParameterError: an installed package registered something else.
    """
    name = full_name(name)
    if name in built_in():
        return _built_in_class(name)
    found = load_entry_point(GROUP, name)
    if not isinstance(found, type) or not (issubclass(found, Strategy) or is_plain(found)):
        raise ParameterError(f"{describe(GROUP, name)} is not a class of strategies")
    return found


def reference(name: str) -> str:
    """Return the publication of a named strategy; empty if it gives none."""
    return str(getattr(strategy_class(name), "reference", ""))


def family(name: str) -> str:
    """Return the kind of a named strategy, e.g. ``"evolution"``; empty if it gives none."""
    return str(getattr(strategy_class(name), "family", ""))


def version(name: str) -> int:
    """Return the version of a named strategy, see `Strategy.version`.

    >>> version("random-search"), version("q-learning")
    (1, 2)
    """
    kind = strategy_class(name)
    return kind.version if issubclass(kind, Strategy) else plain_version(kind)


def needs(name: str) -> tuple[str, ...]:
    """Return what a named strategy uses besides the values of architectures.

    >>> needs("random-search"), needs("regularized-evolution")
    ((), ('neighbours',))
    """
    return needs_of(strategy_class(name))


def needs_of(kind: Any) -> tuple[str, ...]:
    """Return what the strategies of a class use besides the values of architectures."""
    several = ("fidelities",) if getattr(kind, "multi_fidelity", False) is True else ()
    return (*several, *getattr(kind, "needs", ()))


def resolve(strategy: str | Strategy[Any] | Callable[..., PlainRun], parameters: Mapping[str, Any]) -> Strategy[Any]:
    """Return the strategy object for a name or a class and its parameters; return an object unchanged.

    Any other class with ``ask`` and ``tell`` is wrapped in a `PlainStrategy`.

    Raises:
        UnknownNameError: no strategy has that name.
        ParameterError: a parameter is unknown or has a bad value, or parameters come with an object.
    """
    title = ""
    if isinstance(strategy, str):
        title = strategy = full_name(strategy)
        if strategy in built_in():
            warn_of_ignored(GROUP, strategy)
        strategy = strategy_class(strategy)
    if isinstance(strategy, type):
        if issubclass(strategy, Strategy):
            return _construct(strategy, parameters)
        if is_plain(strategy):
            return PlainStrategy(strategy, parameters, title)
    if not isinstance(strategy, Strategy):
        raise ParameterError(
            f"strategy must be a name, a Strategy object or a class with ask and tell, got {strategy!r}"
        )
    if parameters:
        raise ParameterError(f"give parameters ({', '.join(parameters)}) to the strategy object, or name the strategy")
    return strategy


def is_plain(kind: type[Any]) -> TypeGuard[type[PlainRun]]:
    """Return whether a class has ``ask`` and ``tell``."""
    return all(callable(getattr(kind, method, None)) for method in ("ask", "tell"))


def _construct(kind: type[Strategy[Any]], parameters: Mapping[str, Any]) -> Strategy[Any]:
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise ParameterError(f"{kind.__name__} is abstract: give a class that defines {missing}")
    if kind is PlainStrategy:
        raise ParameterError("PlainStrategy needs a class to run: give that class, or PlainStrategy(that class)")
    known = field_names(kind)
    for parameter in parameters:
        if parameter not in known:
            raise unknown(f"parameter of strategy {kind.name!r}", parameter, known)
    try:
        return kind(**parameters)
    except TypeError as error:
        raise ParameterError(f"strategy {kind.name!r}: {error}") from error
