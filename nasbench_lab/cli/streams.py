"""Standard output and standard error while a command runs: what happens if nobody reads them or they are full."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, final

from nasbench_lab.errors import OutputError

NO_READER = 141
"""Exit code if the reader of standard output has gone, as after ``| head``: that of programs that SIGPIPE ends."""


@contextlib.contextmanager
def guarded_streams() -> Iterator[None]:
    """Inside the block, errors of standard output end the command, and errors of standard error are ignored.

    If the reader has gone, the command ends without a message and with exit code `NO_READER`. If the output cannot be
    written, e.g. on a full disk, it is an OutputError.
    """
    before = sys.stdout, sys.stderr
    if sys.stdout is not None:  # None if the stream is closed
        sys.stdout = _Output(sys.stdout)
    if sys.stderr is not None:
        sys.stderr = _Messages(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in before:
            _give_up_unwritten(stream)


def _give_up_unwritten(stream: Any) -> None:
    """Discard what cannot be written: Python itself would try it again at its end, and print a warning."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


class _Guarded:
    """A stream with other error handling. Everything else is that of the stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> Any:
        """The binary stream, which typer uses if the encoding is ASCII."""
        return type(self)(self._stream.buffer)


@final
class _Output(_Guarded):
    """Standard output."""

    def write(self, text: Any) -> Any:
        with self._reported():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._reported():
            self._stream.flush()

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise SystemExit(NO_READER) from None
        except OSError as error:
            raise OutputError(f"cannot write to standard output: {error.strerror or error}") from error


@final
class _Messages(_Guarded):
    """Standard error. If it cannot be written, nobody can be told."""

    def write(self, text: Any) -> Any:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()
