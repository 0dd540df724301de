"""Monte-Carlo tree search: conformance, plain Python, the tree of beginnings, and that it does its job."""

import lock_step
import numpy as np
import oracles_tree
import pytest
from effect import assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Cell101Space, ChainSpace, ChoicesSpace, make_space, unlisted
from nasbench_lab.strategies import Evaluations, Problem, resolve
from nasbench_lab.strategies.parts.complete_tree import CompleteTree
from nasbench_lab.strategies.parts.prefix_tree import PrefixTree, prefix_tree
from nasbench_lab.streams import Streams
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [("mcts", {}), ("mcts", {"exploration": 0.5}), ("mcts", {"exploration": 0})]
TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


@given(
    variant=st.sampled_from(VARIANTS),
    kind=st.sampled_from(["chain", "tiny"]),
    seed=st.integers(0, 2**64),
    run=st.integers(0, 2**32),
    evaluations=st.integers(1, 243),
)
@settings(max_examples=12)
def test_lock_step_agrees_with_plain_python(variant, kind, seed, run, evaluations):
    lock_step.assert_agrees(oracles_tree.mcts, TABLES[kind], variant, seed, run, evaluations)


@pytest.mark.parametrize("space", [Cell101Space(4), make_space({"name": "trans-macro"})], ids=repr)
def test_codes_of_no_architecture_are_not_chosen(space):
    """In spaces where not every combination of codes is one; evaluation by evaluation to the end, then the end."""
    value = np.random.default_rng(0).random(space.size).round(2)
    value[::7] = np.nan
    evaluations = min(space.size, 100)
    strategy = resolve("mcts", {})
    state = strategy.start(Problem(space, Streams(3, 0, 2)))
    asked = []
    for number in range(evaluations):
        asked.append(strategy.ask(state))
        strategy.tell(state, Evaluations(asked[-1], value[asked[-1]], np.full((2, 1), number)))
    asked = np.concatenate(asked, axis=1)
    for run in range(2):
        history = oracles_tree.mcts(space, 3, run, lambda architecture: float(value[architecture]), evaluations)
        assert asked[run].tolist() == history
    if evaluations == space.size:
        assert (strategy.ask(state) == -1).all()


@pytest.mark.parametrize("workers", [1, 3, 64])
def test_everything_is_evaluated_once_and_then_the_run_ends(workers):
    table = TABLES["chain"]
    trace = nl.simulate(table, "mcts", runs=20, budget=nl.Budget(evaluations=1000), workers=workers)
    assert (np.sort(trace.architecture, axis=1) == np.arange(table.space.size)).all()
    assert trace.stopped.all()


@pytest.mark.parametrize(
    "space",
    [
        ChainSpace("abc", 3),
        Cell101Space(5),
        make_space({"name": "trans-macro"}),
        unlisted(make_space({"name": "topology"})),
        unlisted(ChoicesSpace([("a", [1]), ("b", [1, 2, 3]), ("c", [1]), ("d", [1, 2])])),
    ],
    ids=repr,
)
def test_the_tree_has_every_beginning_that_is_a_choice(space):
    tree = prefix_tree(space)
    assert isinstance(tree, PrefixTree if space.is_listed else CompleteTree)
    architecture = tree.architecture(np.arange(space.size))
    codes = space.codes(architecture)
    assert codes.tolist() == sorted(codes.tolist())
    assert (tree.position(architecture) == np.arange(space.size)).all()
    seen, waiting = 0, [tree.root]
    while waiting:
        node = waiting.pop()
        seen += 1
        low, count = int(tree.low(node)), int(tree.count(node))
        rows = codes[low : low + count]
        if len(rows) == 1:
            assert tree.degree(node) == 0
            continue
        branch = int((rows[0] != rows[-1]).argmax())
        values, counts = np.unique(rows[:, branch], return_counts=True)
        children = tree.first_child(node) + np.arange(tree.degree(node))
        assert tree.count(children).tolist() == counts.tolist()
        assert tree.low(children).tolist() == (low + np.cumsum(counts) - counts).tolist()
        assert len(values) > 1
        waiting += children.tolist()
    assert seen >= space.size


def test_better_than_random_search_on_a_separable_landscape():
    assert_better_than_random_search("mcts", 150)


@pytest.mark.parametrize(
    ("exploration", "rule"),
    [(-0.1, "at least 0"), ("much", "a finite number"), (float("nan"), "a finite number")],
)
def test_bad_parameters_are_one_clear_line(exploration, rule):
    with pytest.raises(ParameterError) as error:
        resolve("mcts", {"exploration": exploration})
    assert str(error.value) == f"exploration must be {rule}, got {exploration!r}"
