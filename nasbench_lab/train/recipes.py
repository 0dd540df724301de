"""Training recipes: the number of epochs and the hyperparameters of a training, as frozen data."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Literal

from nasbench_lab.checks import Above, AtLeast, Below, check_fields, require
from nasbench_lab.messages import unknown

Optimizer = Literal["sgd", "rmsprop", "adamw"]
Schedule = Literal["cosine", "linear", "constant"]


@dataclasses.dataclass(frozen=True)
class TrainingRecipe:
    """How a network is trained.

    Attributes:
        name: e.g. ``"nats-bench-200"``.
        epochs: number of passes over the training images.
        batch: number of images per step.
        learning_rate: the highest learning rate of the schedule.
        optimizer: ``"sgd"``, ``"rmsprop"`` (decay 0.9, epsilon 1) or ``"adamw"``, each as implemented in torch.
            NAS-Bench-101 used TensorFlow's RMSProp with these numbers, which adds epsilon inside the square root and
            starts its averages at one: its first steps are about a quarter smaller.
        momentum: of SGD and RMSProp.
        nesterov: whether SGD uses Nesterov momentum.
        weight_decay: multiple of every parameter that is added to its gradient (decoupled for AdamW).
        schedule: of the learning rate over the steps: ``"cosine"`` or ``"linear"`` to zero at the end of the training,
            or ``"constant"``.
        warmup: number of epochs during which the learning rate first rises linearly.
        average: decay per step of an exponential moving average of the weights, which is evaluated instead of the
            weights; 0 evaluates the weights themselves. In step t the decay is at most t / (t + 3), so that the average
            forgets the initial weights.
        padding: number of pixels by which training images are padded before a random crop to their size.
        flip: whether training images are mirrored with probability one half.
        source: where the recipe was published.

    Raises:
        ParameterError: a field has a value that is not allowed.
    """

    name: str
    epochs: Annotated[int, AtLeast(1)]
    batch: Annotated[int, AtLeast(2)]
    learning_rate: Annotated[float, Above(0)]
    optimizer: Optimizer = "sgd"
    momentum: Annotated[float, AtLeast(0), Below(1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, AtLeast(0)] = 5e-4
    schedule: Schedule = "cosine"
    warmup: Annotated[float, AtLeast(0)] = 0.0
    average: Annotated[float, AtLeast(0), Below(1)] = 0.0
    padding: Annotated[int, AtLeast(0)] = 0
    flip: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        for name, text in (("name", self.name), ("source", self.source)):
            require(isinstance(text, str), f"{name} of a recipe must be a text, got {text!r}")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: number of the step, counted from 0 at the start of the training.
            steps: number of steps per epoch.

        >>> recipe("nats-bench-12").rate(0, 100), round(recipe("nats-bench-12").rate(600, 100), 3)
        (0.1, 0.05)
        """
        return self.learning_rate * self._left(step / (steps * self.epochs)) * self._warm(step, steps)

    def _left(self, done: float) -> float:
        """Return the share of the learning rate that is left after a share of the schedule."""
        return {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}[self.schedule]

    def _warm(self, step: int, steps: int) -> float:
        return min(1.0, (step + 1) / (self.warmup * steps)) if self.warmup else 1.0


_NATS = "Dong et al., NATS-Bench, TPAMI 2021; AutoDL-Projects, configs/nas-benchmark/hyper-opts"
_NATS_12 = TrainingRecipe("nats-bench-12", 12, 256, 0.1, padding=4, flip=True, source=_NATS)

RECIPES = {
    each.name: each
    for each in (
        _NATS_12,
        dataclasses.replace(_NATS_12, name="nats-bench-90", epochs=90),
        dataclasses.replace(_NATS_12, name="nats-bench-200", epochs=200),
        # The published base rate of 0.1 was doubled for the two shards of a TPU.
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
"""All recipes by name."""


def recipe(name: str) -> TrainingRecipe:
    """Return a recipe by its name.

    Raises:
        UnknownNameError: no recipe has this name; the message suggests similar names.

    >>> recipe("nats-bench-200").epochs
    200
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]


def padding_of(dataset: str) -> int:
    """Return the padding of random crops that was published for images of 16 and 32 pixels.

    >>> padding_of("ImageNet16-120"), padding_of("cifar10")
    (2, 4)
    """
    return 2 if dataset == "ImageNet16-120" else 4
