"""Options in messages, as users of Python or of the command line would write them."""

from __future__ import annotations

import contextlib
import contextvars
import shlex
from collections.abc import Iterator, Mapping
from types import EllipsisType
from typing import Any

_FLAGS = {
    "metrics": "metric",
    "units": "unit",
    "directions": "direction",
    "splits": "split",
    "columns": "column",
    "target": "out",
}
"""Options that have another name on the command line, where most of them can be repeated."""

_as_flags = contextvars.ContextVar("_as_flags", default=False)


@contextlib.contextmanager
def as_flags() -> Iterator[None]:
    """Write options in messages as flags of the command line inside the block."""
    token = _as_flags.set(True)
    try:
        yield
    finally:
        _as_flags.reset(token)


def option(name: str, value: Any = ...) -> str:
    """Return an option with a value as a user would write it.

    Args:
        name: name of the option of `read_columns`.
        value: the value; ``...`` for a value that the user must fill in.

    >>> option("units", {"val acc": "percent"}), option("match_repeats", False), option("repeat")
    ("units={'val acc': 'percent'}", 'match_repeats=False', 'repeat=...')
    >>> with as_flags():
    ...     option("units", {"val acc": "percent"}), option("match_repeats", False), option("repeat")
    ("--unit 'val acc=percent'", '--no-match-repeats', '--repeat ...')
    """
    if not _as_flags.get():
        return f"{name}={'...' if value is ... else repr(value)}"
    flag = _FLAGS.get(name, name).replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    values = [f"{key}={text}" for key, text in value.items()] if isinstance(value, Mapping) else [value]
    return " ".join(f"--{flag} {'...' if isinstance(v, EllipsisType) else shlex.quote(str(v))}" for v in values)


def option_name(name: str) -> str:
    """Return the name of an option as a user would write it.

    >>> option_name("per_epoch")
    'per_epoch'
    >>> with as_flags():
    ...     option_name("per_epoch")
    '--per-epoch'
    """
    return f"--{_FLAGS.get(name, name).replace('_', '-')}" if _as_flags.get() else name
