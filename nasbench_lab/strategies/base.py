"""The contract of a search strategy: ask and tell, over all runs at once."""

from __future__ import annotations

import abc
import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import check_fields
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals

State = TypeVar("State")

_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class Strategy(abc.ABC, Generic[State]):
    """A search strategy that advances many independent runs in lock step.

    A subclass is a frozen dataclass. Its fields are the parameters, with the published defaults. Their annotations say
    what values are allowed (see `nasbench_lab.checks`)::

        population_size: Annotated[int, AtLeast(1)] = 100
        selection: Literal["tournament", "rank"] = "rank"

    Everything that changes during a search lives in the state that `start` returns: arrays whose first axis is the run.

    The conformance cases in `nasbench_lab.testing` check these rules:

    - A run depends only on its own past and its own random stream. Draw the same number of uniforms for every run,
      whatever the state of the runs, and discard the numbers that are not needed.
    - Values are "higher is better", whatever the metric. A value can be NaN: a failed training.
    - A strategy sees the space, its streams, and what it is told. It never sees a table or test measurements.
    """

    name: ClassVar[str]
    """Name in the registry, e.g. ``"regularized-evolution"``; the default is the name of the class."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other common names, e.g. ``("rea", "aging-evolution")``. Error messages suggest the strategy for them; several
    strategies can share one."""
    reference: ClassVar[str] = ""
    """The publication."""
    family: ClassVar[str] = ""
    """The kind of strategy, e.g. ``"evolution"``."""
    version: ClassVar[int] = 1
    """Number of the behaviour: raised whenever the traces of the strategy change on purpose. Results of different
    versions are not comparable evaluation by evaluation."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What the strategy uses besides values: ``"neighbours"`` in the space (for mutations, too), ``"objectives"`` or
    ``"scores"``."""

    _named: ClassVar[bool] = False  # whether this class or one of its bases defines a name

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a strategy after its class, unless it defines a name."""
        super().__init_subclass__(**options)
        cls._named = cls._named or "name" in cls.__dict__
        if not cls._named:
            cls.name = cls.__name__

    asynchronous: ClassVar[bool] = False
    """Whether it can propose before all earlier proposals were evaluated. With several workers, other strategies wait
    until all evaluations of a proposal have ended."""
    multi_fidelity: ClassVar[bool] = False
    """Whether it proposes fidelities, or resumes trainings."""
    names_parents: ClassVar[bool] = False
    """Whether its proposals name the evaluations whose weights they inherit, where `Problem.inherits`."""
    takes_warm_start: ClassVar[bool] = False
    """Whether its first proposals can be replaced by others: it starts with random architectures, and learns only from
    what it is told."""

    runs_at_a_time: ClassVar[int] = 4096
    """Most runs that are simulated together: fewer where the state of a run is large, so that it stays in the cache.
    Because runs are independent, this changes only the speed."""
    deterministic: ClassVar[bool] = False
    """Whether it draws no random numbers: runs that are told the same propose the same."""

    def __post_init__(self) -> None:
        """Check the parameters: first each one against its annotation, then how they fit together."""
        check_fields(self)
        self.check()

    def check(self) -> None:
        """Raise a ParameterError if parameters do not fit together; each one was checked before."""

    @abc.abstractmethod
    def start(self, problem: Problem) -> State:
        """Return the state before the first evaluation of ``problem.runs`` runs."""

    @abc.abstractmethod
    def ask(self, state: State) -> IntArray | Proposals:
        """Return what every run evaluates next: architecture indices, shape (runs, k) with any k >= 1.

        With one worker, the k evaluations of a run happen one after the other, and `tell` follows after the last. An
        index of -1 ends a run: it has nothing more to propose. Return `Proposals` to choose fidelities, or to resume
        trainings.
        """

    @abc.abstractmethod
    def tell(self, state: State, evaluations: Evaluations) -> None:
        """Learn from observed values; ``evaluations.architecture`` and ``evaluations.value`` have shape (runs, k).

        They are the last proposals, in the same order; k can be smaller than proposed when the budget cuts the last
        proposals off. With several workers, an asynchronous strategy is told one evaluation per run (k = 1) whenever
        one ends. Runs with an exhausted budget are told values, too; these do not count.
        """

    def recommend(self, state: State) -> IntArray:
        """Return the architecture that every run would answer now, shape (runs,); -1 for none yet.

        A strategy defines this if its answer is not the architecture with the best observed value: for example that
        with the best mean under a model. Regret is then measured of the recommended architecture. Where it is -1, or
        breaks a limit of the search, the best observed one counts, as for all other strategies. It need not have been
        evaluated.

        This is called after every `tell`, must not change the state, and knows only what `tell` told: never test
        measurements. Of proposals that are told together, the recommendation belongs to the last.
        """
        raise NotImplementedError(f"strategy {self.name!r} does not recommend")

    def recommends(self, state: State) -> bool:
        """Return whether `recommend` is to be called; by default where a class defines it. Asked once, after `start`.

        A strategy that recommends only with some of its parameters overrides this.
        """
        return type(self).recommend is not Strategy.recommend

    def notes(self, space: Space) -> tuple[str, ...]:
        """Return what users should know of the strategy in a space, such as that it does nothing special there."""
        return ()

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the fidelities at which the strategy evaluates, ascending; some may be equal.

        By default a multi-fidelity strategy uses all of them, and another one the highest. A multi-fidelity strategy
        whose parameters select fidelities should override this: a search with a single one gives a warning.

        Args:
            available: `Problem.fidelities`.
        """
        return tuple(available if self.multi_fidelity else available[-1:])

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters and their values."""
        return parameters_of(self)

    @property
    def label(self) -> str:
        """The name, and the parameters that differ from their defaults, e.g. for legends.

        >>> from nasbench_lab.strategies import resolve
        >>> resolve("regularized-evolution", {"population_size": 20, "sample_size": 3}).label
        'regularized-evolution:population_size=20'
        """
        return label_of(self, self.parameters)


def parameters_of(owner: Any) -> dict[str, Any]:
    """Return the parameters of a strategy, method or proxy, which are its dataclass fields, with their values."""
    values = {name: getattr(owner, name) for name in field_names(type(owner))}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def label_of(owner: Any, parameters: Mapping[str, Any]) -> str:
    """Return the name of a strategy, method or proxy, with the parameters that differ from their defaults."""
    defaults = _defaults(type(owner))
    changed = [f"{name}={shown(value)}" for name, value in parameters.items() if defaults[name] != repr(value)]
    return f"{owner.name}:{','.join(changed)}" if changed else str(owner.name)


def shown(value: Any) -> str:
    """Return the value of a parameter as text that is the same in every process: without addresses in memory.

    >>> shown(5), shown(object())
    ('5', '<object object>')
    """
    return _ADDRESS.sub("", str(value))


def field_names(kind: type[Any]) -> list[str]:
    """Return the names of the parameters of a strategy class: its dataclass fields."""
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _defaults(kind: type[Any]) -> dict[str, str]:
    """Return the default of every parameter as text, so that values of any type can be compared."""
    defaults = {}
    for field in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        # A class of a file has its own copy of dataclasses.MISSING in another process: do not compare with that.
        factory = field.default_factory
        defaults[field.name] = repr(factory() if callable(factory) else field.default)
    return defaults
