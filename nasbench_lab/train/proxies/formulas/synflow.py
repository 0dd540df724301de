"""Synaptic flow: how much of a signal passes through all paths of weights, without any data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import gradients, total, weight_layers
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject


@final
@dataclass(frozen=True)
class Synflow(Proxy):
    """The logarithm of the synaptic flow (Tanaka et al., NeurIPS 2020, equation 1; Abdelfattah et al., ICLR 2021).

    With the absolute values of all parameters, R is the sum of the outputs for one image of ones. The score is

        log of the sum of w * dR / dw over the weights w of all convolutions and linear layers.

    Batch normalisation is the identity, as it would undo the scale of the weights. R is about the product of the sums
    of all layers, too large for single precision, so everything is in double precision. The logarithm
    keeps the ranking, and makes averages and differences meaningful.
    """

    name: ClassVar[str] = "synflow"
    aliases: ClassVar[tuple[str, ...]] = ("synaptic-flow",)
    reference: ClassVar[str] = (
        "Tanaka et al., Pruning neural networks without any data by iteratively conserving synaptic flow, NeurIPS 2020"
    )
    needs: ClassVar[tuple[str, ...]] = ("gradients",)

    def measure(self, subject: ProxySubject) -> float:
        """Return the logarithm of the flow."""
        flow = total(weight * gradient for weight, gradient in subject.shared(absolute_flow))
        if flow <= 0:
            raise NoScoreError("no signal passes through the network")
        return math.log(flow)


def absolute_flow(network: nn.Module, batches: Sequence[Batch]) -> list[tuple[Tensor, Tensor]]:
    """Return the absolute weights of every layer, and the gradient of R by them, in double precision.

    R is the sum of the outputs for an image of ones, without batch normalisation.

    Raises:
        NoScoreError: the network has no weights of layers.
    """
    network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.forward = _identity
    weights = [layer.weight.requires_grad_() for layer in weight_layers(network).values()]
    output = network(torch.ones_like(batches[0].images[:1], dtype=torch.float64)).sum()
    return [(w.detach(), each) for w, each in zip(weights, gradients(output, weights), strict=True)]


def _identity(x: Tensor) -> Tensor:
    return x
