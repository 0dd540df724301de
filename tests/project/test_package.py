"""What is released: the sdist and the wheel, the lowest versions, and what states the version again.

`make package` checks more: it also asks twine, installs both and uses them.
"""

import email
import importlib.metadata
import re
import subprocess
import sys
import tarfile
import tomllib

import pytest
import yaml
from check_package import sdist_files, the_only, tracked, wheel_files, wrong_in_sdist, wrong_in_wheel
from documents import ROOT
from lowest_versions import declared, lowest

from nasbench_lab import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EVERY_FILE = ("--others", "--exclude-per-directory=.gitignore")  # also those that are not committed yet


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel that is made from it."""
    for package in ("build", "hatchling"):
        pytest.importorskip(package, reason=f"needs {package}: pip install '.[test]'")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return the_only(folder, "*.tar.gz"), the_only(folder, "*.whl")


def test_the_sdist_has_every_file_and_all_that_the_readme_links_to(built):
    try:
        expected = tracked(*EVERY_FILE)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a repository, which says what belongs into the sdist")
    assert wrong_in_sdist(sdist_files(built[0]), expected) == []


def test_the_wheel_has_the_package_its_plugin_and_its_tables_and_nothing_else(built):
    found = wheel_files(built[1])
    assert wrong_in_wheel(found, sdist_files(built[0])) == []
    assert {"nasbench_lab/py.typed", "nasbench_lab_pytest.py", "nasbench_lab/report/page/assets/page.js"} <= found
    tables = [name for name in found if name.startswith("nasbench_lab/data/")]
    assert len(tables) == len(list((ROOT / "data" / "tables").iterdir())) == 4


def test_the_metadata_says_what_the_index_shows(built):
    with tarfile.open(built[0]) as archive:
        (name,) = (each for each in archive.getnames() if each.count("/") == 1 and each.endswith("PKG-INFO"))
        metadata = email.message_from_bytes(archive.extractfile(name).read())
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload(decode=True).decode() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_dependency_has_a_lowest_version():
    pins = lowest(declared())
    assert len(pins) >= len(PROJECT["dependencies"])
    assert all("==" in pin for pin in pins)
    assert "numpy==2.0" in pins
    assert any(pin.startswith("hatchling==") for pin in pins), "also what builds the package"


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy~=2.0", "numpy!=2.1", "numpy<3,>=2"])
def test_a_dependency_without_a_lowest_version_is_found(requirement):
    with pytest.raises(SystemExit, match="has no lower bound"):
        lowest([requirement])


def test_the_higher_of_two_bounds_counts_as_a_number():
    assert lowest(["a>=2.9", "A>=2.10", "a_b[x]>=1; python_version < '3'"]) == [
        "a==2.10",
        "a-b[x]==1; python_version < '3'",
    ]


def test_the_tests_need_of_an_extra_what_the_extra_declares():
    extras = dict(PROJECT["optional-dependencies"])
    tests = {re.match(r"[\w-]+", each)[0]: each for each in extras.pop("test")}
    for requirement in (each for extra in extras.values() for each in extra):
        assert tests.get(re.match(r"[\w-]+", requirement)[0], requirement) == requirement


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    try:
        installed = importlib.metadata.version("nasbench-lab")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("it is not installed")
    assert installed == __version__


def test_the_workflows_test_every_python_and_system_that_the_package_declares():
    classifiers = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)]
    assert PROJECT["requires-python"] == f">={classifiers[0]}"
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == classifiers
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_ends_by_itself(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
