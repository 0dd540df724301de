"""A live search in which children start from the weights of their parents."""

import numpy as np
import pytest
import torch
from inline_trainings import InlineWorkers

from nasbench_lab.errors import DataError, ParameterError, StrategyError
from nasbench_lab.simulation import Budget, Conditions
from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.strategies.problem import Problem, Proposals
from nasbench_lab.streams import Streams
from nasbench_lab.train.datasets import load as load_dataset
from nasbench_lab.train.live_search import search_run
from nasbench_lab.train.live_search.inherited_starts import weights_path
from nasbench_lab.train.live_search.proposals import ProposedEvaluations
from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, new_search
from nasbench_lab.train.live_search.search_run import check_plan, open_table, run_search
from nasbench_lab.train.live_search.settings import live_spec
from nasbench_lab.train.network_copies import weights_of_copies
from nasbench_lab.train.recipes import TrainingRecipe
from nasbench_lab.train.training import Training

SPACE = LayerChainSpace([["conv3x3-2", "conv5x5-2", "conv3x3-3"], ["relu", "tanh"], ["max-pool", "avg-pool"]])
RECIPE = TrainingRecipe("short", 1, 20, 0.01, optimizer="adamw")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A data set of 60 small images."""
    random = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("images") / "images.npz"
    labels = np.arange(60) % 3
    pixels = random.integers(0, 100, (60, 4, 4), dtype=np.uint8) + (80 * labels[:, None, None]).astype(np.uint8)
    parts = {"train": slice(0, 40), "valid": slice(40, 50), "test": slice(50, 60)}
    np.savez(
        path,
        **{f"{part}_images": pixels[rows] for part, rows in parts.items()},
        **{f"{part}_labels": labels[rows] for part, rows in parts.items()},
    )
    return path


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr(search_run, "TrainingWorkers", InlineWorkers)


def planned(images, *, evaluations=8, inherit="overlapping", seeds=1, **changes):
    spec, _ = live_spec(SPACE, str(images), RECIPE, seeds=seeds)
    conditions = Conditions(Budget(evaluations=evaluations), None, "mean", 1, (), {}, 3)
    strategy = "regularized-evolution:population_size=3,sample_size=2"
    return LiveSearchPlan(
        **{"strategy": strategy, "conditions": conditions, "spec": spec, "inherit": inherit, **changes}
    )


def searched(folder, plan):
    """Run a search, and return its outcome and its trainings."""
    search = new_search(folder, plan).stored()
    with open_table(search, ("cpu",)) as table:
        outcome = run_search(search, table, lambda _state: None)
        journal = table.trainings.journal
        rows = journal._connection.execute("SELECT network, epochs, parent FROM trainings ORDER BY number").fetchall()
        return outcome, rows, [trained.network for trained in journal.items()]


def test_children_are_trained_from_their_parents_and_marked(images, tmp_path):
    outcome, rows, from_scratch = searched(tmp_path / "mine", planned(images))
    parents = [step.parent for step in outcome.steps]
    assert parents[:3] == [-1] * 3
    assert all(0 <= parent < number for number, parent in enumerate(parents) if number >= 3)
    names = [f"{network}-1-{epochs}" for network, epochs, _ in rows]
    assert {parent for *_, parent in rows} - {""} <= {*names}
    assert from_scratch == [network for network, _, parent in rows if not parent]  # no child among them
    assert 1 <= len(from_scratch) <= 3
    for name in names:
        assert (tmp_path / "mine" / "weights" / f"{name}.pt").exists()
    setting = outcome.trace.setting
    assert setting.label.endswith("(inherits overlapping)")
    assert setting.parameters["inherit"] == "overlapping"


def test_a_search_that_was_stopped_continues_with_the_same_children(images, tmp_path):
    whole, rows, _ = searched(tmp_path / "whole", planned(images))
    search = new_search(tmp_path / "parts", planned(images, evaluations=2))
    for evaluations in (2, 5, 8):
        part = search._replace(plan=search.plan.extended(Budget(evaluations=evaluations), {}))
        with open_table(part, ("cpu",)) as table:
            found = run_search(part, table, lambda _state: None)
            stored = table.trainings.journal._connection.execute(
                "SELECT network, epochs, parent FROM trainings ORDER BY number"
            ).fetchall()

    def plain(outcome):
        return [step._replace(clock=0.0, fresh=True) for step in outcome.steps]

    assert plain(found) == plain(whole)
    assert stored == rows


def test_a_search_from_random_weights_does_not_take_the_children_for_its_own(images, tmp_path):
    _, rows, from_scratch = searched(tmp_path / "mine", planned(images))
    outcome, after, later = searched(tmp_path / "mine", planned(images, inherit=""))
    assert [step.parent for step in outcome.steps] == [-1] * 8
    assert {*from_scratch} <= {*later}
    assert [parent for *_, parent in after[len(rows) :]] == [""] * (len(after) - len(rows))
    founders = outcome.steps[:3]
    assert not any(step.fresh for step in founders)  # these were trained from random weights before


def test_founders_without_weights_are_trained_again(images, tmp_path):
    first, *_ = searched(tmp_path / "mine", planned(images, inherit="", evaluations=3))
    second, rows, _ = searched(tmp_path / "mine", planned(images, evaluations=4))
    assert [step.observed for step in second.steps[:3]] == [step.observed for step in first.steps]
    assert rows[-1][-1]


def test_the_weights_at_the_start_are_inherited_seed_by_seed(images, tmp_path):
    plan = planned(images, seeds=2)
    search = new_search(tmp_path / "mine", plan)
    data = load_dataset({"file": str(images)})
    with open_table(search, ("cpu",), dataset=data) as table:
        trainings = table.trainings
        parent = trainings.request(SPACE.parse("conv3x3-2|relu|max-pool"), 1)
        trainings.trainer.answer(parent)
        child = trainings.child(SPACE.parse("conv3x3-2|tanh|max-pool"), 1, parent, "overlapping")
        assert child.origin.network == parent.network
        training = trainings.trainer._prepared(child, tmp_path / "none.pt")
        kept = torch.load(weights_path(tmp_path / "mine", parent.network, 1, 1), weights_only=True)
        assert all(torch.equal(kept[name], value) for name, value in training.network.state_dict().items())
        build = plan.spec.builder(child.architecture, data)
        one, other = weights_of_copies(training.network, build, 2)
        assert not torch.equal(one["0.weight"], other["0.weight"])
        answer = trainings.trainer.answer(child)
        assert answer.fresh
        assert answer.trained.parent == child.origin.name


def test_the_seconds_of_inheriting_are_charged(images, monkeypatch):
    data = load_dataset({"file": str(images)})
    build = planned(images).spec.builder(0, data)
    training = Training(build, data, RECIPE, [0])
    training.start_from(training.network.state_dict(), 100.0)
    assert training.finish().values["seconds"][0, 0] > 100
    with pytest.raises(ParameterError, match="before the first"):
        training.start_from(training.network.state_dict())


def test_the_child_of_a_failed_training_starts_from_random_weights(images, tmp_path):
    search = new_search(tmp_path / "mine", planned(images))
    with open_table(search, ("cpu",)) as table:
        trainings = table.trainings
        parent = trainings.request(0, 1)
        trainings.trainer.fail(parent, "out of memory", 1.0)
        assert trainings.child(1, 1, parent, "overlapping") is None


def test_damaged_weights_are_named(images, tmp_path):
    search = new_search(tmp_path / "mine", planned(images))
    with open_table(search, ("cpu",)) as table:
        trainings = table.trainings
        parent = trainings.request(0, 1)
        trainings.trainer.answer(parent)
        path = weights_path(tmp_path / "mine", parent.network, 1, 1)
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(DataError, match="weights of a parent"):
            trainings.trainer.answer(trainings.child(1, 1, parent, "overlapping"))


@pytest.mark.parametrize("strategy", ["random-search", "bananas", "hyperband"])
def test_strategies_without_parents_are_refused(images, strategy):
    plan = planned(images, strategy=strategy)
    with pytest.raises(ParameterError, match=f"'{strategy}' does not, genetic-algorithm, .*tabu-search do"):
        check_plan(plan, load_dataset({"file": str(images)}))


def test_a_parent_that_has_not_ended_is_refused():
    class Hasty:
        name, multi_fidelity, asynchronous = "hasty", False, False

        def start(self, _problem):
            return None

        def ask(self, _state):
            return Proposals(np.array([[0, 1]]), parent=np.array([[-1, 0]]))

        def recommends(self, _state):
            return False

    problem = Problem(SPACE, Streams(0, 0, 1), inherits=True)
    with pytest.raises(StrategyError, match="named evaluation 0 as a parent, which has not ended"):
        ProposedEvaluations(Hasty(), problem, Streams(0, 0, 1), draws_always=False, most=None).take()


def test_no_weights_are_kept_where_nothing_inherits(images, tmp_path):
    searched(tmp_path / "mine", planned(images, inherit="", evaluations=2))
    assert not (tmp_path / "mine" / "weights").exists()
