"""The names of one-shot methods: the built-in ones, and those that installed packages add. Does not import torch.

A built-in method is a module of this package, named like the method: ``spos.py`` defines "spos". So a new file is a new
method. Another package adds one with an entry point in its ``pyproject.toml``, which names a `Method`::

    [project.entry-points."nasbench_lab.one_shot_methods"]
    my-method = "my_package.my_method:MyMethod"
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import several, shortened, stands_for, unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.strategies.base import field_names
from nasbench_lab.strategies.lookup import import_path, parse_parameters, parse_strategy, split_path

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.methods.base import Method

GROUP = "nasbench_lab.one_shot_methods"

CONTRACT = frozenset({"base", "registry"})
"""The modules of this package that are no methods."""


@functools.cache
def built_in() -> tuple[str, ...]:
    """Return the names of the methods of this package, sorted.

    >>> "spos" in built_in()
    True
    """
    modules = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if not module.ispkg)
    return tuple(sorted(module.replace("_", "-") for module in modules if module not in CONTRACT))


def list_methods() -> list[str]:
    """Return the names of all methods, sorted.

    >>> "spos" in list_methods()
    True
    """
    return sorted([*built_in(), *added_names(GROUP, built_in())])


def method_class(name: str) -> type[Method[Any]]:
    """Return the class of a method; imports torch.

    Args:
        name: its name, another spelling, or an alias; or where it is defined, ``"file.py:Class"`` or
            ``"package.module:Class"``.

    Raises:
        UnknownNameError: no method has that name, or several have that alias.
        ParameterError: an installed package registered something else.
    """
    place, _ = split_path(name)
    if place:
        return _checked(import_path(place), place)
    known = list_methods()
    if name not in known:
        aliases = _aliases()
        meant = stands_for(str(name), known, aliases)
        if len(meant) > 1:
            raise several("one-shot method", name, meant)
        if not meant:
            raise unknown("one-shot method", name, known, aliases)
        name = meant[0]
    return _class_of(name)


def make_method(method: str | Method[Any], parameters: Mapping[str, Any] | None = None) -> Method[Any]:
    """Return a method from its name, e.g. ``"darts:order=2"``, and more parameters; return an object unchanged.

    Raises:
        UnknownNameError: no method has that name, or it has no such parameter.
        ParameterError: a parameter has a value that is not allowed, or parameters come with an object.

    >>> make_method("spos", {"population": 20}).label
    'spos:population=20'
    >>> make_method("darts:order=2").parameters["order"]
    2
    """
    from nasbench_lab.train.one_shot.methods.base import Method

    if parameters is not None and not isinstance(parameters, Mapping):
        raise ParameterError(
            f"parameters must be a dictionary, such as {{'population': 20}}, got {shortened(parameters)}"
        )
    given = dict(parameters or {})
    if isinstance(method, Method):
        if given:
            raise ParameterError(f"give parameters ({', '.join(given)}) to the method object, or name the method")
        return method
    if not isinstance(method, str):
        raise ParameterError(f"method must be a name or a Method object, got {method!r}")
    place, rest = split_path(method)
    name, own = (place, parse_parameters(method, rest) if rest else {}) if place else parse_strategy(method)
    twice = sorted(own.keys() & given.keys())
    if twice:
        raise ParameterError(f"parameter {twice[0]!r} is given twice: in {method!r} and in parameters")
    kind, given = method_class(name), {**own, **given}
    known = field_names(kind)
    for parameter in given:
        if parameter not in known:
            raise unknown(f"parameter of method {kind.name!r}", parameter, known)
    return _constructed(kind, given)


def _constructed(kind: type[Method[Any]], parameters: Mapping[str, Any]) -> Method[Any]:
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise ParameterError(f"{kind.__name__} is abstract: give a class that defines {missing}")
    return kind(**parameters)


@functools.cache
def _class_of(name: str) -> type[Method[Any]]:
    from nasbench_lab.train.one_shot.methods.base import Method

    if name not in built_in():
        return _checked(load_entry_point(GROUP, name), describe(GROUP, name))
    warn_of_ignored(GROUP, name)
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    (found,) = (
        value
        for title, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Method) and value.__module__ == module.__name__
        if not title.startswith("_")
    )
    return found


def _checked(kind: Any, what: str) -> type[Method[Any]]:
    from nasbench_lab.train.one_shot.methods.base import Method

    if not isinstance(kind, type) or not issubclass(kind, Method):
        raise ParameterError(f"{what} is no class derived from nasbench_lab.train.one_shot.Method")
    return kind


def _aliases() -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name in list_methods():
        for alias in _class_of(name).aliases:
            named.setdefault(alias, []).append(name)
    return named
