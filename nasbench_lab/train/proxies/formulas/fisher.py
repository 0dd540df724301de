"""Fisher: how much the loss depends on the presence of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor
from torch.nn import functional

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import Layer, gradients, total, weight_layers
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Fisher(Proxy):
    """The sum over channels of the Fisher information of their activations (Turner et al., ICLR 2020, equation 2).

    A channel c of the output z of a convolution or linear layer has

        D_c = mean over images of (sum over pixels of z_c * dL / dz_c)**2 / 2,

    with the mean cross-entropy L of a batch. The activations are those before batch normalisation.

    As in the code of Abdelfattah et al. (ICLR 2021), whose scores NAS-Bench-Suite-Zero publishes, the D_c of a channel
    counts once per weight of that channel. With ``per_weight=False`` it counts once, as in the papers.

    Args:
        per_weight: whether a channel counts once for each of its weights.
    """

    name: ClassVar[str] = "fisher"
    reference: ClassVar[str] = "Turner et al., BlockSwap: Fisher-guided Block Substitution, ICLR 2020"

    per_weight: bool = True

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        network, outputs = subject.network, list[tuple[Layer, Tensor]]()

        def keep(layer: Any, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            outputs.append((layer, output if output.requires_grad else output.requires_grad_()))
            return output

        for layer in weight_layers(network).values():
            layer.register_forward_hook(keep)
        loss = functional.cross_entropy(network(subject.images), subject.labels)
        slopes = gradients(loss, [output for _, output in outputs])
        return total(
            self._channels(layer, output.detach() * slope)
            for (layer, output), slope in zip(outputs, slopes, strict=True)
        )

    def _channels(self, layer: Layer, product: Tensor) -> Tensor:
        """Return the information of the channels of a layer from activation times gradient."""
        axis = product.ndim - 1 if isinstance(layer, torch.nn.Linear) else 1
        pixels = [each for each in range(1, product.ndim) if each != axis]
        channels = product.sum(pixels) if pixels else product
        information = channels.square().mean(dim=0) / 2
        return information * layer.weight[0].numel() if self.per_weight else information
