"""DEHB: Hyperband whose architectures come from differential evolution, with a population at every rung."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Probability
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import relaxed_codes
from nasbench_lab.strategies.parts.rungs import Bracket, Eta, RungCount, hyperband, rungs
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams

_PARENTS = 3  # of a mutant
_TRIES = 8
_ALONE = 20  # members where there is but one rung: differential evolution


@dataclass
class _Population:
    """The members at one rung, of every run."""

    vectors: FloatArray  # (runs, members, codes)
    fitness: FloatArray  # (runs, members): values, -inf for a failed training and before the first
    number: IntArray  # (runs, members): of the evaluation, -1 before the first
    turn: int = 0  # which member is challenged next, the same in every run


@dataclass
class _State:
    space: Space
    streams: Streams
    workers: int
    brackets: tuple[Bracket, ...]
    populations: list[_Population]  # from the lowest rung to the highest
    run: IntArray  # (runs, 1): 0, 1, 2, ...
    trials: FloatArray  # (runs, k, codes): what was last asked for
    promoted: FloatArray  # (runs, size, codes): what is promoted to the rung that is under way
    resume: IntArray  # (runs, size): the numbers of their evaluations at the rung below
    which: int = 0  # number of the bracket that is under way
    rung: int = 0  # number of its rung that is under way
    done: int = 0  # how many evaluations of that rung are done


@final
@dataclass(frozen=True)
class Dehb(Strategy[_State]):
    """DEHB (Awad, Mallik and Hutter, IJCAI 2021) over relaxed codes.

    Every rung of Hyperband has a population of points of the unit cube (see `parts.relaxed_codes`),
    as large as the most that any bracket evaluates there (20 where there is but one rung); its members take turns to be
    challenged, one an evaluation.

    - A member that was not evaluated before is evaluated itself. All populations begin at random.
    - In the first round of brackets, what was promoted from the rung below is evaluated instead: its best members that
      are not in this rung's population yet (its best one where there are none left). The training goes on, if the
      table's trainings can be resumed.
    - Later, and at the first rung of a bracket, a trial of DE/rand/1/bin is evaluated: a mutant
      ``x_r1 + F (x_r2 - x_r3)``, coordinates outside of [0, 1] drawn anew, crossed over with the member. The three
      parents are from the best members of the rung below, as many as this rung evaluates (of this rung itself, at the
      first one of a bracket). Fewer than three are filled up from the populations of all rungs.

    What was evaluated takes the member's place if its value is at least as good, at once. Trials whose codes describe
    no architecture are made anew up to 8 times, and then drawn uniformly. With several workers, as many evaluations are
    proposed at a time.

    Where the paper is silent, this follows the authors' code. Two differences: unevaluated members are evaluated
    themselves, as in the paper, where the code challenges them with mutants of each other; and parents are filled up
    with members drawn from all populations, where the code draws mutants of them.

    Args:
        eta: one in so many architectures is promoted, to so many times the epochs.
        lowest: fewest epochs of a rung; by default the table's lowest fidelity.
        rungs: number of rungs, s_max + 1; by default as many as fit between lowest and highest.
        mutation_factor: F, from 0 to 1.
        crossover_rate: probability that a coordinate comes from the mutant.
    """

    name: ClassVar[str] = "dehb"
    family: ClassVar[str] = "multi-fidelity"
    reference: ClassVar[str] = (
        "Awad et al., DEHB: Evolutionary Hyperband for Scalable, Robust and Efficient Hyperparameter Optimization, "
        "IJCAI 2021"
    )
    multi_fidelity: ClassVar[bool] = True

    eta: Eta = 3
    lowest: Count | None = None
    rungs: RungCount | None = None
    mutation_factor: Probability = 0.5
    crossover_rate: Probability = 0.5

    def start(self, problem: Problem) -> _State:
        """Return the state before the first bracket: random populations."""
        fidelities = rungs(problem.fidelities, self.eta, self.lowest, self.rungs)
        brackets = hyperband(fidelities, self.eta)
        width = len(problem.space.cardinalities)
        nothing = np.empty((problem.runs, 0, width))
        populations = []
        for height in range(len(fidelities), 0, -1):
            members = max(bracket.sizes[-height] for bracket in brackets if len(bracket.sizes) >= height)
            members = members if len(fidelities) > 1 else _ALONE
            vectors = _random_vectors(problem.space, problem.streams, members)
            unknown = np.full((problem.runs, members), -1)
            populations.append(_Population(vectors, np.full(unknown.shape, -np.inf), unknown))
        run = np.arange(problem.runs)[:, None]
        return _State(
            *(problem.space, problem.streams, problem.workers, brackets, populations, run),
            trials=nothing,
            promoted=nothing,
            resume=np.empty((problem.runs, 0), dtype=np.int64),
        )

    def ask(self, state: _State) -> Proposals:
        """Propose what the next members are challenged by: trials, as many as there are workers, shape (runs, k)."""
        bracket, population = self._bracket(state), self._population(state)
        left, members = bracket.sizes[state.rung] - state.done, population.fitness.shape[1]
        resume = None
        if state.promoted.shape[1]:
            state.trials, resume = state.promoted, state.resume
            architecture = relaxed_codes.find(state.space, state.trials)
        elif population.turn < members:  # in every run, for whatever challenges a new member takes its place
            state.trials = population.vectors[:, population.turn : population.turn + left]
            architecture = relaxed_codes.find(state.space, state.trials)
        else:
            architecture = self._challenge(state, self._turns(population, min(state.workers, left)))
        return Proposals(architecture, np.full(architecture.shape, bracket.fidelities[state.rung]), resume)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Let what is at least as good take the places of the members that it challenged."""
        population, k = self._population(state), evaluations.value.shape[1]
        turns = self._turns(population, k)
        value = np.fmax(evaluations.value, -np.inf)
        replaced = value >= population.fitness[:, turns]
        population.vectors[:, turns] = np.where(replaced[..., None], state.trials, population.vectors[:, turns])
        population.fitness[:, turns] = np.where(replaced, value, population.fitness[:, turns])
        population.number[:, turns] = np.where(replaced, evaluations.number, population.number[:, turns])
        population.turn += k
        state.done += k
        if state.done == self._bracket(state).sizes[state.rung]:
            self._next_rung(state)

    @staticmethod
    def _bracket(state: _State) -> Bracket:
        return state.brackets[state.which % len(state.brackets)]

    def _population(self, state: _State, below: int = 0) -> _Population:
        """Return the population of the rung that is under way, or of one below."""
        height = len(self._bracket(state).sizes) - state.rung  # counted from the highest rung, which all brackets share
        return state.populations[-height - below]

    @staticmethod
    def _turns(population: _Population, k: int) -> IntArray:
        """Return which members are challenged next."""
        return (population.turn + np.arange(k)) % population.fitness.shape[1]

    def _next_rung(self, state: _State) -> None:
        """Go to the next rung or bracket; in the first round, find what is promoted."""
        state.rung, state.done = state.rung + 1, 0
        if state.rung == len(self._bracket(state).sizes):
            state.which, state.rung = state.which + 1, 0
        size = 0
        if state.rung and state.which < len(state.brackets):
            size = self._bracket(state).sizes[state.rung]
        state.promoted, state.resume = self._promote(state, size)

    def _promote(self, state: _State, size: int) -> tuple[FloatArray, IntArray]:
        """Return the vectors, and the numbers of the evaluations, that go from the rung below to this one."""
        if not size:
            return state.promoted[:, :0], state.resume[:, :0]
        here, below = self._population(state), self._population(state, 1)
        known = np.ones((*below.fitness.shape, here.fitness.shape[1]), dtype=bool)
        for code in range(below.vectors.shape[2]):
            known &= below.vectors[:, :, None, code] == here.vectors[:, None, :, code]
        new = ~known.any(axis=2) & (below.number >= 0)
        best = np.lexsort((-below.fitness, below.number < 0), axis=1)[:, :1]
        order = np.lexsort((-below.fitness, ~new), axis=1)[:, :size]
        order = np.where(np.take_along_axis(new, order, axis=1), order, best)
        fidelities = self._bracket(state).fidelities
        longer = fidelities[state.rung] > fidelities[state.rung - 1]
        number = np.take_along_axis(below.number, order, axis=1)
        return below.vectors[state.run, order], number if longer else np.full(number.shape, -1)

    def _challenge(self, state: _State, turns: IntArray) -> IntArray:
        """Make trials for some members; return their architectures, shape (runs, k)."""
        # Nothing but the space decides how often is drawn, so that all runs draw equally often.
        complete = math.prod(state.space.cardinalities) == state.space.size
        state.trials = self._trials(state, turns)
        architecture = relaxed_codes.find(state.space, state.trials)
        if complete:
            return architecture
        for _ in range(_TRIES - 1):
            again = self._trials(state, turns)
            rejected = architecture < 0
            state.trials[rejected] = again[rejected]
            architecture[rejected] = relaxed_codes.find(state.space, again[rejected])
        vectors = _random_vectors(state.space, state.streams, len(turns))
        rejected = architecture < 0
        state.trials[rejected] = vectors[rejected]
        architecture[rejected] = relaxed_codes.find(state.space, vectors[rejected])
        return architecture

    def _trials(self, state: _State, turns: IntArray) -> FloatArray:
        """Return trials of DE/rand/1/bin for some members of the rung that is under way, shape (runs, k, codes)."""
        parents = self._parents(state)
        targets = self._population(state).vectors[:, turns]
        runs, k, width = targets.shape
        uniform = state.streams.uniform(k * (_PARENTS + 2 * width + 1)).copy()
        drawn, outside, crossed, always = np.split(uniform, np.cumsum([_PARENTS * k, width * k, width * k]), axis=1)
        donors = relaxed_codes.draw_distinct(drawn.reshape(runs, k, _PARENTS), parents.shape[1])
        mutants = relaxed_codes.rand_1(parents, donors, self.mutation_factor)
        mutants = relaxed_codes.back_inside(mutants, outside.reshape(mutants.shape))
        return relaxed_codes.binomial(targets, mutants, crossed.reshape(mutants.shape), always, self.crossover_rate)

    def _parents(self, state: _State) -> FloatArray:
        """Return what mutants are made of: the best members of the rung below, at least three, (runs, n, codes)."""
        size = self._bracket(state).sizes[state.rung]
        below = self._population(state, below=1 if state.rung else 0)
        best = np.argsort(-below.fitness, axis=1, kind="stable")[:, :size]
        parents = below.vectors[state.run, best]
        missing = _PARENTS - parents.shape[1]
        if missing <= 0:
            return parents
        everyone = np.concatenate([population.vectors for population in state.populations], axis=1)
        filling = state.streams.integers(everyone.shape[1], missing)
        return np.concatenate([parents, everyone[state.run, filling]], axis=1)


def _random_vectors(space: Space, streams: Streams, members: int) -> FloatArray:
    """Draw architectures, and points in their bins, shape (runs, members, codes): mostly, uniform points."""
    codes: NDArray[np.int8] = space.codes(space.sample(streams.uniform(members)))
    within = streams.uniform(members * codes.shape[2]).reshape(codes.shape)
    return relaxed_codes.to_vectors(codes, space.cardinalities, within)
