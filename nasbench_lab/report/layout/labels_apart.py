"""Places for labels beside the ends of lines: as near as possible, without overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray


def label_places(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> FloatArray | None:
    """Return the middles of labels that do not overlap, with the least sum of squared distances from wanted places.

    Labels keep the order of their wanted places; equal ones keep their own order. Without heights this is isotonic
    regression, which pooling adjacent violators solves exactly (Barlow et al., "Statistical Inference under Order
    Restrictions", 1972); with heights, the distances between the middles of neighbours are subtracted first.

    Args:
        wanted: the middle that each label would have alone.
        heights: of the labels.
        low: where the lowest label may begin.
        high: where the highest label may end.

    Returns:
        The middle of each label, in the order given; None if there is not enough room for all.

    >>> label_places([1.0, 1.1, 5.0], [1.0, 1.0, 1.0], 0.0, 10.0).round(2).tolist()
    [0.55, 1.55, 5.0]
    >>> label_places([1.0, 2.0], [1.0, 1.0], 0.0, 1.5) is None
    True
    """
    sizes = np.asarray(heights, dtype=np.float64)
    if sizes.sum() > (high - low) * (1 + 1e-12):
        return None
    order = np.argsort(np.asarray(wanted, dtype=np.float64), kind="stable")
    sizes = sizes[order]
    offsets = np.cumsum(sizes) - sizes / 2  # of the middles, if all labels were stacked
    free = np.asarray(wanted, dtype=np.float64)[order] - offsets
    stacked = np.clip(_isotonic(free), low, max(low, high - sizes.sum()))
    places = np.empty(len(order))
    places[order] = stacked + offsets
    return places


def _isotonic(values: FloatArray) -> FloatArray:
    """Return the nearest numbers, by squared distances, that do not descend."""
    sums: list[float] = []
    counts: list[int] = []
    for value in values.tolist():
        total, count = value, 1
        while sums and sums[-1] * count >= total * counts[-1]:  # the mean of the block before is not below
            total, count = total + sums.pop(), count + counts.pop()
        sums.append(total)
        counts.append(count)
    return np.repeat(np.array(sums) / np.maximum(counts, 1), counts) if counts else np.empty(0)
