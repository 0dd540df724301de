"""Samples of categorical distributions with Gumbel noise, and their relaxations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from nasbench_lab.arrays import FloatArray
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.architecture_parameters import sample_codes


def linear_temperature(first: float, last: float, epoch: int, epochs: int) -> float:
    """Return the temperature of an epoch, linear from the first epoch to the last one.

    Divided by ``epochs`` instead of ``epochs - 1``, as in some implementations, it would never reach the last value.

    Args:
        first: temperature of the first epoch.
        last: temperature of the last epoch.
        epoch: counted from 0.
        epochs: number of epochs. A single epoch has the first temperature.

    >>> [round(linear_temperature(10.0, 0.1, epoch, 4), 6) for epoch in range(4)]
    [10.0, 6.7, 3.4, 0.1]
    """
    done = epoch / max(epochs - 1, 1)
    return first * (1 - done) + last * done


def gumbel_noise(logits: Sequence[Tensor], random: Generator) -> list[FloatArray]:
    """Return independent noise with the standard Gumbel distribution for all options of all decisions."""
    return [random.gumbel(size=len(each)) for each in logits]


def relaxed(logits: Sequence[Tensor], noise: Sequence[FloatArray], temperature: float) -> list[Tensor]:
    """Return the relaxed samples: softmax((log p + noise) / temperature) for every decision, each of shape (options,).

    This is the concrete distribution (Maddison, Mnih and Teh, ICLR 2017, equation 10; Jang, Gu and Poole, ICLR 2017,
    equation 2), where p is the softmax of the logits. Gradients go to the logits.
    """
    return [
        ((each.log_softmax(dim=0) + torch.from_numpy(noisy).to(each)) / temperature).softmax(dim=0)
        for each, noisy in zip(logits, noise, strict=True)
    ]


def gumbel_codes(space: Space, logits: Sequence[Tensor], random: Generator) -> tuple[list[int], list[FloatArray]]:
    """Return an architecture that is drawn from the softmax of the logits, and the Gumbel noise that leads to it.

    The noise is such that the option with the largest log p + noise is the drawn one in every decision (the Gumbel-max
    trick). It could be drawn first, again and again until the options form an architecture. Instead, the architecture
    is drawn first, and then the noise given these maxima (Maddison, Tarlow and Minka, A* Sampling, NeurIPS 2014,
    section 2): both have the same distribution, and this one ends soon where most combinations are no architectures.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> logits = [torch.log(torch.tensor([0.1, 0.2, 0.3, 0.2, 0.2]))] * 6
    >>> codes, noise = gumbel_codes(TopologySpace(), logits, np.random.default_rng(0))
    >>> codes == [int((each.numpy() + noisy).argmax()) for each, noisy in zip(logits, noise)]
    True
    """
    probabilities = [each.detach().double().softmax(dim=0).cpu().numpy() for each in logits]
    codes = sample_codes(space, probabilities, random, 1)[0].tolist()
    noise = [_noise_given(code, each, random) for code, each in zip(codes, probabilities, strict=True)]
    return codes, noise


def _noise_given(code: int, probabilities: FloatArray, random: Generator) -> FloatArray:
    """Return Gumbel noise given that log p + noise is largest for an option.

    The largest value has the standard Gumbel distribution, which is -log E for an exponential E, and does not depend on
    the option. The other values are Gumbel variables that are not larger: -log(E + E_i / p_i).
    """
    largest, others = random.standard_exponential(), random.standard_exponential(len(probabilities))
    others[code] = 0.0
    tiny = np.finfo(np.float64).tiny  # no infinite noise, should an exponential be 0
    return -np.log(np.maximum(probabilities * largest + others, tiny))


def straight_through(codes: Sequence[int], soft: Sequence[Tensor]) -> list[Tensor]:
    """Return one-hot weights of options with the gradients of relaxed ones."""
    return [
        functional.one_hot(torch.tensor(code, device=each.device), len(each)).to(each) - each.detach() + each
        for code, each in zip(codes, soft, strict=True)
    ]
