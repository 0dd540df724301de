"""The landscape of a table: all statistics in one pass over the neighbours of its architectures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.analysis.landscapes.climbing import MOST_BEST, RULES, climb_all, climb_from
from nasbench_lab.analysis.landscapes.distance_correlation import fitness_distance
from nasbench_lab.analysis.landscapes.equal_measurements import shared_trainings
from nasbench_lab.analysis.landscapes.fitness_levels import Fitness, Split, fitness, fitness_of
from nasbench_lab.analysis.landscapes.landscape_graph import LandscapeGraph
from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.measurement_agreement import Agreement, Noise, agreement, noise
from nasbench_lab.analysis.landscapes.neutral_networks import neutrality, neutrality_of_trainings
from nasbench_lab.analysis.landscapes.optima import local_optima
from nasbench_lab.analysis.landscapes.random_walks import walk_correlation
from nasbench_lab.analysis.landscapes.sampling import UNKNOWN, exact, mean
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables import Table

MOST_ARCHITECTURES = 2**20
"""The default looks at a sample of larger spaces."""

SAMPLES = 10_000
"""The default number of architectures of a sample."""

_LAGS = 10
_MOST_FIDELITIES = 12


def landscape(
    table: Table,
    split: Split | None = None,
    *,
    fidelity: int | None = None,
    repeat: int | str = "mean",
    tolerance: float | None = None,
    sample: int | None = None,
    walks: int = 200,
    steps: int = 100,
    others: Sequence[Table] = (),
    seed: int = 0,
) -> Landscape:
    """Return the landscape of a table: how its values lie over the space in which searches move.

    Two architectures are neighbours where `Space.neighbors` says so: one move of local search. Architectures without a
    value are left out. All numbers but those of simulated walks are exact, unless a sample is asked for or the space
    has more than a million architectures.

    Args:
        table: the table.
        split: values to look at, ``"valid"`` or ``"test"``; by default test, if the table has it.
        fidelity: training epochs of the values; by default the highest.
        repeat: number or name of a repeat, or ``"mean"`` over the repeats of each architecture.
        tolerance: values that differ by at most this much are equal; by default only rounding errors are.
        sample: number of architectures to look at, drawn uniformly with replacement; by default all of them, or 10,000
            of a space with more than 2**20.
        walks: number of simulated random walks.
        steps: number of values of each walk.
        others: tables on the same space whose values are compared, such as those of other data sets.
        seed: of the sample and the walks. The same arguments give the same result.

    Raises:
        MissingDataError: the table does not have the split, or no value of it.
        UnknownNameError: there is no such fidelity.
        ParameterError: a number is out of range, there is no such split or repeat, or another table has another space.

    >>> from nasbench_lab.testing import synthetic_table
    >>> found = landscape(synthetic_table(noise=0.05))
    >>> found
    <Landscape of synthetic/chain: test_accuracy, 243 architectures, 4 strict local optima>
    >>> [(climbs.rule, round(climbs.reach.estimate, 3)) for climbs in found.climbing]
    [('best', 0.263), ('first', 0.375)]
    """
    chosen = fitness_of(table, split, fidelity=fidelity, repeat=repeat, tolerance=tolerance)
    name = "test" if split is None and table.description.test is not None else split or "valid"
    whole("walks", walks, AtLeast(1))
    whole("steps", steps, AtLeast(2))
    if sample is not None:
        sample = whole("sample", sample, AtLeast(2))
        most = int(np.count_nonzero(chosen.known))
        require(sample <= most, f"sample must be at most {most:,}, the architectures with a value, got {sample:,}")
    elif table.space.size > MOST_ARCHITECTURES:
        sample = SAMPLES
    graph = LandscapeGraph(table.space, chosen.known)
    random = np.random.Generator(np.random.Philox(key=whole("seed", seed, AtLeast(0))))
    rows = None if sample is None else graph.members[(random.random(sample) * len(graph.members)).astype(np.int64)]
    return Landscape(
        table=table.name,
        split=name,
        metric=chosen.metric,
        fidelity=table.fidelities[table.fidelity_position(fidelity)],
        repeat=table.check_repeat(repeat),
        tolerance=chosen.tolerance,
        space=table.space.summary,
        architectures=len(graph.members),
        missing=table.space.size - len(graph.members),
        sample=sample,
        best=chosen.best,
        best_value=float(chosen.values[chosen.best[0]]),
        **_moves(table, chosen, graph, rows, (walks, steps), random),
        fidelities=_between_fidelities(table, chosen, repeat),
        tables=_between_tables(table, chosen, name, others, fidelity, repeat),
        noise=_between_repeats(table, chosen, graph, fidelity, everything=rows is None),
        notes=tuple(_notes(table, chosen, rows)),
    )


def _moves(
    table: Table,
    chosen: Fitness,
    graph: LandscapeGraph,
    rows: IntArray | None,
    walk: tuple[int, int],
    random: np.random.Generator,
) -> dict[str, Any]:
    """Return the fields about neighbours."""
    fields: dict[str, Any] = dict.fromkeys(
        ("optima", "distance", "walk", "neutrality", "neutrality_of_trainings"), None
    )
    fields |= {"climbing": (), "distance_each": (), "isolated": math.nan, "degree": UNKNOWN}
    if not table.space.has_neighbors:
        return fields
    if rows is None:
        fields["isolated"] = float((graph.degrees[graph.members] == 0).sum())
        fields["degree"] = exact(graph.degrees[graph.members].mean())
        fields["climbing"] = tuple(climb_all(chosen, graph, rule) for rule in RULES)
        shared = shared_trainings(table)
        if shared is not None and len(np.unique(shared[graph.members])) < len(graph.members):
            fields["neutrality_of_trainings"] = neutrality_of_trainings(chosen, graph, shared)
    else:
        fields["degree"] = mean(table.space.degree(rows).astype(np.float64))
        fields["climbing"] = tuple(climb_from(chosen, graph, rule, rows, random) for rule in RULES)
    walks, steps = walk
    fields["optima"] = local_optima(chosen, graph, rows)
    fields["neutrality"] = neutrality(chosen, graph, rows)
    fields["distance"] = fitness_distance(chosen, graph, chosen.best, rows)
    if 1 < len(chosen.best) <= MOST_BEST:
        fields["distance_each"] = tuple(fitness_distance(chosen, graph, np.array([each]), rows) for each in chosen.best)
    lags = min(_LAGS, steps - 1)
    fields["walk"] = walk_correlation(
        chosen, graph, walks=walks, steps=steps, lags=lags, random=random, everything=rows is None
    )
    return fields


def _quality(chosen: Fitness, values: FloatArray) -> FloatArray:
    return -values if chosen.metric.direction == "minimize" else values


def _between_fidelities(table: Table, chosen: Fitness, repeat: int | str) -> Agreement | None:
    """Return the agreement of fidelities, at most so many that a matrix stays readable."""
    epochs = table.fidelities
    if len(epochs) < 2 or "fidelity" not in chosen.metric.axes:
        return None
    if len(epochs) > _MOST_FIDELITIES:
        places = np.unique(np.linspace(0, len(epochs) - 1, _MOST_FIDELITIES).round().astype(int))
        epochs = tuple(epochs[place] for place in places)
    every = np.arange(table.space.size)
    columns = [_quality(chosen, table.lookup(every, each, repeat, chosen.metric.name)) for each in epochs]
    known = [place for place, column in enumerate(columns) if not np.isnan(column).all()]
    if len(known) < 2:
        return None
    return agreement([f"{epochs[place]} epochs" for place in known], [columns[place] for place in known])


def _between_tables(
    table: Table, chosen: Fitness, split: str, others: Sequence[Table], fidelity: int | None, repeat: int | str
) -> Agreement | None:
    if not others:
        return None
    labels, columns = [table.name], [chosen.quality]
    for other in others:
        if other.space.spec() != table.space.spec():
            raise ParameterError(f"{other.name!r} has another space than {table.name!r}, so they cannot be compared")
        # The other table may have other fidelities and repeats: its highest fidelity then.
        epochs = fidelity if fidelity in other.fidelities else None
        own = repeat if repeat == "mean" or other.repeats == table.repeats else "mean"
        one = fitness_of(other, "valid" if split == "valid" else "test", fidelity=epochs, repeat=own)
        labels.append(other.name)
        columns.append(one.quality)
    return agreement(labels, columns)


def _between_repeats(
    table: Table, chosen: Fitness, graph: LandscapeGraph, fidelity: int | None, *, everything: bool
) -> Noise | None:
    """Return how much of the ranking is seed noise, with the local optima of single repeats."""
    values = table.repeat_values(chosen.metric.name, fidelity)
    found = noise(_quality(chosen, values)) if values.shape[1] > 1 else None
    if found is None or not everything or not table.space.has_neighbors:
        return found
    counts = []
    for column in values.T:
        known = ~np.isnan(column)
        if known.all() and len(graph.members) == graph.size:
            counts.append(local_optima(fitness(column, chosen.metric), graph).strict.estimate)
    return dataclasses.replace(found, optima=float(np.mean(counts)) if counts else math.nan)


def _notes(table: Table, chosen: Fitness, rows: IntArray | None) -> list[str]:
    notes = []
    if not table.space.has_neighbors:
        notes.append("no architecture of this space has a neighbour, so there are no moves, optima or walks")
    if table.space.parent is not None:
        notes.append(
            f"the table has {table.space.size:,} of {table.space.parent.size:,} architectures; neighbours are those of "
            "the whole space and the nearest others, so the landscape of the whole space may look different"
        )
    if missing := int((~chosen.known).sum()):
        notes.append(f"{missing:,} architectures have no value; they and moves to them are left out")
    if rows is not None:
        notes.append(
            f"estimates from {len(rows):,} architectures, with 95 % intervals; distances and the best are exact"
        )
    if len(chosen.best) > 1:
        notes.append(
            f"{len(chosen.best):,} architectures share the best value; to reach the optimum is to reach any of them"
        )
    if near := chosen.near_ties:
        spread = float(np.ptp(chosen.values[chosen.known]))
        notes.append(
            f"{near:,} values differ from the next by less than a millionth of the range: most likely, the difference "
            f"is a rounding error of the published numbers; with tolerance={1e-6 * spread:.0e} they are equal"
        )
    return notes
