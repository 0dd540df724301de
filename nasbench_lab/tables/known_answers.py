"""Numbers that publications state about their tables, to check that tables are read correctly.

A checksum proves that a file is the published one. Known answers prove that it was read correctly: for example, the
index of the best architecture, and its accuracy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nasbench_lab.messages import first_line
from nasbench_lab.tables.table import Table, best


class VerificationResult(NamedTuple):
    """The result of one check.

    Attributes:
        what: what was checked.
        ok: whether the check passed.
        found: what was found.
    """

    what: str
    ok: bool
    found: str


@dataclasses.dataclass(frozen=True)
class KnownAnswer:
    """A published number that a table must reproduce.

    Attributes:
        what: description of the number.
        expected: the published number, with the published digits.
        tolerance: largest allowed difference, for rounded numbers.
        answer: computes the number from a table.
        source: the publication that states it.
    """

    what: str
    expected: float
    tolerance: float
    answer: Callable[[Table], float]
    source: str

    def check(self, table: Table) -> VerificationResult:
        """Compare a table with the published number."""
        try:
            found = self.answer(table)
        except LookupError as error:  # the table has the name, but not the metric
            return VerificationResult(self.what, False, first_line(error))
        right = abs(found - self.expected) <= self.tolerance  # False for NaN
        return VerificationResult(
            self.what, bool(right), f"{found:.10g}" + ("" if right else f", not {self.expected:.10g}")
        )


def check_known_answers(table: Table) -> list[VerificationResult]:
    """Compare a table with the known answers for its name; an empty list if there are none.

    >>> from nasbench_lab.testing import synthetic_table
    >>> check_known_answers(synthetic_table("chain"))
    []
    """
    answers = KNOWN_ANSWERS.get(table.name) or ANSWERS_OF_IMPORTS.get(table.name, ())
    return [answer.check(table) for answer in answers]


def _best(split: str, expected: float, tolerance: float, source: str) -> KnownAnswer:
    """Return the known answer for the best mean of a split at the highest fidelity."""
    return KnownAnswer(
        f"best mean {split} performance", expected, tolerance, lambda table: table.optimum(split), source
    )


def _best_index(split: str, expected: int, source: str) -> KnownAnswer:
    """Return the known answer for the index of the architecture with the best mean; ties: the first."""
    return KnownAnswer(f"architecture with the best mean {split} performance", expected, 0, _argbest(split), source)


def _argbest(split: str) -> Callable[[Table], float]:
    def find(table: Table) -> float:
        metric = table.description.split_metric(split)
        values = table.mean_values(metric.name)
        return float(np.argmax(values == best(values, metric)))

    return find


def _measured(metric: str, expected: int, source: str) -> KnownAnswer:
    """Return the known answer for the number of architectures with a metric at the highest fidelity."""
    return KnownAnswer(
        f"architectures with {metric}",
        expected,
        0,
        lambda table: float(np.count_nonzero(~np.isnan(table.mean_values(metric)))),
        source,
    )


def _trainings(metric: str, expected: int, source: str) -> KnownAnswer:
    """Return the known answer for the number of trainings with a metric at the highest fidelity."""
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
_AHMAD = "Ahmad et al., Accel-NASBench (DAC 2024), and its files"
_TOPOLOGY = {"cifar10": (94.3733, 6111), "cifar100": (73.5133, 9930), "ImageNet16-120": (47.3111, 857)}

_KLYUCHNIKOV = "Klyuchnikov et al., NAS-Bench-NLP (IEEE Access 2022), and its files"
_KRISHNAKUMAR = "Krishnakumar et al., NAS-Bench-Suite-Zero (NeurIPS 2022), and its files"
_SUITE_ZERO = {
    ("topology", "svhn"): (96.75015367579445, 199),
    ("topology", "ninapro"): (93.17147130199196, 199),
    ("topology", "scifar100"): (36.50999869995117, 199),
    ("darts", "svhn"): (97.50691192195544, 199),
    ("darts", "ninapro"): (93.93019613402024, 199),
    ("darts", "scifar100"): (52.6, 199),
    ("micro", "svhn"): (96.46588813298746, 192),
    ("micro", "ninapro"): (94.0819423947602, 192),
    ("micro", "scifar100"): (37.53, 192),
}

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
    "nas-bench-nlp/wikitext-2": (
        _best("valid", 96.49292371695707, 1e-9, _KLYUCHNIKOV),
        _trainings("valid_perplexity", 341, _KLYUCHNIKOV),
    ),
    **{
        f"nas-bench-suite-zero-{space}/{dataset}": (
            _best("valid", accuracy, 1e-9, _KRISHNAKUMAR),
            _measured("valid_accuracy", count, _KRISHNAKUMAR),
        )
        for (space, dataset), (accuracy, count) in _SUITE_ZERO.items()
    },
    "nas-bench-graph/cora": (_best("test", 0.8313, 5e-5, "Qin et al., NAS-Bench-Graph (NeurIPS 2022)"),),
    "nas-bench-graph/arxiv": (_best("test", 0.7239, 5e-5, "Qin et al., NAS-Bench-Graph (NeurIPS 2022)"),),
}
"""Table name to its known answers."""

ANSWERS_OF_IMPORTS: dict[str, tuple[KnownAnswer, ...]] = {
    "accel-nasbench/imagenet": (
        _measured("valid_top1", 5_125, _AHMAD),
        _trainings("valid_top1", 5_138, _AHMAD),
    ),
}
"""The same for tables that are not in the catalogue, as users bring their files."""
