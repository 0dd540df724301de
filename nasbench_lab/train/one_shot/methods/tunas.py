"""TuNAS: REINFORCE on numbers of channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from nasbench_lab.checks import Above, AtLeast, Below
from nasbench_lab.train.one_shot.architecture_parameters import sample_codes
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.reinforce import MovingBaseline, batch_accuracy, log_probability
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits
from nasbench_lab.train.one_shot.width_warmup import warmup_codes


@dataclass
class _State(TrainedLogits):
    baseline: MovingBaseline


@final
@dataclass(frozen=True)
class Tunas(Method[_State]):
    """TuNAS (Bender et al., Can Weight Sharing Outperform Random Architecture Search?, CVPR 2020), for channels.

    Every step trains the shared weights of one drawn architecture on training images. Another one is drawn, and its
    accuracy on validation images is the reward r: the logits follow (r - b) d log p, where b is a moving average of the
    rewards, with this one (REINFORCE). NATS-Bench calls this method mask_rl. Cutting channels equals masking them.

    Args:
        warmup: share of the epochs in which random numbers of channels are trained, and the logits are not; see
            `warmup_codes`.
        momentum: share of the old average that a new reward leaves.
        cost_weight: with a weight w, the reward is r - w |c / t - 1| (the absolute reward, section 4.2), where c is the
            architecture's number of multiply-additions and t the target. TuNAS uses 0.1 with latencies. 0 for no costs.
        cost_target: the target, as a share of the costs of the widest architecture.
        learning_rate: of the logits, with Adam.
        first_moment: of Adam. TuNAS uses 0, and raises the learning rate tenfold over the search.
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.

    The defaults are those of NATS-Bench (Dong et al., TPAMI 2021).
    """

    name: ClassVar[str] = "tunas"
    aliases: ClassVar[tuple[str, ...]] = ("mask_rl", "mask-rl", "channel-reinforce")
    family: ClassVar[str] = "channel masks"
    reference: ClassVar[str] = "Bender et al., Can Weight Sharing Outperform Random Architecture Search?, CVPR 2020"
    epochs: ClassVar[int] = 100
    needs: ClassVar[tuple[str, ...]] = ("widths",)

    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.25
    momentum: Annotated[float, AtLeast(0), Below(1)] = 0.95
    cost_weight: Annotated[float, AtLeast(0)] = 0.0
    cost_target: Annotated[float, Above(0)] = 0.5
    learning_rate: Annotated[float, Above(0)] = 3e-4
    first_moment: Annotated[float, AtLeast(0), Below(1)] = 0.5
    weight_decay: Annotated[float, AtLeast(0)] = 0.0
    initial_scale: Annotated[float, AtLeast(0)] = 1e-3

    def start(self, search: SearchContext) -> _State:
        """Return small random logits, their optimiser and an empty baseline."""
        logits = TrainedLogits.start(
            search,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            betas=(self.first_moment, 0.999),
            initial_scale=self.initial_scale,
        )
        return _State(logits.alphas, logits.optimizer, MovingBaseline(self.momentum))

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Update the shared weights of one architecture, then the logits with the accuracy of another."""
        codes = warmup_codes(search, self.warmup)
        if codes is not None:
            search.update_weights(train, [Path(codes)])
            return
        one, other = (sample_codes(search.space, state.chances(), search.random, 1)[0].tolist() for _ in range(2))
        search.update_weights(train, [Path(one)])
        reward = self._reward(search, search.valid_batch(), other)
        advantage = reward - state.baseline.update(reward)
        state.descend(-advantage * log_probability(state.logits, other))

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the most probable architecture."""
        return state.most_probable(search)

    def _reward(self, search: SearchContext, batch: Batch, codes: Sequence[int]) -> float:
        accuracy = batch_accuracy(search, batch, codes)
        if not self.cost_weight:
            return accuracy
        supernet = search.supernet
        target = self.cost_target * supernet.multiply_additions([size - 1 for size in search.space.cardinalities])
        return accuracy - self.cost_weight * abs(supernet.multiply_additions(codes) / target - 1)
