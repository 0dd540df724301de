"""The spaces that have a name: the built-in ones and those that installed packages add.

A package adds a space with an entry point in its ``pyproject.toml``, which names a `Space` class or a function that
returns a space; its name is the name of the space::

    [project.entry-points."nasbench_lab.spaces"]
    my-space = "my_package.my_space:MySpace"
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from nasbench_lab.checks import require
from nasbench_lab.errors import DataError, ParameterError, UnknownNameError
from nasbench_lab.messages import first_line, shortened, unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.chain import ChainSpace
from nasbench_lab.spaces.choices import ChoicesSpace
from nasbench_lab.spaces.darts import DartsSpace
from nasbench_lab.spaces.gnn import GnnSpace
from nasbench_lab.spaces.hierarchical import HierarchicalSpace
from nasbench_lab.spaces.layer_chain import LayerChainSpace
from nasbench_lab.spaces.listed import ListedChoicesSpace, ListedSpace
from nasbench_lab.spaces.product_of_spaces import LABEL, ProductOfSpaces, usual_labels
from nasbench_lab.spaces.recurrent import RecurrentCellSpace
from nasbench_lab.spaces.size import SizeSpace
from nasbench_lab.spaces.subset import SubsetSpace, members_from
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.spaces.trans_macro import TransMacroSpace
from nasbench_lab.spaces.trans_micro import TransMicroSpace

GROUP = "nasbench_lab.spaces"


def _subset(parent: Mapping[str, Any], members: str) -> Space:
    if not isinstance(parent, dict) or parent.get("name") == "subset":
        raise ParameterError(f"the parent of a subset must be the description of another space, got {parent!r}")
    whole = make_space(parent)
    return SubsetSpace(whole, members_from(members, whole))


def _product(parts: Sequence[Mapping[str, Any]]) -> Space:
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ParameterError(f"the parts of a product must be a list of descriptions of spaces, got {shortened(parts)}")
    for part in parts:
        if isinstance(part.get("name"), str) and part["name"] in list_spaces():
            _check_names(part["name"], _maker(part["name"]), part.keys() - {"name"}, also=(LABEL,))
    made = [make_space({key: value for key, value in part.items() if key != LABEL}) for part in parts]
    usual = usual_labels([space.name for space in made])
    labels = [part.get(LABEL, label) for part, label in zip(parts, usual, strict=True)]
    for label in labels:
        require(isinstance(label, str) and labels.count(label) == 1, f"two parts have the label {shortened(label)}")
    return ProductOfSpaces(dict(zip(labels, made, strict=True)) if made else [])


_BUILT_IN: dict[str, Callable[..., Space]] = {
    "topology": TopologySpace,
    "size": SizeSpace,
    "gnn": GnnSpace,
    "chain": ChainSpace,
    "layer-chain": LayerChainSpace,
    "hierarchical": HierarchicalSpace,
    "choices": ChoicesSpace,
    "darts": DartsSpace,
    "listed": ListedSpace,
    "listed-choices": ListedChoicesSpace,
    "product": _product,
    "subset": _subset,
    "cell101": Cell101Space,
    "recurrent-cells": RecurrentCellSpace,
    "trans-micro": TransMicroSpace,
    "trans-macro": TransMacroSpace,
}

_CLASSES_OF_FUNCTIONS = {"product": ProductOfSpaces, "subset": SubsetSpace}


def list_spaces() -> list[str]:
    """Return the names of all spaces, sorted.

    >>> "topology" in list_spaces()
    True
    """
    return sorted([*_BUILT_IN, *added_names(GROUP, _BUILT_IN)])


def space_class(name: str) -> Any:
    """Return the class of a space, or the function that an installed package adds instead of one.

    Raises:
        UnknownNameError: no space has that name.

    >>> space_class("product").__name__
    'ProductOfSpaces'
    """
    if name in _CLASSES_OF_FUNCTIONS:
        return _CLASSES_OF_FUNCTIONS[name]
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name not in added_names(GROUP, _BUILT_IN):
        raise unknown("space", name, list_spaces())
    return load_entry_point(GROUP, name)


_WRONG = "the description of a space is wrong: "
"""Begins messages, once: the parts of a product have descriptions, too."""


def make_space(spec: Mapping[str, Any]) -> Space:
    """Make the space that plain data describes, or return the one made before from equal data.

    Args:
        spec: ``name`` of the space and its parameters, as `Space.spec` returns them.

    Raises:
        UnknownNameError: no space has that name.
        ParameterError: an installed package adds a space with that name, but it cannot be loaded or is not a space.
        DataError: the parameters do not fit the space.

    >>> make_space({"name": "chain", "choices": "012", "length": 8}).size
    6561
    """
    name = spec.get("name") if isinstance(spec, Mapping) else None
    if not isinstance(name, str) or (name not in _BUILT_IN and name not in added_names(GROUP, _BUILT_IN)):
        raise UnknownNameError(f"{unknown('space', str(name), list_spaces())} (a package may have to be installed)")
    try:
        text = json.dumps(_with_ordered_choices(spec), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:  # dates, infinity, and data that is nested too deeply
        raise DataError(f"{_WRONG}{first_line(error).removeprefix(_WRONG)}") from error
    return _make_once(text)


def _with_ordered_choices(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description whose choices, if given as a mapping, are pairs: their order matters, and is kept so."""
    found = dict(spec)
    if isinstance(spec.get("choices"), dict):
        found["choices"] = [list(pair) for pair in spec["choices"].items()]
    if isinstance(spec.get("parts"), list):
        found["parts"] = [_with_ordered_choices(part) if isinstance(part, dict) else part for part in spec["parts"]]
    return found


@functools.cache
def _make_once(text: str) -> Space:
    parameters = json.loads(text)
    name = parameters.pop("name")
    if name in _BUILT_IN:
        warn_of_ignored(GROUP, name)
    make = _maker(name)
    _check_names(name, make, parameters.keys())
    try:
        space = make(**parameters)
    except (TypeError, ValueError) as error:
        raise DataError(f"{_WRONG}{first_line(error).removeprefix(_WRONG)}") from error
    if not isinstance(space, Space) or space.name != name:
        raise ParameterError(f"{describe(GROUP, name)} must make a space named {name!r}, but it makes {space!r}")
    return space


def _maker(name: str) -> Callable[..., Space]:
    """Return what makes a space with a known name: a class or a function."""
    return _BUILT_IN[name] if name in _BUILT_IN else load_entry_point(GROUP, name)


def _check_names(name: str, make: Callable[..., Space], parameters: Collection[str], also: Sequence[str] = ()) -> None:
    """Raise a DataError where a space lacks a parameter or has none of that name."""
    try:
        # The class of all spaces takes any arguments, so ask what the space itself takes.
        called: Any = vars(make).get("__init__", make.__init__) if isinstance(make, type) else make  # type: ignore[misc]
        taken = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):  # a class that does not say what it takes
        return
    if any(each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) for each in taken):
        return
    taken = taken[1:] if isinstance(make, type) else taken
    for key in parameters:
        if key not in {*also, *(each.name for each in taken)}:
            raise DataError(f"space {name!r}: {unknown('key', key, [*also, *(each.name for each in taken)])}")
    missing = [each.name for each in taken if each.default is each.empty and each.name not in parameters]
    if missing:
        raise DataError(f"{_WRONG}{name!r} lacks {' and '.join(missing)}")
