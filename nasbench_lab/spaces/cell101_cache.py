"""Arrays that are computed once per machine and mapped into memory by every process that needs them."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.cache import cache_folder
from nasbench_lab.errors import OutputError
from nasbench_lab.files import atomic_folder

Arrays = Mapping[str, NDArray[Any]]

_CHECKSUMS = "checksums.json"


class KeptArrays:
    """Named arrays in a folder of the cache, one ``.npy`` file each, computed when they are first needed.

    An array is mapped into memory on first use, after its file was compared with its checksum (CRC-32, as it protects
    from accidents, not from attacks). Missing or damaged files are computed again. Where the folder cannot be written,
    the arrays stay in memory. Several processes may do this at once: a folder appears complete, and as the arrays
    depend on nothing but the name, a file is only replaced by an equal one.

    Args:
        name: of the folder; it must change whenever the computed arrays change. None keeps nothing on disk.
        compute: returns all arrays, C-contiguous and not empty.

    >>> import tempfile, unittest.mock
    >>> from nasbench_lab.cache import CACHE_VARIABLE
    >>> with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.dict("os.environ", {CACHE_VARIABLE: folder}):
    ...     KeptArrays("squares-v1", lambda: {"squares": np.arange(4) ** 2})["squares"].tolist()
    ...     KeptArrays("squares-v1", dict)["squares"].tolist()
    [0, 1, 4, 9]
    [0, 1, 4, 9]
    """

    def __init__(self, name: str | None, compute: Callable[[], Arrays]) -> None:
        self._name, self._compute = name, compute
        self._open: dict[str, NDArray[Any]] = {}

    @property
    def folder(self) -> Path | None:
        """The folder of the arrays; None if they are not kept on disk."""
        return cache_folder() / "spaces" / self._name if self._name else None

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._open:
            kept = _read(self.folder, name) if self.folder else None
            if kept is None:
                self._open.update(self._compute_and_write())
            else:
                self._open[name] = kept
        return self._open[name]

    def _compute_and_write(self) -> dict[str, NDArray[Any]]:
        arrays = dict(self._compute())
        for array in arrays.values():
            array.setflags(write=False)
        if self.folder:
            # Read-only or full, or another process was faster: the next process that needs the arrays tries again.
            with contextlib.suppress(OutputError):
                _write(self.folder, arrays)
        return arrays


def _read(folder: Path, name: str) -> NDArray[Any] | None:
    """Map an array into memory; None where it is missing or damaged."""
    path = folder / f"{name}.npy"
    try:
        checksum = json.loads((folder / _CHECKSUMS).read_text())[name]
        if _checksum(path) != checksum:
            return None
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _checksum(path: Path) -> int:
    return zlib.crc32(np.memmap(path, dtype=np.uint8, mode="r").data)


def _write(folder: Path, arrays: Arrays) -> None:
    files = {f"{name}.npy": array for name, array in arrays.items()}
    with atomic_folder(folder, replace={*files, _CHECKSUMS}) as new:
        checksums = {}
        for file, array in files.items():
            np.save(new / file, array, allow_pickle=False)
            checksums[file.removesuffix(".npy")] = _checksum(new / file)
        (new / _CHECKSUMS).write_text(json.dumps(checksums, indent=1))
