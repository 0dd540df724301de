"""Ctrl-C: no command ignores it."""

from __future__ import annotations

import _thread
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

INTERRUPTED = 130
"""Exit code of programs that were ended by Ctrl-C."""

_LATER = 0.02  # seconds


class Interrupts:
    """Whether Ctrl-C was pressed.

    Python raises KeyboardInterrupt wherever the program is. In some places it is lost: while an object is deleted, in a
    callback of a C library, or where a package ignores all errors. So it is also noted here.
    """

    def __init__(self) -> None:
        self.noticed = False

    def notice(self, _signal: int, _frame: FrameType | None) -> None:
        """Note Ctrl-C and raise KeyboardInterrupt; a handler of signals."""
        self.noticed = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt again if Ctrl-C was pressed."""
        if self.noticed:
            raise KeyboardInterrupt


interrupts = Interrupts()
"""Those of the command that is running."""


@contextlib.contextmanager
def noticed_interrupts() -> Iterator[Interrupts]:
    """Note every Ctrl-C inside the block, and raise KeyboardInterrupt again if one was lost."""
    interrupts.noticed = False
    usual = signal.getsignal(signal.SIGINT)
    # A command in the background ignores Ctrl-C, and only the main thread may change what signals do.
    if usual is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    hook, timers = sys.unraisablehook, []

    def lost(unraisable: Any) -> None:
        if unraisable.exc_type is not KeyboardInterrupt:
            hook(unraisable)
            return
        # From another thread and later: now, it would be lost again, in this function.
        timers.append(threading.Timer(_LATER, _interrupt_main_thread))
        timers[-1].start()

    signal.signal(signal.SIGINT, interrupts.notice)
    sys.unraisablehook = lost
    try:
        yield interrupts
    finally:
        for timer in timers:
            timer.cancel()
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler if usual is signal.SIG_DFL else usual)


def _interrupt_main_thread() -> None:
    """Send Ctrl-C to the main thread. Where it is possible, a signal also ends a call that the thread waits in."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:  # Windows
        _thread.interrupt_main()
