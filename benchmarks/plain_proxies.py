"""Zero-cost proxies as they are usually computed: every proxy copies the network and passes the images through it."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def _gradient_layers(network, images, labels):
    functional.cross_entropy(network(images), labels).backward()
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def _gradients(of_layer):
    def score(network, images, labels):
        layers = _gradient_layers(network, images, labels)
        return float(sum(of_layer(layer.weight).detach() for layer in layers))

    return score


def _relu_outputs(network, images):
    codes = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _module, _inputs, output: codes.append((output > 0).flatten(1)))
    with torch.no_grad():
        network(images)
    return codes


def _naswot(network, images, _labels):
    kernel = torch.zeros(len(images), len(images))
    for code in _relu_outputs(network, images):
        active = code.float()
        kernel = kernel + active @ active.T + (1 - active) @ (1 - active).T
    return float(np.linalg.slogdet(kernel.numpy())[1])


def _swap(network, images, _labels):
    return len(torch.unique(torch.cat(_relu_outputs(network, images), dim=1).T, dim=0))


def _jacobian(network, images):
    images = images.clone().requires_grad_(True)
    outputs = network(images)
    outputs.backward(torch.ones_like(outputs))
    return images.grad.flatten(1).numpy()


def _jacov(network, images, _labels):
    values = np.linalg.eigvals(np.corrcoef(_jacobian(network, images))).real + 1e-5
    return float(-np.sum(np.log(values) + 1 / values))


def _epe_nas(network, images, labels):
    rows, total = _jacobian(network, images), 0.0
    for label in labels.unique().tolist():
        total += abs(np.log(np.abs(np.corrcoef(rows[labels.numpy() == label])) + 1e-5).sum())
    return float(total)


def _zen(network, images, _labels):
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight)
    first = torch.randn_like(images)
    second = first + 0.01 * torch.randn_like(images)
    with torch.no_grad():
        distance = (network[:-1](first) - network[:-1](second)).abs().sum(dim=(1, 2, 3)).mean().log()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return float(distance + sum(norm.running_var.mean().sqrt().log() for norm in norms))


def _synflow(network, images, _labels):
    network.double().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    for parameter in network.parameters():
        parameter.data.abs_()
    network(torch.ones_like(images[:1]).double()).sum().backward()
    weights = [weight for weight in network.parameters() if weight.grad is not None]
    return float(sum((weight.detach() * weight.grad).sum() for weight in weights))


def _l2_norm(network, _images, _labels):
    return float(sum(weight.detach().norm() for weight in network.parameters()))


def _params(network, _images, _labels):
    return sum(weight.numel() for weight in network.parameters())


PROXIES = {
    "epe_nas": _epe_nas,
    "grad_norm": _gradients(lambda weight: weight.grad.norm()),
    "jacov": _jacov,
    "l2_norm": _l2_norm,
    "naswot": _naswot,
    "params": _params,
    "plain": _gradients(lambda weight: (weight * weight.grad).sum()),
    "snip": _gradients(lambda weight: (weight * weight.grad).abs().sum()),
    "swap": _swap,
    "synflow": _synflow,
    "zen": _zen,
}


def scores(network, images, labels):
    """Return the scores of a network, one proxy after the other."""
    return {name: score(copy.deepcopy(network).train(), images, labels) for name, score in PROXIES.items()}
