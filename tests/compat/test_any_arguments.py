"""Every method of the faces and of the official packages with any arguments: the same value, or an error of the kind.

The objects are shared by all examples, so that no answer may depend on what was asked before.
"""

import contextlib
import copy
import io
import random
import warnings
from decimal import Decimal
from fractions import Fraction

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from nats_archives import SETS, SPACES, compare, outcome, results, write_file, write_folder

from nasbench_lab.compat import nas_201_api, nats_bench

PRESENT = (0, 5, 9)
CELLS = SPACES["tss"].format([0, 5, 7])


class Spoken:
    """An architecture that says its notation, with a description of its own."""

    def tostr(self):
        return CELLS[1]

    def __repr__(self):
        return "several\nlines"


NUMBERS = [0, 1, 3, 5, 9, 11, 12, 111, 777, -1, 10**30, True, False, -0.0, 5.0, 11.0, 5.5, 11.5, 777.0, float("nan")]
NUMBERS += [float("inf"), np.int64(5), np.int64(11), np.int8(3), np.uint8(9), np.int64(777), np.bool_(True)]
NUMBERS += [np.float64(5), np.float64(11), np.float32(5.5), Fraction(11), Fraction(5), Fraction(199, 2), Decimal(5)]
NUMBERS += [Decimal("5.5"), 5 + 0j, np.array(5), np.array(11)]
TEXTS = ["", "5", "11", "12", "200", "111", "nonsense", "two\nlines", "train", "valid", "x-valid@3", *CELLS]
TEXTS += [np.str_("12"), np.str_("cifar100"), np.str_("x-valid"), b"5", b"12"]
OTHERS = [
    None,
    (),
    (5,),
    [5],
    [],
    {},
    {5},
    frozenset(),
    object,
    Spoken(),
    ...,
    range(5),
    np.array([5]),
    np.array([1, 2]),
]
ANYTHING = st.sampled_from([*NUMBERS, *TEXTS, *OTHERS])


def mostly(*usual):
    """Draw usual arguments, and now and then anything."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(usual), ANYTHING)


INDEX = mostly(*PRESENT, *PRESENT, 1, -1)
ARCH = mostly(*PRESENT, *CELLS, Spoken())
DATASET = mostly(*SETS, "cifar10-valid", "cifar100", "cifar100")
SETNAME = mostly("train", "x-valid", "valid", "x-test", "ori-test")
EPOCH = st.one_of(st.none(), st.integers(-1, 12), st.sampled_from(NUMBERS), ANYTHING)
HP = mostly("12", "12", 12, "200")
SEED = mostly(111, 777)
WHICH = mostly(False, 111, 777)
LIMIT = mostly(None, 50, 0.5)
CELL = mostly(*CELLS, "|nor_conv_1x1~0|+|none~0|none~1|", "|a~0|", "|a~b|", "|none~7|", "|none~0~1|")
OPERATIONS = mostly(("none", "avg_pool_3x3"), ["a", "b"], "abc", {"a"})

METHODS = {
    "query_index_by_arch": (ARCH,),
    "arch": (INDEX,),
    "__getitem__": (INDEX,),
    "get_more_info": (ARCH, DATASET, EPOCH, HP, WHICH),
    "get_cost_info": (INDEX, DATASET, HP),
    "get_latency": (INDEX, DATASET, HP),
    "get_net_config": (INDEX, DATASET),
    "get_net_param": (INDEX, DATASET, mostly(None, 111), HP),
    "query_info_str_by_arch": (ARCH, HP),
    "query_by_arch": (ARCH, HP),
    "query_meta_info_by_index": (INDEX, HP),
    "query_by_index": (INDEX, mostly(None, *SETS), HP),
    "clear_params": (INDEX, mostly(None, "12", 12)),
    "show": (INDEX,),
    "statistics": (DATASET, HP),
    "str2lists": (CELL,),
    "str2matrix": (CELL, OPERATIONS),
}
FIND_BEST = {
    "nats_bench": (DATASET, SETNAME, LIMIT, LIMIT, HP, st.just(False)),
    "nas_201_api": (DATASET, SETNAME, LIMIT, LIMIT, HP),
}
SIMULATE = {
    "nats_bench": (mostly(0, CELLS[0]), DATASET, EPOCH, HP, ANYTHING),
    "nas_201_api": (mostly(0, CELLS[0]), DATASET, HP, ANYTHING),
}
OF_RESULTS = {
    "get_metrics": (DATASET, SETNAME, EPOCH, WHICH),
    "get_compute_costs": (DATASET,),
    "get_dataset_seeds": (DATASET,),
    "get_latency": (DATASET,),
    "get_net_param": (DATASET, mostly(None, 111)),
    "get_total_epoch": (mostly(None, *SETS),),
    "query": (DATASET, mostly(None, 111)),
    "reset_latency": (DATASET, mostly(None, 111), st.just(0.5)),
    "reset_pseudo_train_times": (DATASET, mostly(None, 111), st.just(0.5)),
    "reset_pseudo_eval_times": (DATASET, mostly(None, 111), mostly("x-valid", "ori-test"), st.just(0.5)),
}
OF_TRAINING = {
    "get_train": (EPOCH,),
    "get_eval": (SETNAME, EPOCH),
    "get_config": (mostly(None, str.upper),),
    "judge_valid": (EPOCH,),
    "reset_pseudo_eval_times": (mostly("x-valid", "ori-test"), st.just(0.5)),
}


def made_up():
    """Architecture 0 has one training per data set; the last epochs of 9 alone were validated."""
    numbers = random.Random(0)
    one = {"cifar10-valid": [777], "cifar10": [777], "cifar100": [111]}
    more = {"cifar10-valid": [111, 777], "cifar100": [111, 777], "ImageNet16-120": [111]}
    infos = {i: {"12": results(numbers, "tss", i, "12", seeds)} for i, seeds in ((0, one), (5, more))}
    infos[9] = {"12": results(numbers, "tss", 9, "12", more, last_only=("x-valid", "x-test"))}
    return infos


def fast(folder):
    """The original in its fast mode; it knows architectures only once they were asked for."""
    official = pytest.importorskip("nats_bench")
    path = folder / "NATS-tss-made-up-simple"
    write_folder(path, "tss", made_up())
    theirs, ours = (module.create(str(path), "tss", True, False) for module in (official, nats_bench))
    for index in PRESENT:
        theirs.get_more_info(index, "cifar10-valid")
    return theirs, ours


def whole(folder):
    official = pytest.importorskip("nats_bench")
    path = folder / "NATS-tss-made-up.pickle.pbz2"
    write_file(path, "tss", made_up())
    return tuple(module.create(str(path), "tss", False, False) for module in (official, nats_bench))


def older(folder):
    pytest.importorskip("torch")
    official = pytest.importorskip("nas_201_api")
    infos = made_up()
    for index, info in infos.items():
        # Of the long trainings only these: every data set more takes hundreds of megabytes of tables.
        info["200"] = results(random.Random(index), "tss", index, "200", {"cifar10": [777]})
    path = folder / "NATS-tss-made-up-simple"
    write_folder(path, "tss", infos)
    states = {i: {"less": info["12"], "full": info["200"]} for i, info in infos.items()}
    names = SPACES["tss"].format(np.arange(15_625))
    content = {"meta_archs": names, "arch2infos": states, "evaluated_indexes": list(infos)}
    return official.NASBench201API(content, verbose=False), nas_201_api.NASBench201API(path, verbose=False)


@pytest.fixture(scope="module", params=[fast, whole, older], ids=lambda make: make.__name__)
def pair(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("faces"))


def plain(answer):
    """Replace objects of the packages by what they say of themselves, and arrays by lists."""
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, np.ndarray):
        return answer.tolist()
    if type(answer).__name__ in ("ArchResults", "ResultsCount"):
        return repr(answer).partition(" eval-sets")[0]
    return answer


def ask(target, method, arguments):
    """Return what a method returns, and prints; or its error."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = plain(outcome(getattr(target, method), *copy.copy(arguments)))
    if isinstance(answer, NameError):  # the older package formats some of its messages with a name that does not exist
        return ValueError()
    found = printed.getvalue()
    return answer, found if "but this arch is not evaluated" not in found else ""


def same(theirs, ours, method, arguments):
    expected, found = ask(theirs, method, arguments), ask(ours, method, arguments)
    for one in (expected, found):
        if isinstance(one, tuple) and isinstance(one[0], Exception):
            assert not one[1]
    first = [one[0] if isinstance(one, tuple) and isinstance(one[0], Exception) else one for one in (expected, found)]
    hypothesis.note(f"{method}{arguments}: {first}")
    compare(*first)


def face(pair):
    return type(pair[0]).__module__.partition(".")[0]


often = hypothesis.settings(max_examples=20, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])


@often
@hypothesis.given(data=st.data())
@pytest.mark.parametrize("method", [*METHODS, "find_best", "simulate_train_eval"])
def test_methods_of_the_api(pair, method, data):
    strategies = {**METHODS, "find_best": FIND_BEST[face(pair)], "simulate_train_eval": SIMULATE[face(pair)]}[method]
    arguments = tuple(data.draw(one) for one in strategies)
    if method in ("show", "__getitem__") and not isinstance(arguments[0], np.ndarray):
        hypothesis.assume(not (method == "show" and outcome(lambda: bool(arguments[0] < 0)) is True))  # shows all here
    if method == "simulate_train_eval" or any(
        one is True for one in arguments[3:]
    ):  # random if there are two trainings
        hypothesis.assume(outcome(pair[0].query_index_by_arch, arguments[0]) not in (5, 9))
    for api in pair:
        api.reset_time()
    same(*pair, method, arguments)
    assert pair[0].used_time == pair[1].used_time


@often
@hypothesis.given(index=st.sampled_from(PRESENT), data=st.data())
@pytest.mark.parametrize("method", OF_RESULTS)
def test_methods_of_results(pair, method, index, data):
    arguments = tuple(data.draw(one) for one in OF_RESULTS[method])
    hypothesis.assume(index == 0 or method != "get_metrics" or arguments[-1] is not True)
    theirs, ours = (api.query_by_index(index, None, "12") for api in pair)
    for found in (ours, copy.deepcopy(ours)):
        same(theirs, found, method, arguments)


@often
@hypothesis.given(where=st.sampled_from([(0, "cifar10-valid", 777), (9, "cifar100", 111)]), data=st.data())
@pytest.mark.parametrize("method", OF_TRAINING)
def test_methods_of_a_training(pair, method, where, data):
    if not hasattr(pair[0].query_by_index(0, "cifar100", "12")[111], method):
        pytest.skip("the older package does not have it")
    arguments = tuple(data.draw(one) for one in OF_TRAINING[method])
    index, dataset, seed = where
    theirs, ours = (api.query_by_index(index, dataset, "12")[seed] for api in pair)
    for found in (ours, copy.deepcopy(ours)):
        same(theirs, found, method, arguments)


@often
@hypothesis.given(key=INDEX)
def test_results_by_index(pair, key):
    for call in (lambda api: key in api.arch2infos_dict, lambda api: list(api.arch2infos_dict[key])):
        compare(outcome(call, pair[0]), outcome(call, pair[1]))
