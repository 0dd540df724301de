"""How long a suite takes: planned seconds, corrected by what its finished shards took."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, final

from nasbench_lab.suites.planned_simulations import Plan, Shard, Simulation


class Measured(NamedTuple):
    """What a finished shard took.

    Attributes:
        seconds: seconds of one process.
        size: bytes of its traces.
    """

    seconds: float
    size: float


class SuiteEstimate(NamedTuple):
    """How long a suite takes.

    Attributes:
        left: seconds of one process for all shards that are not finished, by strategy.
        done: seconds of one process for the finished shards, on the same scale.
        size: bytes of all traces, finished or not; 0 if no shard is finished.
        unmeasured: strategies without a finished shard.
    """

    left: Mapping[str, float]
    done: float
    size: float
    unmeasured: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Seconds of one process for all shards that are not finished."""
        return math.fsum(self.left.values())


def trial_shards(plan: Plan, finished: Collection[str] = ()) -> list[Shard]:
    """Return one shard per strategy that has no finished shard: one that is planned to take the median time.

    Args:
        plan: the plan.
        finished: names of finished shards.
    """
    of: dict[str, list[Shard]] = defaultdict(list)
    for shard in plan.shards:
        of[plan.simulations[shard.simulation].label].append(shard)
    chosen = []
    for shards in of.values():
        if not any(shard.name in finished for shard in shards):
            ordered = sorted(shards, key=lambda shard: shard.seconds)  # ties: in the order of the plan
            chosen.append(ordered[len(ordered) // 2])
    return chosen


class _Sums:
    """Planned and measured seconds, runs and bytes of some finished shards."""

    def __init__(self) -> None:
        self.planned = self.seconds = self.size = 0.0
        self.runs = 0

    def add(self, shard: Shard, found: Measured) -> None:
        self.planned += shard.seconds
        self.seconds += found.seconds
        self.runs += shard.runs
        self.size += found.size


@final
class Forecast:
    """Learns from finished shards how long the others take.

    What a strategy takes is a multiple of its planned seconds that is much the same for similar searches. The most
    similar finished ones decide: those of the same simulation, of the same strategy, or of all.

    Args:
        plan: the plan of the suite.
        measured: what finished shards took, by name.
    """

    def __init__(self, plan: Plan, measured: Mapping[str, Measured] | None = None) -> None:
        self._plan = plan
        self._sums: dict[tuple[str, ...], _Sums] = defaultdict(_Sums)
        self._finished: set[str] = set()
        self._left = [0.0] * len(plan.simulations)  # planned seconds
        for shard in plan.shards:
            self._left[shard.simulation] += shard.seconds
        for shard in plan.shards:
            if measured and shard.name in measured:
                self.learn(shard, measured[shard.name])

    def learn(self, shard: Shard, found: Measured) -> None:
        """Take into account what a shard took; what is known already is ignored."""
        if shard.name in self._finished:
            return
        self._finished.add(shard.name)
        self._left[shard.simulation] -= shard.seconds
        for key in self._keys(self._plan.simulations[shard.simulation]):
            self._sums[key].add(shard, found)

    def expected(self, shard: Shard) -> float:
        """Return the seconds that a shard takes, as far as is known."""
        return shard.seconds * self._rate(self._plan.simulations[shard.simulation])

    def estimate(self) -> SuiteEstimate:
        """Return what the suite takes. Without a finished shard, these are the planned seconds."""
        left: dict[str, float] = {}
        size = 0.0
        for simulation, planned in zip(self._plan.simulations, self._left, strict=True):
            like = self._like(simulation)
            seconds = max(planned, 0.0) * self._rate(simulation)
            left[simulation.label] = left.get(simulation.label, 0.0) + seconds
            size += self._plan.runs * like.size / like.runs if like.runs else 0.0
        missing = tuple(label for label in left if (label,) not in self._sums)
        return SuiteEstimate(left, self._sums[()].seconds, size, missing)

    @staticmethod
    def _keys(simulation: Simulation) -> Iterable[tuple[str, ...]]:
        """Return what a simulation is an example of, the narrowest first."""
        return (simulation.label, str(simulation.table)), (simulation.label,), ()

    def _rate(self, simulation: Simulation) -> float:
        """Return measured seconds per planned second of the most similar finished shards."""
        like = self._like(simulation)
        return like.seconds / like.planned if like.planned else 1.0

    def _like(self, simulation: Simulation) -> _Sums:
        """Return what is known of the most similar finished shards."""
        known = (self._sums[key] for key in self._keys(simulation) if key in self._sums)
        return next(known, _Sums())
