"""GraSP: how much the gradient flow depends on each weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch.nn import functional

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import gradients, loss_gradients, total, weight_layers
from nasbench_lab.train.proxies.subject import ProxySubject


@final
@dataclass(frozen=True)
class Grasp(Proxy):
    """The sum of -w * (H g) over the weights of convolutions and linear layers (Wang et al., ICLR 2020, equation 8).

    g is the gradient of the mean cross-entropy of a batch by these weights, and H its Hessian. H g is the gradient of
    g' g / 2, so this takes a gradient of a gradient.

    The sign: as in the paper, and in NAS-Bench-Suite-Zero, whose scores rise with the accuracy. Other code sums +w * (H
    g). The paper divides the outputs by a temperature of 200 for pruning; proxies do not. The score has heavy
    tails: single networks are far from all others.
    """

    name: ClassVar[str] = "grasp"
    reference: ClassVar[str] = (
        "Wang et al., Picking Winning Tickets Before Training by Preserving Gradient Flow, ICLR 2020"
    )

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum."""
        constant = subject.shared(loss_gradients)
        network = subject.network
        layers = weight_layers(network)
        weights = [layer.weight.requires_grad_() for layer in layers.values()]
        loss = functional.cross_entropy(network(subject.images), subject.labels)
        slopes = gradients(loss, weights, again=True)
        product = sum((constant[name] * slope).sum() for name, slope in zip(layers, slopes, strict=True))
        curvatures = gradients(product, weights)
        return -total(weight.detach() * curvature for weight, curvature in zip(weights, curvatures, strict=True))
