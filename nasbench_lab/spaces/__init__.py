"""Search spaces: what an architecture is. Each has its index, codes, official notation, sampling and moves."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from nasbench_lab.errors import DataError, unknown
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.chain import ChainSpace
from nasbench_lab.spaces.choices import ChoicesSpace
from nasbench_lab.spaces.gnn import GnnSpace
from nasbench_lab.spaces.layer_chain import LayerChainSpace
from nasbench_lab.spaces.listed import ListedChoicesSpace, ListedSpace
from nasbench_lab.spaces.product import ProductSpace
from nasbench_lab.spaces.size import SizeSpace
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.spaces.trans_macro import TransMacroSpace
from nasbench_lab.spaces.trans_micro import TransMicroSpace

__all__ = [
    "Cell101Space",
    "ChainSpace",
    "ChoicesSpace",
    "GnnSpace",
    "LayerChainSpace",
    "ListedChoicesSpace",
    "ListedSpace",
    "ProductSpace",
    "SizeSpace",
    "Space",
    "TopologySpace",
    "TransMacroSpace",
    "TransMicroSpace",
    "make_space",
]

_SPACES: dict[str, Callable[..., Space]] = {
    "topology": TopologySpace,
    "size": SizeSpace,
    "gnn": GnnSpace,
    "chain": ChainSpace,
    "layer-chain": LayerChainSpace,
    "choices": ChoicesSpace,
    "listed": ListedSpace,
    "listed-choices": ListedChoicesSpace,
    "cell101": Cell101Space,
    "trans-micro": TransMicroSpace,
    "trans-macro": TransMacroSpace,
}


def make_space(spec: Mapping[str, Any]) -> Space:
    """Make the space that plain data describes, or return the one made before from equal data.

    Args:
        spec: ``name`` of the space and its parameters, as `Space.spec` returns them.

    Raises:
        UnknownNameError: no space has that name.
        DataError: the parameters do not fit the space.

    >>> make_space({"name": "chain", "choices": "012", "length": 8}).size
    6561
    """
    name = spec.get("name")
    if not isinstance(name, str) or name not in _SPACES:
        raise unknown("space", str(name), _SPACES)
    return _make_once(json.dumps(dict(spec), sort_keys=True))


@functools.cache
def _make_once(text: str) -> Space:
    parameters = json.loads(text)
    try:
        return _SPACES[parameters.pop("name")](**parameters)
    except (TypeError, ValueError) as error:
        raise DataError(f"the description of a space is wrong: {error}") from error
