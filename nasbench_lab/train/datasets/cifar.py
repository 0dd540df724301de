"""CIFAR-10 and CIFAR-100 from the official files, with the splits of the NAS benchmarks."""

from __future__ import annotations

import dataclasses
import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain
from nasbench_lab.train.datasets.dataset import Dataset
from nasbench_lab.train.datasets.published_files import (
    HALVES,
    IN_HALVES,
    PublishedImages,
    SplitFile,
    check_md5,
    check_split,
    read_batch,
    read_files,
)

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE


@dataclasses.dataclass(frozen=True)
class CifarRelease:
    """The official files of a data set (the "python version"), with MD5 digests from torchvision/datasets/cifar.py.

    Attributes:
        folder: name of the folder in the archive.
        archive: file name of the archive.
        archive_md5: MD5 digest of the archive.
        train: MD5 digests of the files of the official training set, in order.
        test: MD5 digest of the file of the official test set.
        labels: key of the labels in the files.
        classes: number of classes.
    """

    folder: str
    archive: str
    archive_md5: str
    train: Mapping[str, str]
    test: Mapping[str, str]
    labels: str
    classes: int

    @property
    def md5s(self) -> dict[str, str]:
        """MD5 digests of all files."""
        return {**self.train, **self.test}


CIFAR10 = CifarRelease(
    folder="cifar-10-batches-py",
    archive="cifar-10-python.tar.gz",
    archive_md5="c58f30108f718f92721af3b95e74349a",
    train={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    test={"test_batch": "40351d587109b95175f43aff81a1287e"},
    labels="labels",
    classes=10,
)

CIFAR100 = CifarRelease(
    folder="cifar-100-python",
    archive="cifar-100-python.tar.gz",
    archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
    train={"train": "16019d7e3df5f24257cddd939b257f8d"},
    test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    labels="fine_labels",
    classes=100,
)

CIFAR10_SPLIT = SplitFile(
    "cifar-split.txt",
    keys=("train", "valid"),
    head=(0, 5, 7, 11, 13, 15, 16, 17, 20, 24, 26, 28, 30, 31, 32, 34, 36, 37, 39, 40),
    tail=(49982, 49985, 49986, 49991, 49993, 49995, 49996, 49997, 49998, 49999),
)
CIFAR100_SPLIT = SplitFile(
    "cifar100-test-split.txt",
    keys=("xvalid", "xtest"),
    head=(1, 3, 4, 5, 8, 10, 13, 14, 15, 16, 18, 19, 21, 22, 23, 27, 28, 30, 33, 36),
    tail=(9981, 9982, 9983, 9988, 9990, 9991, 9993, 9994, 9995, 9998),
)


def cifar10(folder: str | Path, *, split: str = "nats-bench", split_file: str | Path | None = None) -> Dataset:
    """Return CIFAR-10: ten classes of 32x32 colour images (uint8), 50,000 official training and 10,000 test images.

    There are three ways to split the images. In all, test is the official test set:

    - ``"nats-bench"``: 25,000 images for train and 25,000 for valid, by the list that NATS-Bench (and NAS-Bench-201)
      published. The test accuracies in its tables are those of networks trained on all 50,000 images.
    - ``"nas-bench-101"``: data_batch_1 to data_batch_4 (40,000 images) for train and data_batch_5 (10,000) for valid,
      as in nasbench/scripts/generate_cifar10_tfrecords.py of google-research/nasbench. The splits have exactly the same
      images; the order in which TensorFlow shuffled and augmented them is not known.
    - ``"halves"``: the first 25,000 images for train and the others for valid, as in the searches of DARTS and DrNAS.

    Args:
        folder: folder with the official archive or its extracted files, or the archive itself.
        split: ``"nats-bench"``, ``"nas-bench-101"`` or ``"halves"``.
        split_file: path of cifar-split.txt; by default beside the data. Only for ``"nats-bench"``.

    Raises:
        UnknownNameError: there is no such split.
        ParameterError: a file is given for a split that needs none.
        DataError: files are missing, damaged or not the published ones.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    >>> cifar10("/nowhere")
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: /nowhere has neither cifar-10-batches-py nor cifar-10-python.tar.gz
    """
    check_split("cifar10", split, ("nats-bench", "nas-bench-101", HALVES), split_file)
    batches, places = _read(CIFAR10, folder)
    last = len(batches["data_batch_5"].labels)
    train = PublishedImages.joined(batches.pop(name) for name in CIFAR10.train)  # not kept twice
    if split == "nats-bench":
        chosen, held_out = CIFAR10_SPLIT.read(len(train.labels), split_file, places)
        how = f"as in NATS-Bench ({CIFAR10_SPLIT.source})"
    elif split == HALVES:
        chosen, held_out = train.halves()
        how = IN_HALVES
    else:
        chosen, held_out = np.split(np.arange(len(train.labels)), [-last])
        how = "as in NAS-Bench-101 (data_batch_5 for valid)"
    return Dataset(
        "cifar10",
        classes=CIFAR10.classes,
        train=train.split(_SIDE, chosen),
        valid=train.split(_SIDE, held_out),
        test=batches["test_batch"].split(_SIDE),
        description="CIFAR-10 (Krizhevsky 2009), verified by md5; official training set divided into "
        f"{len(chosen)} for train and {len(held_out)} for valid {how}; official test set for test",
    )


def cifar100(folder: str | Path, *, split: str = "nats-bench", split_file: str | Path | None = None) -> Dataset:
    """Return CIFAR-100: a hundred (fine) classes of 32x32 colour images (uint8), divided as in NATS-Bench.

    There are two ways to split the images:

    - ``"nats-bench"``: train are the 50,000 official training images. The 10,000 official test images are divided into
      5,000 for valid and 5,000 for test by the list that NATS-Bench published.
    - ``"halves"``: the first 25,000 official training images for train, and the others for valid, as in the searches of
      DrNAS. Test are all official test images.

    Args:
        folder: folder with the official archive or its extracted files, or the archive itself.
        split: ``"nats-bench"`` or ``"halves"``.
        split_file: path of cifar100-test-split.txt; by default beside the data. Only for ``"nats-bench"``.

    Raises:
        UnknownNameError: there is no such split.
        ParameterError: a file is given for a split that needs none.
        DataError: files are missing, damaged or not the published ones.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    >>> cifar100("/nowhere")
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: /nowhere has neither cifar-100-python nor cifar-100-python.tar.gz
    """
    check_split("cifar100", split, ("nats-bench", HALVES), split_file)
    batches, places = _read(CIFAR100, folder)
    if split == HALVES:
        chosen, held_out = batches["train"].halves()
        return Dataset(
            "cifar100",
            classes=CIFAR100.classes,
            train=batches["train"].split(_SIDE, chosen),
            valid=batches["train"].split(_SIDE, held_out),
            test=batches["test"].split(_SIDE),
            description=f"CIFAR-100 (Krizhevsky 2009), verified by md5; official training set divided into "
            f"{len(chosen)} for train and {len(held_out)} for valid {IN_HALVES}; official test set for test",
        )
    valid, test = CIFAR100_SPLIT.read(len(batches["test"].labels), split_file, places)
    return Dataset(
        "cifar100",
        classes=CIFAR100.classes,
        train=batches["train"].split(_SIDE),
        valid=batches["test"].split(_SIDE, valid),
        test=batches["test"].split(_SIDE, test),
        description="CIFAR-100 (Krizhevsky 2009), verified by md5; official training set for train; official test set "
        f"divided into {len(valid)} for valid and {len(test)} for test as in NATS-Bench ({CIFAR100_SPLIT.source})",
    )


def _read(release: CifarRelease, folder: str | Path) -> tuple[dict[str, PublishedImages], list[Path]]:
    """Return the batches by name, and the folders that are searched for a split file."""
    path = Path(folder).expanduser()
    files, places = _locate(release, path)
    batches = {name: read_batch(content, pixels=_PIXELS, labels=release.labels, file=name) for name, content in files}
    missing = [name for name in release.md5s if name not in batches]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)} in {release.folder}")
    return batches, places


def _locate(release: CifarRelease, path: Path) -> tuple[Iterator[tuple[str, bytes]], list[Path]]:
    for place in (path / release.folder, path):
        if any((place / name).is_file() for name in release.md5s):
            return read_files(place, release.md5s), [place, place.parent]
    archive = path if path.is_file() else path / release.archive
    if archive.is_file():
        return _read_archive(release, archive), [archive.parent]
    raise DataError(f"{path} has neither {release.folder} nor {release.archive}")


def _read_archive(release: CifarRelease, archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the needed files. Nothing is extracted to disk; other members are skipped."""
    wanted = {f"{release.folder}/{name}": name for name in release.md5s}
    try:
        with open_plain(archive) as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            if md5 != release.archive_md5:
                raise DataError(
                    f"{archive} is not the published {release.archive}, or is damaged: "
                    f"its md5 is {md5}, not {release.archive_md5}"
                )
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r|gz") as members:
                for member in members:
                    name = wanted.pop(member.name, None)
                    content = members.extractfile(member) if name is not None and member.isreg() else None
                    if name is not None and content is not None:
                        data = content.read()
                        check_md5(data, release.md5s[name], f"{name} in {archive}")
                        yield name, data
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive} is truncated or corrupt: {first_line(error)}") from error
