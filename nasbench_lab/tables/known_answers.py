"""Numbers that publications state about their tables, so that a table can be checked against the world outside.

A checksum says that a file is the one somebody pinned; these say that it was read correctly: which architecture is the
best, and how good it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nasbench_lab.errors import first_line
from nasbench_lab.tables.table import Table, best


class VerificationResult(NamedTuple):
    """What was checked, whether it was right, and what was found."""

    what: str
    ok: bool
    found: str


@dataclasses.dataclass(frozen=True)
class KnownAnswer:
    """A number that a table must give.

    Attributes:
        what: the number, for people.
        expected: as published, with the digits that were.
        tolerance: how far a rounded publication may be off.
        answer: gets the number from a table.
        source: who states it.
    """

    what: str
    expected: float
    tolerance: float
    answer: Callable[[Table], float]
    source: str

    def check(self, table: Table) -> VerificationResult:
        """Compare a table with it."""
        try:
            found = self.answer(table)
        except LookupError as error:  # a table of that name without that metric
            return VerificationResult(self.what, False, first_line(error))
        right = abs(found - self.expected) <= self.tolerance  # False for NaN
        return VerificationResult(
            self.what, bool(right), f"{found:.10g}" + ("" if right else f", not {self.expected:.10g}")
        )


def check_known_answers(table: Table) -> list[VerificationResult]:
    """Compare a table with all that is known of the table of its name; nothing may be.

    >>> from nasbench_lab.testing import synthetic_table
    >>> check_known_answers(synthetic_table("chain"))
    []
    """
    return [answer.check(table) for answer in KNOWN_ANSWERS.get(table.name, ())]


def _best(split: str, expected: float, tolerance: float, source: str) -> KnownAnswer:
    """The best mean of a split at the highest fidelity."""
    return KnownAnswer(
        f"best mean {split} performance", expected, tolerance, lambda table: table.optimum(split), source
    )


def _best_index(split: str, expected: int, source: str) -> KnownAnswer:
    """The architecture that has it, the first where several do."""
    return KnownAnswer(f"architecture with the best mean {split} performance", expected, 0, _argbest(split), source)


def _argbest(split: str) -> Callable[[Table], float]:
    def find(table: Table) -> float:
        metric = table.description.split_metric(split)
        values = table.mean_values(metric.name)
        return float(np.argmax(values == best(values, metric)))

    return find


def _measured(metric: str, expected: int, source: str) -> KnownAnswer:
    """How many architectures have a metric at the highest fidelity."""
    return KnownAnswer(
        f"architectures with {metric}",
        expected,
        0,
        lambda table: float(np.count_nonzero(~np.isnan(table.mean_values(metric)))),
        source,
    )


def _trainings(metric: str, expected: int, source: str) -> KnownAnswer:
    """How many single trainings have a metric at the highest fidelity."""
    return KnownAnswer(
        f"trainings with {metric}",
        expected,
        0,
        lambda table: float(np.count_nonzero(~np.isnan(table.repeat_values(metric)))),
        source,
    )


_DONG = "Dong et al., NATS-Bench (2021), and the files of NAS-Bench-201"
_YING = "Ying et al., NAS-Bench-101 (ICML 2019), and code of its authors"
_BAKHTIARIFARD = "Bakhtiarifard et al., EC-NAS (ICASSP 2024)"
_TOPOLOGY = {"cifar10": (94.3733, 6111), "cifar100": (73.5133, 9930), "ImageNet16-120": (47.3111, 857)}

KNOWN_ANSWERS: dict[str, tuple[KnownAnswer, ...]] = {
    **{
        f"nats-bench-tss/{dataset}": (
            _best("test", accuracy, 5e-5, _DONG),
            _best_index("test", index, _DONG),
            _measured("test_accuracy", 15_625, _DONG),
        )
        for dataset, (accuracy, index) in _TOPOLOGY.items()
    },
    **{
        f"nas-bench-101/{name}": (
            _best("test", 1 - 0.056824247042338016, 1e-9, _YING),
            _best("valid", 1 - 0.04944576819737756, 1e-9, _YING),
            _measured("test_accuracy", 423_624, _YING),
        )
        for name in ("full", "only108")
    },
    "nas-bench-101/means": (
        _best("test", 1 - 0.056824247042338016, 1e-6, _YING),
        _measured("test_accuracy", 423_624, _YING),
    ),
    "ec-nas/4v9e": (_trainings("energy", 3 * 91, _BAKHTIARIFARD),),
    "ec-nas/5v9e": (_trainings("energy", 2_532, _BAKHTIARIFARD),),
    "nas-bench-macro/cifar10": (
        _best("test", 93.1267, 5e-5, "Su et al., NAS-Bench-Macro (CVPR 2021)"),
        _trainings("test_accuracy", 3 * 6_561, "Su et al., NAS-Bench-Macro (CVPR 2021)"),
    ),
    "nas-bench-graph/cora": (_best("test", 0.8313, 5e-5, "Qin et al., NAS-Bench-Graph (NeurIPS 2022)"),),
    "nas-bench-graph/arxiv": (_best("test", 0.7239, 5e-5, "Qin et al., NAS-Bench-Graph (NeurIPS 2022)"),),
}
"""What is known, by the name of the table."""
