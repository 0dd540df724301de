"""Several copies of an architecture as one network, so that they are trained side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

Build = Callable[[int], nn.Module]
"""Builds a network with a number of copies; its outputs have shape (batch, classes) or (batch, copies, classes)."""


def initialised(build: Build, seeds: Sequence[int]) -> nn.Module:
    """Return a network with one copy per seed; each copy starts like a network that is built alone from its seed.

    The initial weights are drawn on the CPU, whatever torch's default device is. Torch's random state is unchanged.

    Args:
        build: builds the network with a number of copies.
        seeds: of the initial weights, one per copy.

    >>> from nasbench_lab.train.networks import topology_network
    >>> stack = initialised(lambda copies: topology_network([0] * 6, channels=2, cells=1, copies=copies), [3, 4])
    >>> alone = initialised(lambda copies: topology_network([0] * 6, channels=2, cells=1, copies=copies), [4])
    >>> bool(torch.equal(stack[0][0].weight[2:], alone[0][0].weight))
    True
    """
    singles = []
    # Only the generator of the CPU is used; torch.manual_seed would also seed those of all GPUs.
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.default_generator.manual_seed(seed)
            singles.append(build(1))
        if len(seeds) == 1:
            return singles[0]
        stack = build(len(seeds))
    parameters = zip(stack.parameters(), *(single.parameters() for single in singles), strict=True)
    with torch.no_grad():
        for together, *alone in parameters:
            together.copy_(torch.cat(alone).view_as(together))
    return stack
