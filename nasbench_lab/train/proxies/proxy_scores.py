"""The scores of proxies, with seconds and failures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.records import Records
from nasbench_lab.train.proxies.base import Proxy

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Failure:
    """A network without a score.

    Attributes:
        proxy: label of the proxy.
        architecture: index in the space, or position of a given network.
        seed: of the initial weights.
        reason: in one line.
    """

    proxy: str
    architecture: int
    seed: int
    reason: str


@dataclasses.dataclass(frozen=True, eq=False)
class ProxyScores:
    """The scores of networks. A network without a score has NaN.

    Attributes:
        proxies: by label.
        architectures: indices in the space, or positions of given networks, shape (architectures,).
        seeds: of the initial weights, shape (seeds,).
        values: scores by label of the proxy, each of shape (architectures, seeds); higher is better. Without
            dependence on the seed, all columns are equal.
        seconds: of one score, by label of the proxy, each of shape (architectures, seeds): what the proxy takes alone.
        components: by label of the proxy and name of the component, each of shape (architectures, seeds); for proxies
            that have several.
        failures: networks without a score; equal networks only once.
    """

    proxies: Mapping[str, Proxy]
    architectures: NDArray[np.int64]
    seeds: NDArray[np.int64]
    values: Mapping[str, FloatArray]
    seconds: Mapping[str, FloatArray]
    components: Mapping[str, Mapping[str, FloatArray]]
    failures: Sequence[Failure]

    def records(self) -> Records:
        """Return one row per architecture and seed, with the scores and their seconds as columns."""
        columns: dict[str, NDArray[np.generic]] = {
            "architecture": np.repeat(self.architectures, len(self.seeds)),
            "seed": np.tile(self.seeds, len(self.architectures)),
        }
        for label, values in self.values.items():
            columns[label] = values.ravel()
            columns[f"{label}_seconds"] = self.seconds[label].ravel()
        return Records(columns, {f"{label}_seconds": "s" for label in self.values})

    def to_frame(self) -> pd.DataFrame:
        """Return `records` as a pandas data frame."""
        return self.records().to_frame()

    def __repr__(self) -> str:
        missing = f", {len(self.failures)} without a score" if self.failures else ""
        counts = f"{len(self.architectures):,} architectures, {len(self.seeds)} seeds"
        return f"<ProxyScores: {', '.join(self.values)} of {counts}{missing}>"
