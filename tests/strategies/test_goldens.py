"""Goldens: every built-in strategy makes exactly the proposals that it made when its golden was written.

A golden is a hash of integers (architectures, fidelities, repeats) of some runs of 60 evaluations, for each of two
synthetic tables, and the version of the strategy. A refactoring leaves all goldens as they are. To change what a
strategy does on purpose:

1. raise ``version`` in the file of the strategy;
2. add a line to CHANGELOG.md that begins with its name and version, like ``- `q-learning` version 2: replays 4 ...``;
3. write the goldens, and look at the difference::

    python -m pytest tests/strategies/test_goldens.py --update-goldens
    git diff tests/strategies/goldens.json

The golden of a new strategy is written in the same way, with version 1 and without a line in the change log.
"""

import json
import re

import pytest
from paths import ROOT
from traces_of_strategies import GOLDENS, TABLES, fingerprint, known

from nasbench_lab.strategies import registry

CHANGELOG = ROOT / "CHANGELOG.md"


def in_changelog(name, version, changelog):
    return re.search(rf"^- `{re.escape(name)}` version {version}: ", changelog, flags=re.MULTILINE) is not None


def refusals(old, new, changelog):
    """Why new goldens must not replace the old ones, one line per reason; none if they may."""
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name]["version"], new[name]["version"]
        if after < before:
            yield f"{name}: its version fell from {before} to {after}"
        elif after == before and new[name] != old[name]:
            yield f"{name}: its traces changed, but its version is still {before}: raise it in the strategy's file"
    for name in sorted(new):
        version = new[name]["version"]
        if version > 1 and not in_changelog(name, version, changelog):
            yield f"{name}: CHANGELOG.md has no line that begins with '- `{name}` version {version}: '"


def update(path, new, changelog):
    """Write new goldens, or fail and leave the old ones as they are."""
    reasons = list(refusals(json.loads(path.read_text()), new, changelog))
    if reasons:
        pytest.fail("\n".join(["the goldens were not updated:", *reasons]), pytrace=False)
    path.write_text(json.dumps(new, indent=2) + "\n")


def test_every_strategy_has_a_golden_and_every_golden_a_strategy(request):
    if request.config.getoption("--update-goldens"):
        new = {
            name: {"version": registry.version(name), **{kind: fingerprint(name, kind) for kind in TABLES}}
            for name in registry.built_in()
        }
        update(GOLDENS, new, CHANGELOG.read_text())
    assert tuple(known()) == registry.built_in(), "run pytest tests/strategies/test_goldens.py --update-goldens"
    assert all(sorted(golden) == sorted((*TABLES, "version")) for golden in known().values())


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("name", registry.built_in())
def test_golden(name, kind):
    version = registry.version(name)
    assert version == known()[name]["version"], f"the golden of {name} is not of its version {version}: update it"
    assert fingerprint(name, kind) == known()[name][kind], (
        f"the traces of {name} changed on {kind}; if that is on purpose, follow the steps at the top of this file"
    )


def test_every_later_version_is_in_the_changelog():
    changelog = CHANGELOG.read_text()
    later = {name: registry.version(name) for name in registry.built_in() if registry.version(name) > 1}
    assert later, "at least q-learning"
    assert [name for name, version in later.items() if not in_changelog(name, version, changelog)] == []


OLD = {"one": {"version": 1, "chain": "a"}, "two": {"version": 2, "chain": "b"}}
LINE = "## 0.1.0\n\n- `two` version 2: draws less.\n"


@pytest.mark.parametrize(
    ("change", "changelog", "reason"),
    [
        ({"chain": "c"}, LINE, "one: its traces changed, but its version is still 1"),
        ({"chain": "c", "version": 2}, LINE, "one: CHANGELOG.md has no line that begins with '- `one` version 2: '"),
        ({"version": 2}, LINE + "- `one` version 20: x\n", "one: CHANGELOG.md has no line"),
        ({"version": 0}, LINE, "one: its version fell from 1 to 0"),
        ({}, "", "two: CHANGELOG.md has no line"),
    ],
)
def test_a_changed_golden_needs_a_raised_version_and_a_line_in_the_changelog(tmp_path, change, changelog, reason):
    path = tmp_path / "goldens.json"
    path.write_text(json.dumps(OLD))
    with pytest.raises(pytest.fail.Exception, match="the goldens were not updated") as failure:
        update(path, {**OLD, "one": {**OLD["one"], **change}}, changelog)
    assert reason in str(failure.value)
    assert json.loads(path.read_text()) == OLD


def test_goldens_of_raised_versions_and_new_strategies_are_written(tmp_path):
    path = tmp_path / "goldens.json"
    path.write_text(json.dumps(OLD))
    new = {**OLD, "one": {"version": 2, "chain": "c"}, "three": {"version": 1, "chain": "d"}}
    update(path, new, LINE + "- `one` version 2: draws more.\n")
    assert json.loads(path.read_text()) == new


def test_a_golden_depends_on_what_the_strategy_does():
    assert fingerprint("random-search", "chain") != fingerprint("random-search", "topology")
    assert fingerprint("random-search", "chain") != fingerprint("local-search", "chain")
