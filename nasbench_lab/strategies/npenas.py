"""NPENAS: evolution that evaluates the most promising of many mutants, as a network predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.strategies.models.candidates import pool_of_neighbors
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.ensemble import squared_error
from nasbench_lab.strategies.parts.predictor_strategy import CandidateRankingStrategy, PredictorState, by_score


@final
@dataclass(frozen=True)
class Npenas(CandidateRankingStrategy):
    """NPENAS-NP (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022): neural predictor guided evolution.

    The first ``initial`` architectures are random. Then, for ever: train a network to predict the values of everything
    evaluated; mutate each of the ``parents`` best architectures several times (one parent has many children, which is
    what distinguishes it from other evolution), ``candidates`` times altogether; and evaluate the ``batch`` of which
    the network predicts most. What was evaluated before is no candidate; where there are too few, random new
    architectures follow.

    The numbers are those of the published code (github.com/auroua/NPENASv1). What differs is the network. There it is a
    graph isomorphism network over the cell (three layers of 32 units) with a fully connected head, trained for 300
    epochs in batches of 16 with the squared error and weight decay; here it is a fully connected network over
    ``encoding``, trained for ``steps`` steps over all examples with the squared error. A mutation is a step to a
    neighbour; in that code it is one for NAS-Bench-201 too, and random changes of a matrix for NAS-Bench-101. There,
    children of the second best architecture are made only where the best one has too few that are new; here all parents
    have about equally many.

    Values are scaled to mean 0 and variance 1 (there: errors in percent, with an output in a fitting range), and a
    failed training counts as the worst value that the run has seen. NPENAS-BO, the variant that samples from a
    prediction of mean and variance, is not implemented: `Bananas` does the same with an ensemble.

    Args:
        initial: number of random architectures at the beginning.
        batch: number of architectures evaluated before the network is trained again; at least as many as workers.
        candidates: number of mutants that are ranked.
        parents: number of architectures that are mutated, each about equally often.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encode`).
        layers: hidden layers of the network.
        width: units of a layer.
        steps: steps of training.
        learning_rate: of Adam.
    """

    name: ClassVar[str] = "npenas"
    aliases: ClassVar[tuple[str, ...]] = ("neural-predictor",)
    reference: ClassVar[str] = (
        "Wei et al., NPENAS: Neural Predictor Guided Evolution for Neural Architecture Search, TNNLS 2022"
    )
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    initial: Count = 10
    batch: Count = 10
    candidates: Count = 100
    parents: Count = 10
    encoding: Encoding = "one-hot"
    layers: Count = 2
    width: Count = 32
    steps: Count = 100
    learning_rate: Positive = 0.01

    def ranked(self, state: PredictorState) -> IntArray:
        """Return candidates, the most promising first, shape (runs, candidates)."""
        value = state.observations.values().value
        network = self.networks(state, 1)
        parameters = state.train(network, squared_error(value))
        uniform = state.streams.uniform(self.candidates)
        candidates = pool_of_neighbors(state.space, state.observations.architecture, value, self.parents, uniform)
        return by_score(candidates, network.predict(parameters, state.encode(candidates))[:, 0])
