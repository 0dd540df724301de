"""Spaces in TOML files: what a user writes, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError, NasbenchLabError, UnknownNameError
from nasbench_lab.spaces import find_space, list_spaces, make_space, read_space

CHAIN = """
name = "layer-chain"

[[layers]]
choices = ["conv{3x3,5x5}-8", "identity"]
repeat = 20
"""
PRODUCT = """
name = "product"

[[parts]]
name = "topology"
label = "cell"

[[parts]]
name = "choices"
[parts.choices]
width = [16, 32, 64]
depth = [1, 2]
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "my space.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_long_chain(written):
    space = read_space(written(CHAIN))
    assert space.size == 3**20
    assert space.layers == (("conv3x3-8", "conv5x5-8", "identity"),) * 20
    assert make_space(space.spec()).spec() == space.spec()
    assert find_space(str(written(CHAIN))) is space


def test_a_product_with_choices_in_the_order_of_the_file(written):
    space = read_space(written(PRODUCT))
    assert [part.label for part in space.parts] == ["cell", "choices"]
    assert space.format(7).endswith(";width=16,depth=2"), space.format(7)
    assert space.size == 15_625 * 6


def test_the_space_of_a_specification_of_a_table(written):
    space = read_space(written('name = "mine"\nseeds = 1\n[space]\nname = "darts"\nnodes = 2\n'))
    assert space.spec() == {"name": "darts", "nodes": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs a name"),
        ("name = 3", "unknown space '3'"),
        ('name = "layer-chian"', "unknown space 'layer-chian'; did you mean 'layer-chain'"),
        (
            CHAIN.replace("[[layers]]", "[[layer]]"),
            "space 'layer-chain': unknown key 'layer'; did you mean 'layers'",
        ),
        (CHAIN.replace("repeat", "repaet"), "unknown key of a position 'repaet'; did you mean 'repeat'"),
        (CHAIN.replace("repeat = 20", "repeat = 2.5"), "repeat must be a whole number, got 2.5"),
        (CHAIN.replace("repeat = 20", "repeat = 40"), "at most 9223372036854775807 architectures"),
        (CHAIN.replace("repeat = 20", "repeat = 99999999999999999999"), "repeat must be from 1 to 1000"),
        (CHAIN.replace("conv{", "konv{"), "'konv3x3-8' is not a layer; known: convKxK-N"),
        (CHAIN.replace('"identity"', '"conv3x3-8"'), "position 0 of a chain needs a list of different layers"),
        (CHAIN.replace('"identity"', "3"), "needs a list of names"),
        (CHAIN.replace('"identity"', "1979-05-27"), "is wrong"),
        (CHAIN.replace('"identity"', "nan"), "is wrong"),
        (CHAIN + "x = 1\n", "unknown key of a position 'x'"),
        ('name = "layer-chain"\nlayers = 3', "layers of a chain must be a list"),
        ('name = "darts"\nnodes = "4"', "nodes must be a whole number, got '4'"),
        ('name = "darts"\nnode = 4', "space 'darts': unknown key 'node'; did you mean 'nodes'"),
        ('name = "darts"\noperations = ["sep_conv_7x7"]', "operations must be different ones of max_pool_3x3"),
        ('name = "chain"\nchoices = "012"', "lacks length"),
        ('name = "chain"\nchoices = 12\nlength = 3', "choices must be different characters in order, got 12"),
        ('name = "chain"\nchoices = "012"\nlength = 40', "at most 9223372036854775807 architectures"),
        ('name = "choices"\nchoices = 3', "choices of a space are pairs of a name and its values"),
        ('name = "choices"\n[choices]\nwidth = [1, 1]', "has the value '1' twice"),
        ('name = "gnn"\noperations = 3', "operations must be"),
        (PRODUCT.replace('label = "cell"', 'label = "choices"'), "two parts have the label 'choices'"),
        (PRODUCT.replace('label = "cell"', "label = 3"), "label"),
        (
            PRODUCT.replace('label = "cell"', 'lable = "cell"'),
            "space 'topology': unknown key 'lable'; did you mean 'label'",
        ),
        (PRODUCT.replace("[[parts]]", "[[part]]").replace("[parts.", "[part."), "did you mean 'parts'"),
        ('name = "product"\nparts = []', "needs 1 to 63 parts"),
        ('name = "product"\nparts = [{name = "product", parts = [{name = "nothing"}]}]', "unknown space 'nothing'"),
        ('name = "darts"\nname = "size"', "is not a TOML file"),
        (b"\xff\xfe\x00", "is not a TOML file"),
        ("a = " + "[" * 100_000, "is not a TOML file"),
        ('name = "product"\n' + "".join(f"{'parts.' * n}x = 1\n" for n in (300,)), "wrong|parts|not a TOML"),
    ],
)
def test_wrong_files_say_what_is_wrong(written, text, reason):
    path = written(text)
    with pytest.raises(DataError, match=reason) as error:
        read_space(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*missing.toml"):
        find_space(str(tmp_path / "missing.toml"))
    with pytest.raises(DataError, match="cannot read"):
        read_space(tmp_path)
    with pytest.raises(UnknownNameError, match="unknown space 'dart'; did you mean 'darts'"):
        find_space("dart")
    with pytest.raises(DataError, match="lacks choices and length: write a file"):
        find_space("chain")
    assert find_space("size").size == 32_768


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(list_spaces()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "layers", "choices", "repeat", "parts", "label", "nodes", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(list_spaces()),
    st.dictionaries(
        st.sampled_from(
            ["layers", "choices", "length", "parts", "nodes", "operations", "vertices", "names", "members", "parent"]
        ),
        PLAIN,
        max_size=3,
    ),
)
@settings(max_examples=60)
def test_any_data_is_a_space_or_one_clear_error(name, parameters):
    try:
        assert make_space({"name": name, **parameters}).size >= 1
    except NasbenchLabError as error:
        assert len(str(error).splitlines()) == 1
