"""The face of NATS-Bench beside the official package: the same numbers, types and kinds of errors."""

import contextlib
import copy
import logging
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time

import hypothesis
import pytest
from hypothesis import strategies as st
from nats_archives import (
    SETS,
    SPACES,
    assert_same,
    assert_same_outcome,
    compare,
    outcome,
    results,
    write_file,
    write_folder,
)

from nasbench_lab.compat import nats_bench
from nasbench_lab.errors import DataError, NasbenchLabError

FOLDERS = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
HPS = {"tss": ("12", "200"), "sss": ("01", "12", "90")}
PRESENT = (0, 11, 284)
DATASETS = tuple(SETS)


def both(folder, space):
    official = pytest.importorskip("nats_bench")
    theirs = official.create(str(folder), space, fast_mode=True, verbose=False)
    return theirs, nats_bench.create(str(folder), space, fast_mode=True, verbose=False, seed=0)


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """A small archive of the topology space, with what the full ones have: sets evaluated at the end only."""
    folder = tmp_path_factory.mktemp("made-up") / "NATS-tss-made-up-simple"
    numbers = random.Random(0)
    seeds = {"cifar10-valid": [111, 777], "cifar100": [111, 777]}
    fewer = {"cifar10-valid": [777], "cifar100": [111]}
    infos = {i: {"12": results(numbers, "tss", i, "12", seeds if i else fewer, last_only=("x-test",))} for i in (0, 5)}
    infos[9] = {"12": results(numbers, "tss", 9, "12", seeds, last_only=("x-valid", "x-test"))}
    write_folder(folder, "tss", infos)
    return folder


@pytest.fixture
def pair(made_up):
    return both(made_up, "tss")


@pytest.fixture(params=FOLDERS)
def real(request, mirror):
    return request.param, *both(mirror / "D-X-Y/NATS-Bench/fake_torch_dir" / FOLDERS[request.param], request.param)


def every_training(space, api):
    for index in PRESENT:
        for hp in HPS[space]:
            for dataset in DATASETS:
                yield index, hp, dataset, api.query_meta_info_by_index(index, hp).get_dataset_seeds(dataset)


@pytest.mark.mirror
def test_more_info_of_every_epoch_and_seed(real):
    space, theirs, ours = real
    for index, hp, dataset, seeds in every_training(space, ours):
        for which in (False, *seeds):
            for epoch in (None, *range(0, int(hp), 7), int(hp) - 1):
                arguments = (index, dataset, epoch, hp, which)
                expected, found = theirs.get_more_info(*arguments), ours.get_more_info(*arguments)
                assert_same(expected, found, arguments)
                assert list(expected) == list(found)


@pytest.mark.mirror
def test_all_numbers_of_every_training(real):
    space, theirs, ours = real
    for index, hp, dataset, seeds in every_training(space, theirs):
        expected, found = theirs.query_by_index(index, dataset, hp), ours.query_by_index(index, dataset, hp)
        assert list(expected) == list(found) == seeds
        for seed in seeds:
            for result in (found[seed], pickle.loads(pickle.dumps(found[seed]))):
                their, our = expected[seed].state_dict(), result.state_dict()
                assert set(their.pop("eval_names")) == set(our.pop("eval_names"))
                assert_same(their, our, (index, hp, dataset, seed))


@pytest.mark.mirror
def test_results_of_every_training(real):
    space, theirs, ours = real
    for index, hp, dataset, _ in every_training(space, theirs):
        for seed, expected in theirs.query_by_index(index, dataset, hp).items():
            view = ours.query_by_index(index, dataset, hp)[seed]
            thawed = ours.query_by_index(index, dataset, hp)[seed]
            assert thawed.train_losses  # from now on it goes by its dictionaries
            for found in (view, thawed):
                for epoch in (None, 0, int(hp) - 1, int(hp), -1):
                    assert_same_outcome(expected.get_train, found.get_train, epoch)
                    for name in ("x-valid", "valid", "x-test", "ori-test", "nonsense"):
                        assert_same_outcome(expected.get_eval, found.get_eval, name, epoch)
                assert_same(expected.get_times(), found.get_times())
                assert_same(expected.get_latency(), found.get_latency())
                assert_same(expected.get_config(None), found.get_config(None))
                assert_same(expected.get_config(str.upper), found.get_config(str.upper))
                assert found.get_net_param() is found.get_net_param(clone=True) is None
                assert found.get_total_epoch() == expected.get_total_epoch()
                assert repr(found).split("[")[0] == repr(expected).split("[")[0]


@pytest.mark.mirror
def test_architectures_and_costs(real):
    space, theirs, ours = real
    for index in PRESENT:
        assert_same(theirs.get_net_config(index, "cifar100"), ours.get_net_config(index, "cifar100"))
        assert theirs.arch(index) == ours.arch(index) == ours[index]
        assert theirs.query_index_by_arch(theirs[index]) == ours.query_index_by_arch(theirs[index]) == index
        for hp in HPS[space]:
            assert theirs.query_by_arch(index, hp) == ours.query_by_arch(index, hp)
            their, our = theirs.query_by_index(index, hp=hp), ours.query_by_index(index, hp=hp)
            assert repr(their) == repr(our)
            for name in ("arch_str", "arch_index", "dataset_seed", "clear_net_done"):
                assert_same(getattr(their, name), getattr(our, name))
            assert their.all_results.keys() == our.all_results.keys()
            assert their.get_dataset_names() == our.get_dataset_names()
            assert their.get_total_epoch() == our.get_total_epoch() == our.get_total_epoch("cifar10")
            for dataset in DATASETS:
                assert_same(theirs.get_cost_info(index, dataset, hp), ours.get_cost_info(index, dataset, hp))
                assert_same(theirs.get_latency(index, dataset, hp), ours.get_latency(index, dataset, hp))
                assert_same(their.get_latency(dataset), our.get_latency(dataset))
                assert_same(
                    theirs.get_net_param(index, dataset, None, hp), ours.get_net_param(index, dataset, None, hp)
                )
                for setname in ("train", "x-valid", "x-test", "ori-test"):
                    arguments = (dataset, setname, None, False)
                    assert_same_outcome(their.get_metrics, our.get_metrics, *arguments)


@pytest.mark.mirror
def test_searching(real):
    space, theirs, ours = real
    for index in PRESENT:  # fast mode of the original knows what was asked for
        theirs.get_more_info(index, "cifar10-valid")
    assert ours.evaluated_indexes == theirs.evaluated_indexes == set(PRESENT)
    for hp in HPS[space]:
        for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
            for setname in ("train", "valid", "test", "ori-test"):
                for limits in ((None, None), (60, None), (None, 0.1), (0, 0)):
                    arguments = (dataset, setname, *limits, hp, False)
                    assert_same(theirs.find_best(*arguments), ours.find_best(*arguments))
        assert ours.statistics("cifar10", hp) == theirs.statistics("cifar10", hp)
    assert repr(ours) == repr(theirs)
    assert sorted(ours.avaliable_hps) == sorted(theirs.avaliable_hps)


@pytest.mark.mirror
def test_simulated_search(real):
    space, theirs, ours = real
    for hp in HPS[space]:
        for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
            for index in PRESENT:
                possible = [theirs.simulate_train_eval(index, dataset, None, hp, False)[:3] for _ in range(25)]
                drawn = {ours.simulate_train_eval(ours[index], dataset, None, hp, False)[:3] for _ in range(25)}
                assert drawn == set(possible)
                assert_same(possible[0], next(iter(drawn & {possible[0]})))
    ours.reset_time()
    spent = [ours.simulate_train_eval(0, "cifar10", hp=hp)[2:] for hp in HPS[space]]
    assert ours.used_time == sum(seconds for seconds, _ in spent) == spent[-1][1]
    assert ours.simulate_train_eval(0, "cifar10", account_time=False)[3] == ours.used_time


@pytest.mark.mirror
def test_shown_text(real, capsys):
    _space, theirs, ours = real
    for index in (*PRESENT, 10**6):
        theirs.show(index)
        expected = capsys.readouterr().out
        ours.show(index)
        assert capsys.readouterr().out == expected
    ours.show(-1)
    shown = capsys.readouterr().out
    assert shown.startswith(repr(ours))
    assert all(f"{index:06d}-th architecture!" in shown and ours[index] in shown for index in PRESENT)


anything = st.sampled_from([0, 1, 5, 9, 14, 10**6, -1, "nonsense", None])
epoch = st.one_of(st.none(), st.integers(-2, 13))
which = st.sampled_from([False, 111, 777, 888, 0, "111", None, 1.5])
dataset = st.sampled_from([*DATASETS, "cifar", "", None])
setname = st.sampled_from(["train", "valid", "test", "x-valid", "x-test", "ori-test", "nonsense"])
hps = st.sampled_from(["12", 12, "200", "01", None])
same = hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])


@same
@hypothesis.given(arguments=st.tuples(anything, dataset, epoch, hps, which))
def test_any_arguments_of_more_info(pair, arguments):
    theirs, ours = pair
    assert_same_outcome(theirs.get_more_info, ours.get_more_info, *arguments)


@same
@hypothesis.given(index=st.sampled_from([0, 5, 9]), arguments=st.tuples(dataset, setname, epoch, which))
def test_any_arguments_of_metrics(pair, index, arguments):
    theirs, ours = (api.query_meta_info_by_index(index, "12") for api in pair)
    thawed = nats_bench.ArchResults.create_from_state_dict(copy.deepcopy(ours.state_dict()))
    for found in (ours, thawed):
        assert_same_outcome(theirs.get_metrics, found.get_metrics, *arguments)


@same
@hypothesis.given(index=st.sampled_from([0, 5, 9, 1, -1]), dataset=dataset, hp=hps)
def test_any_arguments_of_the_rest(pair, index, dataset, hp):
    theirs, ours = pair
    for name in ("get_cost_info", "get_latency"):
        assert_same_outcome(getattr(theirs, name), getattr(ours, name), index, dataset, str(hp))
    for call in (
        lambda api: list(api.query_by_index(index, dataset, hp)),
        lambda api: api.get_net_param(index, dataset, None, hp),
        lambda api: api.get_net_param(index, dataset, 999, hp),
        lambda api: api.get_net_config(index, dataset),
        lambda api: api.arch(index),
    ):
        if dataset is not None:
            compare(outcome(call, theirs), outcome(call, ours))


@same
@hypothesis.given(
    arch=st.one_of(
        st.text(max_size=5),
        st.integers(-3, 20_000),
        st.floats(),
        st.none(),
        st.sampled_from(SPACES["tss"].format([3, 4])),
    )
)
def test_any_architecture(pair, arch):
    theirs, ours = pair
    assert_same_outcome(theirs.query_index_by_arch, ours.query_index_by_arch, arch)
    assert_same_outcome(theirs.query_index_by_arch, ours.query_index_by_arch, Spoken(arch))


class Spoken:
    """An architecture that says its notation."""

    def __init__(self, text):
        self.text = text

    def tostr(self):
        return self.text


def test_accuracy_on_both_halves_where_validation_was_skipped(pair):
    theirs, ours = pair
    possible = {theirs.simulate_train_eval(9, "cifar100", 3, "12", False)[:3] for _ in range(100)}
    assert {ours.simulate_train_eval(9, "cifar100", 3, "12", False)[:3] for _ in range(100)} == possible
    for arguments in ((9, "cifar10", 3), (9, "cifar", None), (1, "cifar100", None), (9, "ImageNet16-120", None)):
        assert_same_outcome(theirs.simulate_train_eval, ours.simulate_train_eval, *arguments)


def test_unique_strings(pair):
    theirs, ours = pair
    for index in range(0, 15_625, 97):
        assert theirs.get_unique_str(index) == ours.get_unique_str(index) == ours.get_unique_str(theirs[index])
    assert isinstance(outcome(lambda: ours.get_unique_str("nonsense")), ValueError)


@pytest.mark.parametrize("text", ["|nor_conv_1x1~0|+|none~0|none~1|", "|a~0|", "|a~b|", "a", "|none~0~1|"])
def test_cells_as_lists_and_matrices(pair, text):
    theirs, ours = pair
    assert_same_outcome(theirs.str2lists, ours.str2lists, text)
    assert_same_outcome(lambda: theirs.str2matrix(text).tolist(), lambda: ours.str2matrix(text).tolist())


def test_same_attributes(pair):
    theirs, ours = pair
    for name in (
        "is_size",
        "is_topology",
        "full_epochs_in_paper",
        "full_train_epochs",
        "search_space_name",
        "fast_mode",
    ):
        assert getattr(theirs, name) == getattr(ours, name)
    for name in ("filename", "archive_dir", "meta_archs", "archstr2index", "used_time", "verbose"):
        assert getattr(theirs, name) == getattr(ours, name)
    assert len(theirs) == len(ours)
    assert list(theirs) == list(ours)
    assert theirs[3:5] == ours[3:5]
    public = {name for name in dir(type(theirs)) if not name.startswith("_")}
    assert public <= set(dir(ours))
    ours.reset_fast_mode(False)
    ours.reset_archive_dir(None)
    assert (ours.fast_mode, ours.archive_dir) == (False, None)


def test_result_objects_have_the_methods_of_the_originals(pair):
    for_authors = {"debug_test", "update_OLD_eval"}
    for name in (None, "cifar100"):
        theirs, ours = (api.query_by_index(5, name) for api in pair)
        theirs, ours = (theirs[111], ours[111]) if name else (theirs, ours)
        public = {name for name in dir(theirs) if not name.startswith("_")}
        assert public - for_authors <= {*dir(ours), *ours.state_dict()}


def test_results_by_architecture_and_hyper_parameters(pair):
    _, ours = pair
    assert list(ours.arch2infos_dict) == [0, 5, 9]
    assert len(ours.arch2infos_dict) == 3
    assert 1 not in ours.arch2infos_dict
    assert ours.arch2infos_dict[5]["12"].get_dataset_names() == ["cifar10-valid", "cifar100"]
    with pytest.raises(KeyError):
        ours.arch2infos_dict[1]


def test_changing_results_works_as_in_the_original(pair):
    found = []
    for api in pair:
        result = api.query_by_index(5, "cifar100")[111]
        result.reset_pseudo_train_times(2.5)
        result.reset_pseudo_eval_times("x-valid", 0.5)
        result.update_latency([0.25, 0.75])
        info = api.query_meta_info_by_index(5)
        info.reset_latency("cifar100", None, 0.5)
        info.reset_latency("cifar100", 111, 0.25)
        info.reset_pseudo_train_times("cifar100", None, 3.0)
        info.reset_pseudo_eval_times("cifar100", 777, "ori-test", 4.0)
        costs = [
            result.get_times(),
            result.get_latency(),
            info.get_latency("cifar100"),
            info.get_compute_costs("cifar100"),
        ]
        found.append([*costs, info.query("cifar100", 777).get_train(3)])
    assert_same(*found)
    untouched = pair[1].query_by_index(5, "cifar100")[111]
    assert untouched.get_latency() != 0.5


def test_results_can_be_copied_and_stored(pair):
    _, ours = pair
    info = ours.query_by_index(5)
    for twin in (copy.deepcopy(info), pickle.loads(pickle.dumps(info))):
        assert twin.get_compute_costs("cifar100") == info.get_compute_costs("cifar100")
        assert repr(twin) == repr(info)
    twin.update("cifar10", 777, copy.deepcopy(info.query("cifar100", 777)))
    assert twin.get_dataset_seeds("cifar10") == [777]
    assert "cifar10" not in info.get_dataset_names()
    with pytest.raises(ValueError, match="already"):
        twin.update("cifar10", 777, info.query("cifar100", 777))


def test_draws_are_reproducible_and_leave_the_global_generator_alone(made_up):
    def draws(seed):
        api = nats_bench.create(made_up, "tss", True, False, seed=seed)
        drawn = [api.get_more_info(5, "cifar100")["train-loss"] for _ in range(30)]
        drawn += [api.query_by_index(5).get_metrics("cifar100", "train", is_random=True)["loss"] for _ in range(30)]
        return drawn, [api.random() for _ in range(30)], api

    random.seed(3)
    before = random.getstate()
    first, again, other = draws(7), draws(7), draws(8)
    assert random.getstate() == before
    assert first[:2] == again[:2] != other[:2]
    assert set(first[0]) == {first[2].get_more_info(5, "cifar100", is_random=seed)["train-loss"] for seed in (111, 777)}


def test_answers_are_the_callers_own(pair):
    _, ours = pair
    for call in (lambda: ours.get_more_info(5, "cifar100", is_random=111), lambda: ours.get_cost_info(5, "cifar100")):
        answer = call()
        answer.clear()
        assert call()


def test_many_architectures(tmp_path):
    """More than are read row by row."""
    numbers = random.Random(1)
    infos = {i: {"01": results(numbers, "sss", i, "01", {"cifar10": [777]})} for i in range(0, 80, 2)}
    write_folder(tmp_path / "many", "sss", infos)
    theirs, ours = both(tmp_path / "many", "sss")
    for index in [*infos, *infos]:
        assert_same(theirs.get_more_info(index, "cifar10", hp="01"), ours.get_more_info(index, "cifar10", hp="01"))
    assert_same_outcome(theirs.get_more_info, ours.get_more_info, 1, "cifar10", hp="01")
    assert ours.evaluated_indexes == set(infos)


def test_one_file(tmp_path):
    official = pytest.importorskip("nats_bench")
    numbers = random.Random(2)
    seeds = {dataset: [777] for dataset in DATASETS}
    infos = {}
    for index in (3, 32_767):
        short = results(numbers, "sss", index, "01", seeds)
        infos[index] = {"01": short, "12": results(numbers, "sss", index, "12", {})}
    write_file(tmp_path / "NATS-sss-made-up.pickle.pbz2", "sss", infos)
    path = str(tmp_path / "NATS-sss-made-up.pickle.pbz2")
    theirs, ours = (api.create(path, "sss", verbose=False) for api in (official, nats_bench))
    assert ours.evaluated_indexes == theirs.evaluated_indexes
    assert repr(ours) == repr(theirs)
    for dataset in DATASETS:
        assert ours.find_best(dataset, "train", hp="01") == theirs.find_best(dataset, "train", hp="01")
        for index in (3, 32_767, 4):
            assert_same_outcome(theirs.get_more_info, ours.get_more_info, index, dataset, None, "01")
    with pytest.raises(AssertionError):
        ours.find_best("cifar10", "train", hp="01", enforce_all=True)


def test_what_can_be_opened(made_up, tmp_path):
    official = pytest.importorskip("nats_bench")
    file = tmp_path / "file.pickle.pbz2"
    file.write_bytes(b"")
    for arguments in (
        (str(made_up), "tss", False),
        (str(file), "tss", True),
        (str(tmp_path / "nothing"), "tss", False),
        (str(tmp_path / "nothing"), "tss", True),
        (str(made_up), "nonsense", True),
        (3, "tss", True),
    ):
        expected = outcome(official.create, *arguments, verbose=False)
        found = outcome(nats_bench.create, *arguments, verbose=False)
        assert isinstance(expected, Exception)
        assert isinstance(found, NasbenchLabError | type(expected))
    with pytest.raises(DataError, match="topology space"):
        nats_bench.create(str(made_up), "sss", True)


def test_tables_are_opened_directly_and_archives_are_converted_once(made_up, empty_cache, tmp_path, caplog):
    shutil.copytree(made_up, tmp_path / "mine")
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            converted = nats_bench.create(tmp_path / "mine", "tss", True)
    assert [record.getMessage().split()[0] for record in caplog.records if "converting" in record.getMessage()] == [
        "converting"
    ]
    (folder,) = (empty_cache / "archives").iterdir()
    for path, fast in ((folder, True), (folder, False), (folder / "cifar100-12.h5", False)):
        ours = nats_bench.create(path, "tss", fast, False)
        assert ours.get_more_info(5, "cifar100", is_random=False) == converted.get_more_info(
            5, "cifar100", is_random=False
        )
    (tmp_path / "mine" / "000009.pickle.pbz2").unlink()
    assert len(nats_bench.create(tmp_path / "mine", "tss", True).evaluated_indexes) == 2


OPEN = """
import sys
from nasbench_lab.compat import nats_bench

print(sorted(nats_bench.create(sys.argv[1], "tss", True, False).evaluated_indexes))
"""


def test_processes_may_open_an_archive_first_at_the_same_time(made_up, empty_cache):
    command = [sys.executable, "-c", OPEN, str(made_up)]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=120) for process in together]
    assert [out for out, _ in said] == ["[0, 5, 9]\n"] * 3, said
    assert sum("converting" in err for _, err in said) == 1
    assert all("takes 0.1 GB of disk" in err for _, err in said if "converting" in err)
    assert len(list((empty_cache / "archives").iterdir())) == 1


def _bytes_in(folder):
    """Return the size of all files, some of which may vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_a_killed_conversion_leaves_nothing_for_ever(made_up, empty_cache):
    process = subprocess.Popen([sys.executable, "-c", OPEN, str(made_up)], stderr=subprocess.PIPE, text=True)
    assert "converting" in process.stderr.readline()
    deadline = time.monotonic() + 60
    while not _bytes_in(empty_cache) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert _bytes_in(empty_cache) > 0
    nats_bench.create(made_up, "tss", True)
    (folder,) = (empty_cache / "archives").iterdir()
    assert not folder.name.startswith(".")
    assert all(path.name.endswith(".h5") and not path.name.startswith(".") for path in folder.iterdir())


def test_missing_architectures(pair):
    _, ours = pair
    with pytest.raises(AssertionError, match="architecture 1 is not in"):  # in fast mode, the original has no such file
        ours.query_info_str_by_arch(1)
    ours.reset_fast_mode(False)
    with pytest.warns(UserWarning, match="not evaluated"):
        assert ours.query_info_str_by_arch(1) is None
    ours.reset_fast_mode(True)
    with pytest.raises(LookupError, match="architecture 1 is not in"):
        ours.query_by_index(1)
    with pytest.raises(LookupError, match="architecture 1 has no training on 'cifar10-valid' with hp 12"):
        ours.find_best("cifar10", "valid")
    assert ours.find_best("cifar10", "valid", enforce_all=False)[0] in (0, 5, 9)
    with pytest.warns(UserWarning, match="not in the archive"):
        ours.clear_params(1)
    assert ours.statistics("ImageNet16-120", 12) == {0: 3}
    ours.clear_params(5)
    ours.reload(index=5)
    for call in (lambda: ours.reload("nowhere"), lambda: ours.reload(index=-1), lambda: ours.clear_params(5, "200")):
        assert isinstance(outcome(call), ValueError)


def test_search_space_info():
    official = pytest.importorskip("nats_bench")
    assert nats_bench.version() == official.version()
    for main in ("nats-bench", "nas-bench-201", "nonsense"):
        for aux in ("tss", "sss", "size", "topology", None, "nonsense"):
            assert_same_outcome(official.search_space_info, nats_bench.search_space_info, main, aux)
