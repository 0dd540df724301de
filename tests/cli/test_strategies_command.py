"""``nasbench-lab strategies``, and the options of ``run`` that say what a search is for, as a user meets them."""

import dataclasses

import numpy as np
import pytest
from added_entry_points import add_entry_points
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab

import nasbench_lab as nl
from nasbench_lab.checks import domains
from nasbench_lab.simulation import load_traces
from nasbench_lab.spaces import ChainSpace
from nasbench_lab.strategies import Evaluations, Problem, Proposals, registry, resolve
from nasbench_lab.streams import Streams
from nasbench_lab.suites import Comparison
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table


def test_strategies_are_listed_by_family():
    lines = nasbench_lab("strategies").stdout.splitlines()
    for name in nl.list_strategies():
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert registry.reference(name) in line
        assert all(need in line for need in registry.needs(name))
    families = [line.strip() for line in lines if line.strip() and line.strip() == line.strip().upper()]
    assert families == sorted({registry.family(name).upper() for name in nl.list_strategies()})
    assert "OTHER" not in families, "every strategy of the package says its family"


@pytest.mark.parametrize("name", nl.list_strategies())
def test_info_tells_everything_about_a_strategy(name):
    done = nasbench_lab("strategies", "info", name)
    assert done.returncode == 0, done.stderr
    kind = registry.strategy_class(name)
    for part in (registry.family(name), registry.reference(name), kind.__doc__.splitlines()[0]):
        assert part in done.stdout
    assert f"\nversion      {kind.version}\n" in done.stdout
    _, _, listed = done.stdout.partition("\nparameter ")
    for field in dataclasses.fields(kind):
        (line,) = (line for line in listed.splitlines() if line.split()[:1] == [field.name])
        assert line.split()[1] == (str(field.default) or "(empty)"), "the default"
        assert str(domains(kind)[field.name]) in line, "what is allowed"
        assert len(line.split()) > 3, f"the docstring does not explain {field.name}"


def test_info_of_nothing():
    assert_refused(nasbench_lab("strategies", "info", "random-serch"), "did you mean 'random-search'")
    assert_refused(nasbench_lab("strategies", "random-serch"), "did you mean 'random-search'")
    assert_refused(nasbench_lab("strategies", "inf"), "unknown command or strategy 'inf'; did you mean 'info'?")


def test_strategies_of_other_packages(monkeypatch):
    class Mine:
        """Plain, and mine."""

        def __init__(self, space, random, patience=5):
            pass

        def ask(self):
            return 0

        def tell(self, architecture, value):
            pass

    add_entry_points(monkeypatch, registry.GROUP, mine=Mine, broken=int, tpe=Mine)
    listed = nasbench_lab("strategies")
    assert "OTHER\n" in "".join(line.strip() + "\n" for line in listed.stdout.splitlines())
    assert "'broken' in group" in listed.stdout
    assert "'tpe' in group 'nasbench_lab.strategies' is ignored, as 'tpe' is a built-in name" in listed.stderr
    shown = nasbench_lab("strategies", "info", "mine").stdout
    assert "Plain, and mine." in shown
    assert "patience   5" in shown


class WithoutMoves(ChainSpace):
    def make_neighbor_table(self):
        raise AssertionError("neighbours are used")


@pytest.mark.parametrize("name", nl.list_strategies())
def test_what_a_strategy_needs_is_true(name):
    """A strategy that moves between neighbours, or asks for scores, says so; no other does."""
    strategy, runs, count = resolve(name, {}), 4, 0
    if set(registry.needs(name)) & {"scores", "objectives"}:
        pytest.skip("tested where there are scores and objectives")
    random = np.random.default_rng(0)
    task = Problem(WithoutMoves("abc", 5), Streams(0, 0, runs), fidelities=(1, 3, 9))
    try:
        state = strategy.start(task)
        while count < 200:
            asked = strategy.ask(state)
            architecture, fidelity = asked[:2] if isinstance(asked, Proposals) else (asked, None)
            number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
            value = random.random(architecture.shape)
            objectives = value[..., None]
            strategy.tell(state, Evaluations(architecture, value, number, fidelity, objectives))
            count += architecture.shape[1]
        moved = False
    except AssertionError as error:
        moved = "neighbours are used" in str(error)
        assert moved, error
    assert moved == ("neighbours" in registry.needs(name))


MINE = """
class Mine:
    \"\"\"Plain, and of a file.\"\"\"

    version = 4

    def __init__(self, space, random, patience=5):
        pass

    def ask(self):
        return 0

    def tell(self, architecture, value):
        pass


def make(space, random, patience: int = 7):
    return Mine(space, random, patience)


class Other:
    pass
"""


def test_a_strategy_of_a_file_is_shown(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    shown = nasbench_lab("strategies", "info", f"{path}:Mine").stdout
    assert "version      4" in shown
    assert "Plain, and of a file." in shown
    assert "patience   5" in shown
    assert f"--strategy {path}:Mine:patience=5 ..." in shown
    assert "patience   7        int" in nasbench_lab("strategies", "info", f"{path}:make").stdout
    assert_refused(nasbench_lab("strategies", "info", f"{path}:Other"), "is not a class of strategies")
    assert_refused(nasbench_lab("strategies", "info", f"{path}:Minne"), "did you mean 'Mine'?")


# Options of a comparison.


def run(tmp_path, *more):
    write(synthetic_table("topology"), tmp_path / "mine.h5")
    command = ("run", "--table", tmp_path / "mine.h5", "--strategy", "random-search", "--out", tmp_path / "out")
    return nasbench_lab(*command, "--runs", "6", "--evaluations", "20", *more)


def test_workers_objectives_and_limits(tmp_path):
    done = run(tmp_path, "--workers", "4", "--objective", "parameters", "--limit", "parameters=0.7")
    assert done.returncode == 0, done.stderr
    assert "6 runs each, budget 20 evaluations, 4 workers, limit parameters=0.7" in done.stdout
    (trace,) = load_traces(tmp_path / "out/traces.h5")
    setting = trace.setting
    assert (setting.conditions.workers, setting.conditions.objectives, setting.conditions.limits) == (
        4,
        ("parameters",),
        {"parameters": 0.7},
    )
    found = trace.final_incumbent()
    kept = found[found >= 0]
    assert len(kept)
    assert (synthetic_table("topology").mean_values("parameters")[kept] <= 0.7).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "0"], "workers must be from 1 to 1024, got 0"),
        (["--objective", "latency"], "unknown metric 'latency'"),
        (["--objective", "test_accuracy"], "'test_accuracy' is a test measurement"),
        (["--limit", "parameters"], "a limit must be METRIC=NUMBER, like parameters=0.5, got 'parameters'"),
        (["--limit", "parameters=small"], "got 'parameters=small'"),
        (["--limit", "parameters=nan"], "a limit must be a number"),
        (["--limit", "parameters=1", "--limit", "parameters=2"], "the limit of 'parameters' is given twice"),
        (["--limit", "parameters=0.01"], "no architecture of 'synthetic/topology' keeps the limits parameters 0.01"),
    ],
)
def test_options_that_make_no_sense(tmp_path, options, message):
    assert_refused(run(tmp_path, *options), message)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.h5"]


def test_everything_is_checked_before_anything_is_simulated(tmp_path):
    """The second table has no times, so that several workers are impossible there."""
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    tables = (str(tmp_path / "mine.h5"), "nas-bench-graph/proteins")
    comparison = Comparison(tables, ("random-search",), nl.Conditions(nl.Budget(evaluations=3), workers=2))
    with pytest.raises(nl.NasbenchLabError, match="no times, so several workers are impossible"):
        next(comparison.run())
