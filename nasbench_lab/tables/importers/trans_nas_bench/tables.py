"""TransNAS-Bench-101 from NASLib: one validation metric of every architecture on seven tasks, and a zero-cost score.

The official file has all learning curves, but its download needs an account (``official.py`` beside this file reads
it). Two zip archives in the repository of NASLib have what a search needs. Their members have names such as
``zen/benchmark--transbench101_micro--class_scene--0.json`` and are lists of architectures with the digits of their
notation, the metric after the last epoch, and the Zen-NAS score with its computation time in seconds.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.spaces.base import Space
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.naslib_archives import NO_SCORE, SUITE_ZERO_CITATION, rows
from nasbench_lab.tables.importers.trans_nas_bench.tasks import CITATION, SPACES, TASKS, table_name
from nasbench_lab.tables.recipe import Arrays, Recipe

_FILES = {
    "micro": GitHubFile(
        "automl/NASLib",
        "7a5496e2211d8ab65da40e0e2d5333aba87df614",
        "naslib/data/zc_benchmarks/all_benchmarks_zen.zip",
        "Apache-2.0",
        "d70d3ddcda2264806a467d3fb3840e8ce04c5b0129776110a62018ea68e6d7f2",
    ),
    "macro": GitHubFile(
        "automl/NASLib",
        "eba9f98038440ba2f246f6054ebd7ba55ad38b3a",
        "run/results/benchmarks/tnb101_macro_zen.zip",
        "Apache-2.0",
        "c34526c4f37f06205e61efeeb80bce5340dbce555ad558a10d6a897258d0de7b",
    ),
}
_DIGITS = re.compile(r"\([0-9](?:, [0-9]){0,15}\)", re.ASCII)

_ZEN = "Zen-NAS score of the untrained network; missing where it is not finite (published as -1e8)"


def _describe(space: str, name: str) -> Description:
    task = TASKS[name]
    valid = task.metric("valid", ("architecture",))
    negative = task.quantity == "neg_loss"
    return Description(
        name=table_name(space, name),
        title=f"TransNAS-Bench-101 on {task.title}: {'cells' if space == 'micro' else 'skeletons'}",
        space={"name": f"trans-{space}"},
        fidelities=(task.epochs,),
        repeats=("the one training",),
        metrics=(
            valid,
            Metric("zen", "none", "", "maximize", _ZEN, ("architecture",)),
            Metric("zen_seconds", "none", "s", "minimize", "seconds that the score took", ("architecture",)),
        ),
        valid=valid.name,
        test=None,
        licence="Apache-2.0",
        citation=f"{CITATION}\n\n{SUITE_ZERO_CITATION}",
        source=str(_FILES[space]),
        notes=(
            "Only the validation metric after the last epoch is published here: no test metric, curves or times.",
            *(("The metric is a loss with its sign turned, so it is negative; 0 is the best.",) if negative else ()),
        ),
    )


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    prefix, task = description.name.split("/")
    kind = prefix.rpartition("-")[2]
    benchmark = f"transbench101_{kind}"
    space = spaces.make_space(description.space)
    columns = np.full((3, space.size), np.nan)
    for row in rows(files[0], re.compile(rf"zen/benchmark--{benchmark}--{task}--[0-9]{{1,6}}\.json")):
        index, numbers = _parse(row, space, _NOTATIONS[kind])
        if not np.isnan(columns[0, index]):
            raise DataError(f"the archive of {description.name} has architecture {space.format(index)!r} twice")
        columns[:, index] = numbers
    missing = int(np.isnan(columns[0]).sum())
    if missing:
        raise DataError(f"the archive of {description.name} lacks {missing} of {space.size} architectures")
    valid, score, seconds = columns
    values = {"zen": np.where(score == NO_SCORE, np.nan, score), "zen_seconds": seconds}
    return {description.objective.name: valid, **values}, {}


def _parse(row: Any, space: Space, notation: Callable[[str], str]) -> tuple[int, tuple[float, float, float]]:
    """Return the index of the architecture of a row, and its metric, score and seconds."""
    try:
        digits, found = row["arch"], (row["val_accuracy"], row["zen"]["score"], row["zen"]["time"])
    except (KeyError, TypeError) as error:
        raise DataError(f"an architecture in the archive lacks a field: {error!r}") from error
    if not isinstance(digits, str) or not _DIGITS.fullmatch(digits):
        raise DataError("an architecture in the archive is not written as digits")
    if not all(type(number) is float and math.isfinite(number) for number in found):
        raise DataError(f"architecture {digits} in the archive has a value that is not a finite number")
    try:
        return space.parse(notation(digits[1::3])), found
    except ValueError as error:
        raise DataError(f"the archive has an architecture outside the space: {first_line(error)}") from error


_NOTATIONS: dict[str, Callable[[str], str]] = {
    "micro": lambda digits: f"64-41414-{digits[:1]}_{digits[1:3]}_{digits[3:]}",
    "macro": lambda digits: f"64-{digits}-basic",
}
"""What the digits of the archives are in official notation."""


RECIPES = tuple(
    Recipe(_describe(space, task), (_FILES[space],), _read) for space, task in itertools.product(SPACES, TASKS)
)
