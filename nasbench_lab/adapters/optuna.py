"""Optuna's samplers and pruners as strategies, and tables as Optuna's objectives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from nasbench_lab.adapters.ask_tell import MOST_TRIES
from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import unknown
from nasbench_lab.simulation.measurements import Measurements, RepeatPolicy
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.tables.table import Table


@dataclass
class _State:
    space: Space
    distributions: dict[str, Any]
    fidelities: IntArray
    studies: list[Any]
    random: list[np.random.Generator]
    trials: list[Any]  # under way, one a run; None for a random architecture
    architecture: IntArray  # (runs,): that is trained
    rung: IntArray  # (runs,): position of the fidelity of the evaluation under way; 0 for a new trial
    number: IntArray  # (runs,): of the last evaluation


@final
@dataclass(frozen=True)
class OptunaSearch(Strategy[_State]):
    """Runs one Optuna study per run: slow, milliseconds a proposal. For comparisons with some dozens of runs.

    A trial has one categorical parameter for every code, called ``code_0``, ``code_1``, ...; trials whose codes
    describe no architecture, and failed trainings, are told as failed. With a pruner, a trial is trained from fidelity
    to fidelity of the table, reports its value at each, and goes on unless it should be pruned.

    Args:
        sampler: name of a class in ``optuna.samplers``.
        pruner: name of a class in ``optuna.pruners``; None evaluates everything at the highest fidelity.
        sampler_options: keyword arguments of the sampler. Every run's sampler is given a seed of its own.
        pruner_options: keyword arguments of the pruner.

    For example::

        strategy = OptunaSearch("TPESampler", sampler_options={"n_startup_trials": 20})
        trace = nl.simulate(table, strategy, runs=20, budget=nl.Budget(evaluations=100))
    """

    name: ClassVar[str] = "optuna"
    family: ClassVar[str] = "adapter"
    reference: ClassVar[str] = "Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, KDD 2019"

    sampler: str = "TPESampler"
    pruner: str | None = None
    sampler_options: Mapping[str, Any] = field(default_factory=dict)
    pruner_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import optuna  # an extra

        _class_in(optuna.samplers, "sampler", self.sampler)
        if self.pruner is not None:
            _class_in(optuna.pruners, "pruner", self.pruner)

    @property
    def multi_fidelity(self) -> bool:  # type: ignore[override] # of the object: with a pruner it is
        """Whether there is a pruner."""
        return self.pruner is not None

    def start(self, task: Problem) -> _State:
        """Make one study per run."""
        import optuna

        fidelities = task.fidelities if self.pruner else task.fidelities[-1:]
        random = [task.streams.generator(run) for run in range(task.runs)]
        return _State(
            space=task.space,
            distributions=_distributions(task.space),
            fidelities=np.array(fidelities),
            studies=[self._study(optuna, int(one.integers(2**31))) for one in random],
            random=random,
            trials=[None] * task.runs,
            architecture=np.zeros(task.runs, dtype=np.int64),
            rung=np.zeros(task.runs, dtype=np.int64),
            number=np.full(task.runs, -1),
        )

    def _study(self, optuna: Any, seed: int) -> Any:
        sampler = getattr(optuna.samplers, self.sampler)(seed=seed, **self.sampler_options)
        pruner = getattr(optuna.pruners, self.pruner or "NopPruner")(**self.pruner_options)
        with _without_messages(optuna):
            return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)

    def ask(self, state: _State) -> IntArray | Proposals:
        """Ask the studies whose trials are over for new ones, shape (runs, 1)."""
        for run in np.flatnonzero(state.rung == 0).tolist():
            state.trials[run], state.architecture[run] = _new_trial(state, run)
        architecture = state.architecture[:, None].copy()
        if self.pruner is None:
            return architecture
        resume = np.where(state.rung == 0, -1, state.number)
        return Proposals(architecture, state.fidelities[state.rung][:, None], resume[:, None])

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Report values; end trials that are finished, failed or pruned."""
        import optuna

        ended = optuna.trial.TrialState
        state.number = evaluations.number[:, 0].copy()
        for run, value in enumerate(evaluations.value[:, 0].tolist()):
            trial, study, last = state.trials[run], state.studies[run], state.rung[run] == len(state.fidelities) - 1
            over = bool(last) or bool(np.isnan(value))
            if trial is not None and np.isnan(value):
                study.tell(trial, state=ended.FAIL)
            elif trial is not None and last:
                study.tell(trial, value)
            elif trial is not None:
                trial.report(value, int(state.fidelities[state.rung[run]]))
                over = trial.should_prune()
                if over:
                    study.tell(trial, state=ended.PRUNED)
            state.rung[run] = 0 if over else state.rung[run] + 1


def _new_trial(state: _State, run: int) -> tuple[Any, int]:
    """Return a trial of a run's study and its architecture; None and a random one where its codes describe none."""
    import optuna

    for _ in range(MOST_TRIES):
        trial = state.studies[run].ask(state.distributions)
        architecture = _architecture(state.space, trial.params)
        if architecture >= 0:
            return trial, architecture
        state.studies[run].tell(trial, state=optuna.trial.TrialState.FAIL)
    return None, int(state.random[run].integers(state.space.size))


def optuna_objective(
    table: Table, *, fidelity: int | None = None, repeat: RepeatPolicy = "sample", prune: bool = False, seed: int = 0
) -> Callable[[Any], float]:
    """Return a table as an objective for ``optuna.Study.optimize``.

    A trial suggests one categorical parameter for every code, called ``code_0``, ``code_1``, ...; where they describe
    no architecture, it is pruned. It keeps its architecture and its simulated seconds as user attributes. Create the
    study with ``direction="maximize"``, or ``"minimize"`` where less of the table's objective is better.

    Args:
        table: the table.
        fidelity: training epochs of an evaluation; by default the highest.
        repeat: what an evaluation observes, see `nasbench_lab.simulation`.
        prune: whether a trial reports its value at all fidelities on the way, at each of which it can be pruned; its
            seconds are then those of a training that goes on, whether or not the table's trainings can be resumed.
        seed: of the repeats that are observed.

    For example::

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
        study.optimize(optuna_objective(table), n_trials=100)
        table.space.format(study.best_trial.user_attrs["architecture"])
    """
    import optuna

    highest = table.fidelities[table.fidelity_position(fidelity)]
    fidelities = [epochs for epochs in table.fidelities if epochs <= highest] if prune else [highest]
    measured = {epochs: Measurements(table, epochs, repeat) for epochs in fidelities}
    random = np.random.default_rng(seed)

    def objective(trial: Any) -> float:
        chosen = {
            name: trial.suggest_categorical(name, one.choices) for name, one in _distributions(table.space).items()
        }
        architecture = _architecture(table.space, chosen)
        if architecture < 0:
            raise optuna.TrialPruned
        trial.set_user_attr("architecture", architecture)
        draw = random.random((1, 1))
        for epochs in fidelities:
            seen = measured[epochs].observe_with(np.array([[architecture]]), draw)
            if seen.seconds is not None:
                trial.set_user_attr("seconds", float(seen.seconds[0, 0]))
            value = float(seen.value[0, 0])
            if prune and epochs < highest:
                trial.report(value, epochs)
                if trial.should_prune():
                    raise optuna.TrialPruned
        return value

    return objective


def _distributions(space: Space) -> dict[str, Any]:
    import optuna

    categories = optuna.distributions.CategoricalDistribution
    return {f"code_{code}": categories(range(number)) for code, number in enumerate(space.cardinalities)}


def _architecture(space: Space, chosen: Mapping[str, int]) -> int:
    """Return the architecture of a trial's parameters, -1 where they describe none."""
    return int(space.find(np.array([chosen[f"code_{code}"] for code in range(len(space.cardinalities))])))


def _class_in(module: Any, kind: str, name: str) -> None:
    if name not in module.__all__:
        raise unknown(kind, name, module.__all__)


@contextlib.contextmanager
def _without_messages(optuna: Any) -> Iterator[None]:
    """Silence Optuna's message about every new study inside the block."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
