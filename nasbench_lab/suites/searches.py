"""What a suite simulates: strategies, and the searches of families, found by name."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Mapping
from typing import Any, final

from nasbench_lab.errors import NOTED, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation import Conditions, Setting, Trace, simulate_under
from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.engine import setting_of
from nasbench_lab.simulation.table_searches import Places, TableSearch, Tell, family_of, list_families, search_names
from nasbench_lab.strategies import PlainStrategy, Strategy, list_strategies
from nasbench_lab.strategies.base import shown
from nasbench_lab.strategies.lookup import find_strategy, split_path
from nasbench_lab.strategies.registry import HOW_TO_LIST
from nasbench_lab.suites.requirements import estimated_evaluations, lacking
from nasbench_lab.tables import Table

_SECONDS = 4.0
"""Target duration of a shard of a strategy, approximately."""

_STEP_SECONDS = 0.008
"""Approximate duration of one evaluation of a full batch of runs; `Strategy.runs_at_a_time` is chosen to match it."""

_PLAIN_RUNS_AT_A_TIME = 256  # assumed batch size of a plain strategy, which loops over its runs
_MOST_RUNS = 4096
_MOST_EVALUATIONS = 2**23  # per shard, so that its traces stay below some hundred megabytes


def find_search(path: str, parameters: Mapping[str, Any]) -> TableSearch:
    """Return the search of a name or path in a suite.

    Args:
        path: name of a strategy or ``file.py:Class``, see `find_strategy`; or the name of a search of a family, such as
            ``one-shot/darts``.
        parameters: its parameters.

    Raises:
        UnknownNameError: nothing has that name, or it has no such parameter.
        ParameterError: a parameter has a bad value, or the family needs a package that is not installed.
    """
    if split_path(path)[0]:
        return StrategySearch(find_strategy(path, parameters))
    found = family_of(path)
    if found is None:
        _refuse_unknown(path)
        return StrategySearch(find_strategy(path, parameters))
    check_search_name(path)
    if not found.family.is_available():
        raise ParameterError(f"{path} cannot run here: {found.family.needs}")
    return found.family.make(found.name, parameters)


def check_search_name(path: str) -> None:
    """Raise UnknownNameError if a family has no search of a name; the family may be unavailable."""
    found = family_of(path)
    if found is not None and found.name not in found.family.names():
        raise unknown("strategy", path, search_names(), instead=HOW_TO_LIST)


def unavailable(path: str) -> str:
    """Return what the family of a name needs and is not installed; empty if nothing is missing.

    >>> unavailable("random-search")
    ''
    """
    found = None if split_path(path)[0] else family_of(path)
    return "" if found is None or found.family.is_available() else found.family.needs


def became_available(reason: str) -> bool:
    """Return whether something was skipped for a reason that is that of a family which is now available."""
    families = [family_of(f"{name}/") for name in list_families()]
    return any(found.family.needs == reason and found.family.is_available() for found in families if found)


def plain_label(path: str, parameters: Mapping[str, Any]) -> str:
    """Return a label for a search that cannot be made here.

    >>> plain_label("one-shot/darts", {"epochs": 5})
    'darts:epochs=5'
    """
    found = family_of(path)
    name = path if found is None else found.name
    given = ",".join(f"{key}={shown(value)}" for key, value in parameters.items())
    return f"{name}:{given}" if given else name


def matching_names(pattern: str) -> list[str]:
    """Return the names that a pattern matches. Only one that begins with the name of a family matches its searches.

    Raises:
        UnknownNameError: it matches nothing.

    >>> matching_names("zero-cost-*")
    ['zero-cost-filter', 'zero-cost-warm-start']
    """
    known = list_strategies() if family_of(pattern) is None else search_names()
    names = [name for name in known if fnmatch.fnmatchcase(name, pattern)]
    if not names:
        raise unknown("strategy", pattern, known, instead=HOW_TO_LIST)
    return names


def _refuse_unknown(name: str) -> None:
    """Raise UnknownNameError for a name that only a search of a family can have."""
    if name in list_strategies():
        return
    if "/" in name:
        raise unknown("strategy", name, [*list_strategies(), *search_names()], instead=HOW_TO_LIST)
    named = [each for each in search_names() if each.partition("/")[2] == name]
    if named:
        raise unknown("strategy", name, named)


@final
class StrategySearch:
    """A strategy that is simulated on a table.

    Args:
        strategy: the strategy.
    """

    def __init__(self, strategy: Strategy[Any]) -> None:
        self.strategy = strategy

    @property
    def label(self) -> str:
        """Label of the strategy."""
        return self.strategy.label

    @property
    def version(self) -> int:
        """Version of the strategy."""
        return self.strategy.version

    def lacking(self, table: Table, prepared: Prepared) -> str:
        """Return why the strategy cannot search a table; empty if it can."""
        return lacking(self.strategy, table, prepared.conditions, prepared.measurements)

    def setting(self, table: Table, prepared: Prepared) -> Setting:
        """Return the setting of its traces."""
        return setting_of(table, self.strategy, prepared)

    def shard_size(self, table: Table, prepared: Prepared) -> tuple[int, float]:
        """Return the number of runs per shard, a power of two, and the approximate seconds per run.

        This uses estimates, not measurements, so that a suite has the same shards on every machine.
        """
        evaluations = estimated_evaluations(self.strategy, table, prepared.conditions, prepared.measurements)
        together = self.strategy.runs_at_a_time
        if isinstance(self.strategy, PlainStrategy):
            together = min(together, _PLAIN_RUNS_AT_A_TIME)
        seconds = evaluations * _STEP_SECONDS / together
        runs = min(_SECONDS / seconds, _MOST_RUNS, _MOST_EVALUATIONS / evaluations)
        return 1 << max(0, int(runs).bit_length() - 1), seconds

    def search(
        self,
        table: Table,
        conditions: Conditions,
        *,
        runs: int,
        first_run: int,
        places: Places | None = None,
        tell: Tell | None = None,
    ) -> Trace:
        """Simulate the strategy. It keeps no files and tells nothing, as a shard takes seconds."""
        with warnings.catch_warnings():
            for category in NOTED:  # the report says so
                warnings.simplefilter("ignore", category)
            return simulate_under(conditions, table, self.strategy, runs=runs, first_run=first_run)
