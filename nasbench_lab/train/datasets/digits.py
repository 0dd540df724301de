"""The handwritten digits that come with scikit-learn, made harder so that architectures differ."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.train.datasets.dataset import Dataset, Split


@dataclasses.dataclass(frozen=True)
class Hardening:
    """How far an image is distorted; every amount is drawn uniformly from minus to plus the given one.

    Attributes:
        rotation: degrees.
        shift: pixels, in each direction.
        scale: natural logarithm of the factor, for height and width separately.
        shear: pixels sideways per pixel down.
        noise: standard deviation of the Gaussian noise on every pixel (white is 1).
    """

    rotation: float = 20.0
    shift: float = 1.0
    scale: float = 0.15
    shear: float = 0.15
    noise: float = 0.05


_SEED = 8091998  # the digits were published in 1998
_TRAIN, _VALID = 600, 600  # originals of each; the other 597 are for testing
_TRAIN_VARIANTS, _EVALUATION_VARIANTS = 12, 2


def digits(hardening: Hardening | None = None) -> Dataset:
    """Return the hardened digits: ten classes of 8x8 images, and no original in more than one split.

    The 1,797 originals (the test part of Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI 1998, as
    scikit-learn ships them) are shuffled and divided into 600 for training, 600 for validation and 597 for testing; only
    then is each distorted: twelve times for training, twice for validation and testing. Everything is drawn from one
    fixed seed. The distortion maps pixels affinely with linear interpolation, black beyond the border, and adds noise.

    >>> dataset = digits()
    >>> dataset.train.images.shape, len(dataset.valid), len(dataset.test), dataset.originals
    ((7200, 1, 8, 8), 1200, 1194, 600)
    """
    from sklearn.datasets import load_digits

    hardening = hardening or Hardening()
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8) / 16.0
    random = np.random.Generator(np.random.Philox(_SEED))
    order = random.permutation(len(images))
    parts = np.split(order, [_TRAIN, _TRAIN + _VALID])
    splits = [
        Split(
            np.concatenate([harden(images[part], hardening, random) for _ in range(variants)])[:, None],
            np.tile(labels[part].astype(np.int64), variants),
        )
        for part, variants in zip(parts, (_TRAIN_VARIANTS, _EVALUATION_VARIANTS, _EVALUATION_VARIANTS), strict=True)
    ]
    return Dataset(
        "digits",
        10,
        *splits,
        variants=_TRAIN_VARIANTS,
        description=f"scikit-learn's digits (UCI 1998), {_TRAIN} / {_VALID} / {len(parts[2])} originals for train / valid "
        f"/ test, each distorted {_TRAIN_VARIANTS} / {_EVALUATION_VARIANTS} / {_EVALUATION_VARIANTS} times: {hardening}",
    )


def harden(
    images: NDArray[np.float64], hardening: Hardening, random: np.random.Generator
) -> NDArray[np.float32]:
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


def _distortion(
    hardening: Hardening, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle, shear = random.uniform(-1, 1, 2) * (np.deg2rad(hardening.rotation), hardening.shear)
    scale, shift = random.uniform(-1, 1, (2, 2)) * ((hardening.scale,), (hardening.shift,))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotation @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag(np.exp(scale)), shift
