"""Checking a strategy against its baseline, and making one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation import Conditions, Trace, simulate_under
from nasbench_lab.strategies import Strategy
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.baseline import LEVEL, RUNS, TIERS, Subject, Tier
from nasbench_lab.testing.baselines.baseline_file import read_baseline
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
from nasbench_lab.testing.baselines.file_references import (
    find_table,
    find_table_of_file,
    given_parameters,
    name_of_table,
    plain,
    source_of,
    unplain,
)
from nasbench_lab.testing.baselines.rerun_audit import audit_rerun
from nasbench_lab.testing.baselines.verdicts import SimulatedRuns, compare_with_baseline, mismatch, write_baseline_of


@final
@dataclasses.dataclass(frozen=True)
class BaselineCheck:
    """What is simulated in a check, and how it is judged.

    Args:
        strategy: a name (with parameters as ``name:key=value,...``), ``module:Class``, an object or a class.
        table: a table, its name, or the path of its file.
        conditions: of the search (see `Conditions`), or a budget alone.
        runs: number of runs; more runs detect smaller regressions.
        parameters: of the strategy, where it is given by name or as a class.
        margin: the largest difference in the mean regret that does not matter, in its unit, or one a loss by name (see
            `LOSSES`). By default that of the baseline; of a new one, half of the standard deviation over its runs.
        tiers: in which ways it can pass: ``"exact"``, all evaluations are as they were; ``"statistical"``, the regrets
            are not worse. For models whose rounding differs between machines, ``("statistical",)``.
        level: chance of a false alarm, over all baselines of a folder together.

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
        """Compare with the baseline in a file. The baselines in its folder share the level.

        Raises:
            NasbenchLabError: there is no baseline, it is damaged or of another protocol, or the simulation is refused.
        """
        baseline = read_baseline(path)
        if isinstance(self.runs, int) and self.runs != baseline.protocol.runs:  # known before anything is simulated
            raise mismatch(path, [f"runs was {baseline.protocol.runs}, is {self.runs}"])
        return compare_with_baseline(baseline, self._simulated(), path, self.tiers, self.level, self.margin)

    def write(self, path: Path, *, table_source: str | None = None) -> CheckOutcome:
        """Make the baseline anew. A file that says the same already is left as it is; nothing broken is written.

        Args:
            path: of the file.
            table_source: what the file calls the table, if not what `table` is called here.

        Raises:
            NasbenchLabError: the simulation is refused, or the file cannot be written.
        """
        simulated = self._simulated()
        where = name_of_table(self.table, path.parent) if table_source is None else table_source
        return write_baseline_of(simulated, self._subject(where), path, self.tiers, self.level, self.margin)

    def _simulated(self) -> SimulatedRuns:
        searcher, table = find_strategy(self.strategy, self.parameters), find_table(self.table)

        def again(first_run: int, runs: int) -> Trace:
            # Found anew, so that what it reads of the table when it is made is seen too.
            return self._simulate(find_strategy(self.strategy, self.parameters), table, first_run, runs)

        trace = self._simulate(searcher, table, 0, self.runs)
        return SimulatedRuns(trace, table, "scores" in searcher.needs, tuple(audit_rerun(trace, again)))

    def _simulate(self, searcher: Strategy[Any], table: Table, first_run: int, runs: int) -> Trace:
        return simulate_under(self.conditions, table, searcher, runs=runs, first_run=first_run)

    def _subject(self, table_source: str) -> Subject:
        searcher = find_strategy(self.strategy, self.parameters)
        parameters = plain(searcher.parameters)
        given = given_parameters(searcher)
        kept = unplain(parameters)
        found_again = all(kept[name] == searcher.parameters[name] for name in given)
        return Subject(
            name=searcher.name,
            label=searcher.label,
            version=searcher.version,
            parameters=parameters,
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
    """Do the check that a baseline file describes, with the strategy and the table that it names.

    The file names a class, which is imported: check baselines as you run tests, of projects that you trust.

    Args:
        path: of the file.
        strategy: another strategy than the file names.
        table: the table, where the file does not say where it is.
        update: whether to write the baseline anew instead, by the same protocol and with the same margins.

    Raises:
        NasbenchLabError: the file is damaged, or what it names is not found.
    """
    baseline = read_baseline(path)
    subject, protocol = baseline.subject, baseline.protocol
    if strategy is None and not subject.source:
        raise ParameterError(f"{path} does not say where its strategy {subject.label!r} is to be found; name it")
    if table is None and not subject.table_source:
        raise ParameterError(f"{path} does not say where its table {protocol.table!r} is to be found; name it")
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
