"""One network, trained once: the functions `network` and `train`."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import first_line, shortened
from nasbench_lab.records import Records
from nasbench_lab.spaces import Space, list_spaces, make_space
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.tables.description import AXES
from nasbench_lab.train.callbacks import Callback, GuardedCallbacks, TrainingRun
from nasbench_lab.train.chosen_datasets import AnyDataset, dataset_of, load_dataset, shape_of
from nasbench_lab.train.classification_metrics import MacroScores, confusion_matrix
from nasbench_lab.train.complexity import parameters
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_recipe
from nasbench_lab.train.described_networks import NetworkDescription, description_of
from nasbench_lab.train.devices import check_device, check_precision
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.recipes import recipe as recipe_named
from nasbench_lab.train.saved_weights import save_weights
from nasbench_lab.train.training import LearningCurves, Training
from nasbench_lab.train.training_details import training_details

if TYPE_CHECKING:
    import pandas as pd

TableOrSpace = Table | Space | str
"""A table, its name or the path of its file; or a space, or the name of a space without parameters."""

_MAX_SEED = 2**63


def network(
    table_or_space: TableOrSpace,
    architecture: int | str,
    *,
    dataset: AnyDataset | None = None,
    image: tuple[int, int, int] | None = None,
    classes: int | None = None,
    seed: int = 0,
    **options: int,
) -> nn.Module:
    """Build the network of an architecture, with the initial weights of a seed.

    Args:
        table_or_space: a table, its name or file; or a space or its name.
        architecture: index, or official notation.
        dataset: gives the size of the images, the number of classes and the usual options; by default the data set
            that the name of the table contains, such as ``nats-bench-tss/cifar100``, and otherwise CIFAR-10.
        image: channels, height and width of the images, if they are not those of the data set.
        classes: number of outputs, if it is not that of the data set.
        seed: of the initial weights. Torch's random state is unchanged.
        options: of the networks of the space, e.g. ``channels=16, cells=5``; the published values otherwise.

    Returns:
        A module from images, shape (batch, channels, height, width), to scores, shape (batch, classes).

    Raises:
        OutOfSpaceError: no such architecture.
        ParameterError: the space has no networks, or they do not take the options; or the table says that its networks
            have other numbers of parameters, and no options were given.

    >>> from nasbench_lab import train
    >>> net = train.network("topology", 11)  # as published for NAS-Bench-201 on CIFAR-10
    >>> sum(weights.numel() for weights in net.parameters())
    802426
    >>> net = train.network("digits/topology", 11)  # as in the table
    >>> net(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """
    space, table = space_of(table_or_space)
    index = space.resolve(architecture)
    family = networks_of(space)
    given = dataset is not None
    name, known_image, known_classes = shape_of(dataset if dataset is not None else dataset_of(table))
    description = NetworkDescription.of(
        space,
        index,
        image=image or known_image,
        classes=classes or known_classes,
        options={**family.default_options(name), **options},
    )
    found = description.build(_checked_seed(seed))
    if table is not None and not (given or image or classes or options):
        _check_parameters(found, table, index)
    return found


def train(
    network_or_architecture: nn.Module | tuple[TableOrSpace, int | str],
    dataset: AnyDataset = "digits",
    recipe: TrainingRecipe | str | None = None,
    *,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    precision: str = "float32",
    callbacks: Callback | Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> TrainedNetwork:
    """Train a network once, from one seed.

    Args:
        network_or_architecture: a network, which is copied and stays as it is; or a pair of a table or space and an
            architecture, of which `network` builds the network for the data set and seed.
        dataset: what it is trained on.
        recipe: how it is trained, or its name; by default our recipe for digits, and 200 epochs as in NATS-Bench for
            other data sets.
        epochs: number of epochs, if it is not that of the recipe.
        seed: of the order and augmentation of the images, and of the initial weights that are not given.
        device: name of a torch device.
        precision: ``"float32"``, or ``"bfloat16"`` for mixed precision.
        callbacks: what follows the training, see `nasbench_lab.train.callbacks`. If one raises an error, it is not
            called again, and the training goes on with a `CallbackWarning`.
        checkpoint: file that is written after every epoch. If it exists, the training resumes from it.
        name: of the training for callbacks; by default made from the architecture and seed.

    Raises:
        ParameterError: the network does not take the images or give a score per class, or a setting is not allowed.
        DataError: the data set or the checkpoint is damaged.

    >>> from nasbench_lab import train
    >>> result = train.train(("digits/topology", 11), "digits", epochs=2, seed=1)
    >>> result.curve["valid_accuracy"].shape, result.failed
    ((2,), False)
    >>> own = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    >>> train.train(own, "digits", epochs=3).metrics["test_accuracy"] > 20
    True
    """
    data, seed = load_dataset(dataset), _checked_seed(seed)
    how = recipe_named(recipe) if isinstance(recipe, str) else recipe or default_recipe(data.name)
    how = dataclasses.replace(how, epochs=epochs) if epochs is not None else how
    given = _network(network_or_architecture, data, seed)
    _check_outputs(given, data)
    description = description_of(given)
    training = Training(
        lambda _copies: copy.deepcopy(given),
        data,
        how,
        [seed],
        device=check_device(device),
        precision=check_precision(precision),
    )
    run = _run(description, data, how, seed, name)
    with GuardedCallbacks(callbacks) as called:
        called.start(run)

        def report(first: int, values: Mapping[str, Any]) -> None:
            for place in range(values["seconds"].shape[1]):
                row = {name: float(array[0, place]) for name, array in values.items()}
                called.epoch(run, first + place + 1, _finite(row))

        curves = training.finish(None if checkpoint is None else Path(checkpoint), report)
        result = _result(training, curves, description, seed)
        called.end(run, _finite(result.metrics), "failed" if result.failed else "finished")
    return result


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network.

    Attributes:
        network: on the CPU, ready to predict (in ``eval`` mode); with averaged weights if the recipe averages.
        curve: the quantities of `nasbench_lab.train.training.QUANTITIES` after every epoch, each of shape (epochs,);
            accuracies in percent.
        metrics: the values at the end, with macro averages over classes (``test_precision``, ``test_recall``,
            ``test_f1``, in percent), the number of ``parameters`` and the ``seconds`` of all epochs.
        failed: whether the training failed: a loss was not finite.
        details: recipe, data set, seed and so on, which `save` writes.
        description: what the network was built from; None for a network of your own.
    """

    network: nn.Module
    curve: Mapping[str, FloatArray]
    metrics: Mapping[str, float]
    failed: bool
    details: Mapping[str, Any]
    description: NetworkDescription | None

    @property
    def seconds(self) -> float:
        """Seconds of training and validation."""
        return self.metrics["seconds"]

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights, as `torch.nn.Module.load_state_dict` takes them."""
        return dict(self.network.state_dict())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the weights (``.pt``) and their details (``.json`` beside them), and return the path of the weights.

        `nasbench_lab.train.load` reads them.

        Raises:
            ParameterError: the name of the file does not end in ``.pt``.
            OutputError: a file cannot be written.
        """
        save_weights(Path(path), self.weights, self.description, self.details)
        return Path(path)

    def records(self) -> Records:
        """Return the learning curve, one row per epoch."""
        epochs = np.arange(1, len(self.curve["seconds"]) + 1)
        return Records({"epoch": epochs, **self.curve}, {"seconds": "s"})

    def to_frame(self) -> pd.DataFrame:
        """Return the learning curve as a pandas data frame, one row per epoch."""
        return self.records().to_frame()

    def __repr__(self) -> str:
        end = "failed" if self.failed else f"test accuracy {self.metrics['test_accuracy']:.4g} %"
        return f"<TrainedNetwork: {len(self.curve['seconds'])} epochs, {end}, {self.seconds:.3g} s>"


def _result(
    training: Training, curves: LearningCurves, description: NetworkDescription | None, seed: int
) -> TrainedNetwork:
    failed = bool(curves.failed[0])
    curve = {name: values[0] for name, values in curves.values.items()}
    metrics = {name: float(values[-1]) for name, values in curve.items()}
    metrics |= {"seconds": float(np.nansum(curve["seconds"])), "parameters": float(parameters(training.network))}
    if not failed:
        (predicted,), labels = training.predict("test")
        scores = MacroScores.from_confusion(confusion_matrix(labels, predicted, training.dataset.classes))
        metrics |= {f"test_{name}": value for name, value in dataclasses.asdict(scores).items()}
    details = training_details(
        training.dataset, training.recipe, seed, precision=training.precision, metrics=metrics, curve=curve
    )
    network = training.averaged.to("cpu", memory_format=torch.contiguous_format).eval()
    return TrainedNetwork(network, curve, metrics, failed, {**details, "failed": failed}, description)


def space_of(table_or_space: TableOrSpace) -> tuple[Space, Table | None]:
    """Return the space, and the table if it is that of one."""
    if isinstance(table_or_space, Space):
        return table_or_space, None
    if isinstance(table_or_space, str) and table_or_space in list_spaces():
        return make_space({"name": table_or_space}), None
    table = table_or_space if isinstance(table_or_space, Table) else load_table(table_or_space)
    return table.space, table


def _network(given: nn.Module | tuple[TableOrSpace, int | str], data: Dataset, seed: int) -> nn.Module:
    if isinstance(given, nn.Module):
        return given
    if isinstance(given, tuple) and len(given) == 2:
        return network(*given, dataset=data, seed=seed)
    raise ParameterError(f"give a network, or a pair of a table or space and an architecture, got {shortened(given)}")


def _check_outputs(network: nn.Module, data: Dataset) -> None:
    """Run a copy of a network on two images, so that what does not fit is found before the training."""
    try:
        with torch.no_grad():
            scores = copy.deepcopy(network).cpu().eval()(torch.zeros(2, *data.image))
    except Exception as error:  # torch raises all kinds
        raise ParameterError(
            f"the network does not take images of shape {data.image}, as those of {data.name!r}: {first_line(error)}"
        ) from error
    if not isinstance(scores, Tensor) or scores.shape != (2, data.classes):
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ParameterError(
            f"the network must give {data.classes} scores per image of {data.name!r}, got {shape} for 2"
        )


def _check_parameters(network: nn.Module, table: Table, index: int) -> None:
    """Refuse a network whose number of parameters is not that of the table, as its options were not known."""
    metric = next((each for each in table.description.metrics if each.name == "parameters"), None)
    if metric is None or metric.unit != "count" or metric.axes != AXES[:1]:
        return
    stated, counted = float(table.values("parameters")[index]), parameters(network)
    if np.isfinite(stated) and stated != counted:
        raise ParameterError(
            f"the networks of {table.name!r} were built otherwise ({counted:,} parameters instead of {stated:,.0f}): "
            "give dataset= and the options of the build, such as channels= and cells="
        )


def _run(
    description: NetworkDescription | None, data: Dataset, recipe: TrainingRecipe, seed: int, name: str | None
) -> TrainingRun:
    space = str(description.space["name"]) if description else ""
    architecture = description.architecture if description else ""
    if name is None and description is not None:
        name = f"{space} {make_space(description.space).parse(architecture)}, seed {seed}"
    return TrainingRun(name or f"network, seed {seed}", "", architecture, space, data.name, recipe, seed)


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _checked_seed(seed: int) -> int:
    return whole("seed", seed, AtLeast(0), Below(_MAX_SEED))
