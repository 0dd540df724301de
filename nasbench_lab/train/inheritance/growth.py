"""Progressive growth: a small network is trained, grown without changing its function, trained further, and so on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.records import Records
from nasbench_lab.spaces import Space
from nasbench_lab.train.chosen_datasets import AnyDataset, load_dataset
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.inheritance.channel_flow import Split
from nasbench_lab.train.inheritance.inherited import InheritedWeights
from nasbench_lab.train.inheritance.net2net import keep_function
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.single_training import TableOrSpace, TrainedNetwork, network, space_of, train


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """One network of a growth.

    Attributes:
        architecture: in the notation of the space.
        trained: the trained network.
        inherited: the weights that it started from; None for the first.
        seconds: of its training, and of the growth before.
    """

    architecture: str
    trained: TrainedNetwork
    inherited: InheritedWeights | None
    seconds: float


@dataclasses.dataclass(frozen=True, eq=False)
class GrownNetwork:
    """A network that was grown from small to large.

    Attributes:
        stages: the networks, from the smallest to the last.
    """

    stages: tuple[Stage, ...]

    @property
    def network(self) -> nn.Module:
        """The last network, ready to predict."""
        return self.stages[-1].trained.network

    @property
    def seconds(self) -> float:
        """Seconds of all stages: what the last network has cost."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(len(stage.trained.curve["seconds"]) for stage in self.stages)

    def records(self) -> Records:
        """Return the learning curve, one row per epoch of any stage; ``seconds`` are those from the start."""
        columns: dict[str, list[Any]] = {"architecture": [], "epoch": [], "valid_accuracy": [], "seconds": []}
        before = 0.0
        for stage in self.stages:
            curve = stage.trained.curve
            spent = before + stage.seconds - float(curve["seconds"].sum())
            for accuracy, seconds in zip(curve["valid_accuracy"].tolist(), curve["seconds"].tolist(), strict=True):
                spent += seconds
                columns["architecture"].append(stage.architecture)
                columns["epoch"].append(len(columns["epoch"]) + 1)
                columns["valid_accuracy"].append(accuracy)
                columns["seconds"].append(spent)
            before += stage.seconds
        return Records({name: np.array(values) for name, values in columns.items()})


def grow(
    table_or_space: TableOrSpace,
    path: Sequence[int | str],
    dataset: AnyDataset = "digits",
    recipe: TrainingRecipe | str | None = None,
    *,
    epochs: int | Sequence[int],
    seed: int = 0,
    split: Split = "random",
    patience: int | None = None,
    device: str = "cpu",
    **options: int,
) -> GrownNetwork:
    """Train a small network, and grow it step by step into larger ones that start with its function.

    Every network is trained with the whole learning rate schedule of the recipe for its epochs, and starts from the
    weights of the one before, see `keep_function`.

    Args:
        table_or_space: a table or space with networks, or its name.
        path: architectures from small to large, as indices or in notation. `growth_path` finds one.
        dataset: what they are trained on.
        recipe: how they are trained, see `nasbench_lab.train.train`.
        epochs: of every network, or one number for each.
        seed: of the first weights, the order of the images and the choices of the growth.
        split: how the copies of an output share what the next layer takes from it.
        patience: stop after this many networks in a row that are no better on validation than the best before them;
            None trains all.
        device: name of a torch device.
        options: of the networks, e.g. ``channels``.

    Raises:
        ParameterError: an architecture cannot compute what the one before computes, or a setting is not allowed.

    >>> small = "conv3x3-4|relu|max-pool|identity|relu|identity"
    >>> large = "conv3x3-8|relu|max-pool|conv3x3-8|relu|identity"
    >>> growth = grow("digits/chain", [small, large], epochs=[2, 1])
    >>> growth.epochs, growth.stages[1].inherited.keeps_function
    (3, True)
    """
    space = space_of(table_or_space)[0]
    names = [space.format(space.resolve(architecture)) for architecture in path]
    if not names:
        raise ParameterError("a growth needs a path of at least one architecture")
    budgets = _epochs(epochs, len(names))
    allowed = None if patience is None else whole("patience", patience, AtLeast(1))
    data = load_dataset(dataset)
    given: dict[str, Any] = dict(options)
    networks = [network(table_or_space, name, dataset=data, seed=seed, **given) for name in names]
    for larger, smaller in zip(networks[1:], networks, strict=False):  # what cannot be grown is found before training
        keep_function(larger, smaller, seed=seed, split=split)
    stages: list[Stage] = []
    for name, current, budget in zip(names, networks, budgets, strict=True):
        start, inherited = training_clock(torch.device("cpu")), None
        if stages:
            inherited = keep_function(current, stages[-1].trained.network, seed=seed, split=split)
        took = training_clock(torch.device("cpu")) - start
        trained = train(current, data, recipe, epochs=budget, seed=seed, device=device)
        stages.append(Stage(name, trained, inherited, took + trained.seconds))
        if allowed is not None and _without_gain(stages) >= allowed:
            break
    return GrownNetwork(tuple(stages))


def growth_path(
    table_or_space: TableOrSpace,
    small: int | str,
    large: int | str,
    dataset: AnyDataset = "digits",
    **options: int,
) -> list[str]:
    """Return a path of architectures from small to large, each of which can compute what the one before computes.

    A step changes one code. If no order of the changes keeps the function, all are made in one step.

    Args:
        table_or_space: a table or space with networks, or its name.
        small: the first architecture, as index or in notation.
        large: the last.
        dataset: for which the networks are built.
        options: of the networks.

    Raises:
        ParameterError: the large network cannot compute what the small one computes.

    >>> small = "conv3x3-4|relu|max-pool|identity|relu|identity"
    >>> large = "conv5x5-8|relu|max-pool|conv3x3-8|relu|identity"
    >>> for architecture in growth_path("digits/chain", small, large):
    ...     print(architecture)
    conv3x3-4|relu|max-pool|identity|relu|identity
    conv3x3-4|relu|max-pool|conv3x3-8|relu|identity
    conv5x5-8|relu|max-pool|conv3x3-8|relu|identity
    """
    space = space_of(table_or_space)[0]
    data = load_dataset(dataset)
    first, last = space.resolve(small), space.resolve(large)
    given: dict[str, Any] = dict(options)

    def built(architecture: int) -> nn.Module:
        return network(table_or_space, architecture, dataset=data, **given)

    def grows(larger: int, smaller: int) -> bool:
        try:
            keep_function(built(larger), built(smaller))
        except ParameterError:
            return False
        return True

    found = _steps(space, first, last, grows, set())
    if found is None:
        keep_function(built(last), built(first))
        found = [first, last]
    return [space.format(architecture) for architecture in found]


def _steps(space: Space, first: int, last: int, grows: Any, hopeless: set[int]) -> list[int] | None:
    """Return architectures from first to last, of which each changes one code; None if there is no such path."""
    if first == last:
        return [first]
    here, end = space.codes(first), space.codes(last)
    for position in (here != end).nonzero()[0].tolist()[::-1]:
        codes = here.copy()
        codes[position] = end[position]
        step = int(space.find(codes))
        if step < 0 or step in hopeless or not grows(step, first):
            continue
        rest = _steps(space, step, last, grows, hopeless)
        if rest is not None:
            return [first, *rest]
        hopeless.add(step)
    return None


def _epochs(epochs: int | Sequence[int], networks: int) -> list[int]:
    given = [epochs] * networks if isinstance(epochs, int) else list(epochs)
    if len(given) != networks:
        raise ParameterError(f"a path of {networks} architectures needs as many numbers of epochs, got {len(given)}")
    return [whole("epochs", each, AtLeast(1)) for each in given]


def _without_gain(stages: Sequence[Stage]) -> int:
    """Return how many of the last networks are no better on validation than the best before them."""
    accuracy = [float(stage.trained.metrics["valid_accuracy"]) for stage in stages]
    best = max(range(len(accuracy)), key=accuracy.__getitem__)
    return len(accuracy) - 1 - best
