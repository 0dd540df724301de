"""The names of the kinds of regret and of value, the same in figures, in tables for papers and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from nasbench_lab.simulation.trace import RegretKind


@dataclass(frozen=True)
class KindWords:
    """The names of a kind of regret or value.

    Attributes:
        name: short name, for headings and where a full name stands nearby.
        over_repeats: whether it is a mean over the repeats of a training.
        best: whether it is that of the best evaluation so far, which only full names say.

    >>> words = KindWords("test regret")
    >>> words.in_sentences, words.at_axes
    ('test regret (mean over repeats)', 'test regret, mean over repeats')
    """

    name: str
    over_repeats: bool = True
    best: bool = False

    @property
    def in_sentences(self) -> str:
        """Full name in sentences: which regret it is, and the statistic over repeats."""
        return self._full + (" (mean over repeats)" if self.over_repeats else "")

    @property
    def at_axes(self) -> str:
        """Full name at axes."""
        return self._full + (", mean over repeats" if self.over_repeats else "")

    @property
    def _full(self) -> str:
        return f"best {self.name}" if self.best else self.name


REGRETS: dict[RegretKind, KindWords] = {
    "observed": KindWords("observed regret", over_repeats=False),
    "valid": KindWords("validation regret"),
    "test": KindWords("test regret"),
}
VALUES: dict[RegretKind, KindWords] = {
    "observed": KindWords("observed value", over_repeats=False, best=True),
    "valid": KindWords("validation value"),
    "test": KindWords("test value"),
}
"""What is shown where the optimum is not known, so that there is no regret."""
