"""What a callback is: three methods, which are called at the start of a training, after its epochs and at its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from nasbench_lab.train.recipes import TrainingRecipe

Status = Literal["finished", "failed", "stopped"]
"""How a training ended: ``"finished"``; ``"failed"``, with a loss that is not finite; ``"stopped"``, by an error or
Ctrl-C before its end."""


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """One training of one network from one seed, as callbacks see it.

    Attributes:
        name: a name that people can read and that is unique in its group, e.g. ``"topology 1462, seed 0"``.
        group: what the training belongs to: the name of a table or of a validation; empty for a single training.
        architecture: in the notation of its space; empty for a network of your own.
        space: name of the space; empty for a network of your own.
        dataset: name of the data set.
        recipe: how the network is trained.
        seed: seed of the training.
    """

    name: str
    group: str
    architecture: str
    space: str
    dataset: str
    recipe: TrainingRecipe
    seed: int

    def settings(self) -> dict[str, str | int | float | bool]:
        """Return all settings as one flat mapping, for loggers. Those of the recipe begin with ``recipe.``.

        >>> from nasbench_lab.train.recipes import recipe
        >>> run = TrainingRun("topology 7, seed 0", "mine", "|...|", "topology", "digits", recipe("digits"), 0)
        >>> run.settings()["dataset"], run.settings()["recipe.epochs"]
        ('digits', 12)
        """
        own = {name: getattr(self, name) for name in ("group", "architecture", "space", "dataset", "seed")}
        recipe = {f"recipe.{name}": value for name, value in dataclasses.asdict(self.recipe).items()}
        return {**own, **recipe}


class Callback:
    """Follows trainings. Subclass it and override what you need; by default, nothing is done.

    Several trainings can be under way at once: the runs tell them apart. All methods are called in the process that
    started the trainings, also if several processes train.

    >>> class Best(Callback):
    ...     def __init__(self):
    ...         self.accuracy = 0.0
    ...     def on_epoch(self, run, epoch, values):
    ...         self.accuracy = max(self.accuracy, values["valid_accuracy"])
    >>> best = Best()
    >>> best.on_epoch(None, 1, {"valid_accuracy": 81.5})
    >>> best.accuracy
    81.5
    """

    def on_start(self, run: TrainingRun) -> None:
        """Take note of the start of a training."""

    def on_epoch(self, run: TrainingRun, epoch: int, values: Mapping[str, float]) -> None:
        """Take note of the measurements of an epoch.

        Args:
            run: the training.
            epoch: number of finished epochs, from 1.
            values: the measured quantities of `nasbench_lab.train.training.QUANTITIES` that are finite numbers.
        """

    def on_end(self, run: TrainingRun, metrics: Mapping[str, float], status: Status) -> None:
        """Take note of the end of a training.

        Args:
            run: the training.
            metrics: the last measurements and the seconds of the whole training; only finite numbers.
            status: how it ended.
        """
