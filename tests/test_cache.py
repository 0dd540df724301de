"""Files of the cache are made once, whatever happens to the processes that make them."""

import signal
import subprocess
import sys
import time

import pytest

from nasbench_lab.cache import make_once
from nasbench_lab.errors import OutputError

MAKER = """
import sys, time
from pathlib import Path
from nasbench_lab.cache import make_once

target, seconds = Path(sys.argv[1]), float(sys.argv[2])

def make(draft):
    draft.mkdir()
    (draft / "first").write_text("half")
    print("making", flush=True)
    time.sleep(seconds)
    (draft / "second").write_text("done")

print("begins", flush=True)
make_once(target, make)
print(sorted(path.name for path in target.iterdir()), flush=True)
"""


def start(target, seconds):
    command = [sys.executable, "-c", MAKER, str(target), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_for(process, line):
    for found in process.stdout:
        if found.strip() == line:
            return
    raise AssertionError(f"the process ended without {line!r}")


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_many_processes_make_it_once(tmp_path):
    target = tmp_path / "archives" / "made"
    processes = [start(target, 0.3) for _ in range(4)]
    said = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum("making" in lines for lines in said) == 1
    assert {lines[-1] for lines in said} == {"['first', 'second']"}
    assert hidden(target.parent) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_who_waits_takes_over_from_a_killed_process(tmp_path):
    target = tmp_path / "archives" / "made"
    killed = start(target, 600)
    wait_for(killed, "making")
    waiting = start(target, 0)
    wait_for(waiting, "begins")
    time.sleep(0.2)
    assert waiting.poll() is None
    killed.kill()
    said = waiting.communicate(timeout=60)[0].splitlines()
    killed.communicate()
    assert said == ["making", "['first', 'second']"]
    assert hidden(target.parent) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_what_a_killed_process_left_is_removed_by_the_next_for_any_target(tmp_path):
    folder = tmp_path / "archives"
    killed, running = start(folder / "killed", 600), start(folder / "running", 600)
    try:
        for process in (killed, running):
            wait_for(process, "making")
        killed.kill()
        killed.communicate()
        assert sorted(hidden(folder)) == [".killed.unfinished", ".running.unfinished"]
        make_once(folder / "other", lambda draft: draft.write_text("done"))
        assert hidden(folder) == [".running.unfinished"]  # its owner lives
        make_once(folder / "killed", lambda draft: draft.write_text("done"))
        assert (folder / "killed").read_text() == "done"
    finally:
        running.kill()
        running.communicate()


def test_a_failure_leaves_nothing_and_may_be_tried_again(tmp_path):
    target = tmp_path / "archives" / "made"

    def fail(draft):
        draft.write_text("half")
        raise KeyError("no")

    with pytest.raises(KeyError):
        make_once(target, fail)
    assert list(target.parent.iterdir()) == []
    make_once(target, lambda draft: draft.write_text("done"))
    assert target.read_text() == "done"


def test_a_cache_that_cannot_be_written_is_an_error_in_one_line(tmp_path):
    (tmp_path / "archives").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        make_once(tmp_path / "archives" / "made", lambda draft: draft.write_text("done"))
