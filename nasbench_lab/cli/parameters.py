"""The types of the parameters of commands, read from the annotations of their functions.

What typer itself makes of the annotations differs between its releases.
"""

from __future__ import annotations

import enum
import inspect
import typing
from dataclasses import dataclass
from types import NoneType
from typing import Any

from typer.models import ParameterInfo

_NUMBERS = {int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Kind:
    """What values a parameter takes.

    Attributes:
        type: type of one value.
        info: what typer was told; None if nothing.
    """

    type: Any
    info: ParameterInfo | None

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, if they can be listed."""
        if typing.get_origin(self.type) is typing.Literal:
            return tuple(map(str, typing.get_args(self.type)))
        if isinstance(self.type, type) and issubclass(self.type, enum.Enum):
            return tuple(str(each.value) for each in self.type)
        return ()

    @property
    def allowed(self) -> str:
        """What is allowed, in words; empty if anything is."""
        return " or ".join(self.choices) if self.choices else _NUMBERS.get(self.type, "") + self.limits

    @property
    def limits(self) -> str:
        """The limits of a number in words; empty if there are none."""
        low, high = (None, None) if self.info is None else (self.info.min, self.info.max)
        if low is None and high is None:
            return ""
        if high is None:
            return f" of at least {low}"
        return f" of at most {high}" if low is None else f" from {low} to {high}"

    def allows(self, text: str) -> bool:
        """Return whether a text is an allowed value."""
        if self.choices:
            return text in self.choices
        if self.type not in _NUMBERS:
            return True
        try:
            number = self.type(text)
        except ValueError:
            return False
        low, high = (None, None) if self.info is None else (self.info.min, self.info.max)
        return (low is None or number >= low) and (high is None or number <= high)


def kind_of_parameter(command: Any, parameter: Any) -> Kind:
    """Return what values a parameter of a command takes."""
    return kind_of(annotations_of(command).get(parameter.name, str))


def annotations_of(command: Any) -> dict[str, Any]:
    """Return the annotations of the function of a command, by parameter."""
    if not command.callback:
        return {}
    return typing.get_type_hints(inspect.unwrap(command.callback), include_extras=True)


def kind_of(annotation: Any) -> Kind:
    """Return what values an annotation allows.

    >>> kind_of(typing.Annotated[list[int] | None, typing.Literal["..."]]).allowed
    'a whole number'
    >>> kind_of(typing.Literal["local", "dask"]).allowed
    'local or dask'
    """
    info = None
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *said = typing.get_args(annotation)
        info = next((each for each in said if isinstance(each, ParameterInfo)), None)
    while typing.get_origin(annotation) not in (None, typing.Literal):
        inner = [each for each in typing.get_args(annotation) if each is not NoneType]
        annotation = inner[0]
    return Kind(annotation, info)
