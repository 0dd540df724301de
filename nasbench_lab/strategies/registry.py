"""The strategies that can be named: the built-in ones and those that installed packages add.

A package adds its own with an entry point in its ``pyproject.toml``, which names a `Strategy` or a plain class::

    [project.entry-points."nasbench_lab.strategies"]
    my-idea = "my_package.my_idea:MyIdea"
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from nasbench_lab.errors import ParameterError, unknown
from nasbench_lab.strategies.base import Strategy, field_names
from nasbench_lab.strategies.plain import PlainRun, PlainStrategy

GROUP = "nasbench_lab.strategies"

_BUILT_IN = {
    "adversarial-search": "nasbench_lab.strategies.adversarial_search:AdversarialSearch",
    "asha": "nasbench_lab.strategies.asha:Asha",
    "asng": "nasbench_lab.strategies.asng:ASNG",
    "bananas": "nasbench_lab.strategies.bananas:Bananas",
    "bohb": "nasbench_lab.strategies.bohb:Bohb",
    "dehb": "nasbench_lab.strategies.dehb:Dehb",
    "brp-nas": "nasbench_lab.strategies.brp_nas:RankingPredictor",
    "differential-evolution": "nasbench_lab.strategies.differential_evolution:DifferentialEvolution",
    "exhaustive": "nasbench_lab.strategies.exhaustive:Exhaustive",
    "genetic-algorithm": "nasbench_lab.strategies.genetic_algorithm:GeneticAlgorithm",
    "gp-bo": "nasbench_lab.strategies.gp_bo:GaussianProcessSearch",
    "greedy-search": "nasbench_lab.strategies.greedy_search:GreedySearch",
    "gumbel-softmax": "nasbench_lab.strategies.gumbel_softmax:GumbelSoftmax",
    "hill-climbing": "nasbench_lab.strategies.hill_climbing:HillClimbing",
    "hyperband": "nasbench_lab.strategies.hyperband:Hyperband",
    "learning-curve-stopping": "nasbench_lab.strategies.learning_curve_stopping:LearningCurveStopping",
    "local-search": "nasbench_lab.strategies.local_search:LocalSearch",
    "mcts": "nasbench_lab.strategies.mcts:MonteCarloTreeSearch",
    "mu-plus-lambda": "nasbench_lab.strategies.mu_plus_lambda:MuPlusLambda",
    "npenas": "nasbench_lab.strategies.npenas:Npenas",
    "nsga-ii": "nasbench_lab.strategies.nsga_ii:NSGA2",
    "pbil": "nasbench_lab.strategies.pbil:PBIL",
    "ppo": "nasbench_lab.strategies.ppo:PPO",
    "progressive-search": "nasbench_lab.strategies.progressive_search:ProgressiveSearch",
    "q-learning": "nasbench_lab.strategies.q_learning:QLearning",
    "random-scalarisation": "nasbench_lab.strategies.random_scalarisation:RandomScalarisation",
    "random-search": "nasbench_lab.strategies.random_search:RandomSearch",
    "recurrent-controller": "nasbench_lab.strategies.recurrent_controller:RecurrentController",
    "regularized-evolution": "nasbench_lab.strategies.regularized_evolution:RegularizedEvolution",
    "reinforce": "nasbench_lab.strategies.reinforce:Reinforce",
    "simulated-annealing": "nasbench_lab.strategies.simulated_annealing:SimulatedAnnealing",
    "smac": "nasbench_lab.strategies.smac:RandomForestSearch",
    "successive-halving": "nasbench_lab.strategies.successive_halving:SuccessiveHalving",
    "tabu-search": "nasbench_lab.strategies.tabu_search:TabuSearch",
    "tpe": "nasbench_lab.strategies.tpe:ParzenEstimator",
    "umda": "nasbench_lab.strategies.umda:UMDA",
    "zero-cost-filter": "nasbench_lab.strategies.zero_cost:ZeroCostFilter",
    "zero-cost-warm-start": "nasbench_lab.strategies.zero_cost:ZeroCostWarmStart",
}


ALSO_CALLED = {
    "agingevolution": ("regularized-evolution",),
    "alphax": ("mcts",),
    "annealing": ("simulated-annealing",),
    "bayesianoptimization": ("gp-bo", "smac", "tpe"),
    "bayesianoptimisation": ("gp-bo", "smac", "tpe"),
    "bo": ("gp-bo", "smac", "tpe"),
    "de": ("differential-evolution",),
    "ea": ("regularized-evolution", "genetic-algorithm", "mu-plus-lambda"),
    "evolution": ("regularized-evolution", "genetic-algorithm", "differential-evolution"),
    "evolutionaryalgorithm": ("regularized-evolution", "genetic-algorithm", "mu-plus-lambda"),
    "ga": ("genetic-algorithm",),
    "gaussianprocess": ("gp-bo",),
    "gdas": ("gumbel-softmax",),
    "gp": ("gp-bo",),
    "gridsearch": ("exhaustive",),
    "hb": ("hyperband",),
    "ls": ("local-search",),
    "metaqnn": ("q-learning",),
    "montecarlotreesearch": ("mcts",),
    "neuralpredictor": ("brp-nas", "npenas", "bananas"),
    "nsga2": ("nsga-ii",),
    "pnas": ("progressive-search",),
    "randomforest": ("smac",),
    "rea": ("regularized-evolution",),
    "re": ("regularized-evolution",),
    "reinforcementlearning": ("reinforce", "ppo", "q-learning"),
    "rl": ("reinforce", "ppo", "q-learning"),
    "rnn": ("recurrent-controller",),
    "rs": ("random-search",),
    "sa": ("simulated-annealing",),
    "sh": ("successive-halving",),
    "sha": ("successive-halving",),
    "snas": ("gumbel-softmax",),
    "tabu": ("tabu-search",),
    "uct": ("mcts",),
}
"""What else strategies are called, in small letters, for error messages: see `nasbench_lab.errors.suggestions`."""


@functools.cache
def _loaders() -> dict[str, Callable[[], Any]]:
    """Return what imports each strategy; a built-in name cannot be taken over."""
    from importlib.metadata import entry_points  # slow to import, and only needed here

    added = {entry.name: entry.load for entry in entry_points(group=GROUP)}
    return {**added, **{name: functools.partial(_import, path) for name, path in _BUILT_IN.items()}}


def _import(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def list_strategies() -> list[str]:
    """Return the names of all strategies, sorted.

    >>> "random-search" in list_strategies()
    True
    """
    return sorted(_loaders())


def strategy_class(name: str) -> type[Any]:
    """Return the class of a named strategy: a `Strategy`, or a plain class with ``ask`` and ``tell``.

    Raises:
        UnknownNameError: no strategy has that name.
        ParameterError: an installed package registered something else.
    """
    if name not in _loaders():
        raise unknown("strategy", name, _loaders(), ALSO_CALLED)
    try:
        found = _loaders()[name]()
    except Exception as error:  # whatever the other package raises
        raise ParameterError(f"the entry point {name!r} in group {GROUP!r} cannot be loaded: {error!r}") from error
    if not isinstance(found, type) or not (issubclass(found, Strategy) or _is_plain(found)):
        raise ParameterError(f"the entry point {name!r} in group {GROUP!r} is not a class of strategies")
    return found


def reference(name: str) -> str:
    """Return where a named strategy was published; empty where it does not say."""
    return str(getattr(strategy_class(name), "reference", ""))


def family(name: str) -> str:
    """Return what kind of strategy a named one is; empty where it does not say."""
    return str(getattr(strategy_class(name), "family", ""))


def needs(name: str) -> tuple[str, ...]:
    """Return what a named strategy can make use of or cannot do without, beyond a space with values.

    >>> needs("random-search"), needs("regularized-evolution")
    ((), ('neighbours',))
    """
    kind = strategy_class(name)
    several = ("fidelities",) if getattr(kind, "multi_fidelity", False) else ()
    return (*several, *getattr(kind, "needs", ()))


def resolve(strategy: str | Strategy[Any] | Callable[..., PlainRun], parameters: Mapping[str, Any]) -> Strategy[Any]:
    """Return the strategy object for a name or class and parameters, or an object as it is.

    A class with ``ask`` and ``tell`` that is no Strategy is wrapped in `PlainStrategy`.

    Raises:
        UnknownNameError: no strategy has that name.
        ParameterError: a parameter is unknown or has a bad value, or parameters come with an object.
    """
    title = strategy if isinstance(strategy, str) else ""
    if isinstance(strategy, str):
        strategy = strategy_class(strategy)
    if isinstance(strategy, type):
        if issubclass(strategy, Strategy):
            return _construct(strategy, parameters)
        if _is_plain(strategy):
            return PlainStrategy(strategy, parameters, title)
    if not isinstance(strategy, Strategy):
        raise ParameterError(
            f"strategy must be a name, a Strategy object or a class with ask and tell, got {strategy!r}"
        )
    if parameters:
        raise ParameterError(f"give parameters ({', '.join(parameters)}) to the strategy object, or name the strategy")
    return strategy


def _is_plain(kind: type[Any]) -> TypeGuard[type[PlainRun]]:
    return all(callable(getattr(kind, method, None)) for method in ("ask", "tell"))


def _construct(kind: type[Strategy[Any]], parameters: Mapping[str, Any]) -> Strategy[Any]:
    known = field_names(kind)
    for parameter in parameters:
        if parameter not in known:
            raise unknown(f"parameter of strategy {kind.name!r}", parameter, known)
    try:
        return kind(**parameters)
    except TypeError as error:
        raise ParameterError(f"strategy {kind.name!r}: {error}") from error
