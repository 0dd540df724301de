"""Optuna's samplers and pruners as strategies, and tables as Optuna's objectives."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from nasbench_lab.adapters.ask_tell import MOST_TRIES
from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
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
    trials: list[Any]  # current trial of every run; None for a random architecture
    architecture: IntArray  # (runs,): current architecture
    rung: IntArray  # (runs,): position of the current fidelity; 0 for a new trial
    number: IntArray  # (runs,): number of the last evaluation


@final
@dataclass(frozen=True)
class OptunaSearch(Strategy[_State]):
    """Runs one Optuna study per run. It is slow, with milliseconds per proposal: use it with some dozens of runs.

    A trial has one categorical parameter per code, called ``code_0``, ``code_1``, .... Trials whose codes describe no
    architecture, and failed trainings, are reported as failed. With a pruner, a trial is trained to one fidelity of the
    table after the other and reports its value at each; it stops when the pruner says so.

    Args:
        sampler: name of a class in ``optuna.samplers``.
        pruner: name of a class in ``optuna.pruners``; None evaluates all architectures at the highest fidelity.
        sampler_options: keyword arguments of the sampler. The sampler of every run gets its own seed.
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
        seeded = "seed" in inspect.signature(getattr(optuna.samplers, self.sampler)).parameters
        require(seeded, f"sampler {self.sampler!r} takes no seed: no run of it could be repeated")
        if self.sampler == "CmaEsSampler":
            raise ParameterError("sampler 'CmaEsSampler' cannot search categories: Optuna would propose at random")
        if self.pruner is not None:
            _class_in(optuna.pruners, "pruner", self.pruner)

    @property
    def multi_fidelity(self) -> bool:  # type: ignore[override] # depends on the parameters of this object
        """Whether there is a pruner."""
        return self.pruner is not None

    def start(self, task: Problem) -> _State:
        """Create one study per run."""
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
            # HyperbandPruner hashes the name to choose brackets; by default, Optuna draws a name at random.
            name = f"nasbench-lab-{seed}"
            return optuna.create_study(study_name=name, direction="maximize", sampler=sampler, pruner=pruner)

    def ask(self, state: _State) -> IntArray | Proposals:
        """Return the current architectures, shape (runs, 1), with new trials where the last ones have ended."""
        for run in np.flatnonzero(state.rung == 0).tolist():
            state.trials[run], state.architecture[run] = _new_trial(state, run)
        architecture = state.architecture[:, None].copy()
        if self.pruner is None:
            return architecture
        resume = np.where(state.rung == 0, -1, state.number)
        return Proposals(architecture, state.fidelities[state.rung][:, None], resume[:, None])

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Report values to the studies; end trials that are finished, failed or pruned."""
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
    """Return a new trial of a run and its architecture, or None and a random one if too many trials have none."""
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

    A trial suggests one categorical parameter per code, called ``code_0``, ``code_1``, .... If the codes describe no
    architecture, the trial is pruned. Its architecture and simulated seconds are stored as user attributes. Create the
    study with ``direction="maximize"``, or ``"minimize"`` if lower values of the table's objective are better.

    Args:
        table: the table.
        fidelity: training epochs of an evaluation; by default the highest.
        repeat: what an evaluation observes, see `nasbench_lab.simulation`.
        prune: whether a trial reports its value at all lower fidelities, too, and can be pruned there. Its seconds are
            then those of one continued training, even if the trainings of the table cannot be resumed.
        seed: seed of the draw of the observed repeats.

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
    """Return the architecture of a trial's parameters, or -1 if they describe none."""
    return int(space.find(np.array([chosen[f"code_{code}"] for code in range(len(space.cardinalities))])))


def _class_in(module: Any, kind: str, name: str) -> None:
    usable = [other for other in module.__all__ if _usable(getattr(module, other))]
    if name not in usable:
        raise unknown(kind, name, usable)


def _usable(one: Any) -> bool:
    return inspect.isclass(one) and not inspect.isabstract(one)


@contextlib.contextmanager
def _without_messages(optuna: Any) -> Iterator[None]:
    """Silence Optuna's message about every new study inside the block."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
