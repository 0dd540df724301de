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

from nasbench_lab.compat.nats import structure, texts
from nasbench_lab.compat.nats.arch_results import ArchResults, choose
from nasbench_lab.compat.nats.archive import DATASETS, Archive, open_archive
from nasbench_lab.compat.nats.epochs import check_countable, evaluation_position, position_of
from nasbench_lab.compat.nats.errors import ArgumentError, ArgumentTypeError, MissingResultError, shown
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats.trainings import TRAIN, Trainings, missing
from nasbench_lab.errors import DataError, OutOfSpaceError
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.spaces import SizeSpace, TopologySpace
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
    _falls_back_to_both_halves: ClassVar[bool] = True
    """Whether a search without a validation accuracy takes the accuracy on validation and test images."""
    _clears_only_present: ClassVar[bool] = False
    """Whether `clear_params` is an error for an architecture that is not in the archive."""
    _counts_every_architecture: ClassVar[bool] = False
    """Whether `statistics` is an error if the archive lacks an architecture."""

    def __init__(self, source: str | os.PathLike[str], verbose: bool, seed: int | None) -> None:
        self._archive = open_archive(source)
        self.filename: str | None = Path(source).name if Path(source).exists() else os.fspath(source)
        self.verbose = verbose
        if self._archive.space.name != self.space_name:
            raise DataError(f"{source} has the {self._archive.space.name} space, not the {self.space_name} space")
        self._size = self._archive.space.size
        self._random = Random(seed)  # noqa: S311 - not used for secrets
        self._bound: dict[tuple[Any, str], Trainings] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self.reset_time()
        if verbose:
            _LOG.info("opened %s", source)

    @staticmethod
    @abc.abstractmethod
    def mean(values: Sequence[Any]) -> Any:
        """Return a mean as the official API computes it; the order of summation affects the last bit."""

    @property
    def _reads_on_demand(self) -> bool:
        """Whether the original would read an architecture when it is needed, and fail if there is no file."""
        return False

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
        return _Infos(self._archive, self._results, self._position)

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
        try:
            if index < 0 or index >= self._size:
                raise ArgumentError(f"invalid index : {shown(index)} vs. {self._size}.")
            return self.meta_archs[index]
        except TypeError as error:
            raise ArgumentTypeError(f"an index must be a whole number, not {shown(index)}") from error

    def random(self) -> int:
        """Return the index of a random architecture, drawn from the generator of this object."""
        return self._random.randrange(self._size)

    def query_index_by_arch(self, arch: Any) -> int:
        """Return the index of an architecture, or -1 if there is no such architecture.

        Args:
            arch: the notation, an object with a method ``tostr`` that returns it, or the index itself (int; as in the
                official API, NumPy's integers are not taken).

        Raises:
            ArgumentError: the index is out of range.
        """
        if isinstance(arch, str):
            return self._archive.numbers.get(arch, -1)
        if isinstance(arch, int):
            if 0 <= arch < self._size:
                return arch
            raise ArgumentError(f"invalid architecture index {shown(arch)}; there are 0..{self._size - 1}")
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
            MissingResultError: the architecture was not trained with these hyper-parameters; in the fast mode of
                ``nats_bench`` also if it is not in the archive.
        """
        index = self.query_index_by_arch(arch)
        if not self._is_evaluated(index, required=self._reads_on_demand):
            warnings.warn(f"{self._absent(arch)}: it is not evaluated", stacklevel=2)
            return None
        key = (f"{index}", self._text_of(hp, index))
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
        return self._results(arch_index, self._hp_of_query(hp))

    def query_by_index(self, arch_index: int, dataname: str | None = None, hp: str | int = "12") -> Any:
        """Return the trainings of an architecture (`ArchResults`), or those on a data set (`ResultsCount` by seed).

        Raises:
            MissingResultError: there are no such trainings.
        """
        results = self._results(arch_index, self._hp_of_query(hp))
        if dataname is None:
            return results
        if dataname not in results.get_dataset_names():
            raise missing("training", results.arch_index, shown(dataname), hp)
        return results.query(dataname)

    def get_net_param(self, index: int, dataset: str, seed: int | None, hp: str | int = "12") -> Any:
        """Return the weights of one training, or of all by seed; they are None, as in the "simple" archives."""
        return self._results(index, self._hp_of_query(hp)).get_net_param(dataset, seed)

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
        if not self._is_evaluated(index, required=self._clears_only_present):
            warnings.warn(f"architecture {shown(index)} is not in the archive", stacklevel=2)
        elif hp is not None:
            self._results(index, str(hp))

    def reload(self, archive_root: str | None = None, index: int | None = None) -> None:
        """Check the arguments and do nothing else: the tables are complete, and have no weights.

        Raises:
            ArgumentError: there is no such folder or architecture.
        """
        if archive_root is not None and not os.path.isdir(archive_root):  # noqa: PTH112 - also takes numbers
            raise ArgumentError(f"invalid archive_root {shown(archive_root)}: it is not a folder")
        if index is not None and self._position(index) < 0:
            raise ArgumentTypeError(f"invalid index of {shown(index)}; there are 0..{self._size - 1}")

    def show(self, index: int = -1) -> None:
        """Print the results of an architecture, or of all architectures for a negative index."""
        if not index < 0:
            if not 0 <= index < self._size:
                texts.show(f"This index ({index}) is out of range (0~{self._size}).")
            elif self._is_shown(index):
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
        names = [*DATASETS, *(name for name in self._archive.datasets if name not in DATASETS)]
        if dataset not in names:
            raise ArgumentError(f"{shown(dataset)} is not in {names}")
        if self._counts_every_architecture and len(self._archive.evaluated) < self._size:
            first = next(index for index in range(self._size) if not self._is_evaluated(index))
            raise self._absent(first)
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

    def _info(self, index: Any, dataset: str, iepoch: Any, hp: str | int, is_random: bool | int) -> dict[str, Any]:
        """Return the result of `get_more_info`, which is cached and must not be changed."""
        if type(index) is not int:
            index = self._place_of(index)
        if type(hp) is not str:
            hp = str(hp)
        try:
            trainings = self._bound.get((dataset, hp)) or self._bind(dataset, hp, index)
        except TypeError:  # the data set cannot be looked up, but other mistakes come first
            self._results(index, hp)
            raise
        present = trainings.present(index) if index >= 0 else ()
        if not present:
            raise missing("training", index, dataset, hp)
        if iepoch is None:
            epoch = trainings.epochs - 1
        elif type(iepoch) is int:
            epoch = position_of(iepoch, trainings.epochs)
        else:
            return self._info_of_unusual_epoch(trainings, index, present, iepoch, is_random)
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
            if is_random is False:
                known = trainings.info_of_all(index, present, epoch, comment, self.mean)
            else:
                known = trainings.info_of_one(index, repeat, epoch, comment)
            trainings.remember(trainings.answers, key, known)
        return known

    def _info_of_unusual_epoch(
        self, trainings: Trainings, index: int, present: Sequence[int], iepoch: Any, is_random: bool | int
    ) -> dict[str, Any]:
        """Return the result of `get_more_info` for an epoch that is not an int, as the official APIs compute it."""
        epoch = position_of(iepoch, trainings.epochs)
        if any(trainings.part_seconds(TRAIN, index, repeat) for repeat in present if repeat >= 0):
            check_countable(iepoch)
        answer = self._info(index, trainings.dataset, epoch, trainings.hp, is_random).copy()
        if evaluation_position(iepoch, trainings.epochs) != epoch:
            if trainings.dataset == "cifar10-valid":
                raise trainings.missing(f"evaluation at epoch {shown(iepoch)} (from 0)", index)
            for key in [key for key in answer if key.startswith(("valid-", "test-", "valtest-"))]:
                del answer[key]
        total = (self.mean([iepoch] * len(present)) if is_random is False else iepoch) + 1
        for key in [key for key in answer if key.endswith("-per-time")]:
            every = answer[key.replace("-per-", "-all-")]
            answer[key] = every / total if every is not None else None
        return answer

    def _comment(self, trainings: Trainings) -> dict[str, str]:
        """Return additional entries for the result of `get_more_info`."""
        return {}

    def _simulate(
        self, arch: Any, dataset: str, iepoch: int | None, hp: str | int, account_time: bool, hp_of_latency: str | int
    ) -> tuple[float, float | None, float, float]:
        """Return validation accuracy, latency, seconds, and all seconds spent so far."""
        index = self._place_of(arch)
        own = [name for name in self._archive.datasets if name not in DATASETS]
        if dataset not in (*_SEARCHED, *own):
            raise ArgumentError(f"invalid dataset name {shown(dataset)}; allowed: {', '.join(_SEARCHED)}")
        info = self._info(index, "cifar10-valid" if dataset == "cifar10" else dataset, iepoch, hp, True)
        accuracy = info.get("valid-accuracy")
        if accuracy is None:
            accuracy, validation = self._without_validation(info, index, dataset, hp)
        else:
            # A table of a user can have one metric for the seconds of training and validation together.
            validation = info.get("valid-per-time", 0.0)
        seconds = info["train-all-time"] + validation
        latency = self.get_latency(index, dataset, hp_of_latency)
        if account_time:
            self._used_time += seconds
        return accuracy, latency, seconds, self._used_time

    def _without_validation(self, info: dict[str, Any], index: int, dataset: str, hp: str | int) -> tuple[float, float]:
        """Return the accuracy and seconds that stand for a validation at an epoch without one.

        Before the last epoch only validation and test images together were evaluated. The seconds of a validation are
        those of the last epoch of another random training, as in the official API.
        """
        accuracy = info.get("valtest-accuracy") if self._falls_back_to_both_halves else None
        if accuracy is None:
            raise missing("validation accuracy", index, dataset, hp)
        last = self._info(index, dataset, None, hp, True)
        if "valid-per-time" not in last:
            raise missing("validation accuracy", index, dataset, hp)
        return accuracy, last["valid-per-time"]

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
        dataset, setname = remap_dataset_set_names(dataset, metric_on_set)
        hp = self._text_of(hp, indices[0])
        if hp not in self._archive.hps:
            raise missing("training", indices[0], dataset, hp)
        trainings = self._archive.require(dataset, hp)
        setname = "x-valid" if setname == "valid" else f"{setname}"
        name = TRAIN if setname == TRAIN else trainings.evaluations.get(setname)
        part = next((part for part in trainings.parts if part.name == name), None)
        best, highest = -1, None
        for index in indices:
            present = trainings.present(index)
            if not present:
                raise missing("training", index, dataset, hp)
            # Limits are compared with numbers of the originals' types.
            if _exceeds(trainings, "flops", index, flop_max, self.results_class._flops_type):
                continue
            if _exceeds(trainings, "parameters", index, param_max, np.float64):
                continue
            accuracy = None if part is None else trainings.mean_accuracy(part, index, present, self.mean)
            if accuracy is None:
                raise missing(setname, index, dataset, hp)
            if highest is None or highest < accuracy:
                best, highest = index, accuracy
        return best, highest

    def _bind(self, dataset: str, hp: str, index: int) -> Trainings:
        """Return trainings, and cache them for the next query."""
        if not 0 <= index < self._size:
            raise self._absent(index)
        self._bound[dataset, hp] = self._archive.require(dataset, hp)
        return self._bound[dataset, hp]

    def _costs(self, index: Any, dataset: str, hp: str | int) -> dict[str, Any]:
        """Return the result of `get_cost_info`, which is cached and must not be changed."""
        position, hp = self._position(index), self._hp_of_query(hp)
        trainings = None
        if position >= 0 and type(hp) is str and type(dataset) is str:
            trainings = self._bound.get((dataset, hp))
        known = None if trainings is None else trainings.costs.get(position)
        if known is None:
            known = self._results(index, hp).get_compute_costs(dataset)
            trainings = self._archive.require(dataset, str(hp))
            trainings.remember(trainings.costs, position, known)
        return known

    def _results(self, index: Any, hp: Any) -> ArchResults:
        """Return the trainings of an architecture, or raise MissingResultError."""
        position = self._position(index)
        hps = self._hps_of(index)
        if hp not in dict.fromkeys(hps):
            raise MissingResultError(f"architecture {position} only has hyper-parameters {hps}, not {shown(hp)}")
        return self.results_class.of(self._archive, position, hp, self._random)

    def _hps_of(self, index: Any) -> list[str]:
        """Return the hyper-parameters with which an architecture was trained, or raise MissingResultError."""
        position = self._position(index)
        hps = self._archive.hps_of(position) if position >= 0 else []
        if not hps:
            raise self._absent_index(index)
        return hps

    def _is_evaluated(self, index: Any, *, required: bool = False) -> bool:
        """Return whether an architecture is in the archive, or raise MissingResultError if it is ``required``."""
        position = self._position(index)
        found = position >= 0 and bool(self._archive.hps_of(position))
        if required and not found:
            raise self._absent_index(index)
        return found

    def _is_shown(self, index: Any) -> bool:
        """Return whether `show` has results to show."""
        return self._is_evaluated(index, required=self._reads_on_demand)

    def _position(self, index: Any) -> int:
        """Return the index that equals the given one, or -1; the originals look it up in a dictionary.

        Raises:
            ArgumentTypeError: it cannot be looked up.
        """
        if type(index) is int:
            return index if 0 <= index < self._size else -1
        try:
            return self._archive.indices.get(index, -1)
        except TypeError as error:
            raise ArgumentTypeError(f"an index must be a whole number, not {shown(index)}") from error

    def _place_of(self, arch: Any) -> int:
        """Return the index of an architecture, or raise an error that names what was given."""
        index = self.query_index_by_arch(arch)
        if index < 0:
            raise self._absent(arch)
        return int(index)

    def _absent(self, arch: Any) -> MissingResultError | ArgumentTypeError:
        """Return the error about an architecture that is not in the archive, which says why."""
        if isinstance(arch, str):
            return MissingResultError(f"{shown(arch)} is not an architecture of {self._wanted(arch)}")
        if isinstance(arch, int):
            return MissingResultError(f"architecture {shown(arch)} is not in {self.filename}")
        return ArgumentTypeError(
            f"{shown(arch)} is not an architecture: give an index (int), a notation, or an object with tostr()"
        )

    def _absent_index(self, index: Any) -> MissingResultError | ArgumentTypeError:
        """Return the error about an index that is not in the archive."""
        if isinstance(index, int | float):
            return MissingResultError(f"architecture {shown(index)} is not in {self.filename}")
        return ArgumentTypeError(f"{shown(index)} is not an index (int); query_index_by_arch finds that of a notation")

    def _wanted(self, text: str) -> str:
        """Describe the space, and say so if a notation is one of the other space."""
        space = self._archive.space
        other = SizeSpace() if space.name == "topology" else TopologySpace()
        try:
            other.parse(text)
        except OutOfSpaceError:
            return f"the {space.name} space, whose notation is like {space.format(0)}"
        return f"the {space.name} space, but of the {other.name} space"

    def _hp_of_query(self, hp: Any) -> Any:
        """Return hyper-parameters as the methods that return whole results look them up."""
        return str(hp)

    def _text_of(self, hp: Any, index: Any) -> str:
        """Return hyper-parameters that must be given as text, or raise MissingResultError."""
        hash(hp)
        if not isinstance(hp, str):
            raise MissingResultError(
                f"architecture {index} only has hyper-parameters {list(self._archive.hps)}, not {shown(hp)}"
            )
        return hp

    def __getstate__(self) -> dict[str, Any]:
        return {**state_without_caches(self), "_bound": {}, "_texts": {}}

    def _report(self, index: int) -> str:
        results = (self._results(index, hp) for hp in self._hps_of(index))
        return texts.full_report(results, self.text_style)


class _Infos(Mapping[int, Mapping[str, ArchResults]]):
    """Results by architecture and hyper-parameters, made when they are needed."""

    def __init__(
        self, archive: Archive, make: Callable[[int, str], ArchResults], position: Callable[[Any], int]
    ) -> None:
        self._archive, self._make, self._position = archive, make, position

    def __getitem__(self, index: int) -> Mapping[str, ArchResults]:
        if index not in self:
            raise MissingResultError(f"architecture {shown(index)} is not in the archive")
        position = self._position(index)
        return {hp: self._make(position, hp) for hp in self._archive.hps_of(position)}

    def __contains__(self, index: object) -> bool:
        position = self._position(index)
        return position >= 0 and bool(self._archive.hps_of(position))

    def __iter__(self) -> Iterator[int]:
        return iter(self._archive.evaluated)

    def __len__(self) -> int:
        return len(self._archive.evaluated)


def remap_dataset_set_names(dataset: Any, metric_on_set: Any, verbose: bool = False) -> tuple[Any, Any]:  # noqa: ARG001
    """Return the archive's names of a data set and an evaluation set.

    Args:
        dataset: name of the data set, where ``"cifar10"`` means the training that has the evaluation.
        metric_on_set: ``"train"``, ``"valid"``, ``"test"``, or an official name of an evaluation set.
        verbose: accepted like in the original, which prints the names.

    >>> remap_dataset_set_names("cifar10", "valid"), remap_dataset_set_names("cifar100", "test")
    (('cifar10-valid', 'x-valid'), ('cifar100', 'x-test'))
    """
    is_cifar10 = bool(dataset == "cifar10")  # first, as in the original, which fails here for an array
    if is_cifar10 and metric_on_set == "valid":
        return "cifar10-valid", "x-valid"
    if is_cifar10 and metric_on_set == "test":
        return "cifar10", "ori-test"
    if dataset in ("cifar100", "ImageNet16-120") and metric_on_set in ("valid", "test"):
        return dataset, f"x-{metric_on_set}"
    return dataset, metric_on_set


def _exceeds(trainings: Trainings, metric: str, index: int, most: float | None, kind: type) -> bool:
    if most is None:
        return False
    value = trainings.once(metric, index, 0)
    if value is None:
        raise trainings.missing(metric, index)
    return bool(kind(value) > most)
