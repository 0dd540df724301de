"""Scores with shared weights: against plain forward passes, whatever is computed once for several paths."""

import itertools

import numpy as np
import pytest

from nasbench_lab.spaces import LayerChainSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402
from nasbench_lab.train.image_batches import ImageBatches  # noqa: E402
from nasbench_lab.train.networks.blocks import AveragePool3x3  # noqa: E402
from nasbench_lab.train.one_shot import make_supernet, score, score_space  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Path, shared_start  # noqa: E402
from nasbench_lab.train.one_shot.supernets.shared_start import SharedStart  # noqa: E402
from nasbench_lab.train.one_shot.supernets.summed_pool import SummedPool  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402

SPACE = TopologySpace()
CHAIN = LayerChainSpace([["conv3x3-4", "conv3x3-8", "identity"], ["relu", "identity"], ["dense-16", "identity"]])
BATCHES = ImageBatches(digits(), TrainingRecipe("short", 1, 50, 0.1), [0], torch.device("cpu"))


def supernet(space=SPACE, statistics="batch", **options):
    """A supernet with random weights, scales and shifts: its zeros are constants after a normalisation."""
    options = options or {"channels": 4, "cells": 2}
    found = make_supernet(
        space, image=(1, 8, 8), classes=10, seed=1, statistics=statistics, affine=True, options=options
    )
    with torch.no_grad():
        for place, weight in enumerate(found.parameters()):
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(place)))
    return found.to(memory_format=torch.channels_last).eval()


def plain(net, architectures):
    """The accuracies of plain forward passes, one after the other."""
    ((images, labels),) = BATCHES.evaluation(digits().valid, batch=450)
    with torch.no_grad():
        outputs = [net(images, Path(codes)) for codes in net.space.codes(np.asarray(architectures)).tolist()]
    return [100 * float((x.argmax(1) == labels[:, 0]).sum()) / 450 for x in outputs]


@pytest.mark.parametrize("order", ["random", "lexicographic"])
def test_an_evaluator_gives_the_bits_of_plain_forward_passes(order):
    net = supernet()
    codes = SPACE.codes(np.random.default_rng(0).choice(SPACE.size, 80, replace=False))
    if order == "lexicographic":
        codes = codes[np.lexsort(codes.T[::-1])]
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        evaluate = net.evaluator(images)
        assert isinstance(evaluate, SharedStart)
        for path in codes.tolist():
            assert torch.equal(evaluate(path), net(images, Path(path))), path


def test_paths_in_order_compute_the_first_cell_rarely():
    net, calls = supernet(cells=1, channels=2), []
    net.network[1].register_forward_hook(lambda *_: calls.append("cell"))
    for edge in net.network[1].edges.values():
        edge.register_forward_hook(lambda *_: calls.append("edge"))
    firsts, lasts = [(3, 3, 1), (3, 3, 3)], itertools.product(range(5), repeat=3)
    with torch.no_grad():
        evaluate = net.evaluator(torch.zeros(2, 1, 8, 8))
        for codes in [[*first, *last] for first, last in itertools.product(firsts, lasts)]:
            evaluate(codes)
    # From the first node: 1 + 1 + 5 terms; from the second: 2 and 5; from the third, two of them, all but none.
    assert calls.count("edge") == 7 + 7 + 8, "every term is computed once"
    assert "cell" not in calls


def test_scores_are_those_of_plain_forward_passes_in_the_order_asked_for():
    net = supernet()
    some = np.random.default_rng(5).integers(SPACE.size, size=20)
    some[7] = some[3]
    assert score(net, BATCHES, some).tolist() == plain(net, some)
    assert score(net, BATCHES, some.tolist()[:3]).tolist() == plain(net, some[:3])
    assert score(net, BATCHES, []).shape == (0,)
    chain = make_supernet(CHAIN, image=(1, 8, 8), classes=10, seed=1)
    assert score(chain, BATCHES, [9, 2]).tolist() == plain(chain.eval(), [9, 2])


def test_scores_are_the_same_when_shared_values_would_take_too_much_memory(monkeypatch):
    net, some = supernet(), [3, 8_000, 12_345]
    expected = score(net, BATCHES, some)
    monkeypatch.setattr(shared_start, "_MOST_BYTES", 0)
    images = torch.zeros(2, 1, 8, 8)
    assert not isinstance(net.evaluator(images), SharedStart)
    assert np.array_equal(score(net, BATCHES, some), expected)


def test_recalibrated_statistics_are_those_of_each_path():
    net, some = supernet(statistics="recalibrated"), [77, 12_345, 4_000]
    forwards = score(net, BATCHES, some)
    assert np.array_equal(score(net, BATCHES, some[::-1])[::-1], forwards)


def test_a_whole_space_is_scored_once_per_distinct_network(monkeypatch):
    shared = representatives(SPACE)
    few = shared.copy()
    few[shared > 12] = 0  # as if the space had the first few networks only
    monkeypatch.setattr("nasbench_lab.train.one_shot.scoring.representatives", lambda _: few)
    net, told = supernet(cells=1, channels=2), []
    found = score_space(net, BATCHES, "test", progress=lambda done, all_of_them: told.append((done, all_of_them)))
    distinct = np.unique(few)
    assert told == [(done, len(distinct)) for done in range(1, len(distinct) + 1)]
    assert found.shape == (SPACE.size,)
    assert np.array_equal(found[distinct], score(net, BATCHES, distinct, "test"))
    assert np.array_equal(found, found[few])


def test_nodes_that_lead_nowhere_are_not_computed_and_not_updated():
    net = supernet().train()
    codes = SPACE.parse_one("|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|")
    net(torch.zeros(2, 1, 8, 8), Path(codes)).sum().backward()
    cells = [layer for layer in net.network if hasattr(layer, "edges")]
    touched = {name for cell in cells for name, buffer in cell.named_buffers() if name.endswith("tracked") and buffer}
    assert touched == set(), "all of the convolutions lead nowhere"
    assert all(weight.grad is None for cell in cells for weight in cell.parameters())


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 20), (20, 1), (4, 4), (32, 32)])
def test_pooling_by_sums_is_average_pooling(size):
    x = torch.randn(3, 4, *size, generator=torch.Generator().manual_seed(0))
    for images in (x, x.contiguous(memory_format=torch.channels_last)):
        with torch.no_grad():
            torch.testing.assert_close(SummedPool().eval()(images), AveragePool3x3()(images), rtol=1e-5, atol=1e-6)
        assert torch.equal(SummedPool().train()(images), AveragePool3x3()(images))
