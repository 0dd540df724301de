"""Where strategies are defined: texts with which a file refers to a strategy that was given as an object or a class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy, import_path, split_path
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.strategies.registry import list_strategies, strategy_class
from nasbench_lab.user_code import file_of


def source_of(strategy: StrategyLike, found: Strategy[Any]) -> str:
    """Return a text with which `find_strategy` finds a strategy again; empty if there is none.

    >>> from nasbench_lab.strategies.random_search import RandomSearch
    >>> source_of(RandomSearch(), RandomSearch()), source_of("random-search", RandomSearch())
    ('nasbench_lab.strategies.random_search:RandomSearch', 'random-search')
    """
    if isinstance(strategy, str):
        return split_path(strategy)[0] or strategy.partition(":")[0]
    kind = found.factory if isinstance(found, PlainStrategy) else type(found)
    path = f"{file_of(kind) or getattr(kind, '__module__', '')}:{getattr(kind, '__qualname__', '')}"
    try:
        same = bool(split_path(path)[0]) and not path.startswith("__main__:") and import_path(path) is kind
    except NasbenchLabError:
        return ""
    return path if same else ""


def given_parameters(strategy: Strategy[Any]) -> list[str]:
    """Return the names of the parameters that differ from their defaults, or all if the defaults are not known.

    >>> from nasbench_lab.strategies.lookup import find_strategy
    >>> given_parameters(find_strategy("regularized-evolution:population_size=20,sample_size=5"))
    ['population_size', 'sample_size']
    """
    if isinstance(strategy, PlainStrategy):
        return list(strategy.arguments)
    try:
        defaults = type(strategy)().parameters
    except Exception:  # a parameter without a default, or defaults that do not fit together
        return list(strategy.parameters)
    return [name for name, value in strategy.parameters.items() if repr(value) != repr(defaults.get(name))]


def named_strategy(strategy: StrategyLike, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the name or place of a strategy that was given as an object or a class, and its parameters.

    Args:
        strategy: the strategy.
        folder: folder to which the path of a file in it is relative.

    Raises:
        ParameterError: only this process knows the strategy, such as a class of a notebook.

    >>> from nasbench_lab.strategies.regularized_evolution import RegularizedEvolution
    >>> named_strategy(RegularizedEvolution(population_size=20), Path())
    ('regularized-evolution', {'population_size': 20})
    """
    found = find_strategy(strategy)
    parameters = {name: found.parameters[name] for name in given_parameters(found)}
    if _is_registered(found):
        return found.name, parameters
    if isinstance(found, PlainStrategy) and found.title:
        raise ParameterError(
            f"strategy {found.label!r} has a title, under which it cannot be found again: leave it out"
        )
    place = source_of(strategy, found)
    if not place:
        kind = found.name.rpartition(".")[2]
        raise ParameterError(
            f"strategy {found.label!r} cannot be found again by its name: write its class to a file, and give it as "
            f"'file.py:{kind}'"
        )
    file, _, kind = place.rpartition(":")
    if file.endswith(".py") and Path(file).is_relative_to(folder.resolve()):
        place = f"{Path(os.path.relpath(file, folder.resolve())).as_posix()}:{kind}"
    return place, parameters


def _is_registered(found: Strategy[Any]) -> bool:
    """Return whether a strategy is what its name stands for."""
    kind = found.factory if isinstance(found, PlainStrategy) else type(found)
    return found.name in list_strategies() and strategy_class(found.name) is kind
