"""Build the sdist and the wheel, check what is in them, install each into an environment of its own, and try it out.

``make package`` runs this; so does continuous integration, on Linux, macOS and Windows. It needs `build` and `twine`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent

PACKAGE, PLUGIN, TABLES = "nasbench_lab/", "nasbench_lab_pytest.py", "data/tables/"
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def main() -> None:
    """Check everything; end with a message where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist", help="where to build; emptied before")
    folder = parser.parse_args().folder
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    sdist, wheel = the_only(folder, "*.tar.gz"), the_only(folder, "*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    in_sdist = sdist_files(sdist)
    wrong = [*wrong_in_sdist(in_sdist, tracked()), *wrong_in_wheel(wheel_files(wheel), in_sdist)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"{sdist.name}: {len(in_sdist)} files; {wheel.name}: {len(wheel_files(wheel))} files", flush=True)
    for distribution in (wheel, sdist):
        try_out(distribution)
    print("all is well")


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command, which must succeed."""
    print("$", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    if subprocess.run([str(word) for word in command], cwd=cwd, env=environment, check=False).returncode:
        raise SystemExit("this failed: " + " ".join(str(word) for word in command))


def the_only(folder: Path, pattern: str) -> Path:
    """Return the one file in a folder that matches."""
    (found,) = folder.glob(pattern)
    return found


def tracked(*more: str) -> set[str]:
    """Return the files that git has, less those that were removed; options such as ``--others`` add to them.

    Raises:
        OSError: there is no git.
        subprocess.CalledProcessError: the folder is no repository.
    """
    command = ["git", "ls-files", "-z", "--cached", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return {name for name in done.stdout.decode().split("\0") if name and (ROOT / name).exists()}


def sdist_files(path: Path) -> dict[str, str]:
    """Return the files in an sdist, without the folder that all are in; with the text of the README."""
    with tarfile.open(path) as archive:
        names = {each.name.partition("/")[2]: each for each in archive.getmembers() if each.isfile()}
        readme = archive.extractfile(names["README.md"])
        text = readme.read().decode() if readme else ""
    return {name: text if name == "README.md" else "" for name in names}


def wheel_files(path: Path) -> set[str]:
    """Return the files in a wheel; the folder of its metadata is called ``dist-info``."""
    with zipfile.ZipFile(path) as archive:
        return {re.sub(r"^[^/]*\.dist-info/", "dist-info/", name) for name in archive.namelist()}


def wrong_in_sdist(found: dict[str, str], expected: set[str]) -> list[str]:
    """Return what is wrong with an sdist: it has what git has, and so everything that the README links to.

    >>> wrong_in_sdist({"README.md": "[all](docs/) of [it](docs/it.md#top)", "docs/page.md": ""}, {"README.md"})
    ['the sdist has docs/page.md, which git has not', 'the README links to docs/it.md, which the sdist has not']
    """
    wrong = [f"the sdist lacks {name}" for name in sorted(expected - set(found))]
    wrong += [f"the sdist has {name}, which git has not" for name in sorted(set(found) - expected - {"PKG-INFO"})]
    links = [link.partition("#")[0] for link in _LINK.findall(found["README.md"]) if not _ELSEWHERE.match(link)]
    missing = [
        link for link in links if not any(name == link or name.startswith(f"{link.rstrip('/')}/") for name in found)
    ]
    return [*wrong, *(f"the README links to {link}, which the sdist has not" for link in missing)]


def wrong_in_wheel(found: set[str], in_sdist: Iterable[str]) -> list[str]:
    """Return what is wrong with a wheel: it has the package, the pytest plugin, the embedded tables, and nothing else.

    >>> wrong_in_wheel({"nasbench_lab/run.py", "tests/test_run.py"}, ["nasbench_lab/run.py", "data/tables/a.h5"])[-2:]
    ['the wheel lacks nasbench_lab/data/a.h5', 'the wheel has tests/test_run.py, which does not belong there']
    """
    expected = {f"dist-info/{name}" for name in METADATA}
    expected |= {name for name in in_sdist if name.startswith(PACKAGE) or name == PLUGIN}
    expected |= {f"{PACKAGE}data/{name.removeprefix(TABLES)}" for name in in_sdist if name.startswith(TABLES)}
    wrong = [f"the wheel lacks {name}" for name in sorted(expected - found)]
    return [*wrong, *(f"the wheel has {name}, which does not belong there" for name in sorted(found - expected))]


def try_out(distribution: Path) -> None:
    """Install a wheel or an sdist into a new environment and use it, far from the repository."""
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-package-") as temporary:
        folder = Path(temporary)
        os.environ["NASBENCH_LAB_CACHE"] = str(folder / "cache")
        venv.create(folder / "venv", with_pip=True)
        programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        python, command = programs / "python", programs / "nasbench-lab"
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(*pip, "install", distribution.resolve(), "pytest")
        run(*pip, "check")
        run(command, "--help", cwd=folder)
        run(command, "tables", cwd=folder)
        asked = ["--strategy", "random-search", "--runs", "20", "--evaluations", "10", "--out", "result"]
        run(command, "run", "--table", "digits/chain", "--table", "digits/topology", *asked, cwd=folder)
        run(command, "report", "result", cwd=folder)
        test = "def test_installed(strategy_case):\n    assert callable(strategy_case)\n"
        (folder / "test_plugin.py").write_text(test, encoding="utf-8")
        run(python, "-m", "pytest", "--quiet", "--update-baselines", "test_plugin.py", cwd=folder)


if __name__ == "__main__":
    main()
