"""Reading only plain files: a device or a pipe, or a link to one, might never end."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line

_MOST_TOML = 2**24  # bytes


def open_plain(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a file for reading bytes, if it is a plain file or a link to one.

    Raises:
        DataError: it is a device, a pipe or the like.
        OSError: the file is missing, a folder, or cannot be read.

    >>> open_plain("missing.csv")
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DataError(f"{os.fspath(path)} is a pipe or a device; save its content as a file first")
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


def is_plain(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a plain file; False for any path that the system refuses, such as one too long.

    >>> is_plain("x" * 100_000), is_plain(os.curdir)
    (False, False)
    """
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises some errors of the system


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a folder; False for any path that the system refuses, such as one too long."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises some errors of the system


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        DataError: the file is missing, not a plain file, or not TOML.
    """
    import tomllib

    try:
        text = read_plain(path, _MOST_TOML).decode().replace("\r\n", "\n")
        return tomllib.loads(text)
    except OSError as error:
        raise DataError(f"cannot read {os.fspath(path)}: {error.strerror or first_line(error)}") from error
    except DataError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError also for numbers of thousands of digits
        raise DataError(f"{os.fspath(path)} is not a TOML file: {first_line(error)}") from error
