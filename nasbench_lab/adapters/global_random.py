"""Global random states of its own for code that draws from them."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any

import numpy as np


class GlobalRandom:
    """Global states of `random` and `numpy.random` that hold inside a block; the next block continues them.

    After a block, the states are what they were before.

    Args:
        seed: of both states, in [0, 2**32).

    >>> own = GlobalRandom(seed=3)
    >>> with own:
    ...     first = random.random()
    >>> with own:
    ...     second = random.random()
    >>> one = random.Random(3)
    >>> [first, second] == [one.random(), one.random()]
    True
    """

    def __init__(self, seed: int) -> None:
        python, numpy = random.Random(seed), np.random.RandomState(seed)  # noqa: S311 - no cryptography
        self._own: tuple[Any, Any] = (python.getstate(), numpy.get_state())
        self._others: tuple[Any, Any] | None = None

    def __enter__(self) -> None:
        """Put the own states in place."""
        self._others = _states()
        _restore(self._own)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put the states of before in place."""
        self._own = _states()
        assert self._others is not None  # noqa: S101 - a block was entered
        _restore(self._others)


def _states() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002 - the global generator of other people's code


def _restore(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
