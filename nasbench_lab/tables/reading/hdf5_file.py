"""Reading HDF5 files from untrusted sources in bounded time and memory.

HDF5 itself has no such bounds. A group of zero bytes where texts of variable length are stored makes it search for
ever, a file of kilobytes can declare arrays of gigabytes, and links and external storage lead to any other file,
devices included. Therefore:

- HDF5 reads the file through `_CheckedFile`, which refuses damaged heaps of texts;
- an array is read only if its declared size fits the bytes that the file stores for it;
- only members that are inside the file are opened.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from numpy.typing import NDArray

from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain

_MOST_EXPANSION = 1032
"""gzip never shrinks data to less than this fraction."""
_FREE_BYTES = 2**30
_MOST_EXPANSION_BEYOND = 100
"""Of more than a gibibyte of arrays, a larger expansion is not plausible."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_WIDTH = 8  # bytes of a position or length in the file
_WIDTHS_AT = {0: 13, 1: 13, 2: 9, 3: 9}  # superblock version: where the widths of positions and lengths are stored

_HEAP = b"GCOL\x01"
_HEAP_START = 16  # bytes before the first object of a heap, and before the content of every object
_HEAP_ALIGNMENT = 8


class ExternalMember(NamedTuple):
    """A link to a group of another file.

    Attributes:
        file: path relative to the folder of this file.
        group: path of the group in the other file.
    """

    file: str
    group: str


class Hdf5Group:
    """A group of an open HDF5 file.

    Args:
        group: the group as h5py opens it.
        file: the file that it belongs to.
    """

    def __init__(self, group: Any, file: _CheckedFile) -> None:
        self._group, self._file = group, file

    @property
    def name(self) -> str:
        """The path of the group inside the file."""
        return str(self._group.name)

    def has(self, name: str) -> bool:
        """Return whether there is a member of that name."""
        return name in self._group

    def names(self) -> list[str]:
        """Return the names of all members."""
        return list(self._group)

    def is_of_format(self, name: str) -> bool:
        """Return whether the attribute ``format`` has this value."""
        return "format" in self._group.attrs and self.text("format") == name

    def described(self, name: str, readable: Sequence[int]) -> str:
        """Return the description of a table: a text attribute in the first readable version, an array in later ones.

        Raises:
            DataError: the attribute ``format_version`` is not one of the readable versions, which ascend.
        """
        version = self.whole("format_version")
        if version not in readable:
            known = " to ".join(map(str, readable))
            raise DataError(f"it has format version {version}; this release reads versions {known}")
        return self.text(name) if version == readable[0] else self.array(name).tobytes().decode()

    def whole(self, name: str) -> int:
        """Return an attribute that is a whole number."""
        import h5py

        attribute = self._attribute(name)
        kind = attribute.get_type()
        if not isinstance(kind, h5py.h5t.TypeIntegerID) or kind.get_size() > _WIDTH:
            raise DataError(f"its attribute {name!r} is not a whole number")
        return int(self._group.attrs[name])

    def text(self, name: str) -> str:
        """Return an attribute that is a text, of fixed or variable length."""
        import h5py

        attribute = self._attribute(name)
        kind = attribute.get_type()
        if not isinstance(kind, h5py.h5t.TypeStringID) or kind.get_size() > self._file.size:
            raise DataError(f"its attribute {name!r} is not a text")
        value = self._group.attrs[name]
        # Damaged texts of variable length can have characters that are not UTF-8, which Python cannot encode again.
        return (value if isinstance(value, bytes) else str(value).encode()).decode()

    def external(self, name: str) -> ExternalMember | None:
        """Return the link to another file that a member is; None if the member is in this file."""
        import h5py

        if self._link(name) != h5py.h5l.TYPE_EXTERNAL:
            return None
        file, group = self._group.id.links.get_val(name.encode())
        return ExternalMember(file.decode(), group.decode())

    def group(self, path: str) -> Hdf5Group:
        """Return a group inside this group, without following links to other places."""
        import h5py

        found = self
        for name in PurePosixPath(path).parts:
            group = found._member(name)
            if not isinstance(group, h5py.Group):
                raise DataError(f"its member {name!r} is not a group")
            found = Hdf5Group(group, self._file)
        return found

    def dataset(self, name: str) -> Any:
        """Return a member that is an array of plain numbers, stored in this file, without reading it."""
        import h5py

        dataset = self._member(name)
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "biuf":
            raise DataError(f"its member {name!r} is not an array of numbers")
        properties = dataset.id.get_create_plist()
        if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
            raise DataError(f"the numbers of its member {name!r} are in other files")
        return dataset

    def array(self, name: str) -> NDArray[Any]:
        """Read an array of plain numbers.

        Raises:
            DataError: it declares more numbers than the file can have.
        """
        values: NDArray[Any] = self.plausible(name)[()]
        return values

    def plausible(self, name: str) -> Any:
        """Return an array of plain numbers without reading it, after checking the size that it declares.

        Raises:
            DataError: it declares more numbers than the file can have.
        """
        dataset = self.dataset(name)
        self._file.charge(name, dataset)
        return dataset

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Read all members, which must be arrays of plain numbers."""
        return {name: self.array(name) for name in self.names()}

    def _attribute(self, name: str) -> Any:
        """Return an attribute with one value, without reading it."""
        import h5py

        if name not in self._group.attrs:
            raise DataError(f"it has no attribute {name!r}")
        attribute = h5py.h5a.open(self._group.id, name.encode())
        if attribute.shape != () or attribute.get_storage_size() > self._file.size:
            raise DataError(f"its attribute {name!r} is not one value")
        return attribute

    def _link(self, name: str) -> int:
        if not name or "/" in name or name not in self._group:
            raise DataError(f"it has no member {name[:80]!r}")
        return int(self._group.id.links.get_info(name.encode()).type)

    def _member(self, name: str) -> Any:
        import h5py

        if self._link(name) != h5py.h5l.TYPE_HARD:
            raise DataError(f"its member {name!r} is a link to another place")
        return self._group[name]


@contextlib.contextmanager
def open_hdf5(source: Path | bytes) -> Iterator[Hdf5Group]:
    """Open an HDF5 file, or the content of one, and yield its outermost group.

    Args:
        source: the path of a plain file, or its content.

    Raises:
        DataError: the file is damaged, or not HDF5. Any other error inside the block becomes a DataError, too.
    """
    import h5py

    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open_plain(source) as stream:
            checked = _CheckedFile(stream)
            with h5py.File(checked, "r") as file:
                yield Hdf5Group(file, checked)
    except NasbenchLabError:
        raise
    except Exception as error:  # a damaged file can raise almost any exception
        raise DataError(first_line(error)) from error


class _CheckedFile(io.RawIOBase):
    """A file for HDF5 to read. It checks every heap of texts that HDF5 reads, and the sizes of arrays."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, io.SEEK_END)
        self._left = min(_MOST_EXPANSION * self.size, _FREE_BYTES + _MOST_EXPANSION_BEYOND * self.size)
        self._check_widths()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        start = self._stream.tell()
        around = len(_HEAP) - 1  # HDF5 may read the signature of a heap in two pieces
        before = min(start, around)
        content = self._bytes(start - before, before + len(buffer) + around)
        found = content.find(_HEAP)
        while found >= 0:
            self._check_heap(start - before + found)
            found = content.find(_HEAP, found + 1)
        wanted = content[before : before + len(buffer)]
        buffer[: len(wanted)] = wanted
        self._stream.seek(start + len(wanted))
        return len(wanted)

    def charge(self, name: str, dataset: Any) -> None:
        """Raise DataError if an array declares more bytes than the file can have, alone or with those read before."""
        declared = _declared_bytes(dataset)
        stored = dataset.id.get_storage_size()
        self._left -= declared
        compressed = _check_filters(name, dataset)
        if stored > self.size or declared > stored * (_MOST_EXPANSION if compressed else 1) or self._left < 0:
            raise DataError(f"its array {name!r} declares {declared:,} bytes, more than the file can have")

    def _bytes(self, offset: int, count: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(count)

    def _check_widths(self) -> None:
        """Raise DataError unless positions and lengths have eight bytes, as in every file of today."""
        start = self._bytes(0, 16)
        if len(start) < 16 or not start.startswith(_SIGNATURE):
            raise DataError("it is not an HDF5 file")
        at = _WIDTHS_AT.get(start[8])
        if at is None or start[at : at + 2] != bytes((_WIDTH, _WIDTH)):
            raise DataError("it is not an HDF5 file of a supported kind")

    def _check_heap(self, offset: int) -> None:
        """Raise DataError unless the objects of a heap fill it exactly.

        HDF5 goes from object to object by their lengths, and does not check that it gets on.
        """
        length = int.from_bytes(self._bytes(offset + 8, 8), "little")
        heap = self._bytes(offset, length) if length <= self.size - offset else b""
        at = _HEAP_START
        while heap and length - at >= _HEAP_START:
            number, size = int.from_bytes(heap[at : at + 2], "little"), int.from_bytes(heap[at + 8 : at + 16], "little")
            aligned = -(-size // _HEAP_ALIGNMENT) * _HEAP_ALIGNMENT
            at += _HEAP_START + aligned if number else size  # the size of free space includes its start
            if at > length or (not number and size < _HEAP_START):
                heap = b""
        if not heap:
            raise DataError("its texts are damaged")


def _declared_bytes(dataset: Any) -> int:
    """Return the number of bytes that HDF5 may need to read an array: that of its numbers, or of all its chunks."""
    chunks = dataset.chunks
    if chunks is None:
        return math.prod(dataset.shape) * dataset.dtype.itemsize
    counts = (-(-length // chunk) for length, chunk in zip(dataset.shape, chunks, strict=True))
    return math.prod(counts) * math.prod(chunks) * dataset.dtype.itemsize


def _check_filters(name: str, dataset: Any) -> bool:
    """Return whether an array is compressed; DataError if in another way than gzip, once, with or without shuffling."""
    import h5py

    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if not filters:
        return False
    if len(set(filters)) != len(filters) or not set(filters) <= {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}:
        raise DataError(f"its array {name!r} is compressed in a way that is not supported")
    return h5py.h5z.FILTER_DEFLATE in filters
