"""How well the shared weights of a supernet rank architectures: `ranking`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nasbench_lab.analysis.ranked_scores import RankedScores, rank_scores
from nasbench_lab.analysis.score_rankings import PICKS
from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import AtLeast, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces import Space
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.train.chosen_datasets import AnyDataset, dataset_of, load_dataset, shape_of
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_recipe
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.supernets.supernet import Supernet
from nasbench_lab.train.recipes import TrainingRecipe

Architectures = int | Sequence[int | str] | IntArray | None
"""The number of architectures to sample, the architectures themselves (indices or notations), or None for all."""

SPLITS = ("valid", "test")


def ranking(
    supernet: Supernet,
    table: Table | str,
    *,
    dataset: AnyDataset | None = None,
    architectures: Architectures = None,
    seed: int = 0,
    split: str = "valid",
    picks: Sequence[int] = PICKS,
    recipe: TrainingRecipe | None = None,
) -> RankedScores:
    """Score architectures with the shared weights, and compare the scores with the values of a table.

    Architectures that are the same network are scored once.

    Args:
        supernet: trained network with shared weights.
        table: knows the true values; or its name, or the path of its file.
        dataset: gives the images that are scored; by default the data set that the name of the table contains.
        architectures: a number of different networks to sample, or architectures (indices or notations); by default
            all different networks with a value, 5,234 in the topology space.
        seed: of the sample, and of the batches that recalibrate normalisations.
        split: images to score on, ``"valid"`` or ``"test"``.
        picks: numbers of architectures that are picked by score.
        recipe: gives the batches that recalibrate normalisations; by default the usual one of the data set.

    Returns:
        The scores with their rank correlations, precisions and regrets. All of these are those among the scored
        architectures: with a sample, the regret is the distance from the best of the sample.

    Raises:
        ParameterError: the supernet is not one of the table's space or of the data set's images, or an argument is
            not allowed.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.train.one_shot import make_supernet
    >>> table = nl.load("digits/topology")
    >>> supernet = make_supernet(table.space, image=(1, 8, 8), classes=10, options={"channels": 2, "cells": 1})
    >>> found = ranking(supernet, table, architectures=20)
    >>> len(found.scores), sorted(found.valid.kendall)
    (20, [0.1, 0.2, 0.5, 1.0])
    """
    if not isinstance(supernet, Supernet):
        raise ParameterError(f"ranking needs a supernet, such as supernet(0) of a trace, got {shortened(supernet)}")
    known = table if isinstance(table, Table) else load_table(table)
    one_of("split", split, SPLITS)
    chosen = chosen_networks(known, architectures, seed)
    places = places_in(supernet.space, known, chosen)
    data = matching_dataset(supernet, dataset_of(known) if dataset is None else dataset)
    batches = scoring_batches(supernet, data, recipe or default_recipe(data.name), seed)
    start = time.process_time()
    scores = score(supernet, batches, places.tolist(), split)
    return rank_scores(known, chosen, scores, picks=picks, seconds=time.process_time() - start)


def chosen_networks(table: Table, architectures: Architectures = None, seed: int = 0) -> NDArray[np.int64]:
    """Return the architectures to score, ascending, the first of each different network that has a value.

    Args:
        table: knows which architectures have a value.
        architectures: see `ranking`.
        seed: of the sample.

    Raises:
        ParameterError: there are none, or a number is not allowed.
        OutOfSpaceError: there is no such architecture.
    """
    valued = np.flatnonzero(~np.isnan(table.mean_values(table.objective.name)))
    if architectures is not None and not isinstance(architectures, int | np.integer):
        given = np.array([table.space.resolve(each) for each in architectures], dtype=np.int64)
        valued = np.intersect1d(valued, given)
    if not len(valued):
        raise ParameterError(f"table {table.name!r} has no {table.objective.name} of any of the architectures")
    _, first = np.unique(representatives(table.space)[valued], return_index=True)
    distinct = np.sort(valued[first])
    if not isinstance(architectures, int | np.integer):
        return distinct
    count = whole("the number of architectures", architectures, AtLeast(1))
    if count >= len(distinct):
        return distinct
    random = np.random.Generator(np.random.Philox(whole("seed", seed, AtLeast(0))))
    return np.sort(random.choice(distinct, count, replace=False))


def places_in(space: Space, table: Table, architectures: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices that architectures of a table have in the space of a supernet.

    Raises:
        ParameterError: these are not the same architectures.
    """
    one, other = ((each.parent or each).spec() for each in (space, table.space))
    if one != other:
        raise ParameterError(
            f"the supernet is one of the space {space.name!r}, but table {table.name!r} has {table.space.name!r}"
        )
    places = np.asarray(space.find(table.space.codes(architectures)), dtype=np.int64)
    if (places < 0).any():
        raise ParameterError(f"{int((places < 0).sum())} architectures are not in the space of the supernet")
    return places


def matching_dataset(supernet: Supernet, dataset: AnyDataset) -> Dataset:
    """Load a data set, if the supernet takes its images.

    Raises:
        ParameterError: the supernet takes other images or has another number of classes.
        DataError: files are missing or damaged.
    """
    name, image, classes = shape_of(dataset)
    if (image, classes) != (supernet.image, supernet.classes):
        taken, given = (" x ".join(map(str, size)) for size in (supernet.image, image))
        raise ParameterError(
            f"the supernet takes images of {taken} and has {supernet.classes} classes, but {name!r} has images of "
            f"{given} and {classes} classes; give dataset="
        )
    return load_dataset(dataset)


def scoring_batches(supernet: Supernet, dataset: Dataset, recipe: TrainingRecipe, seed: int) -> ImageBatches:
    """Return the batches of images that a supernet is scored on, on its device."""
    device = next((each.device for each in supernet.parameters()), torch.device("cpu"))
    return ImageBatches(dataset, recipe, [seed], device)
