"""Shared fixtures. Tables are converted into a folder of their own, never into the user's cache."""

import importlib
import os
import signal
import tempfile
from pathlib import Path

import hypothesis
import pytest
from package_doctests import pytest_collect_file  # noqa: F401

from nasbench_lab.cache import CACHE_VARIABLE
from nasbench_lab.tables.fetching.sources import MIRROR_VARIABLE

_cache = None
if "PYTEST_XDIST_WORKER" not in os.environ:  # worker processes share the folder of the one that started them
    _cache = tempfile.TemporaryDirectory(prefix="nasbench-lab-tests-")
    os.environ[CACHE_VARIABLE] = _cache.name
    # Matplotlib lists the fonts of a machine once; processes that do so at the same time find the list half written.
    os.environ["MPLCONFIGDIR"] = f"{_cache.name}/matplotlib"
    importlib.import_module("matplotlib.font_manager")
# Tiny networks gain nothing from threads, and threads that wait for each other slow everything down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and all processes that they start with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The machine may be slow and shared, so no deadlines; in continuous integration the same examples every time.
hypothesis.settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("project")


def pytest_addoption(parser):
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write tests/strategies/goldens.json again, after raising versions (see test_goldens.py)",
    )
    parser.addoption("--all-processors", action="store_true", help="test all settings of test_processors.py: minutes")
    parser.addoption("--all-figures", action="store_true", help="test figures of all sizes: takes minutes")
    parser.addoption("--all-optimizers", action="store_true", help="test all optimizers of Nevergrad: takes minutes")


def pytest_unconfigure(config):
    if _cache is not None:
        _cache.cleanup()


def pytest_collection_modifyitems(items):
    """Skip what needs the folder of published data, and say so."""
    if os.environ.get(MIRROR_VARIABLE):
        return
    skip = pytest.mark.skip(reason=f"needs published data: set {MIRROR_VARIABLE} to a mirror")
    for item in items:
        if "mirror" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def mirror():
    """The folder of published data."""
    return Path(os.environ[MIRROR_VARIABLE])


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """An empty cache folder, so that tables are converted anew."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"
