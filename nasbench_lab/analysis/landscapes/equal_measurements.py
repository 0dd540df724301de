"""Which architectures share a training, as far as the numbers of a table tell."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.tables import Table

_FEWEST = 3
"""With fewer numbers per architecture, equal numbers are often a coincidence."""


def shared_trainings(table: Table) -> IntArray | None:
    """Return for every architecture the first one with the same measurements, shape (size,), or None if it cannot say.

    Architectures share a training where all measured values and the times of training are the same, at every fidelity
    and in every repeat. This needs at least three numbers per architecture.

    >>> from nasbench_lab.testing import synthetic_table
    >>> bool((shared_trainings(synthetic_table("chain")) == np.arange(243)).all())
    True
    """
    parts = []
    for metric in table.description.metrics:
        if metric.split == "none" and metric.name not in table.description.cost:
            continue
        stored = (table.values(metric.name), table.published_means(metric.name))
        parts += [
            np.asarray(each, dtype=np.float64).reshape(table.space.size, -1) for each in stored if each is not None
        ]
    every = np.concatenate(parts, axis=1)
    if np.median((~np.isnan(every)).sum(axis=1)) < _FEWEST:
        return None
    every[np.isnan(every)] = np.nan  # NaN has many bit patterns
    rows = np.ascontiguousarray(every + 0.0).view(f"V{8 * every.shape[1]}").ravel()
    first, inverse = np.unique(rows, return_index=True, return_inverse=True)[1:]
    return np.asarray(first[inverse])
