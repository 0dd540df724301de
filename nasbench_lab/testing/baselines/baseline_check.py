"""Checking a strategy against its baseline, and writing new baselines."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation import Conditions, Setting, Trace, simulate_under
from nasbench_lab.strategies import Strategy
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy
from nasbench_lab.strategies.places import given_parameters, source_of
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.baseline import LEVEL, RUNS, TIERS, Subject, Tier
from nasbench_lab.testing.baselines.baseline_file import read_baseline
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
from nasbench_lab.testing.baselines.file_references import (
    find_table,
    find_table_of_file,
    name_of_table,
    plain,
    unplain,
)
from nasbench_lab.testing.baselines.rerun_audit import audit_rerun
from nasbench_lab.testing.baselines.verdicts import SimulatedRuns, compare_with_baseline, mismatch, write_baseline_of


@final
@dataclasses.dataclass(frozen=True)
class BaselineCheck:
    """A check of a strategy: what is simulated, and how it is judged.

    Args:
        strategy: a name (with parameters as ``name:key=value,...``), ``module:Class``, an object or a class.
        table: a table, its name, or the path of its file.
        conditions: conditions of the search, or a budget alone.
        runs: number of runs; more runs detect smaller regressions.
        parameters: parameters of the strategy, if it is given by name or as a class.
        margin: largest difference of the mean regrets that does not matter, in their unit, or one number per loss by
            name (see `LOSSES`). By default that of the baseline; for a new baseline half of the standard deviation over
            its runs.
        tiers: ways in which the check can pass: ``"exact"`` if all evaluations are identical, ``"statistical"`` if the
            regrets are not worse. Use ``("statistical",)`` for models whose rounding differs between processors.
        level: probability of a false alarm over all baselines of a folder.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> check = BaselineCheck("random-search", "synthetic/chain", nl.Budget(evaluations=20))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "random-search.json"
    ...     check.write(path).verdict, check.against(path).verdict
    ('created', 'identical')
    """

    strategy: StrategyLike
    table: str | os.PathLike[str] | Table
    conditions: Conditions
    runs: int = RUNS
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    margin: float | Mapping[str, float] | None = None
    tiers: Sequence[Tier] = TIERS
    level: float = LEVEL

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", Conditions.of(self.conditions))

    def against(self, path: Path) -> CheckOutcome:
        """Compare with the baseline in a file. All baselines in its folder share the level.

        Raises:
            NasbenchLabError: the baseline is missing, damaged or for another protocol, or the simulation is refused.
        """
        baseline = read_baseline(path)
        if isinstance(self.runs, int) and self.runs != baseline.protocol.runs:  # checked before the simulation
            raise mismatch(path, [f"runs was {baseline.protocol.runs}, is {self.runs}"])
        return compare_with_baseline(baseline, self._simulated(), path, self.tiers, self.level, self.margin)

    def write(self, path: Path, *, table_source: str | None = None) -> CheckOutcome:
        """Write a new baseline. A file with the same content is not changed; nothing is written if the audit fails.

        Args:
            path: path of the baseline file.
            table_source: name or path of the table in the file; by default that of `table`.

        Raises:
            NasbenchLabError: the simulation is refused, or the file cannot be written.
        """
        simulated = self._simulated()
        where = name_of_table(self.table, path.parent) if table_source is None else table_source
        return write_baseline_of(
            simulated, self._subject(simulated.trace.setting, where), path, self.tiers, self.level, self.margin
        )

    def _simulated(self) -> SimulatedRuns:
        searcher, table = find_strategy(self.strategy, self.parameters), find_table(self.table)

        def again(first_run: int, runs: int) -> Trace:
            # A new strategy object, so that reads of the table while it is created are noticed, too.
            return self._simulate(find_strategy(self.strategy, self.parameters), table, first_run, runs)

        trace = self._simulate(searcher, table, 0, self.runs)
        return SimulatedRuns(trace, table, "scores" in searcher.needs, tuple(audit_rerun(trace, again)))

    def _simulate(self, searcher: Strategy[Any], table: Table, first_run: int, runs: int) -> Trace:
        return simulate_under(self.conditions, table, searcher, runs=runs, first_run=first_run)

    def _subject(self, setting: Setting, table_source: str) -> Subject:
        searcher = find_strategy(self.strategy, self.parameters)
        given = given_parameters(searcher)
        kept = unplain(plain(searcher.parameters))
        found_again = all(kept[name] == searcher.parameters[name] for name in given)
        return Subject(
            name=searcher.name,
            label=searcher.label,
            version=searcher.version,
            parameters=plain(setting.parameters),  # with the score that was used, if the table chooses it
            given=tuple(given),
            source=source_of(self.strategy, searcher) if found_again else "",
            table_source=table_source,
        )


def check_file(
    path: Path,
    *,
    strategy: StrategyLike | None = None,
    table: str | os.PathLike[str] | Table | None = None,
    update: bool = False,
) -> CheckOutcome:
    """Run the check that a baseline file describes, with the strategy and the table that it names.

    The class that the file names is imported. As with tests, only check baselines of projects that you trust.

    Args:
        path: path of the baseline file.
        strategy: a strategy to use instead of that in the file.
        table: a table to use instead of that in the file.
        update: whether to write a new baseline instead, with the same protocol and margins.

    Raises:
        NasbenchLabError: the file is damaged, or its strategy or table is not found.
    """
    baseline = read_baseline(path)
    subject, protocol = baseline.subject, baseline.protocol
    if strategy is None and not subject.source:
        raise ParameterError(
            f"{path} does not say where to find its strategy {subject.label!r}; name it, or check a trace with the "
            "fixture strategy_baseline"
        )
    if table is None and not subject.table_source:
        raise ParameterError(f"{path} does not say where to find its table {protocol.table!r}; name it")
    given = {name: subject.parameters[name] for name in subject.given}
    check = BaselineCheck(
        strategy=subject.source if strategy is None else strategy,
        parameters=unplain(given) if strategy is None else {},
        table=find_table_of_file(subject.table_source, path.parent) if table is None else table,
        conditions=protocol.conditions,
        runs=protocol.runs,
        margin=baseline.margins,
        tiers=protocol.tiers,
        level=protocol.level,
    )
    if not update:
        return check.against(path)
    return check.write(path, table_source=subject.table_source if table is None else None)
