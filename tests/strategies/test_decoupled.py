"""Decoupled search: one part after the other, each with its share, and the inner strategy sees only its part."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, SettingWarning, UnknownNameError
from nasbench_lab.spaces import HierarchicalSpace, SizeSpace, TopologySpace
from nasbench_lab.strategies import Evaluations, Problem, Proposals, Strategy, resolve
from nasbench_lab.strategies.parts.code_parts import parts_in_order, split_evaluations
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.strategies.regularized_evolution import RegularizedEvolution
from nasbench_lab.streams import Streams
from nasbench_lab.testing import CASES, synthetic_table

VARIANTS = [
    {},
    {"inner": "hyperband", "evaluations": 20},
]
RECOMMENDING = {"inner": "gp-bo:initial=3", "evaluations": 20, "split": 0.4, "fixed": "default"}
TABLE = synthetic_table("chain", noise=0.0)
MACRO_AND_CELL = HierarchicalSpace(
    "NET",
    {
        "NET": ["STAGE", "Linear2(STAGE, STAGE)"],
        "STAGE": ["Linear2(CELL, conv1x1)", "Linear3(CELL, CELL, conv1x1)", "Residual2(CELL, id, conv1x1)"],
        "CELL": ["Cell(OP, OP, OP)"],
        "OP": ["zero", "id", "conv3x3"],
    },
    shared=["CELL"],
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("parameters", VARIANTS, ids=lambda each: each.get("inner", "defaults"))
def test_conformance(case, parameters):
    case(resolve("decoupled", parameters))


@pytest.mark.parametrize("name", ["recommending_changes_nothing", "recommends_what_keeps_the_limits"])
def test_conformance_with_recommendations(name):
    CASES[name](resolve("decoupled", RECOMMENDING))


def value_of(space, architecture):
    """A value with interactions between all codes; higher is better."""
    codes = space.codes(architecture).astype(float)
    place = np.arange(1, codes.shape[-1] + 1)
    return np.sin(codes @ place**1.5) + codes.sum(axis=-1) / 10


def searched(space, parameters, runs=6, evaluations=60, **options):
    """What is asked, shape (runs, evaluations), and the state at the end."""
    strategy = resolve("decoupled", parameters)
    state = strategy.start(Problem(space, Streams(3, 0, runs), **options))
    asked, count = [], 0
    while count < evaluations:
        proposals = strategy.ask(state)
        architecture = proposals.architecture if isinstance(proposals, Proposals) else proposals
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        strategy.tell(state, Evaluations(architecture, value_of(space, architecture), number))
        asked.append(architecture)
        count += architecture.shape[1]
    return np.concatenate(asked, axis=1)[:, :evaluations]


@pytest.mark.parametrize("inner", ["regularized-evolution", "random-search", "tpe"])
@pytest.mark.parametrize("space", [MACRO_AND_CELL, TopologySpace()], ids=["hierarchical", "topology"])
def test_only_one_part_changes_and_the_best_is_fixed(space, inner):
    order = list(space.code_groups)[::-1]
    parameters = {"inner": inner, "order": "+".join(order), "evaluations": 40, "split": 0.25}
    found = searched(space, parameters, evaluations=60)
    lengths = split_evaluations(0.25, len(order), 40)
    assert lengths[0] == 10
    ends = np.cumsum([0, *lengths, *lengths])
    values = value_of(space, found)
    for turn, name in enumerate([*order, order[0]]):
        first, last = ends[turn], ends[turn + 1]
        codes = space.codes(found[:, first:last])
        others = [place for group, places in space.code_groups.items() if group != name for place in places]
        if turn == 0:
            fixed = codes[:, :1]
        else:
            fixed = space.codes(found[np.arange(len(found)), values[:, :first].argmax(axis=1)])[:, None]
        assert (codes[..., others] == fixed[..., others]).all()
        mine = list(space.code_groups[name])
        assert all(len(np.unique(row, axis=0)) > 1 for row in codes[..., mine]), "the part is not searched"


def test_the_inner_strategy_sees_the_space_of_its_part():
    seen = []

    class Spy(RegularizedEvolution):
        def start(self, problem):
            seen.append(problem.space)
            return super().start(problem)

        def tell(self, state, evaluations):
            assert (evaluations.architecture < seen[-1].size).all()
            assert evaluations.number[0, 0] == state.born
            super().tell(state, evaluations)

    searched(MACRO_AND_CELL, {"inner": Spy(), "evaluations": 40}, evaluations=50)
    assert [space.size for space in seen] == [12, 27, 12]
    assert seen[0].format(11) == "Linear2(Residual2(CELL, id, conv1x1), Residual2(CELL, id, conv1x1))"
    assert seen[1].format(26) == "Cell(conv3x3, conv3x3, conv3x3)"


def test_what_is_fixed_at_the_start():
    default = searched(MACRO_AND_CELL, {"order": "cell", "fixed": "default", "inner": "random-search"})
    assert not MACRO_AND_CELL.codes(default)[..., :3].any(), "the outer levels are not the first choices"
    random = MACRO_AND_CELL.codes(searched(MACRO_AND_CELL, {"order": "cell", "inner": "random-search"}))[..., :3]
    assert (random == random[:, :1]).all(), "what is not named changes"
    assert len(np.unique(random[:, 0], axis=0)) > 1, "all runs start with the same"


def test_all_of_one_part_is_the_joint_search():
    groups = "/".join(SizeSpace().code_groups)
    parameters = {"order": groups, "fixed": "default", "evaluations": 5}
    found = searched(SizeSpace(), parameters)
    strategy = RegularizedEvolution()
    state = strategy.start(Problem(SizeSpace(), Streams(3, 0, 6)))
    asked = []
    for count in range(51):
        architecture = strategy.ask(state)
        number = np.full(architecture.shape, count)
        strategy.tell(state, Evaluations(architecture, value_of(SizeSpace(), architecture), number))
        asked.append(architecture)
    assert np.array_equal(found, np.concatenate(asked, axis=1))


def test_several_fidelities():
    """Trainings are resumed under the numbers of the whole search, and the best is one of the highest fidelity."""
    told = []

    class Spy(type(resolve("asha", {}))):
        def ask(self, state):
            proposals = super().ask(state)
            told.append(proposals)
            return proposals

    budget = nl.Budget(evaluations=80)
    strategy = resolve("decoupled", {"inner": Spy(), "evaluations": 40, "order": "layer1/layer2+layer3/layer4/layer5"})
    trace = nl.simulate(TABLE, strategy, runs=20, budget=budget)
    resumed = np.concatenate([each.resume for each in told], axis=1)[:, :80]
    begun = np.arange(80) // 20 * 20
    source = np.where(resumed >= 0, resumed + begun, -1)
    run, step = np.nonzero(source >= 0)
    assert len(run) > 50
    earlier = source[run, step]
    assert (earlier >= begun[step]).all(), "a training of another part is resumed"
    assert (trace.architecture[run, earlier] == trace.architecture[run, step]).all()
    assert (trace.fidelity[run, earlier] < trace.fidelity[run, step]).all()


class Numbers(Scores):
    """The higher its number, the better is an architecture."""

    names = ("number",)

    def score(self, name, architecture):
        return architecture.astype(float)


def test_scores_are_those_of_whole_architectures():
    inner = resolve("zero-cost-filter", {"inner": "random-search", "candidates": 50, "score": "number"})
    parameters = {"inner": inner, "order": "layer5+layer1", "evaluations": 20}
    found = SizeSpace().codes(searched(SizeSpace(), parameters, evaluations=20, scores=Numbers()))
    assert (found[:, :10, 4] == 7).all(), "not the highest number of the whole architecture"
    assert (found[:, 10:, 0] == 7).all()


class Ends(Strategy):
    """Proposes one architecture, and nothing more."""

    def start(self, problem):
        return {"runs": problem.runs, "asked": 0}

    def ask(self, state):
        state["asked"] += 1
        return np.full((state["runs"], 1), 0 if state["asked"] == 1 else -1)

    def tell(self, state, evaluations):
        assert (evaluations.architecture == (0 if state["asked"] == 1 else -1)).all()


def test_an_inner_strategy_that_ends_waits_for_the_next_part():
    found = searched(MACRO_AND_CELL, {"inner": Ends(), "order": "macro+cell", "evaluations": 8}, evaluations=8)
    values = value_of(MACRO_AND_CELL, found)
    assert (found[:, 2:4] == found[:, 1:2]).all()
    assert (found[:, 5:] == found[np.arange(len(found)), values[:, :4].argmax(axis=1)][:, None]).all()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("inner", ["tpe:initial=2", "local-search", "exhaustive"])
def test_parts_that_are_used_up(inner, workers):
    """Layers of three choices, and twelve evaluations of each."""
    budget = nl.Budget(evaluations=130)
    trace = nl.simulate(TABLE, f"decoupled:inner={inner},evaluations=60", runs=5, budget=budget, workers=workers)
    assert (trace.evaluations == 130).all()


def test_a_space_without_parts_is_searched_as_a_whole():
    table = synthetic_table("gnn")
    budget = nl.Budget(evaluations=30)
    with pytest.warns(SettingWarning, match="decoupled searches this space as a whole, like regularized-evolution"):
        found = nl.simulate(table, "decoupled:fixed=default", runs=3, budget=budget)
    alone = nl.simulate(table, "regularized-evolution", runs=3, budget=budget)
    assert np.array_equal(found.architecture, alone.architecture)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"order": "macro+cel"}, UnknownNameError, "unknown part 'cel'.*cell"),
        ({"order": "macro+macro"}, ParameterError, "order names the part 'macro' twice"),
        ({"order": "macro+"}, UnknownNameError, "unknown part ''"),
        ({"order": 3}, ParameterError, "order must be names of parts with \\+ in between, got 3"),
        ({"split": "0.5+x"}, ParameterError, "split must be shares between 0 and 1 with \\+ in between, got '0.5\\+x'"),
        ({"split": 1}, ParameterError, "split must be shares between 0 and 1"),
        ({"split": "0.5+0.4"}, ParameterError, "the shares of all parts must add up to 1"),
        ({"split": "0.2+0.2+0.2"}, ParameterError, "split has 3 shares, but there are 2 parts"),
        ({"evaluations": 1}, ParameterError, "evaluations must be at least one per part, 2, got 1"),
        ({"inner": "decoupled"}, ParameterError, "inner must be another strategy than 'decoupled'"),
        ({"inner": "no-such"}, UnknownNameError, "unknown strategy 'no-such'"),
        ({"fixed": "first"}, ParameterError, "fixed must be"),
    ],
)
def test_wrong_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        searched(MACRO_AND_CELL, parameters)


@pytest.mark.parametrize(("split", "parts", "evaluations"), [("", 5, 17), (0.9, 3, 10), ("0.001", 4, 4), (0.999, 4, 9)])
def test_shares(split, parts, evaluations):
    lengths = split_evaluations(split, parts, evaluations)
    assert len(lengths) == parts
    assert sum(lengths) == evaluations
    assert min(lengths) >= 1


def test_parts_of_a_hierarchical_space_are_searched_one_by_one():
    with pytest.raises(ParameterError, match="are searched one by one: macro, cell"):
        MACRO_AND_CELL.space_of_codes([0, 3])
    assert parts_in_order(MACRO_AND_CELL, "cell/macro")[0].is_all
