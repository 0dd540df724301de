"""What is kept on disk: computed once, mapped by every process, repaired where damaged, optional."""

import json
import pickle
import subprocess
import sys
import zlib

import numpy as np
import pytest

from nasbench_lab.spaces import cell101
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.cell101_cache import KeptArrays
from nasbench_lab.spaces.cell101_edits import edits_of
from nasbench_lab.spaces.cell101_enumeration import VERSION, enumerate_cells
from nasbench_lab.spaces.neighbor_lists import mutual


class Squares:
    """Counts how often it is computed."""

    def __init__(self):
        self.computed = 0

    def __call__(self):
        self.computed += 1
        return {"squares": np.arange(1000) ** 2, "cubes": np.arange(1000) ** 3}


@pytest.fixture
def squares():
    return Squares()


@pytest.fixture
def folder(empty_cache, squares):
    """The folder of kept arrays, each computed once."""
    kept = KeptArrays("squares", squares)
    assert kept["squares"].tolist() == [n**2 for n in range(1000)]
    assert kept["cubes"][3] == 27
    assert squares.computed == 1
    return kept.folder


def assert_right(squares, computed):
    kept = KeptArrays("squares", squares)
    for name, power in (("squares", 2), ("cubes", 3)):
        array = kept[name]
        assert array.tolist() == [n**power for n in range(1000)]
        assert not array.flags.writeable
    assert squares.computed == computed
    return kept


def test_arrays_are_computed_once_and_then_mapped(folder, squares):
    assert isinstance(assert_right(squares, computed=1)["squares"], np.memmap)
    assert sorted(path.name for path in folder.iterdir()) == ["checksums.json", "cubes.npy", "squares.npy"]


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / "squares.npy", 0),
        lambda folder: flip(folder / "squares.npy", 60),
        lambda folder: flip(folder / "squares.npy", -1),
        lambda folder: (folder / "squares.npy").write_bytes((folder / "squares.npy").read_bytes()[:-8]),
        lambda folder: (folder / "squares.npy").write_bytes(b""),
        lambda folder: (folder / "squares.npy").unlink(),
        lambda folder: flip(folder / "checksums.json", 20),
        lambda folder: (folder / "checksums.json").write_bytes(b"\xff\x00"),
        lambda folder: (folder / "checksums.json").write_text("[]"),
        lambda folder: (folder / "checksums.json").write_text("7"),
        lambda folder: (folder / "checksums.json").unlink(),
    ],
)
def test_what_is_damaged_is_computed_again_and_repaired(folder, squares, damage):
    damage(folder)
    assert_right(squares, computed=2)
    assert_right(squares, computed=2)


def test_arrays_that_are_mapped_outlive_a_repair(folder, squares):
    before = KeptArrays("squares", squares)["cubes"]
    flip(folder / "squares.npy", -1)
    assert_right(squares, computed=2)
    assert before[-1] == 999**3


def test_without_a_place_to_write_the_arrays_stay_in_memory(empty_cache, squares):
    empty_cache.write_text("a file is in the way")
    kept = assert_right(squares, computed=1)
    assert_right(squares, computed=2)
    assert kept["squares"] is kept["squares"]
    assert empty_cache.read_text() == "a file is in the way"


def test_what_has_no_name_is_not_kept(empty_cache, squares):
    assert KeptArrays(None, squares)["cubes"][2] == 8
    assert not empty_cache.exists()


def test_foreign_files_in_the_folder_are_left_alone(folder, squares):
    (folder / "notes.txt").write_text("mine")
    (folder / "squares.npy").unlink()
    assert_right(squares, computed=2)
    assert (folder / "notes.txt").read_text() == "mine"


ASK = """if True:
    import sys
    from nasbench_lab.spaces import Cell101Space
    space = Cell101Space(5)
    print(space.module_hash(7), space.index_of_cell(*space.cell(7)), *space.neighbors(7))
"""


def test_several_processes_at_once(empty_cache):
    asking = [subprocess.Popen([sys.executable, "-c", ASK], stdout=subprocess.PIPE) for _ in range(3)]
    answers = {process.communicate()[0].decode() for process in asking}
    assert [process.returncode for process in asking] == [0, 0, 0]
    space = Cell101Space(5)
    assert answers == {f"{space.module_hash(7)} 7 {' '.join(map(str, space.neighbors(7)))}\n"}
    kept = sorted(path.name for path in (empty_cache / "spaces").iterdir())
    assert kept == [f"cell101-5-cells-v{VERSION}", f"cell101-5-neighbors-v{VERSION}"]


def test_the_version_is_raised_when_the_arrays_change():
    """If this fails, what is kept on disk is no longer what is computed: raise VERSION, and write down the new sums."""
    arrays = enumerate_cells(5)._asdict()
    starts, neighbors = mutual(edits_of(5))
    sums = {name: zlib.crc32(array.tobytes()) for name, array in (arrays | {"n": neighbors, "s": starts}).items()}
    assert (VERSION, zlib.crc32(json.dumps(sums, sort_keys=True).encode())) == (1, 3_793_044_099)


def test_a_space_that_was_used_is_pickled_without_its_cells():
    space = Cell101Space(5)
    assert space.index_of_cell(*space.cell(7)) == 7
    copied = pickle.dumps(space)
    assert len(copied) < 2_000
    assert pickle.loads(copied).module_hash(7) == space.module_hash(7)


def test_what_needs_only_the_number_of_a_cell_does_not_need_the_cells(monkeypatch):
    def fail(vertices):
        raise AssertionError("the cells were asked for")

    monkeypatch.setattr(cell101, "kept_cells", fail)
    monkeypatch.setattr(cell101, "kept_neighbors", fail)
    space = Cell101Space(7)
    assert space.size == 423_624
    assert space.resolve(423_623) == space.resolve("423623") == 423_623
    assert space.check_index([0, 423_623]).tolist() == [0, 423_623]
    assert space.sample(np.array([0.5])).tolist() == [211_812]
