"""Shorthands for the positions of long chains: repeated positions, and names that stand for several layers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nasbench_lab.checks import AtLeast, AtMost, require, whole
from nasbench_lab.messages import shortened, unknown

MOST_POSITIONS = 1000
_MOST_CHOICES = 127  # codes are kept as int8
_LONGEST_NAME = 1000  # characters
_BRACES = re.compile(r"\{([^{}]*)\}")
_KEYS = ("choices", "layers", "repeat")

Position = Sequence[str] | Mapping[str, Any]


def expanded(layers: Sequence[Position]) -> tuple[tuple[str, ...], ...]:
    """Return the choices of every position, without shorthands.

    Args:
        layers: for every position a list of names, or a mapping: ``choices`` for one position, or ``layers`` for
            several, and ``repeat``, how often. In a name, ``{3x3,5x5}`` stands for several names.

    Raises:
        ParameterError: an entry is not of this form, or there are more than a thousand positions.

    >>> expanded([{"choices": ["conv{3x3,5x5}-8", "identity"], "repeat": 2}, ["relu"]])
    (('conv3x3-8', 'conv5x5-8', 'identity'), ('conv3x3-8', 'conv5x5-8', 'identity'), ('relu',))
    >>> expanded([{"layers": [["relu"], ["tanh", "identity"]], "repeat": 2}])
    (('relu',), ('tanh', 'identity'), ('relu',), ('tanh', 'identity'))
    """
    found = list(itertools.islice(_positions(layers), MOST_POSITIONS + 1))
    require(len(found) <= MOST_POSITIONS, f"a chain can have at most {MOST_POSITIONS} positions")
    return tuple(found)


def _positions(layers: Any) -> Iterator[tuple[str, ...]]:
    listed = isinstance(layers, Sequence) and not isinstance(layers, str)
    require(
        listed and bool(layers), f"layers of a chain must be a list of at least one position, got {shortened(layers)}"
    )
    for entry in layers:
        if not isinstance(entry, Mapping):
            yield _choices(entry)
            continue
        for key in entry:
            if key not in _KEYS:
                raise unknown("key of a position", key, _KEYS)
        require(
            ("choices" in entry) != ("layers" in entry),
            f"a position that is a table needs 'choices', or 'layers' for several positions, got {shortened(entry)}",
        )
        repeat = whole("repeat", entry.get("repeat", 1), AtLeast(1), AtMost(MOST_POSITIONS))
        block = (
            list(itertools.islice(_positions(entry["layers"]), MOST_POSITIONS + 1))
            if "layers" in entry
            else [_choices(entry["choices"])]
        )
        for _ in range(repeat):
            yield from block


def _choices(choices: Any) -> tuple[str, ...]:
    """Return the choices of a position, with every brace replaced by what it stands for."""
    listed = isinstance(choices, Sequence) and not isinstance(choices, str)
    require(
        listed and all(isinstance(each, str) and len(each) <= _LONGEST_NAME for each in choices),
        f"a position of a chain needs a list of names of layers, got {shortened(choices)}",
    )
    found = tuple(itertools.islice(itertools.chain.from_iterable(map(_names, choices)), _MOST_CHOICES + 1))
    require(
        len(found) <= _MOST_CHOICES, f"a position can have at most {_MOST_CHOICES} choices, got {shortened(choices)}"
    )
    return found


def _names(text: str) -> Iterator[str]:
    match = _BRACES.search(text)
    if match is None:
        yield text
        return
    for value in match[1].split(","):
        for rest in _names(text[match.end() :]):
            yield f"{text[: match.start()]}{value.strip()}{rest}"
