"""Every registered strategy has a benchmark."""

import ast

from paths import ROOT

from nasbench_lab.strategies import registry

BENCHMARKS = ROOT / "benchmarks"


def benchmarked():
    """The texts in the benchmark of strategies, without what follows a colon: names of strategies among others."""
    for node in ast.walk(ast.parse((BENCHMARKS / "test_strategies_speed.py").read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.partition(":")[0]


def test_every_strategy_has_a_benchmark():
    assert sorted(set(registry.built_in()) - set(benchmarked())) == []
