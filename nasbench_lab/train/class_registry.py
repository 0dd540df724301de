"""Registries of classes by name: one file per class in a package, and entry points of other packages.

Does not import torch. A registry imports the classes only when they are used.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import several, shortened, stands_for, unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.strategies.base import field_names
from nasbench_lab.strategies.lookup import import_path, parse_parameters, parse_strategy, split_path

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class ClassRegistry(Generic[T]):
    """Classes by name. Every one derives from the same base, and has ``name`` and ``aliases``.

    Attributes:
        what: what the classes are, for messages, e.g. ``"one-shot method"``.
        group: group of entry points with which other packages add classes.
        package: package whose modules are the built-in classes.
        base: the base class, as ``"module:Class"``.
        public: public name of the base class, for messages.
        others: modules of the package that define no such class.
        separator: what the underscores of the names of modules become in names.
    """

    what: str
    group: str
    package: str
    base: str
    public: str
    others: frozenset[str] = frozenset()
    separator: str = "-"

    def built_in(self) -> tuple[str, ...]:
        """Return the names of the classes of the package, sorted."""
        return tuple(sorted(_modules(self)))

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted([*self.built_in(), *added_names(self.group, self.built_in())])

    def find(self, name: str) -> type[T]:
        """Return a class.

        Args:
            name: its name, another spelling, or an alias; or where it is defined, ``"file.py:Class"`` or
                ``"package.module:Class"``.

        Raises:
            UnknownNameError: no class has that name, or several have that alias.
            ParameterError: an installed package registered something else.
        """
        place, _ = split_path(name)
        return self.checked(import_path(place), place) if place else self._class_of(self.full_name(name))

    def full_name(self, name: str) -> str:
        """Return the name of a class that is given by its name, another spelling, or an alias.

        Raises:
            UnknownNameError: no class has that name, or several have that alias.
        """
        known = self.names()
        if name in known:
            return name
        aliases = self._aliases()
        meant = stands_for(str(name), known, aliases)
        if len(meant) > 1:
            raise several(self.what, name, meant)
        if not meant:
            raise unknown(self.what, name, known, aliases)
        return meant[0]

    def make(self, given: str | T, parameters: Mapping[str, Any] | None = None) -> T:
        """Return an object from a name (see `find`), which may have parameters, and more; return an object unchanged.

        Raises:
            UnknownNameError: no class has that name, or it has no such parameter.
            ParameterError: a parameter has a value that is not allowed, or parameters come with an object.
        """
        word = self.what.split()[-1]
        if parameters is not None and not isinstance(parameters, Mapping):
            raise ParameterError(f"parameters must be a dictionary from names to values, got {shortened(parameters)}")
        values = dict(parameters or {})
        if isinstance(given, self.base_class()):
            if values:
                raise ParameterError(f"give parameters ({', '.join(values)}) to the {word} object, or name the {word}")
            return given
        if not isinstance(given, str):
            kind = self.public.rpartition(".")[2]
            raise ParameterError(f"{word} must be a name or a {kind} object, got {given!r}")
        name, values = name_and_parameters(given, values)
        return make_object(self.find(name), values, word)

    def checked(self, kind: Any, where: str) -> type[T]:
        """Return a class if it derives from the base.

        Raises:
            ParameterError: it does not.
        """
        if not isinstance(kind, type) or not issubclass(kind, self.base_class()):
            raise ParameterError(f"{where} is no class derived from {self.public}")
        return kind

    def base_class(self) -> type[T]:
        """Return the base class; imports torch."""
        module, _, name = self.base.partition(":")
        found: type[T] = getattr(importlib.import_module(module), name)
        return found

    def _class_of(self, name: str) -> type[T]:
        if name not in self.built_in():
            return self.checked(load_entry_point(self.group, name), describe(self.group, name))
        warn_of_ignored(self.group, name)
        base: Any = self.base_class()  # mypy does not take classes for hashable
        found: type[T] = _public_class(f"{self.package}.{_modules(self)[name]}", base)
        return found

    def _aliases(self) -> dict[str, list[str]]:
        named: dict[str, list[str]] = {}
        for name in self.names():
            for alias in getattr(self._class_of(name), "aliases", ()):
                named.setdefault(alias, []).append(name)
        return named


def name_and_parameters(text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Split ``name:parameter=value,...`` or ``place:Class:parameter=value,...``, and add more parameters.

    Raises:
        ParameterError: the text is malformed, or a parameter is given twice.

    >>> name_and_parameters("spos:parents=5", {"population": 20})
    ('spos', {'parents': 5, 'population': 20})
    """
    place, rest = split_path(text)
    name, own = (place, parse_parameters(text, rest) if rest else {}) if place else parse_strategy(text)
    twice = sorted(own.keys() & parameters.keys())
    if twice:
        raise ParameterError(f"parameter {twice[0]!r} is given twice: in {text!r} and in parameters")
    return name, {**own, **parameters}


def make_object(kind: type[T], parameters: Mapping[str, Any], word: str) -> T:
    """Return an object of a frozen dataclass with a ``name``.

    Args:
        kind: the class.
        parameters: values of its fields.
        word: what it is, for messages, e.g. ``"method"``.

    Raises:
        UnknownNameError: the class has no such parameter.
        ParameterError: a parameter has a value that is not allowed.
    """
    known = field_names(kind)
    for parameter in parameters:
        if parameter not in known:
            raise unknown(f"parameter of {word} {getattr(kind, 'name', kind.__name__)!r}", parameter, known)
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(getattr(kind, "__abstractmethods__", ())))
        raise ParameterError(f"{kind.__name__} is abstract: give a class that defines {missing}")
    return kind(**parameters)


@functools.cache
def _modules(registry: ClassRegistry[Any]) -> dict[str, str]:
    """Return the modules of the built-in classes by the names of the classes."""
    found = importlib.util.find_spec(registry.package)
    folder = Path(found.origin).parent if found and found.origin else Path()
    modules = (module.name for module in pkgutil.iter_modules([str(folder)]) if not module.ispkg)
    return {name.replace("_", registry.separator): name for name in modules if name not in registry.others}


@functools.cache
def _public_class(module: str, base: Any) -> Any:
    """Return the only public class of a module that is defined there and derives from a base."""
    loaded = importlib.import_module(module)
    (found,) = (
        value
        for title, value in vars(loaded).items()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == loaded.__name__
        if not title.startswith("_")
    )
    return found
