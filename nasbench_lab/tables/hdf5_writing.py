"""HDF5 files on disks that may be full.

When the operating system refuses a write, HDF5 keeps the file open and tries again later, when the file is closed, or
when the process ends. Then the process may crash. So HDF5 never learns of it here: the error is kept and raised once
the file is closed.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final


@final
class _PatientFile(io.FileIO):
    """A file that accepts everything and keeps the first error.

    Attributes:
        error: the first error of the operating system, if any.
    """

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all bytes, unless an earlier write has failed."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and self.error is None:
                left = left[super().write(left) or 0 :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the size of the file."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
        return size or 0


@contextlib.contextmanager
def writable_file(path: Path, mode: str, **options: Any) -> Iterator[Any]:
    """Open an HDF5 file for writing inside the block.

    Args:
        path: path of the file.
        mode: ``"w"`` for a new file, ``"r+"`` to change one.
        options: options of `h5py.File`.

    Raises:
        OSError: the file cannot be written; raised at the end of the block.

    >>> import h5py, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writable_file(Path(folder) / "made.h5", "w") as file:
    ...         file["numbers"] = [1, 2, 3]
    ...     with h5py.File(Path(folder) / "made.h5") as file:
    ...         file["numbers"][:].tolist()
    [1, 2, 3]
    """
    import h5py

    with _PatientFile(path, "w+" if mode == "w" else mode) as target:
        try:
            with h5py.File(target, mode, **options) as file:
                yield file
        except Exception:  # HDF5 does not find what was not written
            if target.error is None:
                raise
        if target.error is not None:
            raise target.error
