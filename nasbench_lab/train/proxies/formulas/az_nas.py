"""AZ-NAS: four properties of a network's blocks, combined by their ranks over a set of networks (Lee and Ham 2024)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.complexity import multiply_additions
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.feature_maps import blocks, watched
from nasbench_lab.train.proxies.initial_weights import draw_normal
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject

_SMALL_SHARE, _SMALL_NORM = 1e-8, 1e-6


@final
@dataclass(frozen=True)
class AzNas(Proxy):
    """AZ-NAS: the sum of the logarithms of four ranks over a set of networks (Lee and Ham 2024).

    The blocks of a network are its stem, cells and reductions (`feature_maps.blocks`), ``f_1`` to ``f_L`` their
    outputs. Weights are drawn from the normal distribution of He et al., and the images are normally distributed.

    - Expressivity: the sum over blocks of the entropy of ``f``, that of the eigenvalues of the covariance between
      channels, divided by their sum.
    - Progressivity: the smallest increase of that entropy from one block to the next.
    - Trainability: the mean over blocks of ``2 - s - 1 / s``, highest for ``s = 1``. Here ``s`` is the spectral norm of
      a matrix of channels: the mean over pixels of the product of a random gradient of +1 and -1 at the output of a
      block with the gradient that follows from it at the input.
    - Complexity: the number of multiply-additions.

    The best of ``m`` networks has rank ``m`` and equal ones their mean rank; the score is the sum of ``log(rank / m)``.

    Traps: the score says nothing of one network; in another set it is another number. A network without one of the four
    has no score and is not in the set: a block of it passes nothing through, or everything unchanged, such as a cell
    with one skip connection. The authors give such networks the lowest rank. Their entropies are computed without the
    activation before the classifier, as it is no block.
    """

    name: ClassVar[str] = "az_nas"
    aliases: ClassVar[tuple[str, ...]] = ("aznas",)
    reference: ClassVar[str] = (
        "Lee and Ham, AZ-NAS: assembling zero-cost proxies for network architecture search, CVPR 2024"
    )
    needs: ClassVar[tuple[str, ...]] = ("gradients",)
    counts_unused_layers: ClassVar[bool] = True
    components: ClassVar[tuple[str, ...]] = ("expressivity", "progressivity", "trainability", "complexity")

    def measure(self, subject: ProxySubject) -> Mapping[str, float]:
        """Return the four properties."""
        network, generator = subject.network, subject.generator
        draw_normal(network, generator, kaiming=True)
        images = torch.empty_like(subject.images).normal_(generator=generator).requires_grad_(True)
        maps: list[Tensor] = []

        def see(_block: nn.Module, output: Tensor) -> None:
            if output.ndim == 4:
                maps.append(output)

        with watched(blocks(network), see):
            network(images)
        if len(maps) < 2:
            raise NoScoreError("the network has fewer than two blocks with feature maps")
        channels, height, width = images.shape[1:]
        entropies = np.array([entropy(each.detach()) for each in maps])
        slopes = [trainability(before, after, generator) for before, after in itertools.pairwise(maps)]
        return {
            "expressivity": float(entropies.sum()),
            "progressivity": float(np.diff(entropies).min()),
            "trainability": float(np.mean(slopes)),
            "complexity": float(multiply_additions(network, (channels, height, width))),
        }

    def combine(self, components: Mapping[str, FloatArray]) -> FloatArray:
        """Return the sum of the logarithms of the ranks."""
        return rank_sum(list(components.values()))


def rank_sum(values: Sequence[FloatArray]) -> FloatArray:
    """Return the sum over properties of the logarithm of the rank over the networks, divided by their number.

    >>> np.exp(rank_sum([np.array([1.0, 2.0, 2.0, 9.0])])).tolist()
    [0.25, 0.625, 0.625, 1.0]
    """
    from scipy.stats import rankdata

    return np.log(np.stack([rankdata(each) for each in values]) / len(values[0])).sum(axis=0)


def entropy(features: Tensor) -> float:
    """Return the entropy of the principal components of a feature map, shape (batch, channels, h, w).

    Raises:
        NoScoreError: no channel varies.
    """
    rows = features.permute(1, 0, 2, 3).flatten(1).double()
    rows = rows - rows.mean(dim=1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(rows @ rows.T / rows.shape[1]).clamp(min=0)
    total = eigenvalues.sum()
    if not total > 0:
        raise NoScoreError("the feature map of a block is constant")
    shares = eigenvalues / total
    return float(-(shares * torch.log(shares + _SMALL_SHARE)).sum())


def trainability(before: Tensor, after: Tensor, generator: torch.Generator) -> float:
    """Return how well a block keeps the size of gradients: 0 at best.

    Args:
        before: the block's input, shape (batch, channels, h, w), from which the output was computed.
        after: its output, with as many pixels or fewer.
        generator: of the random gradient.

    Raises:
        NoScoreError: the gradient at the input is zero, or is the one at the output.
    """
    signs = torch.randint(0, 2, after.shape, generator=generator, device=after.device).to(after.dtype) * 2 - 1
    (found,) = torch.autograd.grad(after, before, signs, allow_unused=True) if after.requires_grad else (None,)
    if found is None or not bool(found.any()):
        raise NoScoreError("a block passes no gradient through")
    if found.shape == signs.shape and torch.equal(found, signs):
        raise NoScoreError("a block passes its input through unchanged")
    outer = _channels_last(signs).T @ _channels_last(_with_pixels_of(found, signs))
    norm = float(torch.linalg.matrix_norm(outer.double() / (signs.numel() / signs.shape[1]), 2))
    return 2 - norm - 1 / (norm + _SMALL_NORM)


def _with_pixels_of(gradient: Tensor, output: Tensor) -> Tensor:
    """Move the pixels that become one pixel of the output into channels; those beyond the border have no gradient."""
    height, width = output.shape[2:]
    factor = max(-(-gradient.shape[2] // height), -(-gradient.shape[3] // width))
    padding = (0, factor * width - gradient.shape[3], 0, factor * height - gradient.shape[2])
    return functional.pixel_unshuffle(functional.pad(gradient, padding), factor)


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(0, 2)
