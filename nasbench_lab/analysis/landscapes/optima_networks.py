"""Local optima networks: which local optima an iterated local search can get to from each (Ochoa et al., GECCO 2008).

A node is a local optimum at which best-improvement climbing ends. An edge says that a search that is at one optimum,
makes some random moves and climbs again, gets to the other: an escape edge (Verel, Daolio, Ochoa and Tomassini, EA
2011).
Ochoa and Veerapen, "Neural Architecture Search: A Visual Analysis", PPSN 2022, draw NATS-Bench so.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.analysis.landscapes.fitness_levels import Split, fitness_of
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.network_files import write_graphml
from nasbench_lab.analysis.landscapes.optima import best_first
from nasbench_lab.analysis.landscapes.optimum_escapes import IteratedSearches, climb_ends, escapes, is_small, positions
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, require, whole
from nasbench_lab.displays import counted, html_card
from nasbench_lab.records import Categories, Column, Records
from nasbench_lab.tables import Metric, Table

if TYPE_CHECKING:
    import pandas as pd

Part = Literal["nodes", "edges"]

_MOST_LISTED = 2**20
_RUNS = 1000
_ITERATIONS = 100
_KINDS = ("improving", "equal", "worsening")


@dataclasses.dataclass(frozen=True, eq=False)
class OptimaNetwork:
    """A local optima network.

    Attributes:
        table: name of the table.
        metric: what the values measure.
        perturbation: number of random moves from an optimum before the next climb.
        runs: number of iterated local searches that found the network; None if it is complete.
        optima: the local optima, best first, shape (nodes,).
        notations: their official notation.
        values: their values, shape (nodes,).
        distances: least number of moves from the nearest best architecture, -1 where none lead there, shape (nodes,).
        is_best: whether an optimum has the best value of the table, shape (nodes,).
        basins: share of all architectures from which best-improvement climbing ends at each optimum, shape (nodes,); of
            a sampled network, the share of the random starts of its searches.
        source, target: positions of the optima of every edge, shape (edges,). Edges from an optimum to itself are
            among them: escapes that fail.
        weight: probability that an escape from the source ends at the target; of a sampled network, the number of
            escapes that did. Shape (edges,).
        reach: share of the searches that found a best architecture; NaN for a complete network.
    """

    table: str
    metric: Metric
    perturbation: int
    runs: int | None
    optima: IntArray
    notations: tuple[str, ...]
    values: FloatArray
    distances: IntArray
    is_best: NDArray[np.bool_]
    basins: FloatArray
    source: IntArray
    target: IntArray
    weight: FloatArray
    reach: float

    @property
    def kinds(self) -> Categories:
        """Whether each edge is improving, equal or worsening."""
        sign = -1.0 if self.metric.direction == "minimize" else 1.0
        change = np.sign(sign * (self.values[self.target] - self.values[self.source]))
        return Categories((1 - change).astype(np.int64), _KINDS)

    @property
    def sinks(self) -> IntArray:
        """Positions of the optima from which no edge leads to a better one: the bottoms of funnels."""
        improving = self.kinds.positions == 0
        return np.setdiff1d(np.arange(len(self.optima)), self.source[improving])

    @property
    def funnel(self) -> float:
        """Share of the optima from which edges that do not worsen lead to a best one, step by step."""
        inside = self.is_best.copy()
        climbs = self.kinds.positions < 2
        source, target = self.source[climbs], self.target[climbs]
        while True:
            wider = inside.copy()
            wider[source[inside[target]]] = True
            if (wider == inside).all():
                return float(inside.mean())
            inside = wider

    def statistics(self) -> dict[str, float]:
        """Return the single numbers of the network by name."""
        other = self.source != self.target
        stays = np.zeros(len(self.optima))
        np.add.at(stays, self.source[~other], self.weight[~other])
        total = np.bincount(self.source, weights=self.weight, minlength=len(self.optima))
        left = total > 0
        return {
            "nodes": len(self.optima),
            "edges": int(other.sum()),
            "improving_edges": int((other & (self.kinds.positions == 0)).sum()),
            "sinks": len(self.sinks),
            "funnel": self.funnel,
            "stays": float((stays[left] / total[left]).mean()) if left.any() else float("nan"),
            "reach": self.reach,
        }

    def records(self, part: Part = "nodes") -> Records:
        """Return the nodes or the edges.

        Args:
            part: ``"nodes"``: ``node``, ``architecture``, ``notation``, ``value``, ``distance``,
                ``basin``, ``best``. ``"edges"``:
                ``source`` and ``target``, which are nodes, ``weight``, ``kind``.
        """
        if part == "edges":
            columns: dict[str, Column] = {
                "source": self.source,
                "target": self.target,
                "weight": self.weight,
                "kind": self.kinds,
            }
            return Records(columns | {"weight": self.weight, "kind": self.kinds})
        return Records(
            {
                "node": np.arange(len(self.optima)),
                "architecture": self.optima,
                "notation": Categories.of(self.notations),
                "value": self.values,
                "distance": self.distances,
                "basin": self.basins,
                "best": self.is_best,
            },
            {"value": self.metric.unit},
        )

    def to_frame(self, part: Part = "nodes") -> pd.DataFrame:
        """Return the nodes or the edges as a pandas data frame; see `records`."""
        return self.records(part).to_frame()

    def to_graphml(self, path: str | os.PathLike[str]) -> None:
        """Write the network as GraphML, which networkx, igraph, Gephi and Cytoscape read.

        Raises:
            OutputError: the file cannot be written.
        """
        write_graphml(path, self.records("nodes"), self.records("edges"))

    def __repr__(self) -> str:
        found = self.statistics()
        how = "complete" if self.runs is None else f"from {self.runs:,} searches"
        size = f"{counted(int(found['nodes']), 'optimum', 'optima')}, {counted(int(found['edges']), 'edge')}"
        return f"<OptimaNetwork of {self.table}: {size}, {how}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the numbers of the network."""
        facts = {name.replace("_", " "): f"{value:,.4g}" for name, value in self.statistics().items() if value == value}
        how = "complete" if self.runs is None else f"from {self.runs:,} searches"
        return html_card(f"Local optima network of {self.table}", {"network": how, **facts})


def optima_network(
    table: Table,
    split: Split | None = None,
    *,
    perturbation: int = 2,
    runs: int | None = None,
    iterations: int = _ITERATIONS,
    fidelity: int | None = None,
    repeat: int | str = "mean",
    tolerance: float | None = None,
    seed: int = 0,
) -> OptimaNetwork:
    """Return the local optima network of a table.

    Climbing takes the best neighbour, and of equally good ones the one with the smallest index.

    Args:
        table: the table.
        split: values to look at, ``"valid"`` or ``"test"``; by default test, if the table has it.
        perturbation: number of random moves from an optimum before the next climb.
        runs: number of iterated local searches from random starts that sample the network. They keep the new optimum
            unless it is worse. With 0, the network is complete. By default it is complete if it has at most 1,000
            optima, otherwise from 1,000 searches.
        iterations: number of escapes of each search.
        fidelity: training epochs of the values; by default the highest.
        repeat: number or name of a repeat, or ``"mean"`` over the repeats of each architecture.
        tolerance: values that differ by at most this much are equal; by default only rounding errors are.
        seed: of the searches.

    Raises:
        MissingDataError: the table does not have the split, or no value of it.
        ParameterError: a number is out of range, or the space has no neighbours.

    >>> from nasbench_lab.testing import synthetic_table
    >>> found = optima_network(synthetic_table(noise=0.05))
    >>> found
    <OptimaNetwork of synthetic/chain: 4 optima, 9 edges, complete>
    """
    chosen = fitness_of(table, split, fidelity=fidelity, repeat=repeat, tolerance=tolerance)
    whole("perturbation", perturbation, AtLeast(1), AtMost(100))
    whole("iterations", iterations, AtLeast(1))
    require(table.space.has_neighbors, f"the space {table.space.name!r} has no neighbours, so it has no local optima")
    graph = LandscapeGraph(table.space, chosen.known)
    if runs is not None:
        runs = whole("runs", runs, AtLeast(0))
    ends = climb_ends(chosen, graph) if runs == 0 or table.space.size <= _MOST_LISTED else None
    if runs is None:
        runs = 0 if ends is not None and is_small(graph, ends, perturbation) else _RUNS
    if not runs and ends is not None:
        optima = best_first(chosen, np.unique(ends[graph.members]))
        source, target, weight = escapes(graph, ends, optima, perturbation)
        position = positions(optima, ends[graph.members])
        basins = np.bincount(position, minlength=len(optima)) / len(graph.members)
        reach = float("nan")
    else:
        searches = IteratedSearches(
            chosen, graph, ends, np.random.Generator(np.random.Philox(key=whole("seed", seed, AtLeast(0))))
        )
        first, one, other, reach = searches.run(runs, iterations, perturbation)
        optima = best_first(chosen, np.unique(np.concatenate([first, one, other])))
        pairs = positions(optima, one) * len(optima) + positions(optima, other)
        pairs, counts = np.unique(pairs, return_counts=True)
        source, target = np.divmod(pairs, len(optima))
        weight = counts.astype(np.float64)
        basins = np.bincount(positions(optima, first), minlength=len(optima)) / len(first)
    return OptimaNetwork(
        table=table.name,
        metric=chosen.metric,
        perturbation=perturbation,
        runs=runs or None,
        optima=optima,
        notations=tuple(table.space.format(optima)),
        values=chosen.values[optima],
        distances=graph.distances(chosen.best)[optima],
        is_best=np.isin(optima, chosen.best),
        basins=basins,
        source=source,
        target=target,
        weight=weight,
        reach=reach,
    )
