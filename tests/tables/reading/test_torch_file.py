"""Torch files are read without torch: both forms, and nothing hostile."""

import collections
import io
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats_files import torch_stream, torch_zip

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading import torch_file

LATENCY = "HayeonLee/HELP/data/nasbench201/latency"
DATA = {"a": [1, 2.5, None, True], "b": collections.OrderedDict(x=(1, "y")), 3: {"c": b"d"}}


class Tensor:
    """Pickles as a tensor does: a call with a reference to numbers outside of the pickle."""

    def __init__(self, key, length, offset=0, shape=(2,), strides=(1,), kind="FloatStorage", extra=()):
        self.reference = ("storage", Global("torch", kind), key, "cpu", length, *extra)
        self.arguments = (offset, shape, strides, False, collections.OrderedDict())


class Global:
    def __init__(self, module, name):
        self.module, self.name = module, name

    def __reduce__(self):
        raise AssertionError("written by hand")


class Writer(pickle._Pickler):
    """Python's own pickler, with tensors."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Global):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.write(b"(")
            self.save(obj.reference)
            self.write(b"Q")
            for argument in obj.arguments:
                self.save(argument)
            self.write(b"tR")
        else:
            super().save(obj, save_persistent_id)


def dumps(content):
    buffer = io.BytesIO()
    Writer(buffer, 2).dump(content)
    return buffer.getvalue()


def stored(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def both_forms(content, numbers):
    """The same tensors in both forms; ``numbers`` is key to array."""
    data = dumps(content)
    members = [("archive/data.pkl", data), *((f"archive/data/{key}", a.tobytes()) for key, a in numbers.items())]
    return {"zip": stored(members), "stream": torch_stream(data, list(numbers.items()))}


@pytest.mark.mirror
def test_published_latencies_are_read(mirror):
    for path in sorted((mirror / LATENCY).glob("*.pt")):
        with zipfile.ZipFile(path) as archive:
            expected = pickle.loads(archive.read("archive/data.pkl"))
        assert torch_file.load(path) == torch_file.load(path.read_bytes()) == expected
        assert {type(value) for value in expected} <= {float, int}


@pytest.mark.parametrize("write", [torch_zip, torch_stream])
def test_plain_data(write):
    assert torch_file.load(write(DATA)) == DATA


@pytest.mark.parametrize("form", ["zip", "stream"])
def test_tensors_become_arrays(form):
    numbers = {"0": np.arange(6, dtype="<f4"), "7": np.arange(4, dtype="<i8")}
    content = {
        "row": Tensor("0", 6, shape=(2, 3), strides=(3, 1)),
        "turned": Tensor("0", 6, shape=(3, 2), strides=(1, 3)),
        "part": Tensor("0", 6, offset=2, shape=(2,), strides=(2,)),
        "scalar": Tensor("7", 4, offset=3, shape=(), strides=(), kind="LongStorage"),
        "empty": Tensor("0", 6, shape=(0, 3), strides=(3, 1)),
    }
    found = torch_file.load(both_forms(content, numbers)[form])
    expected = np.arange(6, dtype="f4").reshape(2, 3)
    assert np.array_equal(found["row"], expected)
    assert np.array_equal(found["turned"], expected.T)
    assert found["part"].tolist() == [2, 4]
    assert found["scalar"] == 3
    assert found["empty"].shape == (0, 3)
    assert found["row"].dtype == np.float32
    assert found["scalar"].dtype == np.int64


@pytest.mark.parametrize("zip_form", [True, False])
def test_what_torch_writes_is_what_is_read(zip_form):
    torch = pytest.importorskip("torch")
    kinds = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
    tensors = {kind: torch.arange(6).reshape(2, 3).to(getattr(torch, kind)) for kind in kinds}
    content = {**tensors, "turned": tensors["float32"].T, "part": tensors["int64"][:, 1], "scalar": torch.tensor(3)}
    state = torch.nn.Linear(2, 3).state_dict()
    buffer = io.BytesIO()
    whole = {"tensors": content, "state": state, "size": torch.Size([1, 2]), "plain": DATA}
    torch.save(whole, buffer, _use_new_zipfile_serialization=zip_form)
    found = torch_file.load(buffer.getvalue())
    for name, tensor in content.items():
        assert found["tensors"][name].dtype == tensor.numpy().dtype
        assert np.array_equal(found["tensors"][name], tensor.numpy())
    assert {name: array.tolist() for name, array in found["state"].items()} == {k: v.tolist() for k, v in state.items()}
    assert found["size"] == (1, 2)
    assert found["plain"] == DATA


GOOD = dumps(Tensor("0", 2))
NUMBERS = np.zeros(2, dtype="<f4")
BAD_TENSORS = {
    "beyond the data": Tensor("0", 2, shape=(3,)),
    "offset beyond": Tensor("0", 2, offset=2, shape=(1,)),
    "negative offset": Tensor("0", 2, offset=-1, shape=(1,)),
    "negative stride": Tensor("0", 2, shape=(2,), strides=(-1,)),
    "huge stride": Tensor("0", 2, shape=(2,), strides=(2**61,)),
    "repeated without end": Tensor("0", 2, shape=(2**40,), strides=(0,)),
    "shape of text": Tensor("0", 2, shape=("a",)),
    "shape without strides": Tensor("0", 2, shape=(1, 1)),
    "too many axes": Tensor("0", 2, shape=(1,) * 65, strides=(0,) * 65),
    "huge storage": Tensor("0", 2**50),
    "negative storage": Tensor("0", -1),
    "another length": Tensor("0", 3),
    "another key": Tensor("1", 2),
    "view of a storage": Tensor("0", 2, extra=(("x", 0, 2),)),
    "unknown kind": Tensor("0", 2, kind="ComplexFloatStorage"),
}


@pytest.mark.parametrize("form", ["zip", "stream"])
@pytest.mark.parametrize("name", BAD_TENSORS)
def test_tensors_that_do_not_fit_their_data_are_refused(name, form):
    check_refused(both_forms([BAD_TENSORS[name]], {"0": NUMBERS})[form])


def pathed(*names):
    return stored([(name, GOOD if name.endswith("data.pkl") else NUMBERS.tobytes()) for name in names])


def test_the_honest_form_of_the_tricks_is_read():
    assert torch_file.load(pathed("archive/data.pkl", "archive/data/0")).tolist() == [0, 0]


SYSTEM = b"cos\nsystem\n(S'true'\ntR."
TRICKS = {
    "parent": lambda: pathed("archive/data.pkl", "archive/data/0", "archive/../../evil"),
    "absolute": lambda: pathed("archive/data.pkl", "archive/data/0", "/etc/evil"),
    "backslash": lambda: pathed("archive/data.pkl", "archive/data/0", "archive\\..\\evil"),
    "two folders": lambda: pathed("archive/data.pkl", "archive/data/0", "other/data.pkl"),
    "no folder": lambda: pathed("data.pkl", "data/0"),
    "no pickle": lambda: pathed("archive/data/0"),
    "no data": lambda: pathed("archive/data.pkl"),
    "empty archive": lambda: stored([]),
    "bomb": lambda: stored([("archive/data.pkl", b"\x80\x02]." + bytes(50_000_000))], zipfile.ZIP_DEFLATED),
    "other byte order": lambda: stored(
        [("archive/data.pkl", GOOD), ("archive/data/0", bytes(8)), ("archive/byteorder", "big")]
    ),
    "hostile pickle": lambda: stored([("archive/data.pkl", SYSTEM)]),
    "hostile stream": lambda: torch_stream(SYSTEM),
    "hostile beginning": lambda: SYSTEM,
    "hostile list of keys": lambda: torch_stream(b"\x80\x02].").removesuffix(pickle.dumps([], 2)) + SYSTEM,
    "storage of something else": lambda: torch_stream(b"\x80\x02K\x01Q."),
    "text": lambda: b"just text",
    "nothing": lambda: b"",
    "a plain pickle": lambda: pickle.dumps([1]),
    "numbers missing": lambda: torch_stream(GOOD, [("0", NUMBERS)])[:-1],
    "other length": lambda: torch_stream(GOOD, [("0", np.zeros(3, "<f4"))]),
    "keys missing": lambda: torch_stream(GOOD, []),
    "cpython module": lambda: torch_stream(b"ctorch\nload\n."),
    "jit": lambda: torch_stream(b"ctorch.jit._pickle\nbuild_intlist\n."),
}


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_are_refused(name):
    check_refused(TRICKS[name]())


def check_refused(content):
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            torch_file.load(content)
        assert "\n" not in str(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_must_not_be_there_twice():
    check_refused(stored([("archive/data.pkl", GOOD), ("archive/data/0", bytes(8)), ("archive/data/0", bytes(8))]))


def test_a_member_may_not_lie_about_its_size():
    content = bytearray(pathed("archive/data.pkl", "archive/data/0"))
    directory = content.index(b"PK\x01\x02")
    content[directory + 20 : directory + 28] = struct.pack("<II", 2**31, 2**31)
    check_refused(bytes(content))


def test_files_that_are_too_large_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_file, "MOST_BYTES", 100)
    path = tmp_path / "large.pt"
    path.write_bytes(torch_zip([1.0] * 100))
    for source in (path, path.read_bytes()):
        with pytest.raises(DataError, match="more than 100 bytes"):
            torch_file.load(source)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        torch_file.load(tmp_path / "none.pt")


SAMPLES = [*both_forms([Tensor("0", 2), DATA], {"0": NUMBERS}).values()]


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=500)
def test_damaged_files_never_raise_anything_else(sample, choice):
    content = bytearray(sample)
    position = choice.draw(st.integers(0, len(content) - 1))
    if choice.draw(st.booleans()):
        del content[position:]
    else:
        content[position] ^= 1 << choice.draw(st.integers(0, 7))
    try:
        torch_file.load(bytes(content))
    except DataError as error:
        assert "\n" not in str(error)
