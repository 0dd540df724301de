"""Our pickle machine reads what Python's does, in bounded memory, and nothing hostile."""

import collections
import io
import math
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading import pickle_stream, unpickle
from nasbench_lab.tables.reading.pickle_machine import PickleMachine
from nasbench_lab.tables.reading.pickle_stream import MOST_PENDING, PickleStream

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ALLOWED = unpickle.ALLOWED

plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text() | st.binary()
keys = st.integers(0, 300) | st.text(max_size=9) | st.just("items") | st.tuples(st.text(max_size=3), st.integers(0, 3))
data = st.recursive(
    plain,
    lambda part: (
        st.lists(part)
        | st.dictionaries(keys, part)
        | st.tuples(part, part)
        | st.builds(collections.OrderedDict, st.dictionaries(keys, part))
        | st.sets(st.integers() | st.text())
        | st.frozensets(st.integers())
    ),
    max_leaves=30,
)
runs = st.dictionaries(
    st.integers(0, 300)
    | st.builds("{}@{}".format, st.sampled_from(["x-valid", "ori-test"]), st.integers(0, 300))
    | st.text(alphabet="GqrX\x94\x8cab", max_size=5),
    st.floats(allow_nan=False),
    max_size=60,
)


def chunks(content, size):
    """A stream that never gives more than ``size`` bytes at once."""
    stream = io.BytesIO(content)
    return lambda wanted: stream.read(min(wanted, size))


@given(data | runs | st.lists(runs), st.sampled_from(PROTOCOLS))
def test_any_data_is_read_as_python_does(value, protocol):
    content = pickle.dumps(value, protocol)
    found = unpickle.load(content)
    assert found == value
    assert repr(found) == repr(pickle.loads(content))


@given(st.lists(data | runs, max_size=4), st.sampled_from(PROTOCOLS), st.integers(1, 70))
def test_where_a_stream_is_cut_does_not_matter(value, protocol, size):
    content = pickle.dumps(value, protocol)
    assert PickleMachine(b"", ALLOWED, read=chunks(content, size)).load() == value


@given(runs, st.sampled_from(PROTOCOLS))
def test_shared_keys_are_read_as_python_does(run, protocol):
    """Dictionaries with the same keys: the second refers to the keys of the first."""
    value = [run, {key: number + 1 for key, number in run.items()}, list(run)]
    assert unpickle.load(pickle.dumps(value, protocol)) == value


def test_objects_that_contain_themselves_are_read():
    loop = []
    loop.append(loop)
    found = unpickle.load(pickle.dumps(loop))
    assert found[0] is found


def stream_of(content, key="items", size=2**16):
    class Cut(io.BytesIO):
        def read(self, wanted=-1):
            return super().read(min(wanted, size))

    return PickleStream(lambda: Cut(content), key, ALLOWED)


def last_pass(stream):
    """The items that a stream gave last, and how often it began anew."""
    given_items = list(stream)
    first = given_items[0][0] if given_items else None
    starts = [i for i, (key, _) in enumerate(given_items) if key == first]
    return given_items[starts[-1] :] if starts else [], len(starts) - 1


shared = st.lists(st.text(max_size=5) | st.lists(st.integers(0, 9), max_size=3) | st.binary(max_size=3), max_size=4)


@given(
    st.dictionaries(st.integers(0, 2000), data | runs, max_size=8),
    shared,
    st.data(),
    st.sampled_from(PROTOCOLS[1:]),
    st.booleans(),
)
@settings(max_examples=200)
def test_items_are_those_of_the_dictionary(items, common, choice, protocol, ordered):
    """Whatever items share with each other, and with what is around them."""
    for key in items:
        if common:
            items[key] = [items[key], *choice.draw(st.lists(st.sampled_from(common), max_size=3))]
    if ordered:
        items = collections.OrderedDict(items)
    whole = {"before": common, "more": 1, "items": items, "after": list(common)}
    stream = stream_of(pickle.dumps(whole, protocol), size=choice.draw(st.sampled_from([7, 1000])))
    found, _ = last_pass(stream)
    assert found == list(items.items())
    assert stream.rest == {**whole, "items": {}}


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
@pytest.mark.parametrize("count", [0, 1, 2, 999, 1000, 1001, 2001])
def test_items_come_in_batches_of_a_thousand(protocol, count):
    items = {f"item {i}": {"x": float(i), "y": [i]} for i in range(count)}
    for whole in ({"items": items}, {"names": list(items), "items": items, "end": None}):
        stream = stream_of(pickle.dumps(whole, protocol))
        assert list(stream) == list(items.items())
        assert stream.rest == {**whole, "items": {}}


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
def test_items_may_have_the_key_of_the_dictionary_of_items(protocol):
    inner = [
        {"items": {1: {"x": 2}}},
        {"items": {1: 2}},
        {"items": {"items": {}}, "x": 1},
        {"items": {"a": 1, "b": {}}},
    ]
    for each in inner:
        for items in ({0: each}, {0: each, 1: each["items"]}, {"items": each}, {0: {"x": each}, 1: {"y": dict(each)}}):
            for whole in ({"items": items}, {"a": 1, "items": items}, {"items": items, "b": each}):
                stream = stream_of(pickle.dumps(whole, protocol))
                assert last_pass(stream)[0] == list(items.items())
                assert stream.rest == {**whole, "items": {}}


def test_texts_that_python_keeps_once_need_no_second_pass():
    items = {
        i: {"params": 0.5, "name": "cifar10", "curve": {f"x-valid@{e}": e / 7 for e in range(20)}} for i in range(9)
    }
    items = {key: dict(value) for key, value in items.items()}
    found, restarts = last_pass(stream_of(pickle.dumps({"a": 1, "items": items})))
    assert found == list(items.items())
    assert restarts == 0


def test_what_is_shared_from_afar_needs_another_pass():
    text = "".join(["a", "b"])
    once = {"t": "".join(["a", "b"]), "u": 1}  # an equal text, but another object: the shared one is not the first
    between = {i: {"n": [i], "m": i} for i in range(2, 40)}
    items = {0: once, 1: {"t": text, "u": 2}, **between, 40: {"t": text, "u": 3}, 41: {"o": once, "u": 4}}
    found, restarts = last_pass(stream_of(pickle.dumps({"a": 1, "items": items})))
    assert found == list(items.items())
    assert restarts == 1


def test_memory_is_bounded(tmp_path):
    """A file of twenty times the bytes that may be pending is read in the memory of a few items."""
    path = tmp_path / "large.pickle"
    with path.open("wb") as file:
        item = {f"curve {c}": {e: e / (c + 1) for e in range(200)} for c in range(20)}
        item |= {f"data {c}": bytes([c]) * 2000 for c in range(80)}
        count = 20 * MOST_PENDING // len(pickle.dumps(item)) + 1
        # The same bytes again and again, as an honest archive has: new objects every time.
        one = pickle.dumps(item)[2 + 9 : -1]  # without protocol, frame and stop
        file.write(b"\x80\x04}(\x8c\x05items}(")
        for index in range(count):
            file.write(b"M" + struct.pack("<H", index) + one)
        file.write(b"u\x8c\x01nK\x01u.")
    assert path.stat().st_size >= 20 * MOST_PENDING
    tracemalloc.start()
    try:
        read = 0
        for _, value in PickleStream(lambda: path.open("rb"), "items", ALLOWED):
            read += len(value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == 100 * count
    assert peak < 2 * MOST_PENDING


def huge(code, layout, length):
    return b"\x80\x04" + code + struct.pack(layout, length) + b"few bytes."


BOMBS = {
    "long binput": b"\x80\x02}r\xff\xff\xff\x7f.",
    "text of 2**62 bytes": huge(b"\x8d", "<Q", 2**62),
    "bytes of 2**62": huge(b"\x8e", "<Q", 2**62),
    "bytes of 2**32": huge(b"B", "<I", 2**32 - 1),
    "bytearray of 2**62": huge(b"\x96", "<Q", 2**62),
    "bytearray of 2**40": huge(b"\x96", "<Q", 2**40),
    "number of 2**31 bytes": huge(b"\x8b", "<i", 2**31 - 1),
    "number of negative length": huge(b"\x8b", "<i", -1),
    "string of negative length": huge(b"T", "<i", -5),
    "frame": huge(b"\x95", "<Q", 2**63),
    "copies of a list": b"\x80\x02](" + b"K\x01" * 2**15 + b"eq\x00(" + b"cbuiltins\nset\nh\x00\x85R" * 2**12 + b"l.",
    "hash of nested tuples": b"\x80\x02}" + b")" + b"2\x86" * 60 + b"K\x01s.",
    "set of nested tuples": b"\x80\x04\x8f(" + b")" + b"2\x86" * 60 + b"\x90.",
    "frozen set of nested tuples": b"\x80\x04(" + b")" + b"2\x86" * 60 + b"\x91.",
    "set made from nested tuples": b"\x80\x02cbuiltins\nset\n](" + b")" + b"2\x86" * 60 + b"e\x85R.",
    "ordered dictionary of nested tuples": b"\x80\x02ccollections\nOrderedDict\n](]("
    b")" + b"2\x86" * 60 + b"K\x01ee\x85R.",
    "ten million digits": b"I" + b"9" * 10_000_000 + b"\n.",
}


@pytest.mark.parametrize("bomb", [name for name in BOMBS if name not in ("long binput", "frame")])
def test_bombs_are_refused_in_little_memory(bomb):
    check_bomb(BOMBS[bomb], DataError)


def test_a_huge_number_in_the_memo_takes_no_memory():
    """Python's own machine reserves 32 gigabytes for it."""
    check_bomb(BOMBS["long binput"], None)


def test_the_length_of_a_frame_tells_nothing():
    check_bomb(b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"K\x01.", None)


def check_bomb(content, error):
    tracemalloc.start()
    try:
        if error is None:
            unpickle.load(content)
        else:
            with pytest.raises(error) as caught:
                unpickle.load(content)
            assert "\n" not in str(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_honest_keys_of_every_kind_are_read(protocol):
    keys = [(number, f"{number}", 0.5) for number in range(3_000)] + [2**64 + number**3 for number in range(3_000)]
    keys += [number / 7 for number in range(3_000)] + [-(2**63), 2**61 - 1, 2**61, None, True, b"x", "x" * 9_000]
    value = {"dictionary": dict.fromkeys(keys, 1.5), "set": set(keys), "frozen": frozenset(keys), "again": [keys] * 3}
    assert unpickle.load(pickle.dumps(value, protocol), encoding="latin1") == value
    scalars = {np.float64(0.5): 1, np.int64(2**62): 2, np.str_("text"): 3}
    assert unpickle.load(pickle.dumps(scalars, protocol), encoding="latin1") == scalars


HOSTILE = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "nested globals": b"\x80\x04\x8c\x08builtins\x8c\x0cset.__init__\x93.",
    "instance": b"(S'true'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'true'\no.",
    "extension": b"\x80\x02\x82\x01.",
    "keywords": b"\x80\x04cbuiltins\nset\n)}\x92.",
    "persistent": b"\x80\x02K\x01Q.",
    "persistent text": b"P1\n.",
    "buffer": b"\x80\x05\x97.",
    "getattr": b"cbuiltins\ngetattr\n(cbuiltins\nset\nS'__class__'\ntR.",
    "state of a set": b"\x80\x02cbuiltins\nset\n)R}b.",
    "call of a text": b"\x80\x02X\x01\x00\x00\x00a)R.",
    "call of an array": pickle.dumps(np.arange(3))[:-1] + b")R.",
    "new object of a text": b"\x80\x02X\x01\x00\x00\x00a)\x81.",
    "state of an array": pickle.dumps(np.arange(3))[:-1] + b"(K\x01tb.",
    "name with newlines": b"\x80\x04\x8c\x03a\nb\x8c\x03c\nd\x93.",
    "name of a number": b"\x80\x04K\x01K\x02\x93.",
    "unhashable key": b"\x80\x02}]K\x01s.",
    "items of a list": b"\x80\x02](K\x01K\x02u.",
    "appending to a dictionary": b"\x80\x02}K\x01a.",
    "three parts of items": b"\x80\x02}(K\x01K\x02K\x03u.",
    "nothing on the stack": b"\x80\x02.",
    "two objects": b"\x80\x02K\x01K\x02.",
    "open mark": b"\x80\x02(K\x01.",
    "no mark": b"\x80\x02}u.",
    "newer protocol": b"\x80\x09K\x01.",
    "unknown operation": b"\x80\x02\xff.",
    "empty": b"",
    "no stop": b"\x80\x02K\x01",
    "deep": b"\x80\x02" + b"]" * 1000 + b"(" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_one_line(name):
    for content in (HOSTILE[name], b"\x80\x02}(X\x05\x00\x00\x00items}(K\x00" + HOSTILE[name]):
        with pytest.raises(DataError) as caught:
            unpickle.load(content)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
        with pytest.raises(DataError):
            list(stream_of(content))


def test_an_item_that_is_too_large_is_refused():
    whole = {"a": 1, "items": {0: b"x" * 100, 1: [b"x" * 1000] * 10 + [bytes(999) for _ in range(4000)]}}
    with pytest.raises(DataError, match="more than 2097152 bytes in one item of 'items'"):
        list(stream_of(pickle.dumps(whole)))
    with pytest.raises(DataError, match="an object of 3000000 bytes"):
        list(stream_of(pickle.dumps({"a": 1, "items": {0: bytes(3_000_000)}})))


def test_numbers_of_the_memo_must_be_in_order():
    with pytest.raises(DataError, match="number its objects in order"):
        list(stream_of(b"\x80\x02}(X\x05\x00\x00\x00items}(K\x00}r\xff\xff\xff\x7fuu."))


@pytest.mark.parametrize("whole", [[1], {"a": 1}, {"items": 3}, {"items": [{}]}])
def test_something_else_is_no_dictionary_of_items(whole):
    with pytest.raises(DataError, match=r"not a dictionary with a dictionary 'items'|sets items of an object"):
        list(stream_of(pickle.dumps(whole)))


SAMPLE = pickle.dumps(
    {
        "names": ["a", "b"],
        "items": {
            i: {"curve": {e: e / 3 for e in range(9)}, "named": {f"x@{e}": e / 7 for e in range(9)}, "n": np.float64(i)}
            for i in range(3)
        },
        "end": {1, 2},
    },
    4,
)


@given(st.data())
@settings(max_examples=600)
def test_damaged_streams_never_raise_anything_else(choice):
    content = bytearray(SAMPLE)
    position = choice.draw(st.integers(0, len(content) - 1))
    if choice.draw(st.booleans()):
        del content[position:]
    else:
        content[position] ^= 1 << choice.draw(st.integers(0, 7))
    try:
        list(stream_of(bytes(content)))
    except DataError as error:
        assert "\n" not in str(error)


def test_numbers_are_exact():
    odd = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf]
    whole = {"items": {0: dict(enumerate(odd)), 1: {f"k@{i}": x for i, x in enumerate(odd)}}}
    for _, found in stream_of(pickle.dumps(whole)):
        assert [x.hex() for x in found.values()] == [x.hex() for x in odd]


def test_the_bounds_are_what_the_documentation_says():
    assert pickle_stream.MOST_PENDING == 2 * 2**20
