"""The feature maps inside a network: of every layer, between its blocks, and the last one before the classifier."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from nasbench_lab.train.proxies.subject import NoScoreError

_WEIGHTED = (nn.Conv2d, nn.Linear)
_GLOBAL_POOLING = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def layers(network: nn.Module) -> list[nn.Module]:
    """Return the modules of a network that contain no others.

    >>> [type(layer).__name__ for layer in layers(nn.Sequential(nn.Sequential(nn.ReLU()), nn.Flatten()))]
    ['ReLU', 'Flatten']
    """
    return [module for module in network.modules() if not any(module.children())]


def blocks(network: nn.Module) -> list[nn.Module]:
    """Return the top-level parts of a network that compute something with weights: its stem, cells and reductions.

    A part is a child of the network. Children that are a single layer without the weights of a convolution, such as
    normalisation, activation and pooling, are no blocks.

    >>> parts = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 3))]
    >>> [type(block).__name__ for block in blocks(nn.Sequential(*parts))]
    ['Conv2d', 'Sequential']
    """
    return [child for child in network.children() if any(child.children()) or isinstance(child, _WEIGHTED)]


@contextlib.contextmanager
def watched(modules: list[nn.Module], see: Callable[[nn.Module, Tensor], None]) -> Iterator[None]:
    """Call a function with every module and its output after each of its calls, inside the block.

    >>> seen = []
    >>> layer = nn.ReLU()
    >>> with watched([layer], lambda module, output: seen.append(output.tolist())):
    ...     _ = layer(Tensor([-1.0, 1.0]))
    >>> seen
    [[0.0, 1.0]]
    """

    def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            see(module, output)

    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def last_feature_map(network: nn.Module, images: Tensor) -> Tensor:
    """Return the feature map that the classifier gets, before global pooling, shape (batch, channels, h, w).

    It is the last output of a module with four axes before the last convolution or linear layer is called, but not
    that of a global pooling. Where there is none, the classifier gets the images.

    Raises:
        NoScoreError: the network has no convolution or linear layer.

    >>> import torch
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> last_feature_map(network, torch.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 4, 6, 6])
    """
    newest, at_weights = images, []

    def before(_module: nn.Module, _inputs: Any) -> None:
        at_weights.append(newest)

    def after(module: nn.Module, output: Tensor) -> None:
        nonlocal newest
        if output.ndim == 4 and not isinstance(module, _GLOBAL_POOLING):
            newest = output

    weighted = [module for module in network.modules() if isinstance(module, _WEIGHTED)]
    handles = [module.register_forward_pre_hook(before) for module in weighted]
    try:
        with watched(list(network.modules()), after):
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    if not at_weights:
        raise NoScoreError("the network has no convolution or linear layer")
    return at_weights[-1]
