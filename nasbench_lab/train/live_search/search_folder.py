"""The folder of live searches: their settings, trainings and events.

============================  ===============================================================================
``trainings.sqlite``          the journal of all trainings; several searches in the folder share it
``trainings.json``            what is trained
``checkpoints``, ``locks``    unfinished trainings, and who is at work on them
``weights``                   the weights of finished trainings, only where children inherit
``searches/NAME``             one search: ``search.json`` has its settings, ``events.sqlite`` what happened
``best/NAME``                 the best architectures, retrained: weights, exported networks, ``best.json``
``traces.h5``, ``report.html``  the results of all searches, as of simulations
============================  ===============================================================================
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import filelock

from nasbench_lab.checks import AtLeast, check_fields
from nasbench_lab.errors import DataError, NasbenchLabError, OutputError, ParameterError
from nasbench_lab.files import atomic_path, file_names, is_working
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.lookup import find_strategy, split_path
from nasbench_lab.train.live_search.network_numbers import UNTRAINED
from nasbench_lab.train.live_search.spec import LiveSpec

SEARCHES, SETTINGS, LOCK = "searches", "search.json", "search.lock"

_FORMAT, _VERSION = "nasbench-lab live search", 1


@dataclasses.dataclass(frozen=True)
class LiveSearchPlan:
    """A live search, as plain data.

    Attributes:
        strategy: text for `nasbench_lab.strategies.lookup.find_strategy`.
        conditions: of the search; its workers are the evaluations at the same time.
        spec: what is trained.
        trainings: folder of the journal of trainings; empty for the folder of the search.
        metrics: names of the metrics that need no training.
        retrain: number of the best architectures that are retrained at the end.
        seeds: number of seeds from which each of them is retrained.
        export: how the retrained networks are exported; empty for not at all.
        inherit: how children inherit the weights of their parents, see `nasbench_lab.train.inheritance.Inheritance`;
            empty for not at all.

    Raises:
        ParameterError: a value is not allowed.
    """

    strategy: str
    conditions: Conditions
    spec: LiveSpec
    trainings: str = ""
    metrics: tuple[str, ...] = UNTRAINED
    retrain: Annotated[int, AtLeast(0)] = 0
    seeds: Annotated[int, AtLeast(1)] = 1
    export: str = ""
    inherit: Literal["", "overlapping", "equal", "net2net"] = ""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def name(self) -> str:
        """Name of the folder of the search."""
        seed = self.conditions.seed
        return file_names([self.label + (f" seed {seed}" if seed else "")])[0]

    @property
    def label(self) -> str:
        """The strategy with its parameters, and whether children inherit weights."""
        return self.searcher.label + (f" (inherits {self.inherit})" if self.inherit else "")

    @property
    def searcher(self) -> Strategy[Any]:
        """The strategy."""
        return find_strategy(self.strategy)

    def to_data(self) -> dict[str, Any]:
        """Return the plan as plain data that JSON can store."""
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**data, "conditions": self.conditions.to_data(), "spec": self.spec.to_data()}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> LiveSearchPlan:
        """Return the plan that `to_data` converted to plain data."""
        return cls(
            **{
                **data,
                "conditions": Conditions.of_data(data["conditions"]),
                "spec": LiveSpec.of_data(data["spec"]),
                "metrics": tuple(data["metrics"]),
            }
        )

    def extended(self, budget: Budget | None, changes: Mapping[str, Any]) -> LiveSearchPlan:
        """Return the plan with another budget, and with other values of what does not change the search."""
        conditions = self.conditions if budget is None else dataclasses.replace(self.conditions, budget=budget)
        return dataclasses.replace(self, conditions=conditions, **changes)


class StoredSearch(NamedTuple):
    """A search in a folder.

    Attributes:
        folder: of all searches.
        plan: of this one.
    """

    folder: Path
    plan: LiveSearchPlan

    @property
    def path(self) -> Path:
        """The folder of this search."""
        return self.folder / SEARCHES / self.plan.name

    @property
    def trainings(self) -> Path:
        """The folder of the journal of trainings."""
        return Path(self.plan.trainings) if self.plan.trainings else self.folder

    def stored(self) -> Self:
        """Write the settings, and return the search.

        Raises:
            OutputError: the folder cannot be written.
        """
        data = {"format": _FORMAT, "format_version": _VERSION, **self.plan.to_data()}
        with atomic_path(self.path / SETTINGS) as temporary:
            temporary.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return self

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the search inside the block.

        Raises:
            OutputError: another process is at work on it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.path / LOCK)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            raise OutputError(f"another process is at work on the search in {self.path}") from None
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        try:
            yield
        finally:
            lock.release()


def stored_searches(folder: Path) -> dict[str, StoredSearch]:
    """Return the searches in a folder by name, the first started first.

    Raises:
        DataError: a search is damaged, or was made by another version.
    """
    paths = sorted(
        (folder / SEARCHES).glob(f"*/{SETTINGS}"), key=lambda path: (path.parent.stat().st_ctime, path.parent.name)
    )
    return {path.parent.name: StoredSearch(folder, _read(path)) for path in paths}


def find_search(folder: Path, strategy: str | None = None) -> StoredSearch:
    """Return the search in a folder to continue.

    Args:
        folder: of the searches.
        strategy: which one, where there are several: the name of its folder, or its strategy.

    Raises:
        DataError: there is none, or it is damaged.
        ParameterError: there are several.
        UnknownNameError: there is none of that strategy.
    """
    found = stored_searches(folder)
    if not found:
        raise DataError(f"{folder} has no search to continue")
    if strategy is None:
        if len(found) > 1:
            raise ParameterError(f"{folder} has several searches; name one with --strategy: {', '.join(found)}")
        return next(iter(found.values()))
    for name, each in found.items():
        if strategy in (name, each.plan.strategy, each.plan.searcher.label):
            return each
    raise unknown("search", strategy, found)


def new_search(folder: Path, plan: LiveSearchPlan) -> StoredSearch:
    """Return a search that starts, or the same one, to be continued.

    Raises:
        OutputError: the folder has other files, or the same search with other settings.
    """
    found = stored_searches(folder)
    if plan.name in found:
        known = found[plan.name]
        for part in ("conditions", "spec", "trainings", "metrics", "inherit"):
            if getattr(known.plan, part) != getattr(plan, part):
                raise OutputError(
                    f"{folder} already has a search by {plan.searcher.label} with other settings ({part}); continue "
                    "it with --resume, or choose another folder or --seed"
                )
        return StoredSearch(folder, plan)
    if folder.exists() and not found:
        if not folder.is_dir():
            raise OutputError(f"{folder} is in the way: it is not a folder")
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in _OWN and not is_working(path))
        if foreign:
            raise OutputError(f"{folder} has files that are no live search ({foreign[0]}); choose another folder")
    return StoredSearch(folder, plan)


_OWN = (
    "trainings.sqlite",
    "trainings.sqlite-journal",
    "trainings.json",
    "locks",
    "checkpoints",
    "weights",
    SEARCHES,
    "best",
)


def portable(strategy: str) -> str:
    """Return the text of a strategy with the absolute path of its file, so that it is found from any folder.

    >>> portable("random-search")
    'random-search'
    """
    place, _ = split_path(strategy)
    if not place or ".py:" not in strategy:
        return strategy
    path, rest = strategy.split(".py:", 1)
    return f"{Path(path).absolute()}.py:{rest}"


def _read(path: Path) -> LiveSearchPlan:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format", None) != _FORMAT or data.pop("format_version", None) != _VERSION:
            raise DataError("it is not that of a live search of this version")
        return LiveSearchPlan.of_data(data)
    except NasbenchLabError as error:
        raise DataError(f"{path}: {first_line(error)}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}") from error
