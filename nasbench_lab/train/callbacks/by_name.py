"""Loggers by name, as the command line takes them: ``tensorboard:runs``."""

from __future__ import annotations

from collections.abc import Callable

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.train.callbacks.callback import Callback
from nasbench_lab.train.callbacks.mlflow_logger import MLflow
from nasbench_lab.train.callbacks.tensorboard_logger import TensorBoard
from nasbench_lab.train.callbacks.wandb_logger import WandB

LOGGERS: dict[str, Callable[[str], Callback]] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": WandB}
"""The loggers by name. Each takes the text after the colon: a folder, a folder or URI, and a project."""


def logger(text: str) -> Callback:
    """Make a logger from a text like ``tensorboard:FOLDER``, ``mlflow:FOLDER_OR_URI`` or ``wandb:PROJECT``.

    Raises:
        UnknownNameError: no logger has this name.
        ParameterError: nothing follows the name, or a package is not installed.

    >>> logger("tensorboard")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: a logger must be like tensorboard:FOLDER, mlflow:FOLDER or wandb:PROJECT, ...
    """
    name, _, where = text.partition(":")
    if name not in LOGGERS:
        raise unknown("logger", name, LOGGERS)
    if not where:
        raise ParameterError(f"a logger must be like tensorboard:FOLDER, mlflow:FOLDER or wandb:PROJECT, got {text!r}")
    return LOGGERS[name](where)
