"""Prints hashes of what strategies do: ``python traces_of_strategies.py ENTRIES``.

ENTRIES are JSON: ``[STRATEGY, TABLE]`` gives a golden, ``[STRATEGY, TABLE, RUNS, EVALUATIONS]`` one hash per run. The
output also says which kernel OpenBLAS used and what NumPy can do.
"""

import hashlib
import json
import sys

import numpy as np
from paths import ROOT
from processor_settings import instructions, kernels

import nasbench_lab as nl
from nasbench_lab.testing import synthetic_table

GOLDENS = ROOT / "tests/strategies/goldens.json"
TABLES = ("chain", "topology")
RUNS = {"predictor-search": 4}
"""Runs of the golden of a strategy that fits models in a Python loop over runs; those of others have 16."""


def known():
    """The goldens: for every strategy, its version and one hash per table."""
    return json.loads(GOLDENS.read_text())


def fingerprint(strategy, kind):
    """The hash of what a strategy does in 16 runs (see `RUNS`) of 60 evaluations, the same on every platform."""
    digest = hashlib.sha256()
    for part in _parts(strategy, kind, RUNS.get(strategy, 16), 60):
        digest.update(part.tobytes())
    return digest.hexdigest()[:16]


def of_runs(strategy, kind, runs, evaluations):
    """One hash per run."""
    parts = _parts(strategy, kind, runs, evaluations)
    return [hashlib.sha256(b"".join(part[run].tobytes() for part in parts)).hexdigest()[:16] for run in range(runs)]


def _parts(strategy, kind, runs, evaluations):
    table = nl.load(kind) if "/" in kind else synthetic_table(kind)
    trace = nl.simulate(table, strategy, runs=runs, budget=nl.Budget(evaluations=evaluations), seed=5)
    names = ("architecture", "fidelity", "repeat", "mask")
    return [np.ascontiguousarray(getattr(trace, name), dtype="<i8") for name in names]


def everything(what):
    """Goldens for entries of two, one hash per run for entries of four; strategies may have parameters."""
    return [fingerprint(*entry) if len(entry) == 2 else of_runs(*entry) for entry in what]


if __name__ == "__main__":
    found = everything(json.loads(sys.argv[1]))
    print(json.dumps({"kernels": sorted(kernels() or []), "instructions": instructions(), "traces": found}))
