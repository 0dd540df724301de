"""Only plain files are read: a pipe would wait for ever for its writer, and a device may never end."""

from __future__ import annotations

import stat
from pathlib import Path

from nasbench_lab.errors import DataError


def require_plain_file(path: Path) -> None:
    """Raise DataError if a path is a pipe, a device or a socket, or a link to one. A missing file is not an error here.

    >>> require_plain_file(Path(__file__))
    """
    try:
        mode = path.stat().st_mode
    except OSError:  # opening the file tells what is wrong
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"{path} is a pipe or a device; save its content as a file first")
