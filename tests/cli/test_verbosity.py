"""``--quiet`` and ``--verbose``, and lines about progress where there is no terminal."""

import re
import time

import pytest
from command_line import nasbench_lab_here

from nasbench_lab.cli import log_lines
from nasbench_lab.cli.log_lines import LogLines
from nasbench_lab.cli.progress import reporting, training_progress
from nasbench_lab.cli.verbosity import verbosity

FEW = ("--table", "digits/chain", "--strategy", "hyperband", "--evaluations", "3", "--runs", "2", "--fidelity", "12")


@pytest.fixture(autouse=True)
def _reset():
    yield
    verbosity.reset()


def test_quiet_leaves_results_and_errors():
    usual, quiet = nasbench_lab_here("run", *FEW), nasbench_lab_here("run", *FEW, "--quiet")
    assert "note: " in usual.stderr
    assert "--out FOLDER" in usual.stdout
    assert quiet.stderr == ""
    assert quiet.stdout
    assert "--out FOLDER" not in quiet.stdout
    assert usual.stdout.startswith(quiet.stdout)
    wrong = nasbench_lab_here("--quiet", "query", "digits/chain", "x")
    assert wrong.stderr.startswith("nasbench-lab: ")


def test_it_can_stand_before_the_command():
    assert nasbench_lab_here("-q", "run", *FEW).stdout == nasbench_lab_here("run", "-q", *FEW).stdout
    assert "show one with" not in nasbench_lab_here("-q", "strategies").stdout
    assert "show one with" in nasbench_lab_here("strategies").stdout, "a command starts with the default"


def test_verbose_adds_details_and_tracebacks():
    done = nasbench_lab_here("run", *FEW, "--verbose")
    assert re.search(r"^nasbench-lab \S+, Python \S+, cache ", done.stderr, re.M)
    assert "hyperband on digits/chain (checksum " in done.stderr
    assert "Traceback" in nasbench_lab_here("-v", "query", "digits/chain", "x").stderr
    assert "Traceback" not in nasbench_lab_here("query", "digits/chain", "x").stderr


@pytest.fixture
def at_once(monkeypatch):
    """Lines without the wait."""
    monkeypatch.setattr(log_lines, "FIRST", 0.03)
    monkeypatch.setattr(log_lines, "_TICK", 0.01)


def test_long_work_is_told_where_there_is_no_terminal(at_once, capsys, tmp_path):
    with training_progress(tmp_path) as tell:
        time.sleep(0.2)
        tell(1, 4)
        time.sleep(0.2)
        tell(2, 4)
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "trainings, for 10 seconds", "a line also before the first training ends"
    assert any(re.fullmatch(r"trainings: 2 of 4, about \d+ seconds left", line) for line in lines)


def test_short_work_is_not_told(capsys):
    with reporting("") as report:
        report("converting", 1, 2)
    assert capsys.readouterr().err == ""


def test_quiet_work_is_not_told(at_once, capsys, monkeypatch):
    monkeypatch.setattr(type(verbosity), "quiet", True)
    with reporting("") as report:
        report("converting", 1, 2)
        time.sleep(0.15)
    assert capsys.readouterr().err == ""


def test_the_lines_come_at_growing_intervals():
    now = 0.0
    lines = LogLines(lambda: now)
    lines.update("runs", "", 0, 1000)
    told = []
    for second in range(601):
        now = float(second)
        lines.update("runs", f"{second} of 1,000", second, 1000)
        if line := lines.due():
            told.append((second, line))
    assert [second for second, _ in told] == [15, 45, 105, 165, 225, 285, 345, 405, 465, 525, 585]
    assert told[0][1] == "runs: 15 of 1,000, about 16 minutes left"
    assert told[-1][1] == "runs: 585 of 1,000, about 7 minutes left"


def test_the_time_left_ignores_what_was_done_before():
    now = 0.0
    lines = LogLines(lambda: now)
    lines.update("trainings", "90 of 100", 90, 100)
    now = 60.0
    lines.update("trainings", "91 of 100", 91, 100)
    assert lines.due() == "trainings: 91 of 100, about 9 minutes left"
    now = 200.0
    lines.update("converting", "", 0, 0)
    assert lines.due() == "converting, for 10 seconds", "another step begins"
