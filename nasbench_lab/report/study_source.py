"""What figures and tables can be made from: a study, traces, stored results, or a path to them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from nasbench_lab.analysis.studies.pipeline import CollectedResults, study
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.suites import open_results

StudySource = Study | CollectedResults | Results | Trace | Sequence[Trace] | str | os.PathLike[str]
"""A study; one trace or several; results; or the path of a folder of results or of a traces file."""


def study_of(source: StudySource, **options: Any) -> Study:
    """Return a study as it is, or make one of traces or results.

    Args:
        source: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        options: of `study`, where one has to be made.

    Raises:
        ParameterError: there are no results, or a strategy ran twice on a task.
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
    return study(source if isinstance(source, CollectedResults) else _results_of(source), **options)


def traces_of(source: StudySource) -> list[Trace]:
    """Return the traces of a source that has them.

    Raises:
        ParameterError: the source is a study, which has no traces, or there are none.
        DataError: there are no results at the path, or they are damaged.
    """
    if isinstance(source, Study | CollectedResults):
        raise ParameterError("this figure needs traces, and a study has none: pass the traces or results themselves")
    return list(_results_of(source))


def _results_of(source: Results | Trace | Sequence[Trace] | str | os.PathLike[str]) -> Results:
    if isinstance(source, Results):
        return source
    if isinstance(source, Trace):
        return Results.of([source])
    if isinstance(source, str | os.PathLike):
        return open_results(source)
    given: Any = source  # whatever a user gives
    if not isinstance(given, Sequence):
        raise ParameterError(f"give a study, traces, results or a path, got {shortened(given)}")
    for trace in given:
        if not isinstance(trace, Trace):
            raise ParameterError(f"give a study, traces, results or a path, got a list with {shortened(trace)}")
    for number, trace in enumerate(source):
        if any(trace.setting == other.setting for other in source[:number]):
            raise ParameterError(f"strategy {trace.setting.label!r} appears twice on table {trace.setting.table!r}")
    return Results.of(source)
