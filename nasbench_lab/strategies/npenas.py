"""NPENAS: evolution with many mutants, of which only those with the best predicted values are evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.strategies.models.candidates import pool_of_neighbors
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.network_ensemble import squared_error
from nasbench_lab.strategies.parts.predictor_strategy import CandidateRankingStrategy, PredictorState, by_score


@final
@dataclass(frozen=True)
class Npenas(CandidateRankingStrategy):
    """NPENAS-NP (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022): neural predictor guided evolution.

    The first ``initial`` architectures are random. Then repeat: train a network to predict the values of all evaluated
    architectures; mutate the ``parents`` best architectures into ``candidates`` mutants (several per parent, which
    distinguishes this from other evolution); and evaluate the ``batch`` mutants with the highest predictions.
    Architectures that were evaluated before are no candidates; if there are too few candidates, random new
    architectures fill the batch.

    The numbers are those of the published code (github.com/auroua/NPENASv1); the network differs. The published one is
    a graph isomorphism network over the cell (three layers of 32 units) with a fully connected head, trained for 300
    epochs in batches of 16 with the squared error and weight decay. Here it is a fully connected network over
    ``encoding``, trained for ``steps`` steps over all examples with the squared error. A mutation is a step to a
    neighbour; the published code does the same for NAS-Bench-201, and changes a matrix at random for NAS-Bench-101. It
    mutates the second best architecture only if the best one has too few new mutants; here all parents have about
    equally many.

    Values are scaled to mean 0 and variance 1 (in the published code: errors in percent, with an output in a fitting
    range). A failed training counts as the worst value that the run has seen. NPENAS-BO, the variant that samples from
    a predicted mean and variance, is not implemented: `Bananas` does the same with an ensemble.

    Args:
        initial: number of random architectures at the beginning.
        batch: number of architectures evaluated before the network is trained again; at least the number of workers is
            used.
        candidates: number of mutants that are ranked.
        parents: number of architectures that are mutated, each about equally often.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encoding_for`).
        layers: number of hidden layers of the network.
        width: number of units of a layer.
        steps: number of training steps.
        learning_rate: learning rate of Adam.
    """

    name: ClassVar[str] = "npenas"
    aliases: ClassVar[tuple[str, ...]] = ("neural-predictor",)
    version: ClassVar[int] = 2
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
