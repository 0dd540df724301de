"""A chain of layers, each chosen by name: the layer-wise space of textbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.checks import require
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts
from nasbench_lab.spaces.product import ProductSpace

_LAYER = re.compile(r"conv[357]x[357]-[1-9]\d*|dense-[1-9]\d*|max-pool|avg-pool|relu|tanh|sigmoid|identity")
_SEPARATOR = "|"


@final
class LayerChainSpace(ProductSpace):
    """Chains of layers; each position has its own choices, and the last position turns fastest in the index order.

    The choices are ``conv3x3-8`` (square kernel of 3, 5 or 7, and the number of channels), ``max-pool`` and
    ``avg-pool`` (2x2, halving the image), ``dense-32`` (fully connected, with the number of units), the activations
    ``relu``, ``tanh`` and ``sigmoid``, and ``identity``. No convolution or pooling may follow a position with a dense
    layer. An architecture is written with ``|`` between its layers.

    Args:
        layers: the choices of every position.

    Raises:
        ParameterError: there is no position, or a choice is not a layer, is given twice, or is out of place.

    >>> space = LayerChainSpace([["conv3x3-4", "conv5x5-4"], ["relu", "tanh"], ["max-pool", "identity"]])
    >>> space.size, space.format(3), space.parse("conv5x5-4|relu|identity")
    (8, 'conv3x3-4|tanh|identity', 5)
    """

    encodings: ClassVar[tuple[str, ...]] = (*ProductSpace.encodings, COUNTS)
    _one_code: ClassVar[str] = "layer"

    def __init__(self, layers: Sequence[Sequence[str]]) -> None:
        require(bool(layers), "a chain of layers needs at least one position")
        dense = False
        for position, choices in enumerate(layers):
            _check(position, choices, dense)
            dense = dense or any(choice.startswith("dense") for choice in choices)
        super().__init__("layer-chain", tuple(len(choices) for choices in layers))
        self.layers = tuple(tuple(choices) for choices in layers)

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

        >>> space = LayerChainSpace([["relu"], ["relu", "identity"], ["tanh"]])
        >>> space.network_form([0, 0, 0]), space.network_form([0, 1, 0])
        (('relu', 'tanh'), ('relu', 'tanh'))
        """
        form: list[str] = []
        for layer in self.names(codes):
            if layer != "identity" and not (layer == "relu" and form[-1:] == ["relu"]):
                form.append(layer)
        return tuple(form)

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


def _check(position: int, choices: Sequence[str], dense: bool) -> None:
    if isinstance(choices, str) or not choices or len(set(choices)) != len(choices):
        raise ParameterError(f"position {position} of a chain needs a list of different layers, got {choices!r}")
    for choice in choices:
        if not _LAYER.fullmatch(choice) or (choice[:4] == "conv" and choice[4] != choice[6]):
            raise ParameterError(
                f"{choice!r} is not a layer; known: conv3x3-N, conv5x5-N, conv7x7-N, max-pool, avg-pool, dense-N, "
                "relu, tanh, sigmoid, identity"
            )
        if dense and (choice[:4] == "conv" or choice.endswith("pool")):
            raise ParameterError(f"{choice!r} at position {position} of a chain may come after a dense layer")
