"""The golden tier: every registered strategy makes exactly the proposals that it made when its golden was written.

A golden is a hash of integers (architectures, fidelities, repeats) of 16 runs of 60 evaluations on two synthetic
tables. A refactoring leaves all goldens as they are. Where a strategy changes on purpose, or one is added, write the
file anew, look at the difference, and say why in the change log::

    python -m pytest tests/strategies/test_goldens.py --update-goldens
    git diff tests/strategies/goldens.json
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.testing import synthetic_table

GOLDENS = Path(__file__).with_name("goldens.json")
TABLES = ("chain", "topology")


def fingerprint(strategy, kind):
    """The hash of what a strategy does, the same on every platform."""
    trace = nl.simulate(synthetic_table(kind), strategy, runs=16, budget=nl.Budget(evaluations=60), seed=5)
    digest = hashlib.sha256()
    for name in ("architecture", "fidelity", "repeat", "mask"):
        digest.update(np.ascontiguousarray(getattr(trace, name), dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


def known():
    return json.loads(GOLDENS.read_text())


def test_every_strategy_has_a_golden_and_every_golden_a_strategy(request):
    if request.config.getoption("--update-goldens"):
        found = {name: {kind: fingerprint(name, kind) for kind in TABLES} for name in built_in()}
        GOLDENS.write_text(json.dumps(found, indent=2) + "\n")
    assert sorted(known()) == built_in(), "run python -m pytest tests/strategies/test_goldens.py --update-goldens"
    assert all(sorted(golden) == sorted(TABLES) for golden in known().values())


def built_in():
    """The strategies of this package; others that are installed have tests of their own."""
    from nasbench_lab.strategies import registry

    return sorted(registry._BUILT_IN)


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("name", built_in())
def test_golden(name, kind):
    assert fingerprint(name, kind) == known()[name][kind], f"{name} does not do what it did on {kind}; was that meant?"


def test_a_golden_depends_on_what_the_strategy_does():
    assert fingerprint("random-search", "chain") != fingerprint("random-search", "topology")
    assert fingerprint("random-search", "chain") != fingerprint("local-search", "chain")
