"""FBNetV2: gradient descent on weighted masks of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

from nasbench_lab.checks import AtLeast, Below
from nasbench_lab.train.one_shot.gumbel import gumbel_noise, relaxed
from nasbench_lab.train.one_shot.gumbel_method import GumbelMethod
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Mixture, Path
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits
from nasbench_lab.train.one_shot.width_warmup import warmup_codes


@final
@dataclass(frozen=True)
class Fbnetv2(GumbelMethod):
    """Masks of channels of FBNetV2 (Wan et al., CVPR 2020), for spaces whose decisions are numbers of channels.

    All channels are computed once, and multiplied by the sum of the masks of all numbers of channels, weighted with a
    relaxed Gumbel-softmax sample (equations 3 and 4). Weights are trained on training images, and the logits on
    validation images. NATS-Bench calls this method mask_gumbel.

    Args:
        warmup: share of the epochs in which random numbers of channels are trained instead, see `warmup_codes`; the
            scripts of NATS-Bench leave it to the user.
        first_temperature: in the first epoch.
        last_temperature: in the last epoch; linear between, as in NATS-Bench.
        learning_rate: of the logits, with Adam (0.5, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.

    The defaults are those of NATS-Bench (Dong et al., TPAMI 2021). There, masks are applied to the outputs of cells;
    here, also to the layers within, as all layers of a cell have the same number of channels in a stand-alone network.
    The costs in the paper's loss are left out.
    """

    name: ClassVar[str] = "fbnetv2"
    aliases: ClassVar[tuple[str, ...]] = ("mask_gumbel", "mask-gumbel", "channel-masking")
    family: ClassVar[str] = "channel masks"
    reference: ClassVar[str] = "Wan et al., FBNetV2: Differentiable NAS for Spatial and Channel Dimensions, CVPR 2020"
    epochs: ClassVar[int] = 100
    needs: ClassVar[tuple[str, ...]] = ("widths",)

    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.0

    def step(self, search: SearchContext, state: TrainedLogits, train: Batch) -> None:
        """Update the shared weights, then the logits, each with a relaxed sample."""
        codes = warmup_codes(search, self.warmup)
        if codes is not None:
            search.update_weights(train, [Path(codes)])
        else:
            search.update_weights(train, [self._sample(search, state).detached()])
            state.descend(search.loss(search.valid_batch(), self._sample(search, state)))

    def _sample(self, search: SearchContext, state: TrainedLogits) -> Mixture:
        temperature = self.temperature(search)
        return Mixture(relaxed(state.logits, gumbel_noise(state.logits, search.random), temperature))
