"""The option ``--json``: the result of a command as one JSON document on standard output.

A command takes the option with ``as_json: AsJson = False`` and prints its result with `print_json`. The keys are
part of the public interface: docs/shell.md lists them, and a test compares.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def print_json(result: object) -> None:
    """Print a result as JSON on standard output.

    Args:
        result: anything that `to_plain` can turn into plain data.
    """
    typer.echo(json.dumps(to_plain(result), indent=2, allow_nan=False))


def to_plain(value: object) -> Any:
    """Return a value as plain data for JSON. Numbers that are not finite become None.

    Arrays and other iterables become lists, dataclasses and mappings become dicts, paths become texts.

    >>> to_plain({"best": np.float64(0.5), "regrets": np.array([1.0, np.nan]), "file": Path("a")})
    {'best': 0.5, 'regrets': [1.0, None], 'file': 'a'}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, enum.Enum):
        return to_plain(value.value)
    if isinstance(value, str | Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [to_plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")
