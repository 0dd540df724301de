"""Draws from Dirichlet distributions with gradients to the concentrations."""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor


def dirichlet_sample(concentration: Tensor, random: Generator) -> Tensor:
    """Return a draw from a Dirichlet distribution, shape (options,), with pathwise gradients.

    NumPy draws, so the same stream gives the same values on all devices, and torch's random state is not used. The
    gradients are those of ``torch.distributions.Dirichlet.rsample`` (Jankowiak and Obermeyer, Pathwise Derivatives
    Beyond the Reparameterization Trick, ICML 2018).

    Args:
        concentration: positive, shape (options,).
        random: draws.

    >>> import numpy as np
    >>> weights = dirichlet_sample(torch.ones(5, dtype=torch.float64), np.random.default_rng(0))
    >>> round(float(weights.sum()), 9)
    1.0
    """
    drawn = torch.from_numpy(random.dirichlet(concentration.detach().double().cpu().numpy())).to(concentration)
    sample: Tensor = _PathwiseDirichlet.apply(concentration, drawn.clamp_min(torch.finfo(drawn.dtype).tiny))
    return sample


class _PathwiseDirichlet(torch.autograd.Function):
    """A draw, as a function of the concentrations."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, drawn: Tensor) -> Tensor:
        ctx.save_for_backward(concentration, drawn)
        return drawn.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        concentration, drawn = ctx.saved_tensors
        (gradient,) = gradients
        total = concentration.sum(-1, keepdim=True).expand_as(concentration)
        derivative = torch._dirichlet_grad(drawn, concentration, total)  # torch has no public name for it
        return derivative * (gradient - (drawn * gradient).sum(-1, keepdim=True)), None
