"""ENAS: a recurrent controller that learns by REINFORCE which paths score well with the shared weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasbench_lab.checks import Count, NonNegative, Positive, Probability
from nasbench_lab.spaces import Space
from nasbench_lab.train.one_shot.controller import Controller, Written
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext
from nasbench_lab.train.one_shot.shared_weight_search import KnownScores, score_new
from nasbench_lab.train.one_shot.supernets import Path


@dataclass(kw_only=True)
class _State(KnownScores):
    controller: Controller
    optimizer: torch.optim.Optimizer
    baseline: float = math.nan
    updated: int = 0


@final
@dataclass(frozen=True)
class Enas(Method[_State]):
    """ENAS (Pham, Guan, Zoph, Le and Dean, ICML 2018).

    Training alternates (section 2.2). The shared weights are trained along paths that the controller samples, one per
    step. Then the controller is updated with Adam along the REINFORCE gradient, the mean over ``aggregate`` samples of
    ``(R - b) * grad log p``. The reward R is the accuracy, 0 to 1, on one batch of validation images, plus
    ``entropy_weight`` times the entropy of the sample, which counts as a constant, as in the original implementation.
    The baseline b is the moving average of the rewards before; so the gradient is unbiased. At the end, architectures
    are sampled, and the one with the best accuracy on all validation images is chosen. Before that, the method names
    the architecture of the most probable decisions.

    The defaults are those of NAS-Bench-201 (AutoDL-Projects, `exps/algos/ENAS.py`): after every epoch of 391 training
    steps, 50 updates from 20 samples each. Epochs can be much shorter here, so updates are counted per training step;
    at the end of an epoch, those that are due are made. In NAS-Bench-201, the baseline changes between epochs only.

    Where codes are no architecture, as in the cells of NAS-Bench-101, the reward for accuracy is 0, and paths are
    sampled again.

    Args:
        updates: number of updates of the controller per ``per_steps`` training steps.
        per_steps: see ``updates``.
        aggregate: number of samples per update.
        samples: number of architectures that the final choice is made from.
        learning_rate: of the controller.
        epsilon: of Adam.
        clip: largest norm of the gradient of the controller.
        baseline_decay: weight of the old baseline when a reward is added to it.
        entropy_weight: of the entropy in the reward.
        tanh_constant: the largest absolute value of a logit.
        temperature: divides the logits before the hyperbolic tangent.
        units: of a layer of the LSTM.
        layers: of the LSTM.
    """

    name: ClassVar[str] = "enas"
    aliases: ClassVar[tuple[str, ...]] = ("efficient-nas",)
    family: ClassVar[str] = "controller"
    reference: ClassVar[str] = "Pham et al., Efficient Neural Architecture Search via Parameter Sharing, ICML 2018"
    epochs: ClassVar[int] = 300

    updates: Count = 50
    per_steps: Count = 391
    aggregate: Count = 20
    samples: Count = 100
    learning_rate: Positive = 1e-3
    epsilon: Positive = 1e-3
    clip: Positive = 5.0
    baseline_decay: Probability = 0.99
    entropy_weight: NonNegative = 1e-4
    tanh_constant: Positive = 2.5
    temperature: Positive = 5.0
    units: Count = 32
    layers: Count = 2

    def passes(self, space: Space) -> float:
        """Return about how many passes of one path a step takes, with the updates of the controller."""
        return 4.0

    def start(self, search: SearchContext) -> _State:
        """Return a controller with random weights, and its optimiser."""
        controller = Controller(
            search.space,
            search.random,
            units=self.units,
            layers=self.layers,
            temperature=self.temperature,
            tanh_constant=self.tanh_constant,
            device=search.device,
        )
        optimizer = torch.optim.Adam(
            controller.parameters(), lr=self.learning_rate, betas=(0.0, 0.999), eps=self.epsilon
        )
        return _State(controller=controller, optimizer=optimizer)

    def step(self, search: SearchContext, state: _State, train: Batch) -> None:
        """Train one path that the controller samples."""
        (architecture,) = _sampled(search, state.controller, 1)
        search.update_weights(train, [Path(search.space.codes(architecture).tolist())])

    def end_epoch(self, search: SearchContext, state: _State) -> None:
        """Make the updates of the controller that are due."""
        due = self.updates * search.step // self.per_steps
        while state.updated < due:
            written = state.controller.sample(self.aggregate, search.random)
            loss = self.loss(state, written, self._rewards(search, written))
            state.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(state.controller.parameters(), self.clip)
            state.optimizer.step()
            state.updated += 1

    def finish(self, search: SearchContext, state: _State) -> None:
        """Choose the best of sampled architectures."""
        score_new(search, self, state, _sampled(search, state.controller, self.samples))
        state.choose_best()

    def recommend(self, search: SearchContext, state: _State) -> int | None:
        """Return the chosen architecture; before the choice, that of the most probable decisions if it is one."""
        if state.recommended is not None:
            return state.recommended
        found = int(search.space.find(state.controller.most_probable()))
        return None if found < 0 else found

    def loss(self, state: _State, written: Written, rewards: NDArray[np.float64]) -> Tensor:
        """Return the loss whose gradient is the negative of that of REINFORCE, and add the rewards to the baseline.

        Every reward is compared with the baseline before it. The very first one only starts the baseline.
        """
        advantages = np.zeros(len(rewards))
        for place, reward in enumerate(rewards.tolist()):
            if math.isnan(state.baseline):
                state.baseline = reward
            advantages[place] = reward - state.baseline
            state.baseline = self.baseline_decay * state.baseline + (1 - self.baseline_decay) * reward
        return -(written.log_probability * torch.from_numpy(advantages).to(written.log_probability)).mean()

    def _rewards(self, search: SearchContext, written: Written) -> NDArray[np.float64]:
        rewards = self.entropy_weight * written.entropy.double().cpu().numpy()
        for place, architecture in enumerate(search.space.find(written.codes).tolist()):
            batch = search.valid_batch()
            if architecture >= 0:
                codes = search.space.codes(architecture).tolist()
                rewards[place] += search.accuracy(batch, Path(codes)) / 100
        return rewards


@torch.no_grad()
def _sampled(search: SearchContext, controller: Controller, count: int) -> list[int]:
    """Return architectures that the controller samples."""
    found: list[int] = []
    while len(found) < count:
        drawn = search.space.find(controller.sample(count, search.random).codes)
        found += [each for each in drawn.tolist() if each >= 0]
    return found[:count]
