"""What every proxy promises. New proxies join by themselves."""

import pytest

from nasbench_lab.checks import domains
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.train.proxies.registry import GROUP, built_in, list_proxies, make_proxy, proxy_class

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from added_entry_points import add_entry_points  # noqa: E402
from torch import nn  # noqa: E402

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.image_batches import Batch  # noqa: E402
from nasbench_lab.train.proxies.base import NEEDS, Proxy  # noqa: E402
from nasbench_lab.train.proxies.formulas.params import Params  # noqa: E402
from nasbench_lab.train.proxies.measuring import measure  # noqa: E402
from nasbench_lab.train.proxies.private_copies import private_copy  # noqa: E402

every_proxy = pytest.mark.parametrize("name", built_in())


def batches(*, images=6, seed=0, count=2):
    random = torch.Generator().manual_seed(seed)
    pixels = torch.randn(count, images, 1, 8, 8, generator=random)
    return [Batch(each, torch.arange(images) % 3) for each in pixels]


def cell(notation="|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|", seed=0):
    return train.network("topology", notation, image=(1, 8, 8), classes=3, seed=seed, channels=4, cells=1)


ONLY = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|"


class OneInput(nn.Module):
    """Two layers, of which one is never used."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(64, 3), nn.Conv2d(1, 3, 1)

    def forward(self, x):
        return self.used(x.flatten(1))


class Constant(nn.Module):
    """Scores that depend on no weight."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 3)

    def forward(self, x):
        return x.flatten(1)[:, :3]


def broken():
    found = cell()
    with torch.no_grad():
        next(found.parameters()).fill_(float("nan"))
    return found


ODD = {
    "only skips": lambda: cell(ONLY.format("skip_connect")),
    "only zeros": lambda: cell(ONLY.format("none")),
    "only pools": lambda: cell(ONLY.format("avg_pool_3x3")),
    "nothing": lambda: nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(3)),
    "one layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 3)),
    "unused layer": OneInput,
    "no weight is used": Constant,
    "frozen": lambda: cell().requires_grad_(False),
    "in place": lambda: nn.Sequential(nn.Conv2d(1, 3, 8), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.5)),
    "not finite": broken,
}


@every_proxy
def test_it_says_what_it_is(name):
    kind = proxy_class(name)
    assert kind.name == name
    assert kind.__module__.rpartition(".")[2] == name
    assert kind.reference
    assert kind.version >= 1
    assert kind.batches >= 1
    assert set(kind.needs) <= set(NEEDS)
    assert "images" in kind.needs or "labels" not in kind.needs
    assert (kind.__doc__ or "").count("\n") > 3


@every_proxy
def test_bad_parameters_are_refused(name):
    for field, domain in domains(proxy_class(name)).items():
        for value in domain.bad_values():
            with pytest.raises(ParameterError, match=field):
                make_proxy(name, {field: value})


@every_proxy
@pytest.mark.parametrize("odd", ODD)
def test_odd_networks_have_a_score_or_a_reason(name, odd):
    (found,) = measure(ODD[odd](), batches(), [make_proxy(name)])
    finite = all(torch.isfinite(torch.tensor(found.values)))
    assert finite == (not found.failure)
    assert finite or all(torch.isnan(torch.tensor(found.values)))
    assert "\n" not in found.failure


def everything(network):
    """All that a scoring could change."""
    return {
        "weights": {name: value.clone() for name, value in network.state_dict().items()},
        "gradients": {name: value.grad.clone() for name, value in network.named_parameters()},
        "requires": [value.requires_grad for value in network.parameters()],
        "modes": [module.training for module in network.modules()],
        "hooks": [(len(m._forward_hooks), len(m._backward_hooks), "forward" in vars(m)) for m in network.modules()],
        "random": torch.random.get_rng_state(),
    }


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_networks_stay_as_they_are():
    network = cell().eval()
    network[1].train()
    network[2].requires_grad_(False)
    for value in network.parameters():
        value.grad = torch.ones_like(value)
    calls = []
    network[1].register_forward_hook(lambda *_: calls.append(1))
    given = batches()
    before, images = everything(network), given[0].images.clone()
    measure(network, given, [make_proxy(name) for name in built_in()])
    assert same(before, everything(network))
    assert torch.equal(images, given[0].images)
    assert images.grad is None
    assert calls


@every_proxy
def test_scores_depend_on_their_seeds_only(name):
    proxy = make_proxy(name)
    (first,), (again,) = (measure(cell(), batches(), [proxy], seed=3) for _ in range(2))
    with torch.random.fork_rng():
        torch.manual_seed(99)
        others = [make_proxy(each) for each in ("fisher", "snip", "grasp") if each != name]
        *_, last = measure(cell(), batches(), [*others, proxy], seed=3)
    assert first.values == again.values == last.values
    if not proxy.depends_on_seed:
        (other,) = measure(cell(seed=5), batches(seed=7), [proxy], seed=8)
        assert other.values == first.values


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)])
def test_settings_of_the_caller_do_not_matter(block):
    proxies = [make_proxy(name) for name in ("snip", "synflow", "grasp", "fisher")]
    network, given = cell(), batches()
    expected = [each.values for each in measure(network, given, proxies)]
    with block():
        assert [each.values for each in measure(network, given, proxies)] == expected


@every_proxy
def test_what_is_not_needed_does_not_matter(name):
    proxy, given = make_proxy(name), batches()
    (expected,) = measure(cell(), given, [proxy])
    if "labels" not in proxy.needs:
        (found,) = measure(cell(), [Batch(images, labels.roll(1)) for images, labels in given], [proxy])
        assert found.values == expected.values
    if "images" not in proxy.needs:
        (found,) = measure(cell(), batches(seed=5), [proxy])
        assert found.values == expected.values


@every_proxy
def test_gradients_are_only_computed_if_needed(name, monkeypatch):
    if "gradients" in proxy_class(name).needs:
        pytest.skip("it needs gradients")

    def refuse(*_args, **_options):
        raise AssertionError("a gradient")

    monkeypatch.setattr(torch.autograd, "grad", refuse)
    monkeypatch.setattr(torch.Tensor, "backward", refuse)
    measure(cell(), batches(), [make_proxy(name)])


def test_names():
    assert proxy_class("SynFlow").name == "synflow"
    assert proxy_class("grad-norm").name == "grad_norm"
    assert proxy_class("parameters").name == "params"
    with pytest.raises(UnknownNameError, match=r"unknown proxy 'synflwo'.*synflow"):
        make_proxy("synflwo")


def test_parameters_in_the_name():
    assert make_proxy("fisher:per_weight=False").label == "fisher:per_weight=False"
    assert make_proxy("fisher", {"per_weight": True}).label == "fisher"
    with pytest.raises(ParameterError, match="given twice"):
        make_proxy("fisher:per_weight=False", {"per_weight": False})
    with pytest.raises(UnknownNameError, match="size"):
        make_proxy("snip", {"size": 3})


OWN = """
from dataclasses import dataclass
from typing import ClassVar

from nasbench_lab.train.proxies import NoScoreError, Proxy


@dataclass(frozen=True)
class Depth(Proxy):
    name: ClassVar[str] = "depth"
    needs: ClassVar[tuple[str, ...]] = ()
    least: int = 1

    def measure(self, subject):
        depth = len(list(subject.network.modules()))
        if depth < self.least:
            raise NoScoreError("too shallow")
        return depth


def width(network, images, labels, power=1):
    return network(images).shape[1] ** power


NUMBER = 3
"""


def test_a_file_of_a_user(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    depth, width = make_proxy(f"{file}:Depth:least=2"), make_proxy(f"{file}:width:power=2")
    assert (depth.label, width.label) == ("depth:least=2", "width:power=2")
    found = measure(cell(), batches(), [depth, width])
    assert found[1].values == (9.0,)
    (failed,) = measure(nn.Identity(), batches(), [make_proxy(f"{file}:Depth", {"least": 5})])
    assert failed.failure == "too shallow"
    with pytest.raises(ParameterError, match="not a class or a function"):
        make_proxy(f"{file}:NUMBER")
    with pytest.raises(ParameterError, match="no file"):
        make_proxy(f"{tmp_path}/other.py:Depth")


def test_a_class_that_is_no_proxy():
    with pytest.raises(ParameterError, match=r"no class derived from nasbench_lab.train.proxies.Proxy"):
        make_proxy(nn.Linear)
    with pytest.raises(ParameterError, match="must be a name or a Proxy object, got 3"):
        make_proxy(3)
    with pytest.raises(ParameterError, match="give parameters"):
        make_proxy(Params(), {"size": 3})


def test_an_entry_point(monkeypatch):
    class Mine(Proxy):
        name = "mine"

        def measure(self, subject):
            return 7

    add_entry_points(monkeypatch, GROUP, mine=Mine, other=nn.Linear, synflow=Mine)
    assert {"mine", "other"} <= set(list_proxies())
    assert make_proxy("mine").measure(None) == 7
    with pytest.raises(ParameterError, match="no class derived from"):
        make_proxy("other")
    with pytest.warns(UserWarning, match="'synflow' is a built-in name"):
        assert make_proxy("synflow").name == "synflow"


class WithList(nn.Module):
    """A layer that a list holds as well, which only a deep copy keeps together."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 3)
        self.layers = [self.layer]

    def forward(self, x):
        return self.layers[0](x.flatten(1))


def tied():
    found = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4))
    found[1].weight = found[0].weight
    found.append(found[1])
    return found


@pytest.mark.parametrize(
    "build", [cell, tied, WithList, lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))]
)
def test_private_copies_are_whole_and_share_nothing(build):
    network = build().eval()
    found = private_copy(network)
    assert found.training
    assert not network.training
    assert [type(each) for each in found.modules()] == [type(each) for each in network.modules()]
    one, other = (dict(each.named_parameters(remove_duplicate=False)) for each in (network, found))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    ours, theirs = ({each.data_ptr() for each in state.state_dict().values()} for state in (network, found))
    assert not ours & theirs
    assert len(ours) == len(theirs)  # what was tied still is
    assert [len(vars(each)) for each in found.modules()] == [len(vars(each)) for each in network.modules()]
    if isinstance(found, WithList):
        assert found.layers[0] is found.layer
