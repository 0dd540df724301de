"""Calling callbacks so that none of their errors can harm a training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from nasbench_lab.errors import CallbackWarning, ParameterError
from nasbench_lab.messages import described, shortened
from nasbench_lab.train.callbacks.callback import Callback, Status, TrainingRun

_METHODS = ("on_start", "on_epoch", "on_end")


class GuardedCallbacks:
    """Several callbacks. One that raises an error is not called again, with a `CallbackWarning`.

    At the end of a ``with`` block, trainings that have not ended are reported as stopped, so that loggers close them.

    Args:
        callbacks: one callback, or several.

    Raises:
        ParameterError: something else than a callback was given.

    >>> with GuardedCallbacks(Callback()) as callbacks:
    ...     callbacks.active
    True
    """

    def __init__(self, callbacks: Callback | Sequence[Callback]) -> None:
        self._callbacks = check_callbacks(callbacks)
        self._open: dict[str, TrainingRun] = {}

    @property
    def active(self) -> bool:
        """Whether there is any callback left to call."""
        return bool(self._callbacks)

    def start(self, run: TrainingRun) -> None:
        """Call ``on_start`` of all callbacks."""
        self._open[run.name] = run
        self._call("on_start", run)

    def epoch(self, run: TrainingRun, epoch: int, values: Mapping[str, float]) -> None:
        """Call ``on_epoch`` of all callbacks."""
        self._call("on_epoch", run, epoch, dict(values))

    def end(self, run: TrainingRun, metrics: Mapping[str, float], status: Status) -> None:
        """Call ``on_end`` of all callbacks."""
        self._open.pop(run.name, None)
        self._call("on_end", run, dict(metrics), status)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        for run in list(self._open.values()):
            self.end(run, {}, "stopped")

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in list(self._callbacks):
            try:
                getattr(callback, method)(*arguments)
            except Exception as error:  # whatever a callback does, the training is worth more
                self._callbacks.remove(callback)
                warnings.warn(
                    f"the callback {type(callback).__name__} failed in {method} ({described(error)}); training goes on "
                    "without it",
                    CallbackWarning,
                    stacklevel=2,
                )


def check_callbacks(callbacks: Any) -> list[Callback]:
    """Return callbacks as a list; raise ParameterError for anything else.

    >>> check_callbacks(print)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: a callback needs the methods on_start, on_epoch, on_end, got <built-in ...>
    """
    given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for each in given:
        if isinstance(each, type) or not all(callable(getattr(each, method, None)) for method in _METHODS):
            raise ParameterError(f"a callback needs the methods {', '.join(_METHODS)}, got {shortened(each)}")
    return given
