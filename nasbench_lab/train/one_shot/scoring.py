"""Scoring architectures with the shared weights of a supernet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nasbench_lab.train.devices import reproducible_arithmetic
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.one_shot.supernets.selection import Path
from nasbench_lab.train.one_shot.supernets.supernet import Supernet, recalibrate

RECALIBRATION_BATCHES = 6


def score(
    supernet: Supernet, batches: ImageBatches, architectures: Sequence[int], split: str = "valid"
) -> NDArray[np.float64]:
    """Return the accuracy in percent of every architecture with the shared weights, shape (architectures,).

    Args:
        supernet: trained network with shared weights.
        batches: of the data set, for one seed.
        architectures: indices.
        split: images to score on, ``"valid"`` or ``"test"``.
    """
    part = getattr(batches.dataset, split)
    images = list(batches.evaluation(part, batch=len(part)))
    training = (
        [x for x, _ in batches.training(0)][:RECALIBRATION_BATCHES] if supernet.statistics == "recalibrated" else []
    )
    supernet.eval()
    found = np.empty(len(architectures))
    with torch.no_grad(), reproducible_arithmetic(batches.device):
        for place, codes in enumerate(supernet.space.codes(np.asarray(architectures)).tolist()):
            if training:
                recalibrate(supernet, codes, training)
            right = sum(int((supernet(x, Path(codes)).argmax(1) == labels[:, 0]).sum()) for x, labels in images)
            found[place] = 100 * right / len(part)
    return found
