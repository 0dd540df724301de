"""Few-shot supernets: a trained supernet is split by the options of a decision, and every part is trained further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast, final

from nasbench_lab.checks import AtLeast, Probability
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.evolutionary_search import EvolutionaryMethod
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, train_paths
from nasbench_lab.train.one_shot.supernets import SplitSupernet, Supernet


@final
@dataclass(frozen=True)
class FewShot(EvolutionaryMethod[KnownScores]):
    """Few-shot neural architecture search (Zhao, Wang, Tian, Fonseca and Guo, ICML 2021).

    First, one supernet is trained along uniform paths. Then it is split: there is one sub-supernet per option of the
    first decision, with copies of the weights, and every architecture belongs to one of them. A step trains one path,
    uniform over all architectures, in its sub-supernet. An architecture is scored with the weights of its sub-supernet.
    The final choice is the evolutionary search of SPOS (`EvolutionaryMethod`).

    The original implementation for NAS-Bench-201 splits the first edge: five sub-supernets. It trains the supernet for
    600 epochs and each sub-supernet for another 150, 1,350 in total, so the default share before the split is 600 /
    1350. Here the total is the number of epochs of the search, so that this method costs as much as SPOS. Every
    architecture has the same part of it; sub-supernets of the same size have the same part on average.

    The learning rate falls once over the whole training, and momentum is copied with the weights. The original starts
    both again for every sub-supernet. So with ``decisions=0`` the method is SPOS.

    Args:
        population: number of architectures per generation.
        generations: number of generations. The first one is random.
        parents: number of best architectures that children are made of.
        mutation: probability with which a mutation changes each code.
        decisions: number of decisions that are split, from the first one on; one sub-supernet per combination.
        before: share of the training before the split.
    """

    name: ClassVar[str] = "few-shot"
    aliases: ClassVar[tuple[str, ...]] = ("few-shot-nas", "sub-supernets")
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = "Zhao et al., Few-Shot Neural Architecture Search, ICML 2021"
    epochs: ClassVar[int] = 300

    decisions: Annotated[int, AtLeast(0)] = 1
    before: Probability = 600 / 1350

    def build(self, space: Space, **options: Any) -> Supernet:
        """Return the supernet, which is split later.

        Raises:
            ParameterError: the space has no supernet, or it cannot be split in this way.
        """
        return SplitSupernet(super().build(space, **options), self.decisions)

    def start(self, search: SearchContext) -> KnownScores:
        """Return the state before the first step."""
        return KnownScores()

    def step(self, search: SearchContext, state: KnownScores, train: Batch) -> None:
        """Train one uniform path, in its sub-supernet; split the supernet before, if it is time."""
        supernet = cast(SplitSupernet, search.supernet)
        if not supernet.is_split and search.step >= self.before * search.steps * search.epochs:
            supernet.split(search.optimizer)
        train_paths(search, UniformPaths(), train)
