"""Hostile pickles: nothing is run, and the error is one line."""

import collections
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError
from nasbench_lab.tables import unpickle

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
    ids=lambda payload: str(payload.__reduce__()[0]),
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
@settings(max_examples=200)
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
