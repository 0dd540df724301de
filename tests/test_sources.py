"""Where published files come from: the mirror, an installed package, a download; always verified."""

import functools
import hashlib
import http.server
import subprocess
import threading
import zipfile

import pytest

from nasbench_lab.errors import DataError, SourceError
from nasbench_lab.tables import sources
from nasbench_lab.tables.sources import GitHubFile, PackageFile

CONTENT = b"measurements"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = GitHubFile("owner/name", "0" * 40, "folder/data.csv", "MIT", DIGEST)


@pytest.fixture
def server(tmp_path, monkeypatch, empty_cache):
    """A web server on this machine that stands for the code host, and no mirror."""
    monkeypatch.delenv(sources.MIRROR_VARIABLE, raising=False)
    root = tmp_path / "www"
    (root / "folder").mkdir(parents=True)
    handler = functools.partial(_Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(sources, "_GITHUB", f"http://127.0.0.1:{running.server_port}/{{path}}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield root / "folder" / "data.csv"
        running.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def downloads(cache):
    return [path.name for path in (cache / "downloads").glob("*")]


def test_the_mirror_comes_first(tmp_path, monkeypatch):
    copy = tmp_path / "owner/name/folder/data.csv"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    monkeypatch.setenv(sources.MIRROR_VARIABLE, str(tmp_path))
    assert FILE.read() == CONTENT
    copy.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"has checksum .* not"):
        FILE.read()


def test_a_download_is_verified_and_kept(server, empty_cache):
    server.write_bytes(CONTENT)
    assert FILE.read() == CONTENT
    server.unlink()
    assert FILE.read() == CONTENT, "the second time comes from the cache"


def test_a_wrong_download_is_refused_and_not_kept(server, empty_cache):
    server.write_bytes(b"something else")
    with pytest.raises(SourceError, match="does not match its checksum"):
        FILE.read()
    assert downloads(empty_cache) == []
    server.write_bytes(CONTENT)
    assert FILE.read() == CONTENT


def test_a_missing_file_or_network_is_one_line_that_names_the_way_out(server, empty_cache, monkeypatch):
    with pytest.raises(SourceError, match=r"cannot download owner/name@0{12}/folder/data\.csv \(HTTPError\)"):
        FILE.read()
    monkeypatch.setattr(sources, "_GITHUB", "http://127.0.0.1:9/{path}")
    with pytest.raises(SourceError, match=r"set NASBENCH_LAB_MIRROR to a folder that has owner/name/folder/data\.csv"):
        FILE.read()
    assert downloads(empty_cache) == []


@pytest.fixture
def wheel(empty_cache):
    """A wheel in the cache, as if pip had downloaded it."""
    path = empty_cache / "downloads" / "no_such_package-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("no_such_package/data.bin", CONTENT)
    return path


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
    with pytest.raises(DataError, match="not a readable wheel"):
        in_package().read()


def test_pip_downloads_what_is_not_there(empty_cache, monkeypatch, tmp_path):
    def pip(command, **_options):
        target = command[command.index("--dest") + 1]
        assert command[-1] == "no-such-package==1.0"
        with zipfile.ZipFile(f"{target}/no_such_package-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr("no_such_package/data.bin", CONTENT)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    assert in_package().read() == CONTENT
    assert downloads(empty_cache) == ["no_such_package-1.0-py3-none-any.whl"]


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
