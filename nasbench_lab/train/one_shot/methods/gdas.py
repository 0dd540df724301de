"""GDAS: one sampled path, with the gradients of a relaxed sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from nasbench_lab.checks import Above, AtLeast
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.gumbel import gumbel_codes, linear_temperature, relaxed, straight_through
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.methods.snas import check_temperatures
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path, Sample
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@final
@dataclass(frozen=True)
class Gdas(Method[TrainedLogits]):
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
    first_temperature: Annotated[float, Above(0)] = 10.0
    last_temperature: Annotated[float, Above(0)] = 0.1
    learning_rate: Annotated[float, Above(0)] = 3e-4
    weight_decay: Annotated[float, AtLeast(0)] = 1e-3
    initial_scale: Annotated[float, AtLeast(0)] = 1e-3

    def check(self) -> None:
        """Refuse temperatures that rise."""
        check_temperatures(self.first_temperature, self.last_temperature)

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes: weights and architecture, one option each."""
        return 2.0

    def start(self, search: SearchContext) -> TrainedLogits:
        """Return small random logits and their optimiser."""
        return TrainedLogits.start(
            search,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            initial_scale=self.initial_scale,
        )

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the shared weights with one sample, then the logits with another."""
        codes, _ = gumbel_codes(search.space, state.logits, search.random)
        search.update_weights(train, [Path(codes)])
        state.descend(search.loss(search.valid_batch(), self._sample(search, state)))

    def recommend(self, search: SearchContext, state: TrainedLogits) -> int | None:
        """Return the most probable architecture."""
        return state.most_probable(search)

    def _sample(self, search: SearchContext, state: TrainedLogits) -> Sample:
        codes, noise = gumbel_codes(search.space, state.logits, search.random)
        temperature = linear_temperature(self.first_temperature, self.last_temperature, search.epoch, search.epochs)
        return Sample(codes, straight_through(codes, relaxed(state.logits, noise, temperature)), self.bare)
