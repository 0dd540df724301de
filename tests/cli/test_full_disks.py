"""Commands on a full disk, with a limit on the size of files, and when they are killed: one line, nothing left."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import assert_refused, nasbench_lab_here
from small_disks import small_disk  # noqa: F401 - a fixture

import nasbench_lab as nl
from nasbench_lab import files
from nasbench_lab.simulation import save_traces
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table

resource = pytest.importorskip("resource", reason="needs limits of Unix")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A table, traces and a CSV file, all larger than what the tests allow to be written."""
    folder = tmp_path_factory.mktemp("inputs")
    table = synthetic_table("topology")
    write(table, folder / "table.h5")
    save_traces([nl.simulate(table, "random-search", runs=50, budget=nl.Budget(evaluations=50))], folder / "traces.h5")
    rows = (
        f"{'-'.join(each)},{number / 7},{number / 9}" for number, each in enumerate(itertools.product("012", repeat=8))
    )
    (folder / "measured.csv").write_text("\n".join(["architecture,val_acc,test_acc", *rows]))
    return folder


@contextlib.contextmanager
def small_files(size):
    """Let this process write no larger files, as ``ulimit -f`` does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def commands(inputs, out):
    """Commands that write, and what they write."""
    search = ["--strategy", "random-search", "--runs", "200", "--evaluations", "100"]
    plot = ["plot", inputs / "traces.h5", "--figure", "regret"]
    return {
        "run": (["run", "--table", inputs / "table.h5", *search, "--out", out / "results"], "results/traces.h5"),
        "plot-pdf": ([*plot, "--out", out / "regret.pdf"], "regret.pdf"),
        "plot-svg": ([*plot, "--out", out / "regret.svg"], "regret.svg"),
        "import": (["tables", "import", inputs / "measured.csv", "--out", out / "measured.h5"], "measured.h5"),
        "pack": (["tables", "pack", inputs / "table.h5", out / "packed.h5"], "packed.h5"),
        "report": (["report", inputs / "traces.h5", "--out", out / "page.html", "--page-only"], "page.html"),
        "describe": (["tables", "describe", inputs / "table.h5", "--out", out], "synthetic-topology.pdf"),
    }


NAMES = ("run", "plot-pdf", "plot-svg", "import", "pack", "report", "describe")


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_on_the_size_of_files_is_one_line(tmp_path, inputs, name):
    arguments, written = commands(inputs, tmp_path / "out")[name]
    (tmp_path / "out").mkdir()
    with small_files(2048):
        done = nasbench_lab_here(*arguments)
    assert_refused(done)
    assert done.stderr == f"nasbench-lab: cannot write {tmp_path / 'out' / written}: {os.strerror(27)}\n"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_line(small_disk, inputs, name):  # noqa: F811 - the fixture
    arguments, written = commands(inputs, small_disk)[name]
    (small_disk / "full").write_bytes(bytes(92 * 1024))
    done = nasbench_lab_here(*arguments)
    assert_refused(done)
    assert done.stderr == f"nasbench-lab: cannot write {small_disk / written}: {os.strerror(28)}\n"
    assert [path.name for path in small_disk.iterdir()] == ["full"]


def kill_while_writing(arguments, folder):
    """Kill a command as soon as its hidden folder has content."""
    process = subprocess.Popen([sys.executable, "-m", "nasbench_lab", *map(str, arguments)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(folder.glob(".nasbench-lab-*/[!.]*/*")) and not any(folder.glob(".nasbench-lab-*/*.h[5t]*")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("name", ["run", "import"])
def test_a_killed_command_leaves_nothing_after_the_next(tmp_path, inputs, name):
    arguments, written = commands(inputs, tmp_path)[name]
    kill_while_writing(arguments, tmp_path)
    (left,) = tmp_path.iterdir()
    assert files.is_working(left)
    files._remove_leftovers.cache_clear()  # as in another process
    assert nasbench_lab_here(*arguments).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [written.partition("/")[0]]
