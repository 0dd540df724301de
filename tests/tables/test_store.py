"""Table files: what is written is read, and damage never goes unnoticed."""

import hashlib
import json
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.tables import Description, Metric, Table, load, open_table, write
from nasbench_lab.tables.store import FORMAT_VERSION, writing
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain", failures=0.1)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "table.h5"
    write(TABLE, path)
    return path


def read_everything(path):
    table = open_table(path)
    return {name: np.array(table.values(name)) for name in table.metrics}


def test_round_trip(stored):
    table = open_table(stored)
    assert table.description == TABLE.description
    assert len(table.checksum) == 64
    for name in TABLE.metrics:
        assert np.array_equal(table.values(name), TABLE.values(name), equal_nan=True)
    assert load(stored).name == TABLE.name
    assert load(str(stored)).checksum == table.checksum


def test_published_means_are_kept(tmp_path):
    means = np.full((TABLE.space.size, 2), 0.25)
    values = {name: np.array(TABLE.values(name)) for name in TABLE.metrics}
    values["valid_accuracy"][:] = np.nan
    write(Table(TABLE.description, values, {"valid_accuracy": means}), tmp_path / "means.h5")
    table = open_table(tmp_path / "means.h5")
    assert (table.mean_values("valid_accuracy") == 0.25).all()
    assert table.published_means("test_accuracy") is None


def test_the_checksum_is_of_the_content_not_of_the_file(tmp_path, stored):
    again = tmp_path / "again.h5"
    write(TABLE, again)
    assert open_table(again).checksum == open_table(stored).checksum
    write(synthetic_table("chain", failures=0.1, seed=1), again)
    assert open_table(again).checksum != open_table(stored).checksum


def test_values_are_mapped_not_copied(stored):
    array = open_table(stored).values("valid_accuracy")
    while array.base is not None and not isinstance(array, np.memmap):
        array = array.base
    assert isinstance(array, np.memmap)


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_gives_an_error_or_the_true_values(stored, tmp_path, data):
    content = bytearray(stored.read_bytes())
    if data.draw(st.booleans(), label="truncate"):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(content)
    try:
        values = read_everything(damaged)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        for name, array in values.items():
            assert np.array_equal(array, TABLE.values(name), equal_nan=True)


def test_a_flipped_bit_in_an_array_is_noticed_when_it_is_used(stored, tmp_path):
    with h5py.File(stored) as file:
        offset = file["values/valid_accuracy"].id.get_offset()
    content = bytearray(stored.read_bytes())
    content[offset + 100] ^= 1
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(content)
    table = open_table(damaged)
    table.values("test_accuracy")
    with pytest.raises(DataError, match="'valid_accuracy' does not match its checksum"):
        table.lookup(0)


def test_other_files_are_refused_in_one_line(tmp_path, stored):
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(DataError, match="is not a readable table: it is not an HDF5 file"):
        load(text)
    with pytest.raises(DataError, match="there is no file"):
        load(tmp_path / "missing.h5")
    with pytest.raises(DataError, match="there is no file"):
        open_table(tmp_path)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = [1]
    with pytest.raises(DataError, match="not a table of nasbench-lab"):
        load(foreign)
    newer = tmp_path / "newer.h5"
    newer.write_bytes(stored.read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(DataError, match=f"format version 99; this release reads versions 2 to {FORMAT_VERSION}"):
        load(newer)


def test_a_description_that_was_changed_is_noticed(tmp_path, stored):
    changed = tmp_path / "changed.h5"
    changed.write_bytes(stored.read_bytes())
    with h5py.File(changed, "r+") as file:
        text = file["description"][:].tobytes().replace(b"made up", b"measured")
        del file["description"]
        file["description"] = np.frombuffer(text, np.uint8)
    with pytest.raises(DataError, match="description does not match its checksum"):
        load(changed)


CRAFTED = [
    {"space": ["chain"]},
    {"space": {"name": "chain", "choices": "012", "length": 10**12}},
    {"name": "two\nlines"},
    {"title": "\x1b[2J"},
    {"citation": 5},
    {"notes": [5]},
    {"licence": None},
    {"fidelities": [4.0, 12.0]},
]


@pytest.mark.parametrize("change", [None, *CRAFTED], ids=lambda change: next(iter(change), "") if change else "digests")
def test_a_crafted_file_with_right_checksums_is_refused(tmp_path, stored, change):
    crafted = tmp_path / "crafted.h5"
    crafted.write_bytes(stored.read_bytes())
    with h5py.File(crafted, "r+") as file:
        description, digests = (file[name][:].tobytes().decode() for name in ("description", "digests"))
        if change is None:
            digests = json.dumps(list(json.loads(digests)))
        else:
            description = json.dumps({**json.loads(description), **change})
        for name, text in (("description", description), ("digests", digests)):
            del file[name]
            file[name] = np.frombuffer(text.encode(), np.uint8)
        file.attrs["checksum"] = hashlib.sha256(f"{description}\n{digests}".encode()).hexdigest()
    with pytest.raises(DataError):
        load(crafted)


def test_compressed_arrays_cannot_be_mapped_and_are_refused(tmp_path, stored):
    packed = tmp_path / "packed.h5"
    packed.write_bytes(stored.read_bytes())
    with h5py.File(packed, "r+") as file:
        values = file["values/parameters"][:]
        del file["values/parameters"]
        file.create_dataset("values/parameters", data=values, compression="gzip")
    with pytest.raises(DataError, match="not a contiguous array"):
        load(packed)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "table.h5"
    write(TABLE, path)
    before = path.read_bytes()

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write(TABLE, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["table.h5"]


def test_unwritable_places_are_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write(TABLE, tmp_path / "file" / "table.h5")


def test_killing_a_writer_never_leaves_half_a_table(tmp_path):
    path = tmp_path / "table.h5"
    write(TABLE, path)
    for attempt in range(5):
        code = f"""if True:
            from nasbench_lab.tables import load, write
            table = load({str(path)!r})
            print("begun", flush=True)
            while True:
                write(table, {str(path)!r})
        """
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        writer.stdout.readline()  # it has begun
        time.sleep(0.02 + 0.013 * attempt)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert open_table(path).checksum
        for name, array in read_everything(path).items():
            assert np.array_equal(array, TABLE.values(name), equal_nan=True)


def test_a_table_is_written_piece_by_piece(tmp_path):
    table = synthetic_table("chain")
    with writing(table.description, tmp_path / "mine.h5", dtypes={"test_accuracy": np.float32}) as draft:
        assert all(np.isnan(array).all() for array in draft.values.values())
        for index in np.random.default_rng(0).permutation(table.space.size):
            for metric, array in draft.values.items():
                array[index] = table.values(metric)[index]
    found = open_table(tmp_path / "mine.h5")
    assert found.values("test_accuracy").dtype == np.float32
    np.testing.assert_array_equal(found.values("valid_accuracy"), table.values("valid_accuracy"))


def test_an_error_while_writing_leaves_the_older_file(tmp_path, stored):
    before = stored.read_bytes()
    with pytest.raises(ValueError, match="stop"), writing(synthetic_table("chain").description, stored) as draft:
        draft.values["test_accuracy"][:] = 1.0
        raise ValueError("stop")
    assert stored.read_bytes() == before
    assert list(stored.parent.iterdir()) == [stored]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file whose largest array has several blocks, and that array."""
    path = tmp_path_factory.mktemp("large") / "large.h5"
    space = {"name": "chain", "choices": "0123456", "length": 6}
    metric = Metric("test_accuracy", "test", "percent", "maximize", "")
    description = Description("large", "", space, (1, 2, 3), ("a", "b", "c"), (metric,), None, "test_accuracy")
    values = np.random.default_rng(0).random((7**6, 3, 3))
    write(Table(description, {"test_accuracy": values}), path)
    return path, values


def test_a_row_is_verified_without_the_others(large, tmp_path):
    path, values = large
    content = bytearray(path.read_bytes())
    damaged = tmp_path / "damaged.h5"
    content[content.index(values[-1].tobytes())] ^= 1
    damaged.write_bytes(content)
    table = open_table(damaged)
    np.testing.assert_array_equal(table.row("test_accuracy", 0), values[0])
    for index in (7**6 - 1, 7**6 - 2):  # the damaged row, and another of its block
        with pytest.raises(DataError, match="does not match its checksum"):
            table.row("test_accuracy", index)
    with pytest.raises(DataError, match="does not match its checksum"):
        table.values("test_accuracy")


@given(st.lists(st.integers(0, 7**6 - 1), min_size=1, max_size=20))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_those_of_the_array(large, indices):
    path, values = large
    table = open_table(path)
    for index in indices:
        np.testing.assert_array_equal(table.row("test_accuracy", index), values[index])
