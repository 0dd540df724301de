"""Networks of products of spaces, where the parts describe one network together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from torch import nn

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import LayerChainSpace, ProductOfSpaces, SizeSpace, Space, TopologySpace
from nasbench_lab.spaces.named_choices import Choices
from nasbench_lab.spaces.product_of_spaces import Part
from nasbench_lab.spaces.size import CHANNELS
from nasbench_lab.train.networks.family import AnyFamily, NetworkFamily
from nasbench_lab.train.networks.layer_chain import layer_chain_network
from nasbench_lab.train.networks.nats import size_network


class ProductNetworks(NetworkFamily[ProductOfSpaces]):
    """Networks of products, of three kinds.

    - One part with networks, and parts with named choices that are options of these networks, such as ``channels`` and
      ``cells``: the networks of that part with these options.
    - ``topology`` and ``size``: the networks of the size space with that cell instead of the published one.
    - Several ``layer-chain``: one chain, of which every part is a section.

    Args:
        space: a product.
        networks_of: returns the networks of a part.

    Raises:
        ParameterError: the parts are of no such kind.
    """

    def __init__(self, space: ProductOfSpaces, networks_of: Callable[[Space], AnyFamily]) -> None:
        super().__init__(space)
        wholes = [part.space.parent or part.space for part in space.parts]
        self._chosen = [
            part for part, whole in zip(space.parts, wholes, strict=True) if whole.named_choices is not None
        ]
        self._described = [part for part, whole in zip(space.parts, wholes, strict=True) if whole.named_choices is None]
        self._inner: AnyFamily | None = None
        kinds = [type(part.space.parent or part.space) for part in self._described]
        self._is_sized = not self._chosen and sorted(kinds, key=str) == [SizeSpace, TopologySpace]
        self._is_chain = not self._chosen and set(kinds) == {LayerChainSpace}
        if self._is_sized or self._is_chain:
            return
        if len(self._described) != 1:
            raise ParameterError(
                "a product has networks if it is one part with networks and choices of their options, 'topology' and "
                f"'size', or several 'layer-chain', got {', '.join(repr(part.space.name) for part in space.parts)}"
            )
        self._inner = networks_of(self._described[0].space)
        for name, values in _options(self._chosen):
            _check_option(name, values, self._inner.options)
        names = [name for name, _ in _options(self._chosen)]
        if len(set(names)) < len(names):
            raise ParameterError(f"two parts of a product choose the same option: {', '.join(names)}")
        self.options = tuple(name for name in self._inner.options if name not in names)  # type: ignore[misc]

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build the network that the parts describe together."""
        if self._is_chain:
            layers = [_chain(part).names(codes[part.codes]) for part in self._described]
            joined = list(itertools.chain.from_iterable(layers))
            return layer_chain_network(joined, image=image, classes=classes, copies=copies)
        if self._is_sized:
            widths, cell = (
                next(codes[part.codes] for part in self._described if isinstance(part.space.parent or part.space, kind))
                for kind in (SizeSpace, TopologySpace)
            )
            channels = [CHANNELS[code] for code in widths]
            return size_network(channels, cell=cell, image_channels=image[0], classes=classes, copies=copies)
        assert self._inner is not None  # noqa: S101 - `__init__` sets it
        chosen = {
            name: int(values[code])
            for part in self._chosen
            for name, values, code in zip(*_named(part), codes[part.codes], strict=True)
        }
        inner = codes[self._described[0].codes]
        return self._inner.build(inner, image=image, classes=classes, copies=copies, **{**options, **chosen})

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return the default options of the part with networks, without those that are chosen."""
        found = self._inner.default_options(dataset) if self._inner is not None else {}
        return {name: value for name, value in found.items() if name in self.options}


def _chain(part: Part) -> LayerChainSpace:
    chain = part.space.parent or part.space
    assert isinstance(chain, LayerChainSpace)  # noqa: S101 - `ProductNetworks` has seen to it
    return chain


def _named(part: Part) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names and the values of the choices of a part."""
    choices = (part.space.parent or part.space).named_choices
    assert isinstance(choices, Choices)  # noqa: S101 - only such parts are asked
    return choices.names, choices.values


def _options(parts: Sequence[Part]) -> list[tuple[str, tuple[str, ...]]]:
    return [pair for part in parts for pair in zip(*_named(part), strict=True)]


def _check_option(name: str, values: Sequence[str], options: Sequence[str]) -> None:
    known = " and ".join(options) or "none"
    if name not in options:
        raise ParameterError(
            f"{name!r} is not an option of these networks, which could be chosen; their options: {known}"
        )
    for value in values:
        if not value.isdecimal() or not 0 < int(value) < 2**31:
            raise ParameterError(f"the option {name!r} of a network is a whole number from 1, got {value!r}")
