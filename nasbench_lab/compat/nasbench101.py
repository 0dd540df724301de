"""The official API of NAS-Bench-101 over our tables: ``from nasbench_lab.compat import nasbench101 as api``.

Scripts that use ``from nasbench import api`` go on working: same classes, numbers, errors and types. There is no
TensorFlow and no loading of minutes and gigabytes: an official file is converted once, then opened in milliseconds.

What is different:

- The repeat that a query answers with is drawn from a generator of the object's own. With a seed, it is the same repeat
  as with the original, which seeds and uses Python's global generator; other users of that one now neither change the
  repeats nor are changed by them.
- `NASBench.hash_iterator` is in ascending order, not in that of the file.
- Modules are returned as the published generator draws them, which is how the official files have them.
- Nothing is printed, and nothing trained: `NASBench.evaluate` is an error.
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

from nasbench_lab.cache import cache_folder
from nasbench_lab.compat.nasbench101_answers import (
    FINAL,
    HALFWAY,
    MEASURED,
    Hashes,
    MissingModuleError,
    ModuleMeasurements,
    Modules,
    Statistics,
)
from nasbench_lab.compat.nasbench101_spec import ModelSpec
from nasbench_lab.errors import (
    DataError,
    MissingDataError,
    NasbenchLabError,
    OutOfSpaceError,
    SourceError,
)
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101 import INPUT, OPERATIONS, OUTPUT
from nasbench_lab.spaces.cell101_enumeration import MAX_EDGES, MAX_VERTICES
from nasbench_lab.tables import catalogue, store
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
        dataset_file: an official ``.tfrecord`` file (converted once into the cache, and known there by its path,
            size and time of change), a table file (``.h5``), or the name of a table in the catalogue.
        seed: of the repeats that queries answer with. By default, they differ from object to object.

    Attributes:
        config: settings of the original, by name.
        valid_epochs: numbers of epochs that can be asked for.
        training_time_spent: seconds that all queries would have trained.
        total_epochs_spent: epochs that they would have.
        history: an empty dictionary, as in the original.

    Raises:
        SourceError: there is no such file.
        DataError: the file is damaged, or no table of NAS-Bench-101's cells.
        MissingDataError: the table has no single measurements, such as the one of means.

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
        self._random = Random(seed)  # noqa: S311 - as the original, and no secret
        self._bits = self._table.repeats.bit_length()
        self.config = _config(self._table.repeats)
        self.valid_epochs = set(self._table.fidelities)
        self.history: dict[str, Any] = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(self, model_spec: Any, epochs: int = 108, stop_halfway: bool = False) -> dict[str, Any]:
        """Return the measurements of one training of a module, drawn from its repeats, and count what it cost.

        Args:
            model_spec: a `ModelSpec`.
            epochs: of the training, one of `valid_epochs`.
            stop_halfway: return what was measured halfway, and count half of the epochs.

        Returns:
            ``module_adjacency``, ``module_operations``, ``trainable_parameters``, ``training_time`` (s), and
            ``train_accuracy``, ``validation_accuracy``, ``test_accuracy`` (0 to 1).

        Raises:
            OutOfDomainError: the module or the number of epochs is outside of the search space.
            MissingModuleError: the table lacks the module, or this repeat of it.
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(f"invalid number of epochs, must be one of {self.valid_epochs}")
        index, repeat = self._find(model_spec), self._draw()
        measured = self._measurements(index, epochs, repeat, HALFWAY if stop_halfway else FINAL)
        if isnan(sum(measured)):
            raise MissingModuleError(
                f"table {self._table.name!r} lacks training {repeat} of {epochs} epochs of the module"
            )
        data = self._fixed(index)
        data.update(zip(MEASURED, measured, strict=True))
        self.training_time_spent += measured[0]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: Any) -> bool:
        """Return whether a module is in the search space; whether it was measured does not matter."""
        try:
            _check(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Return the seconds and epochs that all queries so far would have trained."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Start counting anew."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def evaluate(self, model_spec: Any, model_dir: str) -> dict[str, Any]:
        """Raise an error: the original trains the module on a TPU with TensorFlow 1, a table holds measurements only.

        Raises:
            MissingDataError: always.
        """
        raise MissingDataError(
            "a table cannot train; build the network with nasbench_lab.train.networks.cell101_network"
        )

    def hash_iterator(self) -> Hashes:
        """Return the hashes of all modules that were measured: a set that can be iterated over, in ascending order."""
        return self._hashes

    def get_metrics_from_hash(self, module_hash: str) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """Return all measurements of a module; nothing is counted.

        Args:
            module_hash: one of `hash_iterator`.

        Returns:
            What does not depend on the training (``module_adjacency``, ``module_operations``,
            ``trainable_parameters``), and for every number of epochs a list with one dictionary a repeat:
            ``halfway_training_time``, ``halfway_train_accuracy``, ``halfway_validation_accuracy``,
            ``halfway_test_accuracy``, and the same with ``final_``. What the table lacks is left out.

        Raises:
            MissingModuleError: there is no such module; this is a KeyError, too.
        """
        try:
            return self._all_metrics(self._space.parse(module_hash))
        except (OutOfSpaceError, AttributeError, TypeError) as error:
            raise MissingModuleError(f"table {self._table.name!r} has no module {module_hash!r}") from error

    def get_metrics_from_spec(self, model_spec: Any) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """Return what `get_metrics_from_hash` returns, for a `ModelSpec`.

        Raises:
            OutOfDomainError: the module is outside of the search space.
            MissingModuleError: the table lacks the module.
        """
        return self._all_metrics(self._find(model_spec))

    @property
    def fixed_statistics(self) -> Statistics:
        """Module hash to what does not depend on the training."""
        return Statistics(self._hashes, lambda module_hash: self.get_metrics_from_hash(module_hash)[0])

    @property
    def computed_statistics(self) -> Statistics:
        """Module hash to the measurements of all epochs and repeats."""
        return Statistics(self._hashes, lambda module_hash: self.get_metrics_from_hash(module_hash)[1])

    @cached_property
    def _hashes(self) -> Hashes:
        seconds = self._table.values("train_seconds")
        return Hashes(self._space, ~np.isnan(seconds.reshape(len(seconds), -1)).all(axis=1))

    def _find(self, model_spec: Any) -> int:
        """Index of a module; errors in the order of the original."""
        matrix, names = model_spec.drawing if isinstance(model_spec, ModelSpec) else (model_spec.matrix, model_spec.ops)
        try:
            if names and names[0] == INPUT and names[-1] == OUTPUT:
                return self._space.index_of_cell(matrix, names)
        except OutOfSpaceError:
            pass
        # No cell at first sight. It may be one after pruning, or outside of the search space, or of the table.
        _check(model_spec)
        try:
            return self._space.index_of_cell(model_spec.matrix, model_spec.ops)
        except OutOfSpaceError as error:
            raise MissingModuleError(f"table {self._table.name!r} has no such module: {error}") from error

    def _draw(self) -> int:
        """A repeat, drawn as ``random.randint(0, repeats - 1)`` draws, but in a tenth of the time."""
        repeat = self._random.getrandbits(self._bits)
        while repeat >= self._table.repeats:
            repeat = self._random.getrandbits(self._bits)
        return repeat

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
        """Millions of parameters of all cells."""
        return memoryview(self._table.values(_PARAMETERS).astype(np.float64, copy=False).data)

    def _all_metrics(self, index: int) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        computed = {epochs: self._data_points(index, epochs) for epochs in self._table.fidelities}
        computed = {epochs: points for epochs, points in computed.items() if points}
        if not computed:
            raise MissingModuleError(f"table {self._table.name!r} has no module {self._space.module_hash(index)!r}")
        return self._fixed(index), computed

    def _data_points(self, index: int, epochs: int) -> list[dict[str, float]]:
        """The repeats that there are, in the words of the official API."""
        prefixes = {"halfway": HALFWAY, "final": FINAL}
        points = []
        for repeat in range(self._table.repeats):
            point: dict[str, float] = {}
            for when, prefix in prefixes.items():
                if prefix + MEASURED["training_time"] in self._table.metrics:
                    numbers = self._measurements(index, epochs, repeat, prefix)
                    point |= {f"{when}_{name}": number for name, number in zip(MEASURED, numbers, strict=True)}
            if not isnan(point["final_training_time"]):
                points.append({name: number for name, number in point.items() if not isnan(number)})
        return points


def _refuse_without_trainings(table: Table) -> None:
    """Raise an error where a table does not have the numbers of single trainings, and parameters."""
    whole = (table.space.size, len(table.fidelities), table.repeats)
    wanted = {**dict.fromkeys(MEASURED.values(), whole), _PARAMETERS: whole[:1]}
    lacking = [name for name, shape in wanted.items() if name not in table.metrics or table.shape(name) != shape]
    if lacking:
        raise MissingDataError(f"table {table.name!r} has no {', '.join(lacking)} of single trainings")


def _check(model_spec: Any) -> None:
    """Raise OutOfDomainError where a module is outside of the search space, with the words of the original."""
    if not model_spec.valid_spec:
        raise OutOfDomainError("invalid spec, provided graph is disconnected.")
    names, edges = model_spec.ops, int(np.sum(model_spec.matrix))
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


def _config(repeats: int) -> dict[str, Any]:
    """The settings of the original: how the published networks were made and trained."""
    return {
        "train_data_files": [],
        "valid_data_file": "",
        "test_data_file": "",
        "sample_data_file": "",
        "data_format": "channels_last",
        "num_labels": 10,
        "module_vertices": MAX_VERTICES,
        "max_edges": MAX_EDGES,
        "available_ops": list(OPERATIONS),
        "stem_filter_size": 128,
        "num_stacks": 3,
        "num_modules_per_stack": 3,
        "batch_size": 256,
        "train_epochs": 108,
        "train_seconds": 14_400.0,
        "learning_rate": 0.1,
        "lr_decay_method": "COSINE_BY_STEP",
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "max_attempts": 5,
        "intermediate_evaluations": ["0.5"],
        "num_repeats": repeats,
        "use_tpu": True,
        "tpu_iterations_per_loop": 100,
        "tpu_num_shards": 2,
    }


def _open(dataset_file: str | os.PathLike[str]) -> Table:
    name = os.fspath(dataset_file)
    path = Path(name)
    if catalogue.is_table_file(name) or not (path.is_file() or path.suffix):
        return catalogue.load(name)
    if not path.is_file():
        raise SourceError(f"there is no file {name}")
    return _converted(path)


def _converted(path: Path) -> Table:
    """The table of an official file, converted if it was not yet."""
    status = path.stat()
    identity = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    made_by = f"{nas_bench_101.REVISION} {store.FORMAT_VERSION}"
    digest = hashlib.sha256(f"{identity} {made_by}".encode()).hexdigest()
    target = cache_folder() / "tables" / f"nas-bench-101__{path.stem}-{digest[:16]}.h5"
    if not target.exists():
        nas_bench_101.convert(path, target)
    return store.open_table(target, remedy="; delete the file, and it is made again")
