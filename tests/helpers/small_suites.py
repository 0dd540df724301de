"""Suites that take a moment, on tables made up for them."""

import hashlib

import nasbench_lab as nl
from nasbench_lab.suites import Suite, searches
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table

STRATEGIES = ("random-search", "regularized-evolution", "local-search")


def table_file(folder, name="mine.h5", **options):
    """Write a table of 243 architectures, two fidelities and times."""
    folder.mkdir(parents=True, exist_ok=True)
    write(synthetic_table("chain", **options), folder / name)
    return folder / name


def small_suite(folder, *, strategies=STRATEGIES, **changes):
    """A suite on a table file in a folder."""
    if not (folder / "mine.h5").exists():
        table_file(folder)
    options = {"budget": nl.Budget(evaluations=12), "runs": 10, "folder": folder, **changes}
    return Suite(strategies, ["mine.h5"], nl.Conditions.take(options), **options)


def small_shards(monkeypatch, runs=4):
    """Let shards have so many runs at most."""
    monkeypatch.setattr(searches, "_MOST_RUNS", runs)


def digests(folder):
    """Digest of every traces file of a suite, by its name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.h5"))
        if not path.name.startswith(".")
    }
