"""How many architectures were measured at each fidelity."""

from __future__ import annotations

import numpy as np

from nasbench_lab.tables.table import Table

_FEW = 0.5  # of the architectures at another fidelity


def measured_architectures(table: Table, epochs: int) -> int:
    """Return how many architectures have a value of the objective at a fidelity.

    >>> from nasbench_lab.testing import synthetic_table
    >>> measured_architectures(synthetic_table("chain"), 4)
    243
    """
    return int(np.count_nonzero(~np.isnan(table.mean_values(table.objective.name, epochs))))


def coverage_note(table: Table) -> str:
    """Return a note if few architectures were measured at the highest fidelity; an empty text otherwise.

    "Few" means less than half of the architectures that were measured at another fidelity. A search evaluates at the
    highest fidelity by default, so it would then see hardly any value.

    >>> from nasbench_lab.testing import synthetic_table
    >>> coverage_note(synthetic_table("chain"))
    ''
    """
    last = table.fidelities[-1]
    at_last = measured_architectures(table, last)
    if len(table.fidelities) == 1 or at_last >= _FEW * table.space.size:  # usual, and quickly seen
        return ""
    counts = {epochs: measured_architectures(table, epochs) for epochs in table.fidelities[:-1]}
    enough = [epochs for epochs, count in counts.items() if at_last < _FEW * count]
    if not enough:
        return ""
    good = max(epochs for epochs, count in counts.items() if count >= _FEW * max(counts.values()))
    return (
        f"The highest fidelity, {last} epochs, has values of only {at_last:,} architectures; {good} epochs have values "
        f"of {counts[good]:,}. Search with fidelity {good}, or import with at most {good} epochs (max_epochs)."
    )
