"""Named choices and the notation of their combinations, such as ``kernel=3,width=16``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, final

from nasbench_lab.errors import OutOfSpaceError, ParameterError

Value = str | int | float
Choice = tuple[str, Sequence[Value]] | Sequence[Any]
"""A name and its values; a list of the two where it comes from JSON."""

MOST_VALUES = 127
"""How many values a choice can have: codes are kept as int8."""

_MOST_SHOWN = 20


@final
class Choices:
    """Named choices, their values, and the notation of their combinations.

    A combination is written as ``name=value`` of every choice, in order, with commas between them. So that it can be
    read again, no name has a comma or an equals sign, and no value has a comma, the next name and an equals sign.

    Args:
        choices: pairs of a name and its values. A number is kept as its text, so that 3 and "3" are the same value.

    Raises:
        ParameterError: there is no choice, a choice has no values, or a name or value is given twice or cannot be read
            again.

    >>> choices = Choices([("kernel", [3, 5]), ("width", [16, 32, 64])])
    >>> choices.format([1, 0]), choices.parse("kernel=3, width=64")
    ('kernel=5,width=16', (0, 2))
    """

    def __init__(self, choices: Iterable[Choice]) -> None:
        if isinstance(choices, str) or not isinstance(choices, Iterable):
            raise ParameterError(f"choices of a space are pairs of a name and its values, got {choices!r}")
        pairs = [_checked_pair(pair) for pair in choices]
        self.names = tuple(name for name, _ in pairs)
        self.values = tuple(values for _, values in pairs)
        if not pairs or len(set(self.names)) != len(pairs):
            raise ParameterError("a space needs at least one choice, and their names must be different")
        self.cardinalities = tuple(len(values) for values in self.values)
        self._codes = tuple({value: code for code, value in enumerate(values)} for values in self.values)
        self._starts = tuple(re.compile(rf"\s*{re.escape(name)}\s*=") for name in self.names)
        self._next = tuple(re.compile(rf",{start.pattern}") for start in self._starts[1:])
        for values, following, name in zip(self.values, self._next, self.names[1:], strict=False):
            for value in values:
                if (match := following.search(f"{value},{name}=")) is not None and match.start() != len(value):
                    raise ParameterError(f"{value!r} cannot be the value of a choice before the choice {name!r}")

    def spec(self) -> list[list[Any]]:
        """Return the choices as plain data."""
        return [[name, list(values)] for name, values in zip(self.names, self.values, strict=True)]

    def parse(self, text: str) -> tuple[int, ...]:
        """Return the codes of a combination, or raise OutOfSpaceError that names the wrong part."""
        names: list[re.Match[str]] = []
        for name, find in zip(self.names, (self._starts[0].match, *(n.search for n in self._next)), strict=True):
            match = find(text, names[-1].end() if names else 0)
            if match is None:
                raise OutOfSpaceError(
                    f"malformed architecture {text!r}: it has no {name!r} in place; write it like {self._example}"
                )
            names.append(match)
        ends = [*(match.start() for match in names[1:]), len(text)]
        values = [text[match.end() : end].strip() for match, end in zip(names, ends, strict=True)]
        for name, known, value in zip(self.names, self._codes, values, strict=True):
            if value not in known:
                raise OutOfSpaceError(f"unknown value {value!r} of {name!r}; allowed: {_shown([*known])}")
        return tuple(known[value] for known, value in zip(self._codes, values, strict=True))

    def format(self, codes: Sequence[int]) -> str:
        """Return the notation of the combination with these codes."""
        parts = zip(self.names, self.values, codes, strict=True)
        return ",".join(f"{name}={values[code]}" for name, values, code in parts)

    def labels(self, codes: Sequence[int]) -> tuple[str, ...]:
        """Return ``name = value`` of every choice.

        >>> Choices([("kernel", [3, 5]), ("width", [16, 32])]).labels([1, 0])
        ('kernel = 5', 'width = 16')
        """
        parts = zip(self.names, self.values, codes, strict=True)
        return tuple(f"{name} = {values[code]}" for name, values, code in parts)

    @property
    def _example(self) -> str:
        return self.format([0] * len(self.names))


def label(value: Value) -> str:
    """Return the text of a value; a whole number has no decimal point, even if it is a float.

    >>> label(3), label(3.0), label(0.1), label("3.0")
    ('3', '3', '0.1', '3.0')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _checked_pair(pair: Choice) -> tuple[str, tuple[str, ...]]:
    """Check the name and the values of one choice, and return them as texts."""
    if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
        raise ParameterError(f"a choice is a pair of a name and its values, got {pair!r}")
    name, values = pair
    if not isinstance(name, str) or not _readable(name) or "," in name or "=" in name:
        raise ParameterError(f"the name of a choice is text without ',' and '=', got {name!r}")
    if isinstance(values, str) or not isinstance(values, Sequence) or not 1 <= len(values) <= MOST_VALUES:
        raise ParameterError(f"the choice {name!r} needs a list of 1 to {MOST_VALUES} values")
    for value in values:
        if not isinstance(value, str | int | float) or not _readable(label(value)):
            raise ParameterError(f"a value of the choice {name!r} is a number or a text, got {value!r}")
    labels = tuple(label(value) for value in values)
    if len(set(labels)) != len(labels):
        twice = next(text for text in labels if labels.count(text) > 1)
        raise ParameterError(f"the choice {name!r} has the value {twice!r} twice")
    return name, labels


def _readable(text: str) -> bool:
    """Whether a text can be written between separators and read again."""
    return bool(text) and text == text.strip() and text.isprintable()


def _shown(values: Sequence[str]) -> str:
    return ", ".join(values[:_MOST_SHOWN]) + (", ..." if len(values) > _MOST_SHOWN else "")
