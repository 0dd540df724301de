"""Proxies on networks that are not what their authors thought of: scores are finite or NaN, and nothing fails."""

import copy
import math

import numpy as np
import pytest
import torch
from proxy_subjects import CELLS, batch_of, network_of
from torch import nn

from nasbench_lab.train.proxies import list_proxies, make_proxy, score_networks

ACTIVATIONS = {"naswot", "jacov", "epe_nas", "zen", "zico", "meco", "swap", "az_nas"}


class Constant(nn.Module):
    """Outputs that do not depend on the image."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return torch.full((len(x), 3), self.value, dtype=x.dtype)


class Functional(nn.Module):
    """A ReLU that is no layer."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, x):
        return self.linear(torch.relu(x.flatten(1)))


SKIPS = "|skip_connect~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|none~2|"
NOTHING = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
ODD = {
    "zeros": lambda: Constant(0.0),
    "not a number": lambda: Constant(math.nan),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 3)),
    "without weights": lambda: nn.Sequential(nn.ReLU(), nn.Flatten()),
    "functional": Functional,
    "in place": lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 3)),
    "tanh": lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.AvgPool2d(6), nn.Flatten(), nn.Linear(4, 3)),
    "one class": lambda: network_of(CELLS[0], classes=1),
    "one channel": lambda: network_of(CELLS[1], channels=1),
    "only skips": lambda: network_of(SKIPS),
    "nothing": lambda: network_of(NOTHING),
    "frozen": lambda: network_of(CELLS[0]).requires_grad_(False),
    "dead": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Threshold(9, 0), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)),
    "sequences": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(124, 3)),
}
WITHOUT_SCORES = {
    "zeros": ACTIVATIONS,
    "not a number": ACTIVATIONS,
    "linear": {"naswot", "swap", "meco", "az_nas"},
    "functional": {"naswot", "swap", "meco", "az_nas"},
    "only skips": {"az_nas"},
    "nothing": {"naswot", "jacov", "epe_nas", "zen", "zico", "az_nas"},
}


@pytest.mark.filterwarnings("ignore:no .* score")
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("images", [1, 6])
def test_odd_networks_have_scores_or_reasons(kind, images):
    network = ODD[kind]()
    before = copy.deepcopy(network.state_dict())
    batches = [batch_of(images, classes=1 if kind == "one class" else 3, seed=seed) for seed in (0, 1)]
    proxies = [make_proxy("meco:pixels=0") if name == "meco" else make_proxy(name) for name in list_proxies()]
    scores = score_networks([network], batches, proxies)
    missing = {proxy.name for proxy in proxies if not np.isfinite(scores.values[proxy.label][0, 0])}
    assert {failure.proxy.partition(":")[0] for failure in scores.failures} == missing
    assert all(failure.reason for failure in scores.failures)
    for values in scores.values.values():
        assert np.isnan(values[0, 0]) or abs(values[0, 0]) < 1e6
    if images > 1:
        assert missing & ACTIVATIONS == WITHOUT_SCORES.get(kind, missing & ACTIVATIONS)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_one_pixel_and_one_image_have_no_batch_statistics():
    tiny = nn.Sequential(nn.Conv2d(1, 2, 8), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 3))
    scores = score_networks([tiny], batch_of(1), ["naswot", "jacov"])
    assert np.isnan([scores.values[name] for name in ("naswot", "jacov")]).all()
    assert {failure.reason for failure in scores.failures} == {"batch normalisation has one value per channel"}
