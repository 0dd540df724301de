"""The contract of a zero-cost proxy: what it measures of a network without training it."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, final

from torch import Tensor

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import check_fields
from nasbench_lab.strategies.base import label_of, parameters_of, shown
from nasbench_lab.train.proxies.subject import ProxySubject

Measured: TypeAlias = float | Tensor | Mapping[str, float | Tensor]
"""A score, or several components by name."""

NEEDS = ("images", "labels", "gradients")
"""What a proxy can need."""


class Proxy(abc.ABC):
    """A zero-cost proxy: a score of an untrained network.

    A subclass is a frozen dataclass in a file of its own; its fields are the parameters, with the published defaults.
    A higher score means a better network. Where the literature has two signs, the class says which one it is.

    A network without a score has NaN, never a replacement number: `measure` raises `NoScoreError` with the reason, or
    returns a number that is not finite.
    """

    name: ClassVar[str]
    """Name in the registry, e.g. ``"synflow"``."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other common names. Error messages suggest the proxy for them."""
    reference: ClassVar[str] = ""
    """The publication."""
    version: ClassVar[int] = 1
    """Raised whenever the scores change on purpose."""
    needs: ClassVar[tuple[str, ...]] = ("images", "labels", "gradients")
    """What it needs, of `NEEDS`. ``"images"``: their content; the shape of an image is always known. ``"gradients"``: a
    backward pass."""
    batches: ClassVar[int] = 1
    """The number of batches of images that it needs."""
    depends_on_seed: ClassVar[bool] = True
    """Whether the score depends on the initial weights, the images or random numbers."""
    counts_unused_layers: ClassVar[bool] = False
    """Whether layers whose output is not used change the score. Networks that compute the same are then scored one by
    one; otherwise they share a score."""
    components: ClassVar[tuple[str, ...]] = ()
    """The names of what `measure` returns, if that is not one number. `combine` makes scores of them."""

    def __post_init__(self) -> None:
        """Check the parameters: first each one against its annotation, then how they fit together."""
        check_fields(self)
        self.check()

    def check(self) -> None:  # noqa: B027 - most proxies have nothing to check
        """Raise a ParameterError if parameters do not fit together; each one was checked before."""

    @abc.abstractmethod
    def measure(self, subject: ProxySubject) -> Measured:
        """Return the score of one network, or its `components` by name.

        Args:
            subject: a private copy of the network, which may be changed, and batches of images with labels.

        Raises:
            NoScoreError: the network has no score.
        """

    def combine(self, components: Mapping[str, FloatArray]) -> FloatArray:
        """Return the scores of a set of networks, shape (networks,), made of their components, each of that shape.

        Networks without components are not part of the set.
        """
        (only,) = components.values()
        return only

    @property
    def ranks_a_set(self) -> bool:
        """Whether the score of a network depends on the other networks."""
        return bool(self.components)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters and their values."""
        return parameters_of(self)

    @property
    def label(self) -> str:
        """The name, and the parameters that differ from their defaults, e.g. for legends."""
        return label_of(self, self.parameters)


@final
@dataclass(frozen=True)
class FunctionProxy(Proxy):
    """A function as a proxy.

    Args:
        function: from network, images and labels to a number. The network is a private copy in training mode.
        arguments: further arguments of the function.

    >>> import torch
    >>> def width(network, images, labels):
    ...     return network(images).shape[1]
    >>> FunctionProxy(width).label
    'width'
    """

    name: ClassVar[str] = "function"

    function: Callable[..., Any]
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name the proxy after the function."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        object.__setattr__(self, "name", name.strip("<>"))

    def measure(self, subject: ProxySubject) -> Measured:
        """Return what the function returns."""
        found: Measured = self.function(subject.network, subject.images, subject.labels, **self.arguments)
        return found

    @property
    def label(self) -> str:
        """The name of the function, and the arguments."""
        given = ",".join(f"{name}={shown(value)}" for name, value in self.arguments.items())
        return f"{self.name}:{given}" if given else self.name
