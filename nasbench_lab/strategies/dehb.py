"""DEHB: Hyperband with differential evolution, which keeps a population at every rung."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

_PARENTS = 3  # parents of a mutant
_TRIES = 8
_ALONE = 20  # members if there is only one rung: plain differential evolution


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
    trials: FloatArray  # (runs, k, codes): the last proposals
    promoted: FloatArray  # (runs, size, codes): the vectors promoted to the current rung
    resume: IntArray  # (runs, size): the numbers of their evaluations at the rung below
    which: int = 0  # number of the current bracket
    rung: int = 0  # number of its current rung
    done: int = 0  # number of evaluations done at that rung


@final
@dataclass(frozen=True)
class Dehb(Strategy[_State]):
    """DEHB (Awad, Mallik and Hutter, IJCAI 2021) over relaxed codes.

    Every rung of Hyperband has a population of points of the unit cube (see `parts.relaxed_codes`). Its size is the
    largest number of evaluations of any bracket at that rung (20 if there is only one rung). All populations start at
    random. Each evaluation challenges the next member in turn:

    - A member that was not evaluated yet is evaluated itself.
    - In the first round of brackets, the best members of the rung below that are not in this rung's population yet are
      evaluated instead (the best member if none is left): they are promoted. The training resumes, if the table's
      trainings can be resumed.
    - Later, and at the first rung of a bracket, a trial of DE/rand/1/bin is evaluated: a mutant ``x_r1 + F (x_r2 -
      x_r3)``, with coordinates outside of [0, 1] drawn again, crossed over with the member. The three parents are drawn
      from the best members of the rung below, as many as this rung evaluates (at the first rung of a bracket, from this
      rung itself). If these are fewer than three, members of the populations of all rungs are added.

    The evaluated point replaces the member at once if its value is at least as good. Trials whose codes describe no
    architecture are made again, up to 8 times in total, and then drawn uniformly. With several workers, one evaluation
    per worker is proposed at a time.

    Where the paper leaves details open, this follows the authors' code, with two differences: unevaluated members are
    evaluated themselves, as in the paper, whereas the code challenges them with mutants of each other; and missing
    parents are members drawn from all populations, whereas the code draws mutants of them.

    Args:
        eta: the best 1/eta of a rung advance, with eta times the epochs.
        lowest: fewest epochs of a rung; by default the table's lowest fidelity.
        rungs: number of rungs, s_max + 1 in the paper; by default as many as fit between the lowest and the highest
            fidelity.
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

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs."""
        return rungs(available, self.eta, self.lowest, self.rungs)

    def start(self, problem: Problem) -> _State:
        """Return the state before the first bracket: random populations."""
        fidelities = self.evaluated_fidelities(problem.fidelities)
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
        """Propose the evaluations that challenge the next members, shape (runs, k); trials: one per worker."""
        bracket, population = self._bracket(state), self._population(state)
        left, members = bracket.sizes[state.rung] - state.done, population.fitness.shape[1]
        resume = None
        if state.promoted.shape[1]:
            state.trials, resume = state.promoted, state.resume
            architecture = relaxed_codes.find(state.space, state.trials)
        elif population.turn < members:  # the same in all runs: a new member has no value and is always replaced
            state.trials = population.vectors[:, population.turn : population.turn + left]
            architecture = relaxed_codes.find(state.space, state.trials)
        else:
            architecture = self._challenge(state, self._turns(population, min(state.workers, left)))
        return Proposals(architecture, np.full(architecture.shape, bracket.fidelities[state.rung]), resume)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Replace members by challengers that are at least as good."""
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
        """Return the population of the current rung, or of one below it."""
        height = (
            len(self._bracket(state).sizes) - state.rung
        )  # counted down from the highest rung, which all brackets share
        return state.populations[-height - below]

    @staticmethod
    def _turns(population: _Population, k: int) -> IntArray:
        """Return the positions of the members that are challenged next."""
        return (population.turn + np.arange(k)) % population.fitness.shape[1]

    def _next_rung(self, state: _State) -> None:
        """Go to the next rung or bracket; in the first round, find the promoted members."""
        state.rung, state.done = state.rung + 1, 0
        if state.rung == len(self._bracket(state).sizes):
            state.which, state.rung = state.which + 1, 0
        size = 0
        if state.rung and state.which < len(state.brackets):
            size = self._bracket(state).sizes[state.rung]
        state.promoted, state.resume = self._promote(state, size)

    def _promote(self, state: _State, size: int) -> tuple[FloatArray, IntArray]:
        """Return the vectors promoted from the rung below to this one, and the numbers of their evaluations."""
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
        # Only the space decides the number of draws, so that all runs draw equally often.
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
        """Return trials of DE/rand/1/bin for some members of the current rung, shape (runs, k, codes)."""
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
        """Return the parents of mutants: the best members of the rung below, at least three, shape (runs, n, codes)."""
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
    """Draw architectures and a random point in the bins of each, shape (runs, members, codes).

    If every combination of codes is an architecture, these are uniform points of the cube.
    """
    codes: NDArray[np.int8] = space.codes(space.draw(streams, members))
    within = streams.uniform(members * codes.shape[2]).reshape(codes.shape)
    return relaxed_codes.to_vectors(codes, space.cardinalities, within)
