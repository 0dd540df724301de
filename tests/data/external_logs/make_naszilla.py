"""Write the samples of naszilla: its own ``run_experiments``, on ``digits/topology`` in place of NAS-Bench-201.

Run with a checkout of naszilla (it needs torch; TensorFlow and the official benchmarks are replaced here)::

    PYTHONPATH=naszilla python tests/data/external_logs/make_naszilla.py

Written are two trials of ``simple_algos``, one with and one without ``--save_specs``.
"""

import random
import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

import nasbench_lab as nl

HERE = Path(__file__).parent
REPLACED = (
    "tensorflow",
    "tensorflow.keras",
    "tensorflow.keras.backend",
    "tensorflow.keras.models",
    "tensorflow.keras.optimizers",
    "nasbench",
    "nasbench.api",
    "nasbench301",
    "nas_201_api",
    "naszilla.bo",
    "naszilla.bo.bo",
    "naszilla.bo.bo.probo",
    "naszilla.gcn",
    "naszilla.gcn.model",
    "naszilla.gcn.train_gcn",
    "naszilla.nas_bench_301",
    "naszilla.nas_bench_301.cell_301",
)


class Result:
    """The measurements of a training, as the API of NAS-Bench-201 gives them."""

    def __init__(self, measured):
        self.measured = measured

    def get_eval(self, name):
        return {"accuracy": self.measured["valid_accuracy" if name == "x-valid" else "test_accuracy"]}

    def get_compute_costs(self, *_):
        return {"params": self.measured["parameters"]}


class Api:
    """The part of the API of NAS-Bench-201 that naszilla uses."""

    def __init__(self, *_):
        self.table = nl.load("digits/topology")

    def query_index_by_arch(self, text):
        return self.table.space.parse(text)

    def query_by_index(self, index, _dataset):
        return {repeat: Result(self.table.query(index, repeat=repeat)) for repeat in range(self.table.repeats)}

    def get_cost_info(self, index, _dataset):
        return {"params": self.table.query(index)["parameters"]}


def main():
    for name in REPLACED:
        sys.modules[name] = MagicMock(name=name)
    sys.modules["nas_201_api"].NASBench201API = Api
    from naszilla import run_experiments

    for specs in (True, False):
        random.seed(1), np.random.seed(1)  # noqa: NPY002 - what naszilla uses
        with tempfile.TemporaryDirectory() as folder:
            given = Namespace(
                trials=2 if specs else 1,
                queries=20,
                search_space="nasbench_201",
                dataset="cifar10",
                mf=False,
                metann_params="standard",
                algo_params="simple_algos",
                output_filename="specs" if specs else "values",
                save_specs=specs,
            )
            run_experiments.run_experiments(given, folder)
            for path in Path(folder).iterdir():
                shutil.copy(path, HERE / f"naszilla-{path.name.replace('_', '-')}")


if __name__ == "__main__":
    main()
