"""The face of NAS-Bench-101 with any arguments, and copies of it.

Where google's own code is (see ``official_nasbench``), everything is compared with it. What it answers to the most
telling arguments is written down here, for everybody else.
"""

import copy
import pickle
import random
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import official_nasbench
import pytest
from copies import in_new_process
from nas_bench_101_files import models, rows_of, write

from nasbench_lab.compat import nasbench101 as api
from nasbench_lab.spaces.cell101 import OPERATIONS

CONV3, CONV1, POOL = OPERATIONS
CHAIN, NAMES = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], ["input", CONV3, POOL, "output"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Most cells of four vertices, of which some were only trained for 108 epochs."""
    rows = rows_of([*models(4)[:3], *models(4)[8:]], (4, 108)) + rows_of(models(4)[3:6], (108,))
    return write(tmp_path_factory.mktemp("official") / "nasbench.tfrecord", rows)


@pytest.fixture(scope="module")
def bench(file):
    return api.NASBench(file, seed=0)


def test_a_matrix_of_floats_is_another_module(bench):
    """Its hash is, in the original: of 1.0 it is another one than of 1."""
    expected = bench.get_metrics_from_spec(api.ModelSpec(CHAIN, NAMES))[0]["trainable_parameters"]
    for kind in (int, bool, np.int8, np.uint8):
        spec = api.ModelSpec(np.array(CHAIN, dtype=kind), NAMES)
        assert bench.get_metrics_from_spec(spec)[0]["trainable_parameters"] == expected
    spec = api.ModelSpec(np.array(CHAIN, dtype=float), NAMES)
    assert bench.is_valid(spec)
    for ask in (bench.query, bench.get_metrics_from_spec):
        with pytest.raises(KeyError, match="give a matrix of integers or booleans"):
            ask(spec)


def test_operations_as_a_tuple(bench):
    """They are kept as they are given, and cannot be pruned."""
    spec = api.ModelSpec(CHAIN, tuple(NAMES))
    assert spec.ops == tuple(NAMES)
    assert bench.query(spec)["module_operations"] == NAMES
    with pytest.raises(TypeError):
        api.ModelSpec([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ("input", CONV3, "output"))


@pytest.mark.parametrize(
    "wrong", ["09FC2D10BDD6225E167A6F81A22A3F06", " {}", "{} ", "[[0,1],[0,0]] ['input','output']", 5]
)
def test_only_hashes_are_hashes(bench, wrong):
    known = next(iter(bench.hash_iterator()))
    wrong = wrong.format(known) if isinstance(wrong, str) else wrong
    with pytest.raises(KeyError, match="has no module"):
        bench.get_metrics_from_hash(wrong)
    assert wrong not in bench.hash_iterator()
    for call in (bench.get_metrics_from_hash, bench.hash_iterator().__contains__):
        with pytest.raises(TypeError):
            call([known])


def test_a_module_that_the_file_lacks_draws_nothing_but_a_number_of_epochs_does(bench):
    lacking = models(4)[7]
    bits = np.array(list(map(int, lacking.bits)))
    size = int(len(bits) ** 0.5)
    spec = api.ModelSpec(bits.reshape(size, size), lacking.operations.split(","))
    state = bench._random.getstate()
    with pytest.raises(KeyError):
        bench.query(spec)
    assert bench._random.getstate() == state
    matrix, operations = bench._space.cell(4)
    short = api.ModelSpec(matrix, ["input", *operations, "output"])
    with pytest.raises(KeyError):
        bench.query(short, epochs=4)
    assert bench._random.getstate() != state


def test_the_number_of_repeats_is_a_setting(file):
    bench = api.NASBench(file, seed=0)
    bench.config["num_repeats"] = 1
    spec = api.ModelSpec(CHAIN, NAMES)
    first = bench.get_metrics_from_spec(spec)[1][108][0]["final_training_time"]
    assert {bench.query(spec)["training_time"] for _ in range(20)} == {first}
    bench.config["num_repeats"] = 100
    with pytest.raises(IndexError):
        [bench.query(spec) for _ in range(20)]


def test_what_was_read_before_makes_no_difference(file):
    answers = []
    for read in ((), ("matrix",), ("ops", "valid_spec"), ("matrix", "ops", "valid_spec")):
        bench, spec = api.NASBench(file, seed=3), api.ModelSpec([*map(list, CHAIN)], list(NAMES))
        for name in read:
            getattr(spec, name)
        answers.append(repr([bench.query(spec) for _ in range(5)]))
    assert len(set(answers)) == 1
    spec.matrix[0, 1], spec.matrix[0, 2] = 0, 1  # vertex 1 hangs loose now, and nothing is pruned again
    with pytest.raises(KeyError):
        bench.query(spec)


def test_private_methods_that_scripts_call(bench):
    spec = api.ModelSpec(CHAIN, NAMES)
    assert bench._hash_spec(spec) == spec.hash_spec(list(OPERATIONS))
    assert bench._check_spec(spec) is None
    with pytest.raises(api.OutOfDomainError, match="disconnected"):
        bench._check_spec(api.ModelSpec([[0, 0], [0, 0]], ["input", "output"]))


def queries(bench):
    spec = api.ModelSpec(CHAIN, NAMES)
    answers = [bench.query(spec, epochs, stop) for epochs in (4, 108) for stop in (False, True) for _ in range(5)]
    return repr(
        [
            answers,
            bench.get_budget_counters(),
            bench.get_metrics_from_spec(spec),
            list(bench.hash_iterator())[:3],
            bench.fixed_statistics[spec.hash_spec(list(OPERATIONS))],
        ]
    )


@pytest.mark.parametrize("used", [False, True])
def test_copies(file, used):
    bench = api.NASBench(file, seed=5)
    if used:
        queries(bench)
    twins = [pickle.loads(pickle.dumps(bench)), copy.deepcopy(bench)]
    for name in ("fixed_statistics", "computed_statistics"):
        copied = pickle.loads(pickle.dumps(getattr(bench, name)))
        assert len(copied) == 89
    assert pickle.loads(pickle.dumps(bench.hash_iterator())) == bench.hash_iterator()
    expected = queries(copy.deepcopy(bench))
    if used:
        assert in_new_process(queries, bench) == expected
    assert [queries(twin) for twin in twins] == [expected] * 2
    assert queries(copy.copy(bench)) == expected  # shares the generator, so it comes last


def test_copies_of_specs(bench):
    spec = api.ModelSpec(CHAIN, NAMES)
    for read in (False, True):
        for twin in (pickle.loads(pickle.dumps(spec)), copy.copy(spec), copy.deepcopy(spec)):
            assert bench.get_metrics_from_spec(twin)[0]["module_operations"] == NAMES
            assert twin.matrix.tolist() == CHAIN
        assert spec.valid_spec or read


NUMBERS = [
    36,
    108.0,
    np.int64(108),
    np.float64(4),
    True,
    "108",
    None,
    Fraction(108),
    Decimal(4),
    [108],
    {},
    -1,
    float("nan"),
]


def drawing(chance):
    """A matrix and operations, often of odd types or wrong."""
    size = chance.choice([2, 3, 3, 4, 4, 4, 5, 6, 7, 8])
    matrix = [[int(i < j and chance.random() < 0.6) for j in range(size)] for i in range(size)]
    names = ["input", *chance.choices(OPERATIONS, k=size - 2), "output"]
    if chance.random() < 0.1:
        matrix[chance.randrange(size)][chance.randrange(size)] = chance.choice([2, -1, 0.5, None, "1"])
    elif chance.random() < 0.5:
        matrix = np.array(matrix, dtype=chance.choice([int, np.int8, np.uint8, bool, float, np.float32, object]))
    if chance.random() < 0.2:
        names[chance.randrange(size)] = chance.choice(["x", None, 5, "input", "output", np.str_(CONV3)])
    return matrix[: size - (chance.random() < 0.05)], chance.choice([list, list, list, tuple, np.array])(names)


def outcome(function):
    try:
        return plain(function())
    except Exception as error:
        return error


def plain(answer):
    if isinstance(answer, np.ndarray):
        return "array", str(answer.dtype), repr(answer.tolist())
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return type(answer).__name__, [plain(one) for one in answer]
    return type(answer).__name__, repr(answer)


def same(theirs, ours):
    expected, found = outcome(theirs), outcome(ours)
    if "'module' object" in str(expected):  # the original means to say that there are too many vertices
        assert "too many vertices" in str(found) or found == ("bool", "False")
    elif isinstance(expected, Exception):
        assert isinstance(found, type(expected)) or type(found).__name__ == type(expected).__name__, (expected, found)
        assert len(str(found).splitlines()) <= 1
    else:
        assert expected == found
    return expected


def questions(chance):
    """Questions about a spec to an API, in any order; the last part of the answers depends on the generator."""
    epochs = chance.choice(NUMBERS if chance.random() < 0.4 else [4, 108])
    stop = chance.choice([True, False, 0, "", None, [1]])
    known = chance.choice([OPERATIONS, list(OPERATIONS)[::-1], OPERATIONS[:1], None, "abc", dict.fromkeys(OPERATIONS)])
    asked = [partial(lambda name, _, spec: getattr(spec, name), name) for name in ("matrix", "ops", "valid_spec")]
    asked += [lambda _, spec: spec.original_ops, lambda _, spec: spec.hash_spec(known)]
    methods = ("is_valid", "_check_spec", "_hash_spec", "get_metrics_from_spec")
    asked += [partial(lambda name, bench, spec: getattr(bench, name)(spec), name) for name in methods]
    asked += [lambda bench, spec: bench.query(spec, epochs, stop)] * 2
    return chance.sample(asked, len(asked))


@pytest.mark.skipif(not official_nasbench.available(), reason="needs a checkout of google-research/nasbench")
@pytest.mark.parametrize("seed", range(8))
def test_any_arguments(file, seed):
    official, theirs, ours = official_nasbench.load(), official_nasbench.opened(file), api.NASBench(file)
    chance, before = random.Random(seed), random.getstate()
    for _ in range(150):
        make = partial(lambda drawn, kind: kind(*copy.deepcopy(drawn)), drawing(chance))
        refused = same(
            lambda make=make: make(official.ModelSpec) and None, lambda make=make: make(api.ModelSpec) and None
        )
        if isinstance(refused, Exception):
            continue
        specs = make(official.ModelSpec), make(api.ModelSpec)
        for ask in questions(chance):
            random.setstate(ours._random.getstate())
            same(partial(ask, theirs, specs[0]), partial(ask, ours, specs[1]))
            assert random.getstate() == ours._random.getstate()
        same(theirs.get_budget_counters, ours.get_budget_counters)
        theirs.reset_budget_counters()
        ours.reset_budget_counters()
    random.setstate(before)
