"""Few-shot supernets: a trained supernet is split by the options of a decision, and every part is trained further."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast, Probability, require
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.evolutionary_search import EvolutionaryMethod
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import ScoredArchitectures
from nasbench_lab.train.one_shot.supernets import Path, Supernet
from nasbench_lab.train.training import optimizer_of

_MOST_PARTS = 125


@dataclass(kw_only=True)
class _State(ScoredArchitectures):
    parts: nn.ModuleList
    optimizer: torch.optim.Optimizer
    is_split: bool = False


@final
@dataclass(frozen=True)
class FewShot(EvolutionaryMethod[_State]):
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
        """Return the supernet that is split.

        Raises:
            ParameterError: the space has no supernet, or cannot be split in this way.
        """
        sizes = space.cardinalities
        require(
            self.decisions <= len(sizes),
            f"decisions must be at most {len(sizes)} in the space {space.name}, got {self.decisions}",
        )
        parts = math.prod(sizes[: self.decisions])
        require(
            parts <= _MOST_PARTS,
            f"decisions={self.decisions} makes {parts:,} sub-supernets in the space {space.name}; "
            f"at most {_MOST_PARTS} are allowed",
        )
        return super().build(space, **options)

    def start(self, search: SearchContext) -> _State:
        """Return the state before the first step; the sub-supernets get their weights later."""
        number = math.prod(search.space.cardinalities[: self.decisions])
        parts = nn.ModuleList(copy.deepcopy(search.supernet) for _ in range(number))
        return _State(parts=parts, optimizer=optimizer_of(search.recipe, list(parts.parameters())))

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Train one uniform path, in its sub-supernet if there are such."""
        if not state.is_split and search.step >= self.before * search.steps * search.epochs:
            _split(search, state)
        codes = UniformPaths().paths(search.space, search.random)
        place = int(self._parts_of(search.space, codes)[0])
        within = search.with_supernet(state.parts[place], state.optimizer) if state.is_split else search
        within.update_weights(train, [Path(codes[0].tolist())])

    def score(self, search: SearchContext, state: _State, architectures: Sequence[int], split: str) -> FloatArray:
        """Return the accuracy in percent of architectures with the weights of their sub-supernets."""
        if not state.is_split:
            return search.supernet_scores(architectures, split)
        given = np.asarray(architectures)
        places = self._parts_of(search.space, search.space.codes(given))
        scores = np.empty(len(given))
        for place in np.unique(places).tolist():
            within = search.with_supernet(state.parts[place], state.optimizer)
            scores[places == place] = within.supernet_scores(given[places == place], split)
        return scores

    def _parts_of(self, space: Space, codes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the sub-supernets of architectures, given by codes of shape (architectures, decisions)."""
        places = np.zeros(len(codes), dtype=np.int64)
        for decision, size in enumerate(space.cardinalities[: self.decisions]):
            places = places * size + codes[:, decision]
        return places


def _split(search: SearchContext, state: _State) -> None:
    """Give all sub-supernets the weights of the supernet, and what its optimiser knows of them."""
    for part in state.parts:
        part.load_state_dict(search.supernet.state_dict())
        for old, new in zip(search.supernet.parameters(), part.parameters(), strict=True):
            known = search.optimizer.state.get(old, {})
            state.optimizer.state[new] = {
                name: value.clone() if isinstance(value, Tensor) else value for name, value in known.items()
            }
    state.is_split = True
