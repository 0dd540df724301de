"""The names of one-shot methods: the built-in ones, and those that installed packages add. Does not import torch.

A built-in method is a module of this package, named like the method: ``spos.py`` defines "spos". So a new file is a new
method. Another package adds one with an entry point in its ``pyproject.toml``, which names a `Method`::

    [project.entry-points."nasbench_lab.one_shot_methods"]
    my-method = "my_package.my_method:MyMethod"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nasbench_lab.train.class_registry import ClassRegistry

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.methods.base import Method

GROUP = "nasbench_lab.one_shot_methods"

_METHODS: ClassRegistry[Method[Any]] = ClassRegistry(
    what="one-shot method",
    group=GROUP,
    package="nasbench_lab.train.one_shot.methods",
    base="nasbench_lab.train.one_shot.methods.base:Method",
    public="nasbench_lab.train.one_shot.Method",
    others=frozenset({"base", "registry"}),
)


def built_in() -> tuple[str, ...]:
    """Return the names of the methods of this package, sorted.

    >>> "spos" in built_in()
    True
    """
    return _METHODS.built_in()


def list_methods() -> list[str]:
    """Return the names of all methods, sorted.

    >>> "spos" in list_methods()
    True
    """
    return _METHODS.names()


def method_class(name: str) -> type[Method[Any]]:
    """Return the class of a method; imports torch.

    Args:
        name: its name, another spelling, or an alias; or where it is defined, ``"file.py:Class"`` or
            ``"package.module:Class"``.

    Raises:
        UnknownNameError: no method has that name, or several have that alias.
        ParameterError: an installed package registered something else.
    """
    return _METHODS.find(name)


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
    return _METHODS.make(method, parameters)
