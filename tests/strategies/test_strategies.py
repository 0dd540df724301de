"""The built-in strategies: conformance, agreement with plain Python, and what their publications promise."""

import dataclasses
import math
import pickle
import typing

import lock_step
import numpy as np
import oracles
import pytest
from added_entry_points import add_entry_points
from effect import assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.checks import AtMost, Count, require
from nasbench_lab.errors import ParameterError, StrategyError, UnknownNameError
from nasbench_lab.strategies import Strategy, registry, resolve
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [
    ("random-search", {}),
    ("regularized-evolution", {}),
    ("local-search", {}),
    ("regularized-evolution", {"population_size": 1, "sample_size": 1}),
    ("regularized-evolution", {"population_size": 100, "sample_size": 25}),
    ("local-search", {"improvement": "best", "initial": 1}),
]
ORACLES = {
    "random-search": oracles.random_search,
    "regularized-evolution": oracles.regularized_evolution,
    "local-search": oracles.local_search,
}
TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


@given(
    variant=st.sampled_from([variant for variant in VARIANTS if variant[0] in ORACLES]),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**64),
    run=st.integers(0, 2**32),
    evaluations=st.integers(1, 150),
)
@settings(max_examples=120)
def test_lock_step_agrees_with_plain_python(variant, kind, seed, run, evaluations):
    lock_step.assert_agrees(ORACLES[variant[0]], TABLES[kind], variant, seed, run, evaluations)


def test_local_search_evaluates_everything_once_and_then_ends():
    table = TABLES["chain"]
    for improvement in ("best", "first"):
        trace = nl.simulate(table, "local-search", runs=20, budget=nl.Budget(evaluations=1000), improvement=improvement)
        assert (trace.evaluations == table.space.size).all()
        assert (np.sort(trace.architecture, axis=1) == np.arange(table.space.size)).all()


def test_local_search_moves_to_the_best_neighbor_and_only_if_it_is_better():
    table = synthetic_table("chain", noise=0.0)
    # A start, its ten neighbours (a chain of five with three choices), and one evaluation after the move.
    published = {"improvement": "best", "initial": 1}
    trace = nl.simulate(table, "local-search", runs=2000, budget=nl.Budget(evaluations=12), repeat="mean", **published)
    values = table.mean_values("valid_accuracy")
    moved = 0
    for run in trace.architecture:
        start, neighbors, last = run[0], run[1:11], run[11]
        assert sorted(neighbors) == sorted(table.space.neighbors(start))
        assert last not in run[:11]
        best = neighbors[values[neighbors].argmax()]
        if values[best] > values[start]:
            assert last in table.space.neighbors(best)
            moved += 1
    assert 1900 < moved < 2000, "the landscape has one optimum among 243; most starts are not there"


@pytest.mark.parametrize("name", ["regularized-evolution", "local-search"])
def test_better_than_random_search_on_a_separable_landscape(name):
    assert_better_than_random_search(name, 150)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("regularized-evolution", {"population_size": 0}, "population_size must be at least 1, got 0"),
        ("regularized-evolution", {"sample_size": -2}, "sample_size must be at least 1, got -2"),
        ("regularized-evolution", {"population_size": 2.5}, "population_size must be a whole number, got 2.5"),
        ("regularized-evolution", {"population_size": "ten"}, "population_size must be a whole number, got 'ten'"),
        ("local-search", {"improvement": "worst"}, "improvement must be 'best' or 'first', got 'worst'"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'random-search'"):
        resolve("random_serch", {})
    with pytest.raises(UnknownNameError, match="did you mean 'population_size'"):
        resolve("regularized-evolution", {"population": 3})
    with pytest.raises(UnknownNameError, match="known: none"):
        resolve("exhaustive", {"x": 3})


def test_objects_come_with_their_parameters():
    strategy = resolve("regularized-evolution", {"population_size": 7})
    assert resolve(strategy, {}) is strategy
    with pytest.raises(ParameterError, match="give parameters"):
        resolve(strategy, {"sample_size": 2})
    with pytest.raises(ParameterError, match="must be a name, a Strategy object or a class with ask and tell"):
        resolve(3, {})
    assert dataclasses.is_dataclass(strategy)
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.population_size = 3


def test_labels_show_what_differs_from_the_defaults():
    @dataclasses.dataclass(frozen=True)
    class Odd(DrawsWhenSomeoneIsLucky):
        name = "odd"
        weights: object = 0
        options: dict = dataclasses.field(default_factory=dict)

    assert Odd().label == "odd"
    assert Odd(weights=np.arange(3)).label == "odd:weights=[0 1 2]"
    assert Odd(options={"a": 1}).label == "odd:options={'a': 1}"


def test_names_are_inherited_only_if_they_were_given():
    class Unnamed(Strategy):
        start = ask = tell = None

    class Below(Unnamed):
        pass

    class Named(DrawsWhenSomeoneIsLucky):
        pass

    assert (Unnamed.name, Below.name, Named.name) == ("Unnamed", "Below", "lucky")


def test_installed_packages_can_add_strategies(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, mine=Climber, wrong=int, missing="no_such_module:Mine")
    assert "mine" in nl.list_strategies()
    with pytest.raises(ParameterError, match="is not a class of strategies"):
        resolve("wrong", {})
    with pytest.raises(ParameterError, match=r"'missing' .* cannot be loaded: ModuleNotFoundError"):
        resolve("missing", {})
    plain = resolve("mine", {"patience": 3})
    assert (plain.name, plain.label, plain.parameters) == ("mine", "mine:patience=3", {"patience": 3})


def test_a_built_in_name_cannot_be_taken_over_and_the_user_is_told(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, random_search=Climber)
    with pytest.warns(UserWarning, match="the entry point 'random-search' .* is ignored, as 'random-search' is a bu"):
        assert resolve("random-search", {}).name == "random-search"
    assert nl.list_strategies().count("random-search") == 1


class DrawsWhenSomeoneIsLucky(Strategy):
    """Breaks the rule of streams after its first population: one more draw when some run is at certain places."""

    name = "lucky"

    def __init__(self, population_size):
        self.inner = resolve("regularized-evolution", {"population_size": population_size})

    def start(self, task):
        return self.inner.start(task)

    def ask(self, state):
        if state.born and (state.members[:, 0] % 7 == 0).any():
            state.streams.uniform(1)
        return self.inner.ask(state)

    def tell(self, state, evaluations):
        self.inner.tell(state, evaluations)


@pytest.mark.parametrize("population_size", [4, 100])
def test_conformance_catches_a_run_that_depends_on_its_company(population_size):
    with pytest.raises(AssertionError, match="depends on the others"):
        CASES["a_long_run_does_not_depend_on_its_company"](DrawsWhenSomeoneIsLucky(population_size))


class ForgetsWhenPickled(DrawsWhenSomeoneIsLucky):
    """Mixes up the population when its state is pickled, which shows only once parents are drawn."""

    class State:
        def __init__(self, inner):
            self.inner = inner

        def __getstate__(self):
            members = self.inner.members
            self.inner.members = np.roll(members, 1, axis=1)
            data = pickle.dumps(self.inner)
            self.inner.members = members
            return {"inner": pickle.loads(data)}

    def start(self, task):
        return self.State(self.inner.start(task))

    def ask(self, state):
        return self.inner.ask(state.inner)

    def tell(self, state, evaluations):
        self.inner.tell(state.inner, evaluations)


def test_conformance_catches_a_state_that_is_not_all_pickled():
    with pytest.raises(AssertionError, match="the search changes when its state is pickled"):
        CASES["state_survives_pickling"](ForgetsWhenPickled(4))


def test_random_search_is_not_better_than_random_search():
    with pytest.raises(AssertionError):
        assert_better_than_random_search("random-search", 60)


def test_conformance_catches_parameters_that_are_not_checked():
    @dataclasses.dataclass(frozen=True)
    class Unchecked(DrawsWhenSomeoneIsLucky):
        share: typing.Annotated[float, AtMost(1)] = 0.5

        def __post_init__(self):
            pass  # the check of the base class is lost

    with pytest.raises(AssertionError, match=r"share='text' is accepted, but it must be number, at most 1"):
        CASES["bad_parameters_are_refused"](Unchecked())


@dataclasses.dataclass(frozen=True)
class Typed(Strategy):
    """A strategy of another package, with types that only a type checker knows."""

    weights: "NoSuchType" = 3  # noqa: F821
    share: float = 0.5
    start = ask = tell = None


@dataclasses.dataclass(frozen=True)
class Checked(Strategy):
    """A strategy of another package, with declared parameters that depend on each other."""

    low: Count = 1
    high: Count | None = None
    start = ask = tell = None

    def check(self):
        require(self.high is None or self.low <= self.high, "low must be at most high")


def test_strategies_of_other_packages_need_no_annotations():
    assert Typed(share="half").label == "Typed:share=half"


def test_declared_parameters_are_checked_and_become_plain_numbers():
    assert type(Checked(low=np.int64(3)).low) is int
    assert Checked(low=2).label == "Checked:low=2"
    assert Checked(high=2).version == 1
    with pytest.raises(ParameterError, match=r"high must be a whole number, got 2\.5"):
        Checked(high=2.5)
    with pytest.raises(ParameterError, match="low must be at most high"):
        Checked(low=3, high=2)


def test_a_number_keeps_its_label():
    assert resolve("bohb", {"good_share": 1}).label == "bohb:good_share=1"
    assert resolve("bohb", {"good_share": np.float64(0.25)}).label == "bohb:good_share=0.25"


# Plain strategies.


class Climber:
    """Ten lines: move to a random neighbour when it is better."""

    def __init__(self, space, random, patience=5):
        self.space, self.random, self.patience = space, random, patience
        self.best, self.value, self.told = None, -math.inf, []

    def ask(self):
        if self.best is None:
            return int(self.random.integers(self.space.size))
        return self.random.choice(self.space.neighbors(self.best))

    def tell(self, architecture, value):
        self.told.append(architecture)
        if value > self.value:
            self.best, self.value = architecture, value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_plain_strategy_conforms(case):
    case(nl.PlainStrategy(Climber))


def test_a_plain_class_is_adapted_where_a_strategy_is_expected():
    trace = nl.simulate(TABLES["chain"], Climber, runs=3, budget=nl.Budget(evaluations=9), patience=2)
    assert trace.evaluations.tolist() == [9, 9, 9]
    assert trace.setting.label.endswith("Climber:patience=2")


def test_a_plain_strategy_may_use_notation_and_may_end_early():
    class Three:
        version = 4

        def __init__(self, space, random):
            self.left = ["00000", "00001", "00002"]

        def ask(self):
            return self.left.pop(0) if self.left else None

        def tell(self, architecture, value):
            assert isinstance(architecture, str)

    assert (nl.PlainStrategy(Three).version, nl.PlainStrategy(Climber).version) == (4, 1)
    trace = nl.simulate(TABLES["chain"], Three, runs=2, budget=nl.Budget(evaluations=9))
    assert trace.architecture.tolist() == [[0, 1, 2]] * 2
    assert trace.evaluations.tolist() == [3, 3]


def test_a_plain_strategy_that_leaves_the_space_is_named():
    class Wrong:
        def __init__(self, space, random):
            pass

        def ask(self):
            return 243

        def tell(self, architecture, value):
            pass

    with pytest.raises(StrategyError, match=r"Wrong proposed 243: architecture 243 is not in 0\.\.242"):
        nl.simulate(TABLES["chain"], Wrong, runs=2, budget=nl.Budget(evaluations=9))
