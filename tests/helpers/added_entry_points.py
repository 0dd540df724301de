"""Entry points as an installed package adds them, for one test."""

import sys
import types
from importlib.metadata import EntryPoint

from nasbench_lab import plugins
from nasbench_lab.spaces import registry
from nasbench_lab.tables import catalogue


def add_entry_points(monkeypatch, group, **added):
    """Add what is given to a group under its name (with ``-`` for ``_``); a text is a path that cannot be imported."""
    module = types.ModuleType("package_of_a_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entries = {}
    for key, each in added.items():
        setattr(module, key, each)
        name = key.replace("_", "-")
        path = each if isinstance(each, str) else f"{module.__name__}:{key}"
        entries[name] = (EntryPoint(name, path, group),)
    before = plugins.entry_points

    def entry_points(asked):
        return entries if asked == group else before(asked)

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    forget_entry_points()


def forget_entry_points():
    """Forget what was made with the entry points of a test."""
    for cache in (registry._make_once, catalogue._added):
        cache.cache_clear()
