"""The critical-difference diagrams of a study on the page, with what they say in words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from markupsafe import Markup

from nasbench_lab.analysis.studies.results import RankComparison, Study
from nasbench_lab.report.incumbent_words import kind_name
from nasbench_lab.report.page.critical_difference import cd_diagram
from nasbench_lab.report.page.figure_commands import kind_option, plot_command
from nasbench_lab.report.page.numbers import fixed
from nasbench_lab.report.rank_tests import tests_in_words
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.simulation.trace import RegretKind


def kinds_in_order(study: Study) -> list[RegretKind]:
    """Return the kinds of regret of a study, that of its answers first."""
    return [study.kind, *(kind for kind in study.kinds if kind != study.kind)]


def study_diagrams(study: Study, source: str) -> Iterator[tuple[str, Markup, str, str]]:
    """Yield the critical-difference diagrams: the kind of regret, the drawing, an explanation, and the command.

    Args:
        study: the study.
        source: the results, as text for a command line.
    """
    for kind in kinds_in_order(study):
        ranks = study.ranks.get(kind)
        if ranks is not None and len(study.labels) > 1 and len(ranks.tasks):
            command = plot_command(source, "cd", kind_option(kind))
            yield kind_name(study, kind), cd_diagram(ranks, study.labels), _about(ranks), command


def _about(ranks: RankComparison) -> str:
    tasks = len(ranks.tasks)
    text = (
        f"Average task ranks over {in_words(tasks, 'task')}: on each task, strategies are ranked 1, 2, 3, ... by their "
        "run ranks. The unit is the task, never the run. "
    )
    words = tests_in_words(ranks)
    tests = f"{text}{words[0].upper()}{words[1:]}."
    if math.isnan(ranks.critical_difference):
        return tests
    return (
        f"{tests} Strategies under one bar do not differ significantly (Nemenyi, level {1 - ranks.level:.2g}, critical "
        f"difference {fixed(ranks.critical_difference, 2)})."
    )
