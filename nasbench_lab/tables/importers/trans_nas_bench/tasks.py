"""The seven tasks of TransNAS-Bench-101: what is measured, and for how many epochs networks are trained."""

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
"""Names of the two search spaces in the published file; ours have ``trans-`` before them."""


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


class TransTask(NamedTuple):
    """A task.

    Attributes:
        title: for people.
        quantity: which of the measured quantities a search is judged by.
        epochs: how long networks are trained.
    """

    title: str
    quantity: str
    epochs: int

    def metric(self, split: Split, axes: tuple[str, ...]) -> Metric:
        """Describe the metric that a search is judged by, on a split."""
        return _describe(split, self.quantity, axes)


TASKS = {
    "class_scene": TransTask("scene classification", "top1", 25),
    "class_object": TransTask("object classification", "top1", 25),
    "room_layout": TransTask("room layout", "neg_loss", 25),
    "jigsaw": TransTask("jigsaw puzzles", "top1", 10),
    "segmentsemantic": TransTask("semantic segmentation", "acc", 30),
    "normal": TransTask("surface normals", "ssim", 30),
    "autoencoder": TransTask("autoencoding", "ssim", 30),
}


def table_name(space: str, task: str) -> str:
    """Return the catalogue name of a table.

    >>> table_name("micro", "jigsaw")
    'trans-nas-bench-101-micro/jigsaw'
    """
    return f"trans-nas-bench-101-{space}/{task}"


def describe_metric(name: str, axes: tuple[str, ...]) -> Metric | None:
    """Describe a metric of the published file, such as ``"valid_top1"``; None where it is none that is known."""
    split, _, quantity = name.partition("_")
    if split not in _SPLITS or quantity not in _QUANTITIES:
        return None
    return _describe(_SPLITS[split], quantity, axes)


def _describe(split: Split, quantity: str, axes: tuple[str, ...]) -> Metric:
    unit, direction, description = _QUANTITIES[quantity]
    return Metric(f"{split}_{quantity}", split, unit, direction, description, axes)
