"""The light version of NAS-Bench-Graph: nine tables from the data files of the package ``nas-bench-graph``.

A file is a pickled dictionary: key of an architecture (one tree digit and four operation digits, from nine operations)
to validation and test performance, latency and parameters, each the mean of three trainings. The package does not state
the number of training epochs; the numbers here are the hyper-parameters of the publication, as redistributed with code
derived from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.gnn import OPERATIONS, PROTEINS_OPERATIONS, GnnSpace
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import PackageFile
from nasbench_lab.tables.reading import unpickle
from nasbench_lab.tables.recipe import Arrays, Recipe

_PACKAGE, _VERSION = "nas-bench-graph", "1.4.0"

CITATION = """@inproceedings{qin2022nasbenchgraph,
  title     = {{NAS-Bench-Graph}: Benchmarking Graph Neural Architecture Search},
  author    = {Qin, Yijian and Zhang, Ziwei and Wang, Xin and Zhang, Zeyang and Zhu, Wenwu},
  booktitle = {Advances in Neural Information Processing Systems 35 (Datasets and Benchmarks Track)},
  pages     = {54--69},
  year      = {2022}
}"""

DATASETS = {  # name: (training epochs, SHA-256 of the data file)
    "cora": (400, "5e69b2f9bb08d8927d9ffd4921f8494a3cea349c9c3a461334cb9dc9e11701a8"),
    "citeseer": (400, "99c7f79b73372636305bf73fb32a58b63c57bd1871a152dd62ec72d984c8c50f"),
    "pubmed": (500, "10b4dcf6cfd3a24f6059f7d541a4a872960b4adac0b3dba26abed1bb9a3d904d"),
    "cs": (400, "71ae8469930517160b024f52db6000a4897f1aff5d765beb27bb60952ed5bd31"),
    "physics": (200, "1e309bafee0b832c8b84fa3c039c36992bc0a910238b128f26b7e9190d7f2aea"),
    "photo": (500, "5511b4dc3f63fa988792177227db7901290fb9b27fc6c02e3036b29e134ed6df"),
    "computers": (500, "fdb3dc0cf405d62322f0ab9614b2083c2a5e6576c2f43e4f2214be64bc62b1b3"),
    "arxiv": (500, "7ee21a7653297a806c0ed1be3efe6ecc06acc84e48e942da0bfde0e5d287debe"),
    "proteins": (500, "b9e7fb0902bda44fec32c948e5fde822fb22d38d674c52e43ace5197378f2d21"),
}
_FIELDS = {"valid_{0}": "valid_perf", "test_{0}": "perf", "latency": "latency", "parameters": "para"}


def _describe(dataset: str, epochs: int) -> Description:
    score, name = ("roc_auc", "ROC-AUC") if dataset == "proteins" else ("accuracy", "accuracy")
    operations = PROTEINS_OPERATIONS if dataset == "proteins" else OPERATIONS
    axes = ("architecture",)
    return Description(
        name=f"nas-bench-graph/{dataset}",
        title=f"NAS-Bench-Graph on {dataset}: graph neural networks, node {name}",
        space=GnnSpace(operations).spec(),
        fidelities=(epochs,),
        repeats=("mean of 3 seeds",),
        metrics=(
            Metric(
                f"valid_{score}",
                "valid",
                "fraction",
                "maximize",
                f"best validation {name}, mean of 3 seeds",
                axes,
            ),
            Metric(f"test_{score}", "test", "fraction", "maximize", f"test {name} then, mean of 3 seeds", axes),
            Metric("latency", "none", "s", "minimize", "one forward pass on the whole graph, mean of 3", axes),
            Metric("parameters", "none", "millions", "minimize", "trainable parameters", axes),
        ),
        valid=f"valid_{score}",
        test=f"test_{score}",
        licence="Apache-2.0",
        citation=CITATION,
        source=f"PyPI package {_PACKAGE} {_VERSION}, nas_bench_graph/light/{dataset}.bench",
        notes=(
            "Only the mean of three trainings is published in this version: its one repeat is that mean.",
            "No training times are published, so budgets in seconds are not possible.",
        ),
    )


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    operations = description.space["operations"]
    content = unpickle.load(files[0])
    keys = architecture_keys(GnnSpace(operations))
    if not isinstance(content, dict) or set(content) != set(keys.tolist()):
        raise DataError(f"the file of {description.name} does not have the {len(keys)} architectures of its space")
    score = "roc_auc" if description.name.endswith("/proteins") else "accuracy"
    rows = [content[key] for key in keys.tolist()]
    values = {
        name.format(score): np.array([row[field] for row in rows], dtype=np.float64) for name, field in _FIELDS.items()
    }
    return values, {}


def architecture_keys(space: GnnSpace) -> IntArray:
    """Return the key of every architecture in the published dictionaries: tree and operations as decimal digits."""
    codes = space.codes(np.arange(space.size)).astype(np.int64)
    digit = np.array([OPERATIONS.index(operation) for operation in space.operations])
    tree: IntArray = codes[:, 0] * 10_000
    return tree + digit[codes[:, 1:]] @ np.array([1000, 100, 10, 1])


RECIPES = tuple(
    Recipe(
        _describe(dataset, epochs),
        (PackageFile(_PACKAGE, _VERSION, f"nas_bench_graph/light/{dataset}.bench", "Apache-2.0", sha256),),
        _read,
    )
    for dataset, (epochs, sha256) in DATASETS.items()
)
