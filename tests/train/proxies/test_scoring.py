"""Scores of networks and of architectures: seconds, failures, equal networks, and what is kept after a kill."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError, SettingWarning, UnknownNameError
from nasbench_lab.spaces import TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from torch import nn  # noqa: E402

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.datasets import Dataset, Split  # noqa: E402
from nasbench_lab.train.image_batches import Batch  # noqa: E402
from nasbench_lab.train.networks import topology_network  # noqa: E402
from nasbench_lab.train.proxies import (  # noqa: E402
    NoScoreError,
    Proxy,
    measuring,
    score,
    score_architectures,
    score_networks,
    subject,
)
from nasbench_lab.train.proxies.measuring import measure  # noqa: E402
from nasbench_lab.train.proxies.registry import make_proxy  # noqa: E402
from nasbench_lab.train.proxies.saved_measurements import key_of  # noqa: E402

SPACE = TopologySpace()
TINY = {"channels": 2, "cells": 1}


def images(seed=0, count=24):
    random = np.random.default_rng(seed)
    pixels = random.normal(size=(count, 1, 8, 8)).astype(np.float32)
    split = Split(pixels, np.arange(count) % 3)
    return Dataset("noise", 3, split, split, split)


def tiny(index=5, seed=0):
    return train.network(SPACE, index, image=(1, 8, 8), classes=3, seed=seed, **TINY)


def batch(images=6, seed=0):
    return torch.randn(images, 1, 8, 8, generator=torch.Generator().manual_seed(seed)), torch.arange(images) % 3


def scores_of(proxies, architectures=(5, 9, 77), **options):
    given = {"dataset": images(), "batch": 6, "options": TINY, **options}
    return score_architectures(SPACE, proxies, architectures=list(architectures), **given)


@dataclass(frozen=True)
class Rank(Proxy):
    """The sum of two ranks; deep networks have no score."""

    name: ClassVar[str] = "rank"
    components: ClassVar[tuple[str, ...]] = ("weights", "layers")

    def measure(self, subject):
        layers = len(list(subject.network.modules()))
        if layers > 60:
            raise NoScoreError("too many layers")
        return {"weights": sum(each.numel() for each in subject.network.parameters()), "layers": torch.tensor(layers)}

    def combine(self, components):
        return sum(np.argsort(np.argsort(values)) for values in components.values())


def test_score_equals_score_networks():
    networks = [tiny(3), tiny(77)]
    found = score_networks(iter(networks), batch(), ["snip", "params"])
    assert found.values["snip"].shape == (2, 1)
    assert found.values["snip"].ravel().tolist() == [score(each, batch(), "snip") for each in networks]
    assert [*found.proxies] == ["snip", "params"]
    assert (found.seconds["snip"] > 0).all()


def test_shared_passes_cost_every_proxy_their_seconds(monkeypatch):
    now = [0.0]
    for module in (measuring, subject):
        monkeypatch.setattr(module, "training_clock", lambda _device: now[0])

    def passes(_network, _batches):
        now[0] += 5

    def proxy(title, own):
        @dataclass(frozen=True)
        class Shared(Proxy):
            name: ClassVar[str] = title

            def measure(self, subject):
                subject.shared(passes)
                subject.shared(passes)
                now[0] += own
                return 1.0

        return Shared()

    taken = [each.seconds for each in measure(tiny(), [Batch(*batch())], [proxy("a", 1), proxy("b", 2)])]
    assert taken == [6, 7]
    assert now[0] == 8  # the pass itself took place once


def test_a_proxy_over_a_set():
    found = score_networks([tiny(0), tiny(1462), tiny(5)], batch(), [Rank()])

    values, parts = found.values["rank"].ravel(), found.components["rank"]
    kept = ~np.isnan(values)
    assert np.isnan(parts["layers"].ravel()).tolist() == (~kept).tolist()
    expected = sum(np.argsort(np.argsort(each.ravel()[kept])) for each in parts.values())
    assert values[kept].tolist() == expected.tolist()
    with pytest.raises(ParameterError, match="ranks the networks of a set"):
        score(tiny(), batch(), Rank())


def test_networks_without_a_score_are_not_part_of_a_set():
    @dataclass(frozen=True)
    class Odd(Rank):
        def measure(self, subject):
            if len(subject.network) == 1:
                raise NoScoreError("one layer")
            return super().measure(subject)

    networks = [
        nn.Sequential(nn.Flatten(), nn.Linear(64, 3)),
        nn.Sequential(nn.Flatten()),
        nn.Sequential(*(nn.Flatten() for _ in range(3))),
    ]
    found = score_networks(networks, batch(), Odd())
    assert np.isnan(found.values["rank"]).ravel().tolist() == [False, True, False]
    assert [(each.architecture, each.reason) for each in found.failures] == [(1, "one layer")]
    assert found.values["rank"][2, 0] == 1  # more layers than one network, fewer weights


def test_failures_are_missing_and_say_why():
    nothing = nn.Flatten()
    with pytest.warns(SettingWarning, match="no snip score: the network has no convolution and no linear layer"):
        assert np.isnan(score(nothing, batch(), "snip"))
    with pytest.warns(SettingWarning, match="no infinite score: the score is inf"):
        assert np.isnan(score(nothing, batch(), infinite))
    found = score_networks([nothing, tiny()], batch(), ["synflow", "params"])
    assert np.isnan(found.values["synflow"]).ravel().tolist() == [True, False]
    (failure,) = found.failures
    assert (failure.proxy, failure.architecture) == ("synflow", 0)
    assert "1 without a score" in repr(found)


def infinite(_network, _images, _labels):
    return float("inf")


def faulty(_network, _images, _labels):
    raise KeyError("oops")


def test_faults_of_a_proxy_are_errors():
    with pytest.raises(ParameterError, match=r"proxy 'faulty' cannot score the network: KeyError: 'oops'"):
        score(tiny(), batch(), faulty)
    with pytest.raises(ParameterError, match=r"^architecture 5: proxy 'faulty' cannot"):
        scores_of(faulty)
    with pytest.raises(ParameterError, match="must return a number, got Tensor"):
        score(tiny(), batch(), lambda network, images, _labels: network(images))
    with pytest.raises(ParameterError, match="must return the components weights, layers"):
        score_networks([tiny()], batch(), type("Bad", (Rank,), {"measure": lambda _self, _subject: {"layers": 1}})())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.zeros(2, 1, 8, 8), "pair of images and as many labels"),
        ((torch.zeros(2, 1, 8, 8), torch.zeros(3, dtype=torch.int64)), "as many labels.*int64 of shape"),
        ((torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)), "floating-point.*got uint8"),
        ((torch.zeros(0, 1, 8, 8), torch.zeros(0, dtype=torch.int64)), "as many labels"),
        ([], "needs 1 batches"),
        ("images", "pair of images"),
    ],
)
def test_bad_batches(given, message):
    with pytest.raises(ParameterError, match=message):
        score(tiny(), given, "snip")


def test_bad_arguments():
    with pytest.raises(ParameterError, match=r"images of|cannot score the network"):
        score(tiny(), (torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)), "snip")
    with pytest.raises(ParameterError, match=r"torch.nn.Module, got 'tiny'"):
        score("tiny", batch(), "snip")
    with pytest.raises(ParameterError, match="different proxies, got snip, snip"):
        score_networks([tiny()], batch(), ["snip", "snip"])
    with pytest.raises(ParameterError, match="got none"):
        score_networks([tiny()], batch(), [])
    with pytest.raises(UnknownNameError, match="synflow"):
        scores_of("synflo")
    with pytest.raises(ParameterError, match="seed"):
        score(tiny(), batch(), "snip", seed=-1)
    for options, message in [
        ({"seeds": []}, "different seeds"),
        ({"seeds": [1, 1]}, "different seeds"),
        ({"seeds": 3}, "seeds must be"),
        ({"architectures": [5, 5]}, "different architectures"),
        ({"architectures": []}, "different architectures"),
        ({"batch": 1}, "batch must be"),
        ({"options": {"depth": 3}}, "channels and cells"),
        ({"device": "abacus"}, "unknown device"),
    ]:
        with pytest.raises(ParameterError, match=message):
            scores_of("snip", **options)
    with pytest.raises(OutOfSpaceError):
        scores_of("snip", [10**9])
    with pytest.raises(DataError, match=r"'noise' has 24 training images, fewer than 1 batch of 25"):
        scores_of("snip", batch=25)


def test_seeds_are_those_of_weights_and_images():
    found = scores_of(["snip", "params"], seeds=[0, 3])
    again = scores_of(["snip"], [9], seeds=[3])
    assert found.values["snip"][1, 1] == again.values["snip"][0, 0]
    assert found.values["snip"][1, 0] != found.values["snip"][1, 1]
    assert found.values["params"][:, 0].tolist() == found.values["params"][:, 1].tolist()
    columns = found.records().to_dict()
    assert columns["architecture"] == [5, 5, 9, 9, 77, 77]
    assert columns["seed"] == [0, 3] * 3
    assert columns["snip"] == found.values["snip"].ravel().tolist()


def test_equal_networks_are_measured_once_except_for_unused_layers():
    """An edge out of a node without inputs: its convolution has weights, but nothing to do."""
    one, other = (
        SPACE.parse(f"|none~0|+|none~0|{edge}~1|+|nor_conv_1x1~0|none~1|none~2|") for edge in ("none", "nor_conv_3x3")
    )
    calls = []
    found = scores_of(["snip", "l2_norm", "params"], [one, other], progress=lambda *done: calls.append(done))
    assert found.values["snip"][0, 0] == found.values["snip"][1, 0]
    assert found.seconds["snip"][0, 0] == found.seconds["snip"][1, 0]
    assert found.values["l2_norm"][0, 0] < found.values["l2_norm"][1, 0]
    assert found.values["params"][0, 0] < found.values["params"][1, 0]
    assert calls[-1] == (len(calls), len(calls))


def test_the_network_is_that_of_the_seed():
    found = scores_of(lambda network, _images, _labels: network[0][0].weight.sum(), [9], seeds=[4])
    with torch.random.fork_rng():
        torch.manual_seed(4)
        network = topology_network(SPACE.codes(9), image_channels=1, classes=3, **TINY)
    assert found.values["lambda"][0, 0] == float(network[0][0].weight.detach().sum())


def test_a_killed_scoring_continues(tmp_path):
    expected = scores_of(["snip", "synflow"], seeds=[0, 1])
    file, steps = tmp_path / "scores.npz", []

    def kill(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scores_of(["snip", "synflow"], seeds=[0, 1], checkpoint=file, progress=kill)
    found = scores_of(["snip", "synflow"], seeds=[0, 1], checkpoint=file, progress=lambda *done: steps.append(done))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name: values.tolist() for name, values in found.values.items()} == {
        name: values.tolist() for name, values in expected.values.items()
    }
    more = scores_of(["plain", "snip"], [9, 11], seeds=[1], checkpoint=file, progress=lambda *done: steps.append(done))
    assert steps[4:] == [(1, 2), (2, 2)]
    assert more.values["snip"][0, 0] == expected.values["snip"][1, 1]
    assert more.seconds["snip"][0, 0] == found.seconds["snip"][1, 1]


def test_a_file_keeps_failures_and_components(tmp_path):
    file = tmp_path / "scores.npz"
    none = SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    first = scores_of(["synflow", Rank()], [none, 9], checkpoint=file)
    again = scores_of(["synflow", Rank()], [none, 9], checkpoint=file, progress=pytest.fail)
    assert first.failures == again.failures
    assert first.failures[0].reason == "no signal passes through the network"
    assert np.array_equal(again.values["rank"], first.values["rank"], equal_nan=True)
    for name, values in first.components["rank"].items():
        assert np.array_equal(again.components["rank"][name], values, equal_nan=True)


def test_a_file_of_another_scoring_is_refused(tmp_path):
    file = tmp_path / "scores.npz"
    scores_of("params", [9], checkpoint=file)
    for options, what in [
        ({"batch": 5}, "batch"),
        ({"dataset": images(1)}, "data set"),
        ({"options": {"channels": 4, "cells": 1}}, "options of networks"),
    ]:
        with pytest.raises(DataError, match=f"another scoring \\(different {what}\\)"):
            scores_of("params", [9], checkpoint=file, **options)
    content = file.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"scores"):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged"):
            scores_of("params", [9], checkpoint=file)


def test_scores_of_changed_code_are_not_kept(tmp_path):
    keys = set()
    for power in (1, 2):
        file = tmp_path / "mine.py"
        file.write_text(f"def mine(network, images, labels):\n    return images.std() ** {power}\n")
        keys.add(key_of(make_proxy(f"{file}:mine")))
    assert len(keys) == 2
    newer = dataclasses.make_dataclass("Newer", [], bases=(Rank,), frozen=True)
    newer.version = 2
    assert key_of(newer()) != key_of(Rank())


def test_a_sample_has_different_networks():
    found = score_architectures(SPACE, "params", dataset=images(), batch=6, options=TINY, architectures=4)
    assert len(set(found.architectures.tolist())) == 4
