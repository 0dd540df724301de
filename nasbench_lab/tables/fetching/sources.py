"""The published files that tables are made from: taken from a local mirror, an installed package, or a download.

Every file is verified against its SHA-256, wherever it comes from.
"""

from __future__ import annotations

import abc
import dataclasses
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import final

from nasbench_lab.cache import cache_folder
from nasbench_lab.errors import DataError, SourceError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.tables.fetching.download import MIRROR_VARIABLE, download, downloaded
from nasbench_lab.tables.progress_callbacks import Report, silent

_MOST_OF_WHEEL = 2**28  # bytes of one file

_GITHUB = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"


class AbstractWebFile(abc.ABC):
    """A file from the mirror or a download.

    Attributes:
        sha256: digest of the content.
        size: number of bytes; None if it is not published.
    """

    sha256: str
    size: int | None

    @property
    @abc.abstractmethod
    def address(self) -> str:
        """URL of the file."""

    @property
    @abc.abstractmethod
    def mirrored(self) -> str:
        """Path of the file inside a mirror."""

    def is_here(self) -> bool:
        """Return whether the file is in the mirror or was downloaded, without verifying it."""
        return self._in_mirror() is not None or downloaded(self.address, self.sha256).is_file()

    def fetch(self, report: Report = silent) -> Path:
        """Return the path of the verified file: in the mirror, else in the cache, downloaded if necessary.

        Raises:
            SourceError: the file cannot be downloaded.
            DataError: the file in the mirror does not match its checksum.
            OutputError: the download cannot be stored.
        """
        copy = self._in_mirror()
        if copy is None:
            return download(
                self.address, self.sha256, what=str(self), mirrored=self.mirrored, size=self.size, report=report
            )
        _verify(_digest_of(copy), self.sha256, copy)
        return copy

    def read(self, report: Report = silent) -> bytes:
        """Return the verified content; raises what `fetch` raises."""
        return _bytes_of(self.fetch(report))

    def _in_mirror(self) -> Path | None:
        mirror = os.environ.get(MIRROR_VARIABLE)
        copy = Path(mirror) / self.mirrored if mirror else None
        return copy if copy is not None and copy.is_file() else None


@final
@dataclasses.dataclass(frozen=True)
class GitHubFile(AbstractWebFile):
    """A file of a public repository, pinned by commit and content.

    Attributes:
        repository: ``owner/name``.
        commit: full hash of the commit.
        path: path inside the repository.
        licence: SPDX name of the licence.
        sha256: digest of the content.
        size: number of bytes; None if unknown.
    """

    repository: str
    commit: str
    path: str
    licence: str
    sha256: str
    size: int | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.commit[:12]}/{self.path}"

    @property
    def address(self) -> str:
        """URL of the raw file."""
        return _GITHUB.format(repository=self.repository, commit=self.commit, path=self.path)

    @property
    def mirrored(self) -> str:
        """``owner/name/path``."""
        return f"{self.repository}/{self.path}"


@final
@dataclasses.dataclass(frozen=True)
class UrlFile(AbstractWebFile):
    """A file at any URL, pinned by content.

    Attributes:
        url: URL of the file, ``https://host/path``.
        licence: SPDX name of the licence.
        sha256: digest of the content, as stated by its publisher.
        size: number of bytes; None if unknown.
    """

    url: str
    licence: str
    sha256: str
    size: int | None = None

    def __str__(self) -> str:
        return self.url

    @property
    def address(self) -> str:
        """URL of the file."""
        return self.url

    @property
    def mirrored(self) -> str:
        """``host/path``."""
        return self.url.partition("://")[2]


@final
@dataclasses.dataclass(frozen=True)
class PackageFile:
    """A data file inside a package of the Python Package Index. The package's code is never imported.

    Attributes:
        package: name on the index.
        version: pinned version.
        path: path inside the wheel.
        licence: SPDX name of the licence.
        sha256: digest of the content.
    """

    package: str
    version: str
    path: str
    licence: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}, {self.path}"

    def read(self, report: Report = silent) -> bytes:
        """Return the verified content: from the installed package, else from the wheel, downloaded if necessary.

        Raises:
            SourceError: the package is not installed and cannot be downloaded.
            DataError: the wheel is damaged, or lacks the file.
            OutputError: the download cannot be stored.
        """
        installed = self._installed()
        if installed is not None:
            data = _bytes_of(installed)
            if hashlib.sha256(data).hexdigest() == self.sha256:  # another release may be installed: use the wheel
                return data
        import zipfile

        wheel = self._wheel(report)
        remedy = "; delete it to download it again"
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.getinfo(self.path).file_size > _MOST_OF_WHEEL:
                    raise DataError(f"it has more than {_MOST_OF_WHEEL} bytes")
                data = archive.read(self.path)
        except Exception as error:  # a damaged archive can raise almost any exception
            raise DataError(f"{wheel} is not a readable wheel with {self.path}: {first_line(error)}{remedy}") from error
        _verify(hashlib.sha256(data).hexdigest(), self.sha256, self)
        return data

    def _installed(self) -> Path | None:
        """Find the file in the installed package. Finding a top-level package does not import it."""
        package, _, inside = self.path.partition("/")
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            file = Path(folder) / inside
            if file.is_file():
                return file
        return None

    def _wheel(self, report: Report) -> Path:
        """Return the cached wheel, downloaded if necessary by pip, which knows the user's index and proxy."""
        import shutil
        import subprocess
        import tempfile

        folder = cache_folder() / "downloads"
        pattern = f"{self.package.replace('-', '_')}-{self.version}-*.whl"
        for cached in sorted(folder.glob(pattern)):
            return cached
        report(f"downloading {self.package} {self.version} with pip", 0, 0)
        with tempfile.TemporaryDirectory() as scratch:
            requirement = f"{self.package}=={self.version}"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            command += ["--no-deps", "--only-binary=:all:", "--dest", scratch, requirement]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
            wheels = sorted(Path(scratch).glob(pattern))
            if done.returncode or not wheels:
                raise SourceError(
                    f"pip cannot download {requirement}; go online, set HTTPS_PROXY if your network needs a proxy, "
                    "or install it with pip yourself"
                )
            target = folder / wheels[0].name
            with atomic_path(target) as temporary:
                shutil.copyfile(wheels[0], temporary)
        return target


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _verify(found: str, sha256: str, what: object) -> None:
    if found != sha256:
        raise DataError(f"{what} has checksum {found[:12]}..., not {sha256[:12]}...; it is damaged or another version")
