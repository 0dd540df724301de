"""Batches of images for trainings side by side: shuffled, augmented and normalised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nasbench_lab.errors import DataError
from nasbench_lab.train.datasets import Dataset, Split
from nasbench_lab.train.recipes import TrainingRecipe


class Batch(NamedTuple):
    """Images, shape (batch, channels, height, width), and labels, shape (batch,)."""

    images: Tensor
    labels: Tensor


class ImageBatches:
    """The images of a data set on a device, in batches.

    Args:
        dataset: the data set.
        recipe: gives the batch size and the augmentation.
        seeds: one per training side by side. Each training has its own order and augmentation of the images, which
            depend only on its seed and the epoch.
        device: device on which the images are kept.

    Raises:
        DataError: an epoch has only one training image.
    """

    def __init__(self, dataset: Dataset, recipe: TrainingRecipe, seeds: Sequence[int], device: torch.device) -> None:
        self.dataset, self.recipe, self.seeds, self.device = dataset, recipe, tuple(seeds), device
        if not self.steps:
            raise DataError(f"data set {dataset.name!r} has one training image per epoch; at least two are needed")
        mean, deviation = dataset.statistics()
        self._mean = torch.from_numpy(mean).to(device)[:, None, None]
        self._deviation = torch.from_numpy(deviation).to(device)[:, None, None]
        self._train = self._keep(dataset.train)

    @property
    def steps(self) -> int:
        """Number of batches per training epoch. A last batch of one image is dropped: it cannot be normalised."""
        whole, rest = divmod(self.dataset.epoch_images, self.recipe.batch)
        return whole + (rest > 1)

    def training(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch: images (batch, copies * channels, h, w) and labels (batch, copies)."""
        images, labels = self._train
        random = [np.random.Generator(np.random.Philox(key=[seed, epoch])) for seed in self.seeds]
        part = self.dataset.epoch_images
        first = part * (epoch % self.dataset.parts)
        order = np.stack([first + each.permutation(part) for each in random])
        for step in range(self.steps):
            chosen = order[:, step * self.recipe.batch : (step + 1) * self.recipe.batch]
            index = torch.from_numpy(np.ascontiguousarray(chosen.T)).to(self.device)
            batch = self._augment(images[index], random)
            yield self._ready(batch.flatten(1, 2)), labels[index]

    def draw(self, split: Split, index: np.ndarray, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return chosen images of a split, augmented like training images, for one training.

        Args:
            split: of the data set.
            index: positions of the images, shape (batch,).
            random: for the augmentation.

        Returns:
            Images, shape (batch, channels, h, w), and labels, shape (batch,).
        """
        chosen = torch.from_numpy(split.images[index]).to(self.device)[:, None]
        labels = torch.from_numpy(split.labels[index]).to(self.device)
        return self._ready(self._augment(chosen, [random])[:, 0]), labels

    def evaluation(self, split: Split, batch: int = 256) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of a split: images (batch, copies * channels, h, w) and labels (batch, 1).

        All copies get the same images, in the order of the split.
        """
        images, labels = self._keep(split)
        for chunk, label in zip(images.split(batch), labels.split(batch), strict=True):
            yield self._ready(chunk.repeat(1, len(self.seeds), 1, 1)), label[:, None]

    def _keep(self, split: Split) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(split.images).to(self.device), torch.from_numpy(split.labels).to(self.device)

    def _ready(self, images: Tensor) -> Tensor:
        """Scale and normalise images, (batch, copies * channels, h, w)."""
        pixels = images.float() / 255 if images.dtype == torch.uint8 else images
        copies = len(self.seeds)
        normal = (pixels.unflatten(1, (copies, -1)) - self._mean) / self._deviation
        return normal.flatten(1, 2).contiguous(memory_format=torch.channels_last)

    def _augment(self, images: Tensor, random: Sequence[np.random.Generator]) -> Tensor:
        """Crop and mirror images at random, (batch, copies, channels, h, w)."""
        padding, (batch, copies, _, height, width) = self.recipe.padding, images.shape
        if padding:
            corner = np.stack([each.integers(0, 2 * padding + 1, (batch, 2)) for each in random], axis=1)
            top, left = torch.from_numpy(corner).to(self.device).unbind(-1)
            padded = torch.nn.functional.pad(images, (padding,) * 4)
            rows = (top[..., None] + torch.arange(height, device=self.device))[:, :, None, :, None]
            columns = (left[..., None] + torch.arange(width, device=self.device))[:, :, None, None, :]
            which = torch.arange(batch, device=self.device)[:, None, None, None, None]
            copy = torch.arange(copies, device=self.device)[:, None, None, None]
            channel = torch.arange(images.shape[2], device=self.device)[:, None, None]
            images = padded[which, copy, channel, rows, columns]
        if self.recipe.flip:
            mirror = torch.from_numpy(np.stack([each.random(batch) < 0.5 for each in random], axis=1)).to(self.device)
            images = torch.where(mirror[:, :, None, None, None], images.flip(-1), images)
        return images
