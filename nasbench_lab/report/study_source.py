"""What figures and tables can be made from: a study, traces, stored results, or a path to them."""

from __future__ import annotations

from typing import Any, TypeAlias

from nasbench_lab.analysis.studies.pipeline import CollectedResults, study
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.suites.result_sources import ResultsSource, results_of

StudySource: TypeAlias = Study | CollectedResults | ResultsSource
"""A study; collected results; a trace, results, or the path of a folder of results or of a traces file; or several."""


def study_of(source: StudySource, **options: Any) -> Study:
    """Return a study as it is, or make one of traces or results.

    Args:
        source: a study, or what `study` takes: traces, results, paths, several of these, or a mapping with labels.
        options: of `study`, where one has to be made.

    Raises:
        ParameterError: there are no results, or strategies cannot be told apart.
        DataError: there are no results at the path, or they are damaged.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=5, budget=nl.Budget(evaluations=9))
    >>> found = study_of(trace, resamples=0)
    >>> found.labels, study_of(found) is found
    (('random-search',), True)
    """
    if isinstance(source, Study):
        return source
    return study(source, **options)


def traces_of(source: StudySource) -> list[Trace]:
    """Return the traces of a source that has them.

    Raises:
        ParameterError: the source is a study, which has no traces, or there are none.
        DataError: there are no results at the path, or they are damaged.
    """
    if isinstance(source, Study | CollectedResults):
        raise ParameterError("this figure needs traces, and a study has none: pass the traces or results themselves")
    return list(results_of(source))
