"""A file on a disk that may be full, for HDF5 to write."""

from __future__ import annotations

import io
from typing import Any


class Disk(io.RawIOBase):
    """A file for HDF5 to write. HDF5 does not always survive a full disk, so it is not told of errors.

    After an error, `check` raises it. What HDF5 writes until then stays in memory, so that it can read it again.
    """

    def __init__(self, stream: io.FileIO) -> None:
        self._stream = stream
        self._position = self._end = 0
        self._error: OSError | None = None
        self._unwritten: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the first error of writing, if there was one."""
        if self._error is not None:
            raise self._error

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return the new position."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read, and return the number of bytes."""
        size = max(0, min(len(buffer), self._end - self._position))
        self._stream.seek(self._position)
        content = bytearray((self._stream.read(size) or b"").ljust(size, b"\0"))
        for offset, piece in self._unwritten:
            first, last = max(offset, self._position), min(offset + len(piece), self._position + size)
            if first < last:
                content[first - self._position : last - self._position] = piece[first - offset : last - offset]
        buffer[:size] = content
        self._position += size
        return size

    def write(self, content: Any) -> int:
        """Write, and return the number of bytes. An error is kept for `check`."""
        piece = bytes(content)
        try:
            self._write(piece)
        except OSError as error:
            self._error = self._error or error
            self._unwritten.append((self._position, piece))
        self._position += len(piece)
        self._end = max(self._end, self._position)
        return len(piece)

    def truncate(self, size: int | None = None) -> int:
        """Cut the file. An error is kept for `check`."""
        self._end = self._position if size is None else size
        try:
            self.check()
            self._stream.truncate(self._end)
        except OSError as error:
            self._error = self._error or error
        return self._end

    def _write(self, piece: bytes) -> None:
        """Write at the position, all or an error."""
        self.check()
        self._stream.seek(self._position)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._stream.write(rest) :]
