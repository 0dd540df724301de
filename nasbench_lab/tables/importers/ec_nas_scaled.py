"""Recognising the files of EC-NAS whose seconds and energies were measured for one number of epochs and scaled.

The project's repository has three kinds of files in one format:

- *measured*: three trainings, or one, for every number of epochs (``energy_4V9E``, ``energy_5V9E``);
- *estimate*: one record per architecture and number of epochs; the amounts of the shortest training times 3, 9 and 27
  (``energy_4V9E_estimate``, ``..._linscale``), while the amounts halfway are the same in all records;
- *hardware*: the same for one graphics card, with scaled amounts halfway, too (``energy_4V9E_rtx3060`` and others).

Nothing in a scaled file says that it is one, except that its seconds are exactly proportional to the epochs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables.importers.nas_bench_101.messages import MalformedError, MessageReader, WireField, find_text
from nasbench_lab.tables.importers.nas_bench_101.reader import LONGEST_RECORD, opened
from nasbench_lab.tables.importers.nas_bench_101.rows import parse_rows
from nasbench_lab.tables.reading.tfrecord import batches

_TOLERANCE = 1e-9  # of proportions; the files multiply doubles
_GRAPHICS_CARD = (9, 1, 3, 1)
_NO_PART_OF_A_NAME = re.compile(r"nvidia|geforce|[^a-z0-9]+")


class ScaledAmounts(NamedTuple):
    """How the amounts of a file were made.

    Attributes:
        kind: ``"estimate"`` or ``"hardware"``.
        device: name of the graphics card; empty if the file does not name it.
    """

    kind: Literal["estimate", "hardware"]
    device: str

    @property
    def suffix(self) -> str:
        """The last part of the table's name: ``estimate``, or the graphics card as in the names of the files.

        >>> ScaledAmounts("hardware", "NVIDIA GeForce RTX 3060").suffix, ScaledAmounts("estimate", "TITAN Xp").suffix
        ('rtx3060', 'estimate')
        """
        if self.kind == "estimate":
            return self.kind
        return _NO_PART_OF_A_NAME.sub("", self.device.lower()) or self.kind


def recognise(source: Path, seconds: WireField, halfway: WireField) -> ScaledAmounts | None:
    """Return how the amounts of a file were scaled; None if they were measured.

    The first few thousand records decide, which are all records of every published file.

    Args:
        source: the file. Its damages are reported when it is converted.
        seconds: location of the seconds of the whole training.
        halfway: location of the seconds halfway.
    """
    try:
        with opened(source) as stream:
            batch = next(batches(stream, source.name, longest=LONGEST_RECORD), None)
            if batch is None:
                return None
            rows = parse_rows(batch)
        amounts = MessageReader({"seconds": seconds, "halfway": halfway}).read(rows.messages)
    except (DataError, MalformedError):
        return None
    _, architecture = np.unique(rows.hashes, axis=0, return_inverse=True)
    if not _proportional(architecture.reshape(-1), rows.epochs, amounts["seconds"]):
        return None
    scaled = _proportional(architecture.reshape(-1), rows.epochs, amounts["halfway"])
    return ScaledAmounts("hardware" if scaled else "estimate", find_text(rows.messages[0], _GRAPHICS_CARD))


def check_scaled(name: str, epochs: tuple[int, ...], values: Mapping[str, NDArray[Any]]) -> None:
    """Raise DataError if the seconds of a whole file are not proportional to the epochs, as those of its beginning."""
    seconds = values["train_seconds"][..., 0]
    expected = seconds[:, :1] * np.array(epochs) / epochs[0]
    if not np.allclose(seconds, expected, rtol=_TOLERANCE, atol=0, equal_nan=True):
        raise DataError(f"{name} begins with seconds that are proportional to the epochs, but later ones are not")


def _proportional(architecture: IntArray, epochs: IntArray, amounts: FloatArray) -> bool:
    """Return whether every architecture has one amount per number of epochs, in exact proportion to it.

    >>> architecture, epochs = np.array([0, 0, 1, 1]), np.array([4, 12, 4, 12])
    >>> [_proportional(architecture, epochs, np.array([2.0, 6.0, 3.0, last])) for last in (9.0, 9.1)]
    [True, False]
    """
    order = np.lexsort((epochs, architecture))
    new = np.diff(architecture[order], prepend=-1) > 0
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    again = ~new & (np.diff(epochs[order], prepend=0) == 0)
    if new.all() or again.any():
        return False
    expected = amounts[order][first] * epochs[order] / epochs[order][first]
    return np.allclose(amounts[order], expected, rtol=_TOLERANCE, atol=0)
