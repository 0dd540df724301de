"""What a check found."""

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
"""Verdicts that are regressions. "inconclusive" and "error" are no success either."""


@dataclasses.dataclass(frozen=True)
class CheckOutcome:
    """What a check found.

    Attributes:
        path: of the baseline file.
        strategy, table: their names.
        verdict: "identical" (every evaluation is as it was); "equivalent", "better", "worse" or "inconclusive" (by the
            runs' regrets); "different" (not identical, where only that counts); "broken" (see ``findings``); "created",
            "updated" or "unchanged" where the baseline was written anew; "error" (it could not be checked).
        findings: what is wrong, whatever the baseline says: clock, budget, observations, seeds.
        notes: what else there is to know, one line each.
        comparisons: of the statistical tier; empty where it was not needed.
        runs: how many runs were compared.
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
        """Whether it is neither a regression, nor inconclusive, nor an error."""
        return self.verdict not in FAILURES and self.verdict not in ("inconclusive", "error")

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data, which processes can send to each other."""
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, fields: Mapping[str, Any]) -> CheckOutcome:
        """Return what `to_plain` made plain."""
        comparisons = tuple(LossComparison(**comparison) for comparison in fields["comparisons"])
        texts = {name: tuple(fields[name]) for name in ("findings", "notes")}
        return cls(**{**fields, **texts, "comparisons": comparisons})
