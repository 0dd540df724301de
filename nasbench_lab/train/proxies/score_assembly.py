"""From measurements of single networks to scores of a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.measuring import Measurement
from nasbench_lab.train.proxies.proxy_scores import Failure, ProxyScores

Measurements = dict[str, dict[tuple[int, int], Measurement]]
"""Measurements by label of the proxy, and by architecture and seed."""


def assembled(
    proxies: Sequence[Proxy],
    architectures: NDArray[np.int64],
    seeds: Sequence[int],
    measured: Measurements,
    stand_ins: Mapping[str, NDArray[np.int64]],
) -> ProxyScores:
    """Return the scores of architectures.

    Args:
        proxies: what was measured.
        architectures: indices, shape (architectures,).
        seeds: of the initial weights.
        measured: measurements of every architecture that stands for others, for every seed.
        stand_ins: by label of the proxy, which architecture was measured for each, shape (architectures,).
    """
    values: dict[str, FloatArray] = {}
    seconds: dict[str, FloatArray] = {}
    components: dict[str, dict[str, FloatArray]] = {}
    failures: list[Failure] = []
    for proxy in proxies:
        label, found = proxy.label, measured[proxy.label]
        distinct, place = np.unique(stand_ins[label], return_inverse=True)
        shape = len(distinct), len(seeds)
        rows = [found[index, seed] for index in distinct.tolist() for seed in seeds]
        parts = np.array([each.values for each in rows], dtype=np.float64).reshape(*shape, -1)
        values[label] = np.stack([_combined(proxy, parts[:, column]) for column in range(shape[1])], axis=1)[place]
        seconds[label] = np.array([each.seconds for each in rows]).reshape(shape)[place]
        if proxy.components:
            components[label] = {name: parts[place, :, i] for i, name in enumerate(proxy.components)}
        for (index, seed), each in sorted(found.items()):
            if each.failure and index in distinct and seed in seeds:
                failures.append(Failure(label, index, seed, each.failure))
    by_label = {proxy.label: proxy for proxy in proxies}
    return ProxyScores(by_label, architectures, np.array(seeds), values, seconds, components, failures)


def _combined(proxy: Proxy, parts: FloatArray) -> FloatArray:
    """Return the scores of networks from their components, shape (networks, components)."""
    scores = np.full(len(parts), np.nan)
    if not proxy.components:
        return np.asarray(parts[:, 0])
    known = np.isfinite(parts).all(axis=1)
    if known.any():
        columns = {name: parts[known, i] for i, name in enumerate(proxy.components)}
        found = np.asarray(proxy.combine(columns), dtype=np.float64)
        if found.shape != (int(known.sum()),):
            raise ParameterError(f"combine of proxy {proxy.label!r} must return one score per network")
        scores[known] = found
    return scores
