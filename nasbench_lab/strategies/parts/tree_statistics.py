"""The visits and rewards of tree nodes, for the nodes that every run has visited."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.parts import elementary
from nasbench_lab.strategies.parts.prefix_tree import Tree
from nasbench_lab.strategies.parts.tie_breaking import any_of
from nasbench_lab.streams import scale_columns

_FIRST_CAPACITY = 64
_NEVER, _WAITING, _EXHAUSTED = np.inf, np.nan, -np.inf
"""Special mean rewards: of a node that was never visited, of one whose rewards are not known yet, and of one below
which everything was evaluated. Adding a finite number, for the upper bound, does not change them."""


@final
class TreeStatistics:
    """Visits and rewards of the nodes of a `PrefixTree`, for the nodes that every run has visited.

    Every run has consecutive slots: slot 0 is the root, and a node gets slots for all its children at its second visit.
    (After a single visit, the only information about the nodes below is the visited architecture.) So memory grows with
    the evaluations, by about one node's children each, whatever the size of the space.

    Args:
        tree: the nodes, the same for all runs.
        runs: number of runs; none has visited any node.
    """

    def __init__(self, tree: Tree, runs: int) -> None:
        self._tree, self._runs = tree, runs
        self._visited = 0  # number of visits of every run to the root
        self._logarithm = np.zeros(1)  # 2 ln n for every number n of visits
        self._root = np.ones(1)  # sqrt(n)
        self._capacity = _FIRST_CAPACITY  # slots of a run
        self._used = np.ones(runs, dtype=np.int64)  # number of used slots
        # All of the following are flat: slot s of run r is at r * capacity + s.
        size = runs * self._capacity
        self._visits: NDArray[np.int32] = np.zeros(size, dtype=np.int32)
        self._known: NDArray[np.int32] = np.zeros(size, dtype=np.int32)  # number of visits with a reward
        self._total: FloatArray = np.zeros(size)  # sum of the rewards
        self._mean: FloatArray = np.full(size, _NEVER)  # mean of the rewards, or a special one
        self._children: NDArray[np.int32] = np.zeros(size, dtype=np.int32)  # slot of the first child, 0 for none
        kind = np.int32 if tree.size < 2**31 else np.int64
        self._only: NDArray[Any] = np.zeros(size, dtype=kind)  # position of the architecture of a single visit
        self._way: list[tuple[IntArray, IntArray]] = []  # the last visit: runs, and the places on their paths
        self._arrived: IntArray = np.empty(0, dtype=np.int64)  # and the positions that they reached

    def visit(self, rollout: FloatArray, ties: FloatArray, weight: FloatArray, lowest: FloatArray) -> IntArray:
        """Descend from the root of every run to a new node, and count the visit.

        Args:
            rollout: uniforms in [0, 1) that choose an architecture of the new node, shape (runs, draws of the space).
            ties: uniforms in [0, 1) that choose among tied children, shape (choices, runs).
            weight: factor of sqrt(2 ln N / N_j), shape (runs,).
            lowest: mean reward of a child without any known reward, shape (runs,).

        Returns:
            The positions, in the order of the tree, of architectures that their run has not visited, shape (runs,).
            There must be one in every run.
        """
        self._make_room()
        run, node = np.arange(self._runs), np.full(self._runs, self._tree.root)
        place = run * self._capacity
        reached, reached_at, way = node.copy(), place.copy(), []
        for tie in ties:
            visits = self._visits.take(place)
            inside = visits > 0
            if not inside.all():
                there = run[~inside]
                reached[there], reached_at[there] = node[~inside], place[~inside]
                run, node, place, visits = run[inside], node[inside], place[inside], visits[inside]
                weight, lowest = weight[inside], lowest[inside]
            if not len(run):
                break
            way.append((run, place))
            self._visits[place] = visits + 1
            self._mean[place[visits + 1 == self._tree.count(node)]] = _EXHAUSTED
            first = run * self._capacity + self._open(run, node, place)
            bounds = self._bounds(node, first, weight * np.sqrt(self._logarithm.take(visits)), lowest)
            child = any_of(bounds == bounds.max(axis=0), tie[run])
            node, place = self._tree.first_child(node) + child, first + child
        reached[run], reached_at[run] = node, place
        count = self._tree.count(reached)
        position = self._tree.low(reached) + scale_columns(rollout, count)
        self._visits[reached_at] = 1
        self._mean[reached_at] = np.where(count == 1, _EXHAUSTED, _WAITING)
        self._only[reached_at] = position
        self._visited += 1
        self._way, self._arrived = [*way, (np.arange(self._runs), reached_at)], position
        return position

    def learn(self, run: IntArray, position: IntArray, reward: FloatArray) -> None:
        """Count the rewards of visited architectures for all nodes that they belong to; all shapes (n,)."""
        if np.array_equal(position, self._arrived):  # the last visit of all runs, whose paths are known
            for passed, place in self._way:
                self._count(place, reward[passed])
            return
        base = run * self._capacity
        node, place = np.full_like(base, self._tree.root), base
        while len(node):
            self._count(place, reward)
            first = self._children.take(place)
            further = first > 0
            if not further.all():
                base, position, reward = base[further], position[further], reward[further]
                node, first = node[further], first[further]
            child = self._child_of(node, position)
            node, place = self._tree.first_child(node) + child, base + first + child

    def _count(self, place: IntArray, reward: FloatArray) -> None:
        """Count one reward at each place."""
        known, total = self._known.take(place) + 1, self._total.take(place) + reward
        self._known[place], self._total[place] = known, total
        self._mean[place] = np.where(self._mean.take(place) == _EXHAUSTED, _EXHAUSTED, total / known)

    def _open(self, run: IntArray, node: IntArray, place: IntArray) -> NDArray[np.int32]:
        """Return the slots of the first children; allocate slots for the children of nodes without any."""
        first = self._children.take(place)
        closed = np.flatnonzero(first == 0)
        if len(closed):
            run, node, place = run[closed], node[closed], place[closed]
            fresh = self._used[run]
            self._used[run] += self._tree.degree(node)
            self._children[place] = first[closed] = fresh
            only = self._only.take(place).astype(np.int64)
            at_child = self._child_of(node, only)
            child = run * self._capacity + fresh + at_child
            known, total = self._known.take(place), self._total.take(place)
            self._visits[child], self._only[child] = 1, only
            self._known[child], self._total[child] = known, total
            mean = np.divide(total, known, out=np.full(len(total), _WAITING), where=known > 0)
            mean[self._tree.count(self._tree.first_child(node) + at_child) == 1] = _EXHAUSTED
            self._mean[child] = mean
        return first

    def _child_of(self, node: IntArray, position: IntArray) -> IntArray:
        """Return which child of each node contains the architecture at a position, all shapes (n,)."""
        degree = self._tree.degree(node)
        later = np.arange(1, degree.max(initial=1))[:, None]
        low = self._tree.low(self._tree.first_child(node) + later)
        return ((later < degree) & (low <= position)).sum(axis=0)

    def _bounds(self, node: IntArray, first: IntArray, weight: FloatArray, lowest: FloatArray) -> FloatArray:
        """Return the upper bounds of all children, shape (children, n); -inf for children that a node does not have.

        Args:
            node: of the tree, shape (n,).
            first: places of the first children.
            weight: factor of 1 / sqrt(N_j).
            lowest: mean reward of a child without any known reward.
        """
        degree = self._tree.degree(node)
        child = np.arange(degree.max())[:, None]
        place = first + child
        bounds = self._mean.take(place, mode="clip")
        waiting = np.isnan(bounds)
        if waiting.any():
            bounds = np.where(waiting, lowest, bounds)
        bounds += weight / self._root.take(self._visits.take(place, mode="clip"))
        if degree.min() < len(child):
            bounds[child >= degree] = -np.inf
        return bounds

    def _make_room(self) -> None:
        """Make room for the children that the next visit may need, and for the logarithm of its number."""
        if len(self._logarithm) <= self._visited:
            visits = np.maximum(np.arange(2 * self._visited + 1), 1)
            self._logarithm, self._root = 2 * elementary.log(visits), np.sqrt(visits)
        before, needed = self._capacity, int(self._used.max()) + self._tree.widest
        while self._capacity < needed:
            self._capacity *= 2
        if self._capacity > before:
            for name in ("_visits", "_known", "_total", "_mean", "_children", "_only"):
                narrow = getattr(self, name).reshape(self._runs, before)
                wide = np.full((self._runs, self._capacity), _NEVER if name == "_mean" else 0, dtype=narrow.dtype)
                wide[:, :before] = narrow
                setattr(self, name, wide.reshape(-1))
