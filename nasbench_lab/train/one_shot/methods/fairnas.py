"""FairNAS: every option is trained once per step, and an evolutionary search with the shared weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.evolutionary_search import EvolutionaryMethod
from nasbench_lab.train.one_shot.path_sampling import FairPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, train_paths


@final
@dataclass(frozen=True)
class FairNas(EvolutionaryMethod[KnownScores]):
    """FairNAS (Chu, Zhang and Xu, ICCV 2021).

    Every step trains as many paths as a decision has options, and every option of every decision is in one of them. The
    gradients of the paths are added before one update (strict fairness, algorithm 1). The options are shuffled again
    for every step; some implementations reuse one shuffle for an epoch, and then options always train together with
    the same others. See `FairPaths`, also for spaces where decisions have different numbers of options.

    A step costs as much as one step of SPOS per option. So the default number of epochs is a fifth of that of SPOS,
    which costs the same in the topology space.

    The paper then searches for three objectives at once, accuracy, parameters and multiply-adds, with NSGA-II. Here
    accuracy alone counts, so the search is the evolutionary search of SPOS, with its defaults (`EvolutionaryMethod`).

    Args:
        population: number of architectures per generation.
        generations: number of generations. The first one is random.
        parents: number of best architectures that children are made of.
        mutation: probability with which a mutation changes each code.
    """

    name: ClassVar[str] = "fairnas"
    aliases: ClassVar[tuple[str, ...]] = ("fair-nas", "fair", "strict-fairness")
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = (
        "Chu et al., FairNAS: Rethinking Evaluation Fairness of Weight Sharing Neural Architecture Search, ICCV 2021"
    )
    epochs: ClassVar[int] = 60

    def passes(self, space: Space) -> float:
        """Return how many paths a step takes: one per option."""
        return float(max(space.cardinalities))

    def start(self, search: SearchContext) -> KnownScores:
        """Return the state before the first step."""
        return KnownScores()

    def step(self, search: SearchContext, state: KnownScores, train: Batch) -> None:
        """Train one path per option."""
        train_paths(search, FairPaths(), train)
