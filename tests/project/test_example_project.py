"""The example project in the documents, copied to a folder of its own and used as its page says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import pytest
import yaml
from paths import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "my-strategy"
INSTALLED = any(entry.value == "nasbench_lab_pytest" for entry in entry_points(group="pytest11"))
STRATEGY = "src/my_strategy/patient_climber.py"


@pytest.fixture
def project(tmp_path):
    """A copy of the project. Its package is found without being installed."""
    copied = shutil.copytree(EXAMPLE, tmp_path / "my-strategy", ignore=shutil.ignore_patterns("__pycache__"))

    def run(command):  # as in a shell, but without an installation
        words = shlex.split(command)
        plugin = [] if INSTALLED or words[0] != "pytest" else ["-p", "nasbench_lab_pytest"]
        start = {"pytest": ["pytest", *plugin, "-p", "no:cacheprovider"], "nasbench-lab": ["nasbench_lab"]}[words[0]]
        paths = os.pathsep.join(filter(None, [str(copied / "src"), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTEST_ADDOPTS", None)
        return subprocess.run(
            [sys.executable, "-m", *start, *words[1:]], cwd=copied, env=environment, capture_output=True, text=True
        )

    return copied, run


def change(folder, old, new):
    path = folder / STRATEGY
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_workflow_passes(project):
    folder, run = project
    workflow = yaml.safe_load((EXAMPLE / ".github/workflows/strategy.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["baselines"]["steps"] if "run" in step]
    [command] = [command for command in commands if command.startswith("pytest ")]
    done = run(command)
    assert done.returncode == 0, done.stdout
    baselines = sorted(path.name for path in (folder / "tests/baselines").iterdir())
    assert len(baselines) == done.stdout.count("identical: ") == 3, "every baseline is used, and every check has one"
    summary = (folder / "baselines.md").read_text()
    assert summary.startswith("### Strategy baselines: 3 identical\n")
    [shown] = [command for command in commands if "GITHUB_STEP_SUMMARY" in command]
    assert re.search(r"--baseline-summary (\S+)", command)[1] in shown


def test_without_pytest_it_is_the_same(project):
    _, run = project
    done = run("nasbench-lab check tests/baselines --summary baselines.md")
    assert (done.returncode, done.stdout.count("identical: "), done.stderr) == (0, 3, "")


def test_a_worse_strategy_fails_and_can_be_meant(project):
    folder, run = project
    change(folder, "state.space.mutate(state.best, uniform)[:, None]", "random")
    done = run("pytest tests/test_baselines.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "worse: patient-climber on synthetic/topology" in done.stdout
    assert "if this is intended: pytest 'tests/test_baselines.py::test_baseline[digits/chain]'" in done.stdout
    assert run("pytest tests/test_baselines.py --update-baselines").returncode == 0
    done = run("nasbench-lab check tests/baselines")
    assert (done.returncode, done.stdout.count("identical: ")) == (0, 3)


def test_a_rewritten_strategy_passes(project):
    folder, run = project
    change(folder, "state.streams.uniform(1)[:, 0]", "(0.5 + state.streams.uniform(1)[:, 0]) % 1")
    done = run("nasbench-lab check tests/baselines")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equivalent: ") == 3


def test_the_entry_point_names_the_strategy():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    [(name, path)] = project["entry-points"]["nasbench_lab.strategies"].items()
    code = f"import my_strategy; assert {path.replace(':', '.')}.name == {name!r}"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(EXAMPLE / "src")}, check=True)
