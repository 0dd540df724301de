"""Training the shared weights of a supernet along sampled paths, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import reproducible_arithmetic
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.one_shot.path_sampling import PathSampler
from nasbench_lab.train.one_shot.supernets.selection import Path
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.supernet_recipes import SupernetRecipe
from nasbench_lab.train.training import optimizer_of

_PATHS_STREAM = 1


class SupernetTraining:
    """The training of a supernet from one seed.

    A seed determines the initial weights (see `make_supernet`), the order of the images and the sampled paths.

    Args:
        supernet: network with shared weights.
        sampler: which paths a step uses.
        dataset: data set to train on.
        recipe: how to train; its average is not used.
        seed: of the images and paths.
        device: name of a torch device.
    """

    def __init__(
        self,
        supernet: Supernet,
        sampler: PathSampler,
        dataset: Dataset,
        recipe: TrainingRecipe,
        seed: int,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self.sampler, self.dataset, self.recipe, self.seed = sampler, dataset, SupernetRecipe.of(recipe), seed
        self.device = torch.device(device)
        self.supernet = supernet.to(self.device, memory_format=torch.channels_last)
        self.batches = ImageBatches(dataset, recipe, [seed], self.device)
        self.optimizer = optimizer_of(recipe, list(supernet.parameters()))
        self.epoch = 0
        self.seconds = 0.0

    def __repr__(self) -> str:
        done = f"{self.epoch} of {self.recipe.epochs} epochs, {self.seconds:.3g} s"
        return f"<SupernetTraining of {self.supernet.space.name} on {self.dataset.name}: {done}>"

    def epochs(self) -> Iterator[int]:
        """Train, and yield the number of finished epochs after every epoch."""
        while self.epoch < self.recipe.epochs:
            with reproducible_arithmetic(self.device):
                start = training_clock(self.device)
                self._train_epoch()
                self.seconds += training_clock(self.device) - start
            self.epoch += 1
            yield self.epoch

    def finish(self) -> Supernet:
        """Train to the end and return the supernet."""
        for _ in self.epochs():
            pass
        return self.supernet

    def _train_epoch(self) -> None:
        self.supernet.train()
        steps = self.batches.steps
        random = np.random.Generator(np.random.Philox(key=[self.seed, self.epoch], counter=[0, 0, 0, _PATHS_STREAM]))
        for number, (images, labels) in enumerate(self.batches.training(self.epoch), start=self.epoch * steps):
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.rate(number, steps)
            self.optimizer.zero_grad()  # unused weights have no gradient, so the optimiser leaves them as they are
            for codes in self.sampler.paths(self.supernet.space, random).tolist():
                self.loss(images, labels[:, 0], codes).backward()
            if self.recipe.clip:
                torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), self.recipe.clip)
            self.optimizer.step()

    def loss(self, images: Tensor, labels: Tensor, codes: list[int]) -> Tensor:
        """Return the mean cross-entropy of a path on a batch."""
        return functional.cross_entropy(self.supernet(images, Path(codes)), labels)

    def save(self, path: FilePath) -> None:
        """Write a checkpoint that the training can resume from. An existing file is replaced atomically."""
        state = {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "supernet": self.supernet.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: FilePath) -> None:
        """Resume from a checkpoint that `save` wrote.

        Raises:
            DataError: the file is damaged.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.supernet.load_state_dict(state["supernet"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.seconds = state["epoch"], state["seconds"]
        except Exception as error:  # torch fails in many ways
            raise DataError(
                f"{path} is not a readable checkpoint of a supernet, or damaged; delete it to train again"
            ) from error
