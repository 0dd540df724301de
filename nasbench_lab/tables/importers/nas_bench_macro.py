"""NAS-Bench-Macro: 3**8 MobileNetV2-style networks on CIFAR-10, three trainings each.

The file is a JSON object: notation (eight digits) to three test accuracies in percent, their mean and standard
deviation, parameters and FLOPs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.errors import DataError
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.recipe import Arrays, Recipe

_CITATION = """@inproceedings{su2021prioritized,
  title     = {Prioritized Architecture Sampling with Monto-Carlo Tree Search},
  author    = {Su, Xiu and Huang, Tao and Li, Yanxi and You, Shan and Wang, Fei and
               Qian, Chen and Zhang, Changshui and Xu, Chang},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  pages     = {10968--10977},
  year      = {2021}
}"""

_FILE = GitHubFile(
    repository="xiusu/NAS-Bench-Macro",
    commit="61a2bfc2ca0dce04d0997e6cf498047c27d6acf2",
    path="data/nas-bench-macro_cifar10.json",
    licence="Apache-2.0",
    sha256="686dee8363cc21cca8c1f321ad5749454f2d9b9ca5972682e137e539bc522297",
)

_DESCRIPTION = Description(
    name="nas-bench-macro/cifar10",
    title="NAS-Bench-Macro on CIFAR-10: chains of eight MobileNetV2 blocks",
    space={"name": "chain", "choices": "012", "length": 8},
    fidelities=(50,),
    repeats=("seed 0", "seed 1", "seed 2"),
    metrics=(
        Metric("test_accuracy", "test", "percent", "maximize", "best over 50 epochs", ("architecture", "repeat")),
        Metric("parameters", "none", "millions", "minimize", "trainable parameters", ("architecture",)),
        Metric("flops", "none", "millions", "minimize", "multiply-additions of one image", ("architecture",)),
    ),
    valid=None,
    test="test_accuracy",
    licence="Apache-2.0",
    citation=_CITATION,
    source=str(_FILE),
    notes=(
        "Only test accuracy was measured, so that is what a search on this table observes; its results are optimistic.",
        "The accuracy of a training is its best epoch on the test set, not its last.",
        "No training times are published, so budgets in seconds are not possible.",
    ),
)


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    space = spaces.make_space(description.space)
    try:
        content = json.loads(files[0])
        rows = [content[notation] for notation in space.format(np.arange(space.size))]
        values = {
            "test_accuracy": np.array([row["test_acc"] for row in rows], dtype=np.float64),
            "parameters": np.array([row["params"] for row in rows], dtype=np.float64) / 1e6,
            "flops": np.array([row["flops"] for row in rows], dtype=np.float64) / 1e6,
        }
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the file of {description.name} is not the file of NAS-Bench-Macro: {error!r}") from error
    return values, {}


RECIPES = (Recipe(_DESCRIPTION, (_FILE,), _read),)
