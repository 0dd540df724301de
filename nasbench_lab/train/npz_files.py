"""Reading files of ``numpy.savez`` completely, with verified checksums and in bounded memory."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError

_FREE_BYTES = 2**27
_MOST_EXPANSION = 200


def read_npz(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file.

    `numpy.load` reads only as many bytes of a member as its header declares, so it may not come to the checksum at the
    end, and reserves what the header declares.

    Args:
        stream: the open file.

    Raises:
        DataError: an array is damaged or needs pickle, or the file expands to an implausible size.
        Exception: any other error of a damaged zip archive.
    """
    size = stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if total > max(_FREE_BYTES, _MOST_EXPANSION * size):
            raise DataError(
                f"it expands to more than {_MOST_EXPANSION} times its size; if you trust it, save it uncompressed"
            )
        if len({member.filename for member in members}) != len(members):
            raise DataError("it has an array twice")
        return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in members}


def _array(content: bytes) -> NDArray[Any]:
    if not content.startswith(np.lib.format.MAGIC_PREFIX):
        raise DataError("it has a member that is not an array")
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read_header:
        raise DataError("it has an array of an unsupported version")
    shape, _, dtype = read_header[version](stream)
    declared = dtype.itemsize
    for length in shape:
        declared *= length
    if dtype.hasobject:
        raise DataError("it holds objects, which are not supported")
    if declared != len(content) - stream.tell():
        raise DataError("it has an array whose data does not fit its shape")
    stream.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
