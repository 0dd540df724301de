"""Searches that are not simulated strategies, by name: ``one-shot/darts`` is a search of the family ``one-shot``.

A family is an object that knows the names of its searches and makes them. It may need a package that is not installed;
its names are known even then. Another package adds a family with an entry point in its ``pyproject.toml``. It names a
class like `SearchFamily`, and its name is the first part of the names of its searches::

    [project.entry-points."nasbench_lab.search_families"]
    my-family = "my_package.searches:MyFamily"
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.simulation.conditions import Conditions, Prepared
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables.table import Table

GROUP = "nasbench_lab.search_families"

_BUILT_IN = {"one-shot": "nasbench_lab.train.one_shot.search_family:OneShotFamily"}  # a text, as it may need torch

Tell = Callable[[float], None]
"""Called with the share of a search that is finished, from 0 to 1."""


class Places(NamedTuple):
    """Where a search may keep files.

    Attributes:
        unfinished: folder of its own for an unfinished search, from which it resumes after a kill.
        shared: folder for what several searches share, such as calibrations.
    """

    unfinished: Path
    shared: Path


class TableSearch(Protocol):
    """A way to search tables: a simulated strategy, or a method that trains networks."""

    @property
    def label(self) -> str:
        """Name with the parameters that differ from their defaults, for legends."""

    @property
    def version(self) -> int:
        """Raised whenever traces change on purpose."""

    def lacking(self, table: Table, prepared: Prepared) -> str:
        """Return why it cannot search a table under conditions, in one line; empty if it can."""

    def setting(self, table: Table, prepared: Prepared) -> Setting:
        """Return the setting of its traces, except what is measured during the search."""

    def shard_size(self, table: Table, prepared: Prepared) -> tuple[int, float]:
        """Return the number of runs to search together, and the approximate seconds per run."""

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
        """Search a table.

        Args:
            table: the table.
            conditions: of the search.
            runs: number of runs.
            first_run: number of the first run.
            places: where it may keep files; None for nowhere.
            tell: see `Tell`.
        """


class SearchFamily(Protocol):
    """Searches with names. Making the family and asking for names needs no packages that may be missing."""

    @property
    def needs(self) -> str:
        """What is needed and how to install it, such as ``"it needs torch: pip install 'nasbench-lab[torch]'"``."""

    def is_available(self) -> bool:
        """Return whether everything that is needed is installed."""

    def names(self) -> Sequence[str]:
        """Return the names of all searches, without the name of the family."""

    def make(self, name: str, parameters: Mapping[str, Any]) -> TableSearch:
        """Return a search.

        Args:
            name: without the name of the family.
            parameters: of the search.

        Raises:
            UnknownNameError: no search has that name, or it has no such parameter.
            ParameterError: a parameter has a value that is not allowed.
        """


class FoundFamily(NamedTuple):
    """The family of a name.

    Attributes:
        family: the family.
        name: the name without the name of the family.
    """

    family: SearchFamily
    name: str


def list_families() -> list[str]:
    """Return the names of all families, sorted.

    >>> list_families()
    ['one-shot']
    """
    return sorted([*_BUILT_IN, *added_names(GROUP, _BUILT_IN)])


def search_names() -> list[str]:
    """Return the names of the searches of all families, with the names of the families."""
    return [f"{family}/{name}" for family in list_families() for name in family_named(family).names()]


def family_of(name: str) -> FoundFamily | None:
    """Return the family of a name; None for a name without one, such as that of a strategy.

    >>> family_of("random-search") is None
    True
    """
    family, slash, rest = name.partition("/")
    return FoundFamily(family_named(family), rest) if slash and family in list_families() else None


@functools.cache
def _built_in(name: str) -> SearchFamily:
    module, _, kind = _BUILT_IN[name].partition(":")
    made: SearchFamily = getattr(importlib.import_module(module), kind)()
    return made


def family_named(name: str) -> SearchFamily:
    """Return a family.

    Raises:
        UnknownNameError: no family has that name.
        ParameterError: an installed package adds something else under that name.
    """
    if name in _BUILT_IN:
        warn_of_ignored(GROUP, name)
        return _built_in(name)
    if name not in list_families():
        raise unknown("family of searches", name, list_families())
    found = load_entry_point(GROUP, name)
    wanted = ("is_available", "names", "make")
    if not isinstance(found, type) or not all(callable(getattr(found, each, None)) for each in wanted):
        raise ParameterError(f"{describe(GROUP, name)} is not a class with {', '.join(wanted)}")
    family: SearchFamily = found()
    return family
