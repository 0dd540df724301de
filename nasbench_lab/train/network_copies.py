"""Several copies of an architecture as one network, so that they are trained side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

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
    buffers = zip(stack.buffers(), *(single.buffers() for single in singles), strict=True)
    with torch.no_grad():
        for together, *alone in (*parameters, *buffers):
            if together.numel() > alone[0].numel():  # not what all copies share, such as a number of batches
                together.copy_(torch.cat(alone).view_as(together))
    return stack


def weights_of_copies(network: nn.Module, build: Build, copies: int) -> list[dict[str, Tensor]]:
    """Return the weights of every copy in a network, as the state of a network that is built alone, on the CPU.

    Args:
        network: with this number of copies.
        build: built it.
        copies: how many networks side by side.

    >>> from nasbench_lab.train.networks import topology_network
    >>> def build(copies):
    ...     return topology_network([3] * 6, channels=2, cells=1, copies=copies)
    >>> _, second = weights_of_copies(initialised(build, [3, 4]), build, 2)
    >>> alone = initialised(build, [4]).state_dict()
    >>> all(torch.equal(second[name], value) for name, value in alone.items())
    True
    """
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in build(1).state_dict().items()}
    found: list[dict[str, Tensor]] = [{} for _ in range(copies)]
    for name, together in network.state_dict().items():
        # What has the shape that a network alone has, such as a number of batches, is shared.
        shared = copies > 1 and together.shape == shapes[name]
        parts = [together] * copies if shared else together.reshape(copies, *shapes[name])
        for weights, part in zip(found, parts, strict=True):
            # Copied, as a file would hold all of a tensor of which this is a part.
            weights[name] = part.detach().cpu().clone(memory_format=torch.contiguous_format)
    return found
