"""Atomic writes: what a killed process leaves behind is removed, and nothing else is."""

import os
import signal
import subprocess
import sys
import time

import pytest

WRITE_AND_HANG = """
import sys, time
from pathlib import Path
from nasbench_lab.files import atomic_path

with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def kill_while_writing(target):
    command = [sys.executable, "-c", WRITE_AND_HANG, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)


def age(path, hours):
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


WRITE = """
import sys
from pathlib import Path
from nasbench_lab.files import atomic_path

with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("whole")
"""


def write(target):
    """In a process of its own, as it is another one than that which was killed."""
    subprocess.run([sys.executable, "-c", WRITE, str(target)], check=True)


def test_what_a_killed_process_left_behind_is_removed_a_day_later(tmp_path):
    target = tmp_path / "table.h5"
    kill_while_writing(target)
    (left,) = tmp_path.iterdir()
    write(target)
    assert left.exists(), "it may be another process that is still writing"
    age(left, hours=25)
    write(target)
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "whole"


@pytest.mark.parametrize(
    "name", [".table-2-abcdefgh.h5", ".table-abcdefgh.json", ".tab-abcdefgh.h5", "table-abcdefgh.h5"]
)
def test_other_files_stay(tmp_path, name):
    other = tmp_path / name
    other.write_text("mine")
    age(other, hours=1_000)
    write(tmp_path / "table.h5")
    assert other.read_text() == "mine"
