"""Scoring architectures with the shared weights of a supernet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nasbench_lab.train.devices import reproducible_arithmetic
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.image_batches import ImageBatches
from nasbench_lab.train.one_shot.supernets.selection import Path
from nasbench_lab.train.one_shot.supernets.supernet import Supernet, recalibrate

RECALIBRATION_BATCHES = 6

_MOST = 1000  # images that are scored together: all those of CIFAR would not fit into memory

Progress = Callable[[int, int], None]
"""Called with the number of scored architectures, and how many there are."""


def score(
    supernet: Supernet,
    batches: ImageBatches,
    architectures: ArrayLike,
    split: str = "valid",
    *,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return the accuracy in percent of every architecture with the shared weights, shape (architectures,).

    Args:
        supernet: trained network with shared weights.
        batches: of the data set, for one seed.
        architectures: indices, shape (architectures,).
        split: images to score on, ``"valid"`` or ``"test"``.
        progress: called after every architecture.
    """
    part = getattr(batches.dataset, split)
    images = list(batches.evaluation(part, batch=batch_size(len(part))))
    codes = supernet.space.codes(np.asarray(architectures))
    # In lexicographic order, evaluators can reuse most (`Supernet.evaluator`).
    order = np.lexsort(codes.T[::-1]).tolist()
    # One batch after the other, because evaluators keep feature maps; but one recalibration for all batches.
    groups = [images] if supernet.statistics == "recalibrated" else [[each] for each in images]
    right, done = np.zeros(len(codes), dtype=np.int64), 0
    supernet.eval()
    with torch.no_grad(), reproducible_arithmetic(batches.device):
        for group in groups:
            evaluate = _evaluator(supernet, batches, [x for x, _ in group])
            for place in order:
                known = zip(evaluate(codes[place].tolist()), group, strict=True)
                right[place] += sum(int((x.argmax(1) == labels[:, 0]).sum()) for x, (_, labels) in known)
                done += 1
                if progress is not None:
                    progress(done // len(groups), len(codes))
    return 100 * right / len(part)


def score_space(
    supernet: Supernet, batches: ImageBatches, split: str = "valid", *, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the scores of all architectures of the space, shape (size,).

    Architectures that are the same network (`nasbench_lab.train.equivalent_networks`) get the score of the first of
    them. In a supernet, they can have different weights: a convolution has other ones on another edge.

    Args:
        supernet: see `score`, as for the other arguments.
        batches: see `score`.
        split: see `score`.
        progress: called with the number of scored networks, and how many there are.
    """
    networks, number = np.unique(representatives(supernet.space), return_inverse=True)
    return score(supernet, batches, networks, split, progress=progress)[number]


def _evaluator(
    supernet: Supernet, batches: ImageBatches, images: Sequence[Tensor]
) -> Callable[[Sequence[int]], list[Tensor]]:
    """Return a function from codes to the outputs of all batches of images."""
    if supernet.statistics != "recalibrated":
        evaluators = [supernet.evaluator(x) for x in images]
        return lambda codes: [evaluate(codes) for evaluate in evaluators]
    training = [x for x, _ in batches.training(0)][:RECALIBRATION_BATCHES]

    def recalibrated(codes: Sequence[int]) -> list[Tensor]:
        recalibrate(supernet, codes, training)
        return [supernet(x, Path(codes)) for x in images]

    return recalibrated


def batch_size(images: int) -> int:
    """Return how many images are scored together, and normalised with the same statistics: batches of equal size.

    >>> batch_size(450), batch_size(25_000), batch_size(3_001)
    (450, 1000, 751)
    """
    return -(-images // -(-images // _MOST))
