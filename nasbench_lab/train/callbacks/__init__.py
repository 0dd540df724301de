"""Callbacks: what follows trainings while they run, such as TensorBoard, MLflow and Weights & Biases.

A callback is an object with the three methods of `Callback`. The loggers import their packages when they are made, so
importing this module needs none of them, and no torch.
"""

from nasbench_lab.train.callbacks.by_name import LOGGERS, logger
from nasbench_lab.train.callbacks.callback import Callback, Status, TrainingRun
from nasbench_lab.train.callbacks.guarded import GuardedCallbacks
from nasbench_lab.train.callbacks.mlflow_logger import MLflow
from nasbench_lab.train.callbacks.tensorboard_logger import TensorBoard
from nasbench_lab.train.callbacks.wandb_logger import WandB

__all__ = [
    "LOGGERS",
    "Callback",
    "GuardedCallbacks",
    "MLflow",
    "Status",
    "TensorBoard",
    "TrainingRun",
    "WandB",
    "logger",
]
