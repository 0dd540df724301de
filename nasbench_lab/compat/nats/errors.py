"""The errors of the faces of NATS-Bench and NAS-Bench-201: ours, and at the same time of the originals' kinds.

The originals raise ``KeyError``, ``ValueError`` or ``AssertionError`` for the same mistake, depending on the method and
on how the archive was opened. A script that catches any of these must go on working, so each class here is all of them
that the originals use for its kind of mistake.
"""

from __future__ import annotations

from typing import final

from nasbench_lab.errors import MissingDataError, ParameterError


@final
class MissingResultError(MissingDataError, KeyError, ValueError, AssertionError):
    """The archive has no such architecture, data set, hyper-parameters, evaluation set or epoch."""

    def __str__(self) -> str:
        # Not that of KeyError, which puts the message in quotation marks.
        return Exception.__str__(self)


@final
class ArgumentError(ParameterError, AssertionError):
    """An argument makes no sense: an epoch, seed or index out of range, an unknown name."""
