"""Synaptic flow: how much of a signal passes through all paths of weights, without any data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import nn

from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.passes import weight_layers
from nasbench_lab.train.proxies.subject import NoScoreError, Subject


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
    aliases: ClassVar[tuple[str, ...]] = ("synaptic-flow", "logsynflow")
    reference: ClassVar[str] = (
        "Tanaka et al., Pruning neural networks without any data by iteratively conserving synaptic flow, NeurIPS 2020"
    )
    needs: ClassVar[tuple[str, ...]] = ("gradients",)

    def measure(self, subject: Subject) -> float:
        """Return the logarithm of the flow."""
        network = subject.network.double()
        without_normalisation(network)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.abs_()
        weights = [layer.weight for layer in weight_layers(network).values()]
        total = network(torch.ones_like(subject.images[:1], dtype=torch.float64)).sum()
        if not weights or not total.requires_grad:
            raise NoScoreError("the output depends on no weight")
        gradients = torch.autograd.grad(total, weights, allow_unused=True)
        pairs = zip(weights, gradients, strict=True)
        flow = sum(float((weight.detach() * gradient).sum()) for weight, gradient in pairs if gradient is not None)
        if flow <= 0:
            raise NoScoreError("no signal passes through the network")
        return math.log(flow)


def without_normalisation(network: nn.Module) -> None:
    """Make every batch normalisation of a network the identity."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
