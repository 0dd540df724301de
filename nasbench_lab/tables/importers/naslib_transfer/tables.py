"""NAS-Bench-Suite-Zero on SVHN, NinaPro and spherical CIFAR-100: accuracies and thirteen zero-cost scores.

One zip archive in the repository of NASLib has a member per score, space and data set, with names such as
``zen/benchmark--nasbench201--svhn--0.json``. Each is a list of the same architectures: an architecture as numbers, its
accuracy in percent, and the score with its computation time in seconds. The accuracy is the same in all thirteen
members of a space and data set.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line, shortened
from nasbench_lab.spaces.base import Space
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.columns.naslib import official_notations
from nasbench_lab.tables.importers.naslib_archives import NO_SCORE, SUITE_ZERO_CITATION, rows
from nasbench_lab.tables.importers.naslib_transfer.members import MEMBERS
from nasbench_lab.tables.recipe import Arrays, Recipe

_FILE = GitHubFile(
    "automl/NASLib",
    "8c45f19dc259956c3bd253071135c798ad3df8ce",
    "run/results/benchmarks/9x_all.zip",
    "Apache-2.0",
    "17afb91c43dbf2d429ad79c57fbb5838f390a980648731753eb90da81bb2de62",
)
_ACCURACY = "valid_accuracy"
_AXES = ("architecture",)


class _Sample(NamedTuple):
    """Some architectures of a space.

    Attributes:
        space: name of the space.
        published: what the archive calls it.
        title: what the architectures are.
    """

    space: str
    published: str
    title: str


_SAMPLES = {
    "topology": _Sample("topology", "nasbench201", "199 cells of NAS-Bench-201"),
    "darts": _Sample("darts", "nasbench301", "199 pairs of DARTS cells"),
    "micro": _Sample("trans-micro", "transbench101_micro", "192 cells of TransNAS-Bench-101"),
}
"""Last part of a table's name before the data set, to its architectures."""

_DATASETS = {
    "svhn": ("SVHN", "26,032, as many as SVHN's test set has"),
    "ninapro": ("NinaPro", "659"),
    "scifar100": ("spherical CIFAR-100", "10,000, as many as CIFAR-100's test set has"),
}
"""Name of a data set in the archive, to its title and the number of images that its accuracies count."""

_SCORES = {
    "epe_nas": ("", "EPE-NAS: how well gradients separate the classes"),
    "fisher": ("", "Fisher: squared products of activations and their gradients"),
    "flops": ("millions", "floating-point operations of one image, as a score"),
    "grad_norm": ("", "norm of the gradients"),
    "grasp": ("", "GraSP: change of the gradient flow"),
    "jacov": ("", "Jacobian covariance"),
    "l2_norm": ("", "norm of the weights"),
    "nwot": ("", "NASWOT: log-determinant of the overlap of activations"),
    "params": ("millions", "parameters, as a score"),
    "plain": ("", "sum of the products of weights and their gradients"),
    "snip": ("", "SNIP: sum of |weight * its gradient|"),
    "synflow": ("", "Synflow, as its logarithm"),
    "zen": ("", "Zen-NAS"),
}
"""Name of a score to its unit and description."""


def _describe(name: str, dataset: str) -> Description:
    sample, (title, images) = _SAMPLES[name], _DATASETS[dataset]
    return Description(
        name=f"nas-bench-suite-zero-{name}/{dataset}",
        title=f"NAS-Bench-Suite-Zero on {title}: {sample.title}",
        space={"name": "subset", "parent": {"name": sample.space}, "members": MEMBERS[sample.space]},
        fidelities=(1,),
        repeats=("the one training",),
        metrics=(
            Metric(_ACCURACY, "valid", "percent", "maximize", "after the training, as published", _AXES),
            *itertools.chain.from_iterable(_score_metrics(score) for score in _SCORES),
        ),
        valid=_ACCURACY,
        test=None,
        licence="Apache-2.0",
        citation=SUITE_ZERO_CITATION,
        source=str(_FILE),
        notes=(
            f"The accuracy is published as validation accuracy. It counts images in units of 1 in {images}.",
            "The training counts as one epoch, as the archive does not state its length. It has no times, either.",
            "Only one training of every architecture is published, without a second split.",
        ),
    )


def _score_metrics(score: str) -> tuple[Metric, Metric]:
    unit, text = _SCORES[score]
    described = f"{text}; of the untrained network, missing where it is not finite (published as -1e8)"
    return (
        Metric(score, "none", unit, "maximize", described, _AXES),
        Metric(f"{score}_seconds", "none", "s", "minimize", "seconds that the score took", _AXES),
    )


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    name, dataset = description.name.removeprefix("nas-bench-suite-zero-").split("/")
    sample = _SAMPLES[name]
    index_of = _Indices(sample.space, spaces.make_space(description.space))
    values: Arrays = {}
    for score in _SCORES:
        wanted = re.compile(re.escape(f"{score}/benchmark--{sample.published}--{dataset}--") + r"[0-9]{1,6}\.json")
        accuracy, found, seconds = _columns(rows(files[0], wanted), score, index_of, description.name)
        if not np.array_equal(values.setdefault(_ACCURACY, accuracy), accuracy):
            raise DataError(f"the accuracies of {description.name} beside {score} are not those beside other scores")
        values[score] = np.where(found == NO_SCORE, np.nan, found)
        values[f"{score}_seconds"] = seconds
    return values, {}


class _Indices:
    """The indices of architectures that are written as in the archive; each is parsed once for all scores."""

    def __init__(self, kind: str, space: Space) -> None:
        self._kind = kind
        self._known: dict[str, int] = {}
        self.space = space

    def __call__(self, text: Any) -> int:
        if not isinstance(text, str):
            raise DataError(f"the archive has {shortened(text)} in place of an architecture of {self._kind}")
        if text not in self._known:
            self._known[text] = self._parse(text)
        return self._known[text]

    def _parse(self, text: str) -> int:
        notations = official_notations(self._kind, [text])
        if notations is None:
            raise DataError(f"the archive has {shortened(text)} in place of an architecture of {self._kind}")
        try:
            return self.space.parse(notations[0])
        except ValueError as error:
            raise DataError(f"the archive has an architecture that is not in the table: {first_line(error)}") from error


def _columns(
    published: Iterable[Any], score: str, index_of: _Indices, name: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return accuracy, score and seconds of every architecture, in the order of the space."""
    size = index_of.space.size
    columns = np.full((3, size), np.nan)
    for row in published:
        text, numbers = _fields(row, score)
        index = index_of(text)
        if not np.isnan(columns[0, index]):
            raise DataError(f"the archive has architecture {shortened(text)} of {name} twice with {score}")
        columns[:, index] = numbers
    missing = int(np.isnan(columns[0]).sum())
    if missing:
        raise DataError(f"the archive lacks {missing} of {size} architectures of {name} with {score}")
    return columns[0], columns[1], columns[2]


def _fields(row: Any, score: str) -> tuple[Any, tuple[float, float, float]]:
    """Return the architecture of a row, and its accuracy, score and seconds."""
    try:
        text, numbers = row["arch"], (row["val_accuracy"], row[score]["score"], row[score]["time"])
    except (KeyError, TypeError) as error:
        raise DataError(f"an architecture in the archive lacks a field: {error!r}") from error
    if not all(type(number) is float and math.isfinite(number) for number in numbers):
        raise DataError(f"architecture {shortened(text)} in the archive has a value that is not a finite number")
    if not 0 <= numbers[0] <= 100 or numbers[2] < 0:
        raise DataError(f"architecture {shortened(text)} in the archive has an accuracy or a time that is impossible")
    return text, numbers


RECIPES = tuple(
    Recipe(_describe(name, dataset), (_FILE,), _read) for name, dataset in itertools.product(_SAMPLES, _DATASETS)
)
