"""Downloads from a server on this machine that misbehaves in every way that servers do."""

import contextlib
import hashlib
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from nasbench_lab.errors import NasbenchLabError, OutputError, SourceError
from nasbench_lab.tables.fetching import download as download_module
from nasbench_lab.tables.fetching.download import MIRROR_VARIABLE, download, downloaded

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """What the server gives, how, and what it was asked for."""

    def __init__(self):
        self.content = CONTENT
        self.ranges = True  # whether it can go on in the middle
        self.break_after = []  # for the next answers: bytes after which the connection breaks
        self.silent_break = False  # whether the answer does not say how long it is
        self.status = None  # instead of an answer
        self.pause = 0.0  # seconds between pieces
        self.requests = []  # the Range header of each

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.requests.append(asked)
        if handler.path == "/moved/data.bin":
            handler.send_response(302)
            handler.send_header("Location", "/data.bin")
            return handler.end_headers()
        if self.status:
            handler.send_response(self.status)
            handler.send_header("Content-Length", "0")
            return handler.end_headers()
        first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.ranges else 0
        if first >= len(self.content) and first:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            return handler.end_headers()
        handler.send_response(206 if first else 200)
        if first:
            handler.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
        if not self.silent_break:
            handler.send_header("Content-Length", str(len(self.content) - first))
        handler.end_headers()
        end = self.break_after.pop(0) if self.break_after else len(self.content)
        for start in range(first, end, 2**16):
            time.sleep(self.pause)
            handler.wfile.write(self.content[start : min(start + 2**16, end)])
        return None


@pytest.fixture
def server(monkeypatch, empty_cache):
    given = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):  # the client hung up
                given.answer(self)

        def log_message(self, *args):
            pass

    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        given.url = f"http://127.0.0.1:{running.server_port}/data.bin"
        yield given
        running.shutdown()


def get(server, url=None, **options):
    return download(url or server.url, DIGEST, what="data.bin", mirrored="host/data.bin", **options)


def left(cache):
    return sorted(path.name for path in (cache / "downloads").iterdir())


WHOLE = f"{DIGEST[:16]}-data.bin"
PART = f"{WHOLE}.part"


def test_a_download_is_verified_and_kept(server, empty_cache):
    steps = []
    path = get(server, report=lambda *step: steps.append(step))
    assert path.read_bytes() == CONTENT
    assert path == downloaded(server.url, DIGEST)
    assert left(empty_cache) == [WHOLE]
    assert steps[0] == ("downloading data.bin", 0, len(CONTENT))
    assert steps[-1] == ("downloading data.bin", len(CONTENT), len(CONTENT))
    server.status = 404
    assert get(server) == path, "the second time comes from the cache"


def test_a_damaged_copy_is_downloaded_again(server):
    path = get(server)
    path.write_bytes(b"damaged")
    assert get(server).read_bytes() == CONTENT


def test_redirects_are_followed(server):
    assert get(server, server.url.replace("/data.bin", "/moved/data.bin")).read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_an_interrupted_download_goes_on_at_once(server, empty_cache, ranges, silent, size):
    if silent and size is None:
        pytest.skip("nobody can tell that bytes are missing; only the checksum does")
    server.ranges, server.silent_break = ranges, silent
    server.break_after = [262_144, 720_896]
    assert get(server, size=size).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=262144-", "bytes=720896-"]
    assert left(empty_cache) == [WHOLE]


@pytest.mark.parametrize("ranges", [True, False])
def test_the_next_command_goes_on_where_a_download_stopped(server, empty_cache, ranges):
    server.break_after = [262_144, 262_144]
    with pytest.raises(SourceError, match=r"connection broke off; run the same command again to resume"):
        get(server)
    assert (empty_cache / "downloads" / PART).stat().st_size == 262_144
    server.ranges = ranges
    assert get(server).read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=262144-"
    assert left(empty_cache) == [WHOLE]


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT[:-1] + b"x", b"x" + CONTENT, b"", b"x" * 3 * len(CONTENT)])
@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_another_file_never_passes(server, empty_cache, content, size):
    server.content = content
    with pytest.raises(SourceError, match=r"does not match its checksum|connection broke off"):
        get(server, size=size)
    assert WHOLE not in left(empty_cache)
    assert sum(path.stat().st_size for path in (empty_cache / "downloads").iterdir()) <= len(CONTENT)
    server.content = CONTENT
    assert get(server, size=size).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"x" * 1000, CONTENT, CONTENT + b"x", b"x" * len(CONTENT), b""])
def test_whatever_an_earlier_download_left(server, empty_cache, part):
    """A part of another file, a whole one, too long a one: the result is right."""
    (empty_cache / "downloads").mkdir(parents=True)
    (empty_cache / "downloads" / PART).write_bytes(part)
    assert get(server).read_bytes() == CONTENT
    assert left(empty_cache) == [WHOLE]


def test_a_server_that_goes_on_elsewhere_than_asked(server, empty_cache, monkeypatch):
    (empty_cache / "downloads").mkdir(parents=True)
    (empty_cache / "downloads" / PART).write_bytes(CONTENT[:1000])
    monkeypatch.setattr(download_module, "_resumes_at", lambda *_: True)  # a client that believes it
    server.ranges = False
    assert get(server).read_bytes() == CONTENT, "the checksum tells, and the download begins anew"


FETCH = """
import sys
from nasbench_lab.tables.fetching.download import download
print(download(sys.argv[1], sys.argv[2], what="data.bin", mirrored="host/data.bin"))
"""


def start(server):
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", FETCH, server.url, DIGEST]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_killed_in_the_middle_and_resumed(server, empty_cache):
    server.pause = 0.1
    process = start(server)
    part = empty_cache / "downloads" / PART
    while not (part.exists() and part.stat().st_size > 2**17):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    had = part.stat().st_size
    assert 0 < had < len(CONTENT)
    server.pause = 0.0
    assert get(server).read_bytes() == CONTENT
    assert server.requests == [None, f"bytes={had}-"]


def test_two_processes_share_one_download(server, empty_cache):
    server.pause = 0.05
    processes = [start(server) for _ in range(2)]
    outputs = [process.communicate() for process in processes]
    assert {out.strip() for out, _ in outputs} == {str(empty_cache / "downloads" / WHOLE)}, outputs
    assert server.requests == [None], "it was downloaded twice"
    assert (empty_cache / "downloads" / WHOLE).read_bytes() == CONTENT


# Mishaps: one line that says what to do.


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (404, "it is no longer there (404); set NASBENCH_LAB_MIRROR to a folder that has host/data.bin"),
        (403, "refuses it (403); set HTTPS_PROXY"),
        (407, "asks for a password (407); put it into HTTPS_PROXY"),
        (429, "overloaded or broken (429); try again later"),
        (502, "overloaded or broken (502); try again later"),
        (418, "the server answers 418"),
    ],
)
def test_a_server_that_refuses(server, empty_cache, status, part):
    server.status = status
    assert_one_line(SourceError, part, lambda: get(server))
    assert left(empty_cache) in ([], [f"{WHOLE}.lock"])


def test_nobody_there(server, monkeypatch):
    assert_one_line(SourceError, "no connection; go online", lambda: get(server, "http://127.0.0.1:9/data.bin"))
    assert_one_line(
        SourceError, "no connection; go online", lambda: get(server, "http://no-such-host.invalid/data.bin")
    )
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert_one_line(
        SourceError, "set HTTPS_PROXY to the right proxy", lambda: get(server, "http://no-such-host.invalid/data.bin")
    )


def test_a_server_without_a_certificate(server):
    url = server.url.replace("http://", "https://")
    assert_one_line(SourceError, "certificate of the server cannot be verified", lambda: get(server, url))


def test_a_server_that_stops_answering(server, monkeypatch):
    monkeypatch.setattr(download_module, "_TIMEOUT", (1.0, 0.05))
    server.pause = 0.5
    assert_one_line(SourceError, "run the same command again to resume", lambda: get(server))


def test_a_full_disk(server, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download_module._Resumed, "_append", full)
    assert_one_line(OutputError, "No space left on device; set NASBENCH_LAB_CACHE", lambda: get(server))


def test_a_cache_that_cannot_be_written(server, empty_cache):
    empty_cache.write_text("a file is in the way")
    assert_one_line(OutputError, "set NASBENCH_LAB_CACHE to a folder with room", lambda: get(server))


def assert_one_line(kind, part, action):
    with pytest.raises(NasbenchLabError) as caught:
        action()
    assert isinstance(caught.value, kind)
    assert part in str(caught.value)
    assert "data.bin" in str(caught.value)
    assert "\n" not in str(caught.value)
