"""Small networks and batches of random images that proxies score."""

import torch

from nasbench_lab.spaces import TopologySpace
from nasbench_lab.train.networks import topology_network

CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|none~2|",
)


def network_of(cell, *, classes=3, channels=3, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        codes = TopologySpace().parse_one(cell)
        return topology_network(codes, channels=channels, cells=1, image_channels=1, classes=classes)


def batch_of(images=6, *, classes=3, seed=0, size=8):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(images, 1, size, size, generator=random), torch.arange(images) % classes
