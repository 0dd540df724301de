"""The calibration of a search's seconds: rows of the table are trained again, and the seconds are compared."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import filelock
import numpy as np
import torch
from numpy.random import Generator, Philox
from numpy.typing import NDArray

from nasbench_lab.checks import Above, AtLeast, check_fields, number, whole
from nasbench_lab.errors import DataError, MissingDataError
from nasbench_lab.files import as_output_error, atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.tables import Table
from nasbench_lab.train.build.assembly import this_platform
from nasbench_lab.train.build.stated_training import StatedTraining, stated_training
from nasbench_lab.train.datasets import Dataset, digits
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.training import Measured, Training

FILE = "calibration.json"
"""Name of the file of a calibration in the folder of a search."""

ROWS = 24
"""Number of rows that a calibration trains again."""

_FORMAT = "nasbench-lab calibration"
_CONFIDENCE = 0.95
_LOCK = ".calibration.lock"

_known: dict[str, Calibration] = {}


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How many seconds of a table one second of a search is.

    Attributes:
        scale: seconds of the table per measured second.
        interval: 95% confidence interval of the scale; None if nothing was measured.
        rows: the architectures that were trained again; none if nothing was measured.
        epochs: of these trainings.
        recorded: their seconds in the table, mean over repeats, shape (rows,).
        measured: their seconds here, per repeat, shape (rows,).
        device: that was measured.
        threads: of torch.
        machine: versions and processor.
        note: why nothing was measured; empty otherwise.

    >>> Calibration.given(1.2).seconds(10.0)
    12.0
    """

    scale: Annotated[float, Above(0)]
    interval: tuple[float, float] | None = None
    rows: tuple[int, ...] = ()
    epochs: Annotated[int, AtLeast(0)] = 0
    recorded: tuple[float, ...] = ()
    measured: tuple[float, ...] = ()
    device: str = "cpu"
    threads: Annotated[int, AtLeast(1)] = 1
    machine: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    def given(cls, scale: float, note: str = "the scale was given by the user") -> Calibration:
        """Return the calibration for a scale that was not measured.

        Raises:
            ParameterError: the scale is not a number above 0.
        """
        return cls(number("scale", scale, Above(0)), note=note)

    def seconds(self, measured: float) -> float:
        """Return the seconds of the table for measured seconds."""
        return self.scale * measured

    def __str__(self) -> str:
        if self.interval is None:
            return f"1 s of this search is {self.scale:.3g} s of the table: {self.note}"
        low, high = self.interval
        return (
            f"1 s of this search is {self.scale:.3g} s of the table (95% interval {low:.3g} to {high:.3g}; "
            f"{len(self.rows)} rows were trained again)"
        )

    def to_data(self) -> dict[str, Any]:
        """Return the calibration as plain data that JSON can store."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Calibration:
        """Return the calibration that `to_data` converted to plain data.

        Raises:
            Exception: it is damaged.
        """
        lists = {name: tuple(data[name]) for name in ("rows", "recorded", "measured")}
        interval = None if data["interval"] is None else (float(data["interval"][0]), float(data["interval"][1]))
        return cls(**{**data, **lists, "interval": interval})


def calibrate(
    table: Table,
    *,
    dataset: Dataset | None = None,
    device: str = "cpu",
    rows: int = ROWS,
    seed: int = 0,
    folder: Path | None = None,
) -> Calibration:
    """Measure how many seconds of a table one second of this machine is.

    Some rows of the table are trained again for a short time: with the recipe, data set, networks and seeds of the
    table, and measured with the same clock. The scale is the sum of their recorded seconds, divided by the sum of their
    measured seconds. See docs/design/one-shot-clock.md.

    A process measures once per table, device and number of threads, and then returns the same calibration.

    Args:
        table: a table with times.
        dataset: the data set of the search; by default the digits.
        device: name of a torch device.
        rows: number of rows to train again.
        seed: of the choice of rows.
        folder: where the calibration is kept, in the file `FILE`. If it is there, it is used, so that a search that is
            resumed has one scale. Processes that need it at the same time wait for the one that measures it.

    Returns:
        The calibration. The scale is 1, with a note, if the rows cannot be trained again here: the table was not built
        by training with this package, or its data set is another one.

    Raises:
        MissingDataError: the table has no times.
        DataError: the file in the folder is damaged, or belongs to another table, data set or device.
        OutputError: the folder cannot be written.
    """
    rows = whole("rows", rows, AtLeast(2))
    if not table.has_times:
        raise MissingDataError(
            f"table {table.name!r} has no times, so a search has no seconds on its clock; give scale=1 to use the "
            "seconds of this machine"
        )
    stated, dataset = stated_training(table), dataset or digits()
    if stated is None:
        return Calibration.given(
            1.0, f"{table.name} was not trained with this package, so the seconds are those of this machine"
        )
    if stated.data != dataset.digest():
        return Calibration.given(
            1.0, f"{table.name} was trained on other data than {dataset.name}, so the seconds are those of this machine"
        )
    identity = _identity(table, stated, device, rows, seed)
    if folder is None:
        return _once(identity, table, stated, dataset, device, rows, seed)
    with as_output_error(folder / FILE):
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / _LOCK):
            path = folder / FILE
            if path.exists():
                return _read(path, identity)
            found = _once(identity, table, stated, dataset, device, rows, seed)
            content = {"format": _FORMAT, "identity": identity, **found.to_data()}
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            return found


def _identity(table: Table, stated: StatedTraining, device: str, rows: int, seed: int) -> str:
    """Return a digest of what a calibration depends on, except the machine."""
    digest = hashlib.sha256(json.dumps([repr(stated), device, torch.get_num_threads(), rows, seed]).encode())
    digest.update(json.dumps(table.space.spec(), sort_keys=True).encode())
    digest.update(np.ascontiguousarray(table.cost(_epochs(table)), dtype=np.float64).tobytes())
    return digest.hexdigest()


def _read(path: Path, identity: str) -> Calibration:
    remedy = "delete it to measure again"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        form, found = data.pop("format"), data.pop("identity")
        calibration = Calibration.of_data(data)
        if form != _FORMAT:
            raise DataError("it is of another format")
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f"{path} is not a readable calibration: {first_line(error)}; {remedy}") from error
    if found != identity:
        raise DataError(f"{path} is the calibration of another table, data set, device or number of threads; {remedy}")
    return calibration


def _once(
    identity: str, table: Table, stated: StatedTraining, dataset: Dataset, device: str, rows: int, seed: int
) -> Calibration:
    if identity not in _known:
        _known[identity] = _measured(table, stated, dataset, device, rows, seed)
    return _known[identity]


def _measured(table: Table, stated: StatedTraining, dataset: Dataset, device: str, rows: int, seed: int) -> Calibration:
    epochs = _epochs(table)
    recorded = np.asarray(table.cost(epochs), dtype=float).mean(axis=1)
    chosen = choose_rows(recorded, representatives(table.space), rows, seed)
    _seconds(table, chosen[0], stated, dataset, device, epochs)  # the first training of a process takes longer
    measured = np.array([_seconds(table, each, stated, dataset, device, epochs) for each in chosen])
    scale, interval = ratio_of_sums(recorded[chosen], measured)
    return Calibration(
        scale=scale,
        interval=interval,
        rows=tuple(chosen),
        epochs=epochs,
        recorded=tuple(recorded[chosen].tolist()),
        measured=tuple(measured.tolist()),
        device=device,
        threads=torch.get_num_threads(),
        machine=this_platform(),
    )


def _epochs(table: Table) -> int:
    """Return the number of epochs of the short trainings: the lowest fidelity of the table."""
    return table.fidelities[0]


def choose_rows(recorded: NDArray[np.float64], shared: NDArray[np.int64], rows: int, seed: int) -> list[int]:
    """Return rows of a table, chosen at random, with all costs represented.

    The different networks are ordered by their recorded seconds and divided into as many parts of equal size; one row
    of each is drawn.

    Args:
        recorded: seconds of every architecture, NaN if not measured.
        shared: for every architecture, the first that is the same network.
        rows: number of rows; fewer if the table has fewer networks.
        seed: of the choice.

    >>> choose_rows(np.arange(100.0), np.arange(100), 4, seed=0)
    [3, 25, 73, 81]
    """
    networks = np.unique(shared)
    networks = networks[np.isfinite(recorded[networks])]
    ordered = networks[np.argsort(recorded[networks], kind="stable")]
    random = Generator(Philox(seed))
    return [int(random.choice(part)) for part in np.array_split(ordered, min(rows, len(ordered)))]


def ratio_of_sums(
    recorded: NDArray[np.float64], measured: NDArray[np.float64]
) -> tuple[float, tuple[float, float] | None]:
    """Return the ratio of two sums over rows, and its 95% confidence interval.

    The standard error is that of the ratio estimator (Cochran, Sampling Techniques, 1977, section 6.4).

    >>> scale, (low, high) = ratio_of_sums(np.array([2.0, 4.0, 6.2]), np.array([1.0, 2.0, 3.0]))
    >>> round(scale, 3), low < scale < high
    (2.033, True)
    """
    from scipy import stats

    count, scale = len(recorded), float(recorded.sum() / measured.sum())
    if count < 2:
        return scale, None
    error = math.sqrt(np.sum((recorded - scale * measured) ** 2) / (count - 1) * count) / measured.sum()
    half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, count - 1) * error)
    return scale, (scale - half, scale + half)


def _seconds(
    table: Table, architecture: int, stated: StatedTraining, dataset: Dataset, device: str, epochs: int
) -> float:
    """Return the seconds of the first epochs of a row, per repeat."""
    build = network_builder(
        table.space, architecture, image=dataset.image, classes=dataset.classes, options=stated.network
    )
    recipe = dataclasses.replace(stated.recipe, epochs=epochs) if stated.budgets else stated.recipe
    measured: Measured = "last" if stated.budgets else "every"
    training = Training(build, dataset, recipe, stated.seeds, device=device, measured=measured)
    for epoch in training.epochs():
        if epoch == epochs:
            break
    return float(np.nanmean(np.nansum(training.curves.values["seconds"], axis=1)))
