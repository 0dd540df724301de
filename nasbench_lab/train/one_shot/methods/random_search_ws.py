"""Random search with weight sharing: uniform paths, then the best of many random architectures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.checks import Count, require
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, score_new, train_paths
from nasbench_lab.train.one_shot.supernets import Path


@final
@dataclass(frozen=True)
class RandomSearchWithSharing(Method[KnownScores]):
    """Random search with weight sharing (Li and Talwalkar, UAI 2019); RSPS in NAS-Bench-201.

    Every step trains one path, uniform over the architectures. After the training, random architectures are scored with
    the shared weights on a few batches of validation images, and the best of them again on all validation images. The
    best one is chosen.

    The defaults are those of the original implementation (`random_weight_share.py`): 1,000 samples on 10 batches and 10
    finalists. If 10 batches have at least as many images as the validation split, all samples are scored on that split
    and there are no finalists. NAS-Bench-201 scores 100 samples on all images: ``samples=100, finalists=100``.

    The original clips the gradients of the shared weights. That is a setting of the recipe here, as for all methods.

    Args:
        samples: number of random architectures.
        batches: number of batches of validation images that each of them is scored on first.
        finalists: number of best ones that are scored again on all validation images.
    """

    name: ClassVar[str] = "random-search-ws"
    aliases: ClassVar[tuple[str, ...]] = ("rsps", "randomnas", "random-nas", "random-ws", "rsws")
    family: ClassVar[str] = "sampled paths"
    reference: ClassVar[str] = (
        "Li and Talwalkar, Random Search and Reproducibility for Neural Architecture Search, UAI 2019"
    )
    epochs: ClassVar[int] = 300

    samples: Count = 1000
    batches: Count = 10
    finalists: Count = 10

    def check(self) -> None:
        """Raise a ParameterError if there are more finalists than samples."""
        require(
            self.finalists <= self.samples, f"finalists must be at most samples, {self.samples}, got {self.finalists}"
        )

    @property
    def scored(self) -> int:
        """So many architectures are scored."""
        return self.samples

    def start(self, search: SearchContext) -> KnownScores:
        """Return the state before the first step."""
        return KnownScores()

    def step(self, search: SearchContext, state: KnownScores, train: Batch) -> None:
        """Train one uniform path."""
        train_paths(search, UniformPaths(), train)

    def finish(self, search: SearchContext, state: KnownScores) -> None:
        """Choose the best of random architectures with the shared weights."""
        drawn = list(dict.fromkeys(search.random.integers(search.space.size, size=self.samples).tolist()))
        if self.finalists < len(drawn) and self.batches * search.recipe.batch < len(search.dataset.valid):
            partial = [self._on_batches(search, codes) for codes in search.space.codes(drawn).tolist()]
            drawn = [drawn[place] for place in np.argsort(-np.array(partial), kind="stable")[: self.finalists]]
        score_new(search, self, state, drawn)
        state.choose_best()

    def recommend(self, search: SearchContext, state: KnownScores) -> int | None:
        """Return the best of the random architectures, None before they are scored."""
        return state.recommended

    def _on_batches(self, search: SearchContext, codes: list[int]) -> float:
        return float(np.mean([search.accuracy(search.valid_batch(), Path(codes)) for _ in range(self.batches)]))
