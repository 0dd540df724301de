"""A one-shot method as a search of a suite: run by run, on the clock of the table."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final, get_args

from nasbench_lab.checks import AtLeast, flag, one_of, whole
from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import first_line, shortened, unknown
from nasbench_lab.simulation import Conditions, Setting, Trace
from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.table_searches import Places, Tell
from nasbench_lab.strategies.base import field_names
from nasbench_lab.tables import Table
from nasbench_lab.train import datasets
from nasbench_lab.train.build.assembly import this_platform
from nasbench_lab.train.devices import check_device, check_precision
from nasbench_lab.train.one_shot.calibration import Calibration, calibrate
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.methods.registry import make_method, method_class
from nasbench_lab.train.one_shot.run_tasks import torch_threads
from nasbench_lab.train.one_shot.running_time import estimated_seconds
from nasbench_lab.train.one_shot.search_plan import SearchPlan, choices_of, label_of, plan_search
from nasbench_lab.train.one_shot.searches import OneShotProgress, search
from nasbench_lab.train.one_shot.supernets import Statistics
from nasbench_lab.train.recipes import recipe


def _dataset(value: Any) -> Any:
    """Check a data set: a name, or a description; paths in it must not depend on the current folder."""
    if isinstance(value, str):
        return one_of("dataset", value, datasets.names())
    if not isinstance(value, Mapping):
        raise ParameterError(f"dataset must be a name or a table that describes a data set, got {shortened(value)}")
    for key in ("file", "folder", "split_file"):
        if key in value and not Path(str(value[key])).is_absolute():
            raise ParameterError(f"{key} of the dataset must be an absolute path, got {value[key]!r}")
    return value


def _network(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ParameterError(f"network must be a table, like {{ channels = 8, cells = 3 }}, got {shortened(value)}")
    return value


OPTIONS: Mapping[str, Callable[[Any], Any]] = {
    "epochs": lambda value: whole("epochs", value, AtLeast(1)),
    "dataset": _dataset,
    "recipe": lambda value: recipe(value).name,
    "statistics": lambda value: one_of("statistics", value, get_args(Statistics)),
    "affine": lambda value: flag("affine", value),
    "network": _network,
    "device": check_device,
    "precision": check_precision,
    "threads": lambda value: whole("threads", value, AtLeast(1)),
}
"""The arguments of `search` that a suite can give beside the parameters of the method, and their checks."""


@final
@dataclasses.dataclass(frozen=True, eq=False)
class OneShotSearch:
    """A one-shot method as a search of a suite; see `nasbench_lab.simulation.table_searches.TableSearch`.

    Attributes:
        method: the method.
        options: arguments of `search` that differ from the defaults.
    """

    method: Method[Any]
    options: Mapping[str, Any]
    _last: list[SearchPlan] = dataclasses.field(default_factory=list, repr=False)

    @classmethod
    def of(cls, name: str, parameters: Mapping[str, Any]) -> OneShotSearch:
        """Return the search of a method.

        Args:
            name: of the method.
            parameters: of the method, and those in `OPTIONS`.

        Raises:
            UnknownNameError: no method has that name, or it has no such parameter.
            ParameterError: a parameter has a value that is not allowed.

        >>> OneShotSearch.of("spos", {"epochs": 20, "population": 30}).label
        'spos:population=30,epochs=20'
        """
        own = field_names(method_class(name))
        for parameter in parameters:
            if parameter not in own and parameter not in OPTIONS:
                raise unknown(f"parameter of one-shot/{name}", parameter, [*own, *OPTIONS])
        method = make_method(name, {key: value for key, value in parameters.items() if key in own})
        return cls(method, {key: OPTIONS[key](value) for key, value in parameters.items() if key not in own})

    @property
    def label(self) -> str:
        """Name with the parameters that differ from their defaults."""
        return label_of(self.method, choices_of(self.method, self.options))

    @property
    def version(self) -> int:
        """Version of the method."""
        return self.method.version

    def lacking(self, table: Table, prepared: Prepared) -> str:
        """Return why the method cannot search a table; empty if it can."""
        budget, workers = prepared.conditions.stated_budget, prepared.conditions.workers
        if budget.seconds is None:
            return f"it trains networks itself and needs a budget in seconds, got {budget}"
        if workers > 1:
            return f"it trains on one worker, got {workers} workers"
        try:
            self._plan(table, prepared.conditions)
        except NasbenchLabError as error:
            return first_line(error)
        return ""

    def setting(self, table: Table, prepared: Prepared) -> Setting:
        """Return the setting of the traces, without what is measured."""
        plan = self._plan(table, prepared.conditions)
        return Setting(
            table=table.name,
            checksum=table.checksum,
            strategy=self.method.name,
            version=self.version,
            label=plan.label,
            parameters=json.loads(json.dumps(plan.parameters)),
            conditions=prepared.conditions,
            first_run=0,
            objective=table.objective,
        )

    def shard_size(self, table: Table, prepared: Prepared) -> tuple[int, float]:
        """Return one run per shard, and its approximate seconds."""
        return 1, estimated_seconds(self._plan(table, prepared.conditions))

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
        """Search a table. A search that was killed resumes, with the scale of the other searches of the suite."""

        def progress(now: OneShotProgress) -> None:
            if tell is not None:
                tell(now.done / now.epochs)

        plan = self._plan(table, conditions)
        found = search(
            table,
            self.method,
            runs=runs,
            first_run=first_run,
            scale=_calibration(plan, places),
            conditions=conditions,
            folder=None if places is None else places.unfinished,
            progress=progress,
            snapshots=1,
            **self.options,
        )
        return Trace(**{each.name: getattr(found, each.name) for each in dataclasses.fields(Trace)})

    def _plan(self, table: Table, conditions: Conditions) -> SearchPlan:
        """Return the checked search; the last one is kept, as it loads data and builds a supernet."""
        for plan in self._last:
            if plan.table is table and plan.seed == conditions.seed:
                return plan
        self._last[:] = [plan_search(table, self.method, seed=conditions.seed, **self.options)]
        return self._last[0]


def _calibration(plan: SearchPlan, places: Places | None) -> Calibration:
    """Return the calibration that all searches of a suite share that have this table, device and machine."""
    facts = [plan.table.name, plan.table.checksum, plan.record.sha256, plan.options.device, plan.threads]
    name = hashlib.sha256(json.dumps([*facts, this_platform()]).encode()).hexdigest()[:16]
    folder = None if places is None else places.shared / name
    with torch_threads(plan.threads):
        return calibrate(plan.table, dataset=plan.dataset, device=plan.options.device, folder=folder)
