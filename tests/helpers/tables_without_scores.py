"""Tables without zero-cost scores."""

import dataclasses

from nasbench_lab import Table
from nasbench_lab.simulation.zero_cost_scores import score_names


def without_scores(table, keep=()):
    """Return a table without its zero-cost scores and their seconds, except some scores."""
    left_out = {each for name in {*score_names(table.description)} - {*keep} for each in (name, f"{name}_seconds")}
    kept = tuple(metric for metric in table.description.metrics if metric.name not in left_out)
    description = dataclasses.replace(table.description, metrics=kept)
    return Table(description, {metric.name: table.values(metric.name) for metric in kept})
