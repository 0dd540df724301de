"""Find a strategy by name, file, module, class, function or object."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.strategies.base import Strategy, field_names
from nasbench_lab.strategies.plain import PlainRun, PlainStrategy
from nasbench_lab.strategies.registry import list_strategies, resolve
from nasbench_lab.user_code import import_name

StrategyLike = str | Strategy[Any] | Callable[..., PlainRun]
"""A name (with parameters as ``name:key=value,...``), ``file.py:Class``, ``module:Class``, object, class or factory."""

_PATH = re.compile(r"(?P<place>.+?):(?P<name>[A-Za-z_][\w.]*)(?::(?P<parameters>.*))?")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def find_strategy(strategy: StrategyLike, parameters: Mapping[str, Any] | None = None) -> Strategy[Any]:
    """Return the strategy object for a `StrategyLike`.

    A class or a factory function whose objects have ``ask`` and ``tell`` for a single run is wrapped in
    `PlainStrategy`. A file or a module is imported, so its code runs.

    Args:
        strategy: see `StrategyLike`.
        parameters: of the strategy, besides those in the text of a name.

    Raises:
        UnknownNameError: no strategy has that name, or it has no such parameter.
        ParameterError: it cannot be imported, is not a strategy, or a parameter has a bad value or is given twice.

    >>> find_strategy("regularized-evolution:population_size=20,sample_size=5").label
    'regularized-evolution:population_size=20,sample_size=5'
    >>> find_strategy("nasbench_lab.strategies.random_search:RandomSearch").name
    'random-search'
    """
    given = dict(parameters or {})
    if isinstance(strategy, str):
        place, text = split_path(strategy)
        if not place and strategy.endswith(".py"):
            raise ParameterError(f"{strategy} has a class or function to name, as in {strategy}:MyStrategy")
        twice = sorted(set(given) & set(parameters_in_text(strategy)))
        if twice:
            raise ParameterError(f"parameter {twice[0]!r} is given twice: in {strategy!r} and beside it")
        if place:
            more = parse_parameters(strategy, text) if text else {}
            return find_strategy(import_path(place), {**given, **more})
        name, more = parse_strategy(strategy)
        return resolve(name, {**given, **more})
    if isinstance(strategy, functools.partial) and not strategy.args:
        return find_strategy(strategy.func, {**strategy.keywords, **given})
    if callable(strategy) and not isinstance(strategy, type | Strategy):
        return PlainStrategy(strategy, given)
    return resolve(strategy, given)


def parameter_names(strategy: Strategy[Any]) -> list[str]:
    """Return the names of the parameters that a strategy can be given.

    >>> parameter_names(find_strategy("regularized-evolution"))
    ['population_size', 'sample_size']
    """
    if not isinstance(strategy, PlainStrategy):
        return field_names(type(strategy))
    try:
        arguments = list(inspect.signature(strategy.factory).parameters.values())[2:]  # after space and random
    except (TypeError, ValueError):  # a callable without a signature
        return list(strategy.arguments)
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [argument.name for argument in arguments if argument.kind not in variable]


def parameters_in_text(text: str) -> dict[str, Any]:
    """Return the parameters in a text that names a strategy.

    >>> parameters_in_text("umda:selected=5"), parameters_in_text("mine.py:Mine:size=3"), parameters_in_text("umda")
    ({'selected': 5}, {'size': 3}, {})
    """
    place, rest = split_path(text)
    if place:
        return parse_parameters(text, rest) if rest else {}
    return parse_strategy(text)[1]


def parse_strategy(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``name:parameter=value,...`` into the name and the parameters.

    Values are numbers, ``True``, ``False``, ``None``, quoted text, or else plain text.

    Raises:
        ParameterError: the text is malformed.

    >>> parse_strategy("regularized-evolution:population_size=20,sample_size=5")
    ('regularized-evolution', {'population_size': 20, 'sample_size': 5})
    >>> parse_strategy("local-search:improvement=best")
    ('local-search', {'improvement': 'best'})
    """
    name, colon, rest = text.partition(":")
    return name, parse_parameters(text, rest) if colon else {}


def parse_parameters(text: str, rest: str, what: str = "strategy") -> dict[str, Any]:
    """Read ``parameter=value,...``, the last part of a text that names a strategy or something else (``what``).

    Raises:
        ParameterError: it is malformed.
    """
    parameters: dict[str, Any] = {}
    for part in rest.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key.strip().isidentifier() or not value:
            raise ParameterError(f"malformed {what} {text!r}; write name or name:parameter=value,parameter=value")
        if key.strip() in parameters:
            raise ParameterError(f"parameter {key.strip()!r} is given twice in {text!r}")
        parameters[key.strip()] = _value(value.strip())
    return parameters


def split_path(text: str, names: Container[str] | None = None) -> tuple[str, str]:
    """Split ``place:Class:parameters`` into ``place:Class`` and the parameters; two empty strings for a name.

    Args:
        text: to split.
        names: known names, which are not modules; by default those of strategies.

    >>> split_path("mine.py:Mine:size=3"), split_path("package.module:Mine"), split_path("random-search")
    (('mine.py:Mine', 'size=3'), ('package.module:Mine', ''), ('', ''))
    """
    found = _PATH.fullmatch(text)
    if not found or "=" in found["place"]:
        return "", ""
    file = found["place"].endswith(".py")
    known = list_strategies() if names is None else names
    if not file and (not _MODULE.fullmatch(found["place"]) or found["place"] in known):
        return "", ""
    return f"{found['place']}:{found['name']}", found["parameters"] or ""


def import_path(path: str) -> Any:
    """Import what ``file.py:name`` or ``module:name`` names: a class or a function.

    Raises:
        ParameterError: the file, module or name does not exist, or importing it raised an error.

    >>> import_path("nasbench_lab.strategies.random_search:RandomSearch").name
    'random-search'
    """
    found = import_name(path)
    if not isinstance(found, type) and not inspect.isroutine(found):
        raise ParameterError(f"{path} is not a class or a function")
    return found


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
