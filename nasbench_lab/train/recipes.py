"""Recipes: how long and how networks are trained, as frozen data."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, get_args

from nasbench_lab.errors import ParameterError, unknown

Optimizer = Literal["sgd", "rmsprop", "adamw"]
Schedule = Literal["cosine", "linear", "constant"]

_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
"""What a field of that annotation may be; everything else is a text."""


@dataclasses.dataclass(frozen=True)
class TrainingRecipe:
    """A way of training.

    Attributes:
        name: e.g. ``"nats-bench-200"``.
        epochs: passes over the training images.
        batch: images of a step.
        learning_rate: the largest of the schedule.
        optimizer: ``"sgd"``, ``"rmsprop"`` (decay 0.9, epsilon 1) or ``"adamw"``, all as torch has them. NAS-Bench-101
            used TensorFlow's RMSProp with these numbers, which adds epsilon inside the square root and starts from
            ones: its steps are about a quarter smaller at first.
        momentum: of SGD and RMSProp.
        nesterov: whether SGD's momentum is Nesterov's.
        weight_decay: added to the gradient as a multiple of every parameter (AdamW: decoupled).
        schedule: of the learning rate, from step to step, to zero at the end of training, or ``"constant"``.
        warmup: epochs over which the learning rate first rises linearly.
        average: decay per step of the exponential moving average of the weights that is evaluated; 0 evaluates the
            weights themselves. In step t the decay is t / (t + 3) where that is less, so that the start is forgotten.
        padding: pixels by which training images are padded before a random crop to their size.
        flip: whether training images are mirrored with probability one half.
        source: where the recipe was published.
    """

    name: str
    epochs: int
    batch: int
    learning_rate: float
    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    warmup: float = 0.0
    average: float = 0.0
    padding: int = 0
    flip: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, kinds = getattr(self, field.name), _KINDS.get(str(field.type), (str,))
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ParameterError(f"{field.name} of a recipe must be {field.type}, got {value!r}")
        positive = {"epochs": self.epochs, "batch": self.batch, "learning_rate": self.learning_rate}
        wrong = [name for name, value in positive.items() if not 0 < value < math.inf]
        if wrong or self.batch < 2:
            raise ParameterError(
                f"recipe {self.name!r} needs epochs, a learning rate and batches of two images or more"
            )
        at_least_zero = {"weight_decay": self.weight_decay, "warmup": self.warmup, "padding": self.padding}
        for name, value in at_least_zero.items():
            if not (value >= 0 and math.isfinite(value)):
                raise ParameterError(f"{name} of recipe {self.name!r} must not be negative, got {value}")
        for name, value in (("momentum", self.momentum), ("average", self.average)):
            if not 0 <= value < 1:
                raise ParameterError(f"{name} of recipe {self.name!r} must be at least 0 and less than 1, got {value}")
        if self.optimizer not in get_args(Optimizer):
            raise unknown("optimizer", self.optimizer, get_args(Optimizer))
        if self.schedule not in get_args(Schedule):
            raise unknown("schedule", self.schedule, get_args(Schedule))

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: number of the step from the start of training, from 0.
            steps: steps of an epoch.

        >>> recipe("nats-bench-12").rate(0, 100), round(recipe("nats-bench-12").rate(600, 100), 3)
        (0.1, 0.05)
        """
        done = step / (steps * self.epochs)
        left = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}[self.schedule]
        warm = min(1.0, (step + 1) / (self.warmup * steps)) if self.warmup else 1.0
        return self.learning_rate * left * warm


_NATS = "Dong et al., NATS-Bench, TPAMI 2021; AutoDL-Projects, configs/nas-benchmark/hyper-opts"
_NATS_12 = TrainingRecipe("nats-bench-12", 12, 256, 0.1, padding=4, flip=True, source=_NATS)

RECIPES = {
    each.name: each
    for each in (
        _NATS_12,
        dataclasses.replace(_NATS_12, name="nats-bench-90", epochs=90),
        dataclasses.replace(_NATS_12, name="nats-bench-200", epochs=200),
        # The published base rate, 0.1, was doubled for the two shards of a TPU.
        TrainingRecipe(
            "nas-bench-101",
            108,
            256,
            0.2,
            optimizer="rmsprop",
            weight_decay=1e-4,
            padding=4,
            flip=True,
            source="Ying et al., NAS-Bench-101, ICML 2019; google-research/nasbench, nasbench/lib/config.py",
        ),
        TrainingRecipe(
            "digits",
            12,
            50,
            0.1,
            schedule="linear",
            warmup=0.5,
            average=0.8,
            source="tuned for the tables that come with nasbench-lab: docs/design/digits.md",
        ),
    )
}
"""Every recipe by its name."""


def recipe(name: str) -> TrainingRecipe:
    """Return the recipe of that name.

    Raises:
        UnknownNameError: there is none; the message names the nearest.

    >>> recipe("nats-bench-200").epochs
    200
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
