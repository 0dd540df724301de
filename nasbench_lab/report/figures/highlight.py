"""How the strategies of a figure look: each in its own colour, or some highlighted and the others grey."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.messages import unknown
from nasbench_lab.report.incumbent_words import marked_labels
from nasbench_lab.report.looks import GREY, line_look, point_look
from nasbench_lab.simulation.trace import RegretKind

Highlight = str | Sequence[str] | None
"""Names of strategies that a figure highlights, as in legends or without parameters; None highlights none."""

_THIN = 0.65  # width of a grey line, as a share of the others
_GREY_TEXT = "#757575"  # contrast of 4.6 : 1 with white


@dataclass(frozen=True)
class Looks:
    """The looks of the strategies of a figure, in the order of the study.

    Attributes:
        labels: their names in the figure.
        shown: which of them have their own look; the others are grey. All, unless some are highlighted.
        numbers: their positions in the whole study, which their looks follow.
        total: number of strategies in the whole study.
    """

    labels: tuple[str, ...]
    shown: tuple[bool, ...]
    numbers: tuple[int, ...]
    total: int

    def only(self, places: Sequence[int]) -> Looks:
        """Return the looks of some of the strategies, by their positions in these looks."""
        return Looks(
            tuple(self.labels[place] for place in places),
            tuple(self.shown[place] for place in places),
            tuple(self.numbers[place] for place in places),
            self.total,
        )

    @property
    def some(self) -> bool:
        """Whether some strategies are highlighted."""
        return not all(self.shown)

    @property
    def marked(self) -> bool:
        """Whether lines have markers, as there are more lines than colours."""
        return bool(line_look(0, self.total)["marker"])

    def line(self, number: int, width: float = 1.0) -> dict[str, Any]:
        """Return the settings of a strategy's line; the usual width of lines is only needed for grey ones."""
        if self.shown[number]:
            return {**line_look(self.numbers[number], self.total), "zorder": 2.3 if self.some else 2.0}
        return {"color": GREY, "linestyle": "-", "marker": "", "linewidth": _THIN * width, "zorder": 1.9}

    def point(self, number: int) -> dict[str, Any]:
        """Return the settings of a strategy's point."""
        look = point_look(self.numbers[number])
        return look if self.shown[number] else {**look, "color": GREY}

    def color(self, number: int) -> str:
        """Return the colour of a strategy."""
        return str(self.point(number)["color"])

    def ink(self, number: int) -> str:
        """Return the colour of a strategy's name in a list of names."""
        return "#000000" if self.shown[number] else _GREY_TEXT


def looks_of(study: Study, highlight: Highlight = None, kind: RegretKind = "observed") -> Looks:
    """Return the looks of the strategies of a study: the same in all of its figures.

    Args:
        study: the study.
        highlight: see `make_looks`.
        kind: of the regret that the figure shows; strategies that recommend have a mark if others do not.

    Raises:
        UnknownNameError: no strategy has a name that is highlighted.
    """
    looks = make_looks(study.labels, study.strategies, highlight, study.among)
    return dataclasses.replace(looks, labels=marked_labels(study, kind))


def make_looks(
    labels: Sequence[str],
    strategies: Sequence[str],
    highlight: Highlight = None,
    among: Sequence[str] | None = None,
    *,
    what: str = "strategy",
) -> Looks:
    """Return the looks of strategies.

    Args:
        labels: of the strategies.
        strategies: their names without parameters.
        highlight: labels, or names without parameters, of the strategies to highlight; none if None or empty.
        among: labels of all strategies of the study, if these are only some.
        what: what errors call them.

    Raises:
        UnknownNameError: no strategy has a name that is highlighted.

    >>> make_looks(["mine (rate=0.1)", "random-search"], ["mine", "random-search"], "mine").shown
    (True, False)
    """
    wanted = [highlight] if isinstance(highlight, str) else list(highlight or ())
    for name in wanted:
        if name not in labels and name not in strategies:
            raise unknown(f"{what} to highlight", name, labels)
    shown = tuple(not wanted or bool({label, name} & {*wanted}) for label, name in zip(labels, strategies, strict=True))
    whole = list(dict.fromkeys([*(among or ()), *labels]))
    return Looks(tuple(labels), shown, tuple(whole.index(label) for label in labels), len(whole))
