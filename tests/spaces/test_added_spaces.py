"""Spaces of other packages: their defaults, and entry points that are right, wrong and broken."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest
from added_entry_points import add_entry_points, forget_entry_points

from nasbench_lab import plugins, spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.spaces import ProductSpace, Space, registry
from nasbench_lab.strategies.models.encodings import encode


class Pairs(Space):
    """Two different numbers of 0 to ``largest``: only what a space has to define."""

    def __init__(self, largest=3):
        self.name = "pairs"
        self.cardinalities = (largest + 1,) * 2
        self._pairs = [(a, b) for a in range(largest + 1) for b in range(largest + 1) if a != b]
        self.size = len(self._pairs)

    def codes(self, index):
        return np.array(self._pairs, dtype=np.int8)[self.check_index(index)]

    def index(self, codes):
        rows = self.check_codes(codes).reshape(-1, 2).tolist()
        if any(a == b for a, b in rows):
            raise OutOfSpaceError("the numbers are equal")
        return np.array([self._pairs.index((a, b)) for a, b in rows]).reshape(np.shape(codes)[:-1])

    def parse_one(self, text):
        a, b = text.split("/")
        return int(a), int(b)

    def format_one(self, codes):
        return "/".join(map(str, codes))


class Bits(ProductSpace):
    """What a space of all combinations has to define."""

    def __init__(self):
        super().__init__("bits", (2,) * 3)

    def parse_one(self, text):
        return tuple(map(int, text))

    def format_one(self, codes):
        return "".join(map(str, codes))


@pytest.fixture(autouse=True)
def forget():
    yield
    forget_entry_points()


def test_defaults():
    space = Pairs()
    assert space.find([[0, 1], [2, 2]]).tolist() == [0, -1]
    assert space.format(space.neighbors(0)) == ["0/2", "0/3", "2/1", "3/1"]
    assert space.has_neighbors
    assert space.encodings == ("one-hot", "codes")
    assert np.array_equal(space.encode([3, 5]), space.features([3, 5]))
    assert np.array_equal(encode(space, np.array([3, 5]), "path"), space.features([3, 5]))
    assert space.size_of([0, 5]).tolist() == [1, 2]
    assert int(space.size_of(0)) == 1
    assert [node.label for node in space.graph(5).nodes] == ["input", "1", "3", "output"]
    assert space.spec() == {"name": "pairs"}
    assert space.named_choices is None
    with pytest.raises(UnknownNameError, match="unknown encoding 'path'; known: codes, one-hot"):
        space.encode(0, "path")


def test_a_space_of_all_combinations():
    space = Bits()
    assert space.format(space.neighbors(0)) == ["100", "010", "001"]
    assert space.resolve("011") == 3
    assert [node.label for node in space.graph(3).nodes] == ["input", "0", "1", "1", "output"]


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.ChainSpace("ab", 2), True),
        (spaces.ChainSpace("a", 2), False),
        (spaces.Cell101Space(2), False),
        (spaces.Cell101Space(3), True),
        (spaces.TransMacroSpace(), True),
        (spaces.ListedSpace(["a", "b"]), False),
        (spaces.ListedChoicesSpace.of([("a", [1, 2]), ("b", [1, 2])], [[0, 0], [1, 1]]), False),
        (spaces.ListedChoicesSpace.of([("a", [1, 2]), ("b", [1, 2])], [[0, 0], [0, 1]]), True),
    ],
    ids=repr,
)
def test_which_spaces_have_neighbours(space, expected):
    assert space.has_neighbors is expected
    assert bool((space.neighbor_table >= 0).any()) is expected


@pytest.mark.parametrize("name", ["cell101", "topology"])
def test_encodings_have_their_shape(name):
    space = spaces.Cell101Space(4) if name == "cell101" else spaces.TopologySpace()
    index = np.arange(12).reshape(3, 4)
    for encoding in space.encodings:
        vectors = space.encode(index, encoding)
        assert vectors.dtype == np.float32
        assert np.array_equal(vectors[1, 2], space.encode(6, encoding))


def test_an_entry_point_adds_a_space(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, pairs=Pairs)
    assert "pairs" in spaces.list_spaces()
    assert spaces.make_space({"name": "pairs"}).size == 12
    assert spaces.make_space({"name": "pairs", "largest": 1}).size == 2
    with pytest.raises(DataError, match=r"space 'pairs': unknown key 'smallest'; known: largest"):
        spaces.make_space({"name": "pairs", "smallest": 1})


def test_built_in_names_cannot_be_taken_over(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, topology=Pairs)
    assert spaces.list_spaces().count("topology") == 1
    with pytest.warns(UserWarning, match="the entry point 'topology' in group .* is ignored, as 'topology' is a built"):
        assert isinstance(spaces.make_space({"name": "topology"}), spaces.TopologySpace)


def test_a_broken_entry_point_breaks_nothing_else(monkeypatch):
    add_entry_points(monkeypatch, registry.GROUP, broken="no_such_module:Space", pairs=Pairs, other=Bits, wrong=dict)
    assert {"broken", "pairs"} <= set(spaces.list_spaces())
    assert spaces.make_space({"name": "pairs"}).size == 12
    with pytest.raises(ParameterError, match=r"the entry point 'broken' in group .* cannot be loaded: ModuleNotFound"):
        spaces.make_space({"name": "broken"})
    for name in ("other", "wrong"):
        with pytest.raises(ParameterError, match=f"the entry point '{name}' .* must make a space named '{name}', but"):
            spaces.make_space({"name": name})
    with pytest.raises(UnknownNameError, match=r"unknown space 'paris'; did you mean 'pairs'.*\? \(a package may"):
        spaces.make_space({"name": "paris"})


def test_a_name_of_two_packages_is_an_error(monkeypatch):
    entries = tuple(EntryPoint("pairs", path, registry.GROUP) for path in ("a:Pairs", "b:Pairs"))
    monkeypatch.setattr(plugins, "entry_points", lambda _group: {"pairs": entries})
    with pytest.raises(ParameterError, match=r"several packages add 'pairs' to group .*: a:Pairs, b:Pairs"):
        spaces.make_space({"name": "pairs"})
