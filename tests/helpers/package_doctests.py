"""Doctests are collected from the package alone; the conftest files of other folders have this hook.

Collecting a file of tests for its doctests as well imports it twice. If it cannot be imported, the first attempt is
passed over (so shall it be for modules whose extras are missing) and leaves an empty module behind, in which the second
attempt finds no tests: nothing would fail.
"""

import pytest
from _pytest.doctest import DoctestModule  # there is no public name for it


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    collectors = yield
    return [collector for collector in collectors if not isinstance(collector, DoctestModule)]
