"""Zero-cost proxies of a network, all together, beside the usual code that computes one after the other."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

import plain_proxies  # noqa: E402

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.proxies import score, score_networks  # noqa: E402

CELLS = [11, 4003, 9930]
SIZES = {"of digits": (1, 8, 8, 8), "of CIFAR": (3, 32, 32, 16)}
"""Channels, height and width of the images, and channels of the first stage."""
IMAGES = {"of digits": 64, "of CIFAR": 16}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def subjects(size, images, cells=CELLS):
    """Return networks and a batch."""
    channels, height, width, first = SIZES[size]
    networks = [train.network("topology", cell, image=(channels, height, width), channels=first) for cell in cells]
    random = torch.Generator().manual_seed(0)
    return networks, (torch.randn(images, channels, height, width, generator=random), torch.arange(images) % 10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("contender", ["ours", "one after the other"])
def test_proxies(benchmark, per_item, contender, size):
    benchmark.group = f"{len(plain_proxies.PROXIES)} proxies of a network for images {size}"
    if benchmark.disabled and size == "of CIFAR":
        pytest.skip("tests only see whether it runs")
    networks, batch = subjects(size, 4, CELLS[:1]) if benchmark.disabled else subjects(size, IMAGES[size])
    names = list(plain_proxies.PROXIES)
    contenders = {
        "ours": lambda: score_networks(networks, batch, names),
        "one after the other": lambda: [plain_proxies.scores(network, *batch) for network in networks],
    }
    per_item(contender, len(networks), contenders[contender], rounds=2)


def test_the_usual_code_computes_the_same():
    networks, batch = subjects("of digits", 16, CELLS[:1])
    expected = plain_proxies.scores(networks[0], *batch)
    # The others draw numbers, or count other weights.
    for proxy in ("naswot", "swap", "jacov", "epe_nas", "snip", "grad_norm", "plain", "params"):
        assert score(networks[0], batch, proxy) == pytest.approx(expected[proxy], rel=1e-3), proxy
