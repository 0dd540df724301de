"""NAS-Bench-NLP on WikiText-2: learning curves of 345 trainings of recurrent networks.

A zip archive in the repository of the authors has one JSON object per training: the cell as a recipe, the
hyperparameters, the loss on the three parts of the data after each of 50 epochs (mean negative log-likelihood of a
word, in nats), and the seconds that each epoch of training took. A training whose loss is not a number ends there.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line, shortened
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nas_bench_nlp.cells import CELLS
from nasbench_lab.tables.recipe import Arrays, Recipe

_FILE = GitHubFile(
    "fmsnew/nas-bench-nlp-release",
    "a6d90a3b19e3966b1d009c0970b3761aa46707d1",
    "train_logs_wikitext-2/logs.zip",
    "Apache-2.0",
    "f5052d6bea6398001e32c986322a243e8cdedffa906caf242eb0a62ee105aa12",
)
_CITATION = """@article{klyuchnikov2022nasbenchnlp,
  title   = {{NAS-Bench-NLP}: Neural Architecture Search Benchmark for Natural Language Processing},
  author  = {Klyuchnikov, Nikita and Trofimov, Ilya and Artemova, Ekaterina and Salnikov, Mikhail and Fedorov, Maxim and
             Filippov, Alexander and Burnaev, Evgeny},
  journal = {IEEE Access},
  volume  = {10},
  pages   = {45736--45747},
  year    = {2022}
}"""
_EPOCHS = 50
_TRAININGS = 345
_MOST_REPEATS = 14
_MOST_BYTES = 2**20  # of one member; the largest has 16,000
_DATA = "data/wikitext-2"
_LOSSES = {"train_perplexity": "train_losses", "valid_perplexity": "val_losses", "test_perplexity": "test_losses"}

_DESCRIPTION = Description(
    name="nas-bench-nlp/wikitext-2",
    title="NAS-Bench-NLP on WikiText-2: recurrent networks, learning curves",
    space={"name": "recurrent-cells", "cells": CELLS},
    fidelities=tuple(range(1, _EPOCHS + 1)),
    repeats=tuple(f"training {number}" for number in range(1, _MOST_REPEATS + 1)),
    metrics=(
        Metric("train_perplexity", "train", "perplexity", "minimize", "exp of the published loss, after the epoch"),
        Metric("valid_perplexity", "valid", "perplexity", "minimize", "exp of the published loss, after the epoch"),
        Metric("test_perplexity", "test", "perplexity", "minimize", "exp of the published loss, after the epoch"),
        Metric("train_seconds", "none", "s", "minimize", "of all epochs so far, without evaluation"),
        Metric("parameters", "none", "millions", "minimize", "of the network, with its embedding", ("architecture",)),
    ),
    valid="valid_perplexity",
    test="test_perplexity",
    cost=("train_seconds",),
    resumable=True,
    licence="Apache-2.0",
    citation=_CITATION,
    source=str(_FILE),
    notes=(
        "The 345 trainings are of 265 different cells: 53 cells were trained 2 to 14 times, the others once.",
        "Recipes that differ in the names or the order of nodes only are the same cell.",
        "Four trainings ended early with a loss that is not a number. They have no value from that epoch on.",
        "Seconds are those of training alone. They do not include the evaluation after every epoch.",
    ),
)


class _Training(NamedTuple):
    cell: int
    perplexities: dict[str, FloatArray]
    seconds: FloatArray
    parameters: float


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    space = spaces.make_space(description.space)
    shape = (space.size, _EPOCHS, _MOST_REPEATS)
    values: Arrays = {name: np.full(shape, np.nan) for name in (*_LOSSES, "train_seconds")}
    values["parameters"] = np.full(space.size, np.nan)
    count = np.zeros(space.size, dtype=np.int64)
    for name, content in _members(files[0]):
        training = _training(name, content, space)
        cell, repeat = training.cell, count[training.cell]
        if repeat == _MOST_REPEATS:
            raise DataError(f"the archive has more than {_MOST_REPEATS} trainings of one cell: {name!r} is too many")
        if repeat and values["parameters"][cell] != training.parameters:
            raise DataError(f"the number of parameters in {name!r} is not that of other trainings of the cell")
        count[cell] += 1
        values["parameters"][cell] = training.parameters
        values["train_seconds"][cell, :, repeat] = training.seconds
        for metric, curve in training.perplexities.items():
            values[metric][cell, : len(curve), repeat] = curve
    if (count == 0).any() or count.sum() != _TRAININGS:
        raise DataError(
            f"the archive has {count.sum()} trainings of {np.count_nonzero(count)} cells, not {_TRAININGS} of "
            f"{space.size}"
        )
    return values, {}


def _members(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the names and contents of all trainings, in the order of their names."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            if len(members) > 2 * _TRAININGS:
                raise DataError(f"the archive has {len(members)} members, not {_TRAININGS}")
            for member in members:
                with archive.open(member) as file:
                    text = file.read(_MOST_BYTES + 1)
                if len(text) > _MOST_BYTES:
                    raise DataError(f"{member.filename!r} in the archive has more than {_MOST_BYTES} bytes")
                yield shortened(member.filename)[1:-1], json.loads(text)
    except DataError:
        raise
    except Exception as error:  # a damaged archive or text can raise almost any exception
        raise DataError(f"the archive is damaged: {type(error).__name__}: {first_line(error)}") from error


def _training(name: str, content: Any, space: spaces.Space) -> _Training:
    try:
        data, recipe, parameters = content["data"], content["recepie"], content["num_params"]
        curves = {metric: _numbers(content[key], name, key) for metric, key in _LOSSES.items()}
        seconds = _numbers(content["wall_times"], name, "wall_times")
        finished = content["status"] == "OK"
    except (KeyError, TypeError) as error:
        raise DataError(f"{name!r} in the archive lacks a field: {error!r}") from error
    if data != _DATA:
        raise DataError(f"{name!r} in the archive is a training on {shortened(data)}, not on {_DATA}")
    if any(len(curve) != len(seconds) for curve in curves.values()) or finished != (len(seconds) == _EPOCHS):
        raise DataError(f"{name!r} in the archive has curves that are not of {_EPOCHS} epochs, but says otherwise")
    if not (seconds >= 0).all() or type(parameters) is not int or parameters <= 0:
        raise DataError(f"{name!r} in the archive has no possible seconds or number of parameters")
    for curve in curves.values():
        if (curve > 500).any() or np.isnan(curve[:-1]).any() or np.isnan(curve[-1:]).any() > (not finished):
            raise DataError(f"{name!r} in the archive has a loss that is not a usable number")
    total = np.cumsum(seconds)
    total = np.concatenate([total, np.full(_EPOCHS - len(total), total[-1])])  # nothing runs after a failure
    try:
        cell = space.parse(recipe) if isinstance(recipe, str) else None
    except ValueError as error:
        raise DataError(f"{name!r} in the archive has another cell: {first_line(error)}") from error
    if cell is None:
        raise DataError(f"{name!r} in the archive has {shortened(recipe)} in place of a recipe")
    return _Training(cell, {metric: np.exp(curve) for metric, curve in curves.items()}, total, parameters / 1e6)


def _numbers(content: Any, name: str, key: str) -> FloatArray:
    if not isinstance(content, list) or not 1 <= len(content) <= _EPOCHS:
        raise DataError(f"{key} of {name!r} in the archive is not a list of 1 to {_EPOCHS} numbers")
    if not all(type(number) is float and not math.isinf(number) for number in content):
        raise DataError(f"{key} of {name!r} in the archive has something else than finite numbers")
    return np.array(content)


RECIPES = (Recipe(_DESCRIPTION, (_FILE,), _read),)
