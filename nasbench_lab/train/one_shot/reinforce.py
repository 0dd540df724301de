"""REINFORCE: gradients of expected rewards from sampled architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path


@dataclass
class MovingBaseline:
    """An exponential moving average of rewards, without the bias of its start at 0.

    Attributes:
        momentum: share of the old average that a new reward leaves.
        total: average of the rewards, and of zeros before the first one.
        weight: what the rewards weigh in it.

    >>> baseline = MovingBaseline(0.95)
    >>> [round(baseline.update(reward), 3) for reward in (1.0, 0.0)]
    [1.0, 0.487]
    """

    momentum: float
    total: float = 0.0
    weight: float = 0.0

    def update(self, reward: float) -> float:
        """Take a reward in, and return the average."""
        self.total = self.momentum * self.total + (1 - self.momentum) * reward
        self.weight = self.momentum * self.weight + (1 - self.momentum)
        return self.total / self.weight

    def state_dict(self) -> dict[str, float]:
        """Return the sums."""
        return {"total": self.total, "weight": self.weight}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Restore the sums."""
        self.total, self.weight = state["total"], state["weight"]


def log_probability(logits: Sequence[Tensor], codes: Sequence[int]) -> Tensor:
    """Return the logarithm of the probability of an architecture under the softmax of the logits, a number.

    >>> round(float(log_probability([torch.zeros(2), torch.zeros(4)], [0, 3]).exp()), 6)
    0.125
    """
    terms = [each.log_softmax(dim=0)[code] for each, code in zip(logits, codes, strict=True)]
    return sum(terms[1:], terms[0])


@torch.no_grad()
def batch_accuracy(search: SearchContext, batch: Batch, codes: Sequence[int]) -> float:
    """Return the share of images of a batch that an architecture classifies rightly, normalised as in training."""
    search.supernet.train()
    scores = search.scores_of(batch.images, Path(codes))
    return float((scores.argmax(dim=1) == batch.labels).float().mean())
