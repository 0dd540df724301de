"""The recurrent controller: a network that draws an architecture choice by choice, trained by REINFORCE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models import lstm
from nasbench_lab.strategies.parts import categorical, code_draws
from nasbench_lab.strategies.parts.adam import Adam
from nasbench_lab.strategies.parts.rewards import Momentum, RewardBaseline, RewardKind, Rewards
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

_RANGE = 0.08  # of the initial weights


@dataclass
class _State:
    space: Space
    streams: Streams
    batch: int
    shape: lstm.Shape
    parameters: FloatArray  # (runs, parameters of the network)
    adam: Adam
    rewards: Rewards
    baseline: RewardBaseline
    codes: IntArray  # (batch, choices, runs): the last proposals


@final
@dataclass(frozen=True)
class RecurrentController(Strategy[_State]):
    """A recurrent network as the policy (Zoph and Le, ICLR 2017, section 3.2).

    A stacked LSTM draws one choice after the other, each given all choices before; see `models.lstm` for its equations.
    After ``batch_size`` architectures with rewards R_k, its parameters move by Adam along::

        1/m sum over k of (R_k - b) d log P(a_k) / d theta,      b = moving average of the rewards, R_k included

    As published: two layers of 35 units, weights drawn uniformly from -0.08 to 0.08, and 8 architectures per update.
    The published learning rate of 0.0006 is for 12,800 architectures. It would learn nothing in a few hundred
    evaluations, so the default is larger. The momentum of the baseline is not published; the default is that of the
    NAS-Bench-201 experiments.

    Args:
        learning_rate: learning rate of Adam.
        units: number of units of every layer and embedding.
        layers: number of layers of the network.
        batch_size: number of architectures per update; at least the number of workers is used.
        momentum: of the baseline.
        reward: ``"raw"``, the value, or ``"sigmoid"``, the fitness 1 / (1 + exp(-beta value)).
        beta: slope of the sigmoid, per unit of the metric.
    """

    name: ClassVar[str] = "recurrent-controller"
    aliases: ClassVar[tuple[str, ...]] = ("rnn",)
    version: ClassVar[int] = 2
    family: ClassVar[str] = "reinforcement learning"
    reference: ClassVar[str] = "Zoph and Le, Neural Architecture Search with Reinforcement Learning, ICLR 2017"
    runs_at_a_time: ClassVar[int] = 16

    learning_rate: Positive = 0.01
    units: Count = 35
    layers: Count = 2
    batch_size: Count = 8
    momentum: Momentum = 0.9
    reward: RewardKind = "raw"
    beta: Positive = 1.0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: networks with random weights."""
        shape = lstm.Shape(tuple(problem.space.cardinalities), self.units, self.layers)
        parameters = _RANGE * (2 * np.ascontiguousarray(problem.streams.uniform(shape.size)) - 1)
        return _State(
            space=problem.space,
            streams=problem.streams,
            batch=max(self.batch_size, problem.workers),
            shape=shape,
            parameters=parameters,
            adam=Adam.of(parameters, self.learning_rate),
            rewards=Rewards(self.reward, self.beta, np.full(problem.runs, np.nan)),
            baseline=RewardBaseline.of(self.momentum, problem.runs),
            codes=np.empty((0, len(shape.cardinalities), problem.runs), dtype=np.int64),
        )

    def ask(self, state: _State) -> IntArray:
        """Draw a batch, shape (runs, batch)."""

        def write(uniform: FloatArray, runs: IntArray) -> IntArray:
            everyone = code_draws.are_all(runs, len(state.parameters))
            return _write(state.shape, state.parameters if everyone else state.parameters[runs], uniform)

        state.codes, architecture = code_draws.draw(state.space, state.streams, state.batch, write)
        return architecture

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take a step along the gradient."""
        rewards = state.rewards.of(evaluations.value)
        advantages = np.stack([state.baseline.advantage(reward) for reward in rewards]) / len(rewards)
        codes = state.codes[: len(advantages)]
        state.adam.ascend(state.parameters, lstm.gradient(state.shape, state.parameters, codes, advantages))


def _write(shape: lstm.Shape, parameters: FloatArray, uniform: FloatArray) -> IntArray:
    """Draw one sequence of choices per run; uniforms (choices, runs) to codes of the same shape."""
    parts, memory = shape.rounded_parts(parameters, 1), lstm.first_memory(shape, len(parameters), 1)
    codes = np.empty(uniform.shape, dtype=np.int64)
    for choice in range(len(codes)):
        before = codes[choice - 1][:, None] if choice else None
        step = lstm.forward(shape, parts, memory, choice, before)
        codes[choice] = categorical.pick(step.shares[:, 0], uniform[choice])
    return codes
