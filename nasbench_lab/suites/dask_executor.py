"""Shards on the workers of a dask cluster: on this machine, under SLURM or Kubernetes, or elsewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import queue
import uuid
from collections.abc import Iterator
from typing import Any, final

from nasbench_lab.child_processes import check_may_start_processes
from nasbench_lab.errors import ParameterError, SourceError
from nasbench_lab.messages import first_line
from nasbench_lab.suites.local_processes import IN_THIS_PROCESS
from nasbench_lab.suites.runner import Answer, Died, Told
from nasbench_lab.suites.shards import ShardJob, attempt

_AHEAD = 2  # tasks per thread, so that no thread waits for its next task
_CONNECT_SECONDS = 15
_PATIENCE_SECONDS = 10
_FETCH_SECONDS = 60  # results have some megabytes


@final
class DaskExecutor:
    """Simulates shards on the workers of dask.distributed. Workers may join, leave and die.

    Workers need the same release of this package, and the tables. Tables of the catalogue are made there on first use;
    table files must be at the same path. Workers do not need the suite's folder: they send their results back.

    Args:
        scheduler: address of a scheduler, like ``"tcp://10.0.0.1:8786"``; or a `distributed.Client`, which stays open;
            by default, workers are started on this machine.
        workers: number of workers to start on this machine; by default the number of processors.

    Raises:
        ParameterError: dask.distributed is not installed.
        SourceError: there is no scheduler at that address.
    """

    def __init__(self, scheduler: Any = None, workers: int | None = None) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise ParameterError("this needs dask: pip install 'nasbench-lab[dask]'")
        from distributed import Client

        self._resources = contextlib.ExitStack()
        self._cluster: Any = None  # the workers that were started here
        self._workers = 0
        if isinstance(scheduler, Client):
            self._client: Any = scheduler
        else:
            self._client = self._resources.enter_context(self._connect(scheduler, workers))
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._names: dict[str, str] = {}
        self._futures: dict[str, Any] = {}  # dask drops the futures that nothing refers to
        self._together: set[str] = set()  # keys of tasks that were not alone all the time

    def _connect(self, scheduler: str | None, workers: int | None) -> Any:
        from distributed import Client, LocalCluster

        if scheduler is None:
            check_may_start_processes(IN_THIS_PROCESS)
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
            self._cluster = self._resources.enter_context(cluster)
            self._workers = len(cluster.workers)
            return Client(cluster)
        try:
            return Client(scheduler, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise SourceError(f"there is no dask scheduler at {scheduler!r}: {first_line(error)}") from error

    @property
    def slots(self) -> int:
        """Number of tasks to submit ahead: a few per current thread."""
        with _connected():
            return _AHEAD * max(1, sum(self._client.nthreads().values()))

    def submit(self, task: ShardJob) -> None:
        """Send a task to the scheduler."""
        key = f"nasbench-lab-{task.name}-{uuid.uuid4().hex[:8]}"
        self._names[key] = task.name
        with _connected():
            future = self._client.submit(attempt, task, key=key, pure=False)
        self._futures[key] = future
        if len(self._futures) > 1:
            self._together.update(self._futures)
        future.add_done_callback(self._ended.put)

    def next(self, told: Told) -> Answer:
        """Wait for a task to end. If its worker died, dask repeats all tasks of the worker a few times."""
        future = self._next_ended()
        name = self._names.pop(future.key)
        del self._futures[future.key]
        alone = future.key not in self._together
        self._together.discard(future.key)
        if future.status == "finished":
            with _connected():
                return Answer(name, self._fetched(future))
        if future.status == "error":
            return Answer(name, Died(first_line(future.exception()), alone))
        return Answer(name, Died(f"dask says {future.status}", alone))

    def _next_ended(self) -> Any:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._ended.get(timeout=_PATIENCE_SECONDS)
            if self._cluster is not None:
                # dask does not replace a worker that dies at its very start.
                with _connected():
                    self._cluster.scale(self._workers)

    def _fetched(self, future: Any) -> Any:
        """Return the result of a finished task. If its worker died first, dask may wait for it for ever."""
        from distributed import TimeoutError as DaskTimeoutError

        try:
            return future.result(timeout=_FETCH_SECONDS)
        except DaskTimeoutError:
            self._client.cancel([future])
            return Died("its worker died before its result arrived", alone=False)

    def close(self) -> None:
        """Cancel the remaining tasks and disconnect from the scheduler."""
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self._client.cancel(list(self._futures.values()))
        self._futures.clear()
        self._resources.close()


@contextlib.contextmanager
def _connected() -> Iterator[None]:
    """Turn the loss of the scheduler inside the block into a SourceError."""
    from distributed import CancelledError

    try:
        yield
    except (OSError, CancelledError, RuntimeError) as error:
        raise SourceError(
            f"the dask scheduler is gone: {first_line(error)}; run the same command again to continue"
        ) from error
