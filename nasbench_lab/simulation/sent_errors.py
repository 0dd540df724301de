"""Errors that a process sends to the one that started it."""

from __future__ import annotations

import pickle
import traceback
from typing import NamedTuple

from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import described, place_in_user_code, set_place
from nasbench_lab.simulation.sent_objects import packed


class SentError(NamedTuple):
    """An error of another process.

    Attributes:
        packed: the error; empty if it cannot be pickled.
        text: what it says in one line.
        place: where in the code of the user it was raised; empty if nowhere there.
        details: its traceback.
    """

    packed: bytes
    text: str
    place: str
    details: str


class _RemoteError(Exception):
    """The cause of an error that another process raised; its message is the traceback there."""


def sent_error(error: BaseException) -> SentError:
    """Return an error as what is sent."""
    try:
        content = packed(error)
    except Exception:  # an error that cannot be pickled
        content = b""
    details = "".join(traceback.format_exception(error))
    return SentError(content, described(error), place_in_user_code(error.__traceback__), details)


def received_error(sent: SentError, otherwise: type[NasbenchLabError] = NasbenchLabError) -> BaseException:
    """Return the error that another process sent. Its cause is the traceback there.

    Args:
        sent: what was sent.
        otherwise: the class of the error if the original one cannot be read.
    """
    try:
        error: BaseException = pickle.loads(sent.packed)  # noqa: S301 - of a process that this one started
    except Exception:
        error = otherwise(sent.text)
    else:
        set_place(error, sent.place)
    error.__cause__ = _RemoteError(f"\n{sent.details}")
    return error
