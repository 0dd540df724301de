"""Progress bars for whoever asks for them in Python: on a terminal, and in a notebook."""

from __future__ import annotations

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Update = Callable[[str, float, float], None]
"""Called with the state in words, what is done, and the total."""

_BETWEEN_UPDATES = 0.1  # seconds


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Update]:
    """Show a progress bar while the block runs: in a notebook below its cell, on a terminal on standard error.

    Where there is neither, as in a script that writes to a log, nothing is shown.

    Args:
        title: what is done.

    >>> with progress_bar("random-search on digits/chain") as update:
    ...     update("50 of 100 runs", 50, 100)
    """
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    with _notebook_bar(title) if _in_notebook() else _terminal_bar(title) if on_a_terminal else _no_bar() as update:
        yield update


def _in_notebook() -> bool:
    """Return whether this is a kernel, whose outputs are HTML; IPython on a terminal is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@contextlib.contextmanager
def _no_bar() -> Iterator[Update]:
    yield lambda _said, _done, _total: None


@contextlib.contextmanager
def _terminal_bar(title: str) -> Iterator[Update]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    words, said = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[said]}", markup=False)
    columns = (words, BarColumn(), said, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, said="")
        yield lambda said, done, total: bar.update(task, completed=done, total=total, said=said)


class _Shown:
    """The state of a bar as a notebook shows it."""

    def __init__(self, title: str, said: str, done: float, total: float, more: str) -> None:
        self._title, self._said, self._done, self._total, self._more = title, said, done, total, more

    def __repr__(self) -> str:
        return f"{self._title}: {self._state}"

    @property
    def _state(self) -> str:
        return ", ".join(filter(None, (self._said, self._more)))

    def _repr_html_(self) -> str:
        title, said = html.escape(self._title), html.escape(self._state)
        bar = f'<progress value="{self._done:.6g}" max="{self._total:.6g}" aria-label="{title}"></progress>'
        return f"<div>{title} {bar} {said}</div>"


class _NotebookBar:
    """A bar in the output of a cell, without ipywidgets, which the bars of Rich and tqdm need in notebooks."""

    def __init__(self, title: str) -> None:
        self._title, self._state = title, ("", 0.0, 1.0)
        self._started, self._shown_at = time.monotonic(), -_BETWEEN_UPDATES
        self._handle: Any = None

    def update(self, said: str, done: float, total: float) -> None:
        """Show the state, unless it was shown just before."""
        self._state, now = (said, done, total), time.monotonic()
        if now - self._shown_at >= _BETWEEN_UPDATES:
            self._shown_at = now
            self.show(_time_left(now - self._started, done, total))

    def show(self, more: str) -> None:
        """Show the last state and further words."""
        import IPython.display as outputs

        shown = _Shown(self._title, *self._state, more)
        if self._handle is None:
            self._handle = outputs.display(shown, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(shown)


@contextlib.contextmanager
def _notebook_bar(title: str) -> Iterator[Update]:
    bar = _NotebookBar(title)
    try:
        yield bar.update
    except BaseException:
        bar.show("stopped")
        raise
    bar.show("")


def _time_left(passed: float, done: float, total: float) -> str:
    """Return the time left in words; empty in the first two seconds, in which it is uncertain.

    >>> _time_left(10.0, 25, 100), _time_left(600.0, 1, 11), _time_left(0.5, 1, 2)
    ('30 s left', '100 min left', '')
    """
    if passed < 2 or not 0 < done < total:
        return ""
    seconds = passed * (total - done) / done
    return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"
