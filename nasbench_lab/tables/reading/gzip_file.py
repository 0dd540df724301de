"""Decompressing gzip files in bounded memory, to their end, so that their checksums are verified."""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line


def expand(stream: BinaryIO, most: int) -> bytes:
    """Return the decompressed content of a gzip file.

    Args:
        stream: the open file.
        most: number of bytes that the content may have.

    Raises:
        DataError: the file is damaged, truncated, followed by something else, or expands to more bytes.

    >>> import io
    >>> expand(io.BytesIO(gzip.compress(b"text")), 4)
    b'text'
    >>> expand(io.BytesIO(gzip.compress(b"text")), 3)
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: it unpacks to more than 3 bytes
    """
    parts, left = [], most
    try:
        with gzip.GzipFile(fileobj=stream) as file:
            while part := file.read(min(left + 1, 2**20)):
                left -= len(part)
                if left < 0:
                    raise DataError(f"it unpacks to more than {most} bytes")
                parts.append(part)
    except EOFError as error:
        raise DataError("it is truncated") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"it is not a readable gzip file: {first_line(error)}") from error
    return b"".join(parts)
