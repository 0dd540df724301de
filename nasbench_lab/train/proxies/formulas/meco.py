"""MeCo: the smallest eigenvalue of the correlations between the channels of every layer (Jiang et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import AtLeast
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.feature_maps import layers, watched
from nasbench_lab.train.proxies.input_jacobian import correlations
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject


@final
@dataclass(frozen=True)
class Meco(Proxy):
    """MeCo: the sum over layers of the smallest eigenvalue of the correlations between channels (Jiang et al. 2023).

    One image of normally distributed noise passes the network. The output of a layer has one row of pixels per channel;
    the rows have a matrix of Pearson correlations, in which channels without variation have zeros.

    Traps: the eigenvalue is zero if there are as many channels as pixels or more, so the image is larger than those of
    small data sets. The sum depends on what counts as a layer, and so on how the network is written.

    Args:
        pixels: height and width of the image; 0 for those of the data set, which networks that need images of one size
            have to use.
        sampled: channels per layer, drawn at random; the eigenvalue counts as many times as there are channels per
            drawn one (MeCo_opt in the paper, with 8). 0 for all channels.
        nested: whether modules that contain others are layers too, as in the authors' code, which sees most feature
            maps several times.
    """

    name: ClassVar[str] = "meco"
    reference: ClassVar[str] = (
        "Jiang et al., MeCo: zero-shot NAS with one data and single forward pass via minimum eigenvalue of "
        "correlation, NeurIPS 2023"
    )
    needs: ClassVar[tuple[str, ...]] = ()
    counts_unused_layers: ClassVar[bool] = True

    pixels: Annotated[int, AtLeast(0)] = 64
    sampled: Annotated[int, AtLeast(0)] = 0
    nested: bool = False

    def measure(self, subject: ProxySubject) -> float:
        """Return the sum of the eigenvalues of all layers."""
        channels, height, width = subject.images.shape[1:]
        shape = (1, channels, self.pixels or height, self.pixels or width)
        image = torch.empty(shape, dtype=subject.images.dtype, device=subject.images.device)
        image.normal_(generator=subject.generator)
        maps: list[FloatArray] = []

        def see(_layer: nn.Module, output: Tensor) -> None:
            if output.ndim == 4:
                maps.append(output[0].flatten(1).double().cpu().numpy())

        network = subject.network
        modules = list(network.modules()) if self.nested else layers(network)
        with torch.no_grad(), watched(modules, see):
            self._pass(network, image)
        if not maps:
            raise NoScoreError("no layer has an output with channels and pixels")
        random = np.random.Generator(np.random.Philox(key=[subject.seed, 0]))
        return float(sum(self._of_layer(each, random) for each in maps))

    def _pass(self, network: nn.Module, image: Tensor) -> None:
        try:
            network(image)
        except RuntimeError as error:  # torch's error for shapes that do not fit
            if not self.pixels:
                raise
            size = f"{self.pixels}x{self.pixels}"
            raise NoScoreError(
                f"the network takes no images of {size} pixels; pixels=0 are those of the data set"
            ) from error

    def _of_layer(self, rows: FloatArray, random: np.random.Generator) -> float:
        if not 0 < self.sampled < len(rows):
            return smallest_eigenvalue(rows)
        drawn = random.choice(len(rows), self.sampled, replace=False)
        return smallest_eigenvalue(rows[drawn]) * len(rows) / self.sampled


def smallest_eigenvalue(rows: FloatArray) -> float:
    """Return the smallest eigenvalue of the correlations between rows, zero for constant rows.

    >>> round(smallest_eigenvalue(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])), 2)  # the correlation is -0.5
    0.5
    """
    return float(np.linalg.eigvalsh(np.nan_to_num(correlations(rows)))[0])
