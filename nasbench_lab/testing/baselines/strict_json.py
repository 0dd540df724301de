"""Reading JSON strictly, member by member, and writing it in a form that is easy to review."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line

_WIDTH = 110


def parse(text: str) -> JsonObject:
    """Read a JSON object strictly, without duplicate members, NaN or infinity.

    Raises:
        DataError: the text is not such an object.

    >>> parse('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: a member is given twice
    """
    try:
        document = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_without_duplicates)
    except RecursionError as error:
        raise DataError("it is nested too deeply") from error
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"it is not JSON: {first_line(error)}") from error
    return JsonObject("", document)


class JsonObject:
    """An object of a JSON document. Members are read by name and type; a wrong or missing member is a DataError."""

    def __init__(self, name: str, content: Any) -> None:
        require(isinstance(content, dict), f"{name or 'the document'} must be an object")
        self._name, self._content = name, content

    def names(self) -> list[str]:
        """Return the names of the members, sorted."""
        return sorted(self._content)

    def part(self, name: str) -> JsonObject:
        """Return a member that is an object."""
        return JsonObject(self._called(name), self._member(name))

    def value(self, name: str, kind: Any) -> Any:
        """Return a member of a type, such as ``int | None``."""
        value = self._member(name)
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        require(not wrong, f"{self._called(name)} has a value of the wrong type")
        return value

    def number(self, name: str) -> float:
        """Return a member that is a finite number."""
        return _number(self.value(name, int | float), self._called(name))

    def numbers(self, name: str) -> list[float]:
        """Return a member that is a list of finite numbers."""
        values = self.value(name, list)
        good = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        require(good, f"{self._called(name)} must be a list of numbers")
        return [_number(value, self._called(name)) for value in values]

    def texts(self, name: str) -> list[str]:
        """Return a member that is a list of strings."""
        values = self.value(name, list)
        require(all(isinstance(value, str) for value in values), f"{self._called(name)} must be a list of strings")
        return values

    def _member(self, name: str) -> Any:
        require(name in self._content, f"it lacks {self._called(name)}")
        return self._content[name]

    def _called(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name


def _number(value: float, name: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    require(math.isfinite(number), f"{name} has a number that is not finite")
    return number


def require(condition: bool, message: str) -> None:
    """Raise a DataError with this message unless the condition holds."""
    if not condition:
        raise DataError(message)


def _no_constant(name: str) -> Any:
    raise DataError(f"it contains {name}, which is not a JSON number")


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    require(len(members) == len(pairs), "a member is given twice")
    return members


def render(value: Any, indent: str = "") -> str:
    """Return JSON with sorted keys, one member per line, and lists wrapped at a fixed width.

    >>> print(render({"b": [1, 2], "a": {}}))
    {
      "a": {},
      "b": [1, 2]
    }
    """
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        members = [f"{inner}{json.dumps(str(name))}: {render(value[name], inner)}" for name in sorted(value)]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and value:
        lines = _wrapped([_scalar(item) for item in value], _WIDTH - len(inner))
        if len(lines) == 1:
            return f"[{lines[0]}]"
        return "[\n" + ",\n".join(inner + line for line in lines) + f"\n{indent}]"
    return _scalar(value)


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 2 + len(word) <= width:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


_scalar: Callable[[Any], str] = json.JSONEncoder(sort_keys=True, allow_nan=False).encode
