"""The rungs of multi-fidelity strategies: the numbers of training epochs at which they compare architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from nasbench_lab.checks import AtLeast, AtMost
from nasbench_lab.errors import ParameterError

Eta = Annotated[int, AtLeast(2)]
"""The factor between the training epochs of consecutive rungs."""

RungCount = Annotated[int, AtLeast(1), AtMost(20)]
"""A number of rungs."""


def rungs(fidelities: Sequence[int], eta: int, lowest: int | None = None, count: int | None = None) -> tuple[int, ...]:
    """Return the rungs of successive halving, ascending: R / eta^k for k = ..., 2, 1, 0, with R the highest fidelity.

    A table has only some fidelities. Each rung is the nearest of them (by the ratio of epochs; ties: the lower). Rungs
    with the same fidelity are one rung, unless their number is given.

    Args:
        fidelities: the available numbers of epochs, ascending.
        eta: factor between the epochs of consecutive rungs.
        lowest: no rung has fewer epochs, before it is rounded to a fidelity; by default the lowest fidelity.
        count: number of rungs; by default as many as fit between ``lowest`` and the highest fidelity. If it exceeds the
            number of fidelities, some rungs are equal: an architecture is then promoted to another training of equal
            length.

    Raises:
        ParameterError: ``lowest`` is above the highest fidelity.

    >>> rungs([1, 3, 9, 27, 81], eta=3), rungs(range(1, 13), eta=3), rungs([12, 200], eta=3)
    ((1, 3, 9, 27, 81), (1, 4, 12), (12, 200))
    >>> rungs(range(1, 201), eta=3, lowest=20), rungs([12], eta=3, count=4)
    ((22, 67, 200), (12, 12, 12, 12))
    """
    highest = fidelities[-1]
    if lowest is not None and lowest > highest:
        raise ParameterError(f"lowest must be at most the highest fidelity, {highest}, got {lowest}")
    if count is None:
        span = highest / (fidelities[0] if lowest is None else lowest)
        steps = 1
        while eta**steps <= span * (1 + 1e-9):
            steps += 1
        return tuple(dict.fromkeys(_nearest(fidelities, highest / eta**k) for k in reversed(range(steps))))
    return tuple(_nearest(fidelities, highest / eta**k) for k in reversed(range(count)))


def _nearest(fidelities: Sequence[int], wanted: float) -> int:
    return min(fidelities, key=lambda epochs: max(epochs / wanted, wanted / epochs))


@dataclass(frozen=True)
class Bracket:
    """One run of successive halving: how many architectures are trained at which rungs.

    Attributes:
        sizes: number of architectures per rung.
        fidelities: training epochs per rung.
    """

    sizes: tuple[int, ...]
    fidelities: tuple[int, ...]


def bracket(configurations: int, fidelities: Sequence[int], eta: int) -> Bracket:
    """Return the bracket that starts with a number of architectures; every rung keeps the best 1/eta, at least one.

    >>> bracket(27, (3, 9, 27, 81), eta=3).sizes, bracket(5, (4, 12), eta=3).sizes
    ((27, 9, 3, 1), (5, 1))
    """
    sizes = tuple(max(configurations // eta**rung, 1) for rung in range(len(fidelities)))
    return Bracket(sizes, tuple(fidelities))


def hyperband(fidelities: Sequence[int], eta: int) -> tuple[Bracket, ...]:
    """Return the brackets of one round of Hyperband over these rungs; the first has most rungs, the last has one.

    With s_max + 1 rungs, bracket s = s_max, ..., 0 begins with ``floor((s_max + 1) / (s + 1)) * eta^s`` architectures
    at its s + 1 highest rungs: the numbers of table 1 of Li et al. (2018) and of their code. (Their algorithm 1 rounds
    once, and up; it would begin with 34, 15 and 8 where the table has 27, 9 and 6.)

    >>> for one in hyperband((1, 3, 9, 27, 81), eta=3):
    ...     print(*zip(one.sizes, one.fidelities))
    (81, 1) (27, 3) (9, 9) (3, 27) (1, 81)
    (27, 3) (9, 9) (3, 27) (1, 81)
    (9, 9) (3, 27) (1, 81)
    (6, 27) (2, 81)
    (5, 81)
    """
    count = len(fidelities)
    return tuple(bracket(count // (s + 1) * eta**s, fidelities[count - 1 - s :], eta) for s in reversed(range(count)))
