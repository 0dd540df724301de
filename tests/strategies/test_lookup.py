"""Strategies as users give them: names, files, modules, classes, functions and objects."""

import functools
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, StrategyError, UnknownNameError
from nasbench_lab.strategies.lookup import find_strategy, split_path
from nasbench_lab.strategies.places import named_strategy
from nasbench_lab.strategies.random_search import RandomSearch
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")
FILE = """
class Guess:
    def __init__(self, space, random, step=1):
        self.space, self.random, self.step = space, random, step

    def ask(self):
        return self.random.integers(self.space.size)

    def tell(self, architecture, value):
        pass


def guess(space, random, **options):
    return Guess(space, random, **options)


number = 5
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def search(strategy, **options):
    return nl.simulate(TABLE, strategy, runs=3, budget=nl.Budget(evaluations=6), **options)


def test_a_class_and_a_function_of_a_file(file):
    one, other = search(f"{file}:Guess"), search(f"{file}:guess")
    assert one.setting.strategy == "Guess"
    assert one.setting.version == 1
    assert np.array_equal(one.architecture, other.architecture)


def test_parameters_in_the_text_as_a_mapping_and_as_keywords(file):
    labels = {
        search(f"{file}:Guess:step=2").setting.label,
        search(f"{file}:Guess", step=2).setting.label,
        search(f"{file}:Guess", parameters={"step": 2}).setting.label,
    }
    assert labels == {"Guess:step=2"}
    with pytest.raises(ParameterError, match="parameter 'step' is given twice: as a keyword and in parameters"):
        search(f"{file}:Guess", step=2, parameters={"step": 2})


def test_a_table_by_its_name_and_by_its_file(tmp_path):
    from nasbench_lab.tables import write

    write(TABLE, tmp_path / "mine.h5")
    budget = nl.Budget(evaluations=4)
    by_file = nl.simulate(tmp_path / "mine.h5", "random-search", runs=2, budget=budget)
    by_object = nl.simulate(TABLE, "random-search", runs=2, budget=budget)
    assert np.array_equal(by_file.architecture, by_object.architecture)
    assert nl.simulate("digits/chain", "random-search", runs=2, budget=budget).setting.table == "digits/chain"
    with pytest.raises(UnknownNameError, match="did you mean 'digits/chain'"):
        nl.simulate("digits/chian", "random-search", runs=2, budget=budget)


def test_objects_classes_functions_and_partial_functions(file):
    kind = find_strategy(f"{file}:Guess").factory

    def factory(space, random):
        return kind(space, random)

    for strategy in (kind, factory, functools.partial(kind, step=1)):
        assert search(strategy).runs == 3
    for strategy in (RandomSearch(), RandomSearch, "nasbench_lab.strategies.random_search:RandomSearch"):
        assert search(strategy).setting.strategy == "random-search"


class Counter:
    """A plain strategy with two parameters."""

    version = 3

    def __init__(self, space, random, step=1, model=None):
        self.place, self.step, self.size = 0, step, space.size

    def ask(self):
        self.place = (self.place + self.step) % self.size
        return self.place

    def tell(self, architecture, value):
        pass


class Model:
    """Its text has its address."""


def test_bound_arguments_are_recorded_and_names_are_the_same_in_every_process():
    bound = search(functools.partial(Counter, step=2))
    assert bound.setting == search(Counter, step=2).setting
    assert (bound.setting.label, bound.setting.parameters, bound.setting.version) == ("Counter:step=2", {"step": 2}, 3)
    assert np.array_equal(bound.architecture, search(Counter, step=2).architecture)
    assert search(functools.partial(Counter, step=2), step=5).setting.parameters == {"step": 5}, "as a call would"

    def with_first(step, space, random):
        return Counter(space, random, step)

    first = search(functools.partial(with_first, 2)).setting
    assert first.parameters == {"step": 2}
    assert first.label.endswith("with_first:step=2")
    label = search(functools.partial(Counter, model=Model())).setting.label
    assert label == f"Counter:model=<{Model.__module__}.Model object>"
    assert search(functools.partial(RandomSearch, replacement=False)).setting.label == "random-search:replacement=False"

    class Maker:
        def __call__(self, space, random):
            return Counter(space, random)

    assert search(Maker()).setting.strategy.endswith("Maker")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (nl.Strategy, "Strategy is abstract: give a class that defines ask, start, tell"),
        (nl.PlainStrategy, r"PlainStrategy needs a class to run: give that class, or PlainStrategy\(that class\)"),
    ],
)
def test_classes_that_are_no_strategies_themselves(kind, message):
    with pytest.raises(ParameterError, match=message):
        search(kind)


def test_an_error_of_a_users_strategy_stays_itself_and_names_the_strategy():
    class Raises(Counter):
        def ask(self):
            return {}["missing"]

    with pytest.raises(KeyError) as caught:
        search(Raises)
    assert caught.value.__notes__ == [f"strategy {Raises.__qualname__!r} on table 'synthetic/chain'"]


def test_a_file_is_imported_once(file):
    assert find_strategy(f"{file}:Guess").factory is find_strategy(f"{file}:Guess").factory


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "has a class or function to name, as in"),
        ("{}:Gues", "unknown name in .*'Gues'; did you mean 'Guess'"),
        ("{}:number", "is not a class or a function"),
        ("{}x.py:Guess", "there is no file"),
        ("{}:Guess:step", "malformed strategy"),
        ("no_such_module_at_all:Guess", "No module named 'no_such_module_at_all'"),
        ("random-search:replacement", "malformed strategy"),
    ],
)
def test_what_cannot_be_found_is_one_line(file, text, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message) as caught:
        search(text.format(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"parameters": ["replacement"]}, "parameters must map names to values"),
        ({"objectives": None}, "objectives must be a list of metrics, got None"),
        ({"objectives": "parameters"}, "objectives must be a list of metrics, got 'parameters'"),
        ({"limits": 5}, "limits must map metrics to numbers, got 5"),
    ],
)
def test_arguments_of_the_wrong_kind_are_one_line(wrong, message):
    with pytest.raises(ParameterError, match=message):
        search("random-search", **wrong)


def test_a_file_with_an_error_is_not_half_imported(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("raise RuntimeError('not yet')")
    with pytest.raises(
        ParameterError, match=r"broken\.py:Mine: RuntimeError: not yet \(broken\.py, line 1, in <module>\)"
    ):
        search(f"{path}:Mine")
    path.write_text(FILE)
    assert search(f"{path}:Guess").runs == 3


def test_names_are_told_from_paths():
    assert split_path("regularized-evolution:population_size=20") == ("", "")
    assert split_path("umda:selected=5") == ("", "")
    assert split_path("C:/my searches/mine.py:Mine:a=1,b=x") == ("C:/my searches/mine.py:Mine", "a=1,b=x")


def test_a_parameter_with_the_name_of_an_argument_is_not_lost():
    class Seeded:
        def __init__(self, space, random, seed=None):
            self.space, self.seed = space, seed

        def ask(self):
            return self.seed

        def tell(self, architecture, value):
            pass

    with pytest.raises(ParameterError, match="has a parameter 'seed', which is also an argument of simulate: give"):
        search(Seeded, seed=5)
    trace = search(Seeded, seed=5, parameters={"seed": 7})
    assert (trace.architecture == 7).all()
    assert trace.setting.conditions.seed == 5

    @dataclass(frozen=True)
    class Budgeted(RandomSearch):
        runs: int = 3

    with pytest.raises(ParameterError, match="has a parameter 'runs'"):
        search(Budgeted)
    assert search(Budgeted(runs=5)).runs == 3  # an object has its parameters already
    assert (search(functools.partial(Seeded, seed=4)).architecture == 4).all()


def test_a_parameter_in_the_text_is_clear_and_cannot_be_given_again(file):
    file.write_text(
        FILE.replace("step=1", "seed=1").replace("self.step = space, random, step", "self.seed = space, random, seed")
    )
    assert search(f"{file}:Guess:seed=4").setting.parameters == {"seed": 4}
    with pytest.raises(ParameterError, match=r"parameter 'seed' is given twice: in .* and beside it"):
        search(f"{file}:Guess:seed=4", parameters={"seed": 5})
    with pytest.raises(ParameterError, match="parameter 'population_size' is given twice"):
        search("regularized-evolution:population_size=20,sample_size=5", population_size=30)


@pytest.mark.parametrize("made", [None, 3])
def test_a_factory_that_makes_no_searcher_is_named(made):
    def factory(space, random):
        return made

    with pytest.raises(StrategyError, match=f"factory must return an object with ask and tell, got {made}"):
        search(factory)


def test_a_module_that_exits_is_one_line(tmp_path):
    path = tmp_path / "exits.py"
    path.write_text("import sys; sys.exit(5)")
    with pytest.raises(ParameterError, match=r"cannot import .*: 5"):
        search(f"{path}:Mine")


# Versions.


def with_version(number):
    @dataclass(frozen=True)
    class Versioned(RandomSearch):
        name = "versioned"
        version = number

    return Versioned()


def test_a_trace_records_the_version_and_files_keep_it(tmp_path):
    from nasbench_lab.simulation import load_traces, save_traces

    trace = search(with_version(3))
    assert trace.setting.version == 3
    save_traces([trace], tmp_path / "traces.h5")
    assert load_traces(tmp_path / "traces.h5")[0].setting == trace.setting


def test_a_study_of_two_versions_says_so():
    from nasbench_lab.analysis import study

    traces = [search(with_version(1)), search(with_version(2)), search("random-search")]
    found = study(traces)
    assert found.labels == ("versioned (version 1)", "versioned (version 2)", "random-search")
    assert any("versioned are from versions 1 and 2 of the strategy" in line for line in found.warnings)
    assert not any("version" in line for line in study(traces[1:]).warnings)


def test_a_baseline_records_the_version(tmp_path):
    from nasbench_lab.testing import BaselineCheck
    from nasbench_lab.testing.baselines.baseline_file import read_baseline

    path = tmp_path / "versioned.json"
    conditions = nl.Conditions(nl.Budget(evaluations=20))
    assert BaselineCheck(with_version(2), TABLE, conditions, runs=32).write(path).verdict == "created"
    assert read_baseline(path).subject.version == 2
    outcome = BaselineCheck(with_version(3), TABLE, conditions, runs=32).against(path)
    assert outcome.verdict == "identical"
    assert "the strategy was version 2, is version 3" in outcome.notes
    path.write_text(path.read_text().replace('"version": 2', '"version_of_a_file_from_before": 2'))
    assert read_baseline(path).subject.version == 1


# Files that are edited, and modules beside them.


def proposals(strategy):
    return set(search(strategy).architecture.ravel().tolist())


CONSTANT = """
class Constant:
    def __init__(self, space, random):
        pass

    def ask(self):
        return {}

    def tell(self, architecture, value):
        pass
"""


def test_an_edited_file_is_imported_again_and_the_same_one_is_not(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CONSTANT.format(11))
    before = find_strategy(f"{path}:Constant").factory
    assert proposals(f"{path}:Constant") == {11}
    assert find_strategy(f"{path}:Constant").factory is before
    path.write_text(CONSTANT.format(22))  # of the same length and second, so compiled code in a cache would look valid
    assert proposals(f"{path}:Constant") == {22}
    assert proposals(before) == {11}, "what was imported stays as it was"
    path.write_text(CONSTANT.format(11))
    assert find_strategy(f"{path}:Constant").factory is before
    assert [each.name for each in tmp_path.iterdir()] == ["mine.py"], "nothing is written beside the file"


def test_a_file_imports_modules_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "beside_of_lookup.py").write_text("NUMBER = 33\n")
    path = tmp_path / "mine.py"
    path.write_text("import beside_of_lookup\n" + CONSTANT.format("beside_of_lookup.NUMBER"))
    assert proposals(f"{path}:Constant") == {33}
    assert sys.path[-1] == str(tmp_path), "other modules come first"


# Places: how a file refers to what was given as an object or a class.


def test_the_place_of_a_class_finds_it_again(file, tmp_path):
    import evolution_variants

    kind = find_strategy(f"{file}:Guess").factory
    assert named_strategy(kind, tmp_path) == ("mine.py:Guess", {})
    assert named_strategy(functools.partial(kind, step=2), tmp_path) == ("mine.py:Guess", {"step": 2})
    other = tmp_path / "other"
    assert named_strategy(kind, other) == (f"{file.resolve()}:Guess", {})
    assert named_strategy(evolution_variants.Evolution(), tmp_path) == ("evolution_variants:Evolution", {})
    assert named_strategy(RandomSearch, tmp_path) == ("random-search", {})


def test_what_has_no_place_is_refused(file, tmp_path):
    kind = find_strategy(f"{file}:Guess").factory

    class Local(kind):
        pass

    def factory(space, random):
        return kind(space, random)

    for strategy in (Local, functools.partial(kind, None), factory):
        with pytest.raises(ParameterError, match="cannot be found again by its name: write its class to a file"):
            named_strategy(strategy, tmp_path)
    with pytest.raises(ParameterError, match="'mine' has a title, under which it cannot be found again"):
        named_strategy(nl.PlainStrategy(kind, title="mine"), tmp_path)
