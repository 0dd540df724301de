"""What a proxy scores: one network with batches of images, and passes that several proxies share."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.private_copies import private_copy

T = TypeVar("T")

Compute = Callable[[nn.Module, Sequence[Batch]], T]
"""A computation that proxies share: from a private copy of the network, and the batches."""


class NoScoreError(Exception):
    """A proxy has no score for a network. The score is then NaN, and the message is the reason."""


class ProxySubject:
    """One network and batches of images, as one proxy sees them.

    The network is a private copy in training mode without gradients, so a proxy may change it in any way: its weights,
    layers, precision and hooks.

    Args:
        network: the original, which stays as it is.
        batches: one or several batches of images with their labels, on the device of the network.
        seed: of the random numbers that the proxy draws.
        passes: keeps what proxies share; by default nothing is shared.
    """

    def __init__(
        self, network: nn.Module, batches: Sequence[Batch], *, seed: int = 0, passes: SharedPasses | None = None
    ) -> None:
        self.batches = tuple(batches)
        self.seed = seed
        self._given = network
        self._copy: nn.Module | None = None
        self._passes = passes or SharedPasses(network, self.batches)
        self._random: torch.Generator | None = None
        self._used: set[Any] = set()
        self.seconds_of_others = 0.0
        """Seconds of passes that were computed for another proxy before, and that this one used."""

    @property
    def images(self) -> Tensor:
        """The images of the first batch, shape (batch, channels, height, width), normalised."""
        return self.batches[0].images

    @property
    def labels(self) -> Tensor:
        """The labels of the first batch, shape (batch,)."""
        return self.batches[0].labels

    @property
    def original(self) -> nn.Module:
        """The original network, for proxies that only read its weights, which saves the copy. Never change it."""
        return self._given

    @property
    def network(self) -> nn.Module:
        """The private copy of the network; the same one at every use."""
        if self._copy is None:
            self._copy = private_copy(self._given)
        return self._copy

    @property
    def generator(self) -> torch.Generator:
        """The source of random numbers, on the device of the images. It depends on the seed only."""
        if self._random is None:
            self._random = torch.Generator(self.images.device)
            self._random.manual_seed(self.seed)
        return self._random

    def shared(self, compute: Compute[T]) -> T:
        """Return what a function computes of the network and the batches; it is computed once for all proxies.

        The function gets a copy of the network of its own. Its result must not be changed. Its seconds count for every
        proxy that uses it, so that the seconds of a proxy are those that it takes alone.
        """
        value, seconds, is_new = self._passes.get(compute)
        if not is_new and compute not in self._used:
            self.seconds_of_others += seconds
        self._used.add(compute)
        return value


@dataclasses.dataclass(eq=False)
class SharedPasses:
    """What proxies share about one network: results of functions, and the seconds that they took.

    Attributes:
        network: the original, which stays as it is.
        batches: of images.
        known: results and seconds by function.
    """

    network: nn.Module
    batches: Sequence[Batch]
    known: dict[Any, tuple[Any, float]] = dataclasses.field(default_factory=dict)

    def get(self, compute: Compute[T]) -> tuple[T, float, bool]:
        """Return the result of a function, its seconds, and whether it was computed now."""
        is_new = compute not in self.known
        if is_new:
            device = self.batches[0].images.device
            start = training_clock(device)
            with seeded(0, device):
                value = compute(private_copy(self.network), self.batches)
            self.known[compute] = value, training_clock(device) - start
        return *self.known[compute], is_new


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch's global generators start from a seed inside the block, e.g. for dropout; they are unchanged after it.

    >>> before = torch.random.get_rng_state()
    >>> with seeded(3, torch.device("cpu")):
    ...     first = torch.rand(1)
    >>> with seeded(3, torch.device("cpu")):
    ...     bool(torch.rand(1) == first)
    True
    >>> bool(torch.equal(before, torch.random.get_rng_state()))
    True
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
