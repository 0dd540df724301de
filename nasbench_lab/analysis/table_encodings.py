"""Architectures of a table as vectors for models: the encodings of its space, and its zero-cost scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.spaces.encodings import parts_of
from nasbench_lab.tables.table import Table

ALL_SCORES = "scores"
"""The encoding that consists of all zero-cost scores of a table."""


def encodings_of(table: Table) -> tuple[str, ...]:
    """Return the names of encodings that the architectures of a table have.

    They are those of the space (`Space.encodings`), the name of every zero-cost score of the table, and ``"scores"``
    for all scores, if there are any.

    >>> from nasbench_lab.testing import synthetic_table
    >>> encodings_of(synthetic_table("chain"))
    ('one-hot', 'codes', 'counts', 'synflow', 'scores')
    """
    names = tuple(name for name in score_names(table.description) if name not in table.space.encodings)
    return (*table.space.encodings, *names, *((ALL_SCORES,) if names else ()))


def scores_in(table: Table, encoding: str) -> tuple[str, ...]:
    """Return the names of the zero-cost scores that an encoding contains, without repetitions.

    Raises:
        UnknownNameError: the table has no such encoding.
        ParameterError: an encoding is joined with itself.

    >>> from nasbench_lab.testing import synthetic_table
    >>> scores_in(synthetic_table("chain"), "counts+scores"), scores_in(synthetic_table("chain"), "counts")
    (('synflow',), ())
    """
    known = score_names(table.description)
    found: list[str] = []
    for part in parts_of(encoding, encodings_of(table)):
        if part not in table.space.encodings:
            found += known if part == ALL_SCORES else [part]
    return tuple(dict.fromkeys(found))


def encode(table: Table, index: ArrayLike, encoding: str = "one-hot") -> FloatArray:
    """Return architectures of a table as vectors for models, shape (...) to (..., length).

    Args:
        table: the table.
        index: architectures.
        encoding: one of `encodings_of`, or several joined with ``+``, such as ``"path+synflow"``. Scores are means
            over repeats, in the units of the table, and NaN where they failed: nothing is imputed.

    Raises:
        UnknownNameError: the table has no such encoding.
        ParameterError: an encoding is joined with itself.

    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table("chain")
    >>> encode(table, [0, 5], "counts+synflow").shape
    (2, 4)
    """
    checked = table.space.check_index(index)
    vectors: list[FloatArray] = []
    for part in parts_of(encoding, encodings_of(table)):
        if part in table.space.encodings:
            vectors.append(table.space.encode(checked, part).astype(np.float64))
        else:
            vectors += [table.lookup(checked, metric=name)[..., None] for name in scores_in(table, part)]
    return np.concatenate(vectors, axis=-1)


def encoding_seconds(table: Table, index: ArrayLike, encoding: str) -> FloatArray:
    """Return the simulated seconds that the scores in an encoding cost, in the shape of ``index``; 0 without scores.

    The training of a supernet, which is paid once, is not among them.

    >>> from nasbench_lab.testing import synthetic_table
    >>> encoding_seconds(synthetic_table("chain"), [0, 5], "counts").tolist()
    [0.0, 0.0]
    """
    checked = table.space.check_index(index)
    total = np.zeros(checked.shape)
    for name in scores_in(table, encoding):
        total += table.lookup(checked, metric=f"{name}_seconds")
    return total
