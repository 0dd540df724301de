"""The layers of a chain: their names, and what a name says."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import shortened

Kind = Literal[
    "conv",
    "separable",
    "depthwise",
    "max-pool",
    "avg-pool",
    "global-avg-pool",
    "dense",
    "activation",
    "batch-norm",
    "dropout",
    "skip",
    "identity",
]

ACTIVATIONS = ("relu", "tanh", "sigmoid", "leaky-relu", "elu", "gelu", "silu")
KNOWN = (
    "convKxK-N, separableKxK-N, depthwiseKxK (K is 1, 3, 5, 7, 9 or 11), max-pool, avg-pool, global-avg-pool, dense-N, "
    f"{', '.join(ACTIVATIONS)}, batch-norm, dropout-0.P, skip-N, identity"
)
"""All names of layers in words."""

_NUMBER = r"[1-9]\d{0,8}"
_KERNEL = r"(?P<kernel>1|3|5|7|9|11)x(?P=kernel)"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("conv", re.compile(rf"conv{_KERNEL}-(?P<number>{_NUMBER})", re.ASCII)),
    ("separable", re.compile(rf"separable{_KERNEL}-(?P<number>{_NUMBER})", re.ASCII)),
    ("depthwise", re.compile(rf"depthwise{_KERNEL}", re.ASCII)),
    ("dense", re.compile(rf"dense-(?P<number>{_NUMBER})", re.ASCII)),
    ("skip", re.compile(rf"skip-(?P<number>{_NUMBER})", re.ASCII)),
    ("dropout", re.compile(r"dropout-(?P<rate>0\.\d{0,2}[1-9])", re.ASCII)),
)
_PLAIN: dict[str, Kind] = {
    **dict.fromkeys(ACTIVATIONS, "activation"),
    "max-pool": "max-pool",
    "avg-pool": "avg-pool",
    "global-avg-pool": "global-avg-pool",
    "batch-norm": "batch-norm",
    "identity": "identity",
}


@dataclass(frozen=True)
class Layer:
    """A layer of a chain.

    Attributes:
        name: in the notation of the space.
        kind: what it is.
        kernel: pixels of its square kernel; 0 without.
        number: channels of a convolution, units of a dense layer, layers that a skip connection reaches back; else 0.
        rate: share of the values that dropout sets to zero, else 0.
    """

    name: str
    kind: Kind
    kernel: int = 0
    number: int = 0
    rate: float = 0.0

    @property
    def needs_image(self) -> bool:
        """Whether it must not come after a layer that leaves no image."""
        return self.kind in ("conv", "separable", "depthwise") or self.kind.endswith("pool")

    @property
    def leaves_no_image(self) -> bool:
        """Whether it turns an image into a vector."""
        return self.kind in ("dense", "global-avg-pool")


@functools.lru_cache(maxsize=2**12)
def layer_of(name: str) -> Layer:
    """Return the layer with a name.

    Raises:
        OutOfSpaceError: there is no such layer.

    >>> layer_of("conv3x3-8")
    Layer(name='conv3x3-8', kind='conv', kernel=3, number=8, rate=0.0)
    >>> layer_of("skip-2").number, layer_of("dropout-0.25").rate
    (2, 0.25)
    """
    if name in _PLAIN:
        return Layer(name, _PLAIN[name])
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(name)
        if match is not None:
            found = match.groupdict()
            return Layer(
                name,
                kind,
                int(found.get("kernel") or 0),
                int(found.get("number") or 0),
                float(found.get("rate") or 0),
            )
    raise OutOfSpaceError(f"{shortened(name)} is not a layer; known: {KNOWN}")


def check_chain(layers: Sequence[Sequence[str]]) -> None:
    """Check the choices of every position of a chain.

    Raises:
        ParameterError: a choice is not a layer, is given twice, or may come where it cannot work; the message says why.
    """
    dense = ""  # the first layer that may turn the image into a vector
    for position, choices in enumerate(layers):
        if isinstance(choices, str) or not isinstance(choices, Sequence) or not choices:
            raise ParameterError(
                f"position {position} of a chain needs a list of different layers, got {shortened(choices)}"
            )
        for choice in choices:
            layer = _checked_layer(choice)
            if choices.count(choice) > 1:
                raise ParameterError(
                    f"position {position} of a chain needs a list of different layers, got {shortened(choices)}"
                )
            if dense and layer.needs_image:
                after = "a dense layer" if dense.startswith("dense") else dense
                raise ParameterError(f"{choice!r} at position {position} of a chain may come after {after}")
            if layer.kind == "skip":
                _check_skip(layer, position, layers)
        dense = dense or next((choice for choice in choices if layer_of(choice).leaves_no_image), "")


def _checked_layer(choice: object) -> Layer:
    if not isinstance(choice, str):
        raise ParameterError(f"a layer of a chain is a name, got {shortened(choice)}")
    try:
        return layer_of(choice)
    except OutOfSpaceError as error:
        raise ParameterError(str(error)) from error


def _check_skip(layer: Layer, position: int, layers: Sequence[Sequence[str]]) -> None:
    """Check that a skip connection starts in the chain, and not at an image if it may end at a vector."""
    source = position - 1 - layer.number  # the position whose output is added; -1 for the image
    if source < -1:
        raise ParameterError(
            f"{layer.name!r} at position {position} of a chain reaches back before its input; at most "
            f"{f'skip-{position}' if position else 'no skip connection'} is possible there"
        )
    is_vector = any(all(layer_of(each).leaves_no_image for each in choices) for choices in layers[: source + 1])
    between = [each for choices in layers[source + 1 : position] for each in choices if layer_of(each).leaves_no_image]
    if between and not is_vector:
        raise ParameterError(
            f"{layer.name!r} at position {position} of a chain would add an image to the output of {between[0]!r}, "
            "which is a vector"
        )
