"""What the targets of the Makefile install."""

import shutil
import subprocess

import pytest
from paths import ROOT

MAKE = shutil.which("make")


@pytest.fixture
def would_run(tmp_path):
    """A function that returns the commands of a target in a fresh clone, without running them."""
    if MAKE is None:
        pytest.skip("needs make")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    def commands(target, *there):
        for stamp in there:
            (tmp_path / ".venv").mkdir(exist_ok=True)
            (tmp_path / stamp).touch()
        done = subprocess.run([MAKE, "-n", target], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return commands


def test_the_demo_installs_only_the_package(would_run):
    commands = would_run("demo")
    assert "--editable '.'" in commands
    assert "test]" not in commands
    assert 'echo "Installing nasbench-lab' in commands
    assert "nasbench-lab run" in commands


def test_the_tests_install_the_rest_after_the_demo(would_run):
    assert "--editable '.[graph,test]'" in would_run("test", ".venv/installed")


def test_nothing_is_installed_twice(would_run):
    for target in ("demo", ".venv/ready", "check"):
        assert "pip install" not in would_run(target, ".venv/installed", ".venv/ready")


def test_continuous_integration_can_prepare_the_environment(would_run):
    commands = would_run(".venv/ready")
    assert commands.count("pip install") == 1
    assert "touch .venv/installed .venv/ready" in commands
