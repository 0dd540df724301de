"""Which paths methods train, and that a step leaves everything else as it is."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare

from nasbench_lab.spaces import Cell101Space, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import CHAIN, search, train_batch  # noqa: E402

from nasbench_lab.train.one_shot.path_sampling import FairPaths  # noqa: E402
from nasbench_lab.train.one_shot.search_context import SearchContext  # noqa: E402
from nasbench_lab.train.one_shot.supernets import SplitSupernet  # noqa: E402

SPACE = TopologySpace()
METHODS = ("enas", "fairnas", "few-shot", "random-search-ws", "setn", "spos")
OF_ONE_UNIFORM_PATH = ("few-shot", "random-search-ws", "spos")


@pytest.fixture
def trained(monkeypatch):
    """The paths of every step, shape (paths, decisions) each; the weights are trained as usual."""
    steps, update = [], SearchContext.update_weights

    def recorded(self, batch, selections, **options):
        selections = list(selections)
        steps.append(np.array([selection.codes for selection in selections]))
        update(self, batch, selections, **options)

    monkeypatch.setattr(SearchContext, "update_weights", recorded)
    return steps


def steps_without_training(run, monkeypatch, count):
    """The paths of many steps of one epoch."""
    steps = []
    monkeypatch.setattr(
        SearchContext, "update_weights", lambda _self, _batch, paths: steps.append([path.codes for path in paths])
    )
    batch = train_batch(run)
    run.context.begin("step")
    for _ in range(count):
        run.method.step(run.context, run.state, batch)
    return np.array(steps)


@pytest.mark.parametrize("name", OF_ONE_UNIFORM_PATH)
def test_one_uniform_path_per_step(name, monkeypatch):
    steps = steps_without_training(search(name), monkeypatch, 2000)
    assert steps.shape == (2000, 1, 6)
    for column in steps[:, 0].T:
        assert chisquare(np.bincount(column, minlength=5)).pvalue > 1e-4
    index = SPACE.index(steps[:, 0])
    assert chisquare(np.histogram(index, bins=25, range=(0, SPACE.size))[0]).pvalue > 1e-4


def test_fair_steps_use_every_option_once_and_are_shuffled_again_within_an_epoch(monkeypatch):
    steps = steps_without_training(search("fairnas"), monkeypatch, 1000)
    assert (np.sort(steps, axis=1) == np.arange(5)[:, None]).all()
    # With one shuffle per epoch, all steps would be equal.
    assert len({step.tobytes() for step in steps}) == 1000
    together = np.bincount((5 * steps[:, :, 0] + steps[:, :, 1]).ravel(), minlength=25)
    assert chisquare(together).pvalue > 1e-4


def test_fair_paths_are_architectures_where_not_all_codes_are():
    space, random = Cell101Space(4), np.random.default_rng(0)
    assert math.prod(space.cardinalities) > space.size
    fair = [FairPaths().paths(space, random) for _ in range(100)]
    assert min(space.find(np.concatenate(fair))) >= 0
    uniform = [space.codes(random.integers(space.size, size=len(paths))) for paths in fair]

    def repeats(steps):
        return sum(np.bincount(column).max() for paths in steps for column in paths.T)

    assert repeats(fair) < repeats(uniform)


@pytest.mark.parametrize("name", METHODS)
def test_a_step_changes_only_what_its_paths_use(name, trained):
    """Neither weights nor momentum nor statistics of other operations change."""
    run = search(name, **({"before": 0.0} if name == "few-shot" else {}))
    context, batch = run.context, train_batch(run)
    context.begin("step")
    run.method.step(context, run.state, batch)  # where sub-supernets get their weights
    for _ in range(2):
        before = {key: value.clone() for key, value in run.supernet.state_dict().items()}
        momenta = {
            key: context.optimizer.state[weight]["momentum_buffer"].clone()
            for key, weight in run.supernet.named_parameters()
            if weight in context.optimizer.state
        }
        run.method.step(context, run.state, batch)
        context.step += 1
        used = {
            f"{home(run, codes)}network.{run.supernet.source(key, codes)}"
            for codes in trained[-1].tolist()
            for key in run.supernet.stand_alone(codes).state_dict()
        }
        changed = {key for key, value in run.supernet.state_dict().items() if not torch.equal(value, before[key])}
        weights = dict(run.supernet.named_parameters())
        if name == "setn":  # whose template normalises the outputs of all operations
            changed &= set(weights)
        assert changed
        assert changed <= used
        for key in set(momenta) - used:
            assert torch.equal(context.optimizer.state[weights[key]]["momentum_buffer"], momenta[key])


def home(run, codes):
    """Where the shared weights of an architecture are."""
    supernet = run.supernet
    return f"parts.{supernet.place(codes)}." if isinstance(supernet, SplitSupernet) else ""


def test_rates_and_images_do_not_depend_on_the_method():
    """SPOS and random search with weight sharing differ only in what they do after the training."""
    one, other = search("spos"), search("random-search-ws")
    one.complete()
    other.complete()
    first, second = one.supernet.state_dict(), other.supernet.state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_random_search_scores_finalists_again(monkeypatch):
    partial, scored = [], []

    def on_batch(self, batch, selection):
        partial.append(int(CHAIN.index(selection.codes)))
        return float(partial[-1])

    def on_all(self, architectures, split="valid"):
        scored.append(list(architectures))
        return -np.array(architectures, dtype=float)

    monkeypatch.setattr(SearchContext, "accuracy", on_batch)
    monkeypatch.setattr(SearchContext, "supernet_scores", on_all)
    run = search("random-search-ws", "layer-chain", batch=5, samples=30, batches=2, finalists=3)
    run.method.finish(run.context, run.state)
    drawn = sorted(set(partial))
    assert len(drawn) > 3
    assert len(partial) == 2 * len(drawn), "every sample is scored on two batches, and once only"
    assert scored == [drawn[::-1][:3]]
    assert run.method.recommend(run.context, run.state) == drawn[-3]

    # Four batches of five images are the whole validation split.
    partial.clear()
    scored.clear()
    run = search("random-search-ws", "layer-chain", batch=5, samples=30, batches=4, finalists=3)
    run.method.finish(run.context, run.state)
    assert not partial
    assert len(scored[0]) > 3
