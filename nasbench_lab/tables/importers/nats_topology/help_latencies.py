"""HELP: latencies of the topology space on more devices, from the PyTorch files of its repository.

There is one file per device: a list of 15,625 numbers in official order, in ms. Four of the 27 files (``raspi4``,
``pixel3``, ``eyeriss``, ``fpga``) repeat the numbers of HW-NAS-Bench for CIFAR-10 to the last bit; they are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nats_topology.extra_metrics import SIZE, ExtraMetrics, metric
from nasbench_lab.tables.reading import torch_file
from nasbench_lab.tables.recipe import Arrays


class _Device(NamedTuple):
    """A device that HELP measured.

    Attributes:
        name: name of the file.
        description: the device, and the batch size if it is published.
        sha256: digest of the file.
    """

    name: str
    description: str
    sha256: str


_DEVICES = (
    _Device(
        "1080ti_1",
        "NVIDIA GTX 1080 Ti, 1 image at once",
        "4028f52b2c2441da126932e3827ae11a7f76d39818c4374c1b9ab9df236e23f4",
    ),
    _Device(
        "1080ti_32",
        "NVIDIA GTX 1080 Ti, 32 images at once",
        "affce4fcdcf6f28622365995ef2ec018bb07d448add59f80633c0978c393cdea",
    ),
    _Device(
        "1080ti_256",
        "NVIDIA GTX 1080 Ti, 256 images at once",
        "435af0ccfab01f5dc55dc9f2e8b90ca37b396b2656e327bba5ee0b6eb9c24464",
    ),
    _Device(
        "2080ti_1",
        "NVIDIA RTX 2080 Ti, 1 image at once",
        "38cf0e8f698abf8696c69b41a358fe9ddedf5d54cb1ae6f85b04dd8a8f89a1b3",
    ),
    _Device(
        "2080ti_32",
        "NVIDIA RTX 2080 Ti, 32 images at once",
        "ebc603ad325850663fc56c8e0fde52fadea28e585a8405864baa20f986eaf29d",
    ),
    _Device(
        "2080ti_256",
        "NVIDIA RTX 2080 Ti, 256 images at once",
        "daee655c44c46955d8318ddf0fa39254e70bab1ae723a6abc53d7b7e4e1561ae",
    ),
    _Device(
        "titan_rtx_1",
        "NVIDIA Titan RTX, 1 image at once",
        "a854dac331e2a37d7dcd6ee1f63d1bc6d73ead3aeb0a86f803f45ea1b294859e",
    ),
    _Device(
        "titan_rtx_32",
        "NVIDIA Titan RTX, 32 images at once",
        "1258bee5501fe191530b9898a4f55a122ab30beec9c6ea74598c47a0173babed",
    ),
    _Device(
        "titan_rtx_256",
        "NVIDIA Titan RTX, 256 images at once",
        "cff1fba40b1743d3716cfb74c86ac2463d0682c146f356fa9095ac0d02dfb2a5",
    ),
    _Device(
        "titanx_1",
        "NVIDIA GTX Titan X, 1 image at once",
        "3461cc686263bd0ce4d4cd915bfc2fe067deb139cc68da387741bd6443434cb0",
    ),
    _Device(
        "titanx_32",
        "NVIDIA GTX Titan X, 32 images at once",
        "9c4ca69131e34451fb1e104caa47efbe12ffec3cc47bf051613674d7af044ff2",
    ),
    _Device(
        "titanx_256",
        "NVIDIA GTX Titan X, 256 images at once",
        "04ddb80719515687bd3d722235cd5da821b50bd453a9e580b1e9d321dfb92941",
    ),
    _Device(
        "titanxp_1",
        "NVIDIA Titan Xp, 1 image at once",
        "935aa0041c6592bed90f2f94ff3b4d40e892c066467864b704e6583682a57b20",
    ),
    _Device(
        "titanxp_32",
        "NVIDIA Titan Xp, 32 images at once",
        "4b6db63c7a9fb55177aa2649d70031dd86d2ed1609467ef5803dc1089a73cb1b",
    ),
    _Device(
        "titanxp_256",
        "NVIDIA Titan Xp, 256 images at once",
        "9f03206bc62b0dcfc882820de07f55dc1fb7f43f57dfc977e4f0f4b019cb5041",
    ),
    _Device(
        "silver_4114",
        "Intel Xeon Silver 4114",
        "0cce9dc9ba62ad81c21275298a88cb0e4534db6474a878f089df0abb13293421",
    ),
    _Device(
        "silver_4210r",
        "Intel Xeon Silver 4210R",
        "f976049bda39abde94b8f8cac90140cb78a5069fc145c462d6d6bc2f8450727a",
    ),
    _Device("gold_6226", "Intel Xeon Gold 6226", "6a00f63d14f67f8007ec04519f638a90aa6ed5357cf5c0e60c391df37f186c99"),
    _Device("gold_6240", "Intel Xeon Gold 6240", "ac6dd41f183de69bba21dec3954ac73333b7dec871e0defbcce0572d82536890"),
    _Device(
        "essential_ph_1",
        "Essential Phone PH-1, in whole ms",
        "a97165c8669a216b9ca046041c83a07352bd07f2a42e2d8fea8b51e7ddbcabf0",
    ),
    _Device(
        "pixel2",
        "Google Pixel 2, in whole ms",
        "051845ddefc2bc138f21e2217f6c7827fe280c78375cbfb4b5bd252a888cb950",
    ),
    _Device(
        "samsung_a50",
        "Samsung Galaxy A50, in whole ms",
        "0872cb4ec8ecc7ea1b3bd8c98dd705f2d0f6e4940f3af833b313e484de39b155",
    ),
    _Device(
        "samsung_s7",
        "Samsung Galaxy S7, in whole ms",
        "dbae32364b882022adb044b2aa1af77b66f43a180930d9be4d4c13532429f0ea",
    ),
)

_CITATION = """@inproceedings{lee2021help,
  title     = {{HELP}: Hardware-Adaptive Efficient Latency Prediction for {NAS} via Meta-Learning},
  author    = {Lee, Hayeon and Lee, Sewoong and Chong, Song and Hwang, Sung Ju},
  booktitle = {Advances in Neural Information Processing Systems (NeurIPS)},
  year      = {2021}
}"""

_NOTES = ("Latencies of GPUs (of a whole batch), Xeons and four phones are HELP's, which does not name the data set.",)


def latencies() -> ExtraMetrics:
    """Return the latencies on 23 devices and batch sizes, for the table of CIFAR-10."""
    metrics = tuple(metric(f"{d.name}_latency", "ms", "minimize", f"measured on: {d.description}") for d in _DEVICES)
    return ExtraMetrics(metrics, tuple(map(_file, _DEVICES)), _read, _CITATION, _NOTES)


def _file(device: _Device) -> GitHubFile:
    path = f"data/nasbench201/latency/{device.name}.pt"
    return GitHubFile("HayeonLee/HELP", "45f70eb92d0d735970a33b608d1544ad3c52f285", path, "MIT", device.sha256)


def _read(files: Sequence[bytes]) -> Arrays:
    return {f"{device.name}_latency": _latencies(data) for device, data in zip(_DEVICES, files, strict=True)}


def _latencies(data: bytes) -> FloatArray:
    content = torch_file.load(data)
    if not isinstance(content, list) or len(content) != SIZE or not all(type(n) in (int, float) for n in content):
        raise DataError(f"the file does not have a list of {SIZE} numbers")
    return np.array(content, dtype=np.float64)
