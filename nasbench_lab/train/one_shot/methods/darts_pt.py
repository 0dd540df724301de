"""DARTS-PT: a DARTS supernet whose operations are selected by removing each of them in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, Below, NonNegative, Positive
from nasbench_lab.train.one_shot.architecture_parameters import ArchitectureParameters, most_probable
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.mixture_training import architecture_optimizer, gradients_of, take_architecture_step
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture

_IMAGES = 256
_DECIDED = 1e3
"""Logarithm of how much more probable the selected option is than others."""


@dataclass
class _State:
    alphas: ArchitectureParameters
    optimizer: torch.optim.Optimizer
    selected: list[int] = field(default_factory=list)  # per decision, -1 for none yet

    def mixture(self) -> Mixture:
        """Return the mixture, with selected options alone where there are any."""
        weights, used = [], []
        for probabilities, selected in zip(self.alphas.probabilities(), self.selected, strict=True):
            alone = functional.one_hot(torch.tensor(max(selected, 0)), len(probabilities)).to(probabilities)
            weights.append(probabilities if selected < 0 else alone)
            used.append(range(len(probabilities)) if selected < 0 else (selected,))
        return Mixture(weights, used=used)


@final
@dataclass(frozen=True)
class DartsPt(Method[_State]):
    """DARTS-PT (Wang et al., Rethinking Architecture Selection in Differentiable NAS, ICLR 2021).

    The supernet is trained as in first-order DARTS. Then the options are selected not by their logits, but by what the
    supernet loses without them (algorithm 1): decision by decision, in random order, each option is removed in turn,
    and the one is kept whose removal lowers the accuracy of the supernet on the validation images most. Between two
    selections, the supernet is trained on with a tenth of the highest learning rate.

    The last epochs of the search are those with selections. The first selection is made at their start, the last one at
    their end, and the others at equal distances between; before them, the schedule of the learning rate ends.

    Args:
        selection: share of the epochs with selections, rounded to whole epochs. The published code for NAS-Bench-201
            trains for 100 epochs, then 25 more with six selections.
        blank: whether the logits stay as they are drawn, almost equal (blank-pt in the published code, section 4.3).
        criterion: ``"accuracy"`` as published, or ``"loss"``, which has no ties.
        tuning_rate: learning rate of the shared weights between selections, as a multiple of the highest one.
        learning_rate: of the logits, with Adam.
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.
        clip: largest norm of the gradient of the shared weights, 0 for no limit.

    A removed option has weight 0, and the others keep their weights. Options without output, such as ``none``, may be
    selected, as in the published runs on NAS-Bench-201: where the removal of every other option raises the accuracy.
    """

    name: ClassVar[str] = "darts-pt"
    aliases: ClassVar[tuple[str, ...]] = ("dartspt", "perturbation", "blank-pt")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Wang et al., Rethinking Architecture Selection in Differentiable NAS, ICLR 2021"
    epochs: ClassVar[int] = 125

    selection: Annotated[float, Above(0), Below(1)] = 0.2
    blank: bool = False
    criterion: Literal["accuracy", "loss"] = "accuracy"
    tuning_rate: Positive = 0.1
    learning_rate: Positive = 3e-4
    weight_decay: NonNegative = 1e-3
    initial_scale: NonNegative = 1e-3
    clip: NonNegative = 5.0

    def start(self, search: SearchContext) -> _State:
        """Return small random logits and their optimiser; nothing is selected."""
        alphas = ArchitectureParameters(search.space, self.initial_scale, search.random, search.device)
        optimizer = architecture_optimizer(alphas, self.learning_rate, self.weight_decay)
        return _State(alphas, optimizer, [-1] * len(search.space.cardinalities))

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Update the logits on validation images, then the shared weights on training images."""
        search.supernet.train()
        if not self.blank and -1 in state.selected:
            gradients = gradients_of(search.loss(search.valid_batch(), state.mixture()), state.alphas)
            take_architecture_step(state.optimizer, state.alphas, gradients)
        search.update_weights(train, [state.mixture().detached()], clip=self.clip, rate=self._rate(search))

    def end_epoch(self, search: SearchContext, state: _State) -> None:
        """Select as many options as are due."""
        done, first = search.epoch + 1, self._first(search)
        if done < first:
            return
        others = len(state.selected) - 1
        due = 1 + (done - first) * others // (search.epochs - first)
        while sum(each >= 0 for each in state.selected) < due:
            left = [place for place, each in enumerate(state.selected) if each < 0]
            decision = int(search.random.choice(left))
            state.selected[decision] = int(np.argmax(self.losses_without(search, state, decision)))

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the selected options, and the most probable ones where none is selected yet.

        With logits that are not trained, there is no architecture before all options are selected.
        """
        if self.blank and -1 in state.selected:
            return None
        scores = state.alphas.log_probabilities()
        for each, selected in zip(scores, state.selected, strict=True):
            if selected >= 0:
                each[selected] += _DECIDED
        return most_probable(search.space, scores)

    def losses_without(self, search: SearchContext, state: _State, decision: int) -> FloatArray:
        """Return what the supernet loses without each option of a decision: its error in percent, or the loss.

        The statistics of normalisations are those of the batch, as in the published code.
        """
        mixture = state.mixture().detached()
        found = []
        for option in range(len(mixture.weights[decision])):
            weights = list(mixture.weights)
            weights[decision] = weights[decision].clone()
            weights[decision][option] = 0
            found.append(self._loss(search, Mixture(weights, used=mixture.used)))
        return np.array(found)

    @torch.no_grad()
    def _loss(self, search: SearchContext, mixture: Mixture) -> float:
        search.supernet.train()
        total = 0.0
        for images, labels in _valid_batches(search):
            scores = search.scores_of(images, mixture)
            loss = functional.cross_entropy(scores, labels, reduction="sum")
            total += float((scores.argmax(1) != labels).sum() if self.criterion == "accuracy" else loss)
        return total / len(search.dataset.valid) * (100 if self.criterion == "accuracy" else 1)

    def _first(self, search: SearchContext) -> int:
        """Return the number of epochs before the first selection."""
        return search.epochs - max(1, round(self.selection * search.epochs))

    def _rate(self, search: SearchContext) -> float:
        """Return the learning rate of the shared weights: the schedule until the first selection, then a constant."""
        first = self._first(search)
        if search.epoch >= first:
            return self.tuning_rate * search.recipe.learning_rate
        shortened = dataclasses.replace(search.recipe, epochs=first)
        return shortened.rate(search.step, search.steps)


def _valid_batches(search: SearchContext) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all validation images in batches of equal size, and their labels."""
    images = len(search.dataset.valid)
    size = -(-images // -(-images // _IMAGES))
    for batch, labels in search.batches.evaluation(search.dataset.valid, size):
        yield batch, labels[:, 0]
