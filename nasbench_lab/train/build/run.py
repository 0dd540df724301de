"""Building a table: units are trained by several processes and kept in a journal, until all are finished."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from nasbench_lab.errors import OutputError, ParameterError
from nasbench_lab.train.build import worker
from nasbench_lab.train.build.journal import Journal, Unit
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.network_builders import check_network, network_builder

Progress = Callable[[int, int], None]
"""Is told how many units are finished, and of how many."""


@dataclasses.dataclass(frozen=True)
class ExecutionOptions:
    """How to train, as far as it is no matter of the measurements (the precision is).

    Attributes:
        processes: how many train at once; by default as many as there are processors, or one on a GPU.
        threads: of every process. Another number can change the last digits of sums, and so, after some epochs, more.
        device: of torch.
        precision: of multiplications.
        checkpoint: whether to keep every unfinished training on disk, epoch by epoch: for long trainings.
        progress: is told how many units are finished.
    """

    processes: int | None = None
    threads: int = 1
    device: str = "cpu"
    precision: Precision = "float32"
    checkpoint: bool = False
    progress: Progress = lambda _done, _total: None

    def count(self) -> int:
        """Return the number of processes."""
        return self.processes or (_processors() if self.device == "cpu" else 1)


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclasses.dataclass(frozen=True)
class BuildShard:
    """A part of the units, for building on several machines.

    Attributes:
        number: from 1.
        of: how many parts there are.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ParameterError(f"a shard is written N/M with N from 1 to M, got {self.number}/{self.of}")

    def path(self, folder: Path) -> Path:
        """Return the journal of this shard."""
        return folder / f"shard-{self.number}-of-{self.of}.sqlite"


def units(spec: BuildSpec) -> list[Unit]:
    """Return all that is to be trained, in the order of training: architectures that are the same network are once."""
    shared = representatives(spec.make_space())
    chosen = sorted(set(shared[spec.chosen()].tolist()))
    return [(architecture, epochs) for epochs in spec.trainings for architecture in chosen]


def build(
    spec: BuildSpec, folder: Path, *, shard: BuildShard | None = None, how: ExecutionOptions | None = None
) -> int:
    """Train what of a shard is not yet in its journal, and return how many units the shard has.

    Killed at any moment, it goes on where it was: only the units that were being trained then are trained again, or,
    with checkpoints, go on from their last finished epoch.

    Args:
        spec: of the table.
        folder: for the journals and checkpoints; one build only.
        shard: by default everything.
        how: processes, device and so on.

    Raises:
        DataError: the folder is another build's, or damaged.
        OutputError: the folder cannot be written, or a process died.
        ParameterError: the networks do not take the options.
    """
    shard = shard or BuildShard()
    mine = units(spec)[shard.number - 1 :: shard.of]
    train_units(spec, mine, shard.path(folder), how or ExecutionOptions())
    return len(mine)


def train_units(spec: BuildSpec, wanted: Sequence[Unit], path: Path, how: ExecutionOptions) -> None:
    """Train those of the wanted units that are not yet in the journal at ``path``; raises what `build` raises."""
    dataset = spec.load_dataset()
    _check_options(spec, dataset, wanted)
    checkpoints = path.parent / "checkpoints" if how.checkpoint else None
    with Journal(path, identity(spec, dataset, how.precision)) as journal:
        finished = journal.finished()
        todo = [unit for unit in wanted if unit not in finished]
        done = len(wanted) - len(todo)
        how.progress(done, len(wanted))
        if not todo:
            return
        count = min(how.count(), len(todo))
        with _pool(count, (spec, how.threads, how.device, how.precision, checkpoints)) as pool:
            for unit, arrays in _as_finished(pool, todo, count):
                journal.record(unit, arrays)
                done += 1
                how.progress(done, len(wanted))
                if checkpoints:
                    (checkpoints / f"{unit[0]}-{unit[1]}.pt").unlink(missing_ok=True)


def _check_options(spec: BuildSpec, dataset: Dataset, wanted: Sequence[Unit]) -> None:
    """Build one network, so that wrong options are found before any process is started."""
    for architecture, _ in wanted[:1]:
        network = network_builder(
            spec.make_space(), architecture, image=dataset.image, classes=dataset.classes, options=spec.network
        )
        check_network(network, dataset.image)


def identity(spec: BuildSpec, dataset: Dataset, precision: Precision) -> str:
    """Return what must be the same for measurements to belong to one table."""
    import torch

    return f"{spec.digest(dataset)} {precision} torch {torch.__version__.split('+')[0]}"


@contextlib.contextmanager
def _pool(processes: int, arguments: tuple[Any, ...]) -> Iterator[ProcessPoolExecutor]:
    """Give processes that are ready to train; after an error or an interruption, they are stopped at once."""
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
                "a training process died (out of memory?); what is finished is kept, the same command goes on"
            ) from error
        raise


def _as_finished(pool: ProcessPoolExecutor, todo: list[Unit], processes: int) -> Iterator[Any]:
    """Yield results as they come, with few units waiting in the processes' queue."""
    waiting: set[Future[Any]] = set()
    remaining = iter(todo)
    while True:
        for unit in remaining:
            waiting.add(pool.submit(worker.train, unit))
            if len(waiting) >= 2 * processes:
                break
        if not waiting:
            return
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield future.result()
