"""Recipes for shared weights: what searches use beside the settings of a stand-alone training, as frozen data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from nasbench_lab.checks import AtLeast, require
from nasbench_lab.messages import unknown
from nasbench_lab.train.recipes import RECIPES, TrainingRecipe


@dataclasses.dataclass(frozen=True)
class SupernetRecipe(TrainingRecipe):
    """How shared weights are trained: a `TrainingRecipe` with more settings. Its average is not used.

    Attributes:
        lowest_rate: the learning rate at the end of the schedule.
        clip: the largest norm of the gradient of all shared weights together; a longer gradient is shortened to it. 0
            for no clipping.
        rate_changes: whether the learning rate changes with every ``"step"``, or with every ``"epoch"`` only.
        period: number of epochs in which the cosine falls to its lowest value; then it rises for as long, and so on. 0
            for all epochs.

    >>> falling = SupernetRecipe("short", epochs=10, batch=64, learning_rate=0.025, lowest_rate=0.001)
    >>> [round(falling.rate(epoch * 100, 100), 4) for epoch in (0, 5, 10)]
    [0.025, 0.013, 0.001]
    """

    lowest_rate: Annotated[float, AtLeast(0)] = 0.0
    clip: Annotated[float, AtLeast(0)] = 0.0
    rate_changes: Literal["step", "epoch"] = "step"
    period: Annotated[int, AtLeast(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.lowest_rate <= self.learning_rate,
            f"lowest_rate must be at most the learning rate, {self.learning_rate:g}, got {self.lowest_rate:g}",
        )
        require(not self.period or self.schedule == "cosine", "period is for the schedule 'cosine' only")

    @classmethod
    def of(cls, recipe: TrainingRecipe) -> Self:
        """Return a recipe as one for shared weights: no lowest rate, no clipping, unless it has them.

        >>> SupernetRecipe.of(RECIPES["nats-bench-12"]).clip
        0.0
        """
        return recipe if isinstance(recipe, cls) else cls(**vars(recipe))

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: number of the step, counted from 0 at the start of the training.
            steps: number of steps per epoch.
        """
        reached = step - step % steps if self.rate_changes == "epoch" else step
        left = self._left(reached / (steps * (self.period or self.epochs)))
        return (self.lowest_rate + (self.learning_rate - self.lowest_rate) * left) * self._warm(step, steps)


_CONFIGS = "D-X-Y/AutoDL-Projects, commit f46486e, configs/nas-benchmark/algos"
_NATS = SupernetRecipe(
    "nats-bench-supernet",
    100,
    64,
    0.025,
    padding=4,
    flip=True,
    lowest_rate=0.001,
    rate_changes="epoch",
    source=f"Dong et al., NATS-Bench, TPAMI 2021; {_CONFIGS}/weight-sharing.config",
)

SUPERNET_RECIPES = {
    each.name: each
    for each in (
        SupernetRecipe(
            "digits-supernet", 60, 50, 0.1, source="tuned for the tables that come with nasbench-lab: docs/one-shot.md"
        ),
        _NATS,
        dataclasses.replace(
            _NATS,
            name="nas-bench-201-supernet",
            epochs=250,
            clip=5.0,
            source=f"Dong and Yang, NAS-Bench-201, ICLR 2020; {_CONFIGS}/GDAS.config, exps/NAS-Bench-201-algos/GDAS.py",
        ),
        dataclasses.replace(
            _NATS,
            name="drnas-supernet",
            nesterov=False,
            weight_decay=3e-4,
            clip=5.0,
            source="Chen et al., DrNAS, ICLR 2021; xiangning-chen/DrNAS, commit f2caa4d, 201-space/train_search.py",
        ),
    )
}
"""All recipes for shared weights by name."""


def supernet_recipe(name: str) -> SupernetRecipe:
    """Return a recipe for shared weights by its name; the recipes of stand-alone trainings are allowed, too.

    Raises:
        UnknownNameError: no recipe has this name; the message suggests similar names.

    >>> supernet_recipe("nats-bench-supernet").lowest_rate, supernet_recipe("nats-bench-12").lowest_rate
    (0.001, 0.0)
    """
    known = {**SUPERNET_RECIPES, **RECIPES}
    if name not in known:
        raise unknown("recipe", name, known)
    return SupernetRecipe.of(known[name])


def stored_recipe(fields: Mapping[str, Any]) -> TrainingRecipe:
    """Return a recipe of either kind from the fields that `dataclasses.asdict` gave.

    Raises:
        TypeError: a field is missing or unknown.
        ParameterError: a field has a value that is not allowed.

    >>> stored_recipe(dataclasses.asdict(RECIPES["digits"])) == RECIPES["digits"]
    True
    """
    plain = {field.name for field in dataclasses.fields(TrainingRecipe)}
    return TrainingRecipe(**fields) if fields.keys() <= plain else SupernetRecipe(**fields)
