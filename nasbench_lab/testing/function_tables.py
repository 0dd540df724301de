"""Tables whose numbers are a function of the codes: for tests and examples on any space, listed or not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces import Space
from nasbench_lab.streams import mix64
from nasbench_lab.tables.any_table import MEAN_REPEAT
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.description import Description, Kind, Metric

WordArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BITS = 24  # of a weight: sums over all codes are exact
_VALID, _TEST, _SECONDS, _PARAMETERS, _SCORE, _FAILURE, _EARLY = range(1, 8)


def function_table(
    space: Space | Mapping[str, Any],
    *,
    seed: int = 0,
    noise: float = 0.01,
    fidelities: tuple[int, ...] = (4, 12),
    repeats: int | None = 3,
    interactions: float = 0.5,
    failures: float = 0.0,
    resumable: bool = False,
    times: bool = True,
    direction: Literal["maximize", "minimize"] = "maximize",
    cheap: bool = True,
    kind: Kind = "function",
    name: str | None = None,
) -> ComputedTable:
    """Make a table that computes made-up accuracies from the codes of architectures, the same on every machine.

    The quality of an architecture is the mean of random weights of its choices and of its pairs of consecutive choices.
    Training longer brings its accuracy closer to its quality, and repeats differ by noise.

    Args:
        space: the search space, or its specification; it need not be listed.
        seed: seed of the weights.
        noise: standard deviation over repeats; the noise is at most three and a half times as large.
        fidelities: training epochs.
        repeats: number of repeats; None for repeats that are drawn without end.
        interactions: share of the pairs of choices in the quality. Without interactions and noise, the optimum is
            known where every combination of codes is an architecture.
        failures: fraction of the architectures whose trainings fail.
        resumable: whether trainings can be resumed.
        times: whether evaluations have seconds.
        direction: direction of the objective.
        cheap: whether the table says that its answers are cheap; otherwise it remembers them, as one that trains does.
        kind: the kind in the description.
        name: name of the table.

    >>> table = function_table({"name": "chain", "choices": "abcdefgh", "length": 10})
    >>> f"{table.space.size:,}", table.kind
    ('1,073,741,824', 'function')
    >>> sorted(table.query(10**9, epochs=4, repeat=2))
    ['energy', 'parameters', 'synflow', 'synflow_seconds', 'test_accuracy', 'train_seconds', 'valid_accuracy', \
'valid_seconds']
    """
    made = space if isinstance(space, Space) else spaces.make_space(space)
    static = ("architecture",)
    by_fidelity = ("architecture", "fidelity")
    description = Description(
        name=f"function/{made.name}" if name is None else name,
        title=f"a function of the codes of the space {made.name}",
        space=made.spec(),
        fidelities=fidelities,
        repeats=("draws",) if repeats is None else tuple(map(str, range(repeats))),
        metrics=(
            Metric("valid_accuracy", "valid", "fraction", direction, "made up"),
            Metric("test_accuracy", "test", "fraction", direction, "made up"),
            Metric("train_seconds", "none", "s", "minimize", "made up", by_fidelity),
            Metric("energy", "none", "J", "minimize", "made up", by_fidelity),
            Metric("valid_seconds", "none", "s", "minimize", "made up", static),
            Metric("parameters", "none", "millions", "minimize", "made up", static),
            Metric("synflow", "none", "", "maximize", "made up: the quality and much noise", static),
            Metric("synflow_seconds", "none", "s", "minimize", "made up", static),
        ),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds", "valid_seconds") if times else (),
        resumable=resumable,
        licence="CC0-1.0",
        kind=kind,
    )
    return FunctionTable(description, made, seed, noise, interactions, failures, cheap)


@final
class FunctionTable(ComputedTable):
    """See `function_table`."""

    def __init__(
        self,
        description: Description,
        space: Space,
        seed: int,
        noise: float,
        interactions: float,
        failures: float,
        cheap: bool,
    ) -> None:
        self.is_cheap = cheap
        self.unlimited_repeats = description.repeats == ("draws",)
        self._seed, self._noise, self._failures = seed, noise, failures
        self._interactions = interactions
        text = f"{seed} {noise} {interactions} {failures} {description.to_json()}"
        super().__init__(description, space=space, checksum=hashlib.sha256(text.encode()).hexdigest())

    def measure(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> dict[str, FloatArray]:
        """Compute all metrics that have fidelities or repeats."""
        quality = self._quality(architecture)
        longest = self.fidelities[-1]
        level = 0.3 + 0.4 * quality + 0.2 * (epochs / longest)
        level -= 0.02 * self._uniform(_EARLY, architecture, epochs) * (epochs < longest)
        valid = level + self._noise_of(_VALID, architecture, epochs, repeat)
        test = level + self._noise_of(_TEST, architecture, epochs, repeat)
        if self.objective.direction == "minimize":
            valid, test = 1 - valid, 1 - test
        valid[self._uniform(_FAILURE, architecture) < self._failures] = np.nan
        seconds = self._seconds(architecture) * epochs
        return {"valid_accuracy": valid, "test_accuracy": test, "train_seconds": seconds, "energy": 3.0 * seconds}

    def measure_untrained(self, architecture: IntArray, metrics: Any) -> dict[str, FloatArray]:
        """Compute the metrics that need no training."""
        score, seconds = self._uniform(_SCORE, architecture), self._seconds(architecture)
        found = {
            "valid_seconds": 0.1 * seconds,
            "parameters": 0.5 + self._uniform(_PARAMETERS, architecture),
            "synflow": self._quality(architecture) + 0.3 * score,
            "synflow_seconds": 0.01 * seconds,
        }
        return {name: found[name] for name in metrics}

    def known_optimum(self, split: str) -> float:
        """Return the best mean where choices add up, there is no noise in it, and all combinations exist."""
        unknown = super().known_optimum(split)
        noisy = self._noise > 0 and not self.unlimited_repeats
        cardinalities = self.space.cardinalities
        if noisy or self._interactions or self._failures or math.prod(cardinalities) != self.space.size:
            return unknown
        best = sum(int(self._weights(p, np.arange(n)).max()) for p, n in enumerate(cardinalities))
        quality = best / len(cardinalities) * 2.0**-_BITS
        level = 0.3 + 0.4 * quality + 0.2
        return 1 - level if self.objective.direction == "minimize" else level

    def _quality(self, architecture: IntArray) -> FloatArray:
        codes = self.space.codes(architecture).astype(np.int64)
        length = codes.shape[-1]
        total = np.zeros(len(codes), dtype=np.int64)
        for place in range(length):
            total += self._weights(place, codes[:, place])
        quality = total / length * 2.0**-_BITS
        if not self._interactions:
            return quality
        pairs = np.zeros(len(codes), dtype=np.int64)
        for place in range(length):
            both = codes[:, place] * 1024 + codes[:, (place + 1) % length]
            pairs += self._weights(length + place, both)
        return (1 - self._interactions) * quality + self._interactions * (pairs / length * 2.0**-_BITS)

    def _weights(self, place: int, codes: IntArray) -> IntArray:
        """Return the weights of choices at a place, whole numbers below 2**24."""
        word = _mixed(place + 2**32 * (self._seed % 2**31))
        return (_mixed(word + codes.astype(np.uint64)) >> np.uint64(64 - _BITS)).astype(np.int64)

    def _seconds(self, architecture: IntArray) -> FloatArray:
        return 1.0 + self._uniform(_SECONDS, architecture)

    def _uniform(self, what: int, *numbers: NDArray[Any]) -> FloatArray:
        return (self._words(what, *numbers) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def _noise_of(self, what: int, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> FloatArray:
        """Return noise that is nearly normal and bounded: the sum of four uniforms, standardised; 0 for the mean."""
        words = self._words(what, architecture, epochs, repeat)
        parts = [(words >> np.uint64(16 * part)) & np.uint64(0xFFFF) for part in range(4)]
        total = np.sum([part.astype(np.int64) for part in parts], axis=0)
        noise = self._noise * math.sqrt(3.0) * (total * 2.0**-16 - 2.0)
        return np.where(repeat == MEAN_REPEAT, 0.0, noise)

    def _words(self, what: int, *numbers: NDArray[Any]) -> WordArray:
        word = _mixed(what + 2**32 * (self._seed % 2**31))
        for each in numbers:
            word = _mixed(word + each.astype(np.int64).view(np.uint64))
        return word


def _mixed(words: Any) -> WordArray:
    """Return random-looking words, as SplitMix64 makes them of consecutive ones."""
    with np.errstate(over="ignore"):
        return mix64(np.atleast_1d(np.asarray(words, dtype=np.uint64)) * _GOLDEN + _GOLDEN)
