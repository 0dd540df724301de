"""The networks of every kind of space, by the name of the space: the built-in ones and those of installed packages.

A package adds networks for its space with an entry point in its ``pyproject.toml``, which names a `NetworkFamily`; its
name is the name of the space::

    [project.entry-points."nasbench_lab.networks"]
    my-space = "my_package.networks:MyNetworks"
"""

from __future__ import annotations

from typing import Any

from nasbench_lab.spaces import Space
from nasbench_lab.train.networks.cell101 import Cell101Networks
from nasbench_lab.train.networks.classes_by_space import ClassesBySpace
from nasbench_lab.train.networks.darts import DartsNetworks
from nasbench_lab.train.networks.family import AnyFamily, NetworkFamily
from nasbench_lab.train.networks.layer_chain import LayerChainNetworks
from nasbench_lab.train.networks.macro import MacroNetworks
from nasbench_lab.train.networks.nats import SizeNetworks, TopologyNetworks
from nasbench_lab.train.networks.product import ProductNetworks

GROUP = "nasbench_lab.networks"

_CLASSES: ClassesBySpace[AnyFamily] = ClassesBySpace(
    GROUP,
    NetworkFamily,
    "there are no networks",
    {
        "cell101": Cell101Networks,
        "chain": MacroNetworks,
        "darts": DartsNetworks,
        "layer-chain": LayerChainNetworks,
        "product": ProductNetworks,
        "size": SizeNetworks,
        "topology": TopologyNetworks,
    },
)


def list_networks() -> list[str]:
    """Return the names of the spaces that have networks, sorted.

    >>> "topology" in list_networks()
    True
    """
    return _CLASSES.names()


def networks_of(space: Space) -> AnyFamily:
    """Return the networks of a space. Those of a subset are the networks of its parent.

    Raises:
        ParameterError: the space has no networks, or an installed package adds some that cannot be used.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> networks_of(TopologySpace()).options
    ('channels', 'cells')
    """
    if space.parent is not None:  # the codes are the same
        return networks_of(space.parent)
    family: Any = _CLASSES.of(space)
    return family(space, networks_of) if family is ProductNetworks else family(space)
