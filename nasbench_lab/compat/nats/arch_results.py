"""`ArchResults`: all trainings of one architecture as in the official APIs, as a view of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from nasbench_lab.compat.nats.archive import Archive
from nasbench_lab.compat.nats.errors import ArgumentError, shown
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats.search_trainings import PartialAnswer
from nasbench_lab.compat.nats.trainings import TRAIN, Measured, average, mean, missing


class ArchResults:
    """All trainings of one architecture with one set of hyper-parameters, as ``nats_bench.ArchResults``.

    Attributes:
        arch_index: index of the architecture.
        clear_net_done: whether the weights were removed.
    """

    _results: type[ResultsCount] = ResultsCount
    _mean: Callable[[Sequence[Any]], Any] = staticmethod(mean)
    _costs_are_repaired = True
    _flops_type: type = float

    def __init__(self, arch_index: int, arch_str: Any) -> None:
        self.arch_index = int(arch_index)
        self.clear_net_done = False
        self._arch_str: Any = arch_str
        self._archive: Archive | None = None
        self._hp = ""
        self._random = Random()  # noqa: S311 - not used for secrets
        self._made: dict[str, dict[Any, ResultsCount]] = {}
        self._known_sizes: dict[str, dict[str, Any]] = {}
        self._updated: set[str] = set()

    @classmethod
    def of(cls, archive: Archive, index: int, hp: str, random: Random) -> ArchResults:
        """Return a view of one architecture in an archive.

        Args:
            archive: the tables.
            index: index of an architecture in the archive.
            hp: hyper-parameters.
            random: generator for ``is_random=True``.
        """
        made = cls.__new__(cls)
        made.arch_index, made.clear_net_done, made._arch_str = index, True, None
        made._archive, made._hp, made._random, made._made = archive, hp, random, {}
        made._known_sizes, made._updated = {}, set()
        return made

    @property
    def arch_str(self) -> Any:
        """Official notation of the architecture."""
        if self._arch_str is None and self._archive is not None:
            self._arch_str = self._archive.space.format(self.arch_index)
        return self._arch_str

    @property
    def dataset_seed(self) -> dict[str, list[Any]]:
        """Seeds of the trainings, ascending, by data set."""
        return {dataset: list(self._trials(dataset)) for dataset in self.get_dataset_names()}

    @property
    def all_results(self) -> dict[tuple[str, Any], ResultsCount]:
        """All trainings, by (data set, seed)."""
        names = self.get_dataset_names()
        return {(dataset, seed): result for dataset in names for seed, result in self._trials(dataset).items()}

    def get_dataset_names(self) -> list[str]:
        """Return the data sets on which the architecture was trained."""
        known = () if self._archive is None else self._archive.datasets
        names = [dataset for dataset in known if dataset in self._made or self._present(dataset)]
        return names + [dataset for dataset in self._made if dataset not in names]

    def get_dataset_seeds(self, dataset: str) -> list[Any]:
        """Return the seeds of the architecture's trainings on a data set, ascending."""
        return list(self._trials(dataset))

    def query(self, dataset: str, seed: int | None = None) -> Any:
        """Return the training with a seed, or all trainings on a data set by seed.

        Raises:
            MissingResultError: there is no such training.
        """
        hash(seed)  # like the original, fail for a list before the data set is looked up
        trials = self._trials(dataset)
        if seed is None:
            return dict(trials)
        if seed not in trials:
            raise missing(f"training from seed {seed}", self.arch_index, dataset, self._hp)
        return trials[seed]

    def get_metrics(
        self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False
    ) -> Measured:
        """Return iepoch, loss, accuracy (percent), cur_time and all_time (seconds) on one set of images.

        Args:
            dataset: what was trained on.
            setname: ``"train"``, ``"x-valid"``, ``"x-test"`` or ``"ori-test"``.
            iepoch: counted from 0; the last by default.
            is_random: True for a random training, False for the mean of all trainings, or the seed of a training.

        Raises:
            MissingResultError: the archive has no such evaluation.
            ArgumentError: there is no such epoch or seed.
        """
        trials = self._trials(dataset)
        one = setname == TRAIN
        infos = [trial.get_train(iepoch) if one else trial.get_eval(setname, iepoch) for trial in trials.values()]
        if is_random is False:
            return average(infos, self._mean)
        return infos[choose(is_random, list(trials), self._random)]

    def get_compute_costs(self, dataset: str) -> dict[str, Any]:
        """Return flops and params (millions), latency (s), and seconds of training and evaluation (``T-...``)."""
        results = self._results_of(dataset)
        latencies = [latency for latency in (result.get_latency() for result in results) if latency > 0]
        answer = self._sizes(dataset, results)
        answer["latency"] = self._mean(latencies) if latencies else None
        times = [result.get_times() for result in results]
        for key, first in times[0].items():
            answer[key] = self._mean([one[key] for one in times]) if first is not None else None
        return answer

    def get_latency(self, dataset: str) -> float:
        """Return the mean seconds of one batch.

        Raises:
            MissingResultError: a training has no latency.
        """
        latencies = []
        for seed, result in self._trials(dataset).items():
            latency = result.get_latency()
            if not isinstance(latency, float) or latency <= 0:
                raise missing(f"latency with seed {seed}", self.arch_index, dataset, self._hp)
            latencies.append(latency)
        return sum(latencies) / len(latencies)

    def get_total_epoch(self, dataset: str | None = None) -> int:
        """Return the number of epochs of all trainings."""
        if dataset is not None and not isinstance(dataset, str):
            raise ArgumentError(f"invalid dataset {dataset!r}")
        names = self.get_dataset_names() if dataset is None else [dataset]
        epochs = [result.get_total_epoch() for name in names for result in self._results_of(name)]
        if len(set(epochs)) > 1:
            raise ArgumentError(f"the trainings have different numbers of epochs: {epochs}")
        return epochs[-1]

    def get_net_param(self, dataset: str, seed: int | None = None) -> Any:
        """Return the weights of one training, or of all trainings by seed; they are always None."""
        if seed is None:
            return {seed: result.get_net_param() for seed, result in self._trials(dataset).items()}
        return self.query(dataset, seed).get_net_param()

    def reset_latency(self, dataset: str, seed: int | None, latency: float) -> None:
        """Replace the latency of one or all trainings."""
        for result in self._some(dataset, seed):
            result.update_latency([latency])

    def reset_pseudo_train_times(self, dataset: str, seed: int | None, estimated_per_epoch_time: float) -> None:
        """Replace the seconds per epoch of one or all trainings."""
        for result in self._some(dataset, seed):
            result.reset_pseudo_train_times(estimated_per_epoch_time)

    def reset_pseudo_eval_times(
        self, dataset: str, seed: int | None, eval_name: str, estimated_per_epoch_time: float
    ) -> None:
        """Replace the seconds per evaluation of one or all trainings."""
        for result in self._some(dataset, seed):
            result.reset_pseudo_eval_times(eval_name, estimated_per_epoch_time)

    def arch_idx_str(self) -> str:
        """Return the index with six digits."""
        return f"{self.arch_index:06d}"

    def update(self, dataset_name: str, seed: Any, result: ResultsCount) -> None:
        """Add a training."""
        trials = dict(self._trials(dataset_name)) if dataset_name in self.get_dataset_names() else {}
        if seed in trials:
            raise ArgumentError(f"architecture {self.arch_index} has seed {seed} on {dataset_name} already")
        self._made[dataset_name] = dict(sorted({**trials, seed: result}.items()))
        self._known_sizes.pop(dataset_name, None)
        self._updated.add(dataset_name)
        self.clear_net_done = False

    def clear_params(self) -> None:
        """Do nothing but set `clear_net_done`: there are no weights."""
        self.clear_net_done = True

    def state_dict(self) -> dict[str, Any]:
        """Return all data as plain dictionaries, in the layout of the official archives."""
        return {
            "arch_index": self.arch_index,
            "arch_str": self.arch_str,
            "all_results": {key: result.state_dict() for key, result in self.all_results.items()},
            "dataset_seed": self.dataset_seed,
            "clear_net_done": self.clear_net_done,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Replace all data by the result of `state_dict`."""
        results = state_dict["all_results"]
        self.arch_index, self._arch_str = state_dict["arch_index"], state_dict["arch_str"]
        self.clear_net_done = state_dict["clear_net_done"]
        self._archive, self._known_sizes, self._updated = None, {}, set()
        self._made = {
            dataset: {seed: self._results.create_from_state_dict(results[dataset, seed]) for seed in seeds}
            for dataset, seeds in state_dict["dataset_seed"].items()
        }

    @classmethod
    def create_from_state_dict(cls, state_dict_or_file: Mapping[str, Any]) -> ArchResults:
        """Make an instance from the result of `state_dict`.

        Raises:
            ArgumentError: the argument is not a dictionary. Files are refused, because pickles can run code.
        """
        if not isinstance(state_dict_or_file, Mapping):
            raise ArgumentError(f"state_dict must be a dictionary, not {type(state_dict_or_file).__name__}")
        made = cls(-1, -1)
        made.load_state_dict(state_dict_or_file)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has all data, so that it does not need the tables, and draws the same trainings.
        sizes = {dataset: self._sizes(dataset, self._results_of(dataset)) for dataset in self.get_dataset_names()}
        return _restored, (type(self), self.state_dict(), sizes, self._random)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(arch-index={self.arch_index}, arch={self.arch_str}, "
            f"{len(self.all_results)} runs, clear={self.clear_net_done})"
        )

    def _present(self, dataset: str) -> tuple[int, ...]:
        """Return the repeats of the architecture in the table."""
        trainings = None if self._archive is None else self._archive.trainings(dataset, self._hp)
        return () if trainings is None else trainings.present(self.arch_index)

    def _trials(self, dataset: str) -> dict[Any, ResultsCount]:
        """Return all trainings on a data set by seed, ascending."""
        made = self._made.get(dataset)
        if made is None:
            trainings = None if self._archive is None else self._archive.trainings(dataset, self._hp)
            repeats = () if trainings is None else trainings.present(self.arch_index)
            if trainings is None or not repeats:
                raise missing("training", self.arch_index, dataset, self._hp)
            results, seeds = self._results, trainings.seeds
            made = {seeds[repeat]: results.of(trainings, self.arch_index, repeat) for repeat in repeats}
            self._made[dataset] = made
        return made

    def _results_of(self, dataset: str) -> list[ResultsCount]:
        return list(self._trials(dataset).values())

    def _some(self, dataset: str, seed: int | None) -> list[ResultsCount]:
        return self._results_of(dataset) if seed is None else [self.query(dataset, seed)]

    def _sizes(self, dataset: str, results: Sequence[ResultsCount]) -> dict[str, Any]:
        """Return operations and parameters in millions: means over trainings, or of seed 888 if trainings disagree."""
        if dataset in self._known_sizes:
            return self._known_sizes[dataset].copy()
        trainings = None if self._archive is None else self._archive.trainings(dataset, self._hp)
        if trainings is not None and dataset not in self._updated:
            # The table has the official values, equal to the last bit.
            flops, params = (trainings.once(metric, self.arch_index, 0) for metric in ("flops", "parameters"))
            known = {"flops": (self._flops_type, flops), "params": (np.float64, params)}
            sizes = {key: make(value) for key, (make, value) in known.items() if value is not None}
            return sizes if len(sizes) == len(known) else PartialAnswer(f"{dataset!r} with hp {self._hp}", sizes)
        seeds, sizes = self.get_dataset_seeds(dataset), {}
        for key, values in (("flops", [r.flop for r in results]), ("params", [r.params for r in results])):
            odd = self._costs_are_repaired and len({f"{value:.5f}" for value in values}) > 1
            sizes[key] = values[seeds.index(888)] if odd else self._mean(values)
        return sizes


def choose(is_random: bool | int, seeds: Sequence[Any], random: Random) -> int:
    """Return the position of the chosen training.

    Args:
        is_random: True for a random training, or the seed of a training.
        seeds: seeds of the trainings.
        random: generator to draw from.

    Raises:
        ArgumentError: no training has that seed.
    """
    if is_random is True:
        return int(random.random() * len(seeds))
    if isinstance(is_random, bool) or not isinstance(is_random, int):
        raise ArgumentError(f"is_random must be True, False or a seed (int), not {shown(is_random)}")
    if is_random not in seeds:
        raise ArgumentError(f"no training from seed {is_random}; there are {list(seeds)}")
    return seeds.index(is_random)


def _restored(
    kind: type[ArchResults], state: Mapping[str, Any], sizes: dict[str, dict[str, Any]], random: Random
) -> ArchResults:
    made = kind.create_from_state_dict(state)
    made._known_sizes, made._random = sizes, random
    return made
