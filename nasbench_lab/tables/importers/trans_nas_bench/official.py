"""The official file of TransNAS-Bench-101, ``transnas-bench_v10141024.pth``: all learning curves of 7,352 networks.

It is a dictionary saved by PyTorch:

- ``task_list``, ``metrics_dict`` (task to names of metrics) and ``info_names``;
- ``data``: space ("micro", "macro") to notation to task to ``total_epochs``, ``metrics`` (name to one number per epoch)
  and ``model_info`` (name to a number).

The official training code writes ``time_elapsed`` after every epoch: the time since the start of the training, as
hours:minutes:seconds or as a number of seconds. It covers training, validation and test.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError, OutOfSpaceError
from nasbench_lab.files import atomic_folder
from nasbench_lab.spaces.base import Space
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.importers.trans_nas_bench.tasks import CITATION, SPACES, TASKS, describe_metric, table_name

_TIME = "time_elapsed"
_CLOCK = re.compile(r"([0-9]{2,4}):([0-5][0-9]):([0-5][0-9])", re.ASCII)
_MOST_EPOCHS = 1_000
_CURVE = ("architecture", "fidelity")
_INFO = {  # name: unit, description
    "inference_time": ("s", "mean of one forward pass"),
    "encoder_params": ("", "parameters of the architecture without its task's decoder, as published"),
    "model_params": ("", "parameters with the task's decoder, as published"),
    "model_FLOPs": ("", "operations of one image with the task's decoder, as published"),
    "encoder_FLOPs": ("", "operations of one image without the task's decoder, as published"),
}
_FILES = frozenset(f"{space}-{task}.h5" for space, task in itertools.product(SPACES, TASKS))
"""Every file that an import may write."""


def convert(source: Path, target: Path, *, progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """Write one table of learning curves per space and task.

    Args:
        source: the official file.
        target: folder for the tables, ``micro-jigsaw.h5`` and so on; tables of an older import are replaced.
        progress: called with the number of finished tables, and the total.

    Returns:
        The table files.

    Raises:
        DataError: the file is damaged, hostile, or not that of TransNAS-Bench-101. The folder stays unchanged.
        OutputError: the tables cannot be written. The folder stays unchanged.
    """
    from nasbench_lab.tables.reading import torch_file

    published = _Published.check(torch_file.load(source))
    keys = list(itertools.product(published.networks, published.metrics))
    with atomic_folder(Path(target), replace=set(_FILES)) as temporary:
        for done, (space, task) in enumerate(keys, start=1):
            _write(published, space, task, temporary / f"{space}-{task}.h5", Path(source).name)
            if progress is not None:
                progress(done, len(keys))
    return [Path(target) / f"{space}-{task}.h5" for space, task in keys]


class _Published(NamedTuple):
    """The content of the file; only its outer layers are checked.

    Attributes:
        metrics: task to the names of its metrics.
        info: names of the numbers of a network that do not depend on its training.
        networks: space to notation to the results of the network, unchecked.
    """

    metrics: dict[str, tuple[str, ...]]
    info: tuple[str, ...]
    networks: dict[str, dict[str, Any]]

    @classmethod
    def check(cls, content: Any) -> _Published:
        """Check the outer layers of the file."""
        known: dict[str, Any] = content if _is_dict(content) else {}
        metrics, info, networks = (known.get(key, ()) for key in ("metrics_dict", "info_names", "data"))
        if not (_is_dict(metrics) and _is_names(info) and _is_dict(networks)):
            raise DataError("the file is not that of TransNAS-Bench-101: it needs metrics_dict, info_names and data")
        if not set(metrics) <= set(TASKS) or not set(networks) <= set(SPACES) or not set(info) <= set(_INFO):
            raise DataError("the file has a task, a space or an info name that TransNAS-Bench-101 does not have")
        for task, names in metrics.items():
            if not _is_names(names) or f"valid_{TASKS[task].quantity}" not in names:
                raise DataError(f"the file does not name the metrics of {task}")
        if not metrics or not networks or not all(_is_dict(found) and found for found in networks.values()):
            raise DataError("the file has no networks")
        return cls({task: tuple(dict.fromkeys(names)) for task, names in metrics.items()}, tuple(info), networks)


def _is_dict(content: Any) -> bool:
    return isinstance(content, dict) and all(isinstance(key, str) for key in content)


def _is_names(content: Any) -> bool:
    return isinstance(content, list | tuple) and all(isinstance(name, str) for name in content)


def _write(published: _Published, space_name: str, task: str, path: Path, source: str) -> None:
    """Write the table of one task."""
    space = spaces.make_space({"name": f"trans-{space_name}"})
    trainings = {
        _index(space, notation): _training(network, published, task, notation)
        for notation, network in published.networks[space_name].items()
    }
    if len(trainings) != len(published.networks[space_name]):
        raise DataError(f"the file has an architecture of the space {space_name!r} twice")
    with store.writing(_describe(published, space_name, task, trainings, source), path) as draft:
        for index, training in trainings.items():
            for name, numbers in training.items():
                if numbers.ndim:
                    draft.values[name][index, : len(numbers)] = numbers
                else:
                    draft.values[name][index] = numbers


def _index(space: Space, notation: str) -> int:
    try:
        return space.parse(notation)
    except OutOfSpaceError as error:
        raise DataError(f"the file has an architecture outside the space: {error}") from error


def _training(network: Any, published: _Published, task: str, notation: str) -> dict[str, FloatArray]:
    """Return the learning curves and the other numbers of one network on a task."""
    where = f"{notation} on {task}"
    try:
        result = network[task]
        epochs, metrics, info = result["total_epochs"], result["metrics"], result["model_info"]
        curves = {name: _curve(metrics[name], name, where) for name in published.metrics[task]}
        single = {name: _number(info[name], where) for name in published.info}
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(f"{where} lacks a field: {error!r}") from error
    if type(epochs) is not int or any(len(curve) != epochs for curve in curves.values()):
        raise DataError(f"the learning curves of {where} do not have as many epochs as the training")
    return {**curves, **single}


def _curve(content: Any, name: str, where: str) -> FloatArray:
    """Return one number per epoch."""
    if not isinstance(content, list | tuple | np.ndarray) or not 1 <= len(content) <= _MOST_EPOCHS:
        raise DataError(f"{name} of {where} is not a list of 1 to {_MOST_EPOCHS} numbers")
    return np.array([_number(_seconds(item) if name == _TIME else item, where) for item in content])


def _seconds(item: Any) -> Any:
    """Convert hours:minutes:seconds to seconds; return any other value unchanged."""
    match = _CLOCK.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        return item
    hours, minutes, seconds = map(int, match.groups())
    return 3600 * hours + 60 * minutes + seconds


def _number(item: Any, where: str) -> FloatArray:
    """Return a number; NaN, for example of a diverged training, is a missing value."""
    if isinstance(item, bool) or not isinstance(item, int | float | np.integer | np.floating):
        raise DataError(f"{where} has {type(item).__name__} in place of a number")
    try:
        return np.array(float(item))
    except OverflowError as error:
        raise DataError(f"{where} has a number that is too large") from error


def _describe(
    published: _Published, space: str, task: str, trainings: Mapping[int, Mapping[str, FloatArray]], source: str
) -> Description:
    names, title = published.metrics[task], TASKS[task].title
    metrics = [_describe_metric(name, task) for name in names]
    metrics += [Metric(name, "none", *_info(name), ("architecture",)) for name in published.info]
    test = f"test_{TASKS[task].quantity}"
    times = [training[_TIME] for training in trainings.values()] if _TIME in names else []
    timed = bool(times) and all((np.diff(time) >= 0).all() and time[0] >= 0 for time in times)
    longest = max(len(training[names[0]]) for training in trainings.values())
    return Description(
        name=table_name(space, task),
        title=f"TransNAS-Bench-101 on {title}: {'cells' if space == 'micro' else 'skeletons'}, learning curves",
        space={"name": f"trans-{space}"},
        fidelities=tuple(range(1, longest + 1)),
        repeats=("the one training",),
        metrics=tuple(metrics),
        valid=f"valid_{TASKS[task].quantity}",
        test=test if test in names else None,
        cost=(_TIME,) if timed else (),
        resumable=True,
        licence="unstated",
        citation=CITATION,
        source=source,
        notes=(
            "Epoch e is the e-th number of a learning curve.",
            "Parameters and operations are published without their units.",
            *(
                ("Seconds are counted from the start of the training and include validation and test.",)
                if timed
                else ()
            ),
            *(
                ("The published seconds are not ascending, so budgets in seconds are not possible.",)
                if times and not timed
                else ()
            ),
        ),
    )


def _describe_metric(name: str, task: str) -> Metric:
    if name == _TIME:
        return Metric(name, "none", "s", "minimize", "since the start of training, with validation and test", _CURVE)
    metric = describe_metric(name, _CURVE)
    if metric is None:
        raise DataError(f"the file has a metric {name!r} of {task}, which TransNAS-Bench-101 does not have")
    return metric


def _info(name: str) -> tuple[str, Any, str]:
    unit, description = _INFO[name]
    return unit, "minimize", description
