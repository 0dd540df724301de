"""Downloading one published file: verified, resumed where it stopped, and every mishap one line that says what to do.

What was downloaded so far is kept in ``<first digits of the digest>-<name>.part``. The file itself appears when all of
it is there and its SHA-256 is right. So a process can be killed at any moment, and a server may change the file: what
is left is either nothing, a part to go on from, or the right file.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nasbench_lab.cache import CACHE_VARIABLE, cache_folder
from nasbench_lab.errors import OutputError, SourceError
from nasbench_lab.tables.progress import Progress, Report, silent, step

if TYPE_CHECKING:
    import requests

MIRROR_VARIABLE = "NASBENCH_LAB_MIRROR"

_TIMEOUT = (10.0, 60.0)  # seconds to connect, and without a new byte
_PIECE = 2**16  # bytes; an interruption loses at most these


def downloaded(url: str, sha256: str) -> Path:
    """Return where a download is kept, or will be."""
    return cache_folder() / "downloads" / f"{sha256[:16]}-{url.rpartition('/')[2]}"


def download(
    url: str, sha256: str, *, what: str, mirrored: str, size: int | None = None, report: Report = silent
) -> Path:
    """Return where the file is in the cache, after a download if need be.

    Args:
        url: where it is published.
        sha256: digest that its content must have.
        what: name of the file in messages.
        mirrored: its path in a mirror, for messages.
        size: bytes, where that is known.
        report: told how far the download is.

    Raises:
        SourceError: it cannot be downloaded, or is not what was published.
        OutputError: it cannot be stored.
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
                    continue  # the part may have been of another file: once more, from the beginning
                return Path(found)
            raise ValueError
    except requests.RequestException as error:
        raise SourceError(f"cannot download {what}: {_remedy(error, mirrored)}") from error
    except ValueError as error:
        raise SourceError(
            f"the download of {what} does not match its checksum: the server or a proxy gives another file; "
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
    """A downloader for pooch that goes on where an earlier download stopped."""

    def __init__(self, part: Path, size: int | None, progress: Progress) -> None:
        self._part, self._size, self._progress = part, size, progress
        self.resumed = False

    def __call__(self, url: str, output: str, _pooch: object) -> None:
        """Download into the part, then move it to ``output``, where pooch verifies and takes it."""
        import requests

        self.resumed = self._part.exists()
        while True:
            before = self._have()
            try:
                self._connect(url, before)
                break
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout):
                if self._have() <= before:  # as long as a connection brings something, the next one is worth a try
                    raise
        self._part.replace(output)

    def _have(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _connect(self, url: str, have: int) -> None:
        """Append what a part lacks; begin anew where the server cannot go on from there."""
        import requests

        # Not compressed, so that the bytes that are counted are those of the file.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable and have:
                if _length(response.headers.get("Content-Range", "")) != have:
                    self._part.unlink()
                    self._connect(url, 0)
                return  # the part is all there is; its checksum decides
            response.raise_for_status()
            if not _goes_on_at(response, have):
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
                    break  # not the published file, and who knows how long it goes on; its checksum will be wrong
                file.write(piece)
                self._progress(have, total)
        except requests.ConnectionError as error:  # as `iter_content` names it when nothing comes any more
            raise requests.ReadTimeout(error) from error
        if have < total:
            raise requests.exceptions.ChunkedEncodingError(f"{total - have} bytes are missing")


def _goes_on_at(response: requests.Response, have: int) -> bool:
    """Whether the server sends the rest of the file from byte ``have`` on, and not all of it."""
    import requests

    found = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
    return response.status_code == requests.codes.partial_content and found is not None and int(found[1]) == have


def _length(content_range: str) -> int | None:
    """Length of the whole file by the header of a refused range, like ``bytes */1234``."""
    found = re.fullmatch(r"bytes \*/(\d{1,18})", content_range)
    return int(found[1]) if found else None


@contextlib.contextmanager
def _one_at_a_time(target: Path, progress: Progress) -> Iterator[None]:
    """Let one process at a time download a file; the next then finds it. A killed process holds nobody up."""
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
        # Whoever still waits for it finds the file, so it does not matter which lock they get.
        path.unlink(missing_ok=True)
    finally:
        lock.release()


def _remedy(error: requests.RequestException, mirrored: str) -> str:
    """Say what went wrong and what the user can do about it."""
    import requests

    by_hand = f"set {MIRROR_VARIABLE} to a folder that has {mirrored}"
    go_on = "the same command goes on where it stopped"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _refused(error.response.status_code, by_hand)
    known = {  # subclasses before their bases
        requests.exceptions.ProxyError: "the proxy does not let it through; set HTTPS_PROXY to the right proxy, or "
        + by_hand,
        requests.exceptions.SSLError: "the certificate of the server cannot be verified; if a proxy of your network "
        f"replaces it, set REQUESTS_CA_BUNDLE to its certificates, or {by_hand}",
        requests.ConnectTimeout: f"no connection within {_TIMEOUT[0]:g} s; go online, set HTTPS_PROXY, or {by_hand}",
        requests.ReadTimeout: f"the server stopped answering; {go_on}",
        requests.exceptions.ChunkedEncodingError: f"the connection broke off; {go_on}",
        requests.ConnectionError: "no connection; go online, set HTTPS_PROXY if your network needs a proxy, or "
        + by_hand,
    }
    return next((text for kind, text in known.items() if isinstance(error, kind)), f"{type(error).__name__}; {by_hand}")


def _refused(status: int, by_hand: str) -> str:
    if status == 407:
        how = "put it into HTTPS_PROXY as http://user:password@host:port"
        return f"the proxy asks for a password (407); {how}, or {by_hand}"
    if status in (404, 410):
        return f"it is no longer there ({status}); {by_hand}, and please report it"
    if status in (401, 403, 451):
        return f"the server or a proxy refuses it ({status}); set HTTPS_PROXY to the right proxy, or {by_hand}"
    if status == 429 or status >= 500:
        return f"the server or a proxy is overloaded or broken ({status}); try again later, or {by_hand}"
    return f"the server answers {status}; {by_hand}"
