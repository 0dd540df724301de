"""The registry: built-in strategies are files, aliases lead to them, and other packages can add their own."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nasbench_lab as nl
from nasbench_lab import strategies
from nasbench_lab.checks import domains
from nasbench_lab.errors import UnknownNameError
from nasbench_lab.strategies import Strategy, registry, resolve

FOLDER = Path(strategies.__file__).parent
FILES = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in registry.CONTRACT | {"__init__"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_one_strategy_with_the_name_of_the_file(path):
    module = importlib.import_module(f"nasbench_lab.strategies.{path.stem}")
    (kind,) = (
        value
        for title, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
        if not title.startswith("_")
    )
    assert "name" in vars(kind), "its name stands in its own file"
    assert kind.name == path.stem.replace("_", "-")
    assert kind.family
    assert kind.version >= 1
    assert registry.strategy_class(kind.name) is kind
    resolve(kind.name, {})  # its defaults are allowed


@pytest.mark.parametrize("name", registry.built_in())
def test_every_parameter_says_what_is_allowed(name):
    unsaid = {parameter for parameter, domain in domains(registry.strategy_class(name)).items() if not str(domain)}
    looked_up = {"predictor-search": {"model", "encoding"}, "decoupled": {"inner", "order", "split"}}
    assert unsaid <= looked_up.get(name, {"inner", "score"}), "names, which are looked up"


def test_the_built_in_strategies_are_the_files():
    assert registry.built_in() == tuple(sorted(path.stem.replace("_", "-") for path in FILES))
    assert all((FOLDER / f"{module}.py").is_file() for module in registry.CONTRACT)
    assert set(registry.built_in()) <= set(nl.list_strategies())


def imported_by(code):
    """Which files of strategies a program imports."""
    program = f"import sys, nasbench_lab as nl\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("nasbench_lab.strategies.") for name in done.stdout.split()}
    return sorted({path.stem for path in FILES} & loaded)


def test_listing_imports_no_strategy_and_resolving_imports_one():
    assert imported_by("nl.list_strategies()") == []
    code = "from nasbench_lab.strategies import resolve; resolve('random-search', {})"
    assert imported_by(code) == ["random_search"]


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("REA", "regularized-evolution"),
        ("Regularized Evolution", "regularized-evolution"),
        ("aging evolution", "regularized-evolution"),
        ("alphax", "mcts"),
        ("annealing", "simulated-annealing"),
        ("gdas", "gumbel-softmax"),
        ("grid_search", "exhaustive"),
        ("metaqnn", "q-learning"),
        ("nsga2", "nsga-ii"),
        ("pnas", "progressive-search"),
        ("random forest", "smac"),
        ("sha", "successive-halving"),
        ("tabu", "tabu-search"),
        ("uct", "mcts"),
    ],
)
def test_an_alias_of_one_strategy_is_a_name(called, name):
    assert resolve(called, {}) == resolve(name, {})
    assert resolve(called, {}).label == name
    assert registry.strategy_class(called) is registry.strategy_class(name)


@pytest.mark.parametrize(
    ("called", "names"),
    [
        ("Bayesian Optimisation", ["gp-bo", "smac", "tpe"]),
        ("BO", ["gp-bo", "smac", "tpe"]),
        ("ea", ["genetic-algorithm", "mu-plus-lambda", "regularized-evolution"]),
        ("evolution", ["differential-evolution", "genetic-algorithm", "regularized-evolution"]),
        ("neural predictor", ["bananas", "brp-nas", "npenas", "predictor-search"]),
        ("RL", ["ppo", "q-learning", "reinforce"]),
    ],
)
def test_an_alias_of_several_strategies_lists_them(called, names):
    with pytest.raises(UnknownNameError) as error:
        resolve(called, {})
    choices = f"{', '.join(names[:-1])} or {names[-1]}"
    assert str(error.value) == f"the strategy {called!r} can be {choices}; name one of them"


@pytest.mark.parametrize(("called", "names"), [("bayesian", ["gp-bo", "smac", "tpe"]), ("asha2", ["asha"])])
def test_near_names_are_suggested(called, names):
    with pytest.raises(UnknownNameError) as error:
        resolve(called, {})
    assert str(error.value) == f"unknown strategy {called!r}; did you mean {' or '.join(map(repr, names))}?"


def test_an_alias_is_spelled_like_a_name():
    for name in registry.built_in():
        for alias in registry.strategy_class(name).aliases:
            assert alias == alias.lower().replace(" ", "-").replace("_", "-")
            assert alias not in registry.built_in()


def test_the_modules_of_the_contract_are_no_strategies():
    for module in registry.CONTRACT:
        with pytest.raises(UnknownNameError):
            resolve(module, {})
