"""Standard output that is full or that nobody reads, and Ctrl-C at any moment."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import assert_refused, nasbench_lab_here

from nasbench_lab.cli import app, cite
from nasbench_lab.cli.interrupts import INTERRUPTED, noticed_interrupts
from nasbench_lab.cli.streams import NO_READER

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/full, pipes and signals of Unix")

FULL = Path("/dev/full")
COMMAND = [sys.executable, "-m", "nasbench_lab"]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--version"], {}),
        (["strategies"], {}),
        (["--version"], {"PYTHONUNBUFFERED": "1"}),
        (["--version"], {"PYTHONIOENCODING": "ascii"}),
    ],
)
def test_a_full_output_is_one_line(arguments, environment):
    if not FULL.exists():
        pytest.skip("this system has no /dev/full")
    with FULL.open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
    assert done.returncode == 2
    assert done.stderr == f"nasbench-lab: cannot write to standard output: {os.strerror(28)}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["tables", "list"]])
def test_a_reader_that_has_gone_ends_the_command_like_sigpipe(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (NO_READER, "")


def test_standard_error_that_cannot_be_written_changes_no_exit_code():
    if not FULL.exists():
        pytest.skip("this system has no /dev/full")
    with FULL.open("w") as full:
        done = subprocess.run([*COMMAND, "cite", "digits/chian"], stdout=subprocess.DEVNULL, stderr=full)
    assert done.returncode == 2


@pytest.mark.parametrize("seconds", [0.1, 0.4, 1.0])
def test_ctrl_c_while_a_command_starts_prints_no_traceback(seconds):
    command = [
        *COMMAND,
        "run",
        "--table",
        "digits/chain",
        "--strategy",
        "tpe",
        "--runs",
        "4000",
        "--evaluations",
        "200",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, INTERRUPTED), "a shell shows the same for both"
    assert (shown, said) in (("", ""), ("", "stopped\n"))


class LosesIt:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_that_was_lost_while_an_object_was_deleted_is_raised_again():
    with noticed_interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            del [LosesIt()][:]
            time.sleep(20)
        assert interrupts.noticed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_command_that_swallows_ctrl_c_does_not_exit_with_0(monkeypatch):
    def swallow(*_arguments, **_options):
        with contextlib.suppress(BaseException):  # as some packages do
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(app, "app", swallow)
    assert nasbench_lab_here("tables").returncode == INTERRUPTED


def test_an_interrupted_command_that_has_no_message_of_its_own_says_stopped(monkeypatch):
    def interrupt(*_names):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(cite, "bibtex", interrupt)
    done = nasbench_lab_here("cite", "digits/chain")
    assert (done.returncode, done.stderr) == (INTERRUPTED, "stopped\n")


# Mistakes in the code of users.

RAISES = """
class Raises:
    def __init__(self, space, random):
        self.size = space.size

    def ask(self):
        return 0

    def tell(self, architecture, value):
        {}["missing"]


class Refuses(Raises):
    def __init__(self, space, random):
        raise TypeError("not today")
"""


KEY_ERROR = "strategy 'Raises' on table 'digits/chain': KeyError: 'missing' (mine.py, line 10, in tell)"
TYPE_ERROR = "cannot make Refuses with (space, random): TypeError: not today (mine.py, line 15, in __init__)"


@pytest.mark.parametrize(
    ("name", "said"),
    [("Raises", f"{KEY_ERROR}; to see the traceback, use --verbose"), ("Refuses", TYPE_ERROR)],
)
def test_an_error_of_a_users_strategy_is_one_line_with_its_place(tmp_path, name, said):
    (tmp_path / "mine.py").write_text(RAISES)
    arguments = ["run", "--table", "digits/chain", "--strategy", f"{tmp_path / 'mine.py'}:{name}"]
    small = ["--runs", "2", "--evaluations", "3"]
    done = nasbench_lab_here(*arguments, *small)
    assert_refused(done)
    assert done.stderr == f"nasbench-lab: {said}\n"
    traced = nasbench_lab_here(*arguments, *small, NASBENCH_LAB_TRACEBACK="1")
    assert traced.stderr.startswith("Traceback (most recent call last):\n")
    assert traced.stderr.endswith(done.stderr)


def test_an_error_of_the_package_itself_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(app, "app", "{missing}".format)
    with pytest.raises(KeyError):
        app._run()
