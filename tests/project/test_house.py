"""The house rules: which folder may import which, and what stays out of ``import nasbench_lab``."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import package_doctests
import pytest
from parsed_code import nodes_of, parsed
from space_switches import space_switches

import nasbench_lab

ROOT = Path(nasbench_lab.__file__).parent

GROUND = {
    "arrays",
    "cache",
    "checks",
    "child_processes",
    "displays",
    "errors",
    "files",
    "global_random",
    "messages",
    "pickling",
    "plain_files",
    "plugins",
    "progress_bars",
    "records",
    "stability",
    "streams",
    "user_code",
}
"""Modules below every station; of the package they import nothing but each other."""

MAY_IMPORT = {
    "arrays": set(),
    "checks": {"errors", "messages"},
    "child_processes": {"errors", "messages"},
    "displays": set(),
    "errors": set(),
    "messages": {"errors"},
    "streams": {"arrays", "checks", "errors", "messages"},
    "user_code": {"errors", "messages", "plain_files"},
    "files": {"errors"},
    "global_random": set(),
    "cache": {"files"},
    "plain_files": {"errors", "messages"},
    "plugins": {"errors"},
    "pickling": set(),
    "progress_bars": set(),
    "records": {"arrays", "displays", "errors", "files"},
    "stability": {"errors"},
    "spaces": GROUND,
    "tables": GROUND | {"spaces"},
    "strategies": GROUND | {"spaces"},
    "simulation": GROUND | {"spaces", "tables", "strategies"},
    "suites": GROUND | {"spaces", "tables", "strategies", "simulation"},
    "analysis": GROUND | {"spaces", "tables", "strategies", "simulation", "suites"},
    "prediction": GROUND | {"spaces", "tables", "strategies", "simulation", "suites", "analysis"},
    "report": GROUND | {"spaces", "tables", "strategies", "simulation", "suites", "analysis", "prediction"},
    "cli": GROUND
    | {
        "spaces",
        "tables",
        "strategies",
        "simulation",
        "suites",
        "analysis",
        "prediction",
        "report",
        "train",
        "testing",
    },
    "train": GROUND | {"spaces", "tables", "strategies", "simulation", "analysis"},
    "compat": GROUND | {"spaces", "tables"},
    "adapters": GROUND | {"spaces", "tables", "strategies", "simulation"},
    "testing": GROUND | {"spaces", "tables", "strategies", "simulation", "suites", "analysis", "report"},
}


def station(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path):
    """Names of the package's stations that a file imports, wherever in the file."""
    for node in nodes_of(path):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "nasbench_lab" and len(parts) > 1:
                yield parts[1]


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.parent != ROOT or station(path) in MAY_IMPORT]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows(path):
    here = station(path)
    allowed = MAY_IMPORT[here] | {here, "__version__"}
    assert set(imported(path)) & set(MAY_IMPORT) <= allowed


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported_modules(name):
    """Modules of the same folder that a module imports anywhere in its file, lazily imported ones included."""
    found = set()
    for node in nodes_of(MODULES[name]):
        if isinstance(node, ast.ImportFrom):
            members = (f"{node.module}.{alias.name}" for alias in node.names)
            found.update(member if member in MODULES else node.module for member in members)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {other for other in found & set(MODULES) if station(MODULES[other]) == station(MODULES[name])} - {name}


def reachable(name, graph):
    found, left = set(), [name]
    while left:
        new = graph[left.pop()] - found
        found |= new
        left += new
    return found


def test_no_import_circles_inside_folders():
    graph = {name: imported_modules(name) for name in MODULES}
    reached = {name: reachable(name, graph) for name in graph}
    circles = {
        frozenset(other for other in reached[name] if name in reached[other]) for name in graph if name in reached[name]
    }
    assert circles == set()


def test_only_train_imports_torch():
    for path in ROOT.rglob("*.py"):
        if station(path) == "train":
            continue
        nodes = nodes_of(path)
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.split(".")[0] == "torch"], path


MAY_ASK_WHICH_SPACE = ("spaces", "train/networks", "train/one_shot/supernets")
"""The folders in which code may depend on what kind of space it has."""

FACES = {"compat/nasbench101/__init__.py", "compat/nats/shared_api.py", "compat/nats/structure.py"}
"""Faces of official APIs, each of which has one or two official spaces and must refuse tables of others."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_spaces_and_networks_ask_of_which_kind_a_space_is(path):
    file = path.relative_to(ROOT).as_posix()
    lines = space_switches(nodes_of(path))
    if not any(file.startswith(f"{folder}/") for folder in MAY_ASK_WHICH_SPACE):
        assert bool(lines) == (file in FACES), f"{file} asks which space it has in lines {lines}"


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("isinstance(space, TopologySpace)", True),
        ("isinstance(table.space, spaces.ChoicesSpace | ListedSpace)", True),
        ("isinstance(x, (int, ProductSpace))", True),
        ("issubclass(kind, ChainSpace)", True),
        ("type(self.space) is kind", True),
        ("self.space.__class__", True),
        ("if space.name == 'topology': ...", True),
        ("table.space.name in names", True),
        ("table.description.space['name'] != 'cell101'", True),
        ("space.spec()['name'] == 'gnn'", True),
        ("spec.get('name') == 'gnn'", True),
        ("FUNCTIONS[space.name]", True),
        ("match space:\n    case ChainSpace(): ...", True),
        ("print(space.name)", False),
        ("print(type(space).__name__)", False),
        ("isinstance(x, int)", False),
        ("isinstance(x, Space)", False),
        ("table.name == 'digits/chain'", False),
        ("space = TopologySpace()", False),
    ],
)
def test_code_that_asks_which_space_is_found(code, asks):
    assert bool(space_switches(list(ast.walk(ast.parse(code))))) == asks


def test_a_test_module_that_cannot_be_imported_is_an_error(tmp_path):
    """With the option that passes over doctests of what needs torch where it is missing; see package_doctests.py."""
    (tmp_path / "conftest.py").write_text("from package_doctests import pytest_collect_file")
    (tmp_path / "test_broken.py").write_text("from os import no_such_name\n\n\ndef test_nothing(): ...\n")
    options = ["--import-mode=importlib", "--doctest-modules", "--doctest-ignore-import-errors"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(tmp_path)]
    # Of its own, and not a part of the tests that run it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(Path(package_doctests.__file__).parent)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert "cannot import name 'no_such_name'" in done.stdout


def test_every_folder_has_its_arrows():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(MAY_IMPORT)


HEAVY = (
    "torch",
    "optuna",
    "nevergrad",
    "dask",
    "distributed",
    "cloudpickle",
    "multiprocessing",
    "threadpoolctl",
    "jinja2",
    "scipy",
    "sklearn",
    "matplotlib",
    "h5py",
    "typer",
    "rich",
    "pooch",
    "requests",
    "hypothesis",
    "pytest",
)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_package_stays_light():
    loaded = run_python("import sys, nasbench_lab; print(*sys.modules)")
    assert not set(HEAVY) & {name.split(".")[0] for name in loaded}


def test_simulating_needs_no_heavy_package_but_the_file_reader():
    code = """if True:
        import sys, nasbench_lab as nl
        table = nl.load("nas-bench-graph/proteins")
        nl.simulate(table, "local-search", runs=2, budget=nl.Budget(evaluations=5)).regret("test")
        print(*sys.modules)"""
    loaded = {name.split(".")[0] for name in run_python(code)}
    assert set(HEAVY) & loaded <= {"h5py", "threadpoolctl"}


def test_the_first_import_of_scikit_learn_keeps_the_global_random_state():
    code = """if True:
        import random, sys
        import nasbench_lab as nl
        assert "sklearn" not in sys.modules
        random.seed(1)
        nl.simulate("digits/chain", "predictor-search:model=random-forest", budget=nl.Budget(evaluations=30), runs=1)
        assert "sklearn" in sys.modules
        print(random.random())
        random.seed(1)
        print(random.random())"""
    after, fresh = run_python(code)
    assert after == fresh


def test_nothing_touches_the_global_random_state():
    code = """if True:
        import random, numpy as np
        random.seed(1), np.random.seed(1)
        import nasbench_lab as nl
        table = nl.load("nas-bench-graph/proteins")
        from nasbench_lab.strategies import needs
        for name in (name for name in nl.list_strategies() if "scores" not in needs(name)):
            nl.simulate(table, name, runs=2, budget=nl.Budget(evaluations=30))
        print(random.random(), np.random.random())
        random.seed(1), np.random.seed(1)
        print(random.random(), np.random.random())"""
    after, fresh = run_python(code)[:2], run_python(code)[2:]
    assert after == fresh


MAY_PRINT = {
    ROOT / "compat" / "nats" / "texts.py",
    ROOT / "progress_bars.py",
    ROOT / "simulation" / "simulation_processes.py",
}
"""Besides the command line: the ``show`` of NATS-Bench, whose purpose in the official API is to print; the progress
bars that users ask for; and the processes of a simulation, which flush what a strategy printed."""


def test_only_the_command_line_prints():
    for path in set(ROOT.rglob("*.py")) - MAY_PRINT:
        if station(path) == "cli":
            continue
        names = {n.id for n in nodes_of(path) if isinstance(n, ast.Name)}
        attributes = {n.attr for n in nodes_of(path) if isinstance(n, ast.Attribute)}
        assert not {"print", "typer", "Console"} & names, path
        assert not {"stdout", "stderr", "echo"} & attributes, path


NAMES = """if True:
    import importlib, importlib.util, pkgutil, sys
    import nasbench_lab

    skipped = set() if importlib.util.find_spec("torch") else {"torch"}
    modules = {"nasbench_lab": nasbench_lab}
    for found in pkgutil.walk_packages(nasbench_lab.__path__, "nasbench_lab.", onerror=lambda name: None):
        if found.name.endswith(".__main__"):  # runs the command line
            continue
        try:
            modules[found.name] = importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name not in skipped:
                raise

    def wrong():
        pairs = [name.rpartition(".") for name in modules if "." in name]
        return [(package, stem) for package, _, stem in pairs
                if getattr(modules[package], stem) is not modules[f"{package}.{stem}"]]

    before = wrong()
    called = []
    for module in list(modules.values()):
        for name in getattr(module, "__all__", ()) if hasattr(module, "__path__") else ():
            value = getattr(module, name)
            if name.startswith("list_") or name == "names":
                value()
                called.append(name)
    print(len(modules), len(called), *before, *wrong(), sep="\\n")
"""


def test_a_package_has_its_modules_under_their_names():
    """A function of the name of a module would hide it, as soon as both are imported or only after some call."""
    count, called, *wrong = run_python(NAMES)
    files = [path for path in ROOT.rglob("*.py") if path.name != "__main__.py"]
    torch = importlib.util.find_spec("torch") is not None
    assert int(count) == len(files) or not torch
    assert int(called) >= 2
    assert not wrong


def definitions(path, kind):
    """Public classes or functions that a file defines at its top."""
    nodes = parsed(path).body
    return [node.name for node in nodes if isinstance(node, kind) and not node.name.startswith("_")]


SAME_AS_OFFICIAL = {
    "ArchResults": {"compat/nas_201_api/api_utils.py", "compat/nats/arch_results.py"},
    "ResultsCount": {"compat/nas_201_api/api_utils.py", "compat/nats/results_count.py"},
}
"""Classes of two official packages that have one name in both, as their drop-in faces must."""


def test_one_class_name_is_one_class():
    places = {}
    for path in sorted(ROOT.rglob("*.py")):
        for name in definitions(path, ast.ClassDef):
            places.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    assert {name: files for name, files in places.items() if len(files) > 1} == SAME_AS_OFFICIAL


CALLED_LIKE_A_MODULE = set()
"""Functions with the name of their module, or of one beside it, that are still to be renamed: ``file.py:name``."""


def test_no_function_of_analysis_or_report_is_called_like_a_module():
    found = set()
    for path in [each for folder in ("analysis", "report") for each in (ROOT / folder).rglob("*.py")]:
        beside = {each.stem for each in path.parent.iterdir() if each.is_dir() or each.suffix == ".py"}
        names = set(definitions(path, ast.FunctionDef | ast.AsyncFunctionDef)) & beside
        found |= {f"{path.relative_to(ROOT).as_posix()}:{name}" for name in names}
    assert found == CALLED_LIKE_A_MODULE
