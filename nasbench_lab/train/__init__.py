"""Training real networks. Needs torch: ``pip install 'nasbench-lab[torch]'``. No other folder imports torch.

============  ======================================================================================
`network`     the network of an architecture, a `torch.nn.Module`
`train`       trains a network on a data set, and returns a `TrainedNetwork`: curve, metrics, weights
`load`        loads a network with saved weights
`live`        a table that trains architectures when they are asked for
`callbacks`   TensorBoard, MLflow, Weights & Biases, and callbacks of your own
`datasets`    data sets
`recipes`     how networks are trained
============  ======================================================================================

Importing this package does not import torch; using these functions does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench_lab.train import callbacks as callbacks
from nasbench_lab.train.lazy_names import imported_when_used

if TYPE_CHECKING:
    from nasbench_lab.train.live_search.live_table import live as live
    from nasbench_lab.train.saved_weights import load as load
    from nasbench_lab.train.single_training import TrainedNetwork as TrainedNetwork
    from nasbench_lab.train.single_training import network as network
    from nasbench_lab.train.single_training import train as train

_HOMES = {
    "TrainedNetwork": "single_training",
    "live": "live_search.live_table",
    "load": "saved_weights",
    "network": "single_training",
    "train": "single_training",
}

__all__ = ["TrainedNetwork", "callbacks", "live", "load", "network", "train"]


__getattr__ = imported_when_used(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
