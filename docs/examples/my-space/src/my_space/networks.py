"""The networks of the space, for training (needs torch)."""

from collections.abc import Sequence

from torch import nn

from my_space.space import PerceptronSpace
from nasbench_lab.train.networks import Dense, LinearScores, NetworkFamily


class PerceptronNetworks(NetworkFamily[PerceptronSpace]):
    """Fully connected layers with ReLU, and a linear classifier."""

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build the network of an architecture."""
        channels, height, width = image
        inputs, layers = channels * height * width, []
        for units in self.space.widths(codes):
            layers += [Dense(inputs, units, copies=copies), nn.ReLU()]
            inputs = units
        return nn.Sequential(*layers, Dense(inputs, classes, copies=copies), LinearScores(copies))
