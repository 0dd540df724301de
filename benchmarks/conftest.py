"""Benchmarks are read as ratios: this machine's seconds are noisy, and yours are others."""

from __future__ import annotations

import os
import tempfile

import pytest
from package_doctests import pytest_collect_file  # noqa: F401

if "NASBENCH_LAB_CACHE" not in os.environ:
    _cache = tempfile.TemporaryDirectory(prefix="nasbench-lab-benchmarks-")
    os.environ["NASBENCH_LAB_CACHE"] = _cache.name

_measured: dict[str, dict[str, float]] = {}


@pytest.fixture
def per_item(benchmark):
    """Time a function that does ``items`` things, and remember the best seconds per thing for the ratios."""

    def measure(contender, items, function, rounds=5):
        result = benchmark.pedantic(function, rounds=rounds if benchmark.enabled else 1, warmup_rounds=0)
        if benchmark.enabled:
            seconds = benchmark.stats.stats.min / items
            benchmark.extra_info["nanoseconds_per_item"] = round(seconds * 1e9, 1)
            _measured.setdefault(benchmark.group, {})[contender] = seconds
        return result

    return measure


def pytest_terminal_summary(terminalreporter):
    """Print how many times slower each opponent is."""
    if not _measured:
        return
    terminalreporter.section("ratios")
    for group, contenders in _measured.items():
        ours = contenders.get("ours")
        for contender, seconds in contenders.items():
            ratio = f"{seconds / ours:8.1f} x" if ours and contender != "ours" else ""
            terminalreporter.write_line(f"{group:<44} {contender:<14} {seconds * 1e9:14,.0f} ns each {ratio}")
