"""Downloading one published file: verified, resumable, and with error messages that say what to do.

The bytes downloaded so far are kept in ``<first digits of the digest>-<name>.part``. The file itself appears when it is
complete and its SHA-256 matches. So a process may be killed at any moment, and the file may change on the server: the
cache then has nothing, a part from which the next download continues, or the right file.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nasbench_lab.cache import CACHE_VARIABLE, cache_folder
from nasbench_lab.errors import OutputError, SourceError
from nasbench_lab.tables.progress_callbacks import Progress, Report, silent, step

if TYPE_CHECKING:
    import requests

MIRROR_VARIABLE = "NASBENCH_LAB_MIRROR"

_TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a new byte
_PIECE = 2**16  # bytes; the most that an interruption can lose


def downloaded(url: str, sha256: str) -> Path:
    """Return the path of a download in the cache, whether it exists or not."""
    return cache_folder() / "downloads" / f"{sha256[:16]}-{url.rpartition('/')[2]}"


def download(
    url: str, sha256: str, *, what: str, mirrored: str, size: int | None = None, report: Report = silent
) -> Path:
    """Return the path of a file in the cache, downloaded if necessary.

    Args:
        url: URL of the file.
        sha256: expected digest of the content.
        what: name of the file, for messages.
        mirrored: path of the file in a mirror, for messages.
        size: number of bytes; None if unknown.
        report: called with the progress of the download.

    Raises:
        SourceError: the file cannot be downloaded, or does not match its checksum.
        OutputError: the file cannot be stored.
    """
    import pooch
    import requests

    target = downloaded(url, sha256)
    folder = target.parent
    stream = _Resumed(target.with_name(f"{target.name}.part"), size, step(report, f"downloading {what}"))
    try:
        if target.is_file() and pooch.file_hash(str(target)) == sha256:  # also where the cache is read-only
            return target
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(target, step(report, f"waiting for another download of {what}")):
            for _attempt in range(2):
                try:
                    with _without_messages():
                        found = pooch.retrieve(url, f"sha256:{sha256}", target.name, folder, downloader=stream)
                except ValueError:  # the checksum
                    if not stream.resumed:
                        raise
                    continue  # the part may belong to another version of the file: start again
                return Path(found)
            raise ValueError
    except requests.RequestException as error:
        raise SourceError(f"cannot download {what}: {_remedy(error, mirrored)}") from error
    except ValueError as error:
        raise SourceError(
            f"the download of {what} does not match its checksum: the server or a proxy sends another file; "
            f"try again later, or set {MIRROR_VARIABLE} to a folder that has {mirrored}"
        ) from error
    except OSError as error:
        raise OutputError(
            f"cannot store the download of {what} in {folder}: {error.strerror or error}; "
            f"set {CACHE_VARIABLE} to a folder with room for it"
        ) from error


@contextlib.contextmanager
def _without_messages() -> Iterator[None]:
    """Silence pooch's messages about downloads inside the block: `Progress` tells more."""
    import pooch

    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(before)


class _Resumed:
    """A downloader for pooch that resumes an earlier download."""

    def __init__(self, part: Path, size: int | None, progress: Progress) -> None:
        self._part, self._size, self._progress = part, size, progress
        self.resumed = False

    def __call__(self, url: str, output: str, _pooch: object) -> None:
        """Download into the part file, then move it to ``output``, where pooch verifies it."""
        import requests

        self.resumed = self._part.exists()
        while True:
            before = self._have()
            try:
                self._connect(url, before)
                break
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout):
                if self._have() <= before:  # retry as long as connections deliver something
                    raise
        self._part.replace(output)

    def _have(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _connect(self, url: str, have: int) -> None:
        """Append the missing bytes to the part; start again if the server cannot resume."""
        import requests

        # Without compression, so that the received bytes are the bytes of the file.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable and have:
                if _length(response.headers.get("Content-Range", "")) != have:
                    self._part.unlink()
                    self._connect(url, 0)
                return  # the part is complete; its checksum decides
            response.raise_for_status()
            if not _resumes_at(response, have):
                have = 0
            with self._part.open("ab" if have else "wb") as file:
                self._append(response, file, have)

    def _append(self, response: requests.Response, file: BinaryIO, have: int) -> None:
        import requests

        coming = response.headers.get("Content-Length", "")
        total = self._size or (have + int(coming) if coming.isascii() and coming.isdigit() else 0)
        self._progress(have, total)
        try:
            for piece in response.iter_content(_PIECE):
                have += len(piece)
                if self._size is not None and have > self._size:
                    break  # not the published file; stop here, its checksum will not match
                file.write(piece)
                self._progress(have, total)
        except requests.ConnectionError as error:  # how `iter_content` reports that no more bytes arrive
            raise requests.ReadTimeout(error) from error
        if have < total:
            raise requests.exceptions.ChunkedEncodingError(f"{total - have} bytes are missing")


def _resumes_at(response: requests.Response, have: int) -> bool:
    """Return whether the server sends the file from byte ``have`` on, not from its start."""
    import requests

    found = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
    return response.status_code == requests.codes.partial_content and found is not None and int(found[1]) == have


def _length(content_range: str) -> int | None:
    """Return the length of the whole file from the header of a refused range, such as ``bytes */1234``."""
    found = re.fullmatch(r"bytes \*/(\d{1,18})", content_range)
    return int(found[1]) if found else None


@contextlib.contextmanager
def _one_at_a_time(target: Path, progress: Progress) -> Iterator[None]:
    """Let one process at a time download a file; the next process then finds it. A killed process releases the lock."""
    import filelock

    path = target.with_name(f"{target.name}.lock")
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress(0, 0)
        lock.acquire()
    try:
        yield
        # Processes that still wait will find the file, so it does not matter which lock they get.
        path.unlink(missing_ok=True)
    finally:
        lock.release()


def _remedy(error: requests.RequestException, mirrored: str) -> str:
    """Return what went wrong and what the user can do about it."""
    import requests

    use_mirror = f"set {MIRROR_VARIABLE} to a folder that has {mirrored}"
    resume = "run the same command again to resume"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _refused(error.response.status_code, use_mirror)
    known = {  # subclasses before their bases
        requests.exceptions.ProxyError: "the proxy blocks it; set HTTPS_PROXY to the right proxy, or " + use_mirror,
        requests.exceptions.SSLError: "the certificate of the server cannot be verified; if a proxy of your network "
        f"replaces it, set REQUESTS_CA_BUNDLE to its certificates, or {use_mirror}",
        requests.ConnectTimeout: f"no connection within {_TIMEOUT[0]:g} s; go online, set HTTPS_PROXY, or {use_mirror}",
        requests.ReadTimeout: f"the server stopped answering; {resume}",
        requests.exceptions.ChunkedEncodingError: f"the connection broke off; {resume}",
        requests.ConnectionError: "no connection; go online, set HTTPS_PROXY if your network needs a proxy, or "
        + use_mirror,
    }
    return next(
        (text for kind, text in known.items() if isinstance(error, kind)), f"{type(error).__name__}; {use_mirror}"
    )


def _refused(status: int, use_mirror: str) -> str:
    if status == 407:
        how = "put it into HTTPS_PROXY as http://user:password@host:port"
        return f"the proxy asks for a password (407); {how}, or {use_mirror}"
    if status in (404, 410):
        return f"it is no longer there ({status}); {use_mirror}, and please report it"
    if status in (401, 403, 451):
        return f"the server or a proxy refuses it ({status}); set HTTPS_PROXY to the right proxy, or {use_mirror}"
    if status == 429 or status >= 500:
        return f"the server or a proxy is overloaded or broken ({status}); try again later, or {use_mirror}"
    return f"the server answers {status}; {use_mirror}"
