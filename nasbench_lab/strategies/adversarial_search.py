"""Adversarial search: a searcher proposes rivals of the best architecture, and an evaluator judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical, code_draws, elementary
from nasbench_lab.strategies.parts.adam import Adam
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams, scale

_DIGITS = 9
"""Digits to which ratings are compared, so that equal ratings stay equal whatever the order of the arithmetic."""


@dataclass
class _State:
    space: Space
    streams: Streams
    workers: int
    logits: FloatArray  # (values, choices, runs): of the searcher
    searcher: Adam
    ratings: FloatArray  # (values, choices, runs): of the evaluator, theta[j, i] for the value j of choice i
    evaluator: Adam
    visited: Visited  # evaluated before in this run
    champion: IntArray  # (choices, runs): s, the codes of the best so far
    champion_value: FloatArray  # (runs,): its value, -inf before the first training that succeeded
    candidates: IntArray  # (candidates, choices, runs): what the searcher drew last
    probabilities: FloatArray  # (values, choices, runs): the policy from which it drew them
    proposed: IntArray  # (workers, runs): the positions of the candidates that are evaluated
    past: IntArray  # (capacity, choices, runs): codes of all evaluated architectures; the first `told` are filled
    values: FloatArray  # (capacity, runs): their values, -inf for failed trainings
    told: int = 0  # evaluations so far


@final
@dataclass(frozen=True)
class AdversarialSearch(Strategy[_State]):
    """A searcher against an evaluator; both learn from one pairwise loss.

    The **evaluator** rates architectures with a linear model of the codes, R(a) = sum over choices i of w_i[a_i]; all
    weights start at 0. The **searcher** is a factorised policy that starts uniform. Both use the loss of a pair
    (Bradley and Terry 1952)::

        L(s, t) = -log(e^{beta R(s)} / (e^{beta R(s)} + e^{beta R(t)})) = log(1 + e^{beta (R(t) - R(s))})

    It is small where the evaluator is sure that s is better than t. Let s be the best architecture so far. Every round
    has four steps:

    1. The searcher draws ``candidates`` architectures c_k. The rival of s is the candidate with the largest L(s, c_k)
    that was not evaluated before (if all were, the largest; ties: the first). It is evaluated.
    2. The evaluator learns which architecture won. The pairs are s and its rival, and ``pairs`` - 1 pairs drawn from
    all past evaluations with replacement. With t the winner and u the loser of a pair, the weights move by Adam *down*
    the mean of L(t, u). Pairs of equal values are ignored; a failed training loses against every successful one.
    3. The searcher learns to propose architectures that the evaluator cannot rule out. Its logits move by Adam *up* the
    expected L(s, c) of what it draws, estimated with the score function and the mean of the candidates as the
    baseline::

           1/m sum over k of (L(s, c_k) - mean L) d log p(c_k) / d theta

    4. If the rival is better than s, it becomes the new s.

    Only step 1 costs an evaluation. With several workers, a round evaluates one rival per worker: the candidates with
    the largest losses. The scheme is that of a generator and a discriminator (Goodfellow et al., NeurIPS 2014) with the
    loss of pairwise ranking (Burges et al., ICML 2005). No publication has exactly this algorithm, so the defaults are
    our own.

    Args:
        beta: confidence of the evaluator per unit of difference between ratings.
        candidates: number of architectures that the searcher draws in a round; at least the number of workers is used.
        pairs: number of pairs from which the evaluator learns after an evaluation.
        searcher_rate: learning rate of the searcher.
        evaluator_rate: learning rate of the evaluator.
    """

    name: ClassVar[str] = "adversarial-search"
    family: ClassVar[str] = "adversarial"
    reference: ClassVar[str] = "Burges et al., Learning to Rank using Gradient Descent, ICML 2005 (the pairwise loss)"
    runs_at_a_time: ClassVar[int] = 256

    beta: Positive = 1.0
    candidates: Count = 16
    pairs: Count = 16
    searcher_rate: Positive = 0.02
    evaluator_rate: Positive = 0.1

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: an untrained searcher and evaluator."""
        logits = categorical.uniform_logits(problem.space.cardinalities, problem.runs)
        choices = logits.shape[1:]
        return _State(
            space=problem.space,
            streams=problem.streams,
            workers=problem.workers,
            logits=logits,
            searcher=Adam.of(logits, self.searcher_rate),
            ratings=np.zeros_like(logits),
            evaluator=Adam.of(logits, self.evaluator_rate),
            visited=Visited(problem.space, problem.runs),
            champion=np.zeros(choices, dtype=np.int64),
            champion_value=np.full(problem.runs, -np.inf),
            candidates=np.empty((0, *choices), dtype=np.int64),
            probabilities=categorical.softmax(logits),
            proposed=np.empty((0, problem.runs), dtype=np.int64),
            past=np.empty((16, *choices), dtype=np.int64),
            values=np.empty((16, problem.runs)),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose the candidates that the evaluator rates highest, shape (runs, workers)."""
        state.probabilities = categorical.softmax(state.logits)
        number = max(self.candidates, state.workers)
        pick = code_draws.picking(state.probabilities)
        state.candidates, architecture = code_draws.draw(state.space, state.streams, number, pick)
        rating = np.stack([rate(state.ratings, codes) for codes in state.candidates])
        run = np.arange(rating.shape[1])
        old = state.visited.has(run, architecture.T)
        order = np.lexsort((-np.round(rating, _DIGITS), old), axis=0)  # stable; ties: the first drawn
        state.proposed = order[: state.workers]
        return np.take_along_axis(architecture, state.proposed.T, axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Train the evaluator and the searcher; then replace the best architecture by a better rival."""
        values = np.fmax(evaluations.value.T, -np.inf)  # NaN becomes -inf
        run = np.arange(values.shape[1])
        known = state.champion_value > -np.inf
        told = state.proposed[: len(values)]
        rivals = [np.take_along_axis(state.candidates, place[None, None, :], axis=0)[0] for place in told]
        for codes, value, architecture in zip(rivals, values, evaluations.architecture.T, strict=True):
            _remember(state, codes, value)
            new = ~state.visited.has(run, architecture)
            state.visited.add(run[new], architecture[new])
            self._train_evaluator(state, codes, value, known)
        self._train_searcher(state, known)
        for codes, value in zip(rivals, values, strict=True):
            better = value > state.champion_value
            state.champion = np.where(better, codes, state.champion)
            state.champion_value = np.where(better, value, state.champion_value)

    def _train_evaluator(self, state: _State, rival: IntArray, value: FloatArray, known: NDArray[np.bool_]) -> None:
        """Take a step down the mean loss of the champion and its rival, and of past pairs."""
        ones, others = [state.champion], [rival]
        signs = [np.where(known, _sign(state.champion_value, value), 0.0)]
        drawn = scale(state.streams.uniform(2 * (self.pairs - 1)).T, state.told) if self.pairs > 1 else ()
        for one, other in zip(drawn[0::2], drawn[1::2], strict=True):
            ones.append(np.take_along_axis(state.past, one[None, None, :], axis=0)[0])
            others.append(np.take_along_axis(state.past, other[None, None, :], axis=0)[0])
            of_one, of_other = (np.take_along_axis(state.values, which[None], axis=0)[0] for which in (one, other))
            signs.append(_sign(of_one, of_other))
        state.evaluator.ascend(state.ratings, -evaluator_gradient(state.ratings, ones, others, signs, self.beta))

    def _train_searcher(self, state: _State, known: NDArray[np.bool_]) -> None:
        """Take a step up the mean loss of the champion against the candidates, in runs with a champion."""
        best = rate(state.ratings, state.champion)
        losses = np.stack([loss(best, rate(state.ratings, codes), self.beta) for codes in state.candidates])
        advantages = np.where(known, losses - categorical.total(losses) / len(losses), 0.0) / len(losses)
        gradient = state.probabilities * -categorical.total(advantages)
        for codes, advantage in zip(state.candidates, advantages, strict=True):
            categorical.add_at(gradient, codes, advantage)
        state.searcher.ascend(state.logits, gradient)


def rate(ratings: FloatArray, codes: IntArray) -> FloatArray:
    """Return the ratings R of architectures, codes of shape (choices, runs) to (runs,)."""
    return categorical.total(categorical.at(ratings, codes))


def loss(winner: FloatArray, loser: FloatArray, beta: float) -> FloatArray:
    """Return L for the ratings of winners and losers.

    >>> loss(np.array([0.0, 10.0]), np.array([0.0, 0.0]), 1.0).round(4).tolist()
    [0.6931, 0.0]
    """
    return np.logaddexp(0.0, beta * (loser - winner))


def evaluator_gradient(
    ratings: FloatArray, ones: list[IntArray], others: list[IntArray], signs: list[FloatArray], beta: float
) -> FloatArray:
    """Return the gradient of the mean loss of pairs with respect to the ratings, shape (values, choices, runs).

    A pair has the codes (choices, runs) of two architectures, and the sign of the difference of their values: 1 where
    the first one wins, -1 where the other one wins, 0 where the pair is ignored.
    """
    gradient = np.zeros_like(ratings)
    for one, other, sign in zip(ones, others, signs, strict=True):
        difference = sign * beta * (rate(ratings, one) - rate(ratings, other))
        slope = -sign * beta * (0.5 - 0.5 * elementary.tanh(0.5 * difference)) / len(signs)
        categorical.add_at(gradient, one, slope)
        categorical.add_at(gradient, other, -slope)
    return gradient


def _sign(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return 1 where the first value is larger, -1 where the second is larger, else 0."""
    return (one > other) * 1.0 - (other > one) * 1.0


def _remember(state: _State, codes: IntArray, value: FloatArray) -> None:
    """Store the codes and values of evaluated architectures."""
    if state.told == len(state.values):
        state.past = np.concatenate([state.past, np.empty_like(state.past)])
        state.values = np.concatenate([state.values, np.empty_like(state.values)])
    state.past[state.told] = codes
    state.values[state.told] = value
    state.told += 1
