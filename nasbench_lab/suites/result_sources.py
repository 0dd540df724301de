"""What a study or figure can be made from: results, traces, paths to them, and several of these together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.combined_results import ResultsInput, combine_results
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.suites.stored_results import open_results

OneSource: TypeAlias = Results | Trace | str | os.PathLike[str]
"""Results, a trace, or the path of a folder of results or of a traces file."""

ResultsSource: TypeAlias = OneSource | Iterable[OneSource] | Mapping[str, OneSource | Iterable[OneSource]]
"""One or several sources of results. The keys of a mapping are labels, see `results_of`."""

WANTED = "give results, traces or paths"


def results_of(source: ResultsSource, *, partial: bool = False) -> Results:
    """Return the results of one or several sources, see `combine_results`.

    Args:
        source: results, a trace, a path, or several of these; with names for those whose strategies differ though they
            have the same label: ``{"before": "results/a", "after": "results/b"}``.
        partial: whether to open the finished simulations of unfinished suites; otherwise they are an error.

    Raises:
        ParameterError: the source is something else or empty, or strategies cannot be told apart.
        DataError: there are no results at a path, or they are damaged or incomplete.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> options = {"table": synthetic_table(), "runs": 4, "budget": nl.Budget(evaluations=3)}
    >>> traces = [nl.simulate(strategy="random-search", seed=seed, **options) for seed in (0, 1)]
    >>> [setting.label for setting in results_of({"seed 0": traces[0], "seed 1": traces[1]}).settings]
    ['random-search (seed 0)', 'random-search (seed 1)']
    """
    given: Any = source  # whatever a user gives
    one = _one_source(given, partial=partial)
    if one is not None:
        return one
    if isinstance(given, Mapping):
        named = [
            ResultsInput(results_of(each, partial=partial), _name(each) or str(label), _label(label))
            for label, each in given.items()
        ]
        return combine_results(named)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ParameterError(f"{WANTED}, got {shortened(given)}")
    inputs: list[ResultsInput] = []
    traces: list[Trace] = []
    for each in given:
        if isinstance(each, Trace):
            if not traces:
                inputs.append(ResultsInput(Results.of([each]), "the given traces"))
                place = len(inputs) - 1
            traces.append(each)
            continue
        found = _one_source(each, partial=partial)
        if found is None:
            raise ParameterError(f"{WANTED}, got a list with {shortened(each)}")
        inputs.append(ResultsInput(found, _name(each) or f"number {len(inputs) + 1} of the given results"))
    if traces:
        inputs[place] = inputs[place]._replace(results=Results.of(traces))
    return combine_results(inputs)


def _one_source(given: Any, *, partial: bool) -> Results | None:
    """Return the results of one source; None if it is something else."""
    if isinstance(given, Results):
        return given
    if isinstance(given, Trace):
        return Results.of([given])
    return open_results(given, partial=partial) if isinstance(given, str | os.PathLike) else None


def _name(source: Any) -> str:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else ""


def _label(label: Any) -> str:
    if not isinstance(label, str) or not label.strip() or not label.isprintable():
        raise ParameterError(f"a label must be a line of text, got {shortened(label)}")
    return label
