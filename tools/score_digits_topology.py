"""Train supernets, score every network of digits/topology with them, and measure how well the scores rank.

The work takes about 75 minutes on one thread. It can be stopped: what is in the working folder is not done again.

    python tools/score_digits_topology.py study WORKING_FOLDER       # trains, scores, writes results/one-shot/scores
    python tools/score_digits_topology.py columns WORKING_FOLDER     # writes the scores into the packed table
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import nasbench_lab as nl
from nasbench_lab.analysis import ranking_quality
from nasbench_lab.files import atomic_path
from nasbench_lab.tables import Metric, Table, packed_tables, with_columns
from nasbench_lab.train.datasets import Dataset, digits
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.one_shot import (
    FairPaths,
    SupernetTraining,
    UniformPaths,
    calibrate,
    make_supernet,
    score,
)
from nasbench_lab.train.recipes import TrainingRecipe

TABLE = "digits/topology"
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results" / "one-shot" / "scores"
PACKED = ROOT / "data" / "tables" / "digits-topology.h5"
SAMPLERS = {"uniform": UniformPaths(), "fair": FairPaths()}
SAVE_EVERY = 20  # epochs
PICKS = (1, 10, 100)


@dataclasses.dataclass(frozen=True)
class Study:
    """What is trained and scored.

    Attributes:
        trainings: sampler and epochs of every supernet.
        columns: trainings that give columns of the table.
        running: trainings that are also scored with running statistics of batch normalisation.
        seeds: of the supernets, one per repeat of the table.
        options: of the networks, those of the table.
        networks: what is scored; all distinct networks of the space.
    """

    trainings: tuple[tuple[str, int], ...] = (
        ("uniform", 300),
        ("fair", 60),
        ("uniform", 60),
        ("fair", 300),
        ("uniform", 1500),
    )
    columns: tuple[tuple[str, int], ...] = (("uniform", 300), ("fair", 60))
    running: tuple[tuple[str, int], ...] = (("uniform", 300),)
    seeds: tuple[int, ...] = (0, 1, 2)
    options: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"channels": 8, "cells": 3})
    networks: Sequence[int] = ()

    def distinct_networks(self) -> NDArray[np.int64]:
        """Return the networks that are scored."""
        return np.asarray(self.networks) if self.networks else np.unique(representatives(nl.load(TABLE).space))

    def is_timed(self, sampler: str, epochs: int, seed: int, statistics: str) -> bool:
        """Return whether networks are scored one by one, to measure the seconds of each: with the first supernet.

        With other weights, a network takes as long.
        """
        return (sampler, epochs, seed, statistics) == (*self.columns[0], self.seeds[0], "batch")

    def scored(self) -> Iterator[tuple[str, int, int, str]]:
        """Return sampler, epochs, seed and statistics of all scores."""
        rest = [training for training in self.trainings if training not in self.columns]
        for part, statistics in ((self.columns, "batch"), (self.running, "running"), (rest, "batch")):
            for (sampler, epochs), seed in itertools.product(part, self.seeds):
                yield sampler, epochs, seed, statistics


@functools.cache
def images() -> Dataset:
    """Return the digits, made once."""
    return digits()


def trained(study: Study, sampler: str, epochs: int, seed: int, statistics: str, folder: Path) -> SupernetTraining:
    """Return a finished training, from its checkpoint where there is one."""
    supernet = make_supernet(
        nl.load(TABLE).space, image=(1, 8, 8), classes=10, seed=seed, statistics=statistics, options=study.options
    )
    recipe = TrainingRecipe("supernet", epochs=epochs, batch=50, learning_rate=0.1)
    training = SupernetTraining(supernet, SAMPLERS[sampler], images(), recipe, seed=seed)
    checkpoint = folder / f"{sampler}-{epochs}-{seed}.pt"
    if checkpoint.exists():
        training.load(checkpoint)
    for epoch in training.epochs():
        if epoch % SAVE_EVERY == 0 or epoch == epochs:
            training.save(checkpoint)
    return training


def scores(study: Study, sampler: str, epochs: int, seed: int, statistics: str, folder: Path) -> dict[str, Any]:
    """Return scores and seconds of all networks, and the seconds of the training."""
    stored = folder / f"{sampler}-{epochs}-{seed}-{statistics}.npz"
    if not stored.exists():
        training = trained(study, sampler, epochs, seed, statistics, folder)
        timed = study.is_timed(sampler, epochs, seed, statistics)
        values, seconds = (one_by_one if timed else together)(training, study.distinct_networks())
        print(f"{stored.stem}: trained {training.seconds:.1f} s, scored {seconds.sum():.1f} s", flush=True)
        with atomic_path(stored) as temporary, temporary.open("wb") as file:
            np.savez(file, scores=values, seconds=seconds, training=training.seconds)
    with np.load(stored) as arrays:
        return dict(arrays)


def together(training: SupernetTraining, networks: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scores of networks, and the same share of the seconds for each."""
    start = time.process_time()
    values = score(training.supernet, training.batches, networks)
    return values, np.full(len(networks), (time.process_time() - start) / len(networks))


def one_by_one(training: SupernetTraining, networks: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the scores of networks, and the seconds of scoring each of them alone."""
    values, seconds = np.empty(len(networks)), np.empty(len(networks))
    for place, network in enumerate(networks):
        start = time.process_time()
        values[place] = score(training.supernet, training.batches, [network])[0]
        seconds[place] = time.process_time() - start
    return values, seconds


def quality_rows(study: Study, folder: Path) -> Iterator[dict[str, str]]:
    """Return how well the scores of every supernet rank the distinct networks."""
    table, networks = nl.load(TABLE), study.distinct_networks()
    for sampler, epochs, seed, statistics in study.scored():
        found = scores(study, sampler, epochs, seed, statistics, folder)
        for truth in ("valid_accuracy", "test_accuracy"):
            quality = ranking_quality(found["scores"], table.mean_values(truth)[networks], picks=PICKS)
            yield {
                "paths": sampler,
                "epochs": str(epochs),
                "statistics": statistics,
                "seed": str(seed),
                "truth": truth,
                "networks": str(quality.architectures),
                "training seconds": f"{float(found['training']):.1f}",
                "scoring seconds": f"{found['seconds'].sum():.1f}",
                **{f"Kendall, best {share:.0%}": f"{tau:.4f}" for share, tau in quality.kendall.items()},
                **{f"Spearman, best {share:.0%}": f"{rho:.4f}" for share, rho in quality.spearman.items()},
                **{f"precision of the best {k}": f"{value:.3f}" for k, value in quality.precision.items()},
                **{f"regret of the best {k}": f"{max(0.0, value):.2f}" for k, value in quality.regret.items()},
            }


def with_scores(study: Study, table: Table, folder: Path, scale: float) -> Table:
    """Return the table with columns of scores, one repeat per seed.

    Equal networks have equal scores and seconds.

    Args:
        study: what was trained and scored.
        table: the table.
        folder: working folder.
        scale: seconds of the table per measured second.
    """
    networks, shared = study.distinct_networks(), representatives(table.space)
    place = np.full(table.space.size, -1)
    place[networks] = np.arange(len(networks))
    known = place[shared] >= 0
    seconds = scale * scores(study, *study.columns[0], study.seeds[0], "batch", folder)["seconds"]
    metrics: list[Metric] = []
    values: dict[str, NDArray[np.float32]] = {}
    for sampler, epochs in study.columns:
        name = f"supernet_{sampler}"
        of_seeds = [scores(study, sampler, epochs, seed, "batch", folder) for seed in study.seeds]
        metrics += _metrics(name, f"a supernet trained for {epochs} epochs with {sampler} paths")
        found = np.stack([each["scores"] for each in of_seeds], axis=1)
        training = scale * np.array([float(each["training"]) for each in of_seeds])
        for column, array in {
            name: found,
            f"{name}_seconds": seconds,
            f"{name}_training_seconds": np.broadcast_to(training, found.shape),
        }.items():
            values[column] = np.full((table.space.size, *array.shape[1:]), np.nan, np.float32)
            values[column][known] = array[place[shared[known]]]
    return with_columns(table, metrics, values, notes=[NOTE])


NOTE = (
    "supernet_uniform and supernet_fair are accuracies with the shared weights of a supernet, one supernet per repeat; "
    "equal networks have the score of the first of them (docs/design/supernet-scores.md)."
)


def _metrics(name: str, what: str) -> list[Metric]:
    by_seed, accuracy = ("architecture", "repeat"), f"validation accuracy with the shared weights of {what}"
    return [
        Metric(name, "none", "percent", "maximize", accuracy, by_seed),
        Metric(f"{name}_seconds", "none", "s", "minimize", "seconds of scoring the network alone", ("architecture",)),
        Metric(f"{name}_training_seconds", "none", "s", "minimize", f"seconds of training {what}, paid once", by_seed),
    ]


def write_study(folder: Path) -> None:
    """Write the quality of all scores, after every supernet."""
    rows: list[dict[str, str]] = []
    for row in quality_rows(Study(), folder):
        rows.append(row)
        target = RESULTS / "quality.csv"
        with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def write_columns(folder: Path) -> None:
    """Write the packed table with the scores."""
    table = nl.load(TABLE)
    calibration = calibrate(table, folder=folder)
    print(calibration)
    packed_tables.pack(with_scores(Study(), table, folder, calibration.scale), PACKED)


def main() -> None:
    """Write the study or the columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["study", "columns"])
    parser.add_argument("folder", type=Path, help="working folder")
    given = parser.parse_args()
    torch.set_num_threads(1)
    (write_study if given.what == "study" else write_columns)(given.folder)


if __name__ == "__main__":
    main()
