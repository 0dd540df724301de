"""A leaderboard: the standings of the strategies by place, with short displays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self, final

from nasbench_lab.displays import html_table

if TYPE_CHECKING:
    from nasbench_lab.analysis.studies.results import Standing

    Standings = tuple[Standing, ...]
else:
    Standings = tuple

_MOST_NAMED = 3


@final
class Leaderboard(Standings):
    """The rows of a leaderboard by place, see `Standing`: a tuple that shows itself in a notebook.

    Args:
        standings: the rows.
        reference: label of the strategy with which the others are compared.

    >>> Leaderboard([])
    <Leaderboard of 0 strategies>
    """

    reference: str

    def __new__(cls, standings: Iterable[Standing] = (), reference: str = "") -> Self:
        """Make the tuple, which cannot change afterwards."""
        made = super().__new__(cls, standings)
        made.reference = reference
        return made

    def __repr__(self) -> str:
        first = ", ".join(f"{row.place}. {row.strategy}" for row in self[:_MOST_NAMED])
        more = ", ..." if len(self) > _MOST_NAMED else ""
        return f"<Leaderboard of {len(self)} strategies{': ' if first else ''}{first}{more}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a row per strategy."""
        improvement = f"P(better than {self.reference})" if self.reference else "P(better than the reference)"
        rows = [[str(row.place), row.strategy, f"{row.rank:.2f}", str(row.iqm), str(row.improvement)] for row in self]
        return html_table(["", "strategy", "average rank", "normalised regret (iqm)", improvement], rows)
