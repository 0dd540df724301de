"""Q-learning over the sequence of choices: the worth of a value of a choice, given the value of the choice before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtMost, Count, Positive
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import code_draws
from nasbench_lab.strategies.parts.rewards import RewardKind, Rewards, gain
from nasbench_lab.strategies.parts.tie_breaking import any_of
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams, scale

SCHEDULE = ((1.0, 1500), (0.9, 100), (0.8, 100), (0.7, 100), *((step / 10, 150) for step in range(6, 0, -1)))
"""The published schedule: pairs of epsilon, the probability of a random choice, and a number of architectures."""


@dataclass
class _State:
    space: Space
    streams: Streams
    workers: int
    first: IntArray  # (choices,): the state of every choice after the value 0
    worth: FloatArray  # (states, values, runs): Q minus the run's first reward; -inf where a choice has no such value
    seen: Visited  # evaluated before in this run
    rewards: Rewards
    origin: FloatArray  # (runs,): the run's first reward, NaN before
    codes: IntArray  # (proposals, choices, runs): the last proposals
    chosen: NDArray[
        np.unsignedinteger
    ]  # (capacity, runs, choices): state * values + value; the first `told` are filled
    returns: FloatArray  # (capacity, runs): their rewards, minus the run's first
    told: int = 0  # evaluations so far


@final
@dataclass(frozen=True)
class QLearning(Strategy[_State]):
    """Q-learning with epsilon-greedy choices and replay (Baker, Gupta, Naik and Raskar, ICLR 2017: MetaQNN).

    An architecture is a sequence of choices a_1 .. a_D, and Q_i(s, a) is the worth of the value a of choice i after the
    value s of choice i - 1. Every choice is random with probability epsilon, else the best (ties: a random one). After
    an evaluation, draw ``replay`` past evaluations with replacement, and update Q for each of them, from the last
    choice to the first::

        Q_D(a_{D-1}, a_D)  +=  learning_rate (reward - Q_D(a_{D-1}, a_D))
        Q_i(a_{i-1}, a_i)  +=  learning_rate (max over a of Q_{i+1}(a_i, a) - Q_i(a_{i-1}, a_i))        i < D

    This is equation 3 of the paper with the discount 1 and a reward at the end only. In the paper, the state is the
    layer before and its depth; here it is the value before and the number of the choice. An architecture that the run
    has evaluated is drawn again (4 draws in total, of which the last one counts).

    Q starts at the run's first reward. (The published code starts at 0.5, and says: about the accuracy of an average
    model. A first, random architecture is such a model, in any unit.) A failed training has the lowest reward that the
    run has seen.

    The published schedule evaluates 1,500 random architectures, and 1,200 more while epsilon falls from 0.9 to 0.1. The
    default is a fiftieth of that: 30 random architectures, 54 in total. The published replay is 100 (paper) or 128
    (code) architectures with the learning rate 0.01, for thousands of architectures. The default replays 4 with the
    learning rate 1: within a few hundred evaluations, most pairs of values are seen only a few times (the measurements
    are in ``docs/design/strategy-defaults.md``). The published setting is ``replay=128, learning_rate=0.01,
    schedule=1``.

    Version 2 changed the defaults of ``learning_rate`` and ``replay``, and the number of draws.

    Args:
        learning_rate: alpha in the paper.
        replay: number of past evaluations that are replayed after each evaluation.
        schedule: length of the schedule of epsilon, as a multiple of the published one.
        reward: ``"raw"``, the value, or ``"sigmoid"``, the fitness 1 / (1 + exp(-beta value)).
        beta: slope of the sigmoid, per unit of the metric.
    """

    name: ClassVar[str] = "q-learning"
    aliases: ClassVar[tuple[str, ...]] = ("metaqnn", "reinforcement-learning", "rl")
    version: ClassVar[int] = 2
    family: ClassVar[str] = "reinforcement learning"
    reference: ClassVar[str] = (
        "Baker et al., Designing Neural Network Architectures using Reinforcement Learning, ICLR 2017"
    )

    learning_rate: Annotated[float, Above(0), AtMost(1)] = 1.0
    replay: Count = 4
    schedule: Positive = 0.02
    reward: RewardKind = "raw"
    beta: Positive = 1.0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: all values are worth the same."""
        cardinalities, runs = np.array(problem.space.cardinalities), problem.runs
        of_each = np.concatenate([[1], cardinalities[:-1]])
        has = np.arange(cardinalities.max()) < np.repeat(cardinalities, of_each)[:, None]
        return _State(
            space=problem.space,
            streams=problem.streams,
            workers=problem.workers,
            first=np.cumsum(of_each) - of_each,
            worth=np.repeat(np.where(has, 0.0, -np.inf)[:, :, None], runs, axis=2),
            seen=Visited(problem.space, runs),
            rewards=Rewards(self.reward, self.beta, np.full(runs, np.nan)),
            origin=np.full(runs, np.nan),
            codes=np.empty((0, len(cardinalities), runs), dtype=np.int64),
            chosen=np.empty((16, runs, len(cardinalities)), dtype=np.min_scalar_type(has.size)),
            returns=np.empty((16, runs)),
        )

    def epsilon(self, evaluation: int) -> float:
        """Return the probability of a random choice in an evaluation, counted from 0.

        >>> [QLearning().epsilon(evaluation) for evaluation in (0, 29, 30, 53, 1000)]
        [1.0, 1.0, 0.9, 0.1, 0.1]
        """
        end = 0.0
        for share, architectures in SCHEDULE:
            end += architectures * self.schedule
            if evaluation < end - 1e-9:  # against rounding: 1,500 fiftieths are 30
                return share
        return SCHEDULE[-1][0]

    def ask(self, state: _State) -> IntArray:
        """Choose an architecture for every worker, shape (runs, workers)."""
        epsilon = self.epsilon(state.told)

        def choose(uniform: FloatArray, runs: IntArray) -> IntArray:
            return _choose(state, epsilon, uniform, runs)

        state.codes, architecture = code_draws.draw(state.space, state.streams, state.workers, choose, seen=state.seen)
        return architecture

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Store the evaluations, and replay past ones after each."""
        rewards = state.rewards.of(evaluations.value)
        run = np.arange(rewards.shape[1])
        for codes, architecture, reward in zip(state.codes, evaluations.architecture.T, rewards, strict=False):
            new = ~state.seen.has(run, architecture)
            state.seen.add(run[new], architecture[new])
            state.origin = np.where(np.isnan(state.origin), reward, state.origin)
            _remember(state, codes, gain(reward, state.origin))
            self._replay(state, scale(state.streams.uniform(self.replay).T, state.told))

    def _replay(self, state: _State, which: IntArray) -> None:
        """Update Q from past evaluations, shape (replay, runs), with the result of one update after the other.

        The update of choice i of evaluation t needs the updates of choice i + 1 of the same evaluation and of choice i
        of the evaluation before, and none of evaluation t + 1. So all (t, i) with the same t - i, a wave, are updated
        at once, in all runs.
        """
        _, values, runs = state.worth.shape
        run = np.arange(runs)
        replayed = which * runs + run
        returns = state.returns.reshape(-1).take(replayed)
        order = _waves(len(which), len(state.first))
        chosen = state.chosen.reshape(-1, len(state.first)).take(replayed, axis=0)  # (replay, runs, choices)
        rows = chosen.swapaxes(1, 2)[order.evaluation, order.choice]  # (all waves, runs)
        here, states = rows * np.int64(runs) + run, rows // values * np.int64(values * runs) + run
        worth = _by_value(state.worth)
        for wave, after, last in order.waves:
            places = here[wave]
            target = np.empty(places.shape)
            _best(worth, states[after], out=target[: after.stop - after.start])
            if last is not None:
                target[-1] = returns[last]
            now = worth[0].take(places)
            target -= now
            target *= self.learning_rate
            now += target
            worth[0][places] = now


@dataclass(frozen=True)
class _Waves:
    """The order in which pairs (evaluation, choice) are updated: by wave, and by choice within a wave."""

    evaluation: IntArray  # (replays * choices,)
    choice: IntArray  # (replays * choices,)
    waves: tuple[tuple[slice, slice, int | None], ...]
    """For every wave: its positions; the positions of the choices that follow its own; and the evaluation whose reward
    its last choice needs, if any."""


@cache
def _waves(replays: int, choices: int) -> _Waves:
    """Return the order for a number of replayed evaluations.

    >>> order = _waves(2, 2)
    >>> order.evaluation.tolist(), order.choice.tolist()
    ([0, 0, 1, 1], [1, 0, 1, 0])
    >>> for wave in order.waves:
    ...     print(*wave)
    slice(0, 1, None) slice(0, 0, None) 0
    slice(1, 3, None) slice(0, 1, None) 1
    slice(3, 4, None) slice(2, 3, None) None
    """
    evaluation, choice = (axis.ravel() for axis in np.indices((replays, choices)))
    number = evaluation + (choices - 1 - choice)
    order = np.lexsort([choice, number])
    evaluation, choice, number = evaluation[order], choice[order], number[order]
    waves, before = [], slice(0, 0)
    for wave in range(replays + choices - 1):
        here = slice(*np.searchsorted(number, [wave, wave + 1]).tolist())
        # The pairs of the wave before, except a first choice: each follows a choice of this wave.
        after = slice(before.start + (before.stop > before.start and int(choice[before.start] == 0)), before.stop)
        waves.append((here, after, wave if wave < replays else None))
        before = here
    return _Waves(evaluation, choice, tuple(waves))


def _by_value(worth: FloatArray) -> list[FloatArray]:
    """Return views of worth (states, values, runs): in the j-th, value j of a state is where its first value is."""
    _, values, runs = worth.shape
    return [worth.reshape(-1)[value * runs :] for value in range(values)]


def _best(worth: list[FloatArray], states: IntArray, out: FloatArray) -> None:
    """Write the worth of the best value in states (choices, runs) to ``out``."""
    out[:] = worth[0].take(states)
    for of_value in worth[1:]:
        np.maximum(out, of_value.take(states), out=out)


def _choose(state: _State, epsilon: float, uniform: FloatArray, runs: IntArray) -> IntArray:
    """Make all choices of some runs; uniforms (choices, n) to codes (choices, n).

    A uniform below epsilon means a random choice. Divided by epsilon it is uniform again; so is a larger one after the
    same rescaling to [0, 1).
    """
    codes = np.empty((len(state.first), len(runs)), dtype=np.int64)
    before: IntArray | int = 0
    worth, (_, values, width) = state.worth.reshape(-1), state.worth.shape
    of_value = np.arange(values)[:, None] * width + runs
    explores = uniform < epsilon
    rest = np.where(explores, uniform / epsilon, (uniform - epsilon) / (1 - epsilon if epsilon < 1 else 1.0))
    for choice, (first, cardinality) in enumerate(zip(state.first, state.space.cardinalities, strict=True)):
        of_values = worth.take(of_value[:cardinality] + (first + before) * (values * width))
        candidate = of_values == of_values.max(axis=0)
        candidate |= explores[choice]
        codes[choice] = before = any_of(candidate, rest[choice])
    return codes


def _remember(state: _State, codes: IntArray, reward: FloatArray) -> None:
    """Store evaluations: codes (choices, runs) and rewards (runs,)."""
    if state.told == len(state.returns):
        state.chosen = np.concatenate([state.chosen, np.empty_like(state.chosen)])
        state.returns = np.concatenate([state.returns, np.empty_like(state.returns)])
    before = np.concatenate([np.zeros_like(codes[:1]), codes[:-1]])
    rows = (state.first[:, None] + before) * state.worth.shape[1] + codes
    state.chosen[state.told] = rows.T
    state.returns[state.told] = reward
    state.told += 1
