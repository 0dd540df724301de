"""Warm-up of the shared weights of all numbers of channels, before a controller is trained."""

from __future__ import annotations

import numpy as np

from nasbench_lab.train.one_shot.search_context import SearchContext


def warmup_codes(search: SearchContext, share: float) -> list[int] | None:
    """Return the numbers of channels that a warm-up trains in this step; None after the warm-up.

    Every decision has its largest number with a probability that falls from 1 to 0 over the epochs of the warm-up, and
    otherwise a uniform one, so that the last channels are trained as well (Bender et al., TuNAS, CVPR 2020, section
    4.3; as in NATS-Bench).

    Args:
        search: the search.
        share: share of the epochs that are warm-up.
    """
    epochs = share * search.epochs
    if search.epoch >= epochs:
        return None
    sizes = np.array(search.space.cardinalities)
    widest = search.random.random(len(sizes)) < 1 - search.epoch / epochs
    return np.where(widest, sizes - 1, search.random.integers(sizes)).tolist()
