"""GDAS against plain code that computes every operation, and the traps of its implementations."""

import numpy as np
import pytest
from made_up_searches import SPACES, one_step, tiny_search

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.errors import ParameterError  # noqa: E402
from nasbench_lab.spaces.topology import EDGES  # noqa: E402
from nasbench_lab.train.one_shot.gumbel import relaxed, straight_through  # noqa: E402
from nasbench_lab.train.one_shot.methods import gdas  # noqa: E402
from nasbench_lab.train.one_shot.methods.registry import make_method  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Sample  # noqa: E402
from nasbench_lab.train.one_shot.supernets.topology import MixedTopologyCell  # noqa: E402


def plain_scores(net, images, weights, codes, *, bare):
    """The forward pass of the published code: all operations of every edge, but only the drawn one is used."""
    x = images
    for layer in net.network:
        if not isinstance(layer, MixedTopologyCell):
            x = layer(x)
            continue
        nodes = [x]
        for target in range(1, 4):
            total = torch.zeros_like(x)
            for edge, (source, end) in enumerate(EDGES):
                if end != target:
                    continue
                options = layer.edges[f"{source}->{end}"].options
                for option in range(5):
                    if option == codes[edge]:
                        value = options[str(option)](nodes[source]) if str(option) in options else 0 * nodes[source]
                        total = total + weights[edge][option] * value
                    elif bare:
                        total = total + weights[edge][option]
            nodes.append(total)
        x = nodes[-1]
    return x


@pytest.mark.parametrize("bare", [True, False])
def test_scores_and_gradients_of_the_logits_are_those_of_plain_code(bare):
    run = tiny_search("gdas", bare=bare)
    net = run.supernet.double().train()
    images = torch.randn(6, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    random, found = np.random.default_rng(1), {}
    codes = [3, 1, 0, 2, 4, 1]
    noise = [random.gumbel(size=5) for _ in codes]
    for plain in (False, True):
        logits = [torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True) for _ in codes]
        weights = straight_through(codes, relaxed(logits, noise, 2.0))
        scores = (
            plain_scores(net, images, weights, codes, bare=bare)
            if plain
            else net(images, Sample(codes, weights, bare=bare))
        )
        scores.square().sum().backward()
        found[plain] = scores.detach(), torch.stack([torch.zeros(5) if x.grad is None else x.grad for x in logits])
    torch.testing.assert_close(found[False], found[True])
    assert (found[True][1] != 0).any(dim=1).sum() == (6 if bare else 5), "without bare weights, `none` has no gradient"


def test_the_temperatures_of_a_search_have_the_published_ends(monkeypatch):
    seen = []
    monkeypatch.setattr(gdas, "relaxed", lambda *given: (seen.append(given[2]), relaxed(*given))[1])
    tiny_search("gdas", epochs=5, batch=24).complete()
    np.testing.assert_allclose(seen, [10.0, 7.525, 5.05, 2.575, 0.1], rtol=1e-12)
    assert (seen[0], seen[-1]) == (10.0, 0.1)


def test_options_that_no_sample_has_keep_weights_momentum_and_statistics(monkeypatch):
    drawn = []
    original = gdas.gumbel_codes
    monkeypatch.setattr(gdas, "gumbel_codes", lambda *given: (drawn.append(found := original(*given)), found)[1])
    run = tiny_search("gdas")
    before = {key: value.clone() for key, value in run.supernet.state_dict().items()}
    one_step(run)
    codes = np.array([found[0] for found in drawn])
    assert codes.shape == (2, 6), "one sample for the weights, and one for the logits"
    place = {f"{source}->{target}": decision for decision, (source, target) in enumerate(EDGES)}

    def option_of(key):
        edge, option = key.split(".edges.")[1].split(".options.")
        return place[edge], int(option[0])

    moved = [key for key, value in run.supernet.state_dict().items() if not torch.equal(value, before[key])]
    assert any(".options." in key for key in moved)
    for key in moved:
        if ".options." in key:
            decision, option = option_of(key)
            assert option in (codes[:, decision] if "running" in key or "tracked" in key else codes[:1, decision])
    for key, weight in run.supernet.named_parameters():
        if ".options." in key:
            decision, option = option_of(key)
            assert (weight in run.context.optimizer.state) == (option == codes[0, decision])


@pytest.mark.parametrize("space", SPACES)
def test_the_logits_move_in_every_kind_of_space(space):
    run = tiny_search("gdas", space, epochs=1, bare=space != "layer-chain")
    before = [each.detach().clone() for each in run.state.logits]
    run.complete()
    assert any(not torch.equal(a, b) for a, b in zip(before, run.state.logits, strict=True))
    assert 0 <= run.recommended[-1] < run.context.space.size


def test_temperatures_that_rise_are_refused():
    with pytest.raises(ParameterError, match=r"last_temperature must be at most first_temperature = 0.5, got 1"):
        make_method("gdas", {"first_temperature": 0.5, "last_temperature": 1.0})
