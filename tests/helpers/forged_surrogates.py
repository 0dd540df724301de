"""Surrogate files whose checksum is right and whose content is not: what someone could make on purpose."""

import json

import h5py
import numpy as np

from nasbench_lab.prediction import fit_surrogate
from nasbench_lab.tables import subset
from nasbench_lab.tables.surrogates import file as surrogate_file
from nasbench_lab.testing import synthetic_table


def sample(count=60, seed=0):
    """A table of some architectures of the synthetic chain."""
    table = synthetic_table("chain")
    chosen = np.random.default_rng(seed).choice(table.space.size, count, replace=False)
    return subset(table, np.sort(chosen))


def small_surrogate(model="ridge", count=60, **options):
    """A surrogate of a sample, without replay."""
    return fit_surrogate(sample(count), model, "one-hot", **{"fidelities": [12], "check": False, **options})


def forge(path, target, change):
    """Write a copy of a surrogate after ``change(content, arrays)``, with the right checksum."""
    with h5py.File(path) as file:
        description = file["description"][:].tobytes().decode()
        content = json.loads(file["surrogate"][:].tobytes())
        arrays = {name: array[()] for name, array in file["arrays"].items()}
    change(content, arrays)
    text = json.dumps(content)
    with h5py.File(target, "w", libver="v110") as file:
        file.attrs["format"] = np.bytes_(surrogate_file.FORMAT)
        file.attrs["format_version"] = surrogate_file.FORMAT_VERSION
        file.attrs["checksum"] = np.bytes_(surrogate_file._checksum(description, text, arrays))
        file["description"] = np.frombuffer(description.encode(), np.uint8)
        file["surrogate"] = np.frombuffer(text.encode(), np.uint8)
        for name, array in arrays.items():
            file[f"arrays/{name}"] = array
    return target
