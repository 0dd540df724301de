"""A drop-in replacement of ``nats_bench`` 1.8 (Dong et al., "NATS-Bench", TPAMI 2021) over our tables.

With the import ``from nasbench_lab.compat.nats_bench import create``, a script gets the same numbers of the same types
from the same calls. It is faster: nothing is loaded in advance, and each number is read from mapped memory when it is
needed. ``docs/design/compat.md`` explains all differences. In short:

- Trainings are drawn from a generator of the object, never from the global one of ``random``. `create` takes a ``seed``
  to make a script reproducible.
- Calls print nothing. With ``verbose=True``, the official API prints one line per call; here the opened path is logged.
- An error is one line that says what was requested and what is available. Its type is one that the official API raises.
- Pickles are never loaded in a way that could run code, so there are no ``pickle_load`` and ``pickle_save``.
- ``evaluated_indexes`` are always all architectures in the archive. In the fast mode of the official API, they are only
  those that have been requested.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast, final

from nasbench_lab.compat.nats.arch_results import ArchResults
from nasbench_lab.compat.nats.archive import is_official
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats.shared_api import SharedApi
from nasbench_lab.compat.nats.texts import Style
from nasbench_lab.compat.nats.trainings import Trainings, mean
from nasbench_lab.spaces.size import CHANNELS, LAYERS
from nasbench_lab.spaces.topology import OPERATIONS, TopologySpace

__all__ = [
    "ArchResults",
    "ArgumentError",
    "MissingResultError",
    "NATSsize",
    "NATStopology",
    "ResultsCount",
    "create",
    "search_space_info",
    "version",
]

NATS_BENCH_SSS_NAMEs = ("sss", "size")
NATS_BENCH_TSS_NAMEs = ("tss", "topology")

_COMMENTS = {
    "cifar10-valid": "In this dict, train-loss/accuracy/time is the metric on the train set of CIFAR-10. "
    "The test-loss/accuracy/time is the performance of the CIFAR-10 test set after training on the train set by {} "
    "epochs. The per-time and total-time indicate the per epoch and total time costs, respectively.",
    "cifar10": "In this dict, train-loss/accuracy/time is the metric on the train+valid sets of CIFAR-10. "
    "The test-loss/accuracy/time is the performance of the CIFAR-10 test set after training on the train+valid sets "
    "by {} epochs. The per-time and total-time indicate the per epoch and total time costs, respectively.",
}


class _Nats(SharedApi):
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


@final
class NATStopology(_Nats):
    """The topology space, as ``nats_bench.NATStopology``."""

    space_name = "topology"
    text_style = Style(" & ", shows_test=False)
    default_name = "NATS-tss-v1_0-3ffb9"
    full_epochs_in_paper = 200
    is_size = False

    def get_unique_str(self, arch: Any) -> str:
        """Return the published text that isomorphic architectures share.

        Raises:
            ArgumentError: there is no such architecture.
        """
        return cast("TopologySpace", self._archive.space).unique_string(self._place_of(arch))


@final
class NATSsize(_Nats):
    """The size space, as ``nats_bench.NATSsize``."""

    space_name = "size"
    text_style = Style(" & ", shows_test=True)
    default_name = "NATS-sss-v1_0-50262"
    full_epochs_in_paper = 90
    is_size = True


def create(
    file_path_or_dict: str | os.PathLike[str] | None,
    search_space: str,
    fast_mode: bool = False,
    verbose: bool = True,
    *,
    seed: int | None = None,
) -> NATStopology | NATSsize:
    """Open NATS-Bench.

    Args:
        file_path_or_dict: a folder of our tables, or an official folder (with ``fast_mode=True``) or file (without).
            An official archive is converted into the cache at its first use. None uses the official name in
            ``$TORCH_HOME`` or ``~/.torch``.
        search_space: ``"tss"`` or ``"topology"``, ``"sss"`` or ``"size"``.
        fast_mode: True for an official folder, False for an official file; for our tables it does not matter.
        verbose: whether the opened path is logged.
        seed: seed of the generator that draws trainings and architectures; by default unpredictable.

    Raises:
        ArgumentError: no such search space, file or folder.
        DataError: the archive is damaged or hostile.
    """
    if search_space in NATS_BENCH_TSS_NAMEs:
        return NATStopology(file_path_or_dict, fast_mode, verbose, seed=seed)
    if search_space in NATS_BENCH_SSS_NAMEs:
        return NATSsize(file_path_or_dict, fast_mode, verbose, seed=seed)
    raise ArgumentError(f"invalid search space : {search_space}; allowed: tss, topology, sss, size")


def search_space_info(main_tag: str, aux_tag: str | None) -> dict[str, Any]:
    """Return the choices of a search space.

    Args:
        main_tag: ``"nats-bench"`` or ``"nas-bench-201"``.
        aux_tag: search space of NATS-Bench; None for NAS-Bench-201.

    >>> search_space_info("nats-bench", "size")
    {'candidates': [8, 16, 24, 32, 40, 48, 56, 64], 'num_layers': 5}
    """
    topology = {"op_names": list(OPERATIONS), "num_nodes": 4}
    if main_tag == "nas-bench-201" and aux_tag is None:
        return topology
    if main_tag == "nats-bench" and aux_tag in NATS_BENCH_TSS_NAMEs:
        return topology
    if main_tag == "nats-bench" and aux_tag in NATS_BENCH_SSS_NAMEs:
        return {"candidates": list(CHANNELS), "num_layers": LAYERS}
    raise ArgumentError(f"unknown search space {main_tag!r} with {aux_tag!r}")


def version() -> str:
    """Return the version of the official API that this module follows."""
    return "v1.8"


def _default(name: str, fast_mode: bool) -> str:
    """Return the path that the official API uses by default."""
    home = os.environ.get("TORCH_HOME") or str(Path.home() / ".torch")
    return str(Path(home) / (f"{name}-simple" if fast_mode else f"{name}.pickle.pbz2"))


def _path(given: Any) -> str | os.PathLike[str]:
    if not isinstance(given, str | os.PathLike):
        raise ArgumentError(f"the archive must be given as a path, not as {type(given).__name__}")
    return given
