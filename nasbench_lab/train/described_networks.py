"""Networks of architectures that know what they are, so that saved weights can be loaded again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import nn

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Space, make_space
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.network_copies import Build, initialised

_ATTRIBUTE = "nasbench_lab_network"


@dataclasses.dataclass(frozen=True)
class NetworkDescription:
    """What a network of an architecture is built from, as plain data.

    Attributes:
        space: description of the space, for `nasbench_lab.spaces.make_space`; never a subset.
        architecture: in the notation of the space.
        image: channels, height and width of the input.
        classes: outputs.
        options: of the networks of the space, e.g. ``channels`` and ``cells``.
    """

    space: Mapping[str, Any]
    architecture: str
    image: tuple[int, int, int]
    classes: int
    options: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls, space: Space, index: int, *, image: tuple[int, int, int], classes: int, options: Mapping[str, int]
    ) -> NetworkDescription:
        """Return the description of the network of an architecture, given by its index.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> NetworkDescription.of(ChainSpace("012", 8), 5, image=(3, 32, 32), classes=10, options={}).architecture
        '00000012'
        """
        whole = space.parent or space
        return cls(dict(whole.spec()), space.format(index), image, classes, dict(options))

    @classmethod
    def from_json(cls, data: Any) -> NetworkDescription:
        """Return a description from the plain data of `dataclasses.asdict`.

        Raises:
            DataError: the data is no description.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(data, dict) or data.keys() != names:
            raise DataError(f"the description of a network must have {', '.join(sorted(names))}")
        found = {**data, "image": tuple(data["image"]) if isinstance(data["image"], list) else data["image"]}
        numbers = [found["classes"], *found["image"]] if isinstance(found["image"], tuple) else [None]
        if len(numbers) != 4 or not all(isinstance(each, int) and 0 < each <= _MOST for each in numbers):
            raise DataError("image and classes of a network must be whole numbers from 1")
        if not (isinstance(found["space"], dict) and isinstance(found["options"], dict)):
            raise DataError("space and options of a network must be mappings")
        return cls(**found)

    def builder(self) -> Build:
        """Return what builds the network, for a number of copies.

        Raises:
            NasbenchLabError: there is no such space, architecture or network here.
        """
        space = make_space(self.space)
        index = space.parse(self.architecture)
        return network_builder(space, index, image=self.image, classes=self.classes, options=self.options)

    def build(self, seed: int = 0) -> nn.Module:
        """Build the network with the initial weights of a seed.

        Raises:
            NasbenchLabError: there is no such space, architecture or network here.
        """
        network = initialised(self.builder(), [seed])
        setattr(network, _ATTRIBUTE, self)
        return network


_MOST = 2**20


def description_of(network: nn.Module) -> NetworkDescription | None:
    """Return what a network was built from; None for a network of another origin.

    >>> description_of(nn.Linear(2, 3)) is None
    True
    """
    found = getattr(network, _ATTRIBUTE, None)
    return found if isinstance(found, NetworkDescription) else None
