"""Suites whose processes are killed, that share a folder, or whose disk is full: nothing is lost, no byte differs."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from paths import ROOT
from small_disks import small_disk  # noqa: F401 - a fixture
from small_suites import STRATEGIES, digests, small_shards, table_file

from nasbench_lab.errors import OutputError, SourceError, StrategyError
from nasbench_lab.suites import (
    DaskExecutor,
    LocalProcesses,
    SuiteFolder,
    dask_executor,
    open_results,
    read_suite,
    run_suite,
)
from nasbench_lab.suites.cleaning import clean
from nasbench_lab.suites.runner import Answer, Died
from nasbench_lab.suites.shards import attempt

SCRIPT = ROOT / "tests" / "helpers" / "suite_process.py"
KILLS = 10
PATIENCE = 120  # seconds, for machines with much else to do


def suite_file(folder, runs=60):
    """A suite of a few shards a run: 90 of them."""
    table_file(folder)
    path = folder / "suite.toml"
    names = ", ".join(f'"{name}"' for name in STRATEGIES)
    path.write_text(f'strategies = [{names}]\ntables = ["mine.h5"]\nruns = {runs}\nbudget = {{ evaluations = 20 }}\n')
    return path


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A suite file, and the digests of its results when nothing happens."""
    folder = tmp_path_factory.mktemp("quiet")
    path = suite_file(folder)
    with pytest.MonkeyPatch.context() as patch:
        small_shards(patch, 2)
        run_suite(read_suite(path), folder / "out")
    return path, digests(folder / "out")


@pytest.fixture
def uninterrupted(quiet, monkeypatch):
    """The same, where suites that are begun have as many shards."""
    small_shards(monkeypatch, 2)
    return quiet


def start(path, out, processes=2):
    return subprocess.Popen([sys.executable, SCRIPT, path, out, str(processes)])


def finished(out):
    return len(list((out / "shards").glob("*.json")))


def wait_for_more(process, out, before):
    """Wait until a process has finished a shard more."""
    deadline = time.monotonic() + PATIENCE
    while finished(out) <= before:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def workers_of(process):
    """The processes that simulate."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    return []


def test_kills_at_random_lose_nothing_and_change_nothing(tmp_path, uninterrupted):
    path, expected = uninterrupted
    out = tmp_path / "out"
    SuiteFolder.begin(out, read_suite(path))
    chance = random.Random(0)
    victims = ["worker", "parent"] * (KILLS // 2)  # in turns: a shard is given up after three deaths under one parent
    killed, seen, process = 0, [], start(path, out)
    for victim in victims:
        wait_for_more(process, out, finished(out))
        time.sleep(chance.uniform(0, 0.04))
        workers = workers_of(process)
        seen += workers
        if victim == "parent":
            process.kill()
            assert process.wait() == -signal.SIGKILL
            process = start(path, out)
        else:
            worker = chance.choice(workers)
            worker.kill()
        killed += 1
    assert killed == KILLS
    left = finished(out)
    assert left < len(expected) - 1, "the last kill was before the end"
    assert process.wait(PATIENCE) == 0
    assert digests(out) == expected
    assert len(open_results(out)) == len(STRATEGIES)
    _, alive = psutil.wait_procs(seen, timeout=20)
    assert not alive, "a process outlived its parent"
    clean(out)
    assert not [name for name in out.rglob(".*") if name.name != ".lock"]
    assert digests(out) == expected


def test_killed_workers_are_replaced(tmp_path, uninterrupted):
    """In this process, so that it is known which worker had a shard in work."""
    path, expected = uninterrupted
    executor = LocalProcesses(2)
    killed = []

    def kill(progress):
        place = {5: 0, 50: -1}.get(progress.finished)  # one at work, and one that waits
        if place is not None and progress.finished not in killed:
            os.kill(executor.pids[place], signal.SIGKILL)
            killed.append(progress.finished)

    run_suite(read_suite(path), tmp_path / "out", executor=executor, progress=kill)
    assert len(killed) == 2
    assert digests(tmp_path / "out") == expected


def test_ctrl_c_ends_all_processes_and_loses_nothing(tmp_path, uninterrupted):
    path, expected = uninterrupted
    out = tmp_path / "out"
    SuiteFolder.begin(out, read_suite(path))
    command = [sys.executable, "-m", "nasbench_lab", "suite", "run", path, "--out", out, "--processes", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_more(process, out, finished(out))
    workers = workers_of(process)
    assert len(workers) == 2
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said == f"stopped; finished shards are kept in {out}; run the same command again to continue\n"
    assert not psutil.wait_procs(workers, timeout=20)[1]
    assert finished(out) < len(expected) - 1
    run_suite(read_suite(path), out)
    assert digests(out) == expected


class Deadly:
    """An executor whose processes die of the shards of one strategy."""

    slots = 2

    def __init__(self):
        self.tasks, self.deaths = [], 0

    def submit(self, task):
        self.tasks.append(task)

    def next(self, _told):
        task = self.tasks.pop(0)
        if task.strategy == STRATEGIES[1]:
            self.deaths += 1
            return Answer(task.name, Died("signal 9"))
        return Answer(task.name, attempt(task))

    def close(self):
        self.tasks.clear()


def test_a_shard_that_kills_is_given_up(tmp_path, monkeypatch):
    small_shards(monkeypatch, 2)
    suite, executor = read_suite(suite_file(tmp_path, runs=4)), Deadly()
    with pytest.raises(StrategyError, match=r"2 of 6 shards failed.*the process .* died 3 times \(signal 9\)"):
        run_suite(suite, tmp_path / "out", executor=executor)
    assert executor.deaths == 2 * 3
    assert finished(tmp_path / "out") == 4, "the others are there"


class Crowded(Deadly):
    """An executor, like dask, with one process for several shards: it dies of one, and all of them are to blame."""

    slots = 3

    def __init__(self):
        super().__init__()
        self.dead = []

    def next(self, _told):
        if not self.dead and any(task.strategy == STRATEGIES[1] for task in self.tasks):
            self.deaths += 1
            self.dead = [Answer(task.name, Died("signal 9", alone=len(self.tasks) == 1)) for task in self.tasks]
            self.tasks = []
        if self.dead:
            return self.dead.pop(0)
        task = self.tasks.pop(0)
        return Answer(task.name, attempt(task))


def test_a_shard_that_kills_takes_no_other_shard_with_it(tmp_path, monkeypatch):
    small_shards(monkeypatch, 2)
    suite, executor = read_suite(suite_file(tmp_path, runs=4)), Crowded()
    with pytest.raises(StrategyError, match=r"2 of 6 shards failed.*the process .* died 3 times \(signal 9\)"):
        run_suite(suite, tmp_path / "out", executor=executor)
    assert finished(tmp_path / "out") == 4
    assert executor.deaths == 2 * (1 + 3), "each once with others, then three times alone"


def test_two_at_once_begin_in_one_folder(tmp_path, quiet):
    """The processes plan for themselves, at the same time."""
    path, _ = quiet
    out = tmp_path / "out"
    both = [start(path, out, 1) for _ in range(2)]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    run_suite(read_suite(path), tmp_path / "alone")
    assert digests(out) == digests(tmp_path / "alone")


def test_two_at_once_share_the_shards(tmp_path, uninterrupted):
    path, expected = uninterrupted
    out = tmp_path / "out"
    SuiteFolder.begin(out, read_suite(path))
    other = start(path, out, 1)
    own = []
    run_suite(read_suite(path), out, progress=lambda progress: own.append(progress.finished))
    assert other.wait(PATIENCE) == 0
    assert digests(out) == expected
    assert own[-1] == len(expected) - 1


@pytest.mark.parametrize("processes", [None, 2])
def test_a_full_disk_loses_nothing(tmp_path, small_disk, uninterrupted, processes):  # noqa: F811 - the fixture
    path, expected = uninterrupted
    out = small_disk / "out"
    with pytest.raises(OutputError, match=r"cannot write .*: No space left on device"):
        run_suite(read_suite(path), out, executor=LocalProcesses(processes) if processes else None)
    assert 0 < finished(out) < len(expected) - 1
    assert not SuiteFolder.open(out).damaged()
    assert not list(out.rglob(".0*")), "nothing half-written is left"
    subprocess.run(["mount", "-o", "remount,size=10m", small_disk], check=True)
    run_suite(read_suite(path), out)
    assert digests(out) == expected


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_dask_workers_may_die(tmp_path, uninterrupted):
    distributed = pytest.importorskip("distributed")
    path, expected = uninterrupted
    killed = []
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:

        def kill(progress):
            if progress.finished in (5, 30) and progress.finished not in killed:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
                killed.append(progress.finished)

        run_suite(read_suite(path), tmp_path / "out", executor=DaskExecutor(client), progress=kill)
    assert len(killed) == 2
    assert digests(tmp_path / "out") == expected


def test_a_scheduler_that_is_not_there(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_executor, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(SourceError, match=r"there is no dask scheduler at 'tcp://127.0.0.1:9'"):
        DaskExecutor("tcp://127.0.0.1:9")
