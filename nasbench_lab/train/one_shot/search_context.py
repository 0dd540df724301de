"""What a one-shot method works with: the supernet, its optimiser, images, and random numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nasbench_lab.arrays import FloatArray
from nasbench_lab.spaces import Space
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.image_batches import Batch as Batch
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.supernets import Selection, Statistics, Supernet
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.supernet_recipes import SupernetRecipe
from nasbench_lab.train.training import optimizer_of

HOOKS = ("start", "step", "end_epoch", "finish", "recommend")
"""The methods of a method, each of which has random numbers of its own."""


@dataclasses.dataclass(frozen=True)
class SupernetOptions:
    """How supernets are built and trained, for all methods alike.

    Attributes:
        statistics: of the batch normalisation of scores, see `Statistics`.
        affine: whether normalisations have trained scales and shifts.
        network: options of the networks, e.g. ``channels`` and ``cells``.
        device: name of a torch device.
        precision: of multiplications; ``"bfloat16"`` is mixed precision.
    """

    statistics: Statistics = "batch"
    affine: bool = False
    network: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    device: str = "cpu"
    precision: Precision = "float32"

    def supernet(self, image: tuple[int, int, int], classes: int, seed: int) -> dict[str, Any]:
        """Return the arguments of `make_supernet` besides the space."""
        return {
            "image": image,
            "classes": classes,
            "seed": seed,
            "statistics": self.statistics,
            "affine": self.affine,
            "options": self.network,
        }


class SearchContext:
    """What a method works with during a search.

    Args:
        supernet: the network with shared weights.
        dataset: shared weights are trained on its train split, and architectures on its valid split.
        recipe: how the shared weights are trained; a `TrainingRecipe` or a `SupernetRecipe`.
        seed: of images and of everything that the method draws.
        options: how the supernet is built and trained.

    Attributes:
        space: the search space.
        optimizer: of the shared weights.
        epoch: number of finished epochs.
        step: number of finished steps.
        random: random numbers of the current epoch and hook; every hook has a stream of its own.
    """

    random: np.random.Generator
    _order: NDArray[np.int64]

    def __init__(
        self, supernet: Supernet, dataset: Dataset, recipe: TrainingRecipe, seed: int, options: SupernetOptions
    ) -> None:
        self.dataset, self.seed, self.options = dataset, seed, options
        self.recipe = SupernetRecipe.of(recipe)
        self.device = torch.device(options.device)
        self.space: Space = supernet.space
        self.supernet = supernet.to(self.device, memory_format=torch.channels_last)
        self.batches = ImageBatches(dataset, recipe, [seed], self.device)
        self.optimizer = optimizer_of(recipe, list(supernet.parameters()))
        self.epoch = self.step = 0
        self.begin("start")

    @property
    def steps(self) -> int:
        """Number of steps per epoch."""
        return self.batches.steps

    @property
    def epochs(self) -> int:
        """Number of epochs of the whole training."""
        return self.recipe.epochs

    @property
    def progress(self) -> float:
        """Share of the training that is done, from 0 in the first step to just below 1 in the last one."""
        return self.step / (self.steps * self.epochs)

    @property
    def rate(self) -> float:
        """The learning rate of the shared weights in this step."""
        return self.recipe.rate(self.step, self.steps)

    def scores_of(self, images: Tensor, selection: Selection) -> Tensor:
        """Return the scores of images, shape (batch, classes)."""
        with self._precision():
            scores = self.supernet(images, selection)
        return scores.float() if scores.dtype == torch.bfloat16 else scores

    def loss(self, batch: Batch, selection: Selection) -> Tensor:
        """Return the mean cross-entropy of a batch."""
        return functional.cross_entropy(self.scores_of(batch.images, selection), batch.labels)

    @torch.no_grad()
    def accuracy(self, batch: Batch, selection: Selection) -> float:
        """Return the accuracy in percent of a batch, in evaluation mode."""
        training = self.supernet.training
        self.supernet.eval()
        right = self.scores_of(batch.images, selection).argmax(1) == batch.labels
        self.supernet.train(training)
        return 100 * float(right.float().mean())

    def valid_batch(self) -> Batch:
        """Return the next batch of validation images; they are shuffled again whenever all were used."""
        size = min(self.recipe.batch, len(self.dataset.valid))
        if len(self._order) < size:
            self._order = self._valid_random.permutation(len(self.dataset.valid))
        index, self._order = self._order[:size], self._order[size:]
        return Batch(*self.batches.draw(self.dataset.valid, index, self._valid_random))

    def update_weights(
        self, batch: Batch, selections: Iterable[Selection], *, clip: float = 0.0, rate: float | None = None
    ) -> None:
        """Take one step of the shared weights along the sum of the gradients of all selections.

        Weights that no selection uses have no gradient, so the optimiser leaves them as they are.

        Args:
            batch: training images.
            selections: what the forward passes use.
            clip: see `take_step`.
            rate: see `take_step`.
        """
        self.supernet.train()
        self.optimizer.zero_grad()
        for selection in selections:
            self.loss(batch, selection).backward()
        self.take_step(clip=clip, rate=rate)

    def take_step(self, *, clip: float = 0.0, rate: float | None = None) -> None:
        """Take a step of the shared weights along their present gradients.

        Args:
            clip: the gradient is made shorter if its norm is larger than this, or than the limit of the recipe; 0 for
                no limit but that of the recipe.
            rate: learning rate; None for that of the recipe in this step.
        """
        limits = [limit for limit in (clip, self.recipe.clip) if limit]
        if limits:
            torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), min(limits))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate if rate is None else rate
        self.optimizer.step()

    def supernet_scores(self, architectures: Sequence[int], split: str = "valid") -> FloatArray:
        """Return the accuracy in percent of architectures with the shared weights, shape (architectures,)."""
        with self._precision():
            return score(self.supernet, self.batches, architectures, split)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16")

    def begin(self, hook: str) -> None:
        """Start the random numbers of a hook; they depend on the seed, the epoch and the hook only."""
        part = HOOKS.index(hook)
        self.random, self._valid_random = self._stream(part, 0), self._stream(part, 1)
        self._order = np.empty(0, dtype=np.int64)

    def _stream(self, hook: int, part: int) -> np.random.Generator:
        # The images of a training use the counter 0; see `ImageBatches`.
        return np.random.Generator(np.random.Philox(key=[self.seed, self.epoch], counter=[0, 0, part, 1 + hook]))
