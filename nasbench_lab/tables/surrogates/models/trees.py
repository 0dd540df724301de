"""Decision trees, and the sums and means of many: random forests, extra trees and boosted trees."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.tables.surrogates.models.leaves import LeafFinder, Nodes, leaf_finder
from nasbench_lab.tables.surrogates.models.stored import MOST_INPUTS, Arrays, Given, Settings, StoredModel

MOST_DEPTH = 500
"""Deepest tree that is stored or read: evaluating takes a step per level."""


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

    def predict(self, vectors: NDArray[Any]) -> FloatArray:
        """Return the predictions for vectors, shape (n, inputs) to (n,)."""
        with np.errstate(over="ignore"):  # what is too large for single precision is infinite, as for scikit-learn
            entries = vectors.astype(np.float32, copy=False) if self.single else vectors
        result = np.empty(len(entries))
        for first in range(0, len(entries), self._finder.rows):
            rows = entries[first : first + self._finder.rows]
            result[first : first + len(rows)] = _added(self.base, self._finder.values(rows)) / self.divisor
        return result

    @cached_property
    def _finder(self) -> LeafFinder:
        return leaf_finder(Nodes(self.feature, self.threshold, self.left, self.right, self.value, self.roots))

    def __getstate__(self) -> dict[str, Any]:
        return state_without_caches(self)

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


def _added(base: float, values: FloatArray) -> FloatArray:
    """Return a number plus one value of each tree after the other, shape (trees, n) to (n,).

    Floating-point sums depend on the order. Sums over an axis that is not the fast one of an array add in its order;
    those of a single column need not.
    """
    values[0] += base
    total: FloatArray
    total = np.add.accumulate(values, axis=0)[-1] if values.shape[1] == 1 else np.add.reduce(values, axis=0)
    return total


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
