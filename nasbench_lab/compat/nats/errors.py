"""Errors of the APIs of NATS-Bench and NAS-Bench-201, which are instances of the official error types, too.

The official APIs raise ``KeyError``, ``ValueError`` or ``AssertionError`` for the same mistake, depending on the method
and on how the archive was opened. Scripts that catch any of these must keep working, so each class here inherits from
all types that the official APIs use for its kind of mistake.
"""

from __future__ import annotations

from typing import final

from nasbench_lab.errors import MissingDataError, ParameterError


@final
class MissingResultError(MissingDataError, KeyError, ValueError, AssertionError):
    """The archive has no such architecture, data set, hyper-parameters, evaluation set or epoch."""

    def __str__(self) -> str:
        # That of KeyError would put the message in quotation marks.
        return Exception.__str__(self)


@final
class ArgumentError(ParameterError, AssertionError):
    """An argument is wrong: an epoch, seed or index is out of range, or a name is unknown."""
