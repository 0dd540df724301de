"""The size space of NATS-Bench."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab import spaces
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.tables.importers.nats_archives import archives as nats_archives
from nasbench_lab.tables.reading import unpickle

SPACE = spaces.SizeSpace()
SSS = "D-X-Y/NATS-Bench/fake_torch_dir/NATS-sss-v1_0-50262-simple"


@pytest.mark.mirror
def test_the_order_is_official(mirror):
    meta = unpickle.load(nats_archives._decompress((mirror / SSS / "meta.pickle.pbz2").read_bytes()))
    assert SPACE.format(np.arange(SPACE.size)) == meta["meta_archs"]


def test_the_last_layer_turns_fastest():
    assert SPACE.format(np.array([0, 1, 8, 11, 284, 32_767])) == [
        "8:8:8:8:8",
        "8:8:8:8:16",
        "8:8:8:16:8",
        "8:8:8:16:32",
        "8:8:40:32:40",
        "64:64:64:64:64",
    ]


@given(st.integers(0, SPACE.size - 1))
def test_notation_channels_and_index_are_one_to_one(index):
    text = SPACE.format(index)
    assert SPACE.parse(text) == index
    assert ":".join(map(str, SPACE.channels(index))) == text


def test_it_is_made_from_its_description():
    assert spaces.make_space({"name": "size"}).size == 8**5
    assert isinstance(spaces.make_space(SPACE.spec()), spaces.SizeSpace)


def test_neighbors_differ_in_one_layer():
    neighbors = SPACE.neighbors(284)
    assert len(neighbors) == 5 * 7
    assert ((SPACE.codes(neighbors) != SPACE.codes(284)).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8:8:8:8", "has 4 layers; write the channels of 5"),
        ("8:8:8:8:8:8", "has 6 layers"),
        ("8:8:9:8:8", "layer 2 of '8:8:9:8:8' has '9' channels; allowed: 8, 16, 24, 32, 40, 48, 56, 64"),
        ("8:8:8:8:", "layer 4 .* has '' channels"),
        ("", "has 1 layers"),
    ],
)
def test_what_is_outside_is_named(text, message):
    with pytest.raises(OutOfSpaceError, match=message):
        SPACE.parse(text)
