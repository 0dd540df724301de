"""ProxylessNAS: binary gates, and gradients from two options per decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, final

import numpy as np
import torch
from torch import Tensor

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, AtLeast, Below, Count
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.architecture_parameters import sample_codes
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.reinforce import MovingBaseline, batch_accuracy, log_probability
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.supernets import Path, Sample
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@dataclass
class _State(TrainedLogits):
    baseline: MovingBaseline


@final
@dataclass(frozen=True)
class Proxylessnas(Method[_State]):
    """ProxylessNAS (Cai, Zhu and Han, ProxylessNAS: Direct Neural Architecture Search on Target Task, ICLR 2019).

    Every pass over training images computes one architecture: binary gates g, one of which is open per decision, with
    probability p (equation 2). On validation images, the logits a get the gradient of the gates (equation 4):
    dL/da_i = sum_j dL/dg_j p_j (delta_ij - p_i).

    Args:
        gradient: ``"two-paths"``: two options per decision are drawn without replacement, one of which is open, with
            the probabilities within the two. After the step, both logits are shifted so that the probabilities of all
            others are unchanged (section 3.2.1). ``"all-paths"``: all options are computed, as the published
            implementation does by default. ``"reinforce"``: accuracies of sampled architectures (equation 9).
        every: steps of the shared weights per step of the logits.
        warmup: share of the epochs in which the logits are not trained yet; at least the first epoch.
        samples: architectures per step with ``"reinforce"``.
        momentum: of the moving average of rewards that ``"reinforce"`` subtracts. The published implementation keeps
            only 0.01 of the old average.
        learning_rate: of the logits, with Adam (0, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.

    The defaults are those of the published implementation for ImageNet: 40 of 160 epochs are a warm-up. The paper's
    loss of the latency is left out. For numbers of channels, gates open masks; closed channels are 0, where ReLUs have
    no derivative, so gates see little of what more channels would do.
    """

    name: ClassVar[str] = "proxylessnas"
    aliases: ClassVar[tuple[str, ...]] = ("proxyless", "binary-gates")
    family: ClassVar[str] = "differentiable"
    reference: ClassVar[str] = "Cai et al., ProxylessNAS: Direct NAS on Target Task and Hardware, ICLR 2019"
    epochs: ClassVar[int] = 160

    gradient: Literal["two-paths", "all-paths", "reinforce"] = "two-paths"
    every: Count = 5
    warmup: Annotated[float, AtLeast(0), Below(1)] = 0.25
    samples: Count = 10
    momentum: Annotated[float, AtLeast(0), Below(1)] = 0.01
    learning_rate: Annotated[float, Above(0)] = 1e-3
    weight_decay: Annotated[float, AtLeast(0)] = 0.0
    initial_scale: Annotated[float, AtLeast(0)] = 1e-3

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes."""
        return 1.5

    def start(self, search: SearchContext) -> _State:
        """Return small random logits, their optimiser and an empty baseline."""
        logits = TrainedLogits.start(
            search,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            betas=(0.0, 0.999),
            initial_scale=self.initial_scale,
        )
        return _State(logits.alphas, logits.optimizer, MovingBaseline(self.momentum))

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Train one architecture; and in some steps, the logits."""
        codes = sample_codes(search.space, state.chances(), search.random, 1)[0]
        search.update_weights(train, [Path(codes.tolist())])
        warm = search.epoch >= max(1, round(self.warmup * search.epochs))
        if warm and (search.step + 1) % self.every == 0:
            search.supernet.train()
            if self.gradient == "reinforce":
                self._reinforce(search, state)
            else:
                self._train_gates(search, state)

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the most probable architecture."""
        return state.most_probable(search)

    def _train_gates(self, search: SearchContext, state: _State) -> None:
        if self.gradient == "two-paths":
            codes, used = sample_pairs(search.space, state.chances(), search.random)
        else:
            codes = sample_codes(search.space, state.chances(), search.random, 1)[0].tolist()
            used = [list(range(size)) for size in search.space.cardinalities]
        gates = [torch.eye(len(each), device=each.device)[code] for each, code in zip(state.logits, codes, strict=True)]
        for gate in gates:
            gate.requires_grad_()
        search.loss(search.valid_batch(), Sample(codes, gates, used=used)).backward(inputs=gates)
        before = [each.detach().clone() for each in state.logits]
        for logits, gate, some in zip(state.logits, gates, used, strict=True):
            logits.grad = gate_gradient(logits.detach(), gate.grad, some)
        state.optimizer.step()
        if self.gradient == "two-paths":
            keep_others(state.logits, before, used)

    def _reinforce(self, search: SearchContext, state: _State) -> None:
        batch, chances = search.valid_batch(), state.chances()
        drawn = sample_codes(search.space, chances, search.random, self.samples).tolist()
        rewards = [batch_accuracy(search, batch, codes) for codes in drawn]
        baseline = state.baseline.update(float(np.mean(rewards)))
        terms = [
            -(reward - baseline) * log_probability(state.logits, codes)
            for reward, codes in zip(rewards, drawn, strict=True)
        ]
        state.descend(sum(terms[1:], terms[0]) / self.samples)


def sample_pairs(
    space: Space, chances: Sequence[FloatArray], random: np.random.Generator
) -> tuple[list[int], list[list[int]]]:
    """Draw an architecture, and for every decision a second option that it is compared with.

    Returns:
        The codes; and per decision, the code and the other option. A decision with one option has no other.
    """
    joint = [pair_probabilities(each) for each in chances]
    codes = sample_codes(space, [each.sum(axis=1) for each in joint], random, 1)[0].tolist()
    used = [
        [code, int(random.choice(len(each), p=each[code] / each[code].sum()))] if len(each) > 1 else [code]
        for code, each in zip(codes, joint, strict=True)
    ]
    return codes, used


def pair_probabilities(chances: FloatArray) -> FloatArray:
    """Return how probable it is that one option (row) is open and compared with another (column).

    Two options are drawn one after the other, without replacement. Which of them is open has the probabilities within
    the two.

    Args:
        chances: probabilities of all options, shape (options,).

    >>> pair_probabilities(np.array([0.25, 0.75])).tolist()
    [[0.0, 0.25], [0.75, 0.0]]
    """
    if len(chances) == 1:
        return np.ones((1, 1))
    p = np.maximum(chances, 1e-12)  # two options can always be drawn
    p = p / p.sum()
    others = np.where(np.eye(len(p)) > 0, 0.0, p)  # also where p is close to 1, the others add up to more than 0
    second = others / others.sum(axis=1, keepdims=True)
    drawn = p[:, None] * second
    return (drawn + drawn.T) * p[:, None] / (p[:, None] + p)


def gate_gradient(logits: Tensor, gates: Tensor | None, used: Sequence[int]) -> Tensor:
    """Return the gradient of the logits of one decision from that of its gates (equation 4), shape (options,).

    Args:
        logits: of all options.
        gates: gradient of the loss to the gates; None for zeros.
        used: the computed options. The softmax is that of these, and others get no gradient.
    """
    found = torch.zeros_like(logits)
    if gates is not None:
        some = list(used)
        p, slopes = logits[some].softmax(dim=0), gates[some]
        found[some] = p * (slopes - p @ slopes)
    return found


@torch.no_grad()
def keep_others(logits: Sequence[Tensor], before: Sequence[Tensor], used: Sequence[Sequence[int]]) -> None:
    """Shift the used logits by one number per decision, so that the probabilities of all others are as before."""
    for each, old, some in zip(logits, before, used, strict=True):
        change = each[list(some)].logsumexp(dim=0) - old[list(some)].logsumexp(dim=0)
        each[list(some)] -= change
