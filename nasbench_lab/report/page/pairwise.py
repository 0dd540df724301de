"""Comparison of all pairs of strategies: a matrix whose cells the page's script fills for each choice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.report.page.charts import Choice
from nasbench_lab.report.page.figure_commands import figure_options, kind_option, table_option
from nasbench_lab.report.page.numbers import NONE, decimals, fixed
from nasbench_lab.simulation.trace import RegretKind

BETTER, WORSE, SAME = "b", "w", "s"
"""Marks of cells: the row is better than the column, worse, or neither."""

_ALL = "all"
_A12 = "Probability that a run of the row ends better than one of the column"
_MEASURES = (("a12", "P(better)"), ("difference", "difference"), ("p", "p-value"))


@dataclasses.dataclass(frozen=True)
class PairView:
    """The cells of a matrix, row by row.

    Attributes:
        about: meaning of the numbers and the colours.
        texts: of the cells; empty on the diagonal.
        marks: one letter per cell.
    """

    about: str
    texts: tuple[str, ...]
    marks: str


@dataclasses.dataclass(frozen=True)
class PairMatrix:
    """A matrix with all its views.

    Attributes:
        order: positions of the strategies, best first, of rows and columns.
        choices: of the reader.
        views: by the keys of the choices, joined by ``|``.
        figure: options of ``nasbench-lab plot`` that draw the numbers P(better), before those of the choices.
    """

    order: tuple[int, ...]
    choices: tuple[Choice, ...]
    views: dict[str, PairView]
    figure: str

    @property
    def start(self) -> PairView:
        """The first view."""
        return self.views["|".join(choice.start for choice in self.choices)]

    def data(self) -> dict[str, Any]:
        """Return the matrix as plain data for JSON."""
        return {
            "choices": [dataclasses.asdict(choice) for choice in self.choices],
            "figure": self.figure,
            "views": {key: dataclasses.asdict(view) for key, view in self.views.items()},
        }


def compare_all_pairs(study: Study, kind: RegretKind, order: tuple[int, ...]) -> PairMatrix | None:
    """Return the comparison of all pairs by a kind of regret; None for a single strategy."""
    each = [(str(place), task.name) for place, task in enumerate(study.tasks) if kind in task.kinds]
    if len(order) < 2 or kind not in study.pairwise or not each:
        return None
    tasks = [*([(_ALL, "all tasks")] if len(each) > 1 and kind in study.ranks else []), *each]
    choices = (
        Choice(
            "task",
            "Task",
            tuple(tasks),
            tasks[0][0],
            tuple("" if key == _ALL else table_option(study, int(key)) for key, _ in tasks),
        ),
        Choice("measure", "Numbers", _MEASURES, "a12"),
    )
    rows = np.array(order)[:, None], np.array(order)[None, :]
    views: dict[str, PairView] = {}
    for key, _ in tasks:
        made = _over_tasks(study, kind, rows) if key == _ALL else _on_task(study, kind, int(key), rows)
        views |= {f"{key}|{measure}": view for measure, view in made.items()}
    return PairMatrix(order, choices, views, figure_options("a12") + kind_option(kind))


def _over_tasks(study: Study, kind: RegretKind, rows: tuple[IntArray, IntArray]) -> dict[str, PairView]:
    pairs, ranks = study.pairwise[kind], study.ranks[kind]
    tasks = list(ranks.tasks)
    significant = pairs.adjusted[..., tasks] < 1 - pairs.level
    better = (significant & (pairs.a12[..., tasks] > 0.5)).sum(axis=2)
    worse = (significant & (pairs.a12[..., tasks] < 0.5)).sum(axis=2)
    by_effect = np.where(pairs.mean_a12_adjusted < 1 - pairs.level, np.sign(pairs.mean_a12 - 0.5), 0)
    lead = ranks.ranks[None, :] - ranks.ranks[:, None]  # above 0 where the row's average task rank is better
    by_rank = np.where(ranks.nemenyi < 1 - ranks.level, np.sign(lead), 0)
    name = "the sign test" if len(ranks.ranks) == 2 else "Nemenyi's test"
    tested = f"Mann-Whitney, Holm-adjusted, {_level(pairs.level)}"
    a12 = (
        f"{_A12}, averaged over tasks; ties count half; coloured where significant (sign-flip test over tasks, "
        f"Holm-adjusted, {_level(pairs.level)})."
    )
    count = f"Number of tasks on which the row is significantly better : worse than the column ({tested})."
    by_p = f"p-value of {name} of average task ranks; coloured where significant ({_level(ranks.level)})."
    return {
        "a12": _view(a12, pairs.mean_a12[rows], by_effect[rows], _two_digits),
        "difference": _counts(count, better[rows], worse[rows], len(tasks)),
        "p": _view(by_p, ranks.nemenyi[rows], by_rank[rows], _p_value),
    }


def _on_task(study: Study, kind: RegretKind, place: int, rows: tuple[IntArray, IntArray]) -> dict[str, PairView]:
    pairs = study.pairwise[kind]
    a12, adjusted = pairs.a12[..., place], pairs.adjusted[..., place]
    by_test = np.where(adjusted < 1 - pairs.level, np.sign(a12 - 0.5), 0)
    colours = f"coloured where significant (Mann-Whitney, Holm-adjusted, {_level(pairs.level)})"
    verdict = pairs.verdict[..., place]
    by_verdict = np.where(verdict == "better", 1, np.where(verdict == "worse", -1, 0))
    difference = pairs.difference.estimate[..., place]
    places = decimals(difference[np.isfinite(difference)].tolist())
    unit = study.tasks[place].unit(kind)
    margin = pairs.margin[place]
    beyond = f"; coloured where it is significantly more than the margin of {margin:.3g}" if np.isfinite(margin) else ""
    mean = f"Mean regret of the row minus that of the column ({unit}); negative: the row is better{beyond}."
    return {
        "a12": _view(f"{_A12}; ties count half; {colours}.", a12[rows], by_test[rows], _two_digits),
        "difference": _view(mean, difference[rows], by_verdict[rows], lambda value: fixed(value, places)),
        "p": _view(f"p-value; {colours}.", adjusted[rows], by_test[rows], _p_value),
    }


def _view(about: str, values: FloatArray, signs: IntArray, text: Callable[[float], str]) -> PairView:
    diagonal = np.eye(len(values), dtype=bool).ravel().tolist()
    texts = tuple("" if own else text(value) for own, value in zip(diagonal, values.ravel().tolist(), strict=True))
    return PairView(about, texts, _marks(signs))


def _counts(about: str, better: IntArray, worse: IntArray, tasks: int) -> PairView:
    parts = zip(better.ravel().tolist(), worse.ravel().tolist(), strict=True)
    own = np.eye(len(better), dtype=bool).ravel().tolist()
    texts = [f"{more} : {less}" if tasks else NONE for more, less in parts]
    shown = tuple("" if diagonal else text for diagonal, text in zip(own, texts, strict=True))
    return PairView(about, shown, _marks(np.zeros_like(better)))  # no test belongs to these numbers


def _marks(signs: IntArray) -> str:
    own = np.eye(len(signs), dtype=bool)
    letters = np.where(signs > 0, BETTER, np.where(signs < 0, WORSE, SAME))
    return "".join(np.where(own, "-", letters).ravel().tolist())


def _two_digits(value: float) -> str:
    return fixed(value, 2)


def _p_value(value: float) -> str:
    """Return a p-value; small ones as a bound.

    >>> _p_value(0.2), _p_value(1e-9)
    ('0.200', '<0.001')
    """
    return "<0.001" if value < 0.001 else fixed(value, 3)


def _level(level: float) -> str:
    return f"level {1 - level:.2g}"
