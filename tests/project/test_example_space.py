"""The example project that adds a space: installed in a folder of its own, and used from outside."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest
from installed_project import install
from paths import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "my-space"
COMMANDS = (
    "tables list",
    "tables info my-space/digits",
    "tables verify my-space/digits --sources",
    "cite my-space/digits",
    "run --table my-space/digits --strategy grow --strategy random-search --runs 20 --evaluations 20 --out searched",
    "plot searched --figure architecture --out found.svg",
    "suite run suite.toml --processes 1 --out results",
    "report results --page-only --out page.html",
)

RUN_COMMANDS = """
import contextlib, io, json, sys
from nasbench_lab.cli import main

printed = {}
for command, *words in json.loads(sys.argv[1]):
    sys.argv = ["nasbench-lab", *words]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            main()
        except SystemExit as end:
            assert not end.code, command
    printed[command] = out.getvalue()
print(json.dumps(printed))
"""

MAKE_THE_SPACE = """
import doctest, sys
import my_space.space
from nasbench_lab.spaces import list_spaces, make_space

assert "perceptron" in list_spaces()
assert make_space({"name": "perceptron"}).size == 39
assert doctest.testmod(my_space.space).failed == 0
assert "torch" not in sys.modules
"""

TRAIN = """
import dataclasses
from nasbench_lab.spaces import make_space
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.network_builders import network_builder
from nasbench_lab.train.default_settings import default_network
from nasbench_lab.train.recipes import recipe
from nasbench_lab.train.training import Training

space, data = make_space({"name": "perceptron"}), digits()
options = default_network(space, "digits")
build = network_builder(space, space.parse("128-32"), image=data.image, classes=data.classes, options=options)
curves = Training(build, data, dataclasses.replace(recipe("digits"), epochs=1), seeds=[0, 1]).finish()
print(*curves.values["valid_accuracy"][:, 0])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Run Python where the package is installed, in a folder with its suite."""
    folder = tmp_path_factory.mktemp("my-space")
    install(EXAMPLE, folder / "installed")
    shutil.copy(EXAMPLE / "suite.toml", folder)
    paths = os.pathsep.join(filter(None, [str(folder / "installed"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(code, *arguments):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return folder, run


@pytest.fixture(scope="module")
def commands(project):
    """What the commands print, all run in one process, and the folder in which they write."""
    folder, run = project
    return json.loads(run(RUN_COMMANDS, json.dumps([[each, *shlex.split(each)] for each in COMMANDS]))), folder


def test_the_space_is_known(project):
    _, run = project
    run(MAKE_THE_SPACE)


def test_the_table_is_listed_checked_and_cited(commands):
    printed, _ = commands
    assert "my-space/digits" in printed["tables list"]
    assert "perceptron, 39 architectures" in printed["tables info my-space/digits"]
    assert printed["tables verify my-space/digits --sources"].count("  ok  ") == 5
    assert printed["cite my-space/digits"].startswith("@misc{my")


def test_what_a_search_found_is_drawn(commands):
    _, folder = commands
    assert (folder / "found.svg").stat().st_size > 1000


def test_a_suite_and_its_report(commands):
    printed, folder = commands
    assert "grow" in printed["suite run suite.toml --processes 1 --out results"]
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "128 units" in page
    assert "input leads to 128 units" in page


def test_an_architecture_is_trained_for_an_epoch(project):
    pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")
    _, run = project
    accuracy = list(map(float, run(TRAIN).split()))
    assert len(set(accuracy)) == 2
    assert min(accuracy) > 11, "better than chance"
