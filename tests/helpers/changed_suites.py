"""Suites that are changed, merged, or of an earlier format."""

import dataclasses
import json
import sys

from small_suites import STRATEGIES, table_file

import nasbench_lab as nl
from nasbench_lab.suites import Suite, SuiteFolder
from nasbench_lab.suites.planned_simulations import Plan
from nasbench_lab.suites.sealed_json import sealed
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table

MINE = """
class Mine:
    def __init__(self, space, random):
        self.random, self.size = random, space.size

    def ask(self):
        return self.random.integers(self.size)

    def tell(self, architecture, value):
        pass
"""


def suite(folder, strategies=STRATEGIES, tables=("mine.h5",), runs=8, **options):
    """A suite of shards with four runs."""
    for name, kind in {"mine.h5": "chain", "other.h5": "topology"}.items():
        if name in tables and not (folder / name).exists():
            table_file(folder, name) if kind == "chain" else _topology(folder / name)
    budget = options.pop("budget", nl.Budget(evaluations=12))
    return Suite(list(strategies), list(tables), budget, runs=runs, folder=folder, **options)


def _topology(path):
    write(synthetic_table("topology"), path)


def write_mine(path, text=MINE):
    """Write the file as if it was edited between two processes."""
    path.write_text(text)
    for name in [name for name in sys.modules if name.startswith("mine_")]:
        del sys.modules[name]


def make_old(out):
    """Turn the folder of a finished suite into format 1."""
    folder = SuiteFolder.open(out)
    plan = folder.plan
    bare = [dataclasses.replace(each, key="") for each in plan.simulations]
    old = Plan(plan.tables, tuple(bare), plan.skipped, plan.runs)
    for shard, named in zip(plan.shards, old.shards, strict=True):
        manifest = folder.manifest(shard)
        del manifest["code"]
        (out / f"shards/{shard.name}.h5").rename(out / f"shards/{named.name}.h5")
        (out / f"shards/{shard.name}.json").unlink()
        (out / f"shards/{named.name}.json").write_bytes(sealed({**manifest, "shard": named.name}))
    content = json.loads((out / "suite.json").read_text())
    del content["seal"]
    data = old.to_data()
    for simulation in data["simulations"]:
        del simulation["key"], simulation["cuts"]
    (out / "suite.json").write_bytes(sealed({**content, "format_version": 1, "plan": data}))
    return old
