"""Modules in the current folder, which commands find as ``python -m`` does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def importable_from_here() -> Iterator[None]:
    """Find ``module:Class`` in the current folder inside the block."""
    before, here = sys.path.copy(), str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path[:] = before
