"""The handwritten digits of scikit-learn, distorted so that architectures differ in accuracy."""

from __future__ import annotations

import dataclasses
import functools
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.checks import AtLeast, AtMost, check_fields, whole
from nasbench_lab.global_random import kept_random_state
from nasbench_lab.train.datasets.dataset import Dataset, Split


@dataclasses.dataclass(frozen=True)
class Hardening:
    """How strongly images are distorted. Amounts are drawn uniformly between minus and plus the given value.

    Attributes:
        rotation: degrees.
        shift: pixels, in each direction.
        scale: natural logarithm of the scaling factor, for height and width separately.
        shear: horizontal pixels per vertical pixel.
        noise: standard deviation of the Gaussian noise on every pixel (white is 1).

    Raises:
        ParameterError: an amount is negative or too large.
    """

    rotation: Annotated[float, AtLeast(0), AtMost(180)] = 15.0
    shift: Annotated[float, AtLeast(0), AtMost(8)] = 0.8
    scale: Annotated[float, AtLeast(0), AtMost(2)] = 0.12
    shear: Annotated[float, AtLeast(0), AtMost(2)] = 0.12
    noise: Annotated[float, AtLeast(0), AtMost(10)] = 0.05

    def __post_init__(self) -> None:
        check_fields(self)


_SEED = 8091998  # the digits were published in 1998
_TRAIN, _VALID = 900, 450  # numbers of originals; the other 447 are for testing
_PARTS, _TURNS = 12, 3


def digits(hardening: Hardening | None = None, versions: int = 1) -> Dataset:
    """Return the distorted digits: ten classes of 8x8 images. No original is in more than one split.

    The 1,797 originals (the test part of Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI 1998,
    as included in scikit-learn) are shuffled and divided into 900 for training, 450 for validation and 447 for testing,
    with the same share of every class in each; then they are distorted. The training images come in twelve parts of
    300: distorted versions of the first, second and last third of the training originals, in turn. All random numbers
    come from one fixed seed. The distortion is an affine map with linear interpolation, with black outside the image,
    plus noise.

    Args:
        hardening: how strongly the images are distorted; by default as in the tables of this package.
        versions: number of distorted versions of every original for validation and testing. More versions measure the
            same networks more precisely; the training images stay the same.

    Raises:
        ParameterError: ``versions`` is not from 1 to 100.

    >>> dataset = digits()
    >>> dataset.train.images.shape, dataset.parts, len(dataset.valid), len(dataset.test)
    ((3600, 1, 8, 8), 12, 450, 447)
    >>> len(digits(versions=6).valid)
    2700
    """
    made = _distorted(hardening or Hardening(), whole("versions", versions, AtLeast(1), AtMost(100)))
    train, valid, test = (
        Split(split.images.copy(), split.labels.copy()) for split in (made.train, made.valid, made.test)
    )
    return dataclasses.replace(made, train=train, valid=valid, test=test)


@functools.cache
def _distorted(hardening: Hardening, versions: int) -> Dataset:
    """Make the distorted digits, once per process: it takes a quarter of a second."""
    with kept_random_state():
        from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images, labels = images.reshape(-1, 8, 8) / 16.0, labels.astype(np.int64)
    random = np.random.Generator(np.random.Philox(_SEED))
    train, valid, test = np.split(_shuffled(labels, random), [_TRAIN, _TRAIN + _VALID])
    thirds = np.split(train, _TURNS)

    # Further versions have random numbers of their own, so that the first ones are the same for any number of versions.
    further = np.random.Generator(np.random.Philox(_SEED + 1))

    def split(chosen: NDArray[np.int64]) -> Split:
        return Split(harden(images[chosen], hardening, random)[:, None], labels[chosen])

    def repeated(chosen: NDArray[np.int64], first: Split) -> Split:
        others = [harden(images[chosen], hardening, further)[:, None] for _ in range(versions - 1)]
        return Split(np.concatenate([first.images, *others]), np.tile(first.labels, versions))

    trained, validated, tested = (
        split(np.concatenate([thirds[part % _TURNS] for part in range(_PARTS)])),
        split(valid),
        split(test),
    )

    return Dataset(
        "digits",
        classes=10,
        train=trained,
        valid=repeated(valid, validated),
        test=repeated(test, tested),
        parts=_PARTS,
        description=f"scikit-learn's digits (UCI 1998), {len(train)} / {len(valid)} / {len(test)} originals for "
        f"train / valid / test, distorted: {hardening}"
        + (f", {versions} versions of every original in valid and test" if versions > 1 else ""),
    )


def _shuffled(labels: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Return a random order in which every section has about the same share of every class."""
    order = random.permutation(len(labels))
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        position[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(position, kind="stable")]


def harden(images: NDArray[np.float64], hardening: Hardening, random: np.random.Generator) -> NDArray[np.float32]:
    """Return one distorted version of every image, shape (images, height, width).

    >>> still = Hardening(rotation=0, shift=0, scale=0, shear=0, noise=0)
    >>> image = np.eye(8)[None]
    >>> np.allclose(harden(image, still, np.random.default_rng(0)), image)
    True
    """
    from scipy.ndimage import affine_transform

    distorted = np.empty(images.shape, dtype=np.float32)
    center = (np.array(images.shape[1:]) - 1) / 2
    for number, image in enumerate(images):
        matrix, shift = _distortion(hardening, random)
        moved = affine_transform(image, matrix, offset=center - matrix @ center + shift, order=1)
        distorted[number] = moved + random.normal(0.0, hardening.noise, image.shape)
    return distorted


def _distortion(hardening: Hardening, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle, shear = random.uniform(-1, 1, 2) * (np.deg2rad(hardening.rotation), hardening.shear)
    scale, shift = random.uniform(-1, 1, (2, 2)) * ((hardening.scale,), (hardening.shift,))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotation @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag(np.exp(scale)), shift
