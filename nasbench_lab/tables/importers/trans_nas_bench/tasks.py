"""The seven tasks of TransNAS-Bench-101: their metrics, and their numbers of training epochs."""

from __future__ import annotations

from typing import NamedTuple

from nasbench_lab.tables.description import Direction, Metric, Split

CITATION = """@inproceedings{duan2021transnas,
  title     = {{TransNAS-Bench-101}: Improving Transferability and Generalizability of Cross-Task Neural Architecture
               Search},
  author    = {Duan, Yawen and Chen, Xin and Xu, Hang and Chen, Zewei and Liang, Xiaodan and Zhang, Tong and
               Li, Zhenguo},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  pages     = {5251--5260},
  year      = {2021}
}"""

SPACES = ("micro", "macro")
"""Names of the two search spaces in the official file; `nasbench_lab.spaces` adds the prefix ``trans-``."""


class _Quantity(NamedTuple):
    unit: str
    direction: Direction
    description: str


_QUANTITIES = {
    "top1": _Quantity("percent", "maximize", "top-1 accuracy"),
    "top5": _Quantity("percent", "maximize", "top-5 accuracy"),
    "acc": _Quantity("percent", "maximize", "accuracy over pixels"),
    "mIoU": _Quantity("percent", "maximize", "mean intersection over union"),
    "ssim": _Quantity("SSIM", "maximize", "structural similarity, 1 at best"),
    "loss": _Quantity("", "minimize", "loss"),
    "l1_loss": _Quantity("", "minimize", "mean absolute error"),
    "neg_loss": _Quantity("", "maximize", "negative mean squared error, as published: 0 at best"),
}
_SPLITS: dict[str, Split] = {"train": "train", "valid": "valid", "test": "test"}


class TransNasTask(NamedTuple):
    """A task of TransNAS-Bench-101.

    Attributes:
        title: title of the task.
        quantity: the measured quantity that a search optimises.
        epochs: number of training epochs.
    """

    title: str
    quantity: str
    epochs: int

    def metric(self, split: Split, axes: tuple[str, ...]) -> Metric:
        """Return the metric that a search optimises, on a split."""
        return _describe(split, self.quantity, axes)


TASKS = {
    "class_scene": TransNasTask("scene classification", "top1", 25),
    "class_object": TransNasTask("object classification", "top1", 25),
    "room_layout": TransNasTask("room layout", "neg_loss", 25),
    "jigsaw": TransNasTask("jigsaw puzzles", "top1", 10),
    "segmentsemantic": TransNasTask("semantic segmentation", "acc", 30),
    "normal": TransNasTask("surface normals", "ssim", 30),
    "autoencoder": TransNasTask("autoencoding", "ssim", 30),
}


def table_name(space: str, task: str) -> str:
    """Return the catalogue name of a table.

    >>> table_name("micro", "jigsaw")
    'trans-nas-bench-101-micro/jigsaw'
    """
    return f"trans-nas-bench-101-{space}/{task}"


def describe_metric(name: str, axes: tuple[str, ...]) -> Metric | None:
    """Return the metric of a name in the official file, such as ``"valid_top1"``; None if the name is unknown."""
    split, _, quantity = name.partition("_")
    if split not in _SPLITS or quantity not in _QUANTITIES:
        return None
    return _describe(_SPLITS[split], quantity, axes)


def _describe(split: Split, quantity: str, axes: tuple[str, ...]) -> Metric:
    unit, direction, description = _QUANTITIES[quantity]
    return Metric(f"{split}_{quantity}", split, unit, direction, description, axes)
