"""ImageNet16-120 from the official files of the downsampled ImageNet, divided as NATS-Bench divides it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.train.datasets.dataset import Dataset
from nasbench_lab.train.datasets.published_files import (
    HALVES,
    IN_HALVES,
    PublishedImages,
    SplitFile,
    check_split,
    read_batch,
    read_files,
)

_CLASSES = 120
_SIDE = 16

TRAIN = {
    "train_data_batch_1": "27846dcaa50de8e21a7d1a35f30f0e91",
    "train_data_batch_2": "c7254a054e0e795c69120a5727050e3f",
    "train_data_batch_3": "4333d3df2e5ffb114b05d2ffc19b1e87",
    "train_data_batch_4": "1620cdf193304f4a92677b695d70d10f",
    "train_data_batch_5": "348b3c2fdbb3940c4e9e834affd3b18d",
    "train_data_batch_6": "6e765307c242a1b3d7d5ef9139b48945",
    "train_data_batch_7": "564926d8cbf8fc4818ba23d2faac7564",
    "train_data_batch_8": "f4755871f718ccb653440b9dd0ebac66",
    "train_data_batch_9": "bb6dd660c38c58552125b1a92f86b5d4",
    "train_data_batch_10": "8f03f34ac4b42271a294f91bf480f29b",
}
"""MD5 digests of the training files, from lib/datasets/DownsampledImageNet.py of D-X-Y/AutoDL-Projects."""

VALID = {"val_data": "3410e3017fdaefba8d5073aaa65e4bd6"}
"""MD5 digest of the validation file, from the same source."""

SPLIT = SplitFile(
    "imagenet-16-120-test-split.txt",
    keys=("xvalid", "xtest"),
    head=(1, 2, 3, 6, 7, 8, 9, 12, 16, 18, 19, 26, 27, 28, 29, 32, 34, 35, 36, 37),
    tail=(5971, 5974, 5981, 5983, 5986, 5989, 5990, 5992, 5995, 5996),
)


def imagenet16_120(folder: str | Path, *, split: str = "nats-bench", split_file: str | Path | None = None) -> Dataset:
    """Return ImageNet16-120: the first 120 classes of ImageNet as 16x16 colour images (uint8), as in NATS-Bench.

    Labels are the published ones (1 to 120) minus 1. There are two ways to split the images:

    - ``"nats-bench"``: train are the 151,700 official training images of these classes. The 6,000 official validation
      images are divided into 3,000 for valid and 3,000 for test by the list that NATS-Bench published.
    - ``"halves"``: the first 75,850 of these training images for train, and the others for valid, as in the searches of
      DrNAS. Test are all 6,000 official validation images.

    Args:
        folder: folder with train_data_batch_1 to train_data_batch_10 and val_data of the 16x16 version.
        split: ``"nats-bench"`` or ``"halves"``.
        split_file: path of imagenet-16-120-test-split.txt; by default beside the data. Only for ``"nats-bench"``.

    Raises:
        UnknownNameError: there is no such split.
        ParameterError: a file is given for a split that needs none.
        DataError: files are missing, damaged or not the published ones.

    Source: P. Chrabaszcz, I. Loshchilov, F. Hutter, "A Downsampled Variant of ImageNet as an Alternative to the CIFAR
    Datasets", arXiv:1707.08819; the choice of classes is of X. Dong, Y. Yang, "NAS-Bench-201", ICLR 2020.

    >>> imagenet16_120("/nowhere")
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: there is no folder /nowhere
    """
    check_split("ImageNet16-120", split, ("nats-bench", HALVES), split_file)
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise DataError(f"there is no folder {place}")
    # The validation file and the list come first: they are small, and most mistakes show there.
    held_out = _first_classes(place, VALID)
    read = "ImageNet downsampled to 16x16 (Chrabaszcz et al. 2017), verified by md5, classes 1 to 120; "
    if split == HALVES:
        train = _first_classes(place, TRAIN)
        first, second = train.halves()
        return Dataset(
            "ImageNet16-120",
            classes=_CLASSES,
            train=train.split(_SIDE, first),
            valid=train.split(_SIDE, second),
            test=held_out.split(_SIDE),
            description=f"{read}official training set divided into {len(first)} for train and {len(second)} for valid "
            f"{IN_HALVES}; official validation set for test",
        )
    valid, test = SPLIT.read(len(held_out.labels), split_file, [place, place.parent])
    train = _first_classes(place, TRAIN)
    return Dataset(
        "ImageNet16-120",
        classes=_CLASSES,
        train=train.split(_SIDE),
        valid=held_out.split(_SIDE, valid),
        test=held_out.split(_SIDE, test),
        description=f"{read}official training set for train; official validation set divided into {len(valid)} for "
        f"valid and {len(test)} for test as in NATS-Bench ({SPLIT.source})",
    )


def _first_classes(folder: Path, md5s: Mapping[str, str]) -> PublishedImages:
    """Return the images of the first classes. Only one file at a time is in memory, not all 1.3 million images."""
    batches = []
    for name, content in read_files(folder, md5s):
        batch = read_batch(content, pixels=3 * _SIDE * _SIDE, labels="labels", file=name)
        if batch.labels.min() < 1 or batch.labels.max() > 1000:
            raise DataError(f"{name}: labels must be 1 to 1000, got {batch.labels.min()} to {batch.labels.max()}")
        chosen = np.flatnonzero(batch.labels <= _CLASSES)
        batches.append(PublishedImages(batch.pixels[chosen], batch.labels[chosen] - 1))
    return PublishedImages.joined(batches)
