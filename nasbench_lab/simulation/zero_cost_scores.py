"""The scores of a table, which need no training of the scored architecture but cost simulated seconds.

Zero-cost scores rate untrained networks. Scores of a supernet need its training once; a run pays for it when it asks
for the first score.
"""

from __future__ import annotations

from typing import Any, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import UnknownNameError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.scored_strategy import AUTO, chosen_score
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.streams import Streams
from nasbench_lab.tables import catalogue
from nasbench_lab.tables.any_table import AnyTable, Repeat
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.table import Table

_PRICE = "{}_seconds"
"""Name of the metric with the seconds of a score. A metric without such a companion is not a score."""
_TRAINING = "{}_training_seconds"
"""Name of the metric with the seconds that a run pays once, before its first score: the training of a supernet."""

_MOST_LISTED = 4  # tables


def score_names(description: Description) -> tuple[str, ...]:
    """Return the names of a table's zero-cost scores.

    >>> from nasbench_lab.testing import synthetic_table
    >>> score_names(synthetic_table("chain").description)
    ('synflow',)
    """
    names = {metric.name for metric in description.metrics}
    return tuple(
        metric.name
        for metric in description.metrics
        if metric.split == "none" and metric.direction != "none" and _PRICE.format(metric.name) in names
    )


def require_scores(strategy: Strategy[Any], table: AnyTable) -> None:
    """Raise UnknownNameError if a strategy needs a score that a table does not have; the message says which do."""
    names, wanted = score_names(table.description), wanted_score(strategy)
    if "scores" not in strategy.needs or (names and (wanted is None or wanted in names)):
        return
    what = unknown("score", wanted, names) if wanted is not None else f"{strategy.name!r} needs zero-cost scores"
    raise UnknownNameError(f"{what}; {tables_with(wanted)}")


def wanted_score(strategy: Strategy[Any]) -> str | None:
    """Return the score that a strategy names; None if it takes any."""
    name = getattr(strategy, "score", None)
    return None if name == AUTO else name


def recorded_parameters(strategy: Strategy[Any], table: AnyTable) -> dict[str, Any]:
    """Return the parameters of a strategy on a table, with the score that it uses there.

    >>> from nasbench_lab.strategies import resolve
    >>> from nasbench_lab.testing import synthetic_table
    >>> recorded_parameters(resolve("zero-cost-filter", {}), synthetic_table("chain"))["score"]
    'synflow'
    """
    parameters = strategy.parameters
    if "scores" in strategy.needs and parameters.get("score") == AUTO:
        parameters = {**parameters, "score": chosen_score(score_names(table.description)) or AUTO}
    return parameters


def parameters_of_all_tables(setting: Setting) -> dict[str, Any]:
    """Return the recorded parameters of a simulation, without a score that its table chose.

    The default score is recorded by its name, but the label does not name it.

    >>> from nasbench_lab import Budget, simulate
    >>> from nasbench_lab.testing import synthetic_table
    >>> options = {"runs": 2, "budget": Budget(evaluations=3), "inner": "random-search"}
    >>> for given in ({}, {"score": "synflow"}):
    ...     setting = simulate(synthetic_table("chain"), "zero-cost-filter", **options, **given).setting
    ...     print(setting.label, parameters_of_all_tables(setting))
    zero-cost-filter:inner=random-search {'inner': 'random-search', 'candidates': 5}
    zero-cost-filter:inner=random-search,score=synflow {'inner': 'random-search', 'score': 'synflow', 'candidates': 5}
    """
    parameters = dict(setting.parameters)
    named = setting.label == setting.strategy or setting.label.startswith(f"{setting.strategy}:")
    if named and "score=" not in setting.label:
        parameters.pop("score", None)
    return parameters


def tables_with(score: str | None) -> str:
    """Return which tables of the catalogue have a score, or any score if it is None, for messages.

    >>> tables_with("naswot").partition(", digits/topology")[0]
    "tables with 'naswot': digits/cell101, digits/chain"
    >>> tables_with("nothing")
    "no table of the catalogue has 'nothing'"
    """
    found = []
    for name in catalogue.list_tables():
        names = score_names(catalogue.find_recipe(name).description)
        if score in names or (score is None and names):
            found.append(name)
    what = "scores" if score is None else repr(score)
    if not found:
        return f"no table of the catalogue has {what}"
    more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    return f"tables with {what}: {', '.join(found[:_MOST_LISTED])}{more}"


@final
class TableScores(Scores):
    """The scores of a table: metrics without a split that have a companion metric with their seconds.

    A score that has repeats, such as that of supernets from several seeds, has one repeat per run: the run uses one
    supernet.

    Args:
        table: the table.
        draws: random numbers that choose the repeat of every run.
        repeat: ``"sample"`` chooses a repeat per run; ``"mean"`` gives means over the repeats, of scores and seconds;
            a number is a repeat for all runs.
    """

    def __init__(self, table: AnyTable, draws: Streams, repeat: Repeat | Literal["sample"] = "sample") -> None:
        self._table = table
        self._names = score_names(table.description)
        self._repeat = repeat
        self._draws = draws
        self._drawn: FloatArray | None = None  # one number per run, when a score with repeats is first asked for
        self._due: FloatArray | None = None
        self._trained = {name: np.zeros(draws.runs, dtype=bool) for name in self._names if self._training(name)}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the available scores."""
        return self._names

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, higher is better, and charge the runs for them.

        Architecture -1 costs nothing and has the score NaN.
        """
        if name not in self._names:
            raise unknown("score", name, self._names)
        where, asked = np.maximum(architecture, 0), architecture >= 0
        price = np.where(asked, self._values(_PRICE.format(name), where), 0.0).sum(axis=1)
        if name in self._trained:
            first = asked.any(axis=1) & ~self._trained[name]
            self._trained[name] |= first
            price = price + np.where(first, self._values(_TRAINING.format(name), where[:, :1])[:, 0], 0.0)
        self._due = price if self._due is None else self._due + price
        score = self._values(name, where)
        if self._table.description.metric(name).direction == "minimize":
            score = -score
        return np.where(asked, score, np.nan)

    def due(self) -> FloatArray | None:
        """Return the seconds that every run owes, shape (runs,), and reset them; None if no score was requested."""
        due, self._due = self._due, None
        return due

    def _training(self, name: str) -> bool:
        return _TRAINING.format(name) in self._table.metrics

    def _values(self, metric: str, where: IntArray) -> FloatArray:
        """Return a metric of architectures, in the repeat of every run."""
        if isinstance(self._table, ComputedTable):
            return self._table.untrained(where, [metric])[metric]
        assert isinstance(self._table, Table)  # noqa: S101 - there are two kinds of tables
        if self._repeat != "sample" or "repeat" not in self._table.description.metric(metric).axes:
            repeat: Repeat = "mean" if self._repeat == "sample" else self._repeat
            return self._table.lookup(where, repeat=repeat, metric=metric)
        if self._drawn is None:
            self._drawn = self._draws.uniform(1).copy()
        repeats = self._table.repeat_values(metric)
        return repeats[where, (self._drawn * repeats.shape[1]).astype(np.int64)]
