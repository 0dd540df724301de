"""Names: a function is not called like its module, and a package exports no function with a module's name."""

import ast
from pathlib import Path

import pytest
from parsed_code import nodes_of

import nasbench_lab

ROOT = Path(nasbench_lab.__file__).parent
PACKAGES = ("analysis", "report")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_has_the_name_of_its_module(package):
    for path in sorted((ROOT / package).rglob("*.py")):
        names = {n.name for n in nodes_of(path) if isinstance(n, ast.FunctionDef)}
        assert path.stem not in names, path


@pytest.mark.parametrize("package", PACKAGES)
def test_no_exported_name_is_that_of_a_module(package):
    for init in sorted((ROOT / package).rglob("__init__.py")):
        modules = {path.stem for path in init.parent.iterdir() if path.stem != "__init__"}
        exported = {a.asname or a.name for n in nodes_of(init) if isinstance(n, ast.ImportFrom) for a in n.names}
        assert not exported & modules, init
