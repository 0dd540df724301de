"""Several processes: the same bytes as one, errors and warnings as in one, and nothing left behind."""

import contextlib
import fnmatch
import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, StrategyError, UnknownNameError
from nasbench_lab.messages import described
from nasbench_lab.simulation import Conditions, save_traces, simulate_under, simulation_processes
from nasbench_lab.simulation.sent_errors import received_error
from nasbench_lab.simulation.sent_objects import packed, packed_strategy
from nasbench_lab.simulation.simulation_processes import SimulationProcesses
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.suites import Comparison
from nasbench_lab.testing import identical, synthetic_table

TABLE = synthetic_table("topology")
BUDGET = nl.Budget(evaluations=30)


def plain_class(**methods):
    """A class for a single run, which no other process can import."""

    class Mine:
        def __init__(self, space, random, **options):
            self.space, self.random, self.options = space, random, options

        def ask(self):
            return int(self.random.integers(self.space.size))

        def tell(self, architecture, value):
            pass

    for name, method in methods.items():
        setattr(Mine, name, method)
    return Mine


@pytest.fixture(scope="module")
def pool():
    with SimulationProcesses(3) as processes:
        yield processes


def both(pool, table, strategy, runs, conditions, first_run=0):
    found = find_strategy(strategy)
    return [
        simulate_under(conditions, table, found, runs=runs, first_run=first_run, processes=processes)
        for processes in (1, pool)
    ]


CONDITIONS = {
    "lock step": ("regularized-evolution", Conditions(BUDGET)),
    "a plain class": (plain_class(), Conditions(BUDGET)),
    "batches smaller than the block": ("tpe", Conditions(nl.Budget(evaluations=12))),
    "fidelities": ("hyperband", Conditions(nl.Budget(epochs=300))),
    "seconds": ("local-search", Conditions(nl.Budget(seconds=150.0))),
    "workers that wait": ("umda", Conditions(BUDGET, workers=3)),
    "workers that do not wait": ("asha", Conditions(nl.Budget(seconds=150.0), workers=4)),
    "objectives and limits": ("nsga-ii", Conditions(BUDGET, objectives=("parameters",), limits={"parameters": 0.8})),
    "scores": ("zero-cost-warm-start", Conditions(nl.Budget(seconds=200.0))),
    "the mean": ("random-search", Conditions(BUDGET, repeat="mean", seed=2**100)),
    "one repeat": ("random-search", Conditions(BUDGET, repeat=1, fidelity=4)),
    "runs that end": ("exhaustive", Conditions(nl.Budget(evaluations=5000))),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_bytes_are_those_of_one_process(pool, tmp_path, name):
    strategy, conditions = CONDITIONS[name]
    table = synthetic_table("chain") if name in ("runs that end", "one repeat") else TABLE
    one, several = both(pool, table, strategy, 7, conditions, first_run=5)
    assert identical(one, several)
    assert one.setting == several.setting
    for path, trace in ((tmp_path / "one.h5", one), (tmp_path / "several.h5", several)):
        save_traces([trace], path)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "several.h5").read_bytes()


def test_failed_trainings(pool):
    one, several = both(pool, synthetic_table("chain", failures=0.5), "tabu-search", 8, Conditions(BUDGET))
    assert np.isnan(one.observed).any()
    assert identical(one, several)


@given(runs=st.integers(1, 9), first_run=st.integers(0, 2**40), evaluations=st.integers(1, 12), plain=st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_number_of_runs(pool, runs, first_run, evaluations, plain):
    strategy = plain_class() if plain else "simulated-annealing"
    one, several = both(pool, TABLE, strategy, runs, Conditions(nl.Budget(evaluations=evaluations)), first_run)
    assert identical(one, several)
    assert one.setting == several.setting


def test_a_table_file_is_sent_as_its_path():
    on_disk = nl.load("digits/topology")
    measurements = sum(on_disk.values(metric).nbytes for metric in on_disk.metrics)
    on_disk.mean_values("valid_accuracy")  # what was read is not sent either
    assert len(packed(on_disk)) < 20_000 < measurements / 100
    assert pickle.loads(packed(on_disk)).checksum == on_disk.checksum


def test_a_comparison_and_the_command_write_the_same_files(tmp_path):
    from command_line import nasbench_lab_here

    (tmp_path / "mine.py").write_text(
        "class Guess:\n"
        "    def __init__(self, space, random):\n        self.space, self.random = space, random\n"
        "    def ask(self):\n        return self.random.integers(self.space.size)\n"
        "    def tell(self, architecture, value):\n        pass\n"
    )
    command = [
        "run",
        "--table",
        "digits/chain",
        "--strategy",
        "random-search",
        "--strategy",
        f"{tmp_path}/mine.py:Guess",
    ]
    for processes in (1, 2):
        options = ["--runs", 6, "--evaluations", 9, "--out", tmp_path / str(processes), "--processes", processes]
        done = nasbench_lab_here(*command, *options)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert "traces.h5" in names
    assert names == sorted(path.name for path in (tmp_path / "2").iterdir())
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_linear_algebra_has_one_thread(pool):
    def threads(self):
        return int(os.environ["OMP_NUM_THREADS"]) + int(os.environ["OPENBLAS_NUM_THREADS"])

    trace = simulate_under(Conditions(BUDGET), TABLE, find_strategy(plain_class(ask=threads)), runs=4, processes=pool)
    assert (trace.architecture == 2).all()


def test_parameters_and_functions_of_other_modules(pool):
    kind = plain_class(ask=lambda self: self.options["turn"](self.options["step"]))
    one, several = both(pool, TABLE, functools.partial(kind, turn=abs, step=-3), 4, Conditions(BUDGET))
    assert identical(one, several)
    assert (several.architecture == 3).all()


def test_functions_and_properties_that_keep_values(pool):
    @functools.lru_cache(maxsize=7)
    def halved(number):
        return 0 if number < 2 else 1 + halved(number // 2)

    class Mine(plain_class()):
        step = functools.cache(lambda _, number: halved(number) + 3)
        start = functools.cached_property(lambda _: halved.cache_parameters()["maxsize"])

        def ask(self):
            return self.start + self.step(16)

    one, several = both(pool, TABLE, Mine, 4, Conditions(BUDGET))
    assert identical(one, several)
    assert (several.architecture == 7 + 4 + 3).all()


def test_functions_of_modules_that_keep_values_are_sent_by_their_name():
    for function in (fnmatch._compile_pattern, fnmatch.fnmatch):
        assert packed(function) == pickle.dumps(function, protocol=pickle.HIGHEST_PROTOCOL)


# Warnings


def test_a_warning_of_all_runs_comes_once(pool):
    def ask(self):
        warnings.warn("careful", DeprecationWarning, stacklevel=1)
        return 0

    found = find_strategy(plain_class(ask=ask))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        simulate_under(Conditions(BUDGET), TABLE, found, runs=24, processes=pool)
    assert [(str(each.message), each.category) for each in caught] == [("careful", DeprecationWarning)]
    assert caught[0].filename == __file__
    with pytest.raises(DeprecationWarning, match="careful"):  # the tests turn warnings into errors
        nl.simulate(TABLE, plain_class(ask=ask), runs=2, budget=BUDGET, processes=2)


# Errors


class OddError(Exception):
    """An error that cannot be made from its arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def raising(make):
    def ask(self):
        raise make()

    return plain_class(ask=ask)


class OwnError(ValueError):
    pass


def simulating(parent=None):
    """Processes of a process that simulate, not the resource tracker of the standard library."""
    found = []
    for child in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            found += [child] if "spawn_main" in " ".join(child.cmdline()) else []
    return found


def test_an_error_ends_all_and_is_that_of_one_process():
    before = simulating()
    with SimulationProcesses(2) as pool:
        with pytest.raises(KeyError) as caught:
            simulate_under(Conditions(BUDGET), TABLE, find_strategy(raising(KeyError)), runs=4, processes=pool)
        assert simulating() == before
        assert caught.value.__notes__ == ["strategy 'plain_class.<locals>.Mine' on table 'synthetic/topology'"]
        assert "in ask" in described(caught.value)
        assert "test_processes.py" in described(caught.value)
        assert "Traceback" in str(caught.value.__cause__)
        one, several = both(pool, TABLE, "random-search", 4, Conditions(BUDGET))
        assert identical(one, several), "the pool works after the error"
    assert simulating() == before


def answered(strategy, **parameters):
    """The error that a process would send, without the process."""
    found = find_strategy(strategy, parameters)
    trace = nl.simulate(TABLE, "random-search", runs=2, budget=BUDGET)
    content = (packed(TABLE), packed_strategy(found), packed(trace.setting))
    answer = simulation_processes._Worker(None).answer(simulation_processes._Task(1, content, 0, 2, False))
    return received_error(pickle.loads(answer), StrategyError)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: OwnError("mine"), OwnError, "mine"),
        (lambda: OddError("a", "b"), StrategyError, "OddError: a and b"),
        (lambda: ValueError(threading.Lock()), StrategyError, "ValueError: <unlocked _thread.lock"),
        (lambda: SystemExit(3), SystemExit, "3"),
    ],
    ids=["own", "odd", "not picklable", "SystemExit"],
)
def test_any_error_comes_back(make, kind, message):
    error = answered(raising(make))
    assert type(error) is kind
    assert message in str(error)
    assert "in ask" in described(error)


def test_a_broken_contract_is_a_strategy_error():
    error = answered(plain_class(ask=lambda _self: -7))
    assert type(error) is StrategyError
    assert str(error).startswith("plain_class.<locals>.Mine proposed -7: ")


def test_a_strategy_that_another_process_cannot_load_is_refused_in_one_line():
    error = answered(plain_class(), odd=OddError("a", "b"))
    assert type(error) is ParameterError
    assert "cannot be loaded in another process: TypeError: OddError.__init__() missing 1" in str(error)
    assert len(str(error).splitlines()) == 1


def test_a_process_that_dies_is_named():
    def ask(self):
        if self.random.random() < 2:
            os._exit(9)

    with pytest.raises(StrategyError) as caught:
        nl.simulate(TABLE, plain_class(ask=ask), runs=80, budget=BUDGET, processes=2, first_run=100)
    assert "the process that simulated runs 1" in str(caught.value)
    assert "on 'synthetic/topology' died (exit code 9)" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_process_that_dies_in_its_only_run():
    with pytest.raises(StrategyError, match=r"the process that simulated run [56] of "):
        nl.simulate(TABLE, plain_class(ask=lambda _: os._exit(9)), budget=BUDGET, runs=2, processes=2, first_run=5)


def test_a_strategy_that_cannot_be_sent_is_refused_in_one_line():
    kind = plain_class()
    kind.lock = threading.Lock()
    with pytest.raises(ParameterError) as caught:
        nl.simulate(TABLE, kind, runs=2, budget=BUDGET, processes=2)
    assert "'plain_class.<locals>.Mine' cannot be sent to other processes: TypeError: cannot pickle" in str(
        caught.value
    )
    assert "use one process" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert nl.simulate(TABLE, kind, runs=2, budget=BUDGET).runs == 2


@pytest.mark.parametrize("processes", [0, -1, True, 1.5, "2"])
def test_a_bad_number_of_processes(processes):
    with pytest.raises(ParameterError, match="processes must be a whole number from 1, got"):
        nl.simulate(TABLE, "random-search", runs=2, budget=BUDGET, processes=processes)
    with pytest.raises(ParameterError, match="processes must be a whole number from 1, got"):
        Comparison(("digits/chain",), ("random-search",), BUDGET, processes=processes)


def test_a_daemon_may_not_start_processes(monkeypatch):
    import multiprocessing

    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(ParameterError, match="may not start processes; use processes=1"):
        nl.simulate(TABLE, "random-search", runs=2, budget=BUDGET, processes=2)
    assert nl.simulate(TABLE, "random-search", runs=2, budget=BUDGET).runs == 2


def test_what_is_wrong_anyway_is_said_before_a_process_starts(monkeypatch):
    monkeypatch.setattr("nasbench_lab.simulation.simulation_processes.start_child", None)
    with pytest.raises(UnknownNameError):
        nl.simulate(TABLE, "random-search", runs=2, budget=BUDGET, fidelity=7, processes=2)


# Files and modules


def test_a_class_of_a_file_is_sent_as_it_was_imported(tmp_path, pool):
    path = tmp_path / "mine.py"
    text = "class One:\n    def __init__(self, *_): pass\n    def ask(self): return {}\n    def tell(self, *_): pass\n"
    path.write_text(text.format(11))
    found = find_strategy(f"{path}:One")
    path.write_text(text.format(22))
    trace = simulate_under(Conditions(BUDGET), TABLE, found, runs=4, processes=pool)
    assert (trace.architecture == 11).all()
    path.unlink()
    assert (pickle.loads(packed_strategy(found)).factory(None, None).ask()) == 11


LOCK_STEP = """
import dataclasses

from nasbench_lab.strategies import Strategy


@dataclasses.dataclass(frozen=True)
class Guess(Strategy):
    name = "guess"
    number: int = 1

    def start(self, problem):
        return problem

    def ask(self, state):
        return state.space.sample(state.streams.uniform(self.number))

    def tell(self, state, evaluations):
        pass
"""


def test_a_class_in_lock_step_of_a_file(tmp_path, pool):
    path = tmp_path / "guess.py"
    path.write_text(LOCK_STEP)
    one, several = both(pool, TABLE, f"{path}:Guess", 9, Conditions(BUDGET))
    assert identical(one, several)
    assert b"__instancecheck__" not in packed_strategy(find_strategy(f"{path}:Guess")), "the code of abc.ABCMeta"


def test_a_class_of_a_module_is_sent_by_its_name(pool, monkeypatch, tmp_path):
    import evolution_variants

    content = packed_strategy(evolution_variants.Evolution())
    assert b"evolution_variants" in content
    assert len(content) < 1000


# A process that ends


SCRIPT = """
import sys, time
import nasbench_lab as nl


class Slow:  # there is no `if __name__ == "__main__"` here
    def __init__(self, space, random):
        {first}

    def ask(self):
        time.sleep({pause})
        return 1

    def tell(self, architecture, value):
        pass


print("begun", flush=True)
trace = nl.simulate("digits/chain", Slow, runs=4, budget=nl.Budget(evaluations={evaluations}), processes=2)
print(trace.architecture.sum())
"""


def script(tmp_path, pause, evaluations, first="pass"):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(pause=pause, evaluations=evaluations, first=first))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def test_a_script_without_a_guard_runs_once(tmp_path):
    process = script(tmp_path, 0, 3, 'print(end=" run ")')
    out, err = process.communicate(timeout=60)
    assert out.split() == ["begun", *4 * ["run"], "12"]
    assert (err, process.returncode) == ("", 0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_no_process_outlives_the_one_that_ends(tmp_path, how):
    process = script(tmp_path, 0.01, 100_000)
    children = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(children) < 2:
        time.sleep(0.05)
        children = simulating(process.pid)
    time.sleep(0.5)
    if how == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the children, too
    else:
        os.kill(process.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert out == "begun\n"
    if how == "SIGINT":
        assert err.count("Traceback") == 1, "the children say nothing"
        assert err.splitlines()[-1] == "KeyboardInterrupt"
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_a_process_reads_the_same_table_once():
    worker = simulation_processes._Worker(None)
    trace = nl.simulate("digits/chain", "random-search", runs=2, budget=BUDGET)
    tables = []
    for number, (table, name) in enumerate([("digits/chain", "umda"), ("digits/chain", "tpe"), (TABLE, "umda")]):
        found = table if table is TABLE else nl.load(table)
        content = (packed(found), packed_strategy(find_strategy(name)), packed(trace.setting))
        worker.answer(simulation_processes._Task(number + 1, content, 0, 2, False))
        tables.append(worker._table[1])
    assert tables[0] is tables[1]
    assert tables[2].name == "synthetic/topology"
