"""What the tables of a study say themselves, as far as they are on this machine: landscapes and scores."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.table_landscapes import landscape
from nasbench_lab.analysis.score_bias import ScoreAgreement
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.table_quality import reported_metric, score_agreements
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.tables import Table, load
from nasbench_lab.tables.catalogue import find_recipe, is_named, is_present

_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True)
class StudyLandscapes:
    """Landscapes of the tables of a study.

    Attributes:
        found: one per table that is on this machine, in the order of the tasks.
        missing: names of the other tables.
    """

    found: tuple[Landscape, ...] = ()
    missing: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class TableAgreements:
    """How the scores of a table agree with its test values.

    Attributes:
        table: name of the table.
        metric: name of the values: those of the test, or of the objective where there is no test.
        agreements: by name of the score, in the order of the table.
    """

    table: str
    metric: str
    agreements: Mapping[str, ScoreAgreement]

    def in_order(self) -> list[tuple[str, ScoreAgreement]]:
        """Return the scores with their names, the highest rank correlation first, those without one last."""
        unknown = float("-inf")
        return sorted(
            self.agreements.items(),
            key=lambda each: -(unknown if math.isnan(each[1].spearman) else each[1].spearman),
        )


@dataclasses.dataclass(frozen=True)
class StudyScores:
    """Scores of the tables of a study. Tables without scores are not listed.

    Attributes:
        found: one per table that is on this machine, in the order of the tasks.
        missing: names of other tables of the catalogue that have scores.
    """

    found: tuple[TableAgreements, ...] = ()
    missing: tuple[str, ...] = ()


def study_landscapes(study: Study) -> StudyLandscapes:
    """Return the landscapes of the tables of a study.

    A table is used only if it is in the catalogue and on this machine, with the checksum that the results name. Nothing
    is downloaded.
    """
    each = {name: _landscape(name, checksum) for name, checksum in _checksums(study).items()}
    return StudyLandscapes(
        tuple(found for found in each.values() if found is not None),
        tuple(name for name, found in each.items() if found is None),
    )


def study_scores(study: Study) -> StudyScores:
    """Return the scores of the tables of a study, from the tables that `study_landscapes` uses.

    >>> from nasbench_lab import Budget, simulate
    >>> from nasbench_lab.analysis import study
    >>> made = study(simulate("digits/topology", "random-search", runs=5, budget=Budget(evaluations=9)))
    >>> list(study_scores(made).found[0].agreements)[:3]
    ['supernet_uniform', 'supernet_fair', 'az_nas']
    """
    each = {name: _scores(name, checksum) for name, checksum in _checksums(study).items()}
    return StudyScores(
        tuple(found for found in each.values() if found is not None and found.agreements),
        tuple(name for name, found in each.items() if found is None and _has_scores(name)),
    )


def _checksums(study: Study) -> dict[str, str]:
    return {task.table: task.checksum for task in study.tasks}


def _has_scores(name: str) -> bool:
    return is_named(name) and bool(score_names(find_recipe(name).description))


@functools.lru_cache(maxsize=64)
def _landscape(name: str, checksum: str) -> Landscape | None:
    return _of_table(name, checksum, landscape)


@functools.lru_cache(maxsize=64)
def _scores(name: str, checksum: str) -> TableAgreements | None:
    return _of_table(
        name, checksum, lambda table: TableAgreements(name, reported_metric(table).name, score_agreements(table))
    )


def _of_table(name: str, checksum: str, compute: Callable[[Table], _Result]) -> _Result | None:
    """Return what is computed from a table; None if the table is not on this machine."""
    if not is_named(name) or not is_present(name):
        return None
    try:
        table = load(name)
        return compute(table) if table.checksum == checksum else None
    except NasbenchLabError:  # a damaged table, or a space of a package that is not installed; the results are whole
        return None
