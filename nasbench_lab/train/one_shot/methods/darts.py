"""DARTS: gradient descent on a mixture of all operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, final

import torch

from nasbench_lab.checks import Above, AtLeast
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture


@dataclass
class _State:
    alphas: ArchitectureParameters
    optimizer: torch.optim.Optimizer


@final
@dataclass(frozen=True)
class Darts(Method[_State]):
    """DARTS (Liu, Simonyan and Yang, Differentiable Architecture Search, ICLR 2019)."""

    name: ClassVar[str] = "darts"
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Liu et al., DARTS: Differentiable Architecture Search, ICLR 2019"

    order: Literal[1, 2] = 1
    learning_rate: Annotated[float, Above(0)] = 3e-4
    weight_decay: Annotated[float, AtLeast(0)] = 1e-3
    initial_scale: Annotated[float, AtLeast(0)] = 1e-3

    def start(self, search: SearchContext) -> _State:
        """Return small random logits and their optimiser."""
        alphas = ArchitectureParameters(search.space, self.initial_scale, search.random, search.device)
        optimizer = torch.optim.Adam(
            alphas.parameters(), lr=self.learning_rate, betas=(0.5, 0.999), weight_decay=self.weight_decay
        )
        return _State(alphas, optimizer)

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Update the architecture on validation images, then the shared weights on training images."""
        search.supernet.train()
        state.optimizer.zero_grad()
        search.loss(search.valid_batch(), Mixture(state.alphas.probabilities())).backward()
        state.optimizer.step()
        search.update_weights(train, [Mixture([each.detach() for each in state.alphas.probabilities()])])

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the most probable architecture."""
        return most_probable(search.space, state.alphas.log_probabilities())
