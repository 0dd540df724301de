"""A comparison: some strategies on some tables, all with the same budget and seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation import Budget, Trace, concatenate, simulate
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.engine import RUNS_AT_A_TIME
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.strategies import Strategy, resolve
from nasbench_lab.suites.strategy_strings import parse_strategy
from nasbench_lab.tables import Table, load

Progress = Callable[[int], None]
"""Called with the number of runs that were simulated since the last call."""


@dataclass(frozen=True)
class Comparison:
    """What to compare, at once and in memory; a `Suite` is for what takes longer.

    Args:
        tables: names of tables, or paths of table files.
        strategies: names with parameters, like ``regularized-evolution:population_size=20,sample_size=5``.
        budget: limits of every run.
        runs: number of runs of every strategy on every table.
        fidelity: training epochs of every evaluation; by default each table's highest.
        repeat: which repeat an evaluation observes, see `simulate`.
        workers: how many evaluations of a run happen at the same time.
        objectives: further metrics that strategies are told of every evaluation, see `simulate`.
        limits: the most that a metric may be (or the least, where more is better), by its name.
        seed: root seed; run r of every strategy uses the streams of run r.

    Raises:
        ParameterError: nothing to compare.
    """

    tables: tuple[str, ...]
    strategies: tuple[str, ...]
    budget: Budget
    runs: int = 1000
    fidelity: int | None = None
    repeat: RepeatPolicy = "sample"
    workers: int = 1
    objectives: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.tables or not self.strategies:
            raise ParameterError("a comparison needs at least one table and one strategy")
        if self.runs < 1:
            raise ParameterError(f"runs must be at least 1, got {self.runs}")

    @property
    def simulated_runs(self) -> int:
        """Number of runs over all strategies and tables."""
        return len(self.tables) * len(self.strategies) * self.runs

    @property
    def conditions(self) -> Conditions:
        """What all simulations have in common."""
        goals = (self.objectives, self.limits)
        return Conditions(self.budget, self.fidelity, self.repeat, self.workers, *goals, self.seed)

    def run(self, progress: Progress = lambda _runs: None) -> Iterator[Trace]:
        """Simulate, table by table and strategy by strategy, and yield a trace for each.

        Everything is checked, and tables are opened, before anything is simulated.

        Raises:
            NasbenchLabError: an unknown name, a bad parameter, something listed twice, or a table that lacks what the
                budget, fidelity, repeat, workers, objectives or limits ask for.
        """
        searchers = [resolve(*parse_strategy(text)) for text in self.strategies]
        tables = [load(name) for name in self.tables]
        check_different("strategy", [searcher.label for searcher in searchers])
        check_different("table", [table.name for table in tables])
        for table in tables:
            self.conditions.check(table)
        for table in tables:
            for searcher in searchers:
                yield self._run_one(table, searcher, progress)

    def _run_one(self, table: Table, searcher: Strategy[object], progress: Progress) -> Trace:
        shards = []
        for first in range(0, self.runs, RUNS_AT_A_TIME):
            runs = min(RUNS_AT_A_TIME, self.runs - first)
            shards.append(simulate(table, searcher, runs=runs, first_run=first, **self.conditions.options))
            progress(runs)
        trace = concatenate(shards)
        if not trace.steps:
            raise MissingDataError(f"no evaluation of {searcher.label!r} on {table.name!r} fits into {self.budget}")
        return trace


def check_different(kind: str, names: Sequence[str]) -> None:
    """Raise ParameterError where a name is listed twice."""
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"{kind} {name!r} is listed twice")
