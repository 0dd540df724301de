"""Train the supernets of docs/one-shot.md and score every network of digits/topology with them.

The work takes about twenty minutes on one thread. It is resumable: what is in the working folder is not done again.

    python tools/score_digits_topology.py WORKING_FOLDER
"""

import argparse
from pathlib import Path

import torch

import nasbench_lab as nl
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.one_shot import FairPaths, SupernetTraining, UniformPaths, make_supernet
from nasbench_lab.train.recipes import TrainingRecipe

TABLE = "digits/topology"
SETTINGS = {"image": (1, 8, 8), "classes": 10, "options": {"channels": 8, "cells": 3}}
TRAININGS = (("uniform", 300), ("fair", 60), ("fair", 300))
SAMPLERS = {"uniform": UniformPaths(), "fair": FairPaths()}
SEEDS = (0, 1, 2)
SAVE_EVERY = 20  # epochs


def training_of(kind: str, epochs: int, seed: int) -> SupernetTraining:
    """Return the training of one supernet, at its start."""
    supernet = make_supernet(nl.load(TABLE).space, seed=seed, **SETTINGS)
    recipe = TrainingRecipe("supernet", epochs=epochs, batch=50, learning_rate=0.1)
    return SupernetTraining(supernet, SAMPLERS[kind], digits(), recipe, seed=seed)


def train(kind: str, epochs: int, seed: int, folder: Path) -> SupernetTraining:
    """Return a finished training, from its checkpoint where there is one."""
    training, checkpoint = training_of(kind, epochs, seed), folder / f"{kind}-{epochs}-{seed}.pt"
    if checkpoint.exists():
        training.load(checkpoint)
    for epoch in training.epochs():
        if epoch % SAVE_EVERY == 0 or epoch == epochs:
            training.save(checkpoint)
    print(f"{kind}-{epochs}-{seed}: {training.seconds:.1f} s", flush=True)
    return training


def main() -> None:
    """Train all supernets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="working folder")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    for kind, epochs in TRAININGS:
        for seed in SEEDS:
            train(kind, epochs, seed, folder)


if __name__ == "__main__":
    main()
