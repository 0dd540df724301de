"""Single path one-shot: uniform paths, and an evolutionary search with the shared weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.train.one_shot.evolutionary_search import EvolutionaryMethod
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, train_paths


@final
@dataclass(frozen=True)
class Spos(EvolutionaryMethod[KnownScores]):
    """Single path one-shot (Guo et al., Single Path One-Shot Neural Architecture Search, ECCV 2020).

    Every step trains one path, uniform over the architectures (equations 5 and 7, section 3.2). After the training, an
    evolutionary search (algorithm 1, see `EvolutionaryMethod`) chooses the architecture.

    The defaults are the published ones: 20 generations of 50 architectures, so 1,000 scores. The paper recalibrates the
    statistics of the batch normalisation for every score; here this is an option of the supernet.

    Args:
        population: number of architectures per generation.
        generations: number of generations, T in the paper. The first one is random.
        parents: number of best architectures that children are made of, k in the paper.
        mutation: probability with which a mutation changes each code.
    """

    name: ClassVar[str] = "spos"
    aliases: ClassVar[tuple[str, ...]] = ("single-path-one-shot", "one-shot", "uniform")
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = "Guo et al., Single Path One-Shot Neural Architecture Search, ECCV 2020"
    epochs: ClassVar[int] = 300

    def start(self, search: SearchContext) -> KnownScores:
        """Return the state before the first step."""
        return KnownScores()

    def step(self, search: SearchContext, state: KnownScores, train: Batch) -> None:
        """Train one uniform path."""
        train_paths(search, UniformPaths(), train)
