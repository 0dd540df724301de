"""SNAS: gradient descent on a relaxed sample of all operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, final

from nasbench_lab.checks import Above
from nasbench_lab.train.one_shot.gumbel import gumbel_noise, relaxed
from nasbench_lab.train.one_shot.gumbel_method import GumbelMethod
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@final
@dataclass(frozen=True)
class Snas(GumbelMethod):
    """Stochastic NAS (Xie, Zheng, Liu and Lin, SNAS: Stochastic Neural Architecture Search, ICLR 2019).

    The weights of the options are a relaxed sample of the concrete distribution (equation 5), softmax((log p + G) / t)
    with Gumbel noise G and the temperature t. Where t is low, one option has nearly all weight, so the expected loss
    (equation 3) is close to that of sampled architectures; its gradient to the logits is biased, and the bias vanishes
    with t, while the variance grows.

    Args:
        levels: 1: one pass over training images updates the logits and the shared weights, as in the paper. 2: the
            logits are updated on validation images, as in the implementation for NAS-Bench-201 of Chen et al. (DrNAS,
            ICLR 2021), from which the published results on that benchmark are.
        first_temperature: in the first epoch.
        last_temperature: in the last epoch; linear between. The paper gives no temperatures. The implementation for
            NAS-Bench-201 goes from 10 towards 1; the authors published one with 1.
        learning_rate: of the logits, with Adam (0.5, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.
    """

    name: ClassVar[str] = "snas"
    aliases: ClassVar[tuple[str, ...]] = ("concrete", "stochastic-nas")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Xie et al., SNAS: Stochastic Neural Architecture Search, ICLR 2019"

    levels: Literal[1, 2] = 2
    last_temperature: Annotated[float, Above(0)] = 1.0

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the logits and the shared weights, each with a relaxed sample."""
        if self.levels == 2:
            search.supernet.train()
            state.descend(search.loss(search.valid_batch(), self._sample(search, state)))
            search.update_weights(train, [self._sample(search, state).detached()])
        else:
            state.optimizer.zero_grad()
            search.update_weights(train, [self._sample(search, state)])
            state.optimizer.step()

    def _sample(self, search: SearchContext, state: TrainedLogits) -> Mixture:
        temperature = self.temperature(search)
        return Mixture(relaxed(state.logits, gumbel_noise(state.logits, search.random), temperature))
