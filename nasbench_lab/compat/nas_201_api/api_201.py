"""The module ``nas_201_api.api_201``: the API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from nasbench_lab.compat.nas_201_api.api_utils import ArchResults
from nasbench_lab.compat.nats.errors import ArgumentError
from nasbench_lab.compat.nats.shared_api import SharedApi
from nasbench_lab.compat.nats.texts import Style, information_printer

ALL_BENCHMARK_FILES = ["NAS-Bench-201-v1_0-e61699.pth", "NAS-Bench-201-v1_1-096897.pth"]
"""Names of the official files; the last one is opened by default."""

ALL_ARCHIVE_DIRS = ["NAS-Bench-201-v1_1-archive"]
"""Names of the official folders."""

_STYLE = Style(", ", shows_test=False)

print_information = information_printer(_STYLE)


@final
class NASBench201API(SharedApi):
    """NAS-Bench-201, as ``nas_201_api.NASBench201API``.

    Args:
        file_path_or_dict: a folder of our tables, or an official archive, which is converted into the cache at its
            first use. None uses version 1.1 in ``$TORCH_HOME``.
        verbose: whether the opened path is logged.
        seed: seed of the generator that draws trainings and architectures; by default unpredictable.

    Raises:
        ArgumentError: no such file or folder.
        DataError: the archive is damaged or hostile.
    """

    results_class = ArchResults
    space_name = "topology"
    text_style = _STYLE
    _falls_back_to_both_halves = False
    _clears_only_present = True
    _counts_every_architecture = True

    def __init__(
        self,
        file_path_or_dict: str | os.PathLike[str] | None = None,
        verbose: bool = True,
        *,
        seed: int | None = None,
    ) -> None:
        if file_path_or_dict is None:
            if "TORCH_HOME" not in os.environ:
                raise ArgumentError("give the path of the archive, or set TORCH_HOME to the folder that has it")
            file_path_or_dict = Path(os.environ["TORCH_HOME"]) / ALL_BENCHMARK_FILES[-1]
        if not isinstance(file_path_or_dict, str | os.PathLike):
            raise ArgumentError(f"the archive must be given as a path, not as {type(file_path_or_dict).__name__}")
        super().__init__(file_path_or_dict, verbose, seed)

    @staticmethod
    def mean(values: Sequence[Any]) -> Any:
        """Return NumPy's mean."""
        return np.mean(values)

    @property
    def evaluated_indexes(self) -> list[int]:
        """Indices of the architectures in the archive, ascending."""
        return list(self._archive.evaluated)

    def simulate_train_eval(
        self, arch: Any, dataset: str, hp: str | int = "12", account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Train and validate an architecture on the simulated clock.

        Args:
            arch: the architecture, as `query_index_by_arch` takes it.
            dataset: ``"cifar10"``, ``"cifar100"`` or ``"ImageNet16-120"``.
            hp: hyper-parameters. The latency is always that of ``"12"``, as in the official API.
            account_time: whether the seconds count towards `used_time`.

        Returns:
            Validation accuracy (percent) of a training drawn at random, latency (s), seconds of training and one
            validation, and `used_time`.

        Raises:
            MissingResultError: the archive does not have the result.
            ArgumentError: there is no such data set.
        """
        return self._simulate(arch, dataset, None, hp, account_time, "12")

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        FLOP_max: float | None = None,  # noqa: N803 - the original's name
        Param_max: float | None = None,  # noqa: N803 - the original's name
        hp: str | int = "12",
    ) -> tuple[int, Any]:
        """Return the architecture with the highest mean accuracy at the last epoch, and that accuracy.

        Args:
            dataset: what was trained on.
            metric_on_set: ``"train"``, ``"valid"``, ``"test"``, or an official name of an evaluation set.
            FLOP_max: largest number of operations, in millions.
            Param_max: largest number of parameters, in millions.
            hp: hyper-parameters.

        Raises:
            MissingResultError: an architecture lacks that accuracy.
        """
        return self._best(dataset, metric_on_set, FLOP_max, Param_max, hp, self._archive.evaluated)

    def _is_shown(self, index: Any) -> bool:
        return index in self.evaluated_indexes and self._is_evaluated(index)

    def _hp_of_query(self, hp: Any) -> Any:
        return hp

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._archive.evaluated)}/{self._size} architectures, file={self.filename})"
