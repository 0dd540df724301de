"""Linear algebra on one thread: faster for many small matrices, and with the same rounding on every machine."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Let BLAS use one thread inside the block.

    Strategies with models multiply thousands of small matrices, which is slower on several threads: two threads took
    five times as much processor time. The number of threads also changes the order of sums, so that the results would
    depend on the number of processors.

    >>> import numpy as np
    >>> with one_thread():
    ...     (np.eye(2) @ np.ones(2)).tolist()
    [1.0, 1.0]
    """
    return _controller().limit(limits=1, user_api="blas")


def blas_libraries() -> list[dict[str, Any]]:
    """Return what threadpoolctl says about the loaded libraries of linear algebra."""
    return [info for info in _controller().info() if info["user_api"] == "blas"]


@functools.cache
def _controller() -> Any:
    # Inspecting the libraries of the process takes milliseconds, as long as a small simulation, so it is done once.
    # NumPy's BLAS, which the strategies use, is already loaded.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
