"""The outcome of a check of a baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from nasbench_lab.testing.baselines.loss_comparison import LossComparison

Verdict = Literal[
    "identical",
    "equivalent",
    "better",
    "worse",
    "inconclusive",
    "different",
    "broken",
    "created",
    "updated",
    "unchanged",
    "error",
]

FAILURES: frozenset[Verdict] = frozenset({"worse", "different", "broken"})
"""Verdicts that are regressions. Checks with the verdict "inconclusive" or "error" do not pass either."""


@dataclasses.dataclass(frozen=True)
class CheckOutcome:
    """The outcome of a check.

    Attributes:
        path: path of the baseline file.
        strategy, table: names of the strategy and the table.
        verdict: "identical" (all evaluations are identical); "equivalent", "better", "worse" or "inconclusive" (from
            the regrets of the runs); "different" (not identical, and the statistical tier is not used); "broken" (see
            ``findings``); "created", "updated" or "unchanged" if a baseline was written; "error" (the check failed).
        findings: errors in the clock, the budget, the observations or the seeds, one line each.
        notes: further information, one line each.
        comparisons: results of the statistical tier; empty if it was not needed.
        runs: number of compared runs.
    """

    path: str
    strategy: str
    table: str
    verdict: Verdict
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    comparisons: tuple[LossComparison, ...] = ()
    runs: int = 0

    @property
    def passed(self) -> bool:
        """Whether the verdict is not a regression, not inconclusive and not an error."""
        return self.verdict not in FAILURES and self.verdict not in ("inconclusive", "error")

    def to_plain(self) -> dict[str, Any]:
        """Return the outcome as plain data, which processes can send to each other."""
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, fields: Mapping[str, Any]) -> CheckOutcome:
        """Return the outcome from the result of `to_plain`."""
        comparisons = tuple(LossComparison(**comparison) for comparison in fields["comparisons"])
        texts = {name: tuple(fields[name]) for name in ("findings", "notes")}
        return cls(**{**fields, **texts, "comparisons": comparisons})
