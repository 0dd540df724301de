"""A supernet: one network with the weights of all networks of a space."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Space
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels
from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Path, Selection
from nasbench_lab.train.one_shot.supernets.shared_norm import SharedNorm, Statistics, share_norms


class Supernet(nn.Module, abc.ABC):
    """A network that contains every network of a space, with shared weights.

    A forward pass uses one path, a mixture or a sample (`Selection`). Layers that a path does not use are neither
    computed nor updated, and nor are the statistics of their normalisations.

    Args:
        space: the search space.
        image: channels, height and width of the input.
        classes: outputs.
        statistics: statistics that evaluations normalise with; ``"batch"`` and ``"recalibrated"`` rank well.
        affine: whether normalisations have trained scales and shifts.
        partial: how many channels operations compute; None for all. Needs the feature ``"partial channels"``.
        options: parameters of the networks, e.g. ``channels`` and ``cells``.
    """

    space: Space

    features: ClassVar[frozenset[str]] = frozenset()
    """What some methods need: ``"widths"`` (every decision is a number of channels), ``"partial channels"``."""

    def __init__(
        self,
        space: Space,
        *,
        image: tuple[int, int, int],
        classes: int,
        statistics: Statistics = "batch",
        affine: bool = False,
        partial: PartialChannels | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.space, self.image, self.classes, self.statistics = space, image, classes, statistics
        self.network_options = dict(options or {})
        self.current = CurrentSelection()
        self.affine, self.partial = affine, partial
        self.network = self.assemble(**self.network_options)

    def __repr__(self) -> str:  # that of torch has a line per module, more than a thousand; see `network`
        size = f"{self.space.size:,} architectures, {sum(each.numel() for each in self.parameters()):,} weights"
        image = " x ".join(map(str, self.image))
        return f"<{type(self).__name__}: {size}, images of {image}, {self.classes} classes>"

    @abc.abstractmethod
    def assemble(self, **options: int) -> nn.Module:
        """Build the network, with a `MixedLayer` or another layer that reads `current` for every decision.

        Its batch normalisations must be shared (`share`).
        """

    @abc.abstractmethod
    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name of the shared weights that a weight of a stand-alone network has in the supernet.

        Args:
            name: name in the state of the stand-alone network.
            codes: codes of its architecture.
        """

    def options_without_output(self) -> list[frozenset[int]]:
        """Return, per decision, the options whose output is zero, such as ``none``.

        Their weights in a mixture only scale the output of the other options, which normalisations undo. So a weight
        says little about how good such an option is (Liu et al., DARTS, ICLR 2019, section 2.4).
        """
        return [frozenset() for _ in self.space.cardinalities]

    def joined_decisions(self) -> list[tuple[int, ...]]:
        """Return the groups of decisions whose outputs are added, such as those of all edges into one node."""
        return [(decision,) for decision in range(len(self.space.cardinalities))]

    def expected_multiply_additions(self, probabilities: Sequence[Tensor]) -> Tensor:
        """Return the mean number of multiply-additions of networks with independent decisions, a number.

        Args:
            probabilities: of all options of every decision, each of shape (options,). Gradients go to them.

        Raises:
            ParameterError: the supernet does not know the costs of its networks.
        """
        raise ParameterError(f"the supernet of {self.space.name} knows no costs, so cost_weight must be 0")

    def multiply_additions(self, codes: Sequence[int]) -> float:
        """Return the number of multiply-additions of one network; see `expected_multiply_additions`."""
        sizes = self.space.cardinalities
        return float(
            self.expected_multiply_additions(
                [torch.eye(size, dtype=torch.float64)[code] for size, code in zip(sizes, codes, strict=True)]
            )
        )

    def share(self, network: nn.Module, kind: type[SharedNorm] = SharedNorm) -> None:
        """Replace all batch normalisations of the network by shared ones, with the options of this supernet."""
        share_norms(network, affine=self.affine, statistics=self.statistics, kind=kind)

    def forward(self, images: Tensor, selection: Selection) -> Tensor:
        """Return the scores, shape (batch, classes), of images, shape (batch, channels, height, width)."""
        self.current.selection = selection
        try:
            return self.network(images)
        finally:
            self.current.selection = None

    def evaluator(self, images: Tensor) -> Callable[[Sequence[int]], Tensor]:
        """Return a function from the codes of a path to its scores of these images, as `forward` gives them.

        A subclass may keep what paths have in common, so the weights and statistics must not change between calls. Call
        it in evaluation mode and without gradients, and paths in lexicographic order.
        """
        return lambda codes: self(images, Path(codes))

    def stand_alone(self, codes: Sequence[int]) -> nn.Module:
        """Return the network of an architecture, alone, with copies of its shared weights and running statistics.

        Raises:
            ParameterError: the supernet has partial channels, so its paths are not the networks of the space.
        """
        if self.partial is not None:
            raise ParameterError("a supernet with partial channels has no weights of whole networks")
        with torch.device("meta"):  # initial weights would be thrown away
            network = networks_of(self.space).build(
                self.pruned(codes), image=self.image, classes=self.classes, copies=1, **self.network_options
            )
        shared, state = self.network.state_dict(), {}
        for name, value in network.state_dict().items():
            source = self.source(name, codes)
            if source in shared:
                state[name] = self.cut(shared[source], value).clone()
            else:  # a scale or a shift of a normalisation that has none here
                state[name] = torch.full(value.shape, float(name.endswith("weight")))
        network.load_state_dict(state, assign=True)
        return network.train(self.training)

    def pruned(self, codes: Sequence[int]) -> Sequence[int]:
        """Return the codes from which the stand-alone network is built; other ones for drawings with unused parts."""
        return codes

    def cut(self, shared: Tensor, alone: Tensor) -> Tensor:
        """Return the part of shared weights that a stand-alone network uses: all of it, unless widths differ."""
        return shared


@torch.no_grad()
def recalibrate(supernet: Supernet, codes: Sequence[int], batches: Iterable[Tensor]) -> None:
    """Replace the running statistics by means over batches that are passed through one path."""
    norms = [module for module in supernet.modules() if isinstance(module, SharedNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
        norm.train()
    for images in batches:
        supernet(images, Path(codes))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
