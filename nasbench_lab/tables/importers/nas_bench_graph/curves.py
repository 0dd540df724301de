"""The full version of NAS-Bench-Graph: learning curves of every training, from files that users download.

There are three files per data set, one per seed: ``cora0.bench``, ``cora1.bench``, ``cora2.bench`` (figshare, article
20070371). A file is a pickled dictionary: key of an architecture (as in the light version) to a dictionary whose
``dur`` has one row per epoch: performance in training, validation and test, the three losses, and the "best
performance". A file has nearly a gigabyte, so it is read item by item.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.spaces.gnn import OPERATIONS, PROTEINS_OPERATIONS, GnnSpace
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.importers.nas_bench_graph.light_version import CITATION, DATASETS, architecture_keys
from nasbench_lab.tables.reading import pickle_items
from nasbench_lab.tables.reading.untrusted_values import described

_NAME = re.compile(rf"({'|'.join(DATASETS)})([012])\.bench", re.ASCII)
_SEEDS = 3
_MOST_EPOCHS = 10_000
_SINGLE = {  # metric to the field of an architecture's dictionary; each is optional
    "chosen_valid_{0}": "valid_perf",
    "chosen_test_{0}": "perf",
    "latency": "latency",
    "parameters": "para",
}
_PER_TRAINING = ("architecture", "repeat")


class _Shape(NamedTuple):
    """What determines the arrays of the table: the number of epochs, and the names of the optional single numbers."""

    epochs: int
    single: frozenset[str]


class _ShapeError(Exception):
    """A file does not fit the shape; ``shape`` is the next shape to try."""

    def __init__(self, shape: _Shape) -> None:
        super().__init__(f"the data needs {shape}")
        self.shape = shape


def convert(source: Path, target: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write the table of a data set's learning curves.

    Numbers are stored as float32: the table has a third of the size of the files.

    Args:
        source: a file such as ``cora0.bench``, or a folder with the files of one data set. A seed without a file is
            missing in the table.
        target: the table file to write.
        progress: called with the number of bytes read, and the total of all files.

    Returns:
        ``target``.

    Raises:
        DataError: a file is damaged, hostile, or not a file of NAS-Bench-Graph. No table is written.
        OutputError: the table cannot be written.
    """
    dataset, files = _files(Path(source))
    shape = _Shape(1, frozenset())
    while True:
        try:
            _write(dataset, files, shape, Path(target), progress)
            return Path(target)
        except _ShapeError as error:
            shape = error.shape


def _files(source: Path) -> tuple[str, dict[int, Path]]:
    """Return the data set, and the files by seed."""
    found = sorted(source.iterdir()) if is_folder(source) else [source]
    matches = [(match, path) for path in found if (match := _NAME.fullmatch(path.name)) and is_plain(path)]
    datasets = {match[1] for match, _ in matches}
    if len(datasets) != 1:
        held = f"files of {', '.join(sorted(datasets))}" if datasets else "no file named like cora0.bench"
        raise DataError(f"{source} has {held}; it must have the files of one data set")
    return datasets.pop(), {int(match[2]): path for match, path in matches}


def _write(
    dataset: str,
    files: Mapping[int, Path],
    shape: _Shape,
    target: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    description = _describe(dataset, shape, [path.name for path in files.values()])
    space = GnnSpace(_operations(dataset))
    index_of = {key: index for index, key in enumerate(architecture_keys(space).tolist())}
    sizes = {seed: path.stat().st_size for seed, path in files.items()}
    names = [metric.name for metric in description.metrics]
    with store.writing(description, target, dtypes=dict.fromkeys(names, np.float32)) as draft:
        before = 0
        for seed, path in files.items():
            report = _shifted(progress, before, sum(sizes.values()))
            seen = np.zeros(space.size, dtype=bool)
            for key, item in pickle_items.items(path, progress=report):
                index = _index(key, index_of, path)
                if seen[index]:
                    raise DataError(f"{path.name} has the architecture {key} twice")
                seen[index] = True
                curves, single = _training(item, key, shape, path)
                with np.errstate(over="ignore"):  # the loss of a training that diverged becomes infinite
                    rounded = curves.astype(np.float32)
                for name, column in zip(names, rounded.T, strict=False):
                    draft.values[name][index, : len(column), seed] = column
                for name, number in single.items():
                    draft.values[name.format(_score(dataset))][index, seed] = number
            if not seen.any():
                raise DataError(f"{path.name} has no architectures")
            before += sizes[seed]


def _shifted(progress: Callable[[int, int], None] | None, before: int, total: int) -> Callable[[int, int], None] | None:
    """Return a progress callback for one file that reports the progress of all files."""
    if progress is None:
        return None
    report = progress
    return lambda done, _size: report(before + done, total)


def _index(key: Any, index_of: Mapping[int, int], path: Path) -> int:
    """Return the index of an architecture from its key, a number or its digits."""
    number = int(key) if isinstance(key, str) and re.fullmatch("[0-9]{1,5}", key, re.ASCII) else key
    if isinstance(number, bool) or number not in index_of:
        raise DataError(
            f"{path.name} has the key {described(key)}, which is not one of the {len(index_of)} keys of its space"
        )
    return index_of[number]


def _training(item: Any, key: Any, shape: _Shape, path: Path) -> tuple[FloatArray, dict[str, float]]:
    """Return the rows of one training, (epochs, 7), and its single numbers."""
    where = f"the architecture {key} of {path.name}"
    rows = _rows(item.get("dur") if isinstance(item, dict) else None, where)
    single = {metric: item[field] for metric, field in _SINGLE.items() if item.get(field) is not None}
    if not all(_is_number(number) for number in single.values()):
        raise DataError(f"{where} has a value that is not a number")
    if len(rows) > shape.epochs or not single.keys() <= shape.single:
        raise _ShapeError(_Shape(max(len(rows), shape.epochs), shape.single | single.keys()))
    return rows, single


def _rows(content: Any, where: str) -> FloatArray:
    """Return rows of seven numbers as an array, (epochs, 7)."""
    if not _is_list(content) or not 1 <= len(content) <= _MOST_EPOCHS:
        raise DataError(f"{where} has no list (dur) of 1 to {_MOST_EPOCHS} epochs")
    for row in content:
        if not _is_list(row) or len(row) != len(_CURVES) or not all(map(_is_number, row)):
            raise DataError(f"{where} has an epoch that is not {len(_CURVES)} numbers")
    try:
        return np.array([[float(number) for number in row] for row in content])
    except OverflowError as error:
        raise DataError(f"{where} has a number that is too large") from error


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)


def _operations(dataset: str) -> tuple[str, ...]:
    return PROTEINS_OPERATIONS if dataset == "proteins" else OPERATIONS


def _score(dataset: str) -> str:
    return "roc_auc" if dataset == "proteins" else "accuracy"


_CURVES = (
    *itertools.product(("train", "valid", "test"), ("{0}",)),
    *itertools.product(("train", "valid", "test"), ("loss",)),
    ("test", "best"),
)
"""Split and quantity of the numbers in a row, in order."""


def _describe(dataset: str, shape: _Shape, files: list[str]) -> Description:
    score = _score(dataset)
    metrics = [_describe_curve(split, quantity.format(score)) for split, quantity in _CURVES]
    units = {"latency": ("s", "minimize"), "parameters": ("millions", "minimize")}
    for name in _SINGLE:
        if name in shape.single:
            unit, direction = units.get(name, ("fraction", "maximize"))
            split = name.split("_")[1] if name.startswith("chosen") else "none"
            what = f"as published with the training: {_SINGLE[name]}"
            metrics.append(Metric(name.format(score), split, unit, direction, what, _PER_TRAINING))  # type: ignore[arg-type]
    return Description(
        name=f"nas-bench-graph-curves/{dataset}",
        title=f"NAS-Bench-Graph on {dataset}: graph neural networks, learning curves",
        space=GnnSpace(_operations(dataset)).spec(),
        fidelities=tuple(range(1, shape.epochs + 1)),
        repeats=tuple(f"seed {seed}" for seed in range(_SEEDS)),
        metrics=tuple(metrics),
        valid=f"valid_{score}",
        test=f"test_{score}",
        resumable=True,
        licence="Apache-2.0",
        citation=CITATION,
        source=", ".join(files),
        notes=(
            "Epoch e is the e-th row of a training's curve. Numbers are rounded to float32; larger ones are infinite.",
            "The publication does not define its best performance; it is listed with the test metrics.",
            "No training times are published, so budgets in seconds are not possible.",
        ),
    )


def _describe_curve(split: Any, quantity: str) -> Metric:
    if quantity == "best":
        return Metric("best_performance", split, "fraction", "maximize", "best performance, as the publication says")
    if quantity == "loss":
        return Metric(f"{split}_loss", split, "", "minimize", "loss after the epoch")
    return Metric(f"{split}_{quantity}", split, "fraction", "maximize", "performance after the epoch")
