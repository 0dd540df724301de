"""Data sets of users: images and labels from one file of NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.checks import Above, AtLeast, Below, number, whole
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.plain_files import open_plain
from nasbench_lab.train.datasets.dataset import Dataset, Images, Split
from nasbench_lab.train.npz_files import read_npz

LAYOUTS = {"nchw": 4, "nhwc": 4, "nhw": 3}
"""Orders of the axes (n images, c channels, h height, w width) and their number of axes."""

_FRACTION = 0.2
_MOST_CHANNELS = 4
"""Longest axis that can be the channels where the layout is not given."""

_NEEDED = ("train_images", "train_labels", "test_images", "test_labels")
_OPTIONAL = ("valid_images", "valid_labels")


def arrays(
    file: str | Path,
    *,
    layout: str | None = None,
    classes: int | None = None,
    valid_fraction: float | None = None,
    seed: int = 0,
) -> Dataset:
    """Return the data set in an ``.npz`` file with the arrays ``train_images``, ``train_labels``, ``test_images``, ....

    Images are uint8 (0 to 255) or floating-point numbers (kept as float32) of shape (n, height, width),
    (n, height, width, channels) or (n, channels, height, width). Labels are whole numbers from 0 of shape (n,).
    If the file has no ``valid_images`` and ``valid_labels``, a fraction of the training images of every class becomes
    the validation split. The number is rounded to the nearest, but at least one image and not all images of a class
    with two or more are taken; the seed alone decides which.

    Args:
        file: path of a file from `numpy.savez` or `numpy.savez_compressed`; pickled objects in it are refused.
        layout: ``"nhw"``, ``"nhwc"`` or ``"nchw"``. By default derived from the shape, if only one layout is possible.
        classes: number of classes. By default the largest label plus one; every label must then occur in train.
        valid_fraction: fraction of the training images for validation, above 0 and below 1; by default 0.2. Only for
            files without validation images.
        seed: seed of the draw of validation images.

    Raises:
        ParameterError: an option has a wrong value, or the layout must be given.
        DataError: the file is missing or damaged, or an array is not as described.

    >>> import tempfile
    >>> images, labels = np.zeros((20, 8, 8), dtype=np.uint8), np.arange(20) % 2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mine.npz")
    ...     np.savez(file, train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    ...     dataset = arrays(file)
    >>> dataset.name, dataset.image, dataset.classes, len(dataset.train), len(dataset.valid)
    ('mine', (1, 8, 8), 2, 16, 4)
    """
    path = Path(file).expanduser()
    _check(classes, valid_fraction, seed)
    content = _read(path)
    has_valid = "valid_images" in content
    if has_valid and valid_fraction is not None:
        raise ParameterError(f"valid_fraction is only for files without validation images, but {path.name} has them")
    layout = _layout(content["train_images"], layout)
    parts = ("train", "valid", "test") if has_valid else ("train", "test")
    splits = {part: _split(content, part, layout) for part in parts}
    description = f"arrays of {path.name}"
    if not has_valid:
        fraction = _FRACTION if valid_fraction is None else valid_fraction
        splits["train"], splits["valid"] = divide(splits["train"], fraction, seed)
        description += f"; {fraction} of the training images of every class split off for valid (seed {seed})"
    count = _classes(content["train_labels"], splits) if classes is None else classes
    train, valid, test = (splits[part] for part in ("train", "valid", "test"))
    return Dataset(path.stem, classes=count, train=train, valid=valid, test=test, description=description)


def divide(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Split off a fraction of the images of every class; both parts keep the order of the images.

    The number of images per class is rounded to the nearest, but at least one and not all images of a class with two or
    more are split off, and none of a class with one image.

    Raises:
        DataError: no class has two images.

    >>> images = np.zeros((10, 1, 2, 2), dtype=np.uint8)
    >>> rest, off = divide(Split(images, np.array([0] * 8 + [1] * 2)), 0.25, seed=0)
    >>> np.bincount(rest.labels).tolist(), np.bincount(off.labels).tolist()
    ([6, 1], [2, 1])
    """
    random = np.random.Generator(np.random.Philox(seed))
    off = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        members = np.flatnonzero(split.labels == label)
        count = min(max(math.floor(fraction * len(members) + 0.5), 1), len(members) - 1)
        off[random.permutation(members)[:count]] = True
    if not off.any():
        raise DataError("no class has two training images, so none can be split off for validation; add valid_images")
    return Split(split.images[~off], split.labels[~off]), Split(split.images[off], split.labels[off])


def _check(classes: Any, fraction: Any, seed: Any) -> None:
    if classes is not None:
        whole("classes", classes, AtLeast(1))
    if fraction is not None:
        number("valid_fraction", fraction, Above(0), Below(1))
    whole("seed", seed, AtLeast(0))


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of the file; arrays that need pickle are refused."""
    try:
        with open_plain(path) as stream:
            if stream.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
                raise DataError("it must be an .npz file with several arrays, as numpy.savez writes it")
            content = read_npz(stream)
    except DataError as error:
        raise DataError(f"{path} is no .npz file of arrays, or is damaged: {error}") from error
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except Exception as error:  # a damaged zip file or array header can raise nearly anything
        raise DataError(f"{path} is no .npz file, is damaged, or holds objects: {first_line(error)}") from error
    _check_names(path, list(content))
    return content


def _check_names(path: Path, names: list[str]) -> None:
    # A misspelt valid_images must not silently become a split of train.
    wanted = [*_NEEDED, *(_OPTIONAL if set(_OPTIONAL) & set(names) else ())]
    missing = [name for name in wanted if name not in names]
    strange = [name for name in names if name not in wanted]
    if missing or strange:
        wrong = (("lacks", missing), ("must not have", strange))
        said = " and ".join(f"{verb} {', '.join(which)}" for verb, which in wrong if which)
        raise DataError(f"{path} {said}; it has {', '.join(names) or 'nothing'}")


def _layout(images: NDArray[Any], layout: str | None) -> str:
    if layout is not None:
        if layout not in LAYOUTS:
            raise unknown("layout", layout, LAYOUTS)
        return layout
    if images.ndim == 3:
        return "nhw"
    if images.ndim != 4:
        raise DataError(f"train_images must have 3 or 4 axes ({', '.join(LAYOUTS)}), got shape {images.shape}")
    first, last = images.shape[1] <= _MOST_CHANNELS, images.shape[3] <= _MOST_CHANNELS
    if first == last:
        raise ParameterError(
            f"train_images of shape {images.shape} can be nchw or nhwc; say which with the option layout"
        )
    return "nchw" if first else "nhwc"


def _split(content: Mapping[str, NDArray[Any]], part: str, layout: str) -> Split:
    images = _images(content[f"{part}_images"], f"{part}_images", layout)
    labels = content[f"{part}_labels"]
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise DataError(
            f"{part}_labels must be {len(images)} whole numbers, one per image, "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    if labels.min() < 0 or labels.max() > np.iinfo(np.int32).max:
        raise DataError(f"{part}_labels must be whole numbers from 0, got {labels.min()} to {labels.max()}")
    return Split(images, labels.astype(np.int64))


def _images(images: NDArray[Any], name: str, layout: str) -> Images:
    """Check one array and bring it to (images, channels, height, width)."""
    if images.ndim != LAYOUTS[layout] or not images.size:
        raise DataError(f"{name} of shape {images.shape} do not fit the layout {layout} ({', '.join(layout)})")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DataError(f"{name} must be uint8 (0 to 255) or floating-point numbers, got {images.dtype}")
    if images.dtype.kind == "f":
        with np.errstate(over="ignore"):  # numbers that are too large become infinite and are refused
            images = images.astype(np.float32)
        if not np.isfinite(images).all():
            raise DataError(f"{name} has pixels that are not finite numbers in float32")
    if layout == "nhw":
        return images[:, None]
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if layout == "nhwc" else images


def _classes(train_labels: NDArray[Any], splits: Mapping[str, Split]) -> int:
    """Return the largest label plus one.

    Raises:
        DataError: a smaller label does not occur in train. Labels that count from 1 are a more likely reason than a
            class without training images.
    """
    count = 1 + max(int(split.labels.max()) for split in splits.values())
    present = np.unique(train_labels)
    if len(present) < count:
        gap = next(label for label in range(count) if label >= len(present) or present[label] != label)
        raise DataError(
            f"no training image has the label {gap}, but there are labels up to {count - 1}; "
            "count labels from 0, or give the number of classes with the option classes"
        )
    return count
