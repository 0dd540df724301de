"""Which units of a network are active for which images: the binary codes that NASWOT and SWAP count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.subject import NoScoreError

RELUS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU)
"""Layers that are linear on both sides of zero. A unit of theirs is active for an image if its input is above zero."""

Patterns = list[NDArray[np.uint8]]
"""One array per call of a ReLU, shape (images / 8, units): every column packs the images for which a unit is active."""


def relu_patterns(network: nn.Module, batches: Sequence[Batch]) -> Patterns:
    """Return for which images of the first batch every unit of every ReLU is active.

    Only ReLUs that are layers are seen, not calls of ``torch.relu`` or ``torch.nn.functional.relu``.

    Raises:
        NoScoreError: no ReLU is called.

    >>> from torch import tensor
    >>> images = tensor([[1.0, -1.0], [2.0, 3.0], [0.0, 4.0]])
    >>> relu_patterns(nn.Sequential(nn.ReLU()), [Batch(images, tensor([0, 0, 1]))])  # bits 110 and 011
    [array([[192,  96]], dtype=uint8)]
    """
    found: Patterns = []

    def pack(_module: Any, inputs: tuple[Tensor, ...]) -> None:
        active = (inputs[0].detach().flatten(1) > 0).cpu().numpy()
        found.append(np.packbits(active, axis=0))

    for module in network.modules():
        if isinstance(module, RELUS):
            module.register_forward_pre_hook(pack)  # before the call, as a ReLU can change its input in place
    with torch.no_grad():
        network(batches[0].images)
    if not found:
        raise NoScoreError("the network calls no ReLU layer")
    return found


def agreements(patterns: Patterns, images: int) -> FloatArray:
    """Return for how many units every two images agree, shape (images, images); exact whole numbers.

    With codes of +1 and -1, the product of two codes is the number of agreements minus that of disagreements.

    >>> agreements([np.array([[192, 96]], dtype=np.uint8)], 3).tolist()  # codes 10, 11 and 01
    [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 2.0]]
    """
    total, units = np.zeros((images, images)), 0
    for packed in patterns:
        for start in range(0, packed.shape[1], _EXACT):
            bits = np.unpackbits(packed[:, start : start + _EXACT], axis=0, count=images)
            codes = bits.astype(np.float32) * 2 - 1
            total += codes @ codes.T
        units += packed.shape[1]
    return (units + total) / 2


_EXACT = 2**22
"""Units at a time: sums of so many ones are exact in single precision."""


def distinct_patterns(patterns: Patterns) -> int:
    """Return the number of distinct columns of all arrays together.

    >>> distinct_patterns([np.array([[192, 96, 192]], dtype=np.uint8), np.array([[96, 1]], dtype=np.uint8)])
    3
    """
    # Each layer alone first: it has far fewer patterns than units.
    ids = np.concatenate([_distinct(_words(packed)) for packed in patterns])
    return len(_distinct(ids))


def _words(packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the bits of every column as words of 64 bits, shape (columns, words)."""
    padded = np.zeros((packed.shape[1], -(-len(packed) // 8) * 8), np.uint8)
    padded[:, : len(packed)] = packed.T
    return padded.view(np.uint64)


def _distinct(rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the distinct rows, in any order."""
    if rows.shape[1] == 1:
        return np.unique(rows[:, 0])[:, None]
    ids = np.zeros(len(rows), np.uint64)  # of the distinct rows so far; one word more at a time
    first = np.arange(len(rows))
    for word in rows.T:
        _, inverse = np.unique(word, return_inverse=True)
        _, first, ids = np.unique(
            ids * np.uint64(len(rows)) + inverse.astype(np.uint64), return_index=True, return_inverse=True
        )
    return rows[first]
