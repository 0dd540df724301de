"""Where published files come from: the mirror, an installed package, a download; always verified."""

import hashlib
import subprocess
import zipfile

import pytest

from nasbench_lab.errors import DataError, OutputError, SourceError
from nasbench_lab.tables.fetching.download import MIRROR_VARIABLE
from nasbench_lab.tables.fetching.sources import GitHubFile, PackageFile, UrlFile

CONTENT = b"measurements"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = GitHubFile("owner/name", "0" * 40, "folder/data.csv", "MIT", DIGEST)


def test_addresses():
    assert FILE.address == f"https://raw.githubusercontent.com/owner/name/{'0' * 40}/folder/data.csv"
    assert UrlFile("https://host.org/a/b.bin", "MIT", DIGEST).mirrored == "host.org/a/b.bin"


@pytest.mark.parametrize(
    ("file", "path"),
    [(FILE, "owner/name/folder/data.csv"), (UrlFile("https://host.org/a/b.bin", "MIT", DIGEST), "host.org/a/b.bin")],
)
def test_the_mirror_comes_first(tmp_path, monkeypatch, empty_cache, file, path):
    monkeypatch.setenv(MIRROR_VARIABLE, str(tmp_path))
    assert not file.is_here()
    copy = tmp_path / path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    assert file.is_here()
    assert file.read() == CONTENT
    assert file.fetch() == copy
    copy.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"has checksum .* not"):
        file.read()
    with pytest.raises(DataError, match=r"has checksum .* not"):
        file.fetch()


@pytest.fixture
def wheel(empty_cache):
    """A wheel in the cache, as if pip had downloaded it."""
    path = empty_cache / "downloads" / "no_such_package-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("no_such_package/data.bin", CONTENT)
    return path


def downloads(cache):
    return [path.name for path in (cache / "downloads").glob("*")]


def in_package(**changes):
    fields = {"package": "no-such-package", "version": "1.0", "path": "no_such_package/data.bin"}
    return PackageFile(**{**fields, "licence": "MIT", "sha256": DIGEST, **changes})


def test_a_file_of_a_package_comes_from_its_wheel(wheel):
    assert in_package().read() == CONTENT
    with pytest.raises(DataError, match="has checksum"):
        in_package(sha256="0" * 64).read()
    with pytest.raises(DataError, match="not a readable wheel"):
        in_package(path="no_such_package/other.bin").read()
    wheel.write_bytes(b"PK")
    with pytest.raises(DataError, match="delete it to download it again"):
        in_package().read()


def pip_that_works(command, **_options):
    target = command[command.index("--dest") + 1]
    assert command[-1] == "no-such-package==1.0"
    with zipfile.ZipFile(f"{target}/no_such_package-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("no_such_package/data.bin", CONTENT)
    return subprocess.CompletedProcess(command, 0)


def test_pip_downloads_what_is_not_there(empty_cache, monkeypatch):
    monkeypatch.setattr(subprocess, "run", pip_that_works)
    steps = []
    assert in_package().read(lambda *step: steps.append(step)) == CONTENT
    assert steps == [("downloading no-such-package 1.0 with pip", 0, 0)]
    assert downloads(empty_cache) == ["no_such_package-1.0-py3-none-any.whl"]


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path, empty_cache, monkeypatch):
    monkeypatch.setattr(subprocess, "run", pip_that_works)
    empty_cache.write_text("a file is in the way")
    with pytest.raises(OutputError, match="cannot write"):
        in_package().read()


def test_a_failing_pip_is_one_clear_line(empty_cache, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_options: subprocess.CompletedProcess(command, 1))
    with pytest.raises(SourceError, match=r"pip cannot download no-such-package==1\.0; go online"):
        in_package().read()
    assert downloads(empty_cache) == []


def test_an_installed_package_is_read_without_importing_it(monkeypatch, tmp_path, empty_cache):
    package = tmp_path / "site" / "booby_trapped"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the package was imported')")
    (package / "data.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(package.parent))
    assert in_package(path="booby_trapped/data.bin").read() == CONTENT
