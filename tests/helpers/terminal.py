"""Running a command on a terminal."""

import os
import subprocess
import sys

import pytest


def on_a_terminal(*arguments, stream="stdout", **environment):
    """Return what the command line prints to one of its streams, a terminal; the command must succeed."""
    return run_on_a_terminal([sys.executable, "-m", "nasbench_lab", *arguments], stream, environment)


def run_on_a_terminal(command, stream, environment):
    """Return what a command prints to one of its streams, a terminal; the command must succeed."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal, which Windows has not")
    leader, follower = pty.openpty()
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    streams = {stream: follower, other: subprocess.DEVNULL}
    environment = {**os.environ, "TERM": "xterm", **environment}
    process = subprocess.Popen(command, env=environment, **streams)
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait() == 0
    os.close(leader)
    return shown.decode()
