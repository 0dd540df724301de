"""Atomic writes: what a killed process leaves behind is removed by the next one, and nothing else is."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from nasbench_lab import files
from nasbench_lab.errors import OutputError
from nasbench_lab.files import atomic_folder, atomic_path, is_working

KINDS = ("atomic_path", "atomic_folder")

WRITE = """
import sys, time
from pathlib import Path
from nasbench_lab.files import {kind}

with {kind}(Path(sys.argv[1])) as temporary:
    file = temporary / "inside" if temporary.is_dir() else temporary
    file.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def writing(kind, target):
    """A process that writes and never ends."""
    command = [sys.executable, "-c", WRITE.format(kind=kind), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


def kill_while_writing(kind, target):
    with writing(kind, target) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()


def write(kind, target):
    """As another process does: each looks for leftovers once in every folder."""
    files._remove_leftovers.cache_clear()
    replace = [path.name for path in target.iterdir()] if target.is_dir() else None
    with atomic_folder(target, replace=replace) if kind == "atomic_folder" else atomic_path(target) as temporary:
        file = temporary / "inside" if temporary.is_dir() else temporary
        file.write_text("whole")


def working(folder):
    return [path for path in folder.iterdir() if is_working(path)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_killed_processes_left_behind_is_removed_by_the_next(tmp_path, kind):
    kill_while_writing(kind, tmp_path / "made.h5")
    assert len(working(tmp_path)) == 1
    write(kind, tmp_path / "other.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["other.h5"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_living_process_writes_is_left_alone(tmp_path, kind):
    with writing(kind, tmp_path / "made.h5"):
        (before,) = working(tmp_path)
        write(kind, tmp_path / "other.h5")
        assert working(tmp_path) == [before]
    write(kind, tmp_path / "third.h5")
    assert working(tmp_path) == []


def test_a_folder_that_is_replaced_is_cleared_of_leftovers(tmp_path):
    """Here the working folder is inside the folder."""
    (tmp_path / "made").mkdir()
    kill_while_writing("atomic_folder", tmp_path / "made")
    assert len(working(tmp_path / "made")) == 1
    write("atomic_folder", tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["inside"]


def age(folder, hours):
    then = time.time() - hours * 3600
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))


@pytest.mark.parametrize("lock", ["of-another-machine.lock", None])
def test_without_a_lock_of_this_machine_a_day_must_pass(tmp_path, lock):
    left = tmp_path / ".nasbench-lab-0a1b2c3d"
    left.mkdir()
    (left / "table.h5").write_text("half")
    if lock is not None:
        (left / lock).write_text("")
    age(left, hours=23)
    write("atomic_path", tmp_path / "table.h5")
    assert left.exists(), "its process may be at work"
    age(left, hours=25)
    write("atomic_path", tmp_path / "table.h5")
    assert not left.exists()


@pytest.mark.parametrize("name", [".table-abcdefgh.h5", ".nasbench-lab", ".git", "nasbench-lab-0a1b2c3d"])
def test_other_folders_and_files_stay(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").write_text("mine")
    age(tmp_path / name, hours=1_000)
    write("atomic_path", tmp_path / "table.h5")
    assert (tmp_path / name / "mine").read_text() == "mine"


def test_folders_inside_a_folder_are_replaced_or_removed(tmp_path):
    for content in ({"weights/a": "1", "weights/b": "1", "x": "1"}, {"weights/a": "2"}, {"x": "3"}):
        with atomic_folder(tmp_path / "made", replace=["weights", "x"]) as temporary:
            for name, text in content.items():
                (temporary / name).parent.mkdir(exist_ok=True)
                (temporary / name).write_text(text)
        found = {path.relative_to(tmp_path / "made").as_posix(): path for path in (tmp_path / "made").rglob("*")}
        assert {name: path.read_text() for name, path in found.items() if path.is_file()} == content
        assert ("weights" in found) == ("weights/a" in content)
    assert working(tmp_path / "made") == []


def test_an_error_leaves_nothing(tmp_path):
    for write in (atomic_path, atomic_folder):
        with pytest.raises(ZeroDivisionError), write(tmp_path / "made") as temporary:
            assert temporary.exists()
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [200, 245, 255])
def test_names_may_be_as_long_as_the_file_system_allows(tmp_path, length):
    target = tmp_path / ("x" * (length - 3) + ".h5")
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    with atomic_folder(tmp_path / ("y" * length)) as temporary:
        (temporary / "inside").write_text("whole")
    assert (tmp_path / ("y" * length) / "inside").read_text() == "whole"


def test_messages_name_the_target_and_not_the_temporary_path(tmp_path):
    with (
        pytest.raises(OutputError) as refused,
        atomic_folder(tmp_path / "made") as temporary,
        atomic_path(temporary / "traces.h5"),
    ):
        raise OSError(28, "No space left on device")
    assert str(refused.value) == f"cannot write {tmp_path / 'made' / 'traces.h5'}: No space left on device"


HDF5 = (
    "Can't synchronously write data (file write failed: time = Mon Nov 30 07:59:49 2026\n, filename = 'x.h5', "
    "file descriptor = 3, errno = 28, error message = 'No space left on device', buf = 0x55933e217128)"
)


@pytest.mark.parametrize("error", [OSError(28, HDF5), RuntimeError(HDF5)])
def test_errors_of_hdf5_are_told_in_the_words_of_the_system(tmp_path, error):
    with pytest.raises(OutputError) as refused, atomic_path(tmp_path / "x.h5"):
        raise error
    assert str(refused.value) == f"cannot write {tmp_path / 'x.h5'}: {os.strerror(28)}"
