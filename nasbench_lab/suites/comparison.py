"""A comparison: several strategies on several tables, all with the same budget and seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nasbench_lab.checks import AtLeast, AtMost, whole
from nasbench_lab.child_processes import number_of_processes
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation import Conditions, Trace, concatenate, simulate_under
from nasbench_lab.simulation.run_batches import RUNS_AT_A_TIME
from nasbench_lab.simulation.search_progress import SearchProgress
from nasbench_lab.simulation.simulation_processes import SimulationProcesses
from nasbench_lab.strategies import Strategy
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy, split_path
from nasbench_lab.streams import MOST_RUNS
from nasbench_lab.tables import Table, load

Advance = Callable[[float], None]
"""Called with the number of runs simulated since the last call; parts of runs count, too."""


@dataclass(frozen=True)
class Comparison:
    """A comparison in memory. Use a `Suite` for longer simulations.

    Args:
        tables: names of tables, or paths of table files.
        strategies: names with parameters, like ``regularized-evolution:population_size=20,sample_size=5``,
            ``file.py:Class``, objects or classes; see `simulate`.
        conditions: the conditions of the searches, or only a budget.
        runs: number of runs of every strategy on every table; run r of every strategy uses the random streams of run r.
        processes: number of processes, see `simulate`; None for one per processor.

    Raises:
        ParameterError: there is no table or no strategy, or a number is invalid.
    """

    tables: tuple[str, ...]
    strategies: tuple[StrategyLike, ...]
    conditions: Conditions
    runs: int = 1000
    processes: int | None = 1

    def __post_init__(self) -> None:
        if not self.tables or not self.strategies:
            raise ParameterError("a comparison needs at least one table and one strategy")
        object.__setattr__(self, "runs", whole("runs", self.runs, AtLeast(1), AtMost(MOST_RUNS)))
        object.__setattr__(self, "conditions", Conditions.of(self.conditions))
        number_of_processes(self.processes)

    @property
    def simulated_runs(self) -> int:
        """Number of runs over all strategies and tables."""
        return len(self.tables) * len(self.strategies) * self.runs

    def run(self, advance: Advance = lambda _runs: None) -> Iterator[Trace]:
        """Simulate, table by table and strategy by strategy, and yield a trace for each.

        All names and conditions are checked, and all tables opened, before the first simulation.

        Raises:
            NasbenchLabError: a name is unknown, a parameter is invalid, something is listed twice, or a table lacks
                data that the budget, fidelity, repeat, workers, objectives or limits require.
        """
        for blocks in self.run_in_blocks(advance):
            yield concatenate(list(blocks))

    def run_in_blocks(self, advance: Advance = lambda _runs: None) -> Iterator[Iterator[Trace]]:
        """Simulate like `run`, but yield the blocks of each simulation, which are simulated on demand.

        The blocks of a simulation are traces of consecutive runs. They must be read before those of the next.

        Raises:
            NasbenchLabError: see `run`.
        """
        searchers = [find_strategy(each) for each in self.strategies]
        tables = [load(name) for name in self.tables]
        places = [split_path(each)[0] if isinstance(each, str) else "" for each in self.strategies]
        check_different("strategy", [searcher.label for searcher in searchers], places)
        check_different("table", [table.name for table in tables])
        for table in tables:
            self.conditions.on(table)
        with SimulationProcesses(self.processes) as processes:
            for table in tables:
                for searcher in searchers:
                    yield self._run_one(table, searcher, processes, advance)

    def _run_one(
        self, table: Table, searcher: Strategy[object], processes: SimulationProcesses, advance: Advance
    ) -> Iterator[Trace]:
        steps = 0
        for first in range(0, self.runs, RUNS_AT_A_TIME):
            runs = min(RUNS_AT_A_TIME, self.runs - first)
            block = simulate_under(
                self.conditions,
                table,
                searcher,
                runs=runs,
                first_run=first,
                processes=processes,
                progress=_difference(advance),
            )
            steps = max(steps, block.steps)
            yield block
        if not steps:
            budget = self.conditions.budget
            raise MissingDataError(f"no evaluation of {searcher.label!r} on {table.name!r} fits into {budget}")


def _difference(advance: Advance) -> Callable[[SearchProgress], None]:
    """Return a function that calls another one with the progress since the last call."""
    before = 0.0

    def tell(progress: SearchProgress) -> None:
        nonlocal before
        advance(progress.done - before)
        before = progress.done

    return tell


def check_different(kind: str, names: Sequence[str], places: Sequence[str] = ()) -> None:
    """Raise ParameterError if a name is listed twice.

    Args:
        kind: what the names stand for.
        names: the names.
        places: where a class with each name is defined; empty if it is registered. Two classes can have one name.
    """
    for name in names:
        if names.count(name) > 1:
            same = {place for place, other in zip(places, names, strict=False) if other == name}
            if len(same) > 1 and all(same):
                raise ParameterError(f"{' and '.join(sorted(same))} are both called {name!r}: rename one of them")
            raise ParameterError(f"{kind} {name!r} is listed twice")
