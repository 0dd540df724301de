"""Python's global random numbers, which belong to the user."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def kept_random_state() -> Iterator[None]:
    """Restore the state of Python's global random numbers at the end of a block.

    For imports: scikit-learn imports rich, which draws a number for each of its styles.

    >>> import random
    >>> random.seed(1)
    >>> expected = random.random()
    >>> random.seed(1)
    >>> with kept_random_state():
    ...     _ = random.random()
    >>> random.random() == expected
    True
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
