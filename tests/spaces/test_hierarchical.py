"""Hierarchical spaces against brute force: counts, codes, notation, sampling, equal networks."""

import itertools
import json
import re
import tomllib

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT

from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import HierarchicalSpace, make_space
from nasbench_lab.spaces.hierarchical import Grammar, parse_term
from nasbench_lab.streams import Streams

PUBLISHED = """
D2 -> "Linear3" D1 D1 D0 | "Linear3" D0 D1 D1 | "Linear4" D1 D1 D0 D0
D1 -> "Linear3" C C DOWN | "Linear4" C C C DOWN | "Residual3" C C DOWN DOWN
D0 -> "Linear3" C C CELL | "Linear4" C C C CELL | "Residual3" C C CELL CELL
DOWN -> "Linear2" CELL "resBlock" | "Linear3" CELL CELL "resBlock" | "Residual2" CELL "resBlock" "resBlock"
C -> "Linear2" CELL CELL | "Linear3" CELL CELL CELL | "Residual2" CELL CELL CELL
CELL -> "Cell" OPS OPS OPS OPS OPS OPS
OPS -> "id" | "zero" | "conv3x3" | "conv1x1" | "avg_pool"
"""
"""The grammar of hierarchical NAS-Bench-201, in the notation of its repository."""


def published_productions():
    found = {}
    for line in PUBLISHED.strip().splitlines():
        name, right = line.split(" -> ")
        words = [production.replace('"', "").split() for production in right.split(" | ")]
        found[name] = [first if not rest else f"{first}({', '.join(rest)})" for first, *rest in words]
    return found


def digits_space():
    return make_space(tomllib.loads((ROOT / "data" / "digits-hierarchical.toml").read_text())["space"])


def nested(**productions):
    return HierarchicalSpace("NET", productions)


CONDITIONAL = HierarchicalSpace(
    "NET",
    {
        "NET": ["STAGE", "Diamond2(STAGE, id, id, STAGE)", "Residual2(STAGE, Linear2(id, REDUCTION), STAGE)"],
        "STAGE": ["Linear2(OP, CELL)", "CELL", "Linear3(OP, REDUCTION, OP)"],
        "REDUCTION": ["conv3x3", "avg_pool"],
        "OP": ["conv1x1", "id"],
        "CELL": ["Cell(KIND, OP, OP)", "OP"],
        "KIND": ["conv3x3", "conv1x1"],
    },
)
"""Decisions below others, names that occur a different number of times, and only one level of which is chosen."""


SHARED = HierarchicalSpace(
    "NET",
    {"NET": ["Linear2(CELL, CELL)", "CELL"], "CELL": ["Cell(OP, OP, OP)"], "OP": ["id", "conv3x3"]},
    shared=["CELL"],
)


def derivations(space, name):
    """Yield everything that a name of a grammar stands for, as text, in plain Python."""
    grammar = space.spec()

    def replaced(text):
        match = next((m for m in re.finditer(r"\w+", text) if m[0] in grammar["productions"]), None)
        if match is None:
            yield text
            return
        for production in grammar["productions"][match[0]]:
            yield from replaced(f"{text[: match.start()]}{production}{text[match.end() :]}")

    return list(replaced(name))


def test_counts_of_the_published_grammar():
    productions = published_productions()
    macros = {name: terms for name, terms in productions.items() if name not in ("CELL", "OPS")}
    assert Grammar("D2", macros).size == 75_549_915
    space = HierarchicalSpace("D2", productions, shared=["CELL"])
    assert space.size == 75_549_915 * 5**6
    assert space.grammar.counts == {
        "D2": 75_549_915, "D1": 189, "D0": 45, "DOWN": 3, "C": 3, "CELL": 15_625, "OPS": 5
    }  # fmt: skip
    blocks = {
        "OPS": ["id", "zero", "Linear1(CONVBLOCK)", "avg_pool"],
        "CONVBLOCK": ["Linear3(ACT, CONV, NORM)"],
        "CONV": ["conv3x3o", "conv1x1o", "dconv3x3o"],
        "NORM": ["batch", "instance", "layer"],
        "ACT": ["relu", "hardswish", "mish"],
    }
    assert HierarchicalSpace("D2", {**productions, **blocks}, shared=["CELL"]).size == 75_549_915 * 30**6
    with pytest.raises(ParameterError, match=r"'D1' stands for more than 2\*\*63 - 1"):
        HierarchicalSpace("D2", productions)


def test_everything_that_a_small_grammar_derives():
    expected = derivations(CONDITIONAL, "NET")
    assert CONDITIONAL.size == len(expected) == len(set(expected))
    every = np.arange(CONDITIONAL.size)
    found = CONDITIONAL.format(every)
    assert sorted(found) == sorted(expected)
    some = every[::13]
    assert CONDITIONAL.parse(found[::13]).tolist() == some.tolist()
    assert CONDITIONAL.grammar.counts["STAGE"] == len(derivations(CONDITIONAL, "STAGE"))


def test_codes_of_decisions_that_are_not_made_are_zero():
    codes = CONDITIONAL.codes(np.arange(CONDITIONAL.size)).astype(int)
    assert not (codes * ~CONDITIONAL.decisions(codes)).any()
    random = np.random.default_rng(0)
    some = random.integers(0, CONDITIONAL.cardinalities, (500, len(CONDITIONAL.cardinalities)))
    known = {tuple(row) for row in codes.tolist()}
    assert [place >= 0 for place in CONDITIONAL.find(some).tolist()] == [tuple(row) in known for row in some.tolist()]
    canonical = CONDITIONAL.canonical(some)
    assert {tuple(row) for row in canonical.tolist()} <= known
    assert np.array_equal(CONDITIONAL.canonical(canonical), canonical)
    unmade = int(np.flatnonzero(~CONDITIONAL.decisions(codes[0]))[0])
    with pytest.raises(OutOfSpaceError, match=rf"code {unmade} is 1, but must be 0: .* does not make this decision"):
        CONDITIONAL.index((np.arange(codes.shape[1]) == unmade).astype(int))


def test_children_make_the_decisions_of_their_parents():
    random = np.random.default_rng(0)
    one, other = random.integers(0, CONDITIONAL.size, (2, 200))
    taken = random.random((200, len(CONDITIONAL.cardinalities))) < 0.5
    child = CONDITIONAL.codes(CONDITIONAL.crossover(one, other, taken))
    mixed = np.where(taken, CONDITIONAL.codes(other), CONDITIONAL.codes(one))
    made = CONDITIONAL.decisions(child)
    assert (child[made] == mixed[made]).all()


@pytest.fixture(scope="module")
def large():
    return HierarchicalSpace("D2", published_productions(), shared=["CELL"])


def test_round_trips_in_a_space_that_nobody_lists(large):
    index = np.concatenate([np.random.default_rng(1).integers(0, large.size, 300), [0, large.size - 1]])
    codes = large.codes(index.reshape(2, 151))
    assert np.array_equal(large.index(codes), index.reshape(2, 151))
    some = index[-20:]
    assert large.parse(large.format(some)).tolist() == some.tolist()
    assert make_space(json.loads(json.dumps(large.spec()))).format(int(index[0])) == large.format(int(index[0]))


def test_architectures_up_to_the_largest_number():
    """62 shared choices of two, so 2**62 architectures, and one that makes them twice as many less one."""
    pairs = {f"P{place}": ["conv1x1", "conv3x3"] for place in range(62)}
    space = HierarchicalSpace("NET", {"NET": [f"Linear62({', '.join(pairs)})"], **pairs})
    assert space.size == 2**62
    index = np.random.default_rng(0).integers(0, space.size, 50)
    assert np.array_equal(space.index(space.codes(index)), index)
    bits = [[int(bit) for bit in f"{each:062b}"] for each in index.tolist()]
    assert np.array_equal(space.codes(index), bits)
    with pytest.raises(ParameterError, match=r"more than 2\*\*63 - 1 architectures"):
        HierarchicalSpace("NET", {"NET": [f"Linear63({', '.join(pairs)}, LAST)"], **pairs, "LAST": ["id", "zero"]})


def test_counts_are_those_of_the_whole_network(large):
    for space, some in ((CONDITIONAL, range(0, CONDITIONAL.size, 97)), (large, [0, 10**12, large.size - 1])):
        for index in some:
            leaves = list(space.network_term(space.codes(index).tolist()).leaves())
            expected = [leaves.count(name) for name in space.grammar.operations]
            assert space.encode(index, "counts").tolist() == expected
            assert sum(expected) == len(leaves)
    nested_sharing = HierarchicalSpace(
        "NET",
        {"NET": ["Linear2(CELL, CELL)"], "CELL": ["Linear3(BLOCK, id, BLOCK)"], "BLOCK": ["conv3x3", "conv1x1"]},
        shared=["BLOCK", "CELL"],
    )
    assert nested_sharing.format(1) == "Linear2(CELL, CELL); BLOCK = conv1x1; CELL = Linear3(BLOCK, id, BLOCK)"
    assert nested_sharing.encode(1, "counts").tolist() == [2, 0, 4]
    assert nested_sharing.encode(np.zeros((2, 0), dtype=int), "counts").shape == (2, 0, 3)


def test_samples_are_uniform_over_architectures():
    drawn = CONDITIONAL.sample(Streams(0, 0, 20).uniform(200)).reshape(-1)
    heads = [text.split("(")[0] for text in derivations(CONDITIONAL, "NET")]
    outer = [heads.count("Diamond2"), heads.count("Residual2")]
    expected = np.array([len(heads) - sum(outer), *outer]) / len(heads) * drawn.size
    assert scipy.stats.chisquare(np.bincount(CONDITIONAL.codes(drawn)[:, 0]), expected).pvalue > 1e-6


def test_the_shipped_description():
    space = digits_space()
    assert space.size == 243 * 64
    assert space.cardinalities == (3, 3, 3, 3, 3, 4, 4, 4)
    cells = {space.network_form([0] * 5 + list(cell)) for cell in itertools.product(range(4), repeat=3)}
    assert len(cells) == 30
    assert len(np.unique(space.representatives)) == 5409


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Linear2(id, conv3x3)", "Linear2(conv3x3, id)", True),
        ("Residual2(id, conv3x3, conv1x1)", "Residual2(conv1x1, conv3x3, id)", True),
        ("Residual2(conv1x1, zero, conv3x3)", "Linear2(conv1x1, conv3x3)", True),
        ("Residual2(conv1x1, zero, conv3x3)", "Linear2(conv3x3, conv1x1)", False),
        ("Residual2(conv1x1, id, zero)", "Linear1(id)", True),
        ("Linear2(zero, conv1x1)", "Linear2(zero, conv3x3)", True),
        ("Linear2(zero, avg_pool)", "Linear2(zero, conv3x3)", False),
        ("Linear2(conv3x3, zero)", "Linear1(zero)", True),
        ("Diamond2(conv3x3, conv1x1, id, id)", "Diamond2(id, id, conv1x1, conv3x3)", True),
        ("Residual2(id, id, id)", "Linear1(id)", False),
        ("Linear2(Linear2(conv3x3, id), conv1x1)", "Linear3(id, conv3x3, conv1x1)", True),
        ("Cell(conv3x3, zero, conv1x1, zero, zero, id)", "Linear2(conv3x3, conv1x1)", True),
    ],
)
def test_equal_networks(one, other, same):
    space = nested(NET=[one, other])
    assert (space.network_form([0]) == space.network_form([1])) is same
    assert space.representatives.tolist() == [0, 0 if same else 1]


def test_drawings_and_labels():
    space = digits_space()
    graph = space.graph(7000)
    boxes = [node.label for node in graph.nodes if node.kind == "operation"]
    assert boxes == ["CELL"] * 5 + ["resBlock"] + ["CELL"] * 3 + ["resBlock"] + ["CELL"] * 3
    assert graph.nodes[-1].label == "CELL = Cell(id, conv1x1, zero)"
    assert [(edge.source, edge.target) for edge in graph.edges] == [(place, place + 1) for place in range(14)]
    assert space.labels(7000)[:2] == ("STAGE = Linear3(CELL, CELL, CELL)", "STAGE = Linear2(CELL, CELL)")
    residual = nested(NET=["Linear2(Residual2(conv3x3, id, conv1x1), Residual2(conv1x1, zero, zero))"])
    edges = [(edge.source, edge.target) for edge in residual.graph(0).edges]
    assert edges == [(0, 1), (1, 2), (0, 3), (2, 3)]  # 3 is what the output does not take
    assert [node.label for node in residual.graph(0).nodes] == ["input", "conv3x3", "conv1x1", "conv1x1", "output"]


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        ({"start": "NET", "productions": {}}, "needs a table of productions"),
        ({"start": "X", "productions": {"NET": ["id"]}}, "start must be a name with productions, one of NET; got 'X'"),
        ({"start": "A", "productions": {"A": ["Linear1(B)"], "B": ["A", "id"]}}, "recursive, but this one has A -> B"),
        ({"start": "A", "productions": {"A": ["id"], "B": ["zero"]}}, "the name 'B' of the grammar is never used"),
        ({"start": "A", "productions": {"A": ["Linear2(id)"]}}, r"Linear2 takes 2 arguments, got 1, in .* 'A'"),
        ({"start": "A", "productions": {"A": ["Sum(id, id)"]}}, "no function 'Sum' with arguments; there are LinearN"),
        ({"start": "A", "productions": {"A": ["Cell(id, id)"]}}, "Cell takes 1, 3, 6, 10 or 15 arguments, got 2"),
        ({"start": "A", "productions": {"A": ["Linear2(id, id"]}}, "malformed at its end"),
        ({"start": "A", "productions": {"A": ["id", "id"]}}, "'A' has the production id twice"),
        ({"start": "A", "productions": {"A": "id"}}, "must be a list of 1 to 127 texts"),
        ({"start": "A", "productions": {"A": [3]}}, "a production of 'A' must be a text, got 3"),
        ({"start": "A", "productions": {"A": ["B", "C"], "B": ["id"], "C": ["id"]}}, "the same architecture: B and C"),
        ({"start": "A", "productions": {"A": ["B(id)"], "B": ["id"]}}, "'B' has productions, so it takes no argument"),
        ({"start": "A", "productions": {"A": ["B", "id"], "B": ["zero"]}, "shared": ["B"]}, "every architecture must"),
        ({"start": "A", "productions": {"A": ["id"]}, "shared": ["A"]}, "without the start; got 'A'"),
        ({"start": "A", "productions": {"A": ["id"]}, "shared": "A"}, "shared must be a list of names, got 'A'"),
        ({"start": "A", "productions": {"A-1": ["id"]}}, "a name is letters, digits and _, got 'A-1'"),
    ],
)
def test_wrong_grammars(grammar, message):
    with pytest.raises((ParameterError, DataError), match=message):
        make_space({"name": "hierarchical", **grammar})


def test_grammars_that_would_need_endless_time():
    doubling = {f"X{level}": [f"Linear2(X{level + 1}, X{level + 1})"] for level in range(59)}
    with pytest.raises(ParameterError, match="at most 20000 functions"):
        HierarchicalSpace("X0", {**doubling, "X59": ["id"]})
    deep = {f"X{level}": [f"Linear1(X{level + 1})"] for level in range(400)}
    with pytest.raises(ParameterError, match="inside each other 60 times"):
        HierarchicalSpace("X0", {**deep, "X400": ["id"]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Linear2(CELL, CELL)", "does not say what CELL is"),
        ("Linear2(CELL, CELL); CELL = Cell(id, id)", r"Cell\(id, id\)' is no CELL; allowed: .*Cell"),
        ("Linear3(CELL); CELL = Cell(id, id, id)", "is no NET; allowed"),
        ("Linear2(CELL, CELL); CELL = x; CELL = y", "says twice what CELL is"),
        ("Linear2(CELL, CELL); OPERATION = id", "for a shared name"),
        ("Linear2(CELL, ; CELL = Cell(id, id, id)", "malformed"),
        ("; CELL = Cell(id, id, id)", "malformed at its end"),
        ("CELL; CELL =", "malformed at its end"),
        (f"{'(' * 10_000}; CELL = id", "malformed"),
        (f"{'a(' * 10_000}; CELL = id", "inside each other"),
    ],
)
def test_malformed_architectures(text, message):
    with pytest.raises(OutOfSpaceError, match=message):
        SHARED.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="Linear2(), CELL;=\n", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        term = parse_term(text)
    except OutOfSpaceError:
        return
    assert parse_term(str(term)) == term
