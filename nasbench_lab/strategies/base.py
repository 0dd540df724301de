"""The contract of a search strategy: ask and tell, over all runs at once."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces.base import Space
from nasbench_lab.streams import FloatArray, IntArray, Streams, whole

State = TypeVar("State")


class Strategy(abc.ABC, Generic[State]):
    """A search strategy that advances many independent runs in lock step.

    A subclass is a frozen dataclass; its fields are the parameters, with published defaults. All that changes during
    a search lives in a state object that `start` makes: arrays whose first axis is the run.

    The rules, which the conformance cases in `nasbench_lab.testing` check:

    - What a run does depends on its own past and its own stream only. Draw from the streams the same number of
      uniforms for every run, whatever the state of the runs, and discard what is not needed.
    - Values are "higher is better", whatever the metric. A value can be NaN: a training that failed.
    - A strategy sees the space, its streams, and what it is told; never a table, never test measurements.
    """

    name: ClassVar[str]
    """Name in the registry, e.g. ``"regularized-evolution"``; by default that of the class."""
    reference: ClassVar[str] = ""
    """Where it was published."""

    _named: ClassVar[bool] = False  # whether this class or one above it has a name of its own

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a strategy after its class unless it says otherwise."""
        super().__init_subclass__(**options)
        cls._named = cls._named or "name" in cls.__dict__
        if not cls._named:
            cls.name = cls.__name__

    @abc.abstractmethod
    def start(self, space: Space, streams: Streams) -> State:
        """Return the state before the first evaluation of ``streams.runs`` runs."""

    @abc.abstractmethod
    def ask(self, state: State) -> IntArray:
        """Return what every run evaluates next: architecture indices, shape (runs, k) with any k >= 1 of your choice.

        The k evaluations of a run happen one after the other, and only then is it told. -1 ends a run: it has nothing
        more to propose.
        """

    @abc.abstractmethod
    def tell(self, state: State, architecture: IntArray, value: FloatArray) -> None:
        """Take in the values observed for the architectures last asked for, both of shape (runs, k).

        k can be smaller than asked for when the budget cuts the last proposals off. Runs whose budget is used up are
        told values too, which do not count.
        """

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters and their values."""
        values = {name: getattr(self, name) for name in field_names(type(self))}
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}

    @property
    def label(self) -> str:
        """The name, and the parameters that differ from their defaults, e.g. for legends.

        >>> from nasbench_lab.strategies import resolve
        >>> resolve("regularized-evolution", {"population_size": 20, "sample_size": 3}).label
        'regularized-evolution:population_size=20'
        """
        defaults = _defaults(type(self))
        changed = [f"{name}={value}" for name, value in self.parameters.items() if defaults[name] != repr(value)]
        return f"{self.name}:{','.join(changed)}" if changed else self.name


def field_names(kind: type[Any]) -> list[str]:
    """Return the names of the parameters of a strategy class: its dataclass fields."""
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _defaults(kind: type[Any]) -> dict[str, str]:
    """Return the default of every parameter as text; values of any kind can be compared that way."""
    defaults = {}
    for field in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        factory = field.default_factory
        defaults[field.name] = repr(field.default if factory is dataclasses.MISSING else factory())
    return defaults


def require_count(name: str, value: Any) -> None:
    """Raise a ParameterError unless the value is a whole number of at least 1.

    >>> require_count("population_size", 2.5)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: population_size must be a whole number, got 2.5
    """
    require(whole(name, value) >= 1, f"{name} must be at least 1, got {value}")


def require(condition: bool, message: str) -> None:
    """Raise a ParameterError with this message unless the condition holds.

    >>> require(0 > 1, "population_size must be at least 1, got 0")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: population_size must be at least 1, got 0
    """
    if not condition:
        raise ParameterError(message)
