"""What every one-shot method promises. New methods join by themselves."""

import copy
import functools
import importlib
import inspect

import pytest

from nasbench_lab.checks import domains
from nasbench_lab.errors import ParameterError
from nasbench_lab.train.one_shot.methods.registry import built_in, list_methods, make_method, method_class

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from tiny_searches import SPACES, images, other_test_images, search  # noqa: E402

from nasbench_lab.train.one_shot.method_state import plain_state  # noqa: E402
from nasbench_lab.train.one_shot.supernets.registry import supernet_class  # noqa: E402

FAMILIES = {"sampled paths", "controller", "differentiable", "channel masks"}

every_method = pytest.mark.parametrize("name", built_in())


def supports(name, kind):
    return supernet_class(SPACES[kind][0]).features.issuperset(method_class(name).needs)


@functools.cache
def home(name, preferred="topology"):
    """A kind of space that a method can search."""
    return next(kind for kind in (preferred, *SPACES) if supports(name, kind))


def small(kind):
    """The smaller images for the space whose networks cannot be narrow."""
    return images(4 if kind == "size" else 8)


def everything(run):
    """All that a run has learned and drawn, as plain data."""
    return {
        "supernet": run.supernet.state_dict(),
        "optimizer": run.context.optimizer.state_dict(),
        "state": plain_state(run.state),
        "recommended": list(run.recommended),
        "failed": run.failed,
        "random": copy.deepcopy(run.context.random.bit_generator.state),
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "tolist"):
        return one.tolist() == other.tolist()
    return one == other or (one != one and other != other)  # both NaN


@functools.cache
def finished(name, kind, seed=0):
    run = search(name, kind, seed=seed)
    run.complete()
    return everything(run)


@every_method
def test_it_says_what_it_is(name):
    kind = method_class(name)
    assert kind.name == name
    assert kind.__module__.rpartition(".")[2] == name.replace("-", "_")
    assert kind.family in FAMILIES
    assert kind.version >= 1
    assert kind.reference
    assert kind.epochs >= 1
    for other in list_methods():
        if other != name:
            assert not {name, *kind.aliases} & {other, *method_class(other).aliases}


@every_method
def test_its_parameters_are_documented_and_checked(name):
    kind = method_class(name)
    documented = inspect.getdoc(kind)
    for parameter, domain in domains(kind).items():
        assert f"{parameter}:" in documented
        for bad in domain.bad_values():
            with pytest.raises(ParameterError, match=parameter):
                make_method(name, {parameter: bad})


@every_method
def test_a_seed_determines_a_search_and_test_images_do_not_matter(name):
    kind, before = home(name, "layer-chain"), torch.get_rng_state()
    run = search(name, kind, dataset=other_test_images(small(kind)))
    run.complete()
    assert same(everything(run), finished(name, kind))
    assert torch.equal(torch.get_rng_state(), before), "it drew from the global random numbers"


@every_method
def test_other_seeds_give_other_searches(name):
    kind = home(name, "layer-chain")
    one, other = finished(name, kind), finished(name, kind, seed=1)
    assert not same(one["supernet"], other["supernet"])
    assert not same(one["random"], other["random"])


@every_method
def test_a_resumed_search_equals_an_uninterrupted_one(name, tmp_path):
    kind = home(name)
    first = search(name, kind)
    next(first.epochs())
    before = copy.deepcopy(everything(first))
    first.method.recommend(first.context, first.state)
    assert same(everything(first), before), "recommending changed the state or drew random numbers"
    first.save(tmp_path / "search.pt")
    torch.load(tmp_path / "search.pt", weights_only=True)
    second = search(name, kind)
    second.load(tmp_path / "search.pt")
    assert second.context.epoch == 1
    second.complete()
    assert same(everything(second), finished(name, kind))


@every_method
@pytest.mark.parametrize("kind", SPACES)
def test_it_works_on_every_kind_of_space_or_says_that_it_does_not(name, kind):
    space, network = SPACES[kind]
    if not supports(name, kind):
        with pytest.raises(ParameterError, match=space.name):
            make_method(name).build(space, image=(1, 8, 8), classes=10, options=network)
        return
    few = images(4 if kind == "size" else 8, train=10, valid=10)
    run = search(name, kind, epochs=1, dataset=few, batch=10)
    run.complete()
    assert not run.failed
    (recommended,) = run.recommended
    assert 0 <= recommended < space.size
    before = copy.deepcopy(everything(run))
    assert run.method.recommend(run.context, run.state) == recommended
    assert same(everything(run), before), "recommending changed the state or drew random numbers"
    scores = run.scores([0, space.size - 1, 0])
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 100)).all()
    assert scores[0] == scores[2]


def test_every_module_of_methods_is_a_method():
    for name in built_in():
        importlib.import_module(f"nasbench_lab.train.one_shot.methods.{name.replace('-', '_')}")
        assert make_method(name).name == name
