"""What every run knows about the nodes of a tree that it has been to."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.strategies.parts.prefixes import PrefixTree
from nasbench_lab.strategies.parts.ties import any_of
from nasbench_lab.streams import FloatArray, IntArray, scale

_FIRST_CAPACITY = 64


@final
class TreeStatistics:
    """Visits and rewards of the nodes of a `PrefixTree`, for every run those that it has been to.

    A run keeps slots, one after the other: slot 0 is the root, and a node that is visited for the second time is given
    slots for all its children. (After a single visit all that is known of the nodes below is which architecture it was.
    So memory grows with the evaluations, about one node's children each, whatever the size of the space.)

    Args:
        tree: the nodes, the same for all runs.
        runs: number of runs; none has been anywhere.
    """

    def __init__(self, tree: PrefixTree, runs: int) -> None:
        self._tree, self._runs = tree, runs
        self._visited = 0  # how often every run has been at the root
        self._logarithm = np.zeros(1)  # of every number of visits, times 2
        self._capacity = _FIRST_CAPACITY  # slots of a run
        self._used = np.ones(runs, dtype=np.int64)  # of these, those that are taken
        # All of the following are flat: slot s of run r is at r * capacity + s.
        size = runs * self._capacity
        self._visits: NDArray[np.int32] = np.zeros(size, dtype=np.int32)
        self._known: NDArray[np.int32] = np.zeros(size, dtype=np.int32)  # of the visits, those with a reward
        self._total: FloatArray = np.zeros(size)  # of the rewards
        self._children: NDArray[np.int32] = np.zeros(size, dtype=np.int32)  # slot of the first child, 0 for none
        self._only: NDArray[np.int32] = np.zeros(size, dtype=np.int32)  # position of the architecture, if visited once

    def visit(self, rollout: FloatArray, ties: FloatArray, weight: FloatArray, lowest: FloatArray) -> IntArray:
        """Go down from the root of every run to a node that is new, and count the visit.

        Args:
            rollout: in [0, 1), which architecture of that node is taken; shape (runs,).
            ties: in [0, 1), which of equal children is; shape (choices, runs).
            weight: what sqrt(2 ln N / N_j) is multiplied by, shape (runs,).
            lowest: the mean reward where nothing is known, shape (runs,).

        Returns:
            The positions of architectures in the order of the tree that their run has not visited, shape (runs,). There
            must be one in every run.
        """
        self._make_room()
        run, node = np.arange(self._runs), np.zeros(self._runs, dtype=np.int64)
        place = run * self._capacity
        reached, reached_at = node.copy(), place.copy()
        for tie in ties:
            visits = self._visits.take(place)
            inside = visits > 0
            if not inside.all():
                run, node, place, visits = run[inside], node[inside], place[inside], visits[inside]
                weight, lowest = weight[inside], lowest[inside]
            if not len(run):
                break
            self._visits[place] = visits + 1
            first = run * self._capacity + self._open(run, node, place)
            bounds = self._bounds(node, first, weight * np.sqrt(self._logarithm.take(visits)), lowest)
            child = any_of(bounds == bounds.max(axis=0), tie[run])
            node, place = self._tree.first_child.take(node) + child, first + child
            reached[run], reached_at[run] = node, place
        position = self._tree.low.take(reached) + scale(rollout, self._tree.count.take(reached))
        self._visits[reached_at] += 1
        self._only[reached_at] = position
        self._visited += 1
        return position

    def learn(self, run: IntArray, position: IntArray, reward: FloatArray) -> None:
        """Count the rewards of visited architectures for all nodes that they belong to; all shapes (n,)."""
        base = run * self._capacity
        node, place = np.zeros_like(base), base
        while len(node):
            self._known[place] += 1
            self._total[place] += reward
            first = self._children.take(place)
            further = first > 0
            if not further.all():
                base, position, reward = base[further], position[further], reward[further]
                node, first = node[further], first[further]
            child = self._child_of(node, position)
            node, place = self._tree.first_child.take(node) + child, base + first + child

    def _open(self, run: IntArray, node: IntArray, place: IntArray) -> NDArray[np.int32]:
        """Return the slots of first children; give slots to the children of nodes that have none."""
        first = self._children.take(place)
        closed = np.flatnonzero(first == 0)
        if len(closed):
            run, node, place = run[closed], node[closed], place[closed]
            fresh = self._used[run]
            self._used[run] += self._tree.degree.take(node)
            self._children[place] = first[closed] = fresh
            only = self._only.take(place).astype(np.int64)
            child = run * self._capacity + fresh + self._child_of(node, only)
            self._visits[child], self._known[child] = 1, self._known.take(place)
            self._total[child], self._only[child] = self._total.take(place), only
        return first

    def _child_of(self, node: IntArray, position: IntArray) -> IntArray:
        """Return which child of nodes has the architectures at positions, all shapes (n,)."""
        degree = self._tree.degree.take(node)
        later = np.arange(1, degree.max(initial=1))[:, None]
        low = self._tree.low.take(self._tree.first_child.take(node) + later, mode="clip")
        return ((later < degree) & (low <= position)).sum(axis=0)

    def _bounds(self, node: IntArray, first: IntArray, weight: FloatArray, lowest: FloatArray) -> FloatArray:
        """Return the upper bounds of all children, shape (children, n); -inf for those that are no choice.

        Args:
            node: of the tree, shape (n,).
            first: where the first child is.
            weight: what 1 / sqrt(N_j) is multiplied by.
            lowest: the mean reward where nothing is known.
        """
        tree, degree = self._tree, self._tree.degree.take(node)
        child = np.arange(degree.max())[:, None]
        place = first + child
        n, known = self._visits.take(place, mode="clip"), self._known.take(place, mode="clip")
        mean = np.where(known > 0, self._total.take(place, mode="clip") / np.maximum(known, 1), lowest)
        bounds = mean + weight / np.sqrt(np.maximum(n, 1))
        bounds[n == 0] = np.inf
        exhausted = n == tree.count.take(tree.first_child.take(node) + child, mode="clip")
        bounds[exhausted | (child >= degree)] = -np.inf
        return bounds

    def _make_room(self) -> None:
        """Have slots for the children that the next visit may need, and a logarithm for its number."""
        if len(self._logarithm) <= self._visited:
            self._logarithm = 2 * np.log(np.maximum(np.arange(2 * self._visited + 1), 1))
        before, needed = self._capacity, int(self._used.max()) + self._tree.widest
        while self._capacity < needed:
            self._capacity *= 2
        if self._capacity > before:
            more = ((0, 0), (0, self._capacity - before))
            for name in ("_visits", "_known", "_total", "_children", "_only"):
                wider = np.pad(getattr(self, name).reshape(self._runs, before), more)
                setattr(self, name, wider.reshape(-1))
