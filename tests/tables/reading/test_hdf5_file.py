"""HDF5 files from anywhere: honest ones are read, whatever else they could do is refused."""

import io
import time

import h5py
import numpy as np
import pytest

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading.hdf5_file import open_hdf5


def content(fill, **options):
    """The bytes of a file that a function fills."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="v110", **options) as file:
        fill(file)
    return memory.getvalue()


def refused(data, read, reason):
    with pytest.raises(DataError, match=reason) as caught, open_hdf5(data) as file:
        read(file)
    assert "\n" not in str(caught.value)


def test_honest_members_are_read(tmp_path):
    def fill(file):
        file.attrs["fixed"], file.attrs["variable"], file.attrs["number"] = np.bytes_("ä".encode()), "ö", 7
        for kind in ("?", "i1", "<u8", ">f4", "<f8"):
            file.create_dataset(f"a/b/{kind}", data=np.arange(6).reshape(2, 3).astype(kind), compression="gzip")
        file.create_dataset("a/plain", data=np.arange(3.0))
        file.create_dataset("a/empty", data=np.empty((0, 3)))

    data = content(fill)
    (tmp_path / "file.h5").write_bytes(data)
    for source in (data, tmp_path / "file.h5"):
        with open_hdf5(source) as file:
            assert (file.text("fixed"), file.text("variable"), file.whole("number")) == ("ä", "ö", 7)
            assert file.names() == ["a"]
            inner = file.group("a/b")
            for name, array in inner.arrays().items():
                assert array.dtype == np.dtype(name)
                assert np.array_equal(array, np.arange(6).reshape(2, 3).astype(name))
            assert file.group("a").array("plain").tolist() == [0, 1, 2]
            assert file.group("a").array("empty").shape == (0, 3)


def test_what_gzip_can_shrink_most_is_still_read():
    same = np.full(2**21, 1.5)  # 16 MiB in 20 kilobytes
    chunked = {"compression": "gzip", "shuffle": True, "chunks": (2**18,)}
    data = content(lambda file: file.create_dataset("same", data=same, **chunked))
    assert len(data) < same.nbytes / 500
    with open_hdf5(data) as file:
        assert (file.array("same") == 1.5).all()


@pytest.mark.parametrize("at", ["first", "free"])
def test_a_heap_without_end_is_refused_at_once(at):
    def fill(file):
        for number in range(40):
            file.attrs[f"text {number}"] = "x" * 50

    data = bytearray(content(fill))
    start = data.index(b"GCOL") + 16
    place = start if at == "first" else start + 40 * (16 + 56)
    data[place : place + 16] = bytes(16)
    began = time.perf_counter()
    refused(bytes(data), lambda file: file.text("text 39"), "its texts are damaged")
    assert time.perf_counter() - began < 5


def test_a_heap_is_found_however_it_is_read():
    """HDF5 may have read a part of its signature before, together with something else."""
    from nasbench_lab.tables.reading.hdf5_file import _CheckedFile

    data = bytearray(content(lambda file: file.attrs.update({"text": "x"})))
    start = data.index(b"GCOL")
    data[start + 16 : start + 32] = bytes(16)
    for cut in range(1, 5):
        checked = _CheckedFile(io.BytesIO(bytes(data)))
        for begin, end in ((start - 8, start + cut), (start + cut, start + 64)):
            checked.seek(begin)
            with pytest.raises(DataError):
                checked.readinto(memoryview(bytearray(end - begin)))


def test_lengths_of_other_widths_are_refused():
    for libver, at in (("v110", 10), ("earliest", 14)):
        memory = io.BytesIO()
        with h5py.File(memory, "w", libver=libver) as file:
            file["x"] = [1]
        data = bytearray(memory.getvalue())
        assert data[at] == 8
        with open_hdf5(bytes(data)) as file:
            assert file.array("x").tolist() == [1]
        data[at] = 4
        refused(bytes(data), lambda file: file.array("x"), "not an HDF5 file of a supported kind")


def linked(file):
    file["soft"], file["outside"] = h5py.SoftLink("/a"), h5py.ExternalLink("/dev/zero", "/")
    file["a"] = [1.0]


STRANGE = {
    "soft": (linked, "a link to another place"),
    "outside": (linked, "a link to another place"),
    "missing": (linked, "has no member"),
    "a/b": (linked, "has no member"),
    "": (linked, "has no member"),
    "texts": (lambda file: file.create_dataset("texts", data=["a", "b"]), "not an array of numbers"),
    "pairs": (lambda file: file.create_dataset("pairs", data=np.zeros(2, "i4,f8")), "not an array of numbers"),
    "group": (lambda file: file.create_group("group"), "not an array of numbers"),
    "elsewhere": (
        lambda file: file.create_dataset("elsewhere", (4,), "u1", external=[("/dev/zero", 0, 4)]),
        "in other files",
    ),
    "virtual": (
        lambda file: file.create_virtual_dataset("virtual", h5py.VirtualLayout((4,), "u1")),
        "in other files",
    ),
    "huge": (lambda file: file.create_dataset("huge", (2**40,), "f8"), "more than the file can have"),
    "huge chunks": (
        lambda file: file.create_dataset("huge chunks", (2**40,), "f8", chunks=(2**20,), compression="gzip"),
        "more than the file can have",
    ),
    "huge chunk": (
        lambda file: file.create_dataset("huge chunk", (3,), "f8", maxshape=(None,), chunks=(2**28,)),
        "more than the file can have",
    ),
    "other filter": (
        lambda file: file.create_dataset("other filter", data=np.zeros(100), compression="lzf"),
        "a way that is not supported",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_members_are_refused(name):
    fill, reason = STRANGE[name]
    refused(content(fill), lambda file: file.array(name), reason)


def test_one_array_under_many_names_is_not_read_without_end():
    def fill(file):
        array = file.create_dataset("array", data=np.zeros(2**19), compression="gzip")
        for number in range(500):
            file[f"other {number}"] = array

    refused(content(fill), lambda file: file.arrays(), "more than the file can have")


@pytest.mark.parametrize("value", [[1, 2], 1.5, "text", np.arange(3)])
def test_attributes_of_other_kinds_are_refused(value):
    refused(content(lambda file: file.attrs.update(x=value)), lambda file: file.whole("x"), "its attribute 'x' is not")
    if not isinstance(value, str):
        refused(content(lambda file: file.attrs.update(x=value)), lambda file: file.text("x"), "attribute 'x' is not")
    refused(content(len), lambda file: file.text("x"), "has no attribute 'x'")
