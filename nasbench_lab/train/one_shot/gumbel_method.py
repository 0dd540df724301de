"""What methods that train logits through Gumbel-softmax samples share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nasbench_lab.checks import Above, AtLeast, require
from nasbench_lab.train.one_shot.gumbel import linear_temperature
from nasbench_lab.train.one_shot.methods.base import Method
from nasbench_lab.train.one_shot.search_context import SearchContext
from nasbench_lab.train.one_shot.trained_logits import TrainedLogits


@dataclass(frozen=True)
class GumbelMethod(Method[TrainedLogits]):
    """Logits that Adam trains, with a temperature that is linear in the epoch.

    Args:
        first_temperature: in the first epoch.
        last_temperature: in the last epoch.
        learning_rate: of the logits, with Adam (0.5, 0.999).
        weight_decay: of the logits.
        initial_scale: standard deviation of the initial logits.
    """

    first_temperature: Annotated[float, Above(0)] = 10.0
    last_temperature: Annotated[float, Above(0)] = 0.1
    learning_rate: Annotated[float, Above(0)] = 3e-4
    weight_decay: Annotated[float, AtLeast(0)] = 1e-3
    initial_scale: Annotated[float, AtLeast(0)] = 1e-3

    def check(self) -> None:
        """Refuse temperatures that rise."""
        first, last = self.first_temperature, self.last_temperature
        require(last <= first, f"last_temperature must be at most first_temperature = {first:g}, got {last:g}")

    def start(self, search: SearchContext) -> TrainedLogits:
        """Return small random logits and their optimiser."""
        return TrainedLogits.start(
            search,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            initial_scale=self.initial_scale,
        )

    def recommend(self, search: SearchContext, state: TrainedLogits) -> int | None:
        """Return the most probable architecture."""
        return state.most_probable(search)

    def temperature(self, search: SearchContext) -> float:
        """Return the temperature of the present epoch."""
        return linear_temperature(self.first_temperature, self.last_temperature, search.epoch, search.epochs)
