"""Processes that train networks for a live search, each on its device."""

from __future__ import annotations

import dataclasses
import multiprocessing.connection
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Protocol, Self

from nasbench_lab.child_processes import Child, end_children, start_child
from nasbench_lab.errors import NasbenchLabError, OutputError
from nasbench_lab.train.live_search.failures import process_died, too_long
from nasbench_lab.train.live_search.journal import TrainingJournal
from nasbench_lab.train.live_search.one_training import Request, Trainer, TrainingAnswer
from nasbench_lab.train.live_search.spec import LiveSpec, TrainingLimits

_TRIES = 2
"""How often a training is started whose process died."""

_GRACE = 1.25
"""Multiple of the time limit of a training after which its process is ended, if it has not stopped by itself."""


class Ended(NamedTuple):
    """A request that was answered.

    Attributes:
        request: the request.
        answer: its answer.
    """

    request: Request
    answer: TrainingAnswer


class _Setup(NamedTuple):
    """What a process is sent first."""

    spec: LiveSpec
    dataset: Any  # None if the process can load it
    limits: TrainingLimits
    device: str


@dataclasses.dataclass
class _Place:
    """One process, and what it does."""

    child: Child
    device: str
    request: Request | None = None
    started: float = 0.0
    epoch: int = 0


class Running(NamedTuple):
    """A training that is not finished.

    Attributes:
        request: what is trained.
        epoch: number of finished epochs.
        seconds: wall-clock seconds since its process started with it.
    """

    request: Request
    epoch: int
    seconds: float


class AnyWorkers(Protocol):
    """What trains networks for a search, in any order; see `TrainingWorkers`."""

    @property
    def running(self) -> list[Running]:
        """The trainings that are being done."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def get_ready(self) -> None:
        """Wait until trainings can start."""

    def submit(self, request: Request) -> None:
        """Train as soon as possible."""

    def wait(self, seconds: float) -> list[Ended]:
        """Return the requests that are answered within a time; as soon as there is one."""


class TrainingWorkers:
    """Processes that train networks.

    Args:
        trainer: of this process; it records the trainings whose process died.
        devices: name of a torch device per process.
    """

    def __init__(self, trainer: Trainer, devices: Sequence[str]) -> None:
        self._trainer = trainer
        self._devices = tuple(devices)
        self._places: list[_Place] = []
        self._waiting: deque[Request] = deque()
        self._died: dict[Request, int] = {}

    def __enter__(self) -> Self:
        self._places = [_Place(self._start(device), device) for device in self._devices]
        return self

    def __exit__(self, *_: object) -> None:
        end_children([place.child for place in self._places])
        self._places = []

    def get_ready(self) -> None:
        """Wait until all processes have loaded the data set.

        Raises:
            NasbenchLabError: a process cannot start.
        """
        for place in self._places:
            try:
                kind, content = place.child.line.recv()
            except (EOFError, OSError):
                raise OutputError(f"a training process died at its start ({place.child.how_it_died})") from None
            if kind == "error":
                raise content

    @property
    def running(self) -> list[Running]:
        """The trainings that are being done."""
        now = time.monotonic()
        return [Running(each.request, each.epoch, now - each.started) for each in self._places if each.request]

    def submit(self, request: Request) -> None:
        """Train as soon as a process is free."""
        self._waiting.append(request)
        self._hand_out()

    def wait(self, seconds: float) -> list[Ended]:
        """Return the requests that are answered within a time; as soon as there is one.

        Raises:
            NasbenchLabError: the folder cannot be written, or is damaged.
        """
        end = time.monotonic() + seconds
        while True:
            ended = list(self._received(max(0.0, min(end - time.monotonic(), 1.0))))
            ended += self._ended_late()
            self._hand_out()
            if ended or time.monotonic() >= end:
                return ended

    def _received(self, seconds: float) -> Iterator[Ended]:
        lines = {place.child.line: place for place in self._places if place.request}
        for line in multiprocessing.connection.wait(list(lines), seconds):
            place = lines[line]  # type: ignore[index]
            try:
                kind, content = place.child.line.recv()
            except (EOFError, OSError):
                yield from self._lost(place)
                continue
            if kind in ("ready", "epoch"):
                place.epoch = content
                continue
            request, place.request = place.request, None
            if kind == "error":
                raise content
            assert request is not None  # noqa: S101
            yield Ended(request, content)

    def _lost(self, place: _Place) -> Iterator[Ended]:
        """Replace a process that died; a training that kills its process twice is recorded as failed."""
        request, place.request = place.request, None
        place.child.end()
        how = place.child.how_it_died
        wall = time.monotonic() - place.started
        place.child = self._start(place.device)
        assert request is not None  # noqa: S101
        self._died[request] = self._died.get(request, 0) + 1
        if self._died[request] < _TRIES:
            self._waiting.appendleft(request)
            return
        failed = self._trainer.fail(request, process_died(how), wall)
        yield Ended(request, TrainingAnswer(failed, fresh=True))

    def _ended_late(self) -> Iterator[Ended]:
        """End processes whose training has passed the time limit by far, within one epoch."""
        longest = self._trainer.limits.longest
        for place in self._places if longest is not None else ():
            wall = time.monotonic() - place.started
            if place.request is None or longest is None or wall < _GRACE * longest + 1:
                continue
            request, place.request = place.request, None
            end_children([place.child])
            place.child = self._start(place.device)
            failed = self._trainer.fail(request, too_long(longest), wall)
            yield Ended(request, TrainingAnswer(failed, fresh=True))

    def _hand_out(self) -> None:
        for place in self._places:
            if place.request is None and self._waiting:
                request = self._waiting.popleft()
                place.request, place.started, place.epoch = request, time.monotonic(), 0
                place.child.send(request)  # if it is gone, the closed connection is noticed next

    def _start(self, device: str) -> Child:
        child = start_child(serve)
        trainer = self._trainer
        dataset = None if trainer.spec.dataset.source is not None else trainer.dataset
        child.send(_Setup(trainer.spec, dataset, trainer.limits, device))
        return child


def serve(line: Connection) -> None:
    """Train what is requested over a connection, until it closes."""
    import torch

    try:
        setup: _Setup = line.recv()
        torch.set_num_threads(setup.limits.threads)
        dataset = setup.spec.dataset.load() if setup.dataset is None else setup.dataset
        with TrainingJournal(setup.limits.folder, setup.spec.identity(dataset)) as journal:
            trainer = Trainer(setup.spec, dataset, journal, setup.limits, setup.device)
            line.send(("ready", 0))
            while True:
                request: Request = line.recv()
                line.send(("answer", trainer.answer(request, lambda epoch: line.send(("epoch", epoch)))))
    except (EOFError, ConnectionError):
        return
    except NasbenchLabError as error:
        line.send(("error", type(error)(*error.args)))
    except Exception as error:  # a mistake in a network of the user, for example
        line.send(("error", OutputError(f"a training process failed: {type(error).__name__}: {error}")))
        raise
