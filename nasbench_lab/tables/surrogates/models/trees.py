"""Decision trees, and the sums and means of many: random forests, extra trees and boosted trees."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.tables.surrogates.models.stored import MOST_INPUTS, Arrays, Given, Settings, StoredModel

MOST_DEPTH = 500
"""Deepest tree that is stored or read: evaluating takes a step per level."""

_BLOCK = 2**17  # pairs of a vector and a tree that are followed at a time: their numbers stay in the cache


@final
class StoredTrees(StoredModel):
    """The sum of trees plus a constant, divided by a number: 1 for boosting, the number of trees for forests.

    A vector goes left where its entry is at most the threshold. Values are added tree by tree, in float64, as
    scikit-learn does it, so predictions are the same bit for bit.

    Args:
        inputs: length of the vectors.
        feature: the entry that a node compares, shape (nodes,); -1 for leaves.
        threshold: with what it is compared, shape (nodes,).
        left: the next node if it is at most the threshold, shape (nodes,); nodes are numbered over all trees.
        right: the next node otherwise.
        value: the values of leaves, shape (nodes,).
        roots: the first node of every tree, shape (trees,).
        base: what is added to the sum first.
        divisor: the sum is divided by it.
        single: whether entries are rounded to single precision before they are compared.

    >>> tree = StoredTrees(1, [0, -1, -1], [0.5, 0, 0], [1, 0, 0], [2, 0, 0], [0.0, 3.0, 7.0], [0])
    >>> tree.predict(np.array([[0.0], [1.0]])).tolist()
    [3.0, 7.0]
    """

    kind: ClassVar[str] = "trees"

    def __init__(
        self,
        inputs: int,
        feature: Any,
        threshold: Any,
        left: Any,
        right: Any,
        value: Any,
        roots: Any,
        base: float = 0.0,
        divisor: float = 1.0,
        single: bool = False,
    ) -> None:
        self.inputs, self.base, self.divisor, self.single = inputs, base, divisor, single
        self.feature = np.asarray(feature, dtype=np.int32)
        self.threshold = np.asarray(threshold, dtype=np.float64)
        self.left, self.right = np.asarray(left, dtype=np.int32), np.asarray(right, dtype=np.int32)
        self.value = np.asarray(value, dtype=np.float64)
        self.roots = np.asarray(roots, dtype=np.int32)
        inner = self.feature >= 0
        # A leaf goes on to itself. Two children of a node are neighbours in one array, so a step needs no condition.
        places = np.arange(len(self.feature))
        pairs = [np.where(inner, self.left, places), np.where(inner, self.right, places)]
        self._next: IntArray = np.stack(pairs, axis=1).astype(np.int64).reshape(-1)
        self._entry: IntArray = np.where(inner, self.feature, 0).astype(np.int64)

    def predict(self, vectors: FloatArray) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        result = np.empty(len(vectors))
        step = max(1, _BLOCK // len(self.roots))
        for first in range(0, len(vectors), step):
            rows = vectors[first : first + step]
            values = self.value[self._leaves(rows)]
            total = np.full(len(rows), self.base)
            for tree in values:  # one after the other: floating-point sums depend on the order
                total += tree
            result[first : first + step] = total / self.divisor
        return result

    def _leaves(self, rows: FloatArray) -> IntArray:
        """Return the leaf of every tree that vectors end in, shape (trees, n)."""
        entries = rows.astype(np.float32).astype(np.float64) if self.single else rows
        flat = np.ascontiguousarray(entries).reshape(-1)
        ends = np.repeat(self.roots.astype(np.int64), len(rows))
        offsets = np.tile(np.arange(len(rows)) * self.inputs, len(self.roots))
        active = np.flatnonzero(self.feature[ends] >= 0)
        node, offset = ends[active], offsets[active]
        while len(active):
            goes_right = flat.take(offset + self._entry.take(node)) > self.threshold.take(node)
            node = self._next.take(2 * node + goes_right)
            ends[active] = node
            inside = self.feature.take(node) >= 0
            if np.count_nonzero(inside) < len(active):
                active, node, offset = active[inside], node[inside], offset[inside]
        return ends.reshape(len(self.roots), len(rows))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a file stores."""
        names = ("feature", "threshold", "left", "right", "value", "roots")
        return {name: getattr(self, name) for name in names}

    def settings(self) -> dict[str, Any]:
        """Return what a file stores besides arrays."""
        return {"inputs": self.inputs, "base": self.base, "divisor": self.divisor, "single": int(self.single)}

    @classmethod
    def restored(cls, arrays: Arrays, settings: Settings, _parts: list[StoredModel]) -> StoredTrees:
        """Make the model again from what a file stores.

        Raises:
            DataError: an array is missing or wrong, or the nodes are not trees.
        """
        given = Given(cls.kind, arrays, settings)
        inputs = given.whole("inputs", 1, MOST_INPUTS)
        threshold = given.floats("threshold", (None,))
        nodes = len(threshold)
        feature = given.integers("feature", (nodes,), -1, inputs)
        left, right = (given.integers(name, (nodes,), 0, nodes) for name in ("left", "right"))
        roots = given.integers("roots", (None,), 0, nodes)
        divisor = given.number("divisor")
        if divisor == 0:
            raise given.wrong("divisor must not be 0")
        if not are_trees(feature, left, right, roots):
            raise given.wrong(f"its nodes are not trees of at most {MOST_DEPTH} levels")
        value = given.floats("value", (nodes,))
        single = given.whole("single", 0, 1) == 1
        return cls(inputs, feature, threshold, left, right, value, roots, given.number("base"), divisor, single)


def are_trees(feature: IntArray, left: IntArray, right: IntArray, roots: IntArray) -> bool:
    """Return whether nodes are trees: each is a root or the child of one node, and no tree has too many levels.

    >>> of = lambda left, right: are_trees(np.array([0, -1, -1]), np.array(left), np.array(right), np.array([0]))
    >>> of([1, 0, 0], [2, 0, 0]), of([0, 0, 0], [2, 0, 0]), of([1, 0, 0], [1, 0, 0])
    (True, False, False)
    """
    inner = feature >= 0
    parents = np.bincount(np.concatenate([left[inner], right[inner], roots]), minlength=len(feature))
    if (parents != 1).any():
        return False
    level, reached = roots, len(roots)  # every node has one parent, so what is not reached goes in a circle
    for _ in range(MOST_DEPTH):
        above = level[inner[level]]
        if not len(above):
            return reached == len(feature)
        level = np.concatenate([left[above], right[above]])
        reached += len(level)
    return False
