"""The outcome of a check of a baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal

from nasbench_lab.checks import one_of
from nasbench_lab.testing.baselines.loss_comparison import LossComparison

Verdict = Literal[
    "identical",
    "equivalent",
    "better",
    "likely better",
    "worse",
    "likely worse",
    "inconclusive",
    "different",
    "broken",
    "created",
    "updated",
    "unchanged",
    "error",
]

REGRESSIONS: frozenset[Verdict] = frozenset({"worse", "likely worse", "different", "broken"})
"""Verdicts that are regressions. Checks with the verdict "inconclusive" or "error" do not pass either."""

ALLOWABLE: tuple[Verdict, ...] = ("inconclusive", "likely worse")
"""Verdicts that fail a check unless its user allows them."""


@dataclasses.dataclass(frozen=True)
class CheckOutcome:
    """The outcome of a check.

    Attributes:
        path: path of the baseline file.
        strategy, table: names of the strategy and the table.
        verdict: "identical" (all evaluations are identical); "equivalent", "better", "likely better", "worse", "likely
            worse" or "inconclusive" (from the regrets of the runs, see `LossVerdict`); "different" (not identical, and
            the statistical tier is not used); "broken" (see ``findings``); "created", "updated" or "unchanged" if a
            baseline was written; "error" (the check failed).
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
        return self.passes()

    def passes(self, allowed: Collection[str] = ()) -> bool:
        """Return whether the check passes if some verdicts of `ALLOWABLE` are allowed."""
        return self.verdict in allowed or self.verdict not in REGRESSIONS | {"inconclusive", "error"}

    def to_plain(self) -> dict[str, Any]:
        """Return the outcome as plain data, which processes can send to each other."""
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, fields: Mapping[str, Any]) -> CheckOutcome:
        """Return the outcome from the result of `to_plain`."""
        comparisons = tuple(LossComparison(**comparison) for comparison in fields["comparisons"])
        texts = {name: tuple(fields[name]) for name in ("findings", "notes")}
        return cls(**{**fields, **texts, "comparisons": comparisons})


def check_allowed(allowed: Collection[str]) -> None:
    """Check verdicts that a user allows.

    Raises:
        ParameterError: a verdict can never be allowed.
    """
    for verdict in allowed:
        one_of("an allowed verdict", verdict, ALLOWABLE)
