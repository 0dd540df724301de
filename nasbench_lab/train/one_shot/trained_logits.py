"""The state of methods that train logits of architectures with Adam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.search_context import SearchContext


@dataclass
class TrainedLogits:
    """Logits of architectures, and their optimiser."""

    alphas: ArchitectureParameters
    optimizer: torch.optim.Optimizer

    @classmethod
    def start(
        cls,
        search: SearchContext,
        *,
        learning_rate: float,
        weight_decay: float,
        betas: tuple[float, float] = (0.5, 0.999),
        initial_scale: float = 1e-3,
    ) -> TrainedLogits:
        """Return random logits and their Adam optimiser."""
        alphas = ArchitectureParameters(search.space, initial_scale, search.random, search.device)
        optimizer = torch.optim.Adam(alphas.parameters(), lr=learning_rate, betas=betas, weight_decay=weight_decay)
        return cls(alphas, optimizer)

    @property
    def logits(self) -> list[Tensor]:
        """The logits of every decision, shape (options,)."""
        return list(self.alphas.logits)

    def chances(self) -> list[FloatArray]:
        """Return the probabilities of all options, as `sample_codes` takes them."""
        return [np.exp(each) for each in self.alphas.log_probabilities()]

    def descend(self, loss: Tensor) -> None:
        """Take a step of the logits along the gradient of a loss; weights of the supernet get no gradients."""
        self.optimizer.zero_grad()
        loss.backward(inputs=self.logits)
        self.optimizer.step()

    def most_probable(self, search: SearchContext) -> int:
        """Return the most probable architecture."""
        return most_probable(search.space, self.alphas.log_probabilities())
