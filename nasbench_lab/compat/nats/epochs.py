"""Epochs as callers give them: any type, with the answers and errors of the official APIs.

The official APIs look up an epoch in a dictionary, count up to it with ``range``, and make a key from its text. So they
accept ``numpy.int64(11)`` like 11. They refuse 11.0, which ``range`` does not take, and 11.5, which no dictionary has.
They find the training accuracy of ``True`` (epoch 1), but no validation accuracy, whose key would be ``x-valid@True``.
"""

from __future__ import annotations

import functools
from typing import Any

from nasbench_lab.compat.nats.errors import ArgumentError, ArgumentTypeError, MissingResultError, shown


def check_range(iepoch: Any, epochs: int) -> None:
    """Raise an error unless an epoch is at least 0 and below ``epochs``.

    Raises:
        ArgumentError: it is not.
        ArgumentTypeError: it cannot be compared with numbers.
    """
    try:
        outside = iepoch < 0 or iepoch >= epochs
    except TypeError as error:
        raise _not_whole(iepoch) from error
    if outside:
        raise ArgumentError(f"epoch {shown(iepoch)} is not in 0..{epochs - 1}")


def position_of(iepoch: Any, epochs: int) -> int:
    """Return the epoch, counted from 0, that equals the given one.

    Raises:
        ArgumentError: the epoch is out of range.
        MissingResultError: it is not a whole number.
        ArgumentTypeError: it is not a number.

    >>> position_of(11, 12), position_of(True, 12)
    (11, 1)
    """
    if type(iepoch) is int and 0 <= iepoch < epochs:
        return iepoch
    check_range(iepoch, epochs)
    try:
        found = _positions(epochs).get(iepoch)
    except TypeError as error:
        raise _not_whole(iepoch) from error
    if found is None:
        raise MissingResultError(f"there is no epoch {shown(iepoch)}; epochs are whole numbers, 0..{epochs - 1}")
    return found


def check_countable(iepoch: Any) -> None:
    """Raise an error unless the seconds of all epochs up to one can be added, which needs a whole number.

    Raises:
        ArgumentTypeError: the epoch is of a type such as float, even if it equals a whole number.
    """
    try:
        range(iepoch + 1)
    except TypeError as error:
        raise _not_whole(iepoch) from error


def evaluation_position(iepoch: Any, epochs: int) -> int | None:
    """Return the epoch, counted from 0, whose evaluations have the text of ``iepoch`` in their keys; else None.

    >>> evaluation_position(1, 12), evaluation_position(True, 12)
    (1, None)
    """
    return _texts(epochs).get(f"{iepoch}")


@functools.cache
def _positions(epochs: int) -> dict[int, int]:
    return {epoch: epoch for epoch in range(epochs)}


@functools.cache
def _texts(epochs: int) -> dict[str, int]:
    return {f"{epoch}": epoch for epoch in range(epochs)}


def _not_whole(iepoch: Any) -> ArgumentTypeError:
    return ArgumentTypeError(f"an epoch must be a whole number, not {shown(iepoch)} ({type(iepoch).__name__})")
