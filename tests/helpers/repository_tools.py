"""The scripts in the folder ``tools``, as modules."""

import importlib.util
import sys

from paths import ROOT


def load_tool(name):
    """Return a script as a module. Its dataclasses look themselves up in the loaded modules, so it stays there."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
