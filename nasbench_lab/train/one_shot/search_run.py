"""One run of a one-shot search, epoch by epoch."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.spaces import Space
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import reproducible_arithmetic
from nasbench_lab.train.one_shot.method_state import attributes, plain_state, restore_state
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext, SupernetOptions
from nasbench_lab.train.one_shot.supernets import Supernet
from nasbench_lab.train.recipes import TrainingRecipe

_DAMAGED = "is not a readable checkpoint of a search, or damaged; delete it to search this run again"


class SearchRun:
    """One run of a method.

    Args:
        method: the method.
        space: the search space.
        dataset: shared weights are trained on its train split, and architectures on its valid split.
        recipe: how the shared weights are trained, and for how many epochs.
        seed: of initial weights, images and everything that the method draws.
        options: how the supernet is built and trained.

    Attributes:
        context: what the method works with.
        state: the state of the method.
        seconds: processor time so far of everything that the method did; wall-clock time on other devices and with
            several threads.
        recommended: the architecture that was named after every epoch, -1 for none.
        times: the seconds after every epoch.
        failed: whether the training failed: weights of the supernet or of the method's state are not finite. Then it
            ends, and the last recommendation holds.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> from nasbench_lab.train.datasets import digits
    >>> from nasbench_lab.train.one_shot.methods.spos import Spos
    >>> recipe, options = TrainingRecipe("short", 1, 400, 0.1), SupernetOptions(network={"channels": 2, "cells": 1})
    >>> run = SearchRun(Spos(population=2, parents=1, generations=1), TopologySpace(), digits(), recipe, 0, options)
    >>> run.complete()
    >>> len(run.recommended), run.finished
    (1, True)
    """

    def __init__(
        self,
        method: Method[Any],
        space: Space,
        dataset: Dataset,
        recipe: TrainingRecipe,
        seed: int,
        options: SupernetOptions | None = None,
    ) -> None:
        options = options or SupernetOptions()
        self.method, self.device = method, torch.device(options.device)
        self.seconds, self.failed = 0.0, False
        self.recommended: list[int] = []
        self.times: list[float] = []
        _warm_up()
        with reproducible_arithmetic(self.device):
            start = training_clock(self.device)
            supernet = method.build(space, **options.supernet(dataset.image, dataset.classes, seed))
            self.context = SearchContext(supernet, dataset, recipe, seed, options)
            self.state = method.start(self.context)
            attributes(self.state)  # refuse other states now, not after the first epoch
            self.seconds += training_clock(self.device) - start

    def __repr__(self) -> str:
        done = f"{self.context.epoch} of {self.context.epochs} epochs, {self.seconds:.3g} s"
        return f"<SearchRun of {self.method.label} on {self.context.dataset.name}: {done}>"

    @property
    def supernet(self) -> Supernet:
        """The network with shared weights."""
        return self.context.supernet

    @property
    def finished(self) -> bool:
        """Whether the search has ended."""
        return self.failed or self.context.epoch >= self.context.epochs

    def epochs(self) -> Iterator[int]:
        """Search, and yield the number of finished epochs after every epoch."""
        while not self.finished:
            # Not around the yield: what the caller does there uses the caller's settings.
            with reproducible_arithmetic(self.device):
                start = training_clock(self.device)
                self._epoch()
                self.seconds += training_clock(self.device) - start
            self.times.append(self.seconds)
            yield self.context.epoch

    def complete(self) -> None:
        """Search to the end."""
        for _ in self.epochs():
            pass

    def scores(self, architectures: Sequence[int], split: str = "valid") -> FloatArray:
        """Return the accuracy in percent of architectures as the method predicts it, shape (architectures,)."""
        with reproducible_arithmetic(self.device):
            return self.method.score(self.context, self.state, architectures, split)

    def _epoch(self) -> None:
        context, method = self.context, self.method
        context.begin("step")
        for images, labels in context.batches.training(context.epoch):
            method.step(context, self.state, Batch(images, labels[:, 0]))
            context.step += 1
        self.failed = not self._finite()
        last = context.epoch + 1 == context.epochs
        for hook in () if self.failed else ("end_epoch", "finish") if last else ("end_epoch",):
            context.begin(hook)
            getattr(method, hook)(context, self.state)
        context.begin("recommend")
        named = None if self.failed else method.recommend(context, self.state)
        before = self.recommended[-1] if self.recommended else -1
        self.recommended.append(before if named is None else self._checked(named))
        context.epoch += 1

    def _checked(self, named: Any) -> int:
        """Return what the method recommends, if it is an architecture, or -1 for none."""
        return whole(f"recommend of {self.method.name!r}", named, AtLeast(-1), Below(self.context.space.size))

    def _finite(self) -> bool:
        modules = [
            self.supernet,
            *(each for each in attributes(self.state).values() if isinstance(each, torch.nn.Module)),
        ]
        return all(bool(weight.isfinite().all()) for module in modules for weight in module.parameters())

    def save(self, path: Path) -> None:
        """Write a checkpoint that the search can resume from. An existing file is replaced atomically."""
        context = self.context
        state = {
            "identity": self._identity(),
            "epoch": context.epoch,
            "step": context.step,
            "seconds": self.seconds,
            "failed": self.failed,
            "recommended": self.recommended,
            "times": self.times,
            "supernet": context.supernet.state_dict(),
            "optimizer": context.optimizer.state_dict(),
            "state": plain_state(self.state),
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Resume from a checkpoint that `save` wrote.

        Raises:
            DataError: the file is damaged, or belongs to another search.
        """
        context = self.context
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
            identity = state["identity"]
        except Exception as error:  # torch fails in many ways
            raise DataError(f"{path} {_DAMAGED}") from error
        if identity != self._identity():
            raise DataError(
                f"{path} is the checkpoint of another search (method, recipe, data, seed or options differ)"
            )
        try:
            restore_state(self.state, state["state"])
            context.supernet.load_state_dict(state["supernet"])
            context.optimizer.load_state_dict(state["optimizer"])
            context.epoch, context.step = state["epoch"], state["step"]
            self.seconds, self.failed = state["seconds"], state["failed"]
            self.recommended, self.times = state["recommended"], state["times"]
        except Exception as error:
            raise DataError(f"{path} {_DAMAGED}") from error

    def _identity(self) -> dict[str, Any]:
        context = self.context
        return {
            "method": f"{self.method.name} {self.method.version}",
            "parameters": repr(self.method.parameters),
            "space": repr(dict(context.space.spec())),
            "dataset": context.dataset.digest(),
            "recipe": repr(context.recipe),
            "seed": context.seed,
            "options": repr(context.options),
        }


@functools.cache
def _warm_up() -> None:
    """Let torch import what its first optimiser needs, once per process: a second or two that no search should pay."""
    weight = torch.nn.Parameter(torch.zeros(1))
    for optimizer in (torch.optim.SGD([weight], foreach=True), torch.optim.Adam([weight])):
        weight.sum().backward()
        optimizer.step()
