"""Reading the official files of data sets: checking MD5 digests, pickled batches, and lists that divide the images."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.plain_files import read_plain
from nasbench_lab.tables.reading import unpickle
from nasbench_lab.train.datasets.dataset import Split

HALVES = "halves"
"""Name of the split into the first and the second half of the official training images."""

IN_HALVES = "as in the searches of DARTS and DrNAS (the first half, in the order of the files, for train)"


@dataclasses.dataclass(frozen=True, eq=False)
class PublishedImages:
    """Images and labels as stored in the official files.

    Attributes:
        pixels: pixels of every image, shape (images, channels * height * width).
        labels: class of every image as published, shape (images,).
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    @classmethod
    def joined(cls, batches: Iterable[Self]) -> PublishedImages:
        """Return the images of several batches, in their order."""
        parts = list(batches)
        return PublishedImages(
            np.concatenate([part.pixels for part in parts]), np.concatenate([part.labels for part in parts])
        )

    def halves(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices of the first and the second half; of an odd number, the second half has one more."""
        first, second = np.split(np.arange(len(self.labels)), [len(self.labels) // 2])
        return first, second

    def split(self, side: int, chosen: NDArray[np.int64] | None = None) -> Split:
        """Return the chosen images with their labels; all images for None.

        Args:
            side: height and width of an image in pixels.
            chosen: indices of the images.
        """
        pixels, labels = (self.pixels, self.labels) if chosen is None else (self.pixels[chosen], self.labels[chosen])
        return Split(pixels.reshape(len(pixels), -1, side, side), labels)


def read_batch(content: bytes, *, pixels: int, labels: str, file: str) -> PublishedImages:
    """Read a batch that Python 2 or 3 pickled, without running any code in it.

    Args:
        content: bytes of the file: a dictionary of ``data``, uint8 of shape (images, pixels), and labels.
        pixels: number of values per image.
        labels: key of the labels in the dictionary.
        file: name of the file, for messages.

    Raises:
        DataError: the content is something else, or tries to run code.
    """
    try:
        batch = unpickle.load(content, encoding="latin1")
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    if not isinstance(batch, dict) or not {"data", labels} <= batch.keys():
        raise DataError(f"{file} must hold a dictionary with data and {labels}")
    data, classes = batch["data"], _whole_numbers(batch[labels])
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (pixels,) or not len(data):
        raise DataError(f"{file}: data must be a uint8 array of shape (images, {pixels})")
    if classes is None or classes.shape != data.shape[:1]:
        raise DataError(f"{file}: {labels} must be {len(data)} whole numbers, one per image")
    return PublishedImages(data, classes)


def _whole_numbers(values: Any) -> NDArray[np.int64] | None:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return None
    return array.astype(np.int64) if array.dtype.kind in "iu" else None


def check_split(dataset: str, split: str, known: Sequence[str], split_file: str | Path | None) -> None:
    """Check the split of a data set that a user asks for.

    Args:
        dataset: name of the data set.
        split: what the user asks for.
        known: names of all splits; the first one needs a `SplitFile`, the others need none.
        split_file: what the user gives.

    Raises:
        UnknownNameError: there is no such split.
        ParameterError: a file is given for a split that needs none.
    """
    if split not in known:
        raise unknown(f"split of {dataset}", split, known)
    if split != known[0] and split_file is not None:
        raise ParameterError(f"the split {split!r} needs no split_file, got {str(split_file)!r}")


def check_md5(content: bytes, md5: str, file: str) -> None:
    """Raise a DataError unless the content of a file has the published MD5 digest."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(f"{file} is not the published file, or is damaged: its md5 is {found}, not {md5}")


def read_files(folder: Path, md5s: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of files of a folder, one at a time.

    Args:
        folder: folder of the files.
        md5s: MD5 digests by file name.

    Raises:
        DataError: a file is missing, or has another digest.
    """
    missing = [name for name in md5s if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)}; needed: {', '.join(md5s)}")
    for name, md5 in md5s.items():
        content = _read(folder / name)
        check_md5(content, md5, str(folder / name))
        yield name, content


def _read(path: Path) -> bytes:
    try:
        return read_plain(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


@dataclasses.dataclass(frozen=True)
class SplitFile:
    """A published list that divides images into two halves.

    The lists are long (50,000 numbers for CIFAR-10) and not part of this package: users download the file. When it is
    read, it must put every image into exactly one of two halves of equal size, and must begin and end like the
    published list; other lists and damaged files are refused.

    Attributes:
        name: name of the file, e.g. ``"cifar-split.txt"``.
        keys: keys of the two lists in the file.
        head: first numbers of the first list.
        tail: last numbers of the second list.
    """

    name: str
    keys: tuple[str, str]
    head: tuple[int, ...]
    tail: tuple[int, ...]

    SOURCE = "configs/nas-benchmark/{} of github.com/D-X-Y/AutoDL-Projects"

    @property
    def source(self) -> str:
        """Where the file is published."""
        return self.SOURCE.format(self.name)

    def read(
        self, images: int, given: str | Path | None, places: Iterable[Path]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices of both halves, each in the order of the file.

        Args:
            images: number of images.
            given: path of the file; None searches the folders.
            places: folders that are searched.

        Raises:
            DataError: the file is missing or not the published one.
        """
        path = self._find(list(places)) if given is None else Path(given).expanduser()
        content = _read(path)
        try:
            lists = json.loads(content)
            first, second = (np.array([int(text) for text in lists[key][1]], dtype=np.int64) for key in self.keys)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise DataError(f"{path} must be the lists {' and '.join(self.keys)} as in {self.source}") from error
        if len(first) != len(second) or not np.array_equal(np.sort(np.append(first, second)), np.arange(images)):
            raise DataError(f"{path} must put each of {images} images into one of two halves; get {self.source}")
        if tuple(first[: len(self.head)]) != self.head or tuple(second[-len(self.tail) :]) != self.tail:
            raise DataError(f"{path} does not divide the images as {self.source} does")
        return first, second

    def _find(self, places: list[Path]) -> Path:
        for place in places:
            if (place / self.name).is_file():
                return place / self.name
        raise DataError(
            f"there is no {self.name} in {' or '.join(map(str, places))}; "
            f"put {self.source} there, or give its path with the option split_file"
        )
