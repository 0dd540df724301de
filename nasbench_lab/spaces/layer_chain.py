"""A chain of layers, each chosen by name: the layer-wise space of textbooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.chain_layers import check_chain, layer_of
from nasbench_lab.spaces.chain_positions import Position, expanded
from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts
from nasbench_lab.spaces.graph import Graph, GraphEdge, GraphNode, layer_graph
from nasbench_lab.spaces.product import ProductSpace

_SEPARATOR = "|"


@final
class LayerChainSpace(ProductSpace):
    """Chains of layers; each position has its own choices, and the last position turns fastest in the index order.

    An architecture is written with ``|`` between its layers. K is 1, 3, 5, 7, 9 or 11.

    =====================================  ========================================================================
    ``conv3x3-8``                          convolution with a KxK kernel to 8 channels; the image keeps its size
    ``separable3x3-8``                     depthwise convolution, then 1x1 convolution to 8 channels
    ``depthwise3x3``                       convolution of every channel on its own
    ``max-pool``, ``avg-pool``             of 2x2 pixels: half the image
    ``global-avg-pool``                    the mean of every channel, a vector
    ``dense-32``                           fully connected, with 32 units
    ``relu``, ``leaky-relu``, ``elu``,     activations
    ``gelu``, ``silu``, ``tanh``,
    ``sigmoid``
    ``batch-norm``                         batch normalisation
    ``dropout-0.25``                       sets a quarter of the values to zero, in training only
    ``skip-2``                             adds the output of the layer two positions before that which comes before
    ``identity``                           nothing
    =====================================  ========================================================================

    ``skip-N`` at position p adds the output of position p - 1 - N to that of position p - 1; position -1 is the image.
    An ``identity`` counts as a position. If the shapes differ, what is added is first pooled (average, as often as the
    image was) and brought to the same number of channels by a 1x1 convolution.

    No convolution or pooling may follow a position with ``dense-N`` or ``global-avg-pool``, and no ``skip-N`` may add
    an image to a vector.

    Args:
        layers: the choices of every position. Where positions repeat, a mapping stands for them: ``choices``, or
            ``layers`` for several positions, and ``repeat``. In a name, ``{3x3,5x5}`` stands for both
            (see `nasbench_lab.spaces.chain_positions.expanded`).

    Raises:
        ParameterError: there is no position, a choice is not a layer, is given twice, or is out of place, or there are
            more than 2**63 - 1 chains.

    >>> space = LayerChainSpace([["conv3x3-4", "conv5x5-4"], ["relu", "tanh"], ["max-pool", "identity"]])
    >>> space.size, space.format(3), space.parse("conv5x5-4|relu|identity")
    (8, 'conv3x3-4|tanh|identity', 5)
    >>> long = LayerChainSpace([{"choices": ["conv{3x3,5x5}-8", "identity"], "repeat": 20}])
    >>> long.size == 3**20
    True
    """

    encodings: ClassVar[tuple[str, ...]] = (*ProductSpace.encodings, COUNTS)

    def __init__(self, layers: Sequence[Position]) -> None:
        self.layers = expanded(layers)
        check_chain(self.layers)
        super().__init__("layer-chain", tuple(len(choices) for choices in self.layers))

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "layers": [list(choices) for choices in self.layers]}

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return chains as vectors for models.

        ``"counts"``: how often each layer occurs, in the order in which the positions first name them.

        >>> space = LayerChainSpace([["relu", "identity"], ["conv3x3-4", "identity"]])
        >>> space.encode([0, 3], "counts").tolist()
        [[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]
        """
        if encoding != COUNTS:
            return super().make_encoding(index, encoding)
        names = list(dict.fromkeys(choice for choices in self.layers for choice in choices))
        codes = self.codes(index)
        numbers = [
            np.array([names.index(choice) for choice in choices])[codes[..., position]]
            for position, choices in enumerate(self.layers)
        ]
        return counts(np.stack(numbers, axis=-1), len(names))

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the layers of one architecture."""
        return self.names(self.codes(index).tolist())

    def names(self, codes: Sequence[int]) -> tuple[str, ...]:
        """Return the layers of one architecture, given its codes."""
        return tuple(choices[code] for choices, code in zip(self.layers, codes, strict=True))

    def network_form(self, codes: Sequence[int]) -> tuple[str, ...]:
        """Return the layers without those that do nothing: identities, and a ReLU right after a ReLU.

        A skip connection names the layer of the form that it starts from, from 1; 0 is the image.

        >>> space = LayerChainSpace([["relu"], ["relu", "identity"], ["tanh"], ["skip-1", "skip-2"]])
        >>> space.network_form([0, 0, 0, 0]), space.network_form([0, 1, 0, 1])
        (('relu', 'tanh', 'skip from 1'), ('relu', 'tanh', 'skip from 1'))
        """
        form: list[str] = []
        outputs = [0]  # after every position, the layer of the form whose output it is
        for name in self.names(codes):
            layer = layer_of(name)
            if layer.kind == "skip":
                form.append(f"skip from {outputs[-1 - layer.number]}")
            elif name != "identity" and not (name == "relu" and form[-1:] == ["relu"]):
                form.append(name)
            outputs.append(len(form))
        return tuple(form)

    def graph(self, index: int) -> Graph:
        """Return the layers in a row; with skip connections, every layer below those that lead to it."""
        names = self.labels(index)
        row = layer_graph(names)
        skips = [
            GraphEdge(place - layer.number, place + 1)
            for place, layer in enumerate(map(layer_of, names))
            if layer.kind == "skip"
        ]
        if not skips:
            return row
        nodes = tuple(
            GraphNode(node.label if not node.label.startswith("skip-") else "+", node.kind) for node in row.nodes
        )
        return Graph(nodes, (*row.edges, *skips), "layers")

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a chain in official notation."""
        names = [name.strip() for name in text.split(_SEPARATOR)]
        if len(names) != len(self.layers):
            raise OutOfSpaceError(
                f"{text!r} has {len(names)} layers; an architecture of this space has {len(self.layers)}"
            )
        for position, (name, choices) in enumerate(zip(names, self.layers, strict=True)):
            if name not in choices:
                raise OutOfSpaceError(
                    f"unknown layer {name!r} at position {position} of {text!r}; allowed: {', '.join(choices)}"
                )
        return tuple(choices.index(name) for name, choices in zip(names, self.layers, strict=True))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a chain."""
        return _SEPARATOR.join(self.names(codes))
