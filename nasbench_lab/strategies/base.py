"""The contract of a search strategy: ask and tell, over all runs at once."""

from __future__ import annotations

import abc
import dataclasses
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals

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
    family: ClassVar[str] = ""
    """What kind of strategy it is, e.g. ``"evolution"``."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What makes it what it is: ``"neighbours"`` in the space (mutations too), ``"objectives"``, or ``"scores"``."""

    _named: ClassVar[bool] = False  # whether this class or one above it has a name of its own

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a strategy after its class unless it says otherwise."""
        super().__init_subclass__(**options)
        cls._named = cls._named or "name" in cls.__dict__
        if not cls._named:
            cls.name = cls.__name__

    asynchronous: ClassVar[bool] = False
    """Whether it can be asked before it was told of all that it asked for. With several workers, one that cannot
    waits until all evaluations of a proposal have ended."""
    multi_fidelity: ClassVar[bool] = False
    """Whether it proposes fidelities, or resumes trainings."""
    version: ClassVar[int] = 1
    """Version of the strategy: raised whenever its traces change on purpose."""
    takes_warm_start: ClassVar[bool] = False
    """Whether its first proposals can be replaced by others: it asks for random architectures at first, and learns from
    what it is told alone."""

    runs_at_a_time: ClassVar[int] = 4096
    """Most runs that are simulated together: fewer where the state of a run is large, so that it stays in the cache.
    By batch invariance it changes nothing but speed."""
    deterministic: ClassVar[bool] = False
    """Whether it draws nothing: all runs propose the same, as far as they are told the same."""

    @abc.abstractmethod
    def start(self, problem: Problem) -> State:
        """Return the state before the first evaluation of ``problem.runs`` runs."""

    @abc.abstractmethod
    def ask(self, state: State) -> IntArray | Proposals:
        """Return what every run evaluates next: architecture indices, shape (runs, k) with any k >= 1 of your choice.

        With one worker, the k evaluations of a run happen one after the other, and only then is it told. -1 ends a
        run: it has nothing more to propose. `Proposals` say more than indices: fidelities, and trainings to go on with.
        """

    @abc.abstractmethod
    def tell(self, state: State, evaluations: Evaluations) -> None:
        """Take in what was observed; ``evaluations.architecture`` and ``evaluations.value`` have shape (runs, k).

        They are what was last asked for, in that order; k can be smaller than asked for when the budget cuts the last
        proposals off. An asynchronous strategy with several workers is told one evaluation a run (k = 1) whenever one
        ends. Runs whose budget is used up are told values too, which do not count.
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
