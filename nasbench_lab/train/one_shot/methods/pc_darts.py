"""PC-DARTS: a mixture of operations on part of the channels, with normalised edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import torch
from torch import Tensor, nn

from nasbench_lab.checks import AtLeast, Below, Count, NonNegative, Positive
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.mixture_training import (
    architecture_optimizer,
    gradients_of,
    take_architecture_step,
)
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture, PartialChannels, Supernet


class _Architecture(nn.Module):
    """Logits of operations (alphas) and of edges (betas, one vector per group of edges into a node)."""

    def __init__(self, search: SearchContext, scale: float) -> None:
        super().__init__()
        self.groups = search.supernet.joined_decisions()
        self.alphas = ArchitectureParameters(search.space, scale, search.random, search.device)
        drawn = [scale * search.random.standard_normal(len(group)) for group in self.groups]
        self.betas = nn.ParameterList(torch.tensor(each, dtype=torch.float32, device=search.device) for each in drawn)

    def mixture(self) -> Mixture:
        """Return the mixture with the weights of edges as factors."""
        factors: dict[int, Tensor] = {}
        for group, betas in zip(self.groups, self.betas, strict=True):
            factors.update(zip(group, betas.softmax(dim=0), strict=True))
        return Mixture(self.alphas.probabilities(), torch.stack([factors[place] for place in sorted(factors)]))


@dataclass
class _State:
    architecture: _Architecture
    optimizer: torch.optim.Optimizer
    trained: bool = False


@final
@dataclass(frozen=True)
class PcDarts(Method[_State]):
    r"""PC-DARTS (Xu et al., Partially-Connected DARTS, ICLR 2020).

    First-order DARTS with two changes:

    - *Partial channels* (equation 3): the operations of an edge compute one of K parts of the channels; the other
      channels bypass them. Then the channels are shuffled. This takes less memory, and operations without weights have
      less of an advantage.
    - *Edge normalisation* (equation 4): the edges into a node are multiplied by the softmax of logits :math:`\beta`,
      which are trained with the logits of the operations.

    The shared weights are trained alone in the first epochs.

    It needs a supernet with partial channels, so it searches the topology space only. There, every edge keeps its most
    probable operation; the weights of edges do not choose.

    Args:
        partial_channels: K. The number of channels of the network must be a multiple.
        warmup: share of the training before the logits are trained; 15 of 50 epochs in the paper.
        learning_rate: of the logits, with Adam.
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.
        none: whether the architecture may have options without output, see `Darts`; not in the paper.
        clip: largest norm of the gradient of the shared weights, 0 for no limit.
    """

    name: ClassVar[str] = "pc-darts"
    aliases: ClassVar[tuple[str, ...]] = ("pcdarts", "partial-channels")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Xu et al., PC-DARTS: Partial Channel Connections, ICLR 2020"
    needs: ClassVar[tuple[str, ...]] = ("partial channels",)

    partial_channels: Count = 4
    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.3
    learning_rate: Positive = 6e-4
    weight_decay: NonNegative = 1e-3
    initial_scale: NonNegative = 1e-3
    none: bool = False
    clip: NonNegative = 5.0

    def build(self, space: Space, **options: Any) -> Supernet:
        """Return a supernet with partial channels."""
        return super().build(space, partial=PartialChannels(self.partial_channels), **options)

    def start(self, search: SearchContext) -> _State:
        """Return small random logits and their optimiser."""
        architecture = _Architecture(search, self.initial_scale)
        return _State(architecture, architecture_optimizer(architecture, self.learning_rate, self.weight_decay))

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Update the logits on validation images after the first epochs, then the shared weights."""
        search.supernet.train()
        if search.progress >= self.warmup:
            gradients = gradients_of(
                search.loss(search.valid_batch(), state.architecture.mixture()), state.architecture
            )
            take_architecture_step(state.optimizer, state.architecture, gradients)
            state.trained = True
        search.update_weights(train, [state.architecture.mixture().detached()], clip=self.clip)

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the most probable architecture; None before the logits are trained, but for the last epoch."""
        if not state.trained and search.epoch + 1 < search.epochs:
            return None
        without = None if self.none else search.supernet.options_without_output()
        return most_probable(search.space, state.architecture.alphas.log_probabilities(), without)
