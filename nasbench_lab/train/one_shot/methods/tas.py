"""TAS: two sampled numbers of channels, with interpolated feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from nasbench_lab.checks import Above, AtLeast, Below
from nasbench_lab.train.one_shot.gumbel import gumbel_noise, relaxed
from nasbench_lab.train.one_shot.gumbel_method import GumbelMethod
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture, Path
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits
from nasbench_lab.train.one_shot.width_warmup import warmup_codes


@final
@dataclass(frozen=True)
class Tas(GumbelMethod):
    """TAS (Dong and Yang, Network Pruning via Transformable Architecture Search, NeurIPS 2019), for channels.

    Two numbers of channels are drawn per decision, without replacement, with the probabilities of a relaxed sample
    softmax((log p + G) / t) (equation 3). Their feature maps, brought to the larger number of channels by
    interpolation, are added with the weights of the sample, normalised to the two (equations 5 and 6). Weights are
    trained on training images, and the logits on validation images.

    Args:
        cost_weight: with a weight w, the loss of the logits gets w log c if the most probable architecture costs more
            than the target, and -w log c if it costs less than the target by more than the tolerance, where c is the
            mean number of multiply-additions under the probabilities (equation 8). TAS uses 2; 0 is for no costs, as in
            NATS-Bench.
        cost_target: the target, as a share of the costs of the widest architecture.
        cost_tolerance: as a share of the costs of the widest architecture.
        warmup: share of the epochs in which random numbers of channels are trained instead, see `warmup_codes`; the
            scripts of NATS-Bench leave it to the user.
        first_temperature: in the first epoch.
        last_temperature: in the last epoch; linear between.
        learning_rate: of the logits, with Adam (0.5, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.

    The defaults are those of NATS-Bench (Dong et al., TPAMI 2021). There, outputs of cells are interpolated; here, the
    outputs of all convolutions, as in the paper. The paper's knowledge distillation belongs to the training of the
    derived network, and is left out.
    """

    name: ClassVar[str] = "tas"
    aliases: ClassVar[tuple[str, ...]] = ("transformable", "channel-interpolation")
    family: ClassVar[str] = "channel masks"
    reference: ClassVar[str] = "Dong and Yang, Network Pruning via Transformable Architecture Search, NeurIPS 2019"
    epochs: ClassVar[int] = 100
    needs: ClassVar[tuple[str, ...]] = ("widths",)

    cost_weight: Annotated[float, AtLeast(0)] = 0.0
    cost_target: Annotated[float, Above(0)] = 0.57
    cost_tolerance: Annotated[float, AtLeast(0)] = 0.05
    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.0

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the shared weights, then the logits, each with two sampled numbers of channels per decision."""
        codes = warmup_codes(search, self.warmup)
        if codes is not None:
            search.update_weights(train, [Path(codes)])
            return
        search.update_weights(train, [self._sample(search, state).detached()])
        loss = search.loss(search.valid_batch(), self._sample(search, state))
        state.descend(loss + self._penalty(search, state))

    def _sample(self, search: SearchContext, state: TrainedLogits) -> Mixture:
        temperature = self.temperature(search)
        soft = relaxed(state.logits, gumbel_noise(state.logits, search.random), temperature)
        pairs = [draw_pair(each, search.random) for each in soft]
        return Mixture(two_weights(soft, pairs), used=pairs, interpolated=True)

    def _penalty(self, search: SearchContext, state: TrainedLogits) -> Tensor | float:
        if not self.cost_weight:
            return 0.0
        supernet, space = search.supernet, search.space
        widest = supernet.multiply_additions([size - 1 for size in space.cardinalities])
        share = supernet.multiply_additions(space.codes(state.most_probable(search)).tolist()) / widest
        if self.cost_target - self.cost_tolerance <= share <= self.cost_target:
            return 0.0
        sign = 1 if share > self.cost_target else -1
        return sign * self.cost_weight * supernet.expected_multiply_additions(state.alphas.probabilities()).log()


def draw_pair(soft: Tensor, random: Generator) -> list[int]:
    """Draw two options of one decision without replacement, with the probabilities of a relaxed sample."""
    p = soft.detach().double().cpu().numpy() + 1e-7  # as in the published implementation: two can always be drawn
    return np.sort(random.choice(len(p), size=min(2, len(p)), replace=False, p=p / p.sum())).tolist()


def two_weights(soft: Sequence[Tensor], pairs: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return the weights of all options: those of the used ones add up to 1, and others are 0."""
    found = []
    for each, used in zip(soft, pairs, strict=True):
        mask = torch.zeros_like(each)
        mask[list(used)] = 1
        found.append(mask * each / (mask * each).sum())
    return found
