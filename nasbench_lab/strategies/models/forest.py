"""Random forests over categorical codes, the trees of all runs grown together, level by level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.streams import FloatArray, IntArray, scale


@dataclass(frozen=True)
class Forest:
    """Regression trees that split by whether a code has a value (Breiman, Machine Learning 2001).

    Every tree sees a bootstrap sample. A node with enough examples is split where the squared error falls most, among
    the values of a random subset of the codes; of equals, the first. A node that is not split sends everything to its
    first child, so that all leaves are at the same depth.

    Attributes:
        cardinalities: numbers of values of the codes.
        trees: trees of every run.
        depth: most splits on the way to a leaf.
        least: examples that a node must have to be split.
        share: fraction of the codes that are considered at a node.
    """

    cardinalities: tuple[int, ...]
    trees: int
    depth: int
    least: int
    share: float

    def uniforms(self, examples: int) -> int:
        """How many random numbers a run needs to grow its trees."""
        return self.trees * (examples + (2**self.depth - 1) * len(self.cardinalities))

    def grow(self, hot: NDArray[np.float32], value: FloatArray, uniform: FloatArray) -> Trees:
        """Return trees for examples.

        Args:
            hot: one-hot codes, shape (runs, n, sum of cardinalities).
            value: shape (runs, n).
            uniform: in [0, 1), shape (runs, uniforms(n)).
        """
        runs, n = value.shape
        uniform = np.ascontiguousarray(uniform)
        drawn = scale(uniform[:, : self.trees * n], n).reshape(runs, self.trees, n)
        tree = np.arange(runs * self.trees).reshape(runs, self.trees, 1)
        weight = np.bincount((tree * n + drawn).reshape(-1), minlength=drawn.size)
        weight = weight.reshape(drawn.shape).astype(np.float64)
        rest = uniform[:, self.trees * n :].reshape(runs, self.trees, -1, len(self.cardinalities))
        considered = math.ceil(self.share * len(self.cardinalities))
        last = np.partition(rest, considered - 1, axis=-1)[..., considered - 1, None]
        allowed = np.repeat(rest <= last, self.cardinalities, axis=-1)
        ones = np.ones((runs, n, 1))
        # Counts and sums of values, of all examples and of those with each value of each code.
        columns = np.concatenate([ones, hot], axis=2)
        columns = np.concatenate([columns, columns * value[:, :, None]], axis=2)[:, None]
        node = np.zeros((runs, self.trees, n), dtype=np.int64)
        splits = []
        for level in range(self.depth):
            nodes = 2**level
            members = (node[..., None] == np.arange(nodes)) * weight[..., None]
            totals = np.matmul(members.swapaxes(2, 3), columns)  # (runs, trees, nodes, 2 + 2 * values)
            splits.append(self._split(totals, allowed[:, :, nodes - 1 : 2 * nodes - 1]))
            node = _descend(node, splits[-1], hot)
        members = (node[..., None] == np.arange(2**self.depth)) * weight[..., None]
        squares = np.stack([np.ones_like(value), value, value * value], axis=2)[:, None]
        count, total, square = np.moveaxis(np.matmul(members.swapaxes(2, 3), squares), -1, 0)
        mean = total / np.maximum(count, 1.0)
        return Trees(splits, mean, np.maximum(square / np.maximum(count, 1.0) - mean * mean, 0.0))

    def _split(self, totals: FloatArray, allowed: NDArray[np.bool_]) -> IntArray:
        """Return by which of the allowed values every node is split, -1 for none; shape (runs, trees, nodes)."""
        values = sum(self.cardinalities)
        count, total = totals[..., :1], totals[..., values + 1, None]
        inside, inside_total = totals[..., 1 : values + 1], totals[..., values + 2 :]
        outside, outside_total = count - inside, total - inside_total
        allowed = allowed & (inside > 0) & (outside > 0) & (count >= self.least)
        gain = inside_total * inside_total
        gain /= np.maximum(inside, 1.0)
        outside_total *= outside_total
        outside_total /= np.maximum(outside, 1.0)
        gain += outside_total
        gain -= total * total / np.maximum(count, 1.0)
        # In single precision, so that rounding errors do not choose among equals.
        gains = np.where(allowed, gain, -np.inf).astype(np.float32)
        return np.where(gains.max(axis=-1) > 1e-6, gains.argmax(axis=-1), -1)


@dataclass
class Trees:
    """Grown trees.

    Attributes:
        splits: of every level, by which value its nodes are split, shape (runs, trees, nodes).
        mean: of the values in every leaf, shape (runs, trees, leaves).
        variance: of the values in every leaf.
    """

    splits: list[IntArray]
    mean: FloatArray
    variance: FloatArray

    def predict(self, hot: NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
        """Return mean and deviation for vectors of shape (runs, n, sum of cardinalities), each of shape (runs, n).

        The variance is that of the mixture of the leaves that a vector comes to, one per tree: the mean of their
        variances plus the variance of their means (Hutter, Xu, Hoos and Leyton-Brown, Artificial Intelligence 2014,
        section 4.3.2).
        """
        runs, trees = self.mean.shape[:2]
        node = np.zeros((runs, trees, hot.shape[1]), dtype=np.int64)
        for split in self.splits:
            node = _descend(node, split, hot)
        means, variances = (np.take_along_axis(array, node, axis=2) for array in (self.mean, self.variance))
        mean = sum(means[:, tree] for tree in range(trees)) / trees
        variance = sum(variances[:, tree] + (means[:, tree] - mean) ** 2 for tree in range(trees)) / trees
        return mean, np.sqrt(variance)


def _descend(node: IntArray, split: IntArray, hot: NDArray[np.float32]) -> IntArray:
    """Return the nodes of the next level, shape (runs, trees, n): the second child for those that have the value."""
    runs, n, values = hot.shape
    trees, nodes = split.shape[1:]
    chosen = split.reshape(-1).take(node + np.arange(0, runs * trees * nodes, nodes).reshape(runs, trees, 1))
    place = np.maximum(chosen, 0)
    place += np.arange(0, runs * n * values, values).reshape(runs, 1, n)
    return 2 * node + ((chosen >= 0) & (hot.reshape(-1).take(place) > 0))
