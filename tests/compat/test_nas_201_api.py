"""The face of NAS-Bench-201 beside the official package: the same numbers, types and kinds of errors."""

import bz2
import os
import pickle
import random
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from nats_archives import SETS, SPACES, assert_same, assert_same_outcome, compare, outcome, results

from nasbench_lab.compat import nas_201_api

PRESENT = (0, 11, 284)
HPS = ("12", "200")
NAMES = {"12": "less", "200": "full"}


@pytest.fixture(scope="module")
def official():
    pytest.importorskip("torch")
    return pytest.importorskip("nas_201_api")


def content_of_file(infos):
    states = {index: {NAMES[hp]: state for hp, state in info.items()} for index, info in infos.items()}
    names = [SPACES["tss"].format(index) for index in range(SPACES["tss"].size)]
    return {"meta_archs": names, "arch2infos": states, "evaluated_indexes": list(infos)}


def opened(official, infos):
    """What the official package makes of the contents of a file, which current versions of torch refuse to read."""
    return official.NASBench201API(content_of_file(infos), verbose=False)


@pytest.fixture(scope="module")
def made_up(official, tmp_path_factory):
    """A torch file as the official code writes it, and what the official package makes of its contents."""
    import torch

    path = tmp_path_factory.mktemp("made-up") / "NAS-Bench-201-v1_1-made-up.pth"
    numbers = random.Random(0)
    seeds = {"cifar10-valid": [111, 777], "cifar100": [111]}
    infos = {}
    for index, late in ((0, ()), (5, ("x-valid", "x-test"))):
        short = results(numbers, "tss", index, "12", seeds, last_only=late)
        infos[index] = {"12": short, "200": results(numbers, "tss", index, "200", {})}
    torch.save(content_of_file(infos), path)
    return opened(official, infos), path


@pytest.fixture
def pair(made_up):
    theirs, path = made_up
    return theirs, nas_201_api.NASBench201API(path, verbose=False, seed=0)


@pytest.fixture(scope="module")
def real(official):
    """Real numbers: the archive of NATS-Bench has the same trainings, and the newer package the same result classes."""
    folder = Path(os.environ["NASBENCH_LAB_MIRROR"]) / "D-X-Y/NATS-Bench/fake_torch_dir/NATS-tss-v1_0-3ffb9-simple"
    infos = {i: pickle.loads(bz2.decompress((folder / f"{i:06d}.pickle.pbz2").read_bytes())) for i in PRESENT}
    return opened(official, infos), nas_201_api.NASBench201API(folder, verbose=False)


@pytest.mark.mirror
@pytest.mark.parametrize("hp", HPS)
@pytest.mark.parametrize("index", PRESENT)
def test_every_query(real, index, hp):
    theirs, ours = real
    their, our = theirs.query_by_index(index, hp=hp), ours.query_by_index(index, hp=hp)
    assert repr(their) == repr(our)
    assert theirs.query_by_arch(theirs[index], hp) == ours.query_by_arch(theirs[index], hp)
    for dataset in SETS:
        assert_same(theirs.get_net_config(index, dataset), ours.get_net_config(index, dataset))
        assert_same(theirs.get_cost_info(index, dataset, hp), ours.get_cost_info(index, dataset, hp))
        assert_same(theirs.get_latency(index, dataset, hp), ours.get_latency(index, dataset, hp))
        for which in (False, *their.get_dataset_seeds(dataset)):
            for epoch in (None, *range(0, int(hp), 11), int(hp) - 1):
                arguments = (index, dataset, epoch, hp, which)
                expected, found = theirs.get_more_info(*arguments), ours.get_more_info(*arguments)
                assert_same(expected, found, arguments)
                assert list(expected) == list(found)
                for setname in ("train", "x-valid", "x-test", "ori-test"):
                    metrics = (dataset, setname, epoch, which)
                    assert_same_outcome(their.get_metrics, our.get_metrics, *metrics)
        for seed, expected in theirs.query_by_index(index, dataset, hp).items():
            found = ours.query_by_index(index, dataset, hp)[seed]
            assert_same(expected.get_times(), found.get_times())
            assert_same(expected.get_train(), found.get_train())


@pytest.mark.mirror
def test_searching(real):
    theirs, ours = real
    for hp in HPS:
        for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
            for setname in ("train", "valid", "test", "ori-test"):
                for limits in ((None, None), (60, None), (None, 0.1), (0, 0)):
                    arguments = (dataset, setname, *limits, hp)
                    assert_same(theirs.find_best(*arguments), ours.find_best(*arguments))
            for index in PRESENT:
                possible = [theirs.simulate_train_eval(index, dataset, hp, False)[:3] for _ in range(25)]
                drawn = [ours.simulate_train_eval(ours[index], dataset, hp, False)[:3] for _ in range(25)]
                assert set(drawn) == set(possible)
                assert {*map(type, drawn[0])} == {*map(type, possible[0])}
    assert theirs.evaluated_indexes == ours.evaluated_indexes
    assert repr(theirs).split("file")[0] == repr(ours).split("file")[0]


@pytest.mark.mirror
def test_shown_text(real, capsys):
    theirs, ours = real
    for index in (*PRESENT, 1, 10**6):
        theirs.show(index)
        expected = capsys.readouterr().out
        ours.show(index)
        assert capsys.readouterr().out == expected


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    arguments=st.tuples(
        st.sampled_from([0, 5, 1, 10**6, -1, "nonsense", None]),
        st.sampled_from([*SETS, "cifar", None]),
        st.one_of(st.none(), st.integers(-2, 13)),
        st.sampled_from(["12", 12, "200", "01"]),
        st.sampled_from([False, 111, 777, 888, "111", None]),
    )
)
def test_any_arguments(pair, arguments):
    theirs, ours = pair
    assert_same_outcome(theirs.get_more_info, ours.get_more_info, *arguments)
    index, dataset, epoch, hp, which = arguments
    hp = str(hp)
    for call in (
        lambda api: api.get_cost_info(index, dataset, hp),
        lambda api: list(api.query_by_index(index, dataset, hp) if dataset else ()),
        lambda api: api.query_by_index(index, None, hp).get_metrics(dataset, "x-valid", epoch, which),
        lambda api: api.get_net_param(index, dataset, None, hp),
        lambda api: api.arch(index),
        lambda api: api.simulate_train_eval(index, dataset, hp, False) if dataset not in SETS else None,
    ):
        compare(outcome(call, theirs), outcome(call, ours))


def test_same_attributes(pair):
    theirs, ours = pair
    for name in ("meta_archs", "archstr2index", "used_time", "verbose", "evaluated_indexes"):
        assert getattr(theirs, name) == getattr(ours, name)
    assert {name for name in dir(theirs) if not name.startswith("_")} <= set(dir(ours))
    assert len(theirs) == len(ours)
    assert theirs[7] == ours[7]


def test_latency_is_always_that_of_the_short_trainings(pair):
    _, ours = pair
    assert ours.simulate_train_eval(5, "cifar100")[1] == ours.get_latency(5, "cifar100", "12")


@pytest.mark.parametrize("given", [3, None, "nowhere.pth", {}])
def test_what_can_be_opened(given, official, monkeypatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    assert isinstance(outcome(official.NASBench201API, given, False), Exception)
    found = outcome(nas_201_api.NASBench201API, given, False)
    assert isinstance(found, ValueError)
    assert isinstance(found, AssertionError)
    assert len(str(found).splitlines()) == 1
