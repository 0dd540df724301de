"""DrNAS: a mixture of operations with weights that are drawn from Dirichlet distributions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, final

import torch
from torch import Tensor
from torch.distributions import Dirichlet, kl_divergence
from torch.nn import functional

from nasbench_lab.checks import Above, AtLeast, AtMost, Below, Count, NonNegative, Positive, require
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.dirichlet import dirichlet_sample
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.mixture_training import architecture_optimizer, gradients_of, take_architecture_step
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture, PartialChannels, Supernet, supernet_class, widen

_LEAST = 1e-6
"""The least concentration; elu(-20) + 1 is 0 in single precision."""


@dataclass
class _State:
    alphas: ArchitectureParameters
    optimizer: torch.optim.Optimizer
    kept: list[list[int]]  # per decision, the options that are left
    trained: bool = False


@final
@dataclass(frozen=True)
class Drnas(Method[_State]):
    r"""DrNAS (Chen, Wang, Cheng, Tang and Hsieh, DrNAS: Dirichlet Neural Architecture Search, ICLR 2021).

    The weights of the operations of an edge are drawn from a Dirichlet distribution with the concentrations
    :math:`\mathrm{elu}(\beta) + 1`, again in every forward pass. The concentrations are trained on validation images
    with pathwise gradients (section 2.2), and drawn towards 1 (equation 5). The architecture has the option with the
    highest mean weight of every decision.

    As in the published code for NAS-Bench-201, the search is progressive (section 3): halfway, every decision keeps its
    best options only, and the operations compute twice as many channels. Before, they compute one of
    ``partial_channels`` parts, as in `PcDarts`, without edge normalisation. Supernets of other spaces have no partial
    channels; there, only the options are pruned.

    Args:
        partial_channels: K of the first half; half as many parts in the second half. 1 for all channels in both.
        kept: share of the options that every decision keeps halfway, rounded up; 3 of 5 in the paper. 1 keeps all.
        warmup: share of each half in which the shared weights are trained alone; 10 of 50 epochs in the paper.
        learning_rate: of the logarithms of concentrations, with Adam.
        regularizer: ``"l2"``: weight decay of the parameters, as in the published code; ``"kl"``: the divergence from
            the uniform Dirichlet distribution is added to the loss.
        regularization: factor of the regulariser. It fits ``"l2"``.
        initial_scale: standard deviation of the initial parameters.
        none: whether the architecture may have options without output, as in the published runs on NAS-Bench-201;
            see `Darts`.
        clip: largest norm of the gradient of the shared weights, 0 for no limit.
    """

    name: ClassVar[str] = "drnas"
    aliases: ClassVar[tuple[str, ...]] = ("dr-nas", "dirichlet")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Chen et al., DrNAS: Dirichlet Neural Architecture Search, ICLR 2021"
    epochs: ClassVar[int] = 100

    partial_channels: Count = 4
    kept: Annotated[float, Above(0), AtMost(1)] = 0.6
    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.2
    learning_rate: Positive = 3e-4
    regularizer: Literal["l2", "kl"] = "l2"
    regularization: NonNegative = 1e-3
    initial_scale: NonNegative = 1e-3
    none: bool = True
    clip: NonNegative = 5.0

    def check(self) -> None:
        """Raise a ParameterError if the number of parts cannot be halved."""
        parts = self.partial_channels
        require(parts == 1 or parts % 2 == 0, f"partial_channels must be 1 or even, got {parts}")

    def build(self, space: Space, **options: Any) -> Supernet:
        """Return a supernet, with partial channels where the space has them."""
        if self.partial_channels > 1 and "partial channels" in supernet_class(space).features:
            options["partial"] = PartialChannels(self.partial_channels, growth=2)
        return super().build(space, **options)

    def start(self, search: SearchContext) -> _State:
        """Return parameters near zero: almost uniform Dirichlet distributions."""
        alphas = ArchitectureParameters(search.space, self.initial_scale, search.random, search.device)
        decay = self.regularization if self.regularizer == "l2" else 0.0
        everything = [list(range(size)) for size in search.space.cardinalities]
        return _State(alphas, architecture_optimizer(alphas, self.learning_rate, decay), everything)

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Update the concentrations on validation images, then the shared weights, each with a new draw."""
        search.supernet.train()
        if _stage_progress(search) >= self.warmup:
            loss = search.loss(search.valid_batch(), _draw(search, state))
            if self.regularizer == "kl":
                loss = loss + self.regularization * _divergence(state)
            take_architecture_step(state.optimizer, state.alphas, gradients_of(loss, state.alphas))
            state.trained = True
        search.update_weights(train, [_draw(search, state).detached()], clip=self.clip)

    def end_epoch(self, search: SearchContext, state: _State) -> None:
        """Prune the options and widen the operations halfway."""
        if search.epoch + 1 == search.epochs // 2:
            state.kept = [_best(logits, math.ceil(self.kept * len(logits) - 1e-9)) for logits in state.alphas.logits]
            if search.supernet.partial is not None:
                widen(search.supernet, search.optimizer, search.random)

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the architecture with the highest concentrations; None before they are trained and before the end."""
        if not state.trained and search.epoch + 1 < search.epochs:
            return None
        without = []
        empty_options = search.supernet.options_without_output()
        for size, options, empty in zip(search.space.cardinalities, state.kept, empty_options, strict=True):
            allowed = [each for each in options if self.none or each not in empty] or options
            without.append([each for each in range(size) if each not in allowed])
        return most_probable(search.space, state.alphas.log_probabilities(), without)


def concentrations(parameters: Tensor) -> Tensor:
    """Return elu(parameters) + 1."""
    return (functional.elu(parameters) + 1).clamp_min(_LEAST)


def _draw(search: SearchContext, state: _State) -> Mixture:
    """Return a mixture of the options that are left.

    A part of a Dirichlet draw, divided by its sum, is a Dirichlet draw with a part of the concentrations. So only the
    options that are left need draws.
    """
    weights = []
    for logits, kept in zip(state.alphas.logits, state.kept, strict=True):
        drawn = dirichlet_sample(concentrations(logits[kept]), search.random)
        weights.append(torch.zeros_like(logits).index_put((torch.tensor(kept, device=logits.device),), drawn))
    return Mixture(weights, used=state.kept)


def _divergence(state: _State) -> Tensor:
    """Return the sum over decisions of the divergence from the uniform Dirichlet distribution."""
    terms = []
    for logits, kept in zip(state.alphas.logits, state.kept, strict=True):
        each = concentrations(logits[kept])
        terms.append(kl_divergence(Dirichlet(each), Dirichlet(torch.ones_like(each))))
    return torch.stack(terms).sum()


def _stage_progress(search: SearchContext) -> float:
    """Return the done share of the present half."""
    half, done = search.epochs // 2, search.step / search.steps
    return done / half if done < half else (done - half) / (search.epochs - half)


def _best(logits: Tensor, number: int) -> list[int]:
    """Return the positions of the highest logits, in increasing order."""
    order = logits.detach().argsort(descending=True, stable=True)
    return sorted(order[:number].tolist())
