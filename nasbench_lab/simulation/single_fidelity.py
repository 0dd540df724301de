"""Multi-fidelity strategies that are left with one fidelity, and so search like strategies of a single fidelity."""

from __future__ import annotations

from typing import Any

from nasbench_lab.simulation.trace import Trace
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.tables.any_table import AnyTable


def one_fidelity(strategy: Strategy[Any], table: AnyTable, highest: int) -> str:
    """Return why a multi-fidelity strategy has only one fidelity on a table; empty if it has several, or needs none.

    Args:
        strategy: the strategy.
        table: the table to search.
        highest: the highest fidelity of the search.

    Raises:
        ParameterError: the parameters of the strategy do not fit the fidelities.

    >>> from nasbench_lab.strategies import resolve
    >>> from nasbench_lab.testing import synthetic_table
    >>> one_fidelity(resolve("hyperband", {}), synthetic_table(), 4)
    'the table has none below 4 epochs'
    >>> one_fidelity(resolve("hyperband", {"eta": 4}), synthetic_table(), 12)
    'its parameters select only 12 epochs'
    """
    available = [epochs for epochs in table.fidelities if epochs <= highest]
    used = {*strategy.evaluated_fidelities(available)}
    if not strategy.multi_fidelity or len(used) > 1:
        return ""
    if len(available) > 1:
        return f"its parameters select only {_epochs(used.pop())}"
    return f"the table has none below {_epochs(highest)}"


def one_fidelity_warning(strategy: Strategy[Any], table: AnyTable, trace: Trace) -> str:
    """Return the warning that all evaluations of a multi-fidelity strategy have one fidelity; empty if not so."""
    fidelity = trace.fidelity[trace.mask]
    if not strategy.multi_fidelity or not fidelity.size or fidelity.min() != fidelity.max():
        return ""
    reason = one_fidelity(strategy, table, trace.setting.fidelity) or "the budget ends before it reaches another"
    return (
        f"all evaluations of {strategy.label} on {table.name} have {_epochs(int(fidelity[0]))}: it needs several "
        f"fidelities, and {reason}"
    )


def _epochs(number: int) -> str:
    return "1 epoch" if number == 1 else f"{number} epochs"
