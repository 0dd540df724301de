"""The answers of a table that is not cheap, so that nothing is measured twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.tables.any_table import MEAN_REPEAT

NewAnswers = list[tuple[tuple[int, int, int], tuple[float, ...]]]
"""Requests (architecture, epochs, repeat) with the metrics of their answers."""

Ask = Callable[[IntArray, IntArray, IntArray], dict[str, FloatArray]]


@final
class RememberedAnswers:
    """Answers by architecture, epochs and repeat.

    Args:
        names: the metrics of an answer, in order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._rows: dict[tuple[int, int], dict[int, tuple[float, ...]]] = {}
        self._new: NewAnswers = []

    def answers(self, architecture: IntArray, epochs: IntArray, repeat: IntArray, ask: Ask) -> dict[str, FloatArray]:
        """Return the answers to requests, shape (n,) each. All that are not known are asked together, each once."""
        requests = list(zip(architecture.tolist(), epochs.tolist(), repeat.tolist(), strict=True))
        new = list(dict.fromkeys(request for request in requests if not self._knows(request)))
        if new:
            columns = ask(*np.array(new, dtype=np.int64).T.copy())
            for request, row in zip(new, zip(*(columns[n].tolist() for n in self._names), strict=True), strict=True):
                self._rows.setdefault(request[:2], {})[request[2]] = row
                self._new.append((request, row))
        rows = np.array([self._rows[where, at][which] for where, at, which in requests]).reshape(len(requests), -1)
        return {name: rows[:, place].copy() for place, name in enumerate(self._names)}

    def known(self, architecture: IntArray, epochs: int, repeat: NDArray[np.integer]) -> FloatArray:
        """Return the known answers, shape (n, metrics); NaN where nothing is known. Repeat -1 is the mean."""
        found = self.means(architecture, epochs)
        for place, (index, number) in enumerate(zip(architecture.tolist(), repeat.tolist(), strict=True)):
            if number != MEAN_REPEAT:
                found[place] = self._rows.get((index, epochs), {}).get(number, np.nan)
        return found

    def means(self, architecture: IntArray, epochs: int) -> FloatArray:
        """Return the means over the known repeats, shape (architectures, metrics); NaN where nothing is known."""
        found = np.full((len(architecture), len(self._names)), np.nan)
        for place, index in enumerate(architecture.tolist()):
            known = self._rows.get((index, epochs))
            if known:
                # In the order of the repeats, so that the sum does not depend on the order of the measurements.
                rows = np.array([known[repeat] for repeat in sorted(known)])
                present = ~np.isnan(rows)
                with np.errstate(invalid="ignore"):
                    found[place] = np.where(present, rows, 0.0).sum(axis=0) / present.sum(axis=0)
        return found

    def new(self) -> NewAnswers:
        """Return the answers since the last call."""
        new, self._new = self._new, []
        return new

    def add(self, answers: NewAnswers) -> None:
        """Remember answers that were measured elsewhere."""
        for request, row in answers:
            self._rows.setdefault(request[:2], {}).setdefault(request[2], row)

    def _knows(self, request: tuple[int, int, int]) -> bool:
        return request[2] in self._rows.get(request[:2], ())
