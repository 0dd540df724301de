"""The common part of the APIs of NATS-Bench and NAS-Bench-201: opening tables, and all queries."""

from __future__ import annotations

import abc
import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar, cast

import numpy as np

from nasbench_lab.compat.nats import more_info, structure, texts
from nasbench_lab.compat.nats.arch_results import ArchResults, choose
from nasbench_lab.compat.nats.archive import DATASETS, Archive, open_archive
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats.training_table import EVALUATIONS, TRAIN, TrainingTable, missing
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.topology import OPERATIONS

_LOG = logging.getLogger(__name__)
_SEARCHED = ("cifar10", "cifar100", "ImageNet16-120")
_MOST_TEXTS = 2**12  # descriptions that are kept, about 1 kB each


class SharedApi(abc.ABC):
    """The official API of one search space over our tables.

    Subclasses define the differences between the two official packages.
    """

    results_class: ClassVar[type[ArchResults]] = ArchResults
    text_style: ClassVar[texts.Style]
    space_name: ClassVar[str]

    def __init__(self, source: str | os.PathLike[str], verbose: bool, seed: int | None) -> None:
        path = Path(source)
        self.filename: str | None = path.name
        self.verbose = verbose
        self._archive = open_archive(path)
        if self._archive.space.name != self.space_name:
            raise DataError(f"{path} has the {self._archive.space.name} space, not the {self.space_name} space")
        self._size = self._archive.space.size
        self._random = Random(seed)  # noqa: S311 - not used for secrets
        self._bound: dict[tuple[Any, Any], TrainingTable] = {}
        self._texts: dict[tuple[int, str], str] = {}
        self.reset_time()
        if verbose:
            _LOG.info("opened %s", path)

    @staticmethod
    @abc.abstractmethod
    def mean(values: Sequence[Any]) -> Any:
        """Return a mean as the official API computes it; the order of summation affects the last bit."""

    @property
    def meta_archs(self) -> list[str]:
        """Official notations of all architectures, in order."""
        return self._archive.notations

    @property
    def archstr2index(self) -> dict[str, int]:
        """Index of every architecture by its notation."""
        return self._archive.numbers

    @property
    def arch2infos_dict(self) -> Mapping[int, Mapping[str, ArchResults]]:
        """Results of all trained architectures by index and hyper-parameters, which are read when needed."""
        return _Infos(self._archive, self._results)

    @property
    def avaliable_hps(self) -> list[str]:
        """The available hyper-parameters. The spelling of the name is that of the official APIs."""
        return list(self._archive.hps)

    @property
    def used_time(self) -> float:
        """Simulated seconds spent by `simulate_train_eval`."""
        return self._used_time

    def reset_time(self) -> None:
        """Set the spent seconds to zero."""
        self._used_time: float = 0

    def __getitem__(self, index: int) -> str:
        return self.meta_archs[index]

    def __len__(self) -> int:
        return self._size

    def arch(self, index: int) -> str:
        """Return the notation of an architecture.

        Raises:
            ArgumentError: there is no architecture with this index.
        """
        if not 0 <= index < self._size:
            raise ArgumentError(f"invalid index : {index} vs. {self._size}.")
        return self.meta_archs[index]

    def random(self) -> int:
        """Return the index of a random architecture, drawn from the generator of this object."""
        return self._random.randrange(self._size)

    def query_index_by_arch(self, arch: Any) -> int:
        """Return the index of an architecture, or -1 if there is no such architecture.

        Args:
            arch: the notation, an object with a method ``tostr`` that returns it, or the index itself.

        Raises:
            ArgumentError: the index is out of range.
        """
        if isinstance(arch, str):
            return self._archive.numbers.get(arch, -1)
        if isinstance(arch, int | np.integer):
            if 0 <= arch < self._size:
                return int(arch)
            raise ArgumentError(f"invalid architecture index {arch}; there are 0..{self._size - 1}")
        return self._archive.numbers.get(arch.tostr(), -1) if hasattr(arch, "tostr") else -1

    def get_more_info(
        self,
        index: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: str | int = "12",
        is_random: bool | int = True,
    ) -> dict[str, Any]:
        """Return losses, accuracies (percent) and times (seconds) of an architecture at an epoch.

        Args:
            index: the architecture, as `query_index_by_arch` takes it.
            dataset: ``"cifar10-valid"``, ``"cifar10"``, ``"cifar100"`` or ``"ImageNet16-120"``.
            iepoch: counted from 0; the last by default.
            hp: hyper-parameters.
            is_random: True for a random training, False for the mean of all trainings, or the seed of a training.

        Returns:
            ``loss``, ``accuracy``, ``per-time`` and ``all-time`` with the prefixes ``train-``, ``valid-``, ``test-``
            and ``valtest-``, if they were measured at that epoch.

        Raises:
            MissingResultError: the archive does not have the result.
            ArgumentError: there is no such epoch or seed.
        """
        return self._info(index, dataset, iepoch, hp, is_random).copy()

    def query_info_str_by_arch(self, arch: Any, hp: str | int = "12") -> str | None:
        """Return a text about an architecture; None, with a warning, if it is not in the archive.

        Raises:
            MissingResultError: the architecture was not trained with these hyper-parameters.
        """
        index = self.query_index_by_arch(arch)
        if not self._is_evaluated(index):
            warnings.warn(f"architecture {index} is not evaluated in {self.filename}", stacklevel=2)
            return None
        key = (index, str(hp))
        if key not in self._texts:
            lines = texts.describe(self._results(index, hp), self.text_style, f"arch-index={index}")
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            self._texts[key] = "\n".join(lines)
        return self._texts[key]

    def query_by_arch(self, arch: Any, hp: str | int) -> str | None:
        """Return the same as `query_info_str_by_arch`."""
        return self.query_info_str_by_arch(arch, hp)

    def query_meta_info_by_index(self, arch_index: int, hp: str | int = "12") -> ArchResults:
        """Return the trainings of an architecture with some hyper-parameters.

        Raises:
            MissingResultError: there are no such trainings.
        """
        return self._results(arch_index, hp)

    def query_by_index(self, arch_index: int, dataname: str | None = None, hp: str | int = "12") -> Any:
        """Return the trainings of an architecture (`ArchResults`), or those on a data set (`ResultsCount` by seed).

        Raises:
            MissingResultError: there are no such trainings.
        """
        results = self._results(arch_index, hp)
        return results if dataname is None else results.query(dataname)

    def get_net_param(self, index: int, dataset: str, seed: int | None, hp: str | int = "12") -> Any:
        """Return the weights of one training, or of all by seed; they are None, as in the "simple" archives."""
        return self._results(index, hp).get_net_param(dataset, seed)

    def get_net_config(self, index: int, dataset: str) -> dict[str, Any]:
        """Return the configuration of a network.

        Raises:
            MissingResultError: the architecture was not trained on the data set.
        """
        hps = self._hps_of(index)
        trials: dict[int, ResultsCount] = self._results(index, hps[0]).query(dataset)
        return next(iter(trials.values())).get_config(None)

    def get_cost_info(self, index: int, dataset: str, hp: str | int = "12") -> dict[str, Any]:
        """Return flops and params (millions), latency (s), and seconds of training and evaluation (``T-...``).

        Raises:
            MissingResultError: the architecture has no such training.
        """
        return self._costs(index, dataset, hp).copy()

    def get_latency(self, index: int, dataset: str, hp: str | int = "12") -> float | None:
        """Return the mean seconds per batch; None if they were not measured.

        Raises:
            MissingResultError: the architecture has no such training.
        """
        return cast("float | None", self._costs(index, dataset, hp)["latency"])

    def clear_params(self, index: int, hp: str | int | None = None) -> None:
        """Check the arguments and do nothing else: there are no weights to remove.

        Raises:
            MissingResultError: the architecture has no such training.
        """
        if not self._is_evaluated(index):
            warnings.warn(f"architecture {index} is not in the archive", stacklevel=2)
        elif hp is not None:
            self._results(index, hp)

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Check the arguments and do nothing else: the tables are complete, and have no weights.

        Raises:
            ArgumentError: there is no such folder or architecture.
        """
        if archive_root is not None and not Path(archive_root).is_dir():
            raise ArgumentError(f"invalid archive_root {archive_root!r}: it is not a folder")
        if index is not None and not 0 <= index < self._size:
            raise ArgumentError(f"invalid index of {index}; there are 0..{self._size - 1}")

    def show(self, index: int = -1) -> None:
        """Print the results of an architecture, or of all architectures for a negative index."""
        if index >= self._size:
            texts.show(f"This index ({index}) is out of range (0~{self._size}).")
        elif index >= 0:
            if self._is_evaluated(index):
                texts.show(self._report(index))
            else:
                texts.show(f"The {index}-th architecture has not been evaluated or not saved.")
        else:
            texts.show(repr(self))
            evaluated = self._archive.evaluated
            for i, number in enumerate(evaluated):
                where = f"The ({i:5d}/{len(evaluated):5d}) {number:06d}-th architecture!"
                texts.show(f"\n{'-' * 10} {where} {'-' * 10}\narch : {self.meta_archs[number]}")
                texts.show(self._report(number))

    def statistics(self, dataset: str, hp: str | int) -> dict[int, int]:
        """Return the numbers of architectures by their number of trainings on a data set.

        Only architectures in the archive count.

        Raises:
            ArgumentError: there is no such data set.
        """
        if dataset not in DATASETS:
            raise ArgumentError(f"{dataset!r} is not in {list(DATASETS)}")
        trainings = self._archive.trainings(dataset, str(hp))
        if trainings is None:
            self._archive.require(dataset, str(hp)) if str(hp) not in self._archive.hps else None
            return {0: len(self._archive.evaluated)} if self._archive.evaluated else {}
        return dict(Counter(len(trainings.present(index)) for index in self._archive.evaluated))

    @staticmethod
    def str2lists(arch_str: str) -> list[Any]:
        """Return the inputs (operation, source) of every node of a cell except the first."""
        return structure.str2lists(arch_str)

    @staticmethod
    def str2matrix(arch_str: str, search_space: Sequence[str] = OPERATIONS) -> Any:
        """Return the matrix of a cell: entry [i, j] is the number of the operation from node j to node i."""
        return structure.str2matrix(arch_str, search_space)

    def _info(
        self, index: Any, dataset: str, iepoch: int | None, hp: str | int, is_random: bool | int
    ) -> dict[str, Any]:
        """Return the result of `get_more_info`, which is cached and must not be changed."""
        if type(index) is not int:
            index = self.query_index_by_arch(index)
        trainings = self._bound.get((dataset, hp))
        if trainings is None:
            trainings = self._bind(dataset, hp)
        present = trainings.present(index) if index >= 0 else ()
        if not present:
            raise missing("training", index, dataset, hp)
        epoch = trainings.epochs - 1 if iepoch is None else trainings.check_epoch(iepoch)
        if is_random is True:
            repeat = present[int(self._random.random() * len(present))]
        elif is_random is False:
            repeat = -1
        else:
            repeat = present[choose(is_random, [trainings.seeds[r] for r in present], self._random)]
        key = (index * trainings.epochs + epoch) * (trainings.repeats + 1) + repeat + 1
        known = trainings.answers.get(key)
        if known is None:
            comment = self._comment(trainings)
            if repeat < 0:
                known = more_info.of_all(trainings, index, present, epoch, comment, self.mean)
            else:
                known = more_info.of_one(trainings, index, repeat, epoch, comment)
            trainings.remember(trainings.answers, key, known)
        return known

    def _comment(self, trainings: TrainingTable) -> dict[str, str]:
        """Return additional entries for the result of `get_more_info`."""
        return {}

    def _simulate(
        self, arch: Any, dataset: str, iepoch: int | None, hp: str | int, account_time: bool
    ) -> tuple[float, float | None, float, float]:
        """Return validation accuracy, latency, seconds, and all seconds spent so far."""
        if dataset not in _SEARCHED:
            raise ArgumentError(f"invalid dataset name {dataset!r}; allowed: {', '.join(_SEARCHED)}")
        index = self.query_index_by_arch(arch)
        info = self._info(index, "cifar10-valid" if dataset == "cifar10" else dataset, iepoch, hp, True)
        accuracy = info.get("valid-accuracy")
        if accuracy is None:
            # Before the last epoch only validation and test images together were evaluated. The seconds of a validation
            # are those of the last epoch of another random training, as in the official API.
            accuracy = info.get("valtest-accuracy")
            last = self._info(index, dataset, None, hp, True)
            if accuracy is None or "valid-per-time" not in last:
                raise missing("validation accuracy", index, dataset, hp)
            seconds = info["train-all-time"] + last["valid-per-time"]
        else:
            seconds = info["train-all-time"] + info["valid-per-time"]
        if account_time:
            self._used_time += seconds
        return accuracy, self._costs(index, dataset, hp)["latency"], seconds, self._used_time

    def _best(
        self,
        dataset: str,
        metric_on_set: str,
        flop_max: float | None,
        param_max: float | None,
        hp: str | int,
        indices: Sequence[int],
    ) -> tuple[int, Any]:
        """Return the first architecture with the highest mean accuracy, and that accuracy."""
        dataset, setname = _official_names(dataset, metric_on_set)
        trainings = self._archive.require(dataset, str(hp))
        name = TRAIN if setname == TRAIN else EVALUATIONS[dataset].get(setname)
        part = next((part for part in trainings.parts if part.name == name), None)
        best, highest = -1, None
        for index in indices:
            present = trainings.present(index)
            if not present or part is None:
                raise missing(setname, index, dataset, hp)
            if _exceeds(trainings, "flops", index, flop_max) or _exceeds(trainings, "parameters", index, param_max):
                continue
            accuracy = more_info.mean_accuracy(trainings, part, index, present, self.mean)
            if accuracy is None:
                raise missing(setname, index, dataset, hp)
            if highest is None or highest < accuracy:
                best, highest = index, accuracy
        return best, highest

    def _bind(self, dataset: str, hp: str | int) -> TrainingTable:
        """Return trainings, and cache them under the caller's spelling of the hyper-parameters."""
        self._bound[dataset, hp] = self._archive.require(dataset, str(hp))
        return self._bound[dataset, hp]

    def _costs(self, index: int, dataset: str, hp: str | int) -> dict[str, Any]:
        """Return the result of `get_cost_info`, which is cached and must not be changed."""
        trainings = self._bound.get((dataset, hp))
        if trainings is None:
            self._results(index, hp)
            trainings = self._bind(dataset, hp)
        known = trainings.costs.get(index)
        if known is None:
            costs = self._results(index, hp).get_compute_costs(dataset)
            known = trainings.remember(trainings.costs, index, costs)
        return known

    def _results(self, index: int, hp: str | int) -> ArchResults:
        """Return the trainings of an architecture, or raise MissingResultError."""
        if not (self._is_in_space(index) and self._archive.has(index, str(hp))):
            hps = self._hps_of(index)
            raise MissingResultError(f"architecture {index} only has hyper-parameters {hps}, not {hp!r}")
        return self.results_class.of(self._archive, int(index), str(hp), self._random)

    def _hps_of(self, index: int) -> list[str]:
        """Return the hyper-parameters with which an architecture was trained, or raise MissingResultError."""
        hps = self._archive.hps_of(index) if self._is_in_space(index) else []
        if not hps:
            raise MissingResultError(f"architecture {index} is not in {self.filename}")
        return hps

    def _is_evaluated(self, index: int) -> bool:
        return self._is_in_space(index) and bool(self._archive.hps_of(index))

    def _is_in_space(self, index: Any) -> bool:
        return isinstance(index, int | np.integer) and 0 <= int(index) < self._size

    def _report(self, index: int) -> str:
        results = (self._results(index, hp) for hp in self._hps_of(index))
        return texts.full_report(results, self.text_style)


class _Infos(Mapping[int, Mapping[str, ArchResults]]):
    """Results by architecture and hyper-parameters, made when they are needed."""

    def __init__(self, archive: Archive, make: Callable[[int, str], ArchResults]) -> None:
        self._archive, self._make = archive, make

    def __getitem__(self, index: int) -> Mapping[str, ArchResults]:
        if index not in self:
            raise MissingResultError(f"architecture {index} is not in the archive")
        return {hp: self._make(index, hp) for hp in self._archive.hps_of(index)}

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int | np.integer) or not 0 <= index < self._archive.space.size:
            return False
        return bool(self._archive.hps_of(int(index)))

    def __iter__(self) -> Iterator[int]:
        return iter(self._archive.evaluated)

    def __len__(self) -> int:
        return len(self._archive.evaluated)


def _official_names(dataset: str, metric_on_set: str) -> tuple[str, str]:
    """Return the archive's names of a data set and an evaluation set: cifar10-valid and x-valid for cifar10, valid.

    >>> _official_names("cifar10", "valid"), _official_names("cifar100", "test")
    (('cifar10-valid', 'x-valid'), ('cifar100', 'x-test'))
    """
    if dataset == "cifar10":
        return {"valid": ("cifar10-valid", "x-valid"), "test": ("cifar10", "ori-test")}.get(
            metric_on_set, (dataset, metric_on_set)
        )
    if metric_on_set == "valid":
        return dataset, "x-valid"
    if metric_on_set == "test" and dataset in ("cifar100", "ImageNet16-120"):
        return dataset, "x-test"
    return dataset, metric_on_set


def _exceeds(trainings: TrainingTable, metric: str, index: int, most: float | None) -> bool:
    if most is None:
        return False
    value = trainings.once(metric, index, 0)
    return value is not None and value > most
