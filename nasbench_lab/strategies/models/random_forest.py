"""Random forests over categorical codes; the trees of all runs are grown together, level by level.

An example is given by its columns: the positions of the ones in its one-hot encoding, one per code. A split is a
column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.streams import scale


@dataclass(frozen=True)
class Forest:
    """Regression trees that split by whether a code has a value (Breiman, Machine Learning 2001).

    Every tree sees a bootstrap sample. A node with enough examples is split where the squared error falls most, among
    the values of a random subset of the codes; ties: the first. A node that is not split sends all examples to its
    first child, so that all leaves have the same depth.

    Attributes:
        cardinalities: numbers of values of the codes.
        trees: number of trees per run.
        depth: largest number of splits between the root and a leaf.
        least: smallest number of examples of a node that is split.
        share: fraction of the codes that are considered at a node.
    """

    cardinalities: tuple[int, ...]
    trees: int
    depth: int
    least: int
    share: float

    def uniforms(self, examples: int) -> int:
        """Return the number of uniforms that a run needs to grow its trees."""
        return self.trees * (examples + (2**self.depth - 1) * len(self.cardinalities))

    def columns(self, codes: NDArray[np.integer[Any]]) -> IntArray:
        """Return the positions of the ones of a one-hot encoding: codes (..., codes) to columns of the same shape.

        >>> Forest((3, 2), trees=1, depth=1, least=2, share=1.0).columns(np.array([2, 0])).tolist()
        [2, 3]
        """
        return codes + np.cumsum((0, *self.cardinalities[:-1]))

    def grow(self, columns: IntArray, value: FloatArray, uniform: FloatArray) -> Trees:
        """Return trees for examples.

        Examples are counted one by one, and only in nodes with enough examples: most of the deeper nodes have too few.

        Args:
            columns: of the examples, shape (runs, n, codes).
            value: shape (runs, n).
            uniform: in [0, 1), shape (runs, uniforms(n)).
        """
        runs, n = value.shape
        uniform = np.ascontiguousarray(uniform)
        drawn = scale(uniform[:, : self.trees * n], n).reshape(-1, n)
        drawn += np.arange(0, len(drawn) * n, n)[:, None]
        weight = np.bincount(drawn.reshape(-1), minlength=drawn.size)
        rest = uniform[:, self.trees * n :].reshape(runs * self.trees, -1, len(self.cardinalities))
        # All examples of all trees, except those that a bootstrap sample left out.
        place = np.flatnonzero(weight)
        node = place // n  # counted over all trees
        row = node // self.trees * n + place % n
        weights, values = weight[place].astype(np.float64), value.reshape(-1)[row]
        totals = weights * values
        examples = _Examples(columns.reshape(runs * n, -1)[row], weights, totals)
        has = _Lookup(columns, sum(self.cardinalities))
        splits = []
        for level in range(self.depth):
            considered = rest[:, 2**level - 1 : 2 ** (level + 1) - 1].reshape(-1, len(self.cardinalities))
            splits.append(self._split(examples, node, considered))
            node = 2 * node + has(row, splits[-1].take(node))
        leaves = len(rest) * 2**self.depth
        count = np.maximum(_sums(node, weights, leaves), 1.0)
        mean = _sums(node, totals, leaves) / count
        square = _sums(node, totals * values, leaves) / count
        return Trees(runs, sum(self.cardinalities), splits, mean, np.maximum(square - mean * mean, 0.0))

    def _split(self, examples: _Examples, node: IntArray, uniform: FloatArray) -> IntArray:
        """Return the column that splits every node, ``sum(cardinalities)`` for none.

        Args:
            examples: the examples of all trees.
            node: the nodes of the examples.
            uniform: in [0, 1), chooses the codes that are considered, shape (nodes, codes).
        """
        columns = sum(self.cardinalities)
        enough = np.flatnonzero(_sums(node, examples.weight, len(uniform)) >= self.least)
        position = np.full(len(uniform), len(enough))  # other nodes are counted in an unused row
        position[enough] = np.arange(len(enough))
        of_example = position.take(node)
        count, total, inside, inside_total = (sums[:-1] for sums in examples.sums(of_example, len(enough) + 1, columns))
        outside, outside_total = count - inside, total - inside_total
        gain = inside_total * inside_total
        gain /= np.maximum(inside, 1.0)
        outside_total *= outside_total
        outside_total /= np.maximum(outside, 1.0)
        gain += outside_total
        gain -= total * total / count
        # In single precision, so that rounding errors do not break ties. (Where all examples are on one side, the gain
        # is rounding error only.)
        gains = np.where(self._allowed(uniform[enough]), gain, -np.inf).astype(np.float32)
        best = gains.argmax(axis=1)
        split = np.full(len(uniform), columns)
        split[enough] = np.where(gains[np.arange(len(best)), best] > 1e-6, best, columns)
        return split

    def _allowed(self, uniform: FloatArray) -> NDArray[np.bool_]:
        """Return which columns may split nodes: uniforms (nodes, codes) to (nodes, columns)."""
        considered = math.ceil(self.share * len(self.cardinalities))
        last = np.partition(uniform, considered - 1, axis=1)[:, considered - 1, None]
        return np.repeat(uniform <= last, self.cardinalities, axis=1)


class _Examples:
    """The examples of all trees, and their sums in the nodes.

    Args:
        columns: shape (examples, codes).
        weight: number of times that the bootstrap sample contains the example, shape (examples,).
        total: the value, times the weight.
    """

    def __init__(self, columns: IntArray, weight: FloatArray, total: FloatArray) -> None:
        self._columns, self.weight, self._total = columns, weight, total
        codes = columns.shape[1]
        self._weights, self._totals = np.repeat(weight, codes), np.repeat(total, codes)

    def sums(self, node: IntArray, nodes: int, columns: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the number and the sum of the values, for all examples in a node and for those with each column.

        Returns:
            For all examples, each of shape (nodes, 1); for those with a column, each of shape (nodes, columns).
        """
        place = (node[:, None] * columns + self._columns).reshape(-1)
        return (
            _sums(node, self.weight, nodes)[:, None],
            _sums(node, self._total, nodes)[:, None],
            _sums(place, self._weights, nodes * columns).reshape(nodes, columns),
            _sums(place, self._totals, nodes * columns).reshape(nodes, columns),
        )


def _sums(place: IntArray, weights: FloatArray, places: int) -> FloatArray:
    """Return the sums of the weights at every place, added in order."""
    return np.asarray(np.bincount(place, weights, places), dtype=np.float64)


class _Lookup:
    """Whether examples have a column; the number of columns stands for a column that no example has.

    Args:
        columns: of the examples, shape (..., codes).
        width: number of columns.
    """

    def __init__(self, columns: IntArray, width: int) -> None:
        self._width = width + 1
        columns = columns.reshape(-1, columns.shape[-1])
        self._has = np.zeros((len(columns), self._width), dtype=bool)
        self._has[np.arange(len(columns))[:, None], columns] = True

    def __call__(self, example: IntArray, column: IntArray) -> NDArray[np.bool_]:
        """Return whether examples, counted from the first, have a column; the shapes broadcast."""
        return self._has.reshape(-1).take(example * self._width + column)


@dataclass
class Trees:
    """Grown trees, those of the first run first.

    Attributes:
        runs: number of runs.
        columns: sum of the cardinalities.
        splits: for every level, the columns that split its nodes (``columns``: no split), shape (runs * trees *
            nodes,).
        mean: of the values in every leaf, shape (runs * trees * leaves,).
        variance: of the values in every leaf.
    """

    runs: int
    columns: int
    splits: list[IntArray]
    mean: FloatArray
    variance: FloatArray

    def predict(self, columns: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation for examples with columns (runs, n, codes), each of shape (runs, n).

        The variance is that of the mixture of the leaves that an example reaches, one per tree: the mean of their
        variances plus the variance of their means (Hutter, Xu, Hoos and Leyton-Brown, Artificial Intelligence 2014,
        section 4.3.2).
        """
        runs, n, _ = columns.shape
        trees = len(self.splits[0]) // runs
        example = np.arange(runs * n).reshape(runs, 1, n)
        has = _Lookup(columns, self.columns)
        node = np.repeat(np.arange(runs * trees), n).reshape(runs, trees, n)
        for split in self.splits:
            node = 2 * node + has(example, split.take(node))
        means, variances = self.mean.take(node), self.variance.take(node)
        mean = sum(means[:, tree] for tree in range(trees)) / trees
        variance = sum(variances[:, tree] + (means[:, tree] - mean) ** 2 for tree in range(trees)) / trees
        return mean, np.sqrt(variance)
