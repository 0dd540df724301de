"""The pytest fixture ``strategy_baseline``: the checks of a test and their outcomes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, final

from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.strategies.lookup import StrategyLike, find_strategy
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.baseline import LEVEL, RUNS, TIERS, Subject, Tier
from nasbench_lab.testing.baselines.baseline_check import BaselineCheck
from nasbench_lab.testing.baselines.baseline_file import SUFFIX, read_baseline
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
from nasbench_lab.testing.baselines.file_references import find_table, name_of_table, plain
from nasbench_lab.testing.baselines.outcome_reports import to_text
from nasbench_lab.testing.baselines.verdicts import SimulatedRuns, compare_with_baseline, write_baseline_of

_LONGEST = 150  # characters of a file name, besides its ending

Fail = Callable[[str], Any]
"""Called with the message of a failed check; must raise."""


@final
class StrategyBaseline:
    """Compares strategies with committed baselines, see `check`.

    Args:
        folder: folder of the baseline files.
        update: whether to write new baselines instead of checking.
        how_to_update: command that writes the baselines of this test, for messages.
        allowed: verdicts that do not fail a test, of `ALLOWABLE`.
        fail: called with the message of a failed check; must raise.
        relative_to: folder that paths in messages are relative to.

    Attributes:
        outcomes: outcomes of all checks so far, including failed ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        update: bool,
        how_to_update: str,
        allowed: Collection[str] = (),
        fail: Fail,
        relative_to: Path | None = None,
    ) -> None:
        self._folder, self._update, self._how_to_update = folder, update, how_to_update
        self._allowed, self._fail = allowed, fail
        self._relative_to = relative_to
        self.outcomes: list[CheckOutcome] = []

    def check(
        self,
        strategy: StrategyLike,
        table: str | os.PathLike[str] | Table,
        *,
        runs: int = RUNS,
        margin: float | Mapping[str, float] | None = None,
        tiers: Sequence[Tier] = TIERS,
        level: float = LEVEL,
        name: str = "",
        parameters: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> CheckOutcome:
        """Simulate a strategy on a table, and fail the test if it does worse than its baseline.

        Args:
            strategy: see `BaselineCheck`.
            table: see `BaselineCheck`.
            runs: see `BaselineCheck`.
            margin: see `BaselineCheck`.
            tiers: see `BaselineCheck`.
            level: see `BaselineCheck`.
            name: name of the baseline file without ending; by default from the names of the strategy and the table.
            parameters: parameters of the strategy, unless it is an object.
            **options: the arguments of `Conditions`, such as ``budget=nl.Budget(evaluations=100)`` and ``seed=1``; all
                others are parameters of the strategy.
        """
        conditions = self._guarded(name, lambda: Conditions.take(options))
        given = {**options, **(parameters or {})}
        searcher, found = self._guarded(name, lambda: (find_strategy(strategy, given), find_table(table)))
        path = self._path(name or f"{searcher.name}--{found.name}")
        check = BaselineCheck(
            strategy=strategy,
            table=table,
            conditions=conditions,
            runs=runs,
            parameters=given,
            margin=margin,
            tiers=tiers,
            level=level,
        )
        return self._judge(path, lambda: check.write(path), lambda: check.against(path))

    def check_trace(
        self,
        trace: Trace,
        table: Table,
        *,
        pays_for_scores: bool = False,
        margin: float | Mapping[str, float] | None = None,
        tiers: Sequence[Tier] = TIERS,
        level: float = LEVEL,
        name: str = "",
    ) -> CheckOutcome:
        """Check a trace of another simulator in the same way. Its runs must start with number 0.

        Clock, budget and observations are audited as in `check`, but no runs are simulated again, as that needs the
        strategy.

        Args:
            trace: the runs.
            table: the table that was searched.
            pays_for_scores: whether seconds may pass between evaluations.
            margin: see `BaselineCheck`.
            tiers: see `BaselineCheck`.
            level: see `BaselineCheck`.
            name: see `check`.
        """
        setting = trace.setting
        path = self._path(name or f"{setting.strategy}--{table.name}")
        simulated = SimulatedRuns(trace, table, pays_for_scores)
        where = name_of_table(table, path.parent)
        subject = Subject(
            setting.strategy, setting.label, plain(setting.parameters), table_source=where, version=setting.version
        )
        return self._judge(
            path,
            lambda: write_baseline_of(simulated, subject, path, tiers, level, margin),
            lambda: compare_with_baseline(read_baseline(path), simulated, path, tiers, level, margin),
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{slug(name)}{SUFFIX}"

    def _judge(
        self, path: Path, write: Callable[[], CheckOutcome], compare: Callable[[], CheckOutcome]
    ) -> CheckOutcome:
        shown = self._shown(path)
        if self._update:
            outcome = self._guarded(shown, write)
        else:
            outcome = self._guarded(shown, lambda: self._compared(path, compare))
        outcome = dataclasses.replace(outcome, path=shown)
        self.outcomes.append(outcome)
        if not outcome.passes(self._allowed):
            hint = "" if outcome.verdict == "broken" else f"\n  if this is intended: {self._how_to_update}"
            self._fail(f"{to_text(outcome)}{hint}")
        return outcome

    def _compared(self, path: Path, compare: Callable[[], CheckOutcome]) -> CheckOutcome:
        if not path.exists():
            raise DataError(f"there is no baseline {self._shown(path)}; write it with: {self._how_to_update}")
        return compare()

    def _shown(self, path: Path) -> str:
        """Return a path for messages: relative to the project if possible, so the same on every machine."""
        near = self._relative_to is not None and path.is_relative_to(self._relative_to)
        return path.relative_to(self._relative_to).as_posix() if near and self._relative_to else str(path)

    def _guarded(self, path: str, do: Callable[[], Any]) -> Any:
        """Call a function; an error of this package fails the test with its message."""
        try:
            return do()
        except NasbenchLabError as caught:
            error = caught
        self.outcomes.append(CheckOutcome(path, "", "", "error", findings=(str(error),)))
        self._fail(str(error))  # outside of the handler, or pytest would show the message twice
        raise error


def slug(name: str) -> str:
    """Return a name in a form that is safe in file names. Different names stay different.

    The slash of a table's name becomes a hyphen. If other characters are replaced, or the name is too long for a file
    name, it ends with a digest of the whole name.

    >>> slug("regularized-evolution--nas-bench-graph/cora"), slug("a b"), slug("随机搜索")
    ('regularized-evolution--nas-bench-graph-cora', 'a-b-c8687a08', '277fbfca')
    """
    if not name.strip():
        raise ParameterError("the name of a baseline must not be empty")
    found = re.sub(r"[^A-Za-z0-9_.=-]+", "-", name).strip("-.")
    if found == name.replace("/", "-") and len(found) <= _LONGEST:
        return found
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{found[:_LONGEST]}-{digest}".lstrip("-")
