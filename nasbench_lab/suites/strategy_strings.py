"""Strategies with parameters, as people type them."""

from __future__ import annotations

import ast
from typing import Any

from nasbench_lab.errors import ParameterError


def parse_strategy(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``name:parameter=value,...`` into the name and the parameters.

    Values are numbers, ``True``, ``False``, ``None``, quoted text, or else plain text.

    Raises:
        ParameterError: the text is malformed.

    >>> parse_strategy("regularized-evolution:population_size=20,sample_size=5")
    ('regularized-evolution', {'population_size': 20, 'sample_size': 5})
    >>> parse_strategy("local-search:improvement=first")
    ('local-search', {'improvement': 'first'})
    """
    name, colon, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for part in rest.split(",") if colon else []:
        key, equals, value = part.partition("=")
        if not equals or not key.strip().isidentifier() or not value:
            raise ParameterError(f"malformed strategy {text!r}; write name or name:parameter=value,parameter=value")
        if key.strip() in parameters:
            raise ParameterError(f"parameter {key.strip()!r} is given twice in {text!r}")
        parameters[key.strip()] = _value(value.strip())
    return name, parameters


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
