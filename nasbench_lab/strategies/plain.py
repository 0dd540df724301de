"""The adapter for plain strategies: ordinary Python classes that search one run, one architecture at a time."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import StrategyError
from nasbench_lab.messages import described
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy, shown
from nasbench_lab.strategies.problem import Evaluations, Problem


class PlainRun(Protocol):
    """One run of a plain strategy.

    It can also have a method ``recommend()``, which returns the architecture that it would answer now, by index or in
    official notation; None for none yet (see `Strategy.recommend`).
    """

    def ask(self) -> int | str | None:
        """Return the next architecture, by index or in official notation; None ends the run."""

    def tell(self, architecture: Any, value: float) -> None:
        """Learn the observed value of the last proposed architecture; higher is better, NaN is a failed training."""


@dataclass
class _State:
    space: Space
    runs: list[PlainRun | None]
    asked: list[Any]


@final
@dataclass(frozen=True)
class PlainStrategy(Strategy[_State]):
    """Run a plain strategy in a Python loop over runs, each with its own object and random generator.

    This is slow, but good for a first idea, and as an oracle for a lock-step version.

    Args:
        factory: called as ``factory(space, random, **arguments)`` for every run, with the `Space` and a
            ``numpy.random.Generator``; returns an object with ``ask`` and ``tell`` (see `PlainRun`).
        arguments: keyword arguments for the factory.
        title: name of the strategy; the default is the name of the factory.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> class Guess:
    ...     def __init__(self, space, random):
    ...         self.space, self.random = space, random
    ...     def ask(self):
    ...         return self.random.integers(self.space.size)
    ...     def tell(self, architecture, value):
    ...         pass
    >>> trace = nl.simulate(synthetic_table("chain"), PlainStrategy(Guess), runs=2, budget=nl.Budget(evaluations=4))
    >>> trace.evaluations.tolist()
    [4, 4]
    """

    factory: Callable[..., PlainRun]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def name(self) -> str:  # type: ignore[override] # of the object, not of the class: it is known only then
        """The title, or the name of the factory's class or function."""
        factory = self.factory.func if isinstance(self.factory, functools.partial) else self.factory
        return self.title or str(getattr(factory, "__qualname__", type(factory).__qualname__))

    @property
    def version(self) -> int:  # type: ignore[override] # of the object, like the name
        """The version of the factory, see `plain_version`."""
        return plain_version(self.factory)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the factory, including those that ``functools.partial`` gives it."""
        return {**_bound_arguments(self.factory), **self.arguments}

    @property
    def label(self) -> str:
        """The name and the arguments."""
        arguments = ",".join(f"{name}={shown(value)}" for name, value in self.parameters.items())
        return f"{self.name}:{arguments}" if arguments else self.name

    def start(self, problem: Problem) -> _State:
        """Create one object per run.

        Raises:
            StrategyError: the factory cannot be called with a space, a generator and the arguments.
        """
        made: list[PlainRun | None] = []
        for run in range(problem.runs):
            try:
                one = self.factory(problem.space, problem.streams.generator(run), **self.arguments)
            except TypeError as error:
                raise StrategyError(f"cannot make {self.label} with (space, random): {described(error)}") from error
            if not all(callable(getattr(one, method, None)) for method in ("ask", "tell")):
                raise StrategyError(f"{self.name} must return an object with ask and tell, got {one!r}")
            made.append(one)
        return _State(problem.space, made, [None] * problem.runs)

    def ask(self, state: _State) -> IntArray:
        """Ask every run for its next architecture, shape (runs, 1); -1 for runs that have ended.

        Raises:
            StrategyError: a run proposed something outside the space.
        """
        proposals = np.full((len(state.runs), 1), -1, dtype=np.int64)
        for position, run in enumerate(state.runs):
            architecture = None if run is None else run.ask()
            if architecture is None:
                state.runs[position] = None
                continue
            state.asked[position] = architecture
            proposals[position] = self._index(state.space, architecture)
        return proposals

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Tell every run its value, with the architecture in the form in which the run proposed it."""
        for run, asked, observed in zip(state.runs, state.asked, evaluations.value[:, 0].tolist(), strict=True):
            if run is not None:
                run.tell(asked, observed)

    def recommends(self, state: _State) -> bool:
        """Return whether the object of any run has a method ``recommend``."""
        return any(_recommend_of(run) is not None for run in state.runs)

    def recommend(self, state: _State) -> IntArray:
        """Return what every run recommends, shape (runs,); -1 for none, and for runs that have ended.

        Raises:
            StrategyError: a run recommended something outside the space.
        """
        recommended = np.full(len(state.runs), -1, dtype=np.int64)
        for position, run in enumerate(state.runs):
            method = _recommend_of(run)
            architecture = None if method is None else method()
            if architecture is not None:
                recommended[position] = self._index(state.space, architecture, "recommended")
        return recommended

    def _index(self, space: Space, architecture: Any, verb: str = "proposed") -> int:
        try:
            return space.resolve(architecture)
        except ValueError as error:
            raise StrategyError(f"{self.name} {verb} {architecture!r}: {error}") from error


def _recommend_of(run: PlainRun | None) -> Callable[[], Any] | None:
    method = getattr(run, "recommend", None)
    return method if callable(method) else None


def _bound_arguments(factory: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments that ``functools.partial`` gives a function, by name."""
    if not isinstance(factory, functools.partial):
        return {}
    try:
        names = list(inspect.signature(factory.func).parameters)
    except (TypeError, ValueError):  # a callable without a signature
        names = []
    names += [f"argument {place}" for place in range(len(names), len(factory.args))]
    return {**dict(zip(names, factory.args, strict=False)), **factory.keywords}


def plain_version(factory: Callable[..., Any]) -> int:
    """Return the version of a plain strategy: its attribute ``version`` if that is a whole number, else 1."""
    if isinstance(factory, functools.partial):
        factory = factory.func
    given = getattr(factory, "version", 1)
    return given if isinstance(given, int) else 1
