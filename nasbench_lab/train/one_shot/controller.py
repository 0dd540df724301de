"""A recurrent network that writes the codes of architectures, one decision after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from nasbench_lab.spaces import Space


class Written(NamedTuple):
    """What a controller wrote.

    Attributes:
        codes: shape (count, decisions). Not all codes are those of an architecture in every space.
        log_probability: of the codes, in natural logarithm, shape (count,); with gradients.
        entropy: sum of the entropies of the decisions, given the codes before them, shape (count,); without gradients.
    """

    codes: NDArray[np.int64]
    log_probability: Tensor
    entropy: Tensor


class Controller(nn.Module):
    """The controller of ENAS (Pham et al., ICML 2018): an LSTM whose input is the embedding of the last option.

    The logits of a decision are ``tanh_constant * tanh(head(output) / temperature)``. Decisions with as many options
    share the embeddings and the head. All weights start uniform between -0.1 and 0.1.

    Args:
        space: the search space.
        random: draws the initial weights.
        units: of a layer.
        layers: of the LSTM.
        temperature: divides the logits before the hyperbolic tangent.
        tanh_constant: the largest absolute value of a logit.
        device: where the weights are.
    """

    def __init__(
        self,
        space: Space,
        random: Generator,
        *,
        units: int,
        layers: int,
        temperature: float,
        tanh_constant: float,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.cardinalities, self.temperature, self.tanh_constant = space.cardinalities, temperature, tanh_constant
        kinds = sorted(set(space.cardinalities))
        with torch.device("meta"):  # torch would draw initial weights from its global random numbers
            self.first_input = nn.Parameter(torch.empty(1, units))
            self.lstm = nn.LSTM(units, units, layers)
            self.embeddings = nn.ModuleDict({str(size): nn.Embedding(size, units) for size in kinds})
            self.heads = nn.ModuleDict({str(size): nn.Linear(units, size) for size in kinds})
        self.to_empty(device=device)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.from_numpy(random.uniform(-0.1, 0.1, tuple(weight.shape))))

    def sample(self, count: int, random: Generator) -> Written:
        """Write the codes of several architectures at random."""

        def drawn(log_probabilities: Tensor) -> Tensor:
            probabilities = log_probabilities.detach().double().exp().cpu().numpy()
            bounds = probabilities.cumsum(axis=1) / probabilities.sum(axis=1, keepdims=True)
            uniform = random.random((count, 1))
            return torch.from_numpy((bounds[:, :-1] <= uniform).sum(axis=1))

        return self._write(count, lambda _, log_probabilities: drawn(log_probabilities))

    def write(self, codes: NDArray[np.int64]) -> Written:
        """Write given codes, shape (count, decisions)."""
        given = torch.from_numpy(np.asarray(codes, dtype=np.int64))
        return self._write(len(given), lambda decision, _: given[:, decision])

    @torch.no_grad()
    def most_probable(self) -> NDArray[np.int64]:
        """Return the codes of the most probable option of every decision, given those before, shape (decisions,)."""
        return self._write(1, lambda _, log_probabilities: log_probabilities.argmax(dim=1)).codes[0]

    def _write(self, count: int, choose: Callable[[int, Tensor], Tensor]) -> Written:
        inputs, memory = self.first_input.expand(count, -1), None
        codes, log_probabilities, entropies = [], [], []
        for decision, size in enumerate(self.cardinalities):
            output, memory = self.lstm(inputs[None], memory)
            logits = self.tanh_constant * torch.tanh(self.heads[str(size)](output[0]) / self.temperature)
            given = logits.log_softmax(dim=1)
            chosen = choose(decision, given).to(given.device)
            codes.append(chosen.cpu().numpy())
            log_probabilities.append(given.gather(1, chosen[:, None])[:, 0])
            entropies.append(-(given.exp() * given).sum(dim=1).detach())
            inputs = self.embeddings[str(size)](chosen)
        return Written(np.stack(codes, axis=1), torch.stack(log_probabilities).sum(0), torch.stack(entropies).sum(0))
