"""The table: 39 networks trained on handwritten digits, from a file that comes with the package."""

import csv
import io

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import make_space
from nasbench_lab.tables import Description, Metric, Recipe
from nasbench_lab.tables.fetching.sources import PackageFile

FILE = PackageFile(
    package="my-space",
    version="0.1.0",
    path="my_space/measurements.csv",
    licence="CC0-1.0",
    sha256="b63c55c7b7873706469b018452e56715ba7beca1e60339af870d1a4790b71948",
)


def read(description, files):
    """Return the values of every metric, shape (architectures, epochs, seeds)."""
    space = make_space(description.space)
    try:
        rows = list(csv.DictReader(io.StringIO(files[0].decode())))
        place = (
            space.parse([row["architecture"] for row in rows]),
            [description.fidelities.index(int(row["epoch"])) for row in rows],
            [int(row["seed"]) for row in rows],
        )
        values = {}
        for metric in description.metrics:
            values[metric.name] = np.full((space.size, len(description.fidelities), len(description.repeats)), np.nan)
            values[metric.name][place] = [float(row[metric.name]) for row in rows]
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"the measurements of {description.name} cannot be read: {error!r}") from error
    return values, {}


RECIPE = Recipe(
    Description(
        name="my-space/digits",
        title="Multilayer perceptrons on hardened digits: 20 epochs, 3 seeds",
        space={"name": "perceptron"},
        fidelities=(5, 10, 20),
        repeats=("0", "1", "2"),
        metrics=(
            Metric("valid_accuracy", "valid", "percent", "maximize", "accuracy after the epoch"),
            Metric("test_accuracy", "test", "percent", "maximize", "accuracy after the epoch"),
            Metric("seconds", "none", "s", "minimize", "from the start of training to the end of the epoch"),
        ),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("seconds",),
        resumable=True,
        licence="CC0-1.0",
        citation="@misc{my2025space, author = {Me}, title = {My space}, year = {2025}}",
        source="measure.py of the package my-space",
    ),
    (FILE,),
    importer=read,
)
