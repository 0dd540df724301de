"""Running the command line, in a process of its own or in this one, and what a refused command looks like."""

import contextlib
import io
import os
import subprocess
import sys

import pytest

from nasbench_lab.cli import main


def nasbench_lab(*arguments, **environment):
    """Run a command in a process of its own, as a user does."""
    command = [sys.executable, "-m", "nasbench_lab", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )


def nasbench_lab_here(*arguments, **environment):
    """Run a command in this process, which is faster than a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["nasbench-lab", *map(str, arguments)])
        for key, value in environment.items():
            patch.setenv(key, value)
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def assert_refused(done, *parts):
    """One line on standard error, exit code 2, nothing on standard output."""
    assert done.returncode == 2, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("nasbench-lab: ")
    for part in parts:
        assert part in lines[0]
