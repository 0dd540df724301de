"""DARTS: gradient descent on a mixture of all operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from nasbench_lab.checks import NonNegative, Positive, require
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.mixture_training import (
    architecture_optimizer,
    gradients_of,
    take_architecture_step,
    unrolled_gradients,
)
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@final
@dataclass(frozen=True)
class Darts(Method[TrainedLogits]):
    r"""DARTS (Liu, Simonyan and Yang, DARTS: Differentiable Architecture Search, ICLR 2019).

    The output of an edge is the sum of all operations, with weights that are the softmax of logits (equation 2). Every
    step first updates the logits :math:`\alpha` on validation images, then the shared weights w on training images
    (algorithm 1):

    - order 1 descends :math:`\nabla_\alpha L_{valid}(w, \alpha)`;
    - order 2 descends :math:`\nabla_\alpha L_{valid}(w - \xi \nabla_w L_{train}(w, \alpha), \alpha)`, the loss after a
      virtual step of the shared weights (equations 6 to 8, see `unrolled_gradients`). A step takes 2.5
      times as long.

    The architecture has the most probable option of every decision.

    Args:
        order: 1, or 2 for the virtual step.
        hessian: how order 2 multiplies with second derivatives: ``"differences"`` of gradients as published, or
            ``"exact"``, by automatic differentiation.
        learning_rate: of the logits, with Adam.
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.
        none: whether the architecture may have options without output (``none``). The paper leaves them out, because
            their weights only scale what normalisations undo (section 2.4). The runs of NAS-Bench-201 (Dong and Yang,
            ICLR 2020) allow them.
        clip: largest norm of the gradient of the shared weights, 0 for no limit. The paper uses 5, NAS-Bench-201 no
            limit.
    """

    name: ClassVar[str] = "darts"
    aliases: ClassVar[tuple[str, ...]] = ("darts-v1", "darts-v2", "differentiable")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Liu et al., DARTS: Differentiable Architecture Search, ICLR 2019"

    order: Literal[1, 2] = 1
    hessian: Literal["differences", "exact"] = "differences"
    learning_rate: Positive = 3e-4
    weight_decay: NonNegative = 1e-3
    initial_scale: NonNegative = 1e-3
    none: bool = False
    clip: NonNegative = 5.0

    def check(self) -> None:
        """Raise a ParameterError if there are no second derivatives to be exact about."""
        require(self.order == 2 or self.hessian == "differences", "hessian='exact' needs order=2")

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes: all options, five times with the second order."""
        return (5.0 if self.order == 2 else 2.0) * max(space.cardinalities)

    def start(self, search: SearchContext) -> TrainedLogits:
        """Return small random logits and their optimiser."""
        alphas = ArchitectureParameters(search.space, self.initial_scale, search.random, search.device)
        return TrainedLogits(alphas, architecture_optimizer(alphas, self.learning_rate, self.weight_decay))

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the logits on validation images, then the shared weights on training images."""

        def mixture() -> Mixture:
            return Mixture(state.alphas.probabilities())

        search.supernet.train()
        valid = search.valid_batch()
        if self.order == 1:
            gradients = gradients_of(search.loss(valid, mixture()), state.alphas)
        else:
            exact = self.hessian == "exact"
            gradients = unrolled_gradients(search, state.alphas, mixture, train, valid, exact=exact)
        take_architecture_step(state.optimizer, state.alphas, gradients)
        search.update_weights(train, [mixture().detached()], clip=self.clip)

    def recommend(self, search: SearchContext, state: TrainedLogits) -> int | None:
        """Return the most probable architecture."""
        without = None if self.none else search.supernet.options_without_output()
        return most_probable(search.space, state.alphas.log_probabilities(), without)
