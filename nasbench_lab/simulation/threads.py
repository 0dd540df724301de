"""Linear algebra on one thread: faster for the small matrices of many runs, and rounded alike on every machine."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Let BLAS use one thread inside the block.

    Strategies with models multiply thousands of small matrices, which threads only slow down: with two, they took five
    times as much processor time. And on several threads sums are added in another order, so that results would depend
    on the number of processors.

    >>> import numpy as np
    >>> with one_thread():
    ...     (np.eye(2) @ np.ones(2)).tolist()
    [1.0, 1.0]
    """
    return _controller().limit(limits=1, user_api="blas")


@functools.cache
def _controller() -> Any:
    # Looking through the libraries of the process takes milliseconds, as long as a small simulation: it is done once.
    # NumPy's BLAS, the one that strategies here use, is there by then.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
