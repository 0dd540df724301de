"""What must happen before the package is imported.

Ctrl-C ends the command line without a traceback, and a shell that asks for completions gets its answer at once.

Importing takes up to a second. The command line then decides itself what Ctrl-C does (`nasbench_lab.cli.interrupts`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

_COMMANDS = ("-m", "nasbench-lab", "nasbench-lab.exe")
"""Names of the running program while ``python -m nasbench_lab`` or ``nasbench-lab`` imports this package."""


def is_command_line() -> bool:
    """Return whether the command line is starting, and not another program that uses the package."""
    program = Path(sys.argv[0]).name if sys.argv else ""
    return program in _COMMANDS and (program != "-m" or "nasbench_lab" in sys.orig_argv)


_is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # ignored in the background

if is_command_line() and _is_usual and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.SIG_DFL)

if is_command_line() and "_NASBENCH_LAB_COMPLETE" in os.environ:
    from nasbench_lab.cli.completion import answer_from_snapshot

    answer_from_snapshot()  # ends the process if it can
