"""The results of a landscape: all statistics of one table."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes.climbing import Climbing
from nasbench_lab.analysis.landscapes.distance_correlation import FitnessDistance
from nasbench_lab.analysis.landscapes.fitness_levels import Split
from nasbench_lab.analysis.landscapes.measurement_agreement import Agreement, Noise
from nasbench_lab.analysis.landscapes.neutral_networks import Neutrality
from nasbench_lab.analysis.landscapes.optima import LocalOptima
from nasbench_lab.analysis.landscapes.random_walks import WalkCorrelation
from nasbench_lab.analysis.landscapes.sampling import exact
from nasbench_lab.arrays import IntArray
from nasbench_lab.displays import html_card, html_notes, html_table
from nasbench_lab.records import Categories, Column, Records
from nasbench_lab.tables import Metric

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Landscape:
    """The landscape of a table. Counts of a sample are estimates for the whole space.

    Attributes:
        table: name of the table.
        split: ``"valid"`` or ``"test"``.
        metric: what the values measure.
        fidelity: training epochs of the values.
        repeat: the repeat of the values, or ``"mean"``.
        tolerance: values that differ by at most this much are equal.
        space: name and size of the space.
        architectures: number of architectures with a value.
        missing: number of architectures without.
        isolated: number of architectures with a value, but without a neighbour that has one; NaN of a sample.
        degree: mean number of neighbours with a value.
        sample: number of architectures that were looked at; None for all of them, whose results have no intervals.
        best: the architectures with the best value, ascending, shape (ties,).
        best_value: their value.
        optima: local optima.
        climbing: hill climbs, by best and by first improvement.
        distance: fitness-distance correlation, to the nearest of the best architectures.
        distance_each: the same to every single one of them, if there are two to ten.
        walk: autocorrelation along random walks.
        neutrality: neighbours with the same value.
        neutrality_of_trainings: the same where architectures that share a training count once; None if none do, or the
            table does not tell.
        fidelities: rank correlations between fidelities; None with one fidelity.
        tables: rank correlations with other tables on the same space; None without any.
        noise: how much of a ranking is seed noise; None without repeats.
        notes: what a reader must know, one sentence each.

    Fields about neighbours are None where no architecture has a neighbour.
    """

    table: str
    split: Split
    metric: Metric
    fidelity: int
    repeat: int | str
    tolerance: float
    space: str
    architectures: int
    missing: int
    isolated: float
    degree: Interval
    sample: int | None
    best: IntArray
    best_value: float
    optima: LocalOptima | None
    climbing: tuple[Climbing, ...]
    distance: FitnessDistance | None
    distance_each: tuple[FitnessDistance, ...]
    walk: WalkCorrelation | None
    neutrality: Neutrality | None
    neutrality_of_trainings: Neutrality | None
    fidelities: Agreement | None
    tables: Agreement | None
    noise: Noise | None
    notes: tuple[str, ...]

    def statistics(self) -> dict[str, Interval]:
        """Return all single numbers by name, with intervals where they come from a sample or from simulated walks."""
        found = {
            "architectures": exact(self.architectures),
            "missing": exact(self.missing),
            "isolated": exact(self.isolated),
            "degree": self.degree,
            "best": exact(self.best_value),
            "tied_best": exact(len(self.best)),
        }
        if self.optima is not None:
            found |= {f"{name}_optima": getattr(self.optima, name) for name in ("strict", "weak")}
            found["optimum_plateaus"] = self.optima.plateaus
        for climbs in self.climbing:
            for name in ("reach", "moves", "evaluations"):
                found[f"{climbs.rule}_{name}"] = getattr(climbs, name)
            found[f"{climbs.rule}_largest_basin"] = exact(climbs.basins[0])
        if self.distance is not None:
            found |= {f"distance_{kind}": getattr(self.distance, kind) for kind in ("pearson", "spearman", "kendall")}
            found["largest_distance"] = exact(len(self.distance.count) - 1)
        if self.walk is not None:
            found["autocorrelation"] = exact(self.walk.exact[1])
            found["walked_autocorrelation"] = self.walk.lag_one
            found["correlation_length"] = exact(self.walk.length)
        for prefix, each in (("", self.neutrality), ("distinct_", self.neutrality_of_trainings)):
            if each is not None:
                if prefix:
                    found["distinct_trainings"] = exact(each.architectures)
                found[f"{prefix}neutrality_ratio"] = each.ratio
                found[f"{prefix}neutral_architectures"] = each.neutral
                found[f"{prefix}neutral_networks"] = each.networks
                found[f"{prefix}largest_neutral_network"] = each.largest
        if self.noise is not None:
            for field in dataclasses.fields(self.noise)[2:]:
                found[f"noise_{field.name}"] = exact(getattr(self.noise, field.name))
        return found

    def records(self) -> Records:
        """Return one row per statistic: ``statistic``, ``value``, ``low``, ``high``; NaN where there is no interval."""
        found = self.statistics()
        ends = {
            name: np.array([getattr(each, end) for each in found.values()])
            for name, end in (("value", "estimate"), ("low", "low"), ("high", "high"))
        }
        return Records({"statistic": Categories.of(list(found)), **ends})

    def to_frame(self) -> pd.DataFrame:
        """Return the statistics as a pandas data frame; see `records`."""
        return self.records().to_frame()

    def optima_records(self) -> Records:
        """Return one row per local optimum at which climbs end, the best first, with the sizes of its basins.

        Columns: ``architecture``, ``value``, ``strict`` (whether it is a strict local optimum), ``best_basin`` and
        ``first_basin`` (shares of climbs by best and by first improvement that end there).
        """
        if self.optima is None:
            return Records({"architecture": np.empty(0, dtype=np.int64)})
        index = self.optima.weak_indices
        strict = np.isin(index, self.optima.strict_indices)
        columns: dict[str, Column] = {"architecture": index, "value": self.optima.weak_values, "strict": strict}
        for climbs in self.climbing:
            size = dict(zip(climbs.ends.tolist(), climbs.basins.tolist(), strict=True))
            columns[f"{climbs.rule}_basin"] = np.array([size.get(each, 0.0) for each in index.tolist()])
        return Records(columns, {"value": self.metric.unit})

    def __repr__(self) -> str:
        looked_at = f"{self.sample:,} of " if self.sample else ""
        optima = "no neighbours" if self.optima is None else f"{_text(self.optima.strict)} strict local optima"
        size = f"{looked_at}{self.architectures:,} architectures"
        return f"<Landscape of {self.table}: {self.metric.name}, {size}, {optima}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: all statistics, and the notes."""
        facts = {
            "values": f"{self.metric.name} ({self.metric.unit}), {self.fidelity} epochs, repeat: {self.repeat}",
            "space": self.space,
            "looked at": "" if self.sample is None else f"{self.sample:,} architectures; 95 % intervals in brackets",
        }
        rows = [[name.replace("_", " "), _text(each)] for name, each in self.statistics().items()]
        return html_card(f"Landscape of {self.table}", facts, html_table(["", ""], rows), html_notes(self.notes))


def _text(value: Interval) -> str:
    """Return a statistic as text; counts as whole numbers.

    >>> _text(exact(1234567)), _text(exact(0.25)), _text(exact(math.nan))
    ('1,234,567', '0.25', '')
    """
    if math.isnan(value.estimate):
        return ""
    if math.isnan(value.low) and value.estimate == round(value.estimate):
        return f"{value.estimate:,.0f}"
    return str(value)
