"""The spaces that have a name: the built-in ones and those that installed packages add.

A package adds a space with an entry point in its ``pyproject.toml``, which names a `Space` class or a function that
returns a space; its name is the name of the space::

    [project.entry-points."nasbench_lab.spaces"]
    my-space = "my_package.my_space:MySpace"
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from nasbench_lab.errors import DataError, ParameterError, UnknownNameError
from nasbench_lab.messages import unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.chain import ChainSpace
from nasbench_lab.spaces.choices import ChoicesSpace
from nasbench_lab.spaces.gnn import GnnSpace
from nasbench_lab.spaces.hierarchical import HierarchicalSpace
from nasbench_lab.spaces.layer_chain import LayerChainSpace
from nasbench_lab.spaces.listed import ListedChoicesSpace, ListedSpace
from nasbench_lab.spaces.size import SizeSpace
from nasbench_lab.spaces.subset import SubsetSpace, members_from
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.spaces.trans_macro import TransMacroSpace
from nasbench_lab.spaces.trans_micro import TransMicroSpace

GROUP = "nasbench_lab.spaces"


def _subset(parent: Mapping[str, Any], members: str) -> Space:
    if not isinstance(parent, dict) or parent.get("name") == "subset":
        raise ParameterError(f"the parent of a subset must be the description of another space, got {parent!r}")
    return SubsetSpace(make_space(parent), members_from(members))


_BUILT_IN: dict[str, Callable[..., Space]] = {
    "topology": TopologySpace,
    "size": SizeSpace,
    "gnn": GnnSpace,
    "chain": ChainSpace,
    "layer-chain": LayerChainSpace,
    "hierarchical": HierarchicalSpace,
    "choices": ChoicesSpace,
    "listed": ListedSpace,
    "listed-choices": ListedChoicesSpace,
    "subset": _subset,
    "cell101": Cell101Space,
    "trans-micro": TransMicroSpace,
    "trans-macro": TransMacroSpace,
}


def list_spaces() -> list[str]:
    """Return the names of all spaces, sorted.

    >>> "topology" in list_spaces()
    True
    """
    return sorted([*_BUILT_IN, *added_names(GROUP, _BUILT_IN)])


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
    name = spec.get("name")
    if not isinstance(name, str) or (name not in _BUILT_IN and name not in added_names(GROUP, _BUILT_IN)):
        raise UnknownNameError(f"{unknown('space', str(name), list_spaces())} (a package may have to be installed)")
    return _make_once(json.dumps(dict(spec), sort_keys=True))


@functools.cache
def _make_once(text: str) -> Space:
    parameters = json.loads(text)
    name = parameters.pop("name")
    if name in _BUILT_IN:
        warn_of_ignored(GROUP, name)
    make = _BUILT_IN[name] if name in _BUILT_IN else load_entry_point(GROUP, name)
    try:
        space = make(**parameters)
    except (TypeError, ValueError) as error:
        raise DataError(f"the description of a space is wrong: {error}") from error
    if not isinstance(space, Space) or space.name != name:
        raise ParameterError(f"{describe(GROUP, name)} must make a space named {name!r}, but it makes {space!r}")
    return space
