"""SETN: uniform paths train the shared weights, a mixture of all options trains the distribution that selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
import torch

from nasbench_lab.checks import Count, NonNegative, Positive
from nasbench_lab.train.one_shot.architecture_parameters import (
    ArchitectureParameters,
    most_probable,
    most_probable_ones,
    sample_codes,
)
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, score_new, train_paths
from nasbench_lab.train.one_shot.supernets import Mixture


@dataclass(kw_only=True)
class _State(KnownScores):
    alphas: ArchitectureParameters
    optimizer: torch.optim.Optimizer


@final
@dataclass(frozen=True)
class Setn(Method[_State]):
    """Self-evaluated template network (Dong and Yang, ICCV 2019).

    Every step trains the shared weights along one path, uniform over the architectures. Then it takes a step of Adam
    along the gradient, with respect to the logits of the evaluator, of the loss of the template on a batch of
    validation images: the mixture of all options with the softmax of the logits. After the training, the evaluator
    selects candidates, and the one with the best accuracy with shared weights on all validation images is chosen.
    Before that, the method names the most probable architecture.

    The defaults are those of NAS-Bench-201 (AutoDL-Projects, `exps/algos/SETN.py`), which takes the 100 most probable
    architectures as candidates. The paper samples them from the evaluator: ``candidates="sampled"``.

    The template is computed in training mode, as published. So it also changes the running statistics of the batch
    normalisation; scores use these only with ``statistics="running"``.

    Args:
        selected: number of candidates.
        candidates: whether they are the most probable architectures, or sampled.
        learning_rate: of the evaluator.
        weight_decay: of the evaluator.
        initial_scale: standard deviation of the initial logits.
    """

    name: ClassVar[str] = "setn"
    aliases: ClassVar[tuple[str, ...]] = ("self-evaluated-template-network",)
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = (
        "Dong and Yang, One-Shot Neural Architecture Search via Self-Evaluated Template Network, ICCV 2019"
    )
    epochs: ClassVar[int] = 60

    selected: Count = 100
    candidates: Literal["most-probable", "sampled"] = "most-probable"
    learning_rate: Positive = 3e-4
    weight_decay: NonNegative = 1e-3
    initial_scale: NonNegative = 1e-3

    def start(self, search: SearchContext) -> _State:
        """Return an evaluator with small random logits, and its optimiser."""
        alphas = ArchitectureParameters(search.space, self.initial_scale, search.random, search.device)
        optimizer = torch.optim.Adam(
            alphas.parameters(), lr=self.learning_rate, betas=(0.5, 0.999), weight_decay=self.weight_decay
        )
        return _State(alphas=alphas, optimizer=optimizer)

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Train one uniform path on training images, then the evaluator on validation images."""
        train_paths(search, UniformPaths(), train)
        logits = list(state.alphas.parameters())
        loss = search.loss(search.valid_batch(), Mixture(state.alphas.probabilities()))
        # Only these gradients: those of the shared weights would cost as much again.
        for each, gradient in zip(logits, torch.autograd.grad(loss, logits, allow_unused=True), strict=True):
            each.grad = gradient
        state.optimizer.step()

    def finish(self, search: SearchContext, state: _State) -> None:
        """Choose the best candidate of the evaluator."""
        space, likely = search.space, state.alphas.log_probabilities()
        if self.candidates == "sampled":
            codes = sample_codes(space, [np.exp(each) for each in likely], search.random, self.selected)
            selected = space.index(codes).tolist()
        else:
            selected = most_probable_ones(space, likely, self.selected)
        score_new(search, self, state, selected)
        state.choose_best()

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the chosen architecture; before the choice, the most probable one."""
        if state.recommended is not None:
            return state.recommended
        return most_probable(search.space, state.alphas.log_probabilities())
