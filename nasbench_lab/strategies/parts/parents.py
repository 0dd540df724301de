"""The parents of proposals: the earlier evaluations whose weights children start from."""

from __future__ import annotations

from typing import final

from nasbench_lab.arrays import IntArray
from nasbench_lab.strategies.problem import Problem, Proposals


@final
class Parents:
    """Names the parents of children, where children inherit weights; elsewhere proposals are architectures only.

    Args:
        problem: says whether children inherit.

    >>> import numpy as np
    >>> from nasbench_lab.spaces import ChainSpace
    >>> from nasbench_lab.streams import Streams
    >>> child, number = np.array([[7]]), np.array([[3]])
    >>> Parents(Problem(ChainSpace("ab", 3), Streams(0, 0, 1), inherits=True)).of(child, number).parent
    array([[3]])
    >>> Parents(Problem(ChainSpace("ab", 3), Streams(0, 0, 1))).of(child, number)
    array([[7]])
    """

    def __init__(self, problem: Problem) -> None:
        self.needed = problem.inherits
        """Whether the numbers of evaluations are needed at all."""

    def of(self, architecture: IntArray, number: IntArray) -> IntArray | Proposals:
        """Return the proposal of children.

        Args:
            architecture: the children, shape (runs, k).
            number: number of the evaluation of each child's parent, -1 for none, shape (runs, k).
        """
        return Proposals(architecture, parent=number) if self.needed else architecture
