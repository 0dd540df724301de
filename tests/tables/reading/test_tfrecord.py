"""TFRecord files: every record is verified, and whatever is wrong is named."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nas_bench_101_files import framed, masked_crc

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading import tfrecord
from nasbench_lab.tables.reading.tfrecord import LONGEST, batches


def read(content, **options):
    return [data for batch in batches(io.BytesIO(content), "some.tfrecord", **options) for data in batch.data]


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as pipes do."""

    def __init__(self, content, step):
        self._stream, self._step = io.BytesIO(content), step

    def read(self, size=-1):
        return self._stream.read(min(size, self._step))


records_of_bytes = st.lists(st.binary(max_size=300), max_size=20)


@given(records_of_bytes, st.integers(1, 50))
def test_records_come_back_however_they_are_cut_into_pieces(records, step):
    content = b"".join(map(framed, records))
    assert read(content) == records
    found = list(batches(Trickle(content, step), "some.tfrecord"))
    assert [data for batch in found for data in batch.data] == records
    for batch in found:
        for position, data in enumerate(batch.data):
            assert records[batch.number + position] == data
            start = batch.offsets[position]
            assert content[start : start + len(data) + 16] == framed(data)
    assert not found or found[-1].end == len(content)


def test_many_chunks(monkeypatch):
    monkeypatch.setattr(tfrecord, "_CHUNK", 1000)
    records = [bytes([i % 251]) * (i % 97) for i in range(2_000)]
    found = list(batches(io.BytesIO(b"".join(map(framed, records))), "some.tfrecord", longest=100))
    assert [data for batch in found for data in batch.data] == records
    assert len(found) > 50


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.data())
def test_a_flipped_bit_is_found_and_named(records, data):
    content = bytearray(b"".join(map(framed, records)))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    ends = [sum(len(framed(r)) for r in records[: i + 1]) for i in range(len(records))]
    damaged = next(number for number, end in enumerate(ends) if bit // 8 < end)
    offset = ([0, *ends])[damaged]
    with pytest.raises(DataError, match=rf"^some.tfrecord, record {damaged} at byte {offset}: ") as error:
        read(bytes(content))
    assert "\n" not in str(error.value)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.data())
def test_a_truncated_file_is_named(records, data):
    content = b"".join(map(framed, records))
    kept = data.draw(st.integers(1, len(content) - 1))
    ends = [sum(len(framed(r)) for r in records[: i + 1]) for i in range(len(records))]
    if kept in ends:
        assert read(content[:kept]) == records[: ends.index(kept) + 1]
        return
    damaged = next(number for number, end in enumerate(ends) if kept < end)
    with pytest.raises(DataError, match=rf"record {damaged} at byte \d+: the file ends inside the record"):
        read(content[:kept])


@pytest.mark.parametrize("length", [LONGEST + 1, 2**40, 2**63, 2**64 - 1])
def test_a_hostile_length_gets_no_memory(length):
    head = struct.pack("<Q", length)
    content = framed(b"good") + head + struct.pack("<I", masked_crc(head)) + b"x" * 100
    with pytest.raises(DataError, match=f"record 1 at byte 20: it has {length} bytes, more than the allowed"):
        read(content)


@pytest.mark.parametrize("length", [5, 2**20, 2**40, 2**64 - 1])
def test_a_length_without_its_checksum_is_not_believed(length):
    content = framed(b"good") + struct.pack("<QI", length, 7) + b"x" * 100
    with pytest.raises(DataError, match="record 1 at byte 20: the length does not match its checksum"):
        read(content)


def test_limits_and_empty_files():
    assert read(b"") == []
    assert read(framed(b"")) == [b""]
    assert read(framed(b"12345"), longest=5) == [b"12345"]
    with pytest.raises(DataError, match="it has 6 bytes, more than the allowed 5"):
        read(framed(b"123456"), longest=5)
    with pytest.raises(DataError, match="record 0 at byte 0"):
        read(b"this is a text file, and not a file of records")


@given(st.binary(min_size=1, max_size=200))
def test_noise_is_never_read(content):
    with pytest.raises(DataError):
        read(content)
