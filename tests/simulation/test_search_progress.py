"""Progress of simulations: numbers for a function, a bar on a terminal, a bar in a notebook, and nothing otherwise."""

import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from paths import ROOT
from terminal import run_on_a_terminal
from traitlets.config import Config

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.progress_bars import progress_bar
from nasbench_lab.simulation import search_progress
from nasbench_lab.simulation.clock import Clock, Log
from nasbench_lab.simulation.evaluator import Outcome
from nasbench_lab.suites import Comparison, Suite, run_suite
from nasbench_lab.testing import identical, synthetic_table

TABLE = synthetic_table("topology")


@pytest.mark.parametrize(
    ("budget", "processes"),
    [
        (nl.Budget(evaluations=40), 1),
        (nl.Budget(seconds=150.0), 1),
        (nl.Budget(epochs=300), 1),
        (nl.Budget(epochs=300), 2),
    ],
)
def test_a_function_receives_the_finished_runs(budget, processes, monkeypatch):
    monkeypatch.setattr(search_progress, "BETWEEN_REPORTS", 0)
    found = []
    options = {"runs": 6, "budget": budget, "processes": processes}
    trace = nl.simulate(TABLE, "hyperband", progress=found.append, **options)
    done = [each.done for each in found]
    assert (done[0], done[-1]) == (0, 6)
    assert done == sorted(done)
    assert len(done) > 5 or processes > 1
    assert {(each.strategy, each.table, each.runs) for each in found} == {("hyperband", "synthetic/topology", 6)}
    assert identical(trace, nl.simulate(TABLE, "hyperband", **options)), "asking changes nothing"


def test_runs_count_by_the_part_of_their_budget():
    seen = []
    log = Log(3, nl.Budget(seconds=10.0), 12)
    clock = Clock(log, nl.Budget(seconds=10.0), 12, 0, 3, watch=lambda clock: seen.append(clock.runs_done))
    for time in ([1.0, 5.0, 2.0], [2.0, 11.0, 4.0], [11.0, 12.0, 12.0]):
        zeros = np.zeros((3, 1), dtype=np.int64)
        clock.record(Outcome(zeros, zeros.astype(float), zeros.astype(np.int16), zeros.astype(float)), np.array([time]))
    assert seen == pytest.approx([0.1 + 0.5 + 0.2, 0.2 + 1 + 0.4, 3])


def test_a_function_may_stop_the_simulation():
    def stop(progress):
        if progress.done:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        nl.simulate(TABLE, "random-search", runs=2, budget=nl.Budget(evaluations=3), progress=stop)


@pytest.mark.parametrize("progress", ["yes", None, 1])
def test_other_values_are_refused(progress, tmp_path):
    with pytest.raises(ParameterError, match="progress must be True, False or a function, got"):
        nl.simulate(TABLE, "random-search", runs=2, budget=nl.Budget(evaluations=3), progress=progress)
    suite = Suite(["random-search"], ["digits/chain"], nl.Budget(evaluations=3), runs=2)
    with pytest.raises(ParameterError, match="progress must be True, False or a function, got"):
        run_suite(suite, tmp_path / "out", progress=progress)


def test_a_comparison_counts_all_runs():
    advanced = []
    compared = Comparison(("digits/chain",), ("random-search", "umda"), nl.Budget(evaluations=30), runs=5)
    list(compared.run(advanced.append))
    assert sum(advanced) == compared.simulated_runs == 10


BAR = """
import nasbench_lab as nl
nl.simulate("digits/chain", "random-search", runs=300, budget=nl.Budget(evaluations=50), progress={progress})
"""


def shown(progress, terminal):
    command, environment = [sys.executable, "-c", BAR.format(progress=progress)], {**os.environ, "TERM": "xterm"}
    environment["PYTHONPATH"] = str(ROOT)
    if not terminal:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr
    return run_on_a_terminal(command, "stderr", environment)


def test_a_terminal_shows_a_bar_on_demand():
    text = shown(True, terminal=True)
    assert "random-search on digits/chain" in text
    assert "300 of 300 runs" in text
    assert not shown(False, terminal=True)
    assert not shown(True, terminal=False)


CELLS = [
    """import os
import nasbench_lab as nl
from nasbench_lab.suites import Suite, run_suite

class Mine:
    def __init__(self, space, random, error=None):
        self.space, self.random, self.error = space, random, error
    def ask(self):
        if self.error:
            raise ValueError(self.error)
        return self.random.integers(self.space.size)
    def tell(self, architecture, value):
        pass

table, budget = nl.load("digits/chain"), nl.Budget(evaluations=50)
several = nl.simulate(table, Mine, runs=300, budget=budget, processes=2, progress=True)""",
    "bool((several.architecture == nl.simulate(table, Mine, runs=300, budget=budget).architecture).all())",
    "nl.simulate(table, Mine, runs=4, budget=budget, processes=2, progress=True, error='<oops>')",
    "run_suite(Suite(['random-search'], ['digits/chain'], budget, runs=9), os.environ['OUT'], progress=True)",
    "Suite([Mine], ['digits/chain'], budget)",
]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The outputs of every cell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)))
        sockets = Config({"KernelManager": {"transport": "ipc"}})
        patch.setenv("OUT", str(tmp_path_factory.mktemp("notebook") / "out"))
        NotebookClient(notebook, kernel_name="python3", timeout=120, allow_errors=True, config=sockets).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_class_of_a_notebook_runs_in_several_processes(cells):
    assert cells[1][0].data["text/plain"] == "True"


def test_a_notebook_shows_a_bar_below_the_cell(cells):
    (bar,) = cells[0]
    assert bar.data["text/plain"] == "Mine on digits/chain: 300 of 300 runs"
    assert '<progress value="300" max="300" aria-label="Mine on digits/chain">' in bar.data["text/html"]
    assert cells[3][0].data["text/plain"].endswith("/out: 1 of 1 shards")


def test_a_bar_says_that_the_simulation_was_stopped(cells):
    bar, error = cells[2]
    assert bar.data["text/plain"].endswith("0 of 4 runs, stopped")
    assert "&lt;oops&gt;" in bar.data["text/html"]
    assert (error.ename, error.evalue) == ("ValueError", "<oops>")


def test_a_suite_says_what_to_do_with_a_class_of_a_notebook(cells):
    (error,) = cells[4]
    assert error.ename == "ParameterError"
    assert "write its class to a file, and give it as 'file.py:Mine'" in error.evalue


def test_a_bar_outside_of_both_is_silent(capsys):
    with progress_bar("something") as update:
        update("1 of 2", 1, 2)
    assert capsys.readouterr() == ("", "")
