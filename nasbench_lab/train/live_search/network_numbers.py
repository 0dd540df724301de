"""Numbers of networks that need no training: complexity, hardware costs and zero-cost scores."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.zero_cost_scores import wanted_score
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.tables.description import AXES, Metric
from nasbench_lab.train.build.assembly import METRICS
from nasbench_lab.train.complexity import multiply_additions, parameters
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.hardware_costs import measure_costs
from nasbench_lab.train.live_search.journal import Number, TrainingJournal
from nasbench_lab.train.live_search.network_keys import NetworkNames
from nasbench_lab.train.live_search.spec import LiveSpec
from nasbench_lab.train.proxies.architecture_scoring import score_architectures
from nasbench_lab.train.proxies.registry import list_proxies, make_proxy

UNTRAINED = ("parameters", "flops", "synflow")
"""The metrics that need no training where the user names none."""

_COMPLEXITY = ("parameters", "flops")
_SECONDS = "_seconds"

_COSTS = (
    *(metric for metric in METRICS if metric.name in _COMPLEXITY),
    Metric("latency", "none", "s", "minimize", "median seconds for one image, on this machine", AXES[:1]),
    Metric("latency_256", "none", "s", "minimize", "median seconds for 256 images, on this machine", AXES[:1]),
    Metric("peak_memory", "none", "bytes", "minimize", "largest number of bytes in tensors for 256 images", AXES[:1]),
)
_HARDWARE = {"latency": "latency_1", "latency_256": "latency_256", "peak_memory": "peak_memory"}


def untrained_metrics(names: Sequence[str]) -> tuple[Metric, ...]:
    """Return metrics that need no training. A zero-cost score has its seconds beside it.

    Args:
        names: of costs, and of proxies. Proxies that rank a set of networks have no score of one network.

    Raises:
        UnknownNameError: there is no such metric.

    >>> [metric.name for metric in untrained_metrics(["parameters", "synflow"])]
    ['parameters', 'synflow', 'synflow_seconds']
    """
    costs = {metric.name: metric for metric in _COSTS}
    found: list[Metric] = []
    for name in dict.fromkeys(names):
        if name in costs:
            found.append(costs[name])
            continue
        if name not in proxy_names():
            raise unknown("metric without training", name, (*costs, *proxy_names()))
        what = f"zero-cost score {name} of the network before training"
        found.append(Metric(name, "none", "", "maximize", what, AXES[:1]))
        found.append(Metric(f"{name}{_SECONDS}", "none", "s", "minimize", "seconds of one scoring", AXES[:1]))
    return tuple(found)


def proxy_names() -> tuple[str, ...]:
    """Return the names of the proxies that give one network a score.

    >>> "synflow" in proxy_names()
    True
    """
    return tuple(name for name in list_proxies() if name not in _COUNTS and not make_proxy(name).ranks_a_set)


_COUNTS = ("params", "flops")  # costs have these


@dataclasses.dataclass(frozen=True, eq=False)
class NetworkNumbers:
    """Numbers of networks, each computed once and kept in the journal.

    Attributes:
        spec: what is trained.
        dataset: the loaded data set.
        journal: where the numbers are kept.
        names: of the networks.
        device: name of the torch device on which costs and scores are measured.
    """

    spec: LiveSpec
    dataset: Dataset
    journal: TrainingJournal
    names: NetworkNames
    device: str = "cpu"
    _known: dict[tuple[str, str], Number] = dataclasses.field(default_factory=dict)

    def value(self, metric: str, architecture: int) -> float:
        """Return a number of an architecture; NaN if its network cannot be built or has no such score.

        Args:
            metric: name of a metric, see `untrained_metrics`.
            architecture: index.
        """
        if metric in _COMPLEXITY or metric in _HARDWARE:
            return self._number(metric, architecture).value
        if metric.endswith(_SECONDS):
            return max(self._number(metric.removesuffix(_SECONDS), architecture).seconds, 1e-6)
        return self._number(metric, architecture).value

    def _number(self, name: str, architecture: int) -> Number:
        # Layers that compute nothing count here, so architectures with equal networks can differ.
        key = f"{self.names.of(architecture).key}-{architecture}", name
        if key not in self._known:
            found = self.journal.number(*key)
            if found is None:
                self._measure(name, architecture, key[0])
                found = self.journal.number(*key)
            assert found is not None  # noqa: S101 - just recorded
            self._known[key] = found
        return self._known[key]

    def _measure(self, name: str, architecture: int, network: str) -> None:
        started = time.perf_counter()
        for each, value in self._measured(name, architecture).items():
            self.journal.record_number(network, each, Number(value[0], value[1] or time.perf_counter() - started))

    def _measured(self, name: str, architecture: int) -> dict[str, tuple[float, float]]:
        """Return numbers by name, each with its seconds (0 for those of the call)."""
        measure: Callable[[int], dict[str, tuple[float, float]]] = self._complexity
        if name in _HARDWARE:
            measure = self._hardware
        elif name not in _COMPLEXITY:
            return self._score(name, architecture)
        try:
            return measure(architecture)
        except (NasbenchLabError, RuntimeError, MemoryError):  # there is no such network for these images
            names = _HARDWARE if name in _HARDWARE else _COMPLEXITY
            return dict.fromkeys(names, (np.nan, 0.0))

    def _complexity(self, architecture: int) -> dict[str, tuple[float, float]]:
        network = self.spec.builder(architecture, self.dataset)(1)
        flops = multiply_additions(network, self.dataset.image)
        return {"parameters": (float(parameters(network)), 0.0), "flops": (float(flops), 0.0)}

    def _hardware(self, architecture: int) -> dict[str, tuple[float, float]]:
        network = self.spec.builder(architecture, self.dataset)(1)
        costs = measure_costs(network, self.dataset.image, device=self.device)
        return {name: (float(getattr(costs, field)), 0.0) for name, field in _HARDWARE.items()}

    def _score(self, name: str, architecture: int) -> dict[str, tuple[float, float]]:
        try:
            scores = score_architectures(
                self.spec.made_space,
                name,
                dataset=self.dataset,
                architectures=[architecture],
                seeds=self.spec.seeds[:1],
                batch=min(64, len(self.dataset.train)),
                device=self.device,
                options=dict(self.spec.network),
            )
        except (NasbenchLabError, RuntimeError, MemoryError):
            return {name: (np.nan, 0.0)}
        value, seconds = scores.values[name][0, 0], scores.seconds[name][0, 0]
        return {name: (float(value), float(np.nan_to_num(seconds)))}


def wanted_metrics(strategy: Strategy[Any], names: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics without training of a search: the usual ones, and those that it needs.

    Args:
        strategy: it may need a zero-cost score.
        names: of objectives and limits; those that are measured in training are left out.
    """
    trained = {metric.name for metric in METRICS if metric.axes != AXES[:1]}
    score = wanted_score(strategy)
    scores = [score] if "scores" in strategy.needs and score is not None else []
    return tuple(dict.fromkeys((*UNTRAINED, *scores, *(name for name in names if name not in trained))))
