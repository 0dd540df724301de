"""Reading only plain files: a device or a pipe, or a link to one, might never end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from nasbench_lab.errors import DataError


def open_plain(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes, if it is a plain file or a link to one.

    Raises:
        DataError: it is a device, a pipe or something else.
        OSError: the file is missing or cannot be read.

    >>> open_plain(os.curdir)
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: '.' is not a plain file
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DataError(f"{os.fspath(path)!r} is not a plain file")
    return Path(path).open("rb")


def read_plain(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """Return the content of a plain file.

    Args:
        path: the file.
        most: number of bytes that it may have; None for any number.

    Raises:
        DataError: it is not a plain file, or has more bytes.
        OSError: the file is missing or cannot be read.
    """
    with open_plain(path) as file:
        content = file.read() if most is None else file.read(most + 1)
    if most is not None and len(content) > most:
        raise DataError(f"{os.fspath(path)} has more than {most:,} bytes")
    return content


def read_plain_text(path: str | os.PathLike[str], most: int | None = None) -> str:
    """Return the content of a plain file in UTF-8, with line ends as in Python; raises what `read_plain` raises.

    Raises:
        UnicodeDecodeError: the content is not UTF-8.
    """
    return read_plain(path, most).decode().replace("\r\n", "\n").replace("\r", "\n")
