"""Hostile pickles: nothing is run, and the error is one line."""

import collections
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading import unpickle

TOUCHED = []


class Touch:
    """Appends to a list when it is unpickled the ordinary way."""

    def __reduce__(self):
        return (TOUCHED.append, ("run",))


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


HARMLESS = {
    "arrays": np.arange(6.0).reshape(2, 3),
    "scalars": [np.float64(1.5), np.int32(3)],
    "objects": np.array(["a", None], dtype=object),
    "nested": collections.OrderedDict(a=(1, b"x"), b={2, 3}, c=slice(1, 2)),
}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_and_arrays_are_read(protocol):
    loaded = unpickle.load(pickle.dumps(HARMLESS, protocol))
    assert np.array_equal(loaded["arrays"], HARMLESS["arrays"])
    assert loaded["scalars"] == HARMLESS["scalars"]
    assert loaded["objects"].tolist() == ["a", None]
    assert loaded["nested"] == HARMLESS["nested"]


@pytest.mark.parametrize(
    "payload",
    [
        Touch(),
        Calls(eval, "1"),
        Calls(exec, "pass"),
        Calls(getattr, "", "upper"),
        Calls(open, "/dev/null"),
        Calls(__import__, "os"),
        Calls(np.load, "x"),
        Calls(np.fromfile, "x"),
    ],
    ids=lambda payload: payload.__reduce__()[0].__name__,
)
def test_a_pickle_that_imports_anything_else_is_refused(payload):
    TOUCHED.clear()
    for wrapped in (payload, [1, {"a": payload}]):
        with pytest.raises(DataError, match="not allowed; nothing was run"):
            unpickle.load(pickle.dumps(wrapped))
    assert TOUCHED == []


@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x12ndarray.__reduce__\x93.",
        b"cnumpy.core.multiarray\n__builtins__\n.",
        b"cnumpy\nload\n.",
    ],
)
def test_handwritten_pickles_cannot_reach_further(code):
    with pytest.raises(DataError, match="not allowed"):
        unpickle.load(code)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_arbitrary_bytes_never_raise_anything_else(data):
    try:
        unpickle.load(data)
    except DataError as error:
        assert str(error)


@given(st.data())
@settings(max_examples=600)
def test_damaged_pickles_never_raise_anything_else(data):
    content = bytearray(pickle.dumps(HARMLESS))
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[position:]
    else:
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        unpickle.load(bytes(content))
    except DataError as error:
        assert str(error)


def crafted(kind, state, data, shape):
    """A pickle of an array whose dtype has a state of our choice."""

    class Dtype:
        def __reduce__(self):
            return np.dtype, (kind, False, True), state

    class Array:
        def __reduce__(self):
            reconstruct = np.array([1]).__reduce__()[0]
            return reconstruct, (np.ndarray, (0,), b"b"), (1, shape, Dtype(), False, data)

    return pickle.dumps(Array(), 4)


HONEST = (3, "<", None, None, None, -1, -1, 0)


def test_crafted_arrays_are_honest_ones_otherwise():
    data = np.arange(4.0).tobytes()
    assert unpickle.load(crafted("f8", HONEST, data, (2, 2))).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("flags", [1, 63, 2**31 - 1])
def test_flags_of_a_dtype_are_not_taken_from_a_pickle(flags):
    """With NumPy's own reader, this array's bytes are followed as pointers to objects."""
    state = (*HONEST[:-1], flags)
    found = unpickle.load(crafted("f8", state, np.arange(4.0).tobytes(), (4,)))
    assert found.dtype == np.dtype("f8")
    assert not found.dtype.hasobject
    assert found.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "state", "data", "shape"),
    [
        ("f8", HONEST, b"1234567", (1,)),
        ("f8", HONEST, b"12345678", (2,)),
        ("f8", HONEST, b"12345678", (-1,)),
        ("f8", HONEST, b"12345678", (2**62, 2**62)),
        ("f8", HONEST, [1.0], (1,)),
        ("O8", (3, "|", None, None, None, -1, -1, 63), b"12345678", (1,)),
        ("O8", (3, "|", None, None, None, -1, -1, 63), ["a"], (2,)),
        ("V8", HONEST, b"12345678", (1,)),
        ("f8,O8", HONEST, b"1234567812345678", (1,)),
        ("f8", (3, "<", ("O8", (1,)), None, None, -1, -1, 63), b"12345678", (1,)),
        ("f8", (3, "<", None, ("a",), {"a": ("O8", 0)}, 8, 8, 63), b"12345678", (1,)),
        ("f8", (), b"12345678", (1,)),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(kind, state, data, shape):
    with pytest.raises(DataError):
        unpickle.load(crafted(kind, state, data, shape))


@pytest.mark.parametrize("kind", ["<f4", ">f4", ">i8", "<u2", "?", "<c8", "S3", "<U5", ">U2", "i1"])
def test_arrays_of_every_plain_kind_are_read(kind):
    array = np.array([[0, 1], [2, 3]]).astype(kind)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        for each in (array, np.asfortranarray(array), array[0, 1], array[:0]):
            found = unpickle.load(pickle.dumps(each, protocol))
            assert found.dtype.newbyteorder("=") == each.dtype.newbyteorder("=")  # NumPy swaps bytes when it reads
            assert np.array_equal(found, each)


def test_the_class_of_arrays_cannot_be_called():
    code = b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93K\x05\x85R."  # numpy.ndarray(5)
    with pytest.raises(DataError):
        unpickle.load(code)
