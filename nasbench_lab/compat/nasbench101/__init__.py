"""The official API of NAS-Bench-101 over our tables: ``from nasbench_lab.compat import nasbench101 as api``.

Scripts with ``from nasbench import api`` work unchanged: classes, numbers, errors and types are the same. TensorFlow is
not needed, and nothing is loaded for minutes into gigabytes of memory: an official file is converted once, and then
opened in milliseconds.

Differences:

- The repeat of a query is drawn from a generator of the object. With a seed, it is the same repeat as in the official
  API, which seeds and uses Python's global generator. Other code that uses the global generator neither affects the
  repeats nor is affected by them.
- `NASBench.hash_iterator` is in ascending order, not in the order of the file.
- Modules are returned in the form that the published generator gives them, which is that of the official files.
- Nothing is printed, and nothing is trained: `NASBench.evaluate` is an error.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from math import isnan
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from nasbench_lab.cache import cache_folder, make_once
from nasbench_lab.compat.nasbench101.lib.config import build_config
from nasbench_lab.compat.nasbench101_answers import (
    FINAL,
    HALFWAY,
    MEASURED,
    Hashes,
    MissingModuleError,
    ModuleMeasurements,
    Modules,
    Statistics,
    index_of_hash,
)
from nasbench_lab.compat.nasbench101_spec import ModelSpec
from nasbench_lab.errors import (
    DataError,
    MissingDataError,
    NasbenchLabError,
    OutOfSpaceError,
    SourceError,
)
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101 import INPUT, OPERATIONS, OUTPUT
from nasbench_lab.spaces.cell101_enumeration import MAX_EDGES, MAX_VERTICES
from nasbench_lab.spaces.cell101_lookup import CellFinder, cell_finder
from nasbench_lab.tables import catalogue, store
from nasbench_lab.tables.importers import ec_nas, format_detection
from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101
from nasbench_lab.tables.table import Table

__all__ = ["MissingModuleError", "ModelSpec", "NASBench", "OutOfDomainError"]

_PARAMETERS = "parameters"
_PER_MILLION = 1e6


class OutOfDomainError(NasbenchLabError):
    """The module or the number of epochs is outside of the search space."""


class NASBench:
    """The measurements of NAS-Bench-101, as ``nasbench.api.NASBench``.

    Args:
        dataset_file: an official ``.tfrecord`` file (converted into the cache once for its path, size and time of
            change), a table file (``.h5``), or the name of a table in the catalogue.
        seed: seed of the draw of repeats. By default, every object draws other repeats.

    Attributes:
        config: settings of the official API, by name.
        valid_epochs: numbers of epochs that can be queried.
        training_time_spent: simulated training seconds of all queries.
        total_epochs_spent: simulated training epochs of all queries.
        history: an empty dictionary, as in the official API.

    Raises:
        SourceError: there is no such file.
        DataError: the file is damaged, or is not a table of NAS-Bench-101's cells.
        MissingDataError: the table has no measurements of single trainings, only means.

    >>> bench = NASBench("ec-nas/4v9e", seed=1)  # doctest: +SKIP
    >>> spec = ModelSpec([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "conv3x3-bn-relu", "output"])
    >>> bench.query(spec)["trainable_parameters"]  # doctest: +SKIP
    10177674
    """

    def __init__(self, dataset_file: str | os.PathLike[str], seed: float | str | bytes | None = None) -> None:
        self._table = _open(dataset_file)
        space = self._table.space
        if not isinstance(space, Cell101Space):
            raise DataError(f"table {self._table.name!r} has no cells of NAS-Bench-101")
        _refuse_without_trainings(self._table)
        self._space = space
        self._modules, self._measurements = Modules(space), ModuleMeasurements(self._table)
        self._random = Random(seed)  # noqa: S311 - as in the official API; not used for secrets
        self.config = {**build_config(), "num_repeats": self._table.repeats}
        self.valid_epochs = set(self._table.fidelities)
        self.history: dict[str, Any] = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(self, model_spec: Any, epochs: int = 108, stop_halfway: bool = False) -> dict[str, Any]:
        """Return the measurements of a random repeat of a module's training, and add its costs to the counters.

        Args:
            model_spec: a `ModelSpec`.
            epochs: epochs of the training, one of `valid_epochs`.
            stop_halfway: whether to return the measurements halfway, and to count half of the epochs.

        Returns:
            ``module_adjacency``, ``module_operations``, ``trainable_parameters``, ``training_time`` (s), and
            ``train_accuracy``, ``validation_accuracy``, ``test_accuracy`` (0 to 1).

        Raises:
            OutOfDomainError: the module or the number of epochs is outside of the search space.
            MissingModuleError: the table does not have the module, or this repeat of it.
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(f"invalid number of epochs, must be one of {self.valid_epochs}")
        index = self._find(model_spec)
        if not self._measurements.has(index, epochs):
            self._all_metrics(index)  # raises, before anything is drawn, if the table does not have the module at all
        repeat = self._draw()
        if repeat >= self._table.repeats:
            raise MissingModuleError(f"table {self._table.name!r} has no training {repeat} of any module")
        measured = self._measurements(index, epochs, repeat, HALFWAY if stop_halfway else FINAL)
        seconds, train, validation, test = measured
        if isnan(seconds + train + validation + test):
            raise MissingModuleError(
                f"table {self._table.name!r} lacks training {repeat} of {epochs} epochs of the module"
            )
        self.training_time_spent += seconds
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        adjacency, operations = self._modules(index)
        return {
            "module_adjacency": adjacency,
            "module_operations": operations,
            "trainable_parameters": round(self._parameters[index] * _PER_MILLION),
            "training_time": seconds,
            "train_accuracy": train,
            "validation_accuracy": validation,
            "test_accuracy": test,
        }

    def is_valid(self, model_spec: Any) -> bool:
        """Return whether a module is in the search space, measured or not."""
        try:
            _check(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Return the simulated training seconds and epochs of all queries so far."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Set the counters to zero."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def evaluate(self, model_spec: Any, model_dir: str) -> dict[str, Any]:
        """Raise an error: the official API trains the module on a TPU with TensorFlow 1, which a table cannot.

        Raises:
            MissingDataError: always.
        """
        raise MissingDataError(
            "a table cannot train; build the network with nasbench_lab.train.networks.cell101_network"
        )

    def hash_iterator(self) -> Hashes:
        """Return the hashes of all measured modules, as a set that iterates in ascending order."""
        return self._hashes

    def get_metrics_from_hash(self, module_hash: str) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """Return all measurements of a module, without adding to the counters.

        Args:
            module_hash: hash from `hash_iterator`.

        Returns:
            The statistics that do not depend on a training (``module_adjacency``, ``module_operations``,
            ``trainable_parameters``), and for every number of epochs a list with one dictionary per repeat:
            ``halfway_training_time``, ``halfway_train_accuracy``, ``halfway_validation_accuracy``,
            ``halfway_test_accuracy``, and the same with ``final_``. Missing values are left out.

        Raises:
            MissingModuleError: there is no such module. This is a KeyError, too.
        """
        hash(module_hash)  # as for the keys of a dictionary: TypeError for a list
        index = index_of_hash(self._space, module_hash)
        if index is None:
            raise MissingModuleError(f"table {self._table.name!r} has no module {module_hash!r:.60}")
        return self._all_metrics(index)

    def get_metrics_from_spec(self, model_spec: Any) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """Return what `get_metrics_from_hash` returns, for a `ModelSpec`.

        Raises:
            OutOfDomainError: the module is outside of the search space.
            MissingModuleError: the table does not have the module.
        """
        return self._all_metrics(self._find(model_spec))

    @property
    def fixed_statistics(self) -> Statistics:
        """Statistics that do not depend on a training, by module hash."""
        return Statistics(self._hashes, self._fixed_of_hash)

    @property
    def computed_statistics(self) -> Statistics:
        """Measurements at all epochs and repeats, by module hash."""
        return Statistics(self._hashes, self._computed_of_hash)

    def _fixed_of_hash(self, module_hash: str) -> dict[str, Any]:
        return self.get_metrics_from_hash(module_hash)[0]

    def _computed_of_hash(self, module_hash: str) -> dict[int, list[dict[str, float]]]:
        return self.get_metrics_from_hash(module_hash)[1]

    def _check_spec(self, model_spec: Any) -> None:
        """Raise OutOfDomainError if a module is outside of the search space; public scripts call this."""
        _check(model_spec)

    def _hash_spec(self, model_spec: Any) -> str:
        """Return the hash of a module; public scripts call this."""
        return str(model_spec.hash_spec(self.config["available_ops"]))

    @cached_property
    def _hashes(self) -> Hashes:
        seconds = self._table.values("train_seconds")
        return Hashes(self._space, ~np.isnan(seconds.reshape(len(seconds), -1)).all(axis=1))

    def _find(self, model_spec: Any) -> int:
        """Return the index of a module, with errors in the order of the official API."""
        if isinstance(model_spec, ModelSpec):
            drawing = model_spec.drawing
            if drawing is not None:
                try:
                    return self._finder.of_bytes(*drawing)
                except OutOfSpaceError:
                    pass
        # The cell may need pruning first, or be outside of the search space, or be missing in the table. The original
        # goes by the hash, which also depends on the numbers in the matrix: of 1.0 it is another one than of 1.
        _check(model_spec)
        if not hasattr(model_spec, "hash_spec"):  # the original needs it
            model_spec = ModelSpec(model_spec.matrix, model_spec.ops)
        index = index_of_hash(self._space, self._hash_spec(model_spec))
        if index is None:
            raise MissingModuleError(f"table {self._table.name!r} has no module with {self._limits(model_spec)}")
        return index

    def _limits(self, model_spec: Any) -> str:
        """Say what may be wrong with a module that is in the search space, but not in the table."""
        matrix = np.asarray(model_spec.matrix)
        if len(matrix) > self._space.vertices:
            return f"{len(matrix)} vertices; the largest have {self._space.vertices}"
        if matrix.dtype.kind not in "biu" or not np.isin(matrix, (0, 1)).all():
            return f"the hash {self._hash_spec(model_spec)}: give a matrix of integers or booleans, 0 or 1"
        return f"the hash {self._hash_spec(model_spec)}"

    def _draw(self) -> int:
        """Return a repeat as ``random.randint(0, config["num_repeats"] - 1)`` does, in a tenth of the time."""
        repeats = self.config["num_repeats"]
        bits = repeats.bit_length()
        repeat = self._random.getrandbits(bits)
        while repeat >= repeats:
            repeat = self._random.getrandbits(bits)
        return repeat

    @cached_property
    def _finder(self) -> CellFinder:
        return cell_finder(self._space.vertices)

    def __getstate__(self) -> dict[str, Any]:
        return state_without_caches(self)

    def _fixed(self, index: int) -> dict[str, Any]:
        adjacency, operations = self._modules(index)
        parameters = round(self._parameters[index] * _PER_MILLION)
        return {
            "module_adjacency": adjacency,
            "module_operations": operations,
            "trainable_parameters": parameters,
        }

    @cached_property
    def _parameters(self) -> memoryview:
        """Parameters of all cells, in millions."""
        return memoryview(self._table.values(_PARAMETERS).astype(np.float64, copy=False).data)

    def _all_metrics(self, index: int) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        computed = {epochs: self._data_points(index, epochs) for epochs in self._table.fidelities}
        computed = {epochs: points for epochs, points in computed.items() if points}
        if not computed:
            raise MissingModuleError(f"table {self._table.name!r} has no module {self._space.module_hash(index)!r}")
        return self._fixed(index), computed

    def _data_points(self, index: int, epochs: int) -> list[dict[str, float]]:
        """Return the measured repeats, with the names of the official API."""
        prefixes = {"halfway": HALFWAY, "final": FINAL}
        points = []
        for repeat in range(self._table.repeats):
            point: dict[str, float] = {}
            for when, prefix in prefixes.items():
                if prefix + MEASURED["training_time"] in self._table.metrics:
                    numbers = self._measurements.existing(index, epochs, repeat, prefix)
                    point |= {f"{when}_{name}": number for name, number in zip(MEASURED, numbers, strict=True)}
            if not isnan(point["final_training_time"]):
                points.append({name: number for name, number in point.items() if not isnan(number)})
        return points


def _refuse_without_trainings(table: Table) -> None:
    """Raise an error unless a table has the measurements of single trainings, and parameters."""
    whole = (table.space.size, len(table.fidelities), table.repeats)
    wanted = {**dict.fromkeys(MEASURED.values(), whole), _PARAMETERS: whole[:1]}
    lacking = [name for name, shape in wanted.items() if name not in table.metrics or table.shape(name) != shape]
    if lacking:
        raise MissingDataError(f"table {table.name!r} has no {', '.join(lacking)} of single trainings")


def _check(model_spec: Any) -> None:
    """Raise OutOfDomainError if a module is outside of the search space, with the messages of the official API."""
    if not model_spec.valid_spec:
        raise OutOfDomainError("invalid spec, provided graph is disconnected.")
    names, edges = model_spec.ops, np.sum(model_spec.matrix)
    if len(names) > MAX_VERTICES:
        raise OutOfDomainError(f"too many vertices, got {len(names)} (max vertices = {MAX_VERTICES})")
    if edges > MAX_EDGES:
        raise OutOfDomainError(f"too many edges, got {edges} (max edges = {MAX_EDGES})")
    if names[0] != INPUT:
        raise OutOfDomainError("first operation should be 'input'")
    if names[-1] != OUTPUT:
        raise OutOfDomainError("last operation should be 'output'")
    for name in names[1:-1]:
        if name not in OPERATIONS:
            raise OutOfDomainError(f"unsupported op {name} (available ops = {list(OPERATIONS)})")


def _open(dataset_file: str | os.PathLike[str]) -> Table:
    name = os.fspath(dataset_file)
    path = Path(name)
    if catalogue.is_table_file(name) or not (path.is_file() or path.suffix):
        return catalogue.load(name)
    if not path.is_file():
        raise SourceError(f"there is no file {name}")
    return _converted(path)


def _converted(path: Path) -> Table:
    """Return the table of an official file, which is converted at its first use."""
    status = path.stat()
    identity = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    made_by = f"{nas_bench_101.REVISION} {ec_nas.REVISION} {store.FORMAT_VERSION}"
    digest = hashlib.sha256(f"{identity} {made_by}".encode()).hexdigest()
    target = cache_folder() / "tables" / f"nas-bench-101__{path.stem}-{digest[:16]}.h5"
    importer = ec_nas if format_detection.is_ec_nas(path, format_detection.head(path)) else nas_bench_101
    make_once(target, lambda draft: importer.convert(path, draft))
    return store.open_table(target, remedy="; delete the file, and it is made again")
