"""The page that compares strategies with their originals says of each whether it was compared."""

import importlib.util
import re

import pytest
from paths import ROOT

from nasbench_lab.strategies import registry

PAGE = (ROOT / "docs" / "design" / "originals.md").read_text(encoding="utf-8")
LISTS = PAGE.partition("## How each strategy was compared")[2]
SCRIPT = ROOT / "benchmarks" / "originals.py"


def listed(heading):
    """The strategies in the paragraph that begins with a heading."""
    paragraph = re.search(rf"\*\*{heading}.*?(?=\n\n\*\*|\Z)", LISTS, flags=re.DOTALL)
    return re.findall(r"`([a-z-]+)`", paragraph[0])


def test_every_strategy_is_in_one_list():
    lists = [listed(heading) for heading in ("Beside the original", "With published", "Never", "Nothing to compare")]
    names = [name for names in lists for name in dict.fromkeys(names)]
    assert sorted(names) == sorted(registry.built_in())


def test_the_script_compares_the_strategies_that_the_page_says_it_does():
    specification = importlib.util.spec_from_file_location("originals", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert sorted(module.ORIGINALS) == sorted(listed("Beside the original"))


@pytest.mark.parametrize("name", ["SMAC3 2.4.0", "Optuna 5.0.0", "DEHB 0.1.2"])
def test_the_versions_are_those_that_the_script_installs(name):
    package, version = name.lower().split()
    assert name in PAGE
    package = {"smac3": "smac"}.get(package, package)
    assert f"{package}=={version}" in SCRIPT.read_text(encoding="utf-8").lower()
