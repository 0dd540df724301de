"""The scores of snapshots, kept in files beside them, so that no architecture is scored twice.

The scores of ``epoch-0030.pt`` are in ``epoch-0030.valid-scores.npz``. They belong to one content of the snapshot, one
data set and one way to score; a file that does not fit, or is damaged, is ignored and replaced.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError, OutputError, SettingWarning
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain, read_plain
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_recipe
from nasbench_lab.train.npz_files import read_npz
from nasbench_lab.train.one_shot.saved_supernets import (
    SupernetDetails,
    details_from_json,
    details_to_json,
    open_supernet,
)
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.supernet_ranking import matching_dataset, scoring_batches

VERSION = 1
"""Raised when the same supernet gets other scores."""

_AT_ONCE = 500  # architectures, after which scores are saved
_NAMES = {"key", "snapshot", "architectures", "scores"}

Indices = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class ScoredSnapshot:
    """What is known about a snapshot without building it.

    Attributes:
        path: of the snapshot.
        sha256: of its content.
        space: description of the space of the supernet.
        details: how the supernet was trained.
        split: images that are scored.
        kept: the scores in the file: what they belong to, indices in the space of the supernet, and scores.
    """

    path: Path
    sha256: str
    space: Mapping[str, Any]
    details: SupernetDetails
    split: str
    kept: tuple[str, Indices, Scores]

    @classmethod
    def open(cls, path: Path, split: str) -> ScoredSnapshot:
        """Open a snapshot; its supernet is not read if there are scores of it.

        Raises:
            DataError: the snapshot is missing, damaged, or not a supernet.
        """
        found = _read(scores_path(path, split))
        if found is not None:
            sha256 = _digest(path)
            if found[1][0].startswith(sha256):
                return cls(path, sha256, *found[0], split, found[1])
        file = open_supernet(path)
        nothing = ("", np.empty(0, np.int64), np.empty(0))
        return cls(path, file.sha256, file.description["space"], file.details, split, nothing)

    def scores(
        self,
        places: Indices,
        dataset: Callable[[], Dataset],
        dataset_sha256: str,
        *,
        device: str = "cpu",
        progress: Callable[[int], None] | None = None,
    ) -> Scores:
        """Return the scores of architectures, shape (architectures,); missing ones are computed and saved.

        After a kill, the next call continues with the last saved scores.

        Args:
            places: indices in the space of the supernet.
            dataset: loads the data set.
            dataset_sha256: its digest.
            device: name of a torch device.
            progress: called with numbers of scores that were found or computed.

        Raises:
            ParameterError: the supernet is not one of the images of the data set.
            DataError: the supernet or the data set is damaged.
        """
        key = f"{self.sha256} {dataset_sha256} {VERSION}"
        known = dict(zip(*(each.tolist() for each in self.kept[1:]), strict=True)) if self.kept[0] == key else {}
        missing = np.array([each for each in places.tolist() if each not in known], dtype=np.int64)
        if progress is not None:
            progress(len(places) - len(missing))
        if len(missing):
            supernet = open_supernet(self.path).build().to(device)
            images = matching_dataset(supernet, dataset())
            recipe = self.details.recipe or default_recipe(images.name)
            batches = scoring_batches(supernet, images, recipe, self.details.seed)
            # Neighbours in the order of their codes share most of the computation.
            ordered = missing[np.lexsort(supernet.space.codes(missing).T[::-1])]
            for first in range(0, len(ordered), _AT_ONCE):
                part = ordered[first : first + _AT_ONCE].tolist()
                known.update(zip(part, score(supernet, batches, part, self.split).tolist(), strict=True))
                self._save(key, known)
                if progress is not None:
                    progress(len(part))
        return np.array([known[each] for each in places.tolist()])

    def _save(self, key: str, known: dict[int, float]) -> None:
        ordered = sorted(known)
        content: dict[str, Any] = {
            "key": np.array(key),
            "snapshot": np.array(json.dumps({"space": self.space, "details": details_to_json(self.details)})),
            "architectures": np.array(ordered, dtype=np.int64),
            "scores": np.array([known[each] for each in ordered]),
        }
        target = scores_path(self.path, self.split)
        try:
            with atomic_path(target) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, **content)
        except OutputError as error:
            warnings.warn(f"the scores are not kept: {error}", SettingWarning, stacklevel=2)


def scores_path(snapshot: Path, split: str) -> Path:
    """Return the path of the scores of a snapshot.

    >>> scores_path(Path("run-0/epoch-0030.pt"), "valid").as_posix()
    'run-0/epoch-0030.valid-scores.npz'
    """
    return snapshot.with_name(f"{snapshot.stem}.{split}-scores.npz")


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_plain(path)).hexdigest()
    except OSError as error:
        raise DataError(f"cannot read the supernet {path}: {error.strerror}") from error


def _read(path: Path) -> tuple[tuple[Mapping[str, Any], SupernetDetails], tuple[str, Indices, Scores]] | None:
    """Return what a file of scores says of its snapshot, and its scores; None if there is none, or it is damaged."""
    try:
        with open_plain(path) as stream:
            content = read_npz(stream)
        if content.keys() != _NAMES:
            raise DataError("it has other arrays")
        key, snapshot = content["key"].item(), json.loads(content["snapshot"].item())
        architectures, scores = content["architectures"], content["scores"]
        if architectures.dtype != np.int64 or scores.dtype != np.float64 or not isinstance(key, str):
            raise DataError("it has arrays of another kind")
        if architectures.ndim != 1 or architectures.shape != scores.shape:
            raise DataError("it has arrays of other shapes")
        about = dict(snapshot["space"]), details_from_json(snapshot["details"])
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged zip archive or text can raise nearly anything
        warnings.warn(f"{path} is damaged and written again: {first_line(error)}", SettingWarning, stacklevel=2)
        return None
    return about, (key, architectures, scores)
