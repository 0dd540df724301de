"""Running a build: several processes train the units, and finished units are stored in a journal."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Any

from nasbench_lab.checks import AtLeast, check_fields, require
from nasbench_lab.errors import OutputError
from nasbench_lab.train.build import worker
from nasbench_lab.train.build.followed_units import FollowedUnits
from nasbench_lab.train.build.journal import Journal, Unit
from nasbench_lab.train.build.saved_units import has_weights
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.callbacks import Callback
from nasbench_lab.train.callbacks.guarded import check_callbacks
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.equivalent_networks import stand_ins
from nasbench_lab.train.network_builders import check_network, network_builder

Progress = Callable[[int, int], None]
"""Called with the number of finished units and the number of all units."""

_POLL = 0.2  # seconds between looks at the epochs that processes have sent


@dataclasses.dataclass(frozen=True)
class ExecutionOptions:
    """How trainings are run. Of these options, only the precision belongs to the identity of a build.

    Attributes:
        processes: number of trainings at the same time; by default the number of processors, or one on a GPU.
        threads: number of threads per process. It can change the last digits of sums, which grow to larger differences
            after some epochs.
        device: name of a torch device.
        precision: precision of multiplications.
        checkpoint: whether unfinished trainings are stored on disk after every epoch; useful for long trainings.
        progress: called with the number of finished units and of all units.
        callbacks: what follows the trainings, see `nasbench_lab.train.callbacks`. They are called in the process that
            runs the build, once per seed. Units that were finished before are not reported.

    Raises:
        ParameterError: a number is below 1, or something else than a callback is given.
    """

    processes: Annotated[int | None, AtLeast(1)] = None
    threads: Annotated[int, AtLeast(1)] = 1
    device: str = "cpu"
    precision: Precision = "float32"
    checkpoint: bool = False
    progress: Progress = lambda _done, _total: None
    callbacks: tuple[Callback, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        check_callbacks(self.callbacks)

    def count(self) -> int:
        """Return the number of processes."""
        return self.processes or (_processors() if self.device == "cpu" else 1)


def _processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclasses.dataclass(frozen=True)
class BuildShard:
    """A part of the units of a build, for building on several machines.

    Attributes:
        number: number of this part, from 1.
        of: number of parts.

    Raises:
        ParameterError: a number is not whole, or ``number`` is not from 1 to ``of``.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        check_fields(self)
        possible = 1 <= self.number <= self.of
        require(possible, f"a shard must be N/M with N from 1 to M, got {self.number}/{self.of}")

    def path(self, folder: Path) -> Path:
        """Return the journal of this shard."""
        return folder / f"shard-{self.number}-of-{self.of}.sqlite"


def units(spec: BuildSpec) -> list[Unit]:
    """Return the units of a build in the order of training; architectures with the same network share a unit."""
    chosen = sorted(set(stand_ins(spec.make_space(), spec.chosen()).values()))
    return [(architecture, epochs) for epochs in spec.trainings for architecture in chosen]


def build(
    spec: BuildSpec, folder: Path, *, shard: BuildShard | None = None, how: ExecutionOptions | None = None
) -> int:
    """Train the units of a shard that are not in its journal yet, and return the number of units of the shard.

    After a kill, the same call resumes the build: only the units that were in training are trained again; with
    checkpoints, they resume after their last finished epoch.

    Args:
        spec: specification of the table.
        folder: folder of the journals and checkpoints of this build only.
        shard: the shard to train; by default all units.
        how: number of processes, device and so on.

    Raises:
        DataError: the folder belongs to another build, or is damaged.
        OutputError: the folder cannot be written, or a process died.
        ParameterError: the networks do not take the options.
    """
    shard = shard or BuildShard()
    mine = units(spec)[shard.number - 1 :: shard.of]
    train_units(spec, mine, shard.path(folder), how or ExecutionOptions())
    return len(mine)


def train_units(
    spec: BuildSpec, wanted: Sequence[Unit], path: Path, how: ExecutionOptions, weights: Path | None = None
) -> None:
    """Train the wanted units that are not in the journal at ``path`` yet.

    Args:
        spec: specification of the units.
        wanted: the units.
        path: file of the journal.
        how: number of processes, device and so on.
        weights: folder for the weights of finished units. A unit without its weights counts as not finished, so it is
            trained again.

    Raises:
        NasbenchLabError: see `build`.
    """
    dataset = spec.load_dataset()
    _check_options(spec, dataset, wanted)
    checkpoints = path.parent / "checkpoints" if how.checkpoint else None
    with Journal(path, identity(spec, dataset, how.precision)) as journal:
        finished = {unit for unit in journal.finished() if weights is None or has_weights(weights, spec, unit)}
        todo = [unit for unit in wanted if unit not in finished]
        done = len(wanted) - len(todo)
        how.progress(done, len(wanted))
        if not todo:
            return
        count = min(how.count(), len(todo))
        shared = (spec, how.threads, how.device, how.precision, checkpoints, weights)
        with FollowedUnits(how.callbacks, spec) as followed, _pool(count, (*shared, followed.queue)) as pool:
            for unit, arrays in _as_finished(pool, todo, count, followed):
                journal.record(unit, arrays)
                followed.finish(unit, arrays)
                done += 1
                how.progress(done, len(wanted))
                if checkpoints:
                    (checkpoints / f"{unit[0]}-{unit[1]}.pt").unlink(missing_ok=True)


def _check_options(spec: BuildSpec, dataset: Dataset, wanted: Sequence[Unit]) -> None:
    """Build one network, so that wrong options are found before processes are started."""
    for architecture, _ in wanted[:1]:
        network = network_builder(
            spec.make_space(), architecture, image=dataset.image, classes=dataset.classes, options=spec.network
        )
        check_network(network, dataset.image)


def identity(spec: BuildSpec, dataset: Dataset, precision: Precision) -> str:
    """Return a text that is the same for all measurements that may be combined in one table."""
    import torch

    return f"{spec.digest(dataset)} {precision} torch {torch.__version__.split('+')[0]}"


@contextlib.contextmanager
def _pool(processes: int, arguments: tuple[Any, ...]) -> Iterator[ProcessPoolExecutor]:
    """Start processes that are ready to train; after an error or an interruption, stop them at once."""
    # Spawned, not forked: torch's threads and CUDA do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, worker.start, arguments)
    try:
        yield pool
        pool.shutdown()
    except BaseException as error:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise OutputError(
                "a training process died (out of memory?); finished trainings are kept, and the same command resumes"
            ) from error
        raise


def _as_finished(pool: ProcessPoolExecutor, todo: list[Unit], processes: int, followed: FollowedUnits) -> Iterator[Any]:
    """Yield results as they are finished, with few units waiting in the queue of the processes."""
    waiting: set[Future[Any]] = set()
    remaining = iter(todo)
    while True:
        for unit in remaining:
            waiting.add(pool.submit(worker.train, unit))
            if len(waiting) >= 2 * processes:
                break
        if not waiting:
            return
        finished, waiting = wait(waiting, None if followed.queue is None else _POLL, FIRST_COMPLETED)
        if not any(future.exception() for future in finished):
            followed.receive()
        for future in finished:
            yield future.result()
