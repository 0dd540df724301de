"""The metadata of a table: frozen plain data, stored with the numbers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from nasbench_lab.errors import DataError, UnknownNameError
from nasbench_lab.messages import unknown

Split = Literal["train", "valid", "test", "none"]
Direction = Literal["maximize", "minimize", "none"]
Kind = Literal["measured", "surrogate", "live", "function"]
"""Where the answers of a table come from: trainings that were done, a model, trainings on demand, or a function."""

_MOST_REPEATS = 2**15 - 1  # traces store the number of a repeat as int16

AXES = ("architecture", "fidelity", "repeat")
"""The possible axes of a metric, in this order. Every metric has the first."""


_BOUNDS = {"percent": (0.0, 100.0), "fraction": (0.0, 1.0)}


@dataclasses.dataclass(frozen=True)
class Metric:
    """One measured quantity.

    Attributes:
        name: name of the metric, e.g. ``"test_accuracy"``.
        split: the part of the data it was measured on; ``"none"`` for quantities such as times and sizes.
        unit: e.g. ``"percent"``, ``"s"``, ``"millions"``.
        direction: the direction of better values; ``"none"`` if neither is better.
        description: what exactly was measured and stored.
        axes: the axes of the stored values, a subset of `AXES` in that order.
    """

    name: str
    split: Split
    unit: str
    direction: Direction
    description: str
    axes: tuple[str, ...] = AXES

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Between which numbers all values must be, by their unit: percentages and fractions; None for other units."""
        return _BOUNDS.get(self.unit)

    def __post_init__(self) -> None:
        if self.split not in get_args(Split) or self.direction not in get_args(Direction):
            raise DataError(f"metric {self.name!r} has split {self.split!r} and direction {self.direction!r}")
        if self.axes not in (("architecture",), AXES[:2], (AXES[0], AXES[2]), AXES):
            raise DataError(f"metric {self.name!r} has axes {self.axes}; allowed: some of {AXES}, in order")


@dataclasses.dataclass(frozen=True)
class Description:
    """The metadata of a table: everything except its numbers.

    Attributes:
        name: name in the catalogue, e.g. ``"nats-bench-tss/cifar10"``.
        title: one-line title.
        space: specification of the search space, plain data for `nasbench_lab.spaces.make_space`.
        fidelities: numbers of training epochs, ascending.
        repeats: names of the repeats (trainings from different seeds), in order.
        metrics: the measured quantities.
        valid: name of the metric that a search observes; None if no validation metric was published.
        test: name of the metric that is reported; None if no test metric was published.
        cost: names of the metrics in seconds whose sum is the cost of one evaluation; empty if no times were published.
            The first is the training from its start: a resumed training pays only the difference. The others are paid
            at every evaluation.
        resumable: whether a training can be continued from a lower to a higher fidelity.
        licence: SPDX name(s) of the licence of the data.
        citation: BibTeX.
        source: where the numbers come from: repositories with commits, or a package with its version.
        notes: notes for readers who publish numbers from this table.
        kind: where the answers come from: ``"measured"``, networks that were trained; ``"surrogate"``, a model of such
            measurements; ``"live"``, networks that are trained when they are asked for; ``"function"``, a function.
    """

    name: str
    title: str
    space: Mapping[str, Any]
    fidelities: tuple[int, ...]
    repeats: tuple[str, ...]
    metrics: tuple[Metric, ...]
    valid: str | None
    test: str | None
    cost: tuple[str, ...] = ()
    resumable: bool = False
    licence: str = ""
    citation: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    kind: Kind = "measured"

    def __post_init__(self) -> None:
        self._check_texts()
        if self.kind not in get_args(Kind):
            raise DataError(
                f"the kind of a table must be {', '.join(get_args(Kind)[:-1])} or function, not {self.kind!r}"
            )
        names = [metric.name for metric in self.metrics]
        if len(set(names)) != len(names) or not names:
            raise DataError(f"table {self.name!r} must have at least one metric, and metrics must have different names")
        if list(self.fidelities) != sorted(set(self.fidelities)) or not self.fidelities or self.fidelities[0] < 1:
            raise DataError(f"table {self.name!r} must have ascending positive fidelities, got {self.fidelities}")
        if not 1 <= len(self.repeats) <= _MOST_REPEATS:
            raise DataError(f"table {self.name!r} must have 1 to {_MOST_REPEATS} repeats")
        if self.valid is None and self.test is None:
            raise DataError(f"table {self.name!r} must have a validation or a test metric")
        for role in (self.valid, self.test, *self.cost):
            if role is not None and role not in names:
                raise DataError(f"table {self.name!r} has no metric {role!r}; it has {', '.join(names)}")
        for role in (self.valid, self.test):
            if role is not None and self.metric(role).direction == "none":
                raise DataError(f"metric {role!r} of table {self.name!r} needs a direction")

    def _check_texts(self) -> None:
        """Raise DataError if a text is not a str, or a name or unit is not one printable line."""
        lines = [self.name, self.title, *self.repeats, *self.cost]
        lines += [text for metric in self.metrics for text in (metric.name, metric.unit)]
        texts = [self.licence, self.citation, self.source, *self.notes, *(m.description for m in self.metrics)]
        if not all(isinstance(text, str) for text in (*lines, *texts)) or not all(map(str.isprintable, lines)):
            raise DataError("the names and notes of a table must be texts, and each name one printable line")

    @property
    def objective(self) -> Metric:
        """The metric that a search observes: validation, or test if no validation metric was published."""
        return self.metric(self.valid or self.test or "")

    def metric(self, name: str) -> Metric:
        """Return the metric of that name, or raise UnknownNameError with similar names."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise unknown("metric", name, (metric.name for metric in self.metrics))

    def split_metric(self, split: str) -> Metric:
        """Return the metric of a split ("valid" or "test")."""
        roles = {"valid": self.valid, "test": self.test}
        if split not in roles:
            raise unknown("split", split, roles)
        name = roles[split]
        if name is None:
            raise UnknownNameError(f"table {self.name!r} has no {split} metric")
        return self.metric(name)

    def to_json(self) -> str:
        """Return the description as JSON with sorted keys, without the kind of a measured table."""
        data = dataclasses.asdict(self)
        if self.kind == "measured":  # the same text, and so the same checksums, as before there were kinds
            del data["kind"]
        return json.dumps(data, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Read what `to_json` wrote.

        Raises:
            DataError: the text is not the description of a table.
        """
        try:
            data = json.loads(text)
            if not isinstance(data["space"], dict):
                raise DataError("the space of a table must be an object")
            data["metrics"] = tuple(Metric(**{**m, "axes": tuple(m["axes"])}) for m in data["metrics"])
            for key in ("fidelities", "repeats", "cost", "notes"):
                data[key] = tuple(data[key])
            if not all(type(epochs) is int for epochs in data["fidelities"]):
                raise DataError("the fidelities of a table must be whole numbers")
            return cls(**data)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
            raise DataError(f"this is not the description of a table: {error}") from error
