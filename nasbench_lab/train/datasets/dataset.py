"""Data sets: images and labels in three splits for training, validation and testing."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError

Images = NDArray[np.float32] | NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels.

    Attributes:
        images: shape (images, channels, height, width); uint8 from 0 to 255, or float32.
        labels: class of every image, from 0, shape (images,).
    """

    images: Images
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype not in (np.float32, np.uint8):
            raise DataError(
                "images must be uint8 or float32 of shape (images, channels, height, width), "
                f"got {self.images.dtype} of shape {self.images.shape}"
            )
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != np.int64 or not len(self.labels):
            raise DataError(
                f"{len(self.images)} images need the same number of int64 labels, at least one, "
                f"got {self.labels.dtype} of shape {self.labels.shape}"
            )
        if self.images.dtype == np.float32 and not np.isfinite(self.images).all():
            raise DataError("some pixels are not finite numbers")

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """An image classification task.

    Attributes:
        name: e.g. ``"digits"``.
        classes: number of classes.
        train: images that networks are trained on.
        valid: images of the accuracies that searches observe.
        test: images of the accuracies that are reported.
        parts: number of parts of equal size that the training images are divided into; epoch e uses part e modulo
            ``parts``.
        description: where the images come from and how they were processed, for the provenance of tables.
    """

    name: str
    classes: int
    train: Split
    valid: Split
    test: Split
    parts: int = 1
    description: str = ""

    def __post_init__(self) -> None:
        shape = self.train.images.shape[1:]
        for name, split in (("train", self.train), ("valid", self.valid), ("test", self.test)):
            if split.images.shape[1:] != shape:
                raise DataError(
                    f"images of the {name} split have shape {split.images.shape[1:]}, those of train have {shape}"
                )
            if split.labels.min() < 0 or split.labels.max() >= self.classes:
                raise DataError(
                    f"labels of the {name} split must be 0 to {self.classes - 1}, "
                    f"got {split.labels.min()} to {split.labels.max()}"
                )
        if self.parts < 1 or len(self.train) % self.parts:
            raise DataError(f"{len(self.train)} training images cannot be divided into {self.parts} parts")

    def __repr__(self) -> str:
        counts = f"{len(self.train):,} training, {len(self.valid):,} validation and {len(self.test):,} test images"
        return f"<Dataset {self.name}: {counts} of {' x '.join(map(str, self.image))}, {self.classes} classes>"

    @property
    def image(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def epoch_images(self) -> int:
        """Number of training images per epoch."""
        return len(self.train) // self.parts

    def statistics(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the mean and the standard deviation of every channel of the training images, each (channels,).

        Pixels of type uint8 are scaled to 0 to 1 first. The deviation of a constant channel is given as 1.
        """
        scale = 255.0 if self.train.images.dtype == np.uint8 else 1.0
        # One channel at a time, so that a large data set is never copied to float64 as a whole.
        channels = [self.train.images[:, c].astype(np.float64) / scale for c in range(self.image[0])]
        mean = np.array([channel.mean() for channel in channels], dtype=np.float32)
        deviation = np.array([channel.std() for channel in channels], dtype=np.float32)
        return mean, np.where(deviation > 0, deviation, np.float32(1)).astype(np.float32)

    def digest(self) -> str:
        """Return the SHA-256 of all images and labels. Tables are comparable only if they share it."""
        digest = hashlib.sha256(f"{self.classes} {self.parts}".encode())
        for split in (self.train, self.valid, self.test):
            for array in (split.images, split.labels):
                digest.update(f"{array.dtype} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
