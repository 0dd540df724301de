"""GDAS: one sampled path, with the gradients of a relaxed sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.gumbel import gumbel_codes, relaxed, straight_through
from nasbench_lab.train.one_shot.gumbel_method import GumbelMethod
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path, Sample
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@final
@dataclass(frozen=True)
class Gdas(GumbelMethod):
    """GDAS (Dong and Yang, Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019).

    Every pass computes one architecture, drawn by the Gumbel-max trick (equation 3). The weights of its options are 1,
    and have the gradients of the relaxed sample softmax((log p + G) / t) (equation 4). The shared weights are trained
    on training images, the logits on validation images.

    Args:
        bare: whether the weights of the other options, whose value is 0, are added to the output of every decision, as
            in the published implementation. The output is the same, but the logits get another gradient: all options
            get one, and what the sum of the output's gradients says about them has no relation to what they compute.
            Without it, only the weight of the drawn option gets a gradient, as in the paper. Numbers of channels have
            no bare weights: their masks are multiplied.
        first_temperature: in the first epoch.
        last_temperature: in the last epoch; linear between.
        learning_rate: of the logits, with Adam (0.5, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.

    The defaults are those of NAS-Bench-201 (Dong and Yang, ICLR 2020).
    """

    name: ClassVar[str] = "gdas"
    aliases: ClassVar[tuple[str, ...]] = ("gumbel", "straight-through")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Dong and Yang, Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019"
    epochs: ClassVar[int] = 250

    bare: bool = True

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes: weights and architecture, one option each."""
        return 2.0

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the shared weights with one sample, then the logits with another."""
        codes, _ = gumbel_codes(search.space, state.logits, search.random)
        search.update_weights(train, [Path(codes)])
        state.descend(search.loss(search.valid_batch(), self._sample(search, state)))

    def _sample(self, search: SearchContext, state: TrainedLogits) -> Sample:
        codes, noise = gumbel_codes(search.space, state.logits, search.random)
        temperature = self.temperature(search)
        return Sample(codes, straight_through(codes, relaxed(state.logits, noise, temperature)), self.bare)
