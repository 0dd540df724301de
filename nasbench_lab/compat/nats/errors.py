"""Errors of the APIs of NATS-Bench and NAS-Bench-201, which are instances of the official error types, too.

The official APIs raise ``KeyError``, ``ValueError``, ``AssertionError`` or ``TypeError`` for the same mistake,
depending on the method and on how the archive was opened. Scripts that catch any of these must keep working, so each
class here inherits from all types that the official APIs use for its kind of mistake.
"""

from __future__ import annotations

from typing import final

from nasbench_lab.errors import MissingDataError, ParameterError


class _OneLine(Exception):  # noqa: N818 - only a base of errors
    """An error whose message is one line, even if it repeats an argument whose text has several."""

    def __str__(self) -> str:
        # That of KeyError would put the message in quotation marks.
        return " ".join(Exception.__str__(self).split())


@final
class MissingResultError(_OneLine, MissingDataError, KeyError, ValueError, AssertionError):
    """The archive has no such architecture, data set, hyper-parameters, evaluation set or epoch."""


@final
class ArgumentError(_OneLine, ParameterError, AssertionError):
    """An argument is wrong: an epoch, seed or index is out of range, or a name is unknown."""


@final
class ArgumentTypeError(_OneLine, ParameterError, TypeError, KeyError, AssertionError):
    """An argument has a type that the official APIs cannot use, such as a text or a float for an epoch."""


def shown(argument: object) -> str:
    """Return a wrong argument for a message: at most 60 characters, on one line.

    >>> shown("|nor_conv_3x3~0|"), len(shown("x" * 99))
    ("'|nor_conv_3x3~0|'", 60)
    """
    text = " ".join(repr(argument).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
