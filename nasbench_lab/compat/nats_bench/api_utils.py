"""The module ``nats_bench.api_utils``: what both search spaces share, and helpers that scripts import from there.

``pickle_load``, ``pickle_save``, ``reset_file_system`` and ``get_file_system`` are missing: nothing here runs a pickle,
and Google's file system needs TensorFlow.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from nasbench_lab.compat.nats.arch_results import ArchResults
from nasbench_lab.compat.nats.archive import is_official
from nasbench_lab.compat.nats.errors import ArgumentError
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats.shared_api import SharedApi, remap_dataset_set_names
from nasbench_lab.compat.nats.trainings import Trainings, mean

__all__ = [
    "PICKLE_EXT",
    "ArchResults",
    "NASBenchMetaAPI",
    "ResultsCount",
    "get_torch_home",
    "mean",
    "nats_is_dir",
    "nats_is_file",
    "remap_dataset_set_names",
    "time_string",
]

PICKLE_EXT = "pickle.pbz2"
"""End of the names of official files."""

_COMMENTS = {
    "cifar10-valid": "In this dict, train-loss/accuracy/time is the metric on the train set of CIFAR-10. "
    "The test-loss/accuracy/time is the performance of the CIFAR-10 test set after training on the train set by {} "
    "epochs. The per-time and total-time indicate the per epoch and total time costs, respectively.",
    "cifar10": "In this dict, train-loss/accuracy/time is the metric on the train+valid sets of CIFAR-10. "
    "The test-loss/accuracy/time is the performance of the CIFAR-10 test set after training on the train+valid sets "
    "by {} epochs. The per-time and total-time indicate the per epoch and total time costs, respectively.",
}


class NASBenchMetaAPI(SharedApi):
    """The common part of both search spaces of NATS-Bench."""

    default_name: ClassVar[str]
    full_epochs_in_paper: ClassVar[int]
    """Epochs of the longest trainings."""
    is_size: ClassVar[bool]
    """Whether this is the size space."""

    def __init__(
        self,
        file_path_or_dict: str | os.PathLike[str] | None = None,
        fast_mode: bool = False,
        verbose: bool = True,
        *,
        seed: int | None = None,
    ) -> None:
        source = _default(self.default_name, fast_mode) if file_path_or_dict is None else _path(file_path_or_dict)
        if is_official(Path(source)) and bool(fast_mode) != Path(source).is_dir():
            kind = "directory" if fast_mode else "file"
            raise ArgumentError(f"fast_mode={fast_mode} must feed the path for {kind} : {source}")
        super().__init__(source, verbose, seed)
        self._fast_mode = fast_mode
        self._archive_dir = os.fspath(source) if fast_mode else None

    @staticmethod
    def mean(values: Sequence[Any]) -> Any:
        """Return the sum divided by the number."""
        return mean(values)

    @property
    def evaluated_indexes(self) -> set[int]:
        """Indices of the architectures in the archive."""
        return set(self._archive.evaluated)

    @property
    def _reads_on_demand(self) -> bool:
        return bool(self._fast_mode)

    @property
    def is_topology(self) -> bool:
        """Whether this is the topology space."""
        return not self.is_size

    @property
    def search_space_name(self) -> str:
        """``"topology"`` or ``"size"``."""
        return self.space_name

    @property
    def full_train_epochs(self) -> int:
        """Epochs of the longest trainings."""
        return self.full_epochs_in_paper

    @property
    def fast_mode(self) -> bool:
        """Whether fast mode was requested. It only affects which paths can be opened, and `find_best`."""
        return self._fast_mode

    @property
    def archive_dir(self) -> str | None:
        """The folder, in fast mode."""
        return self._archive_dir

    def reset_archive_dir(self, archive_dir: str | None) -> None:
        """Set `archive_dir`. The opened tables do not change."""
        self._archive_dir = archive_dir

    def reset_fast_mode(self, fast_mode: bool) -> None:
        """Set `fast_mode`."""
        self._fast_mode = fast_mode

    def simulate_train_eval(
        self,
        arch: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: str | int = "12",
        account_time: bool = True,
    ) -> tuple[float, float | None, float, float]:
        """Train and validate an architecture on the simulated clock.

        Args:
            arch: the architecture, as `query_index_by_arch` takes it.
            dataset: ``"cifar10"``, ``"cifar100"`` or ``"ImageNet16-120"``.
            iepoch: last epoch to train, counted from 0; by default the last of the training. In the 200-epoch trainings
                on CIFAR-100 and ImageNet16-120 only the last epoch has a validation accuracy. For other epochs, the
                accuracy on validation *and test* images together is returned, as in the official API.
            hp: hyper-parameters.
            account_time: whether the seconds count towards `used_time`.

        Returns:
            Validation accuracy (percent) of a training drawn at random, latency (s), seconds of training and one
            validation, and `used_time`.

        Raises:
            MissingResultError: the archive does not have the result.
            ArgumentError: there is no such data set or epoch.
        """
        return self._simulate(arch, dataset, iepoch, hp, account_time, hp)

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        flop_max: float | None = None,
        param_max: float | None = None,
        hp: str | int = "12",
        enforce_all: bool | None = None,
    ) -> tuple[int, float | None]:
        """Return the architecture with the highest mean accuracy at the last epoch, and that accuracy.

        Args:
            dataset: what was trained on.
            metric_on_set: ``"train"``, ``"valid"``, ``"test"``, or an official name of an evaluation set.
            flop_max: largest number of operations, in millions.
            param_max: largest number of parameters, in millions.
            hp: hyper-parameters.
            enforce_all: whether all architectures must have been measured; by default only in fast mode.

        Raises:
            MissingResultError: an architecture lacks that accuracy.
            ArgumentError: ``enforce_all`` without fast mode.
        """
        if enforce_all and not self.fast_mode:
            raise ArgumentError("enforce_all can only be set when fast_mode=True")
        every = self.fast_mode if enforce_all is None else enforce_all
        indices: Sequence[int] = range(self._size) if every else self._archive.evaluated
        return self._best(dataset, metric_on_set, flop_max, param_max, hp, indices)

    def _comment(self, trainings: Trainings) -> dict[str, str]:
        comment = _COMMENTS.get(trainings.dataset)
        return {} if comment is None else {"comment": comment.format(trainings.hp)}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self._archive.evaluated)}/{self._size} architectures, "
            f"fast_mode={self.fast_mode}, file={self.filename})"
        )


def time_string() -> str:
    """Return the time in UTC, as ``[2026-11-30 08:00:00]``."""
    return time.strftime("[%Y-%m-%d %X]", time.gmtime())


def get_torch_home() -> str:
    """Return the folder in which the official API looks for its files: ``$TORCH_HOME``, or else ``$HOME/.torch``.

    Raises:
        ArgumentError: neither variable is set.
    """
    if "TORCH_HOME" in os.environ:
        return os.environ["TORCH_HOME"]
    if "HOME" in os.environ:
        return os.path.join(os.environ["HOME"], ".torch")  # noqa: PTH118 - the same text as the original
    raise ArgumentError("set TORCH_HOME to the folder that has the official files")


def nats_is_dir(file_path: str | os.PathLike[str]) -> bool:
    """Return whether there is a folder of that path."""
    return os.path.isdir(file_path)  # noqa: PTH112 - also takes numbers


def nats_is_file(file_path: str | os.PathLike[str]) -> bool:
    """Return whether there is a file of that path."""
    return os.path.isfile(file_path)  # noqa: PTH113 - also takes numbers


def _default(name: str, fast_mode: bool) -> str:
    """Return the path that the official API uses by default."""
    return str(Path(get_torch_home()) / (f"{name}-simple" if fast_mode else f"{name}.{PICKLE_EXT}"))


def _path(given: Any) -> str | os.PathLike[str]:
    if not isinstance(given, str | os.PathLike):
        raise ArgumentError(f"the archive must be given as a path, not as {type(given).__name__}")
    return given
