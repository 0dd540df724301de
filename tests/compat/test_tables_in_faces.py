"""The faces on tables of the catalogue, search tables of archives and tables of users."""

import copy
import pickle
import random
import shutil
import warnings

import numpy as np
import pytest
from copies import in_new_process
from nats_archives import assert_same, outcome, results, write_folder

import nasbench_lab as nl
from nasbench_lab.compat import nas_201_api, nats_bench
from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.tables import write
from nasbench_lab.tables.importers.nats_archives.archives import import_archive
from nasbench_lab.testing import synthetic_table


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A small official archive, and the folder of the tables made from it."""
    folder = tmp_path_factory.mktemp("archive")
    numbers = random.Random(0)
    seeds = {"cifar10-valid": [111, 777], "cifar10": [777], "cifar100": [111, 777], "ImageNet16-120": [111]}
    infos = {i: {"12": results(numbers, "tss", i, "12", seeds)} for i in (0, 5, 9)}
    write_folder(folder / "official", "tss", infos)
    import_archive(folder / "official", folder / "tables")
    return folder


@pytest.fixture(scope="module")
def official(archive):
    return pytest.importorskip("nats_bench").create(str(archive / "official"), "tss", True, False)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_a_search_table_answers_like_the_original_at_the_last_epoch(archive, official, dataset):
    ours = nats_bench.create(archive / "tables" / f"search-{dataset}.h5", "tss", verbose=False)
    trained = "cifar10-valid" if dataset == "cifar10" else dataset
    for index in (0, 5, 9):
        for seed in official.query_by_index(index, trained, "12"):
            expected = official.get_more_info(index, trained, None, "12", seed)
            found = ours.get_more_info(index, trained, None, "12", seed)
            assert found["valid-accuracy"] == expected["valid-accuracy"]
            assert found["comment"] == expected["comment"] if dataset == "cifar10" else "comment" not in found
            for key in ("train-all-time", "train-per-time", "valid-per-time", "valid-all-time"):
                assert found[key] == pytest.approx(expected[key], rel=1e-12)
        reported = "cifar10" if dataset == "cifar10" else dataset
        expected = official.get_more_info(index, reported, None, "12", False)["test-accuracy"]
        assert ours.get_more_info(index, reported, None, "12", False)["test-accuracy"] == expected
        costs, known = ours.get_cost_info(index, reported), official.get_cost_info(index, reported)
        assert (costs["flops"], costs["params"], costs["latency"]) == (known["flops"], known["params"], None)
    possible = {official.simulate_train_eval(5, dataset)[0] for _ in range(40)}
    assert {ours.simulate_train_eval(5, dataset)[0] for _ in range(40)} == possible
    official.reset_time()
    for limits in ({}, {"param_max": 0.5}):
        expected = official.find_best(dataset, "valid", enforce_all=False, **limits)
        assert_same(expected, ours.find_best(dataset, "valid", **limits))


def test_what_a_search_table_lacks_is_an_error_that_says_so(archive):
    ours = nats_bench.create(archive / "tables" / "search-cifar100.h5", "tss", verbose=False)
    info = ours.get_more_info(5, "cifar100", is_random=111)
    assert "train-loss" not in info
    for one in (info, info.copy(), copy.deepcopy(info), pickle.loads(pickle.dumps(info))):
        with pytest.raises(
            KeyError, match=r"'nats-bench-tss-search/cifar100' at epoch 11 has no 'train-loss'; it has "
        ):
            one["train-loss"]
    for call, message in (
        (lambda: ours.get_more_info(5, "cifar100", iepoch=3), r"no measurement at epoch 3 \(from 0; there are 11\)"),
        (lambda: ours.get_more_info(5, "cifar10"), "available: cifar100 with hp 12"),
        (lambda: ours.get_more_info(1, "cifar100"), "architecture 1 has no training on 'cifar100' with hp 12"),
        (lambda: ours.query_by_index(5, "cifar100")[111].get_train()["accuracy"], "has no 'accuracy'"),
    ):
        with pytest.raises(KeyError, match=message):
            call()


def test_a_learning_curve_table_is_recognised_under_any_name(archive, tmp_path):
    shutil.copy(archive / "tables" / "cifar100-12.h5", tmp_path / "mine.h5")
    mine, theirs = (
        nats_bench.create(path, "tss", verbose=False) for path in (tmp_path / "mine.h5", archive / "tables")
    )
    assert_same(mine.get_more_info(5, "cifar100", 3, "12", 111), theirs.get_more_info(5, "cifar100", 3, "12", 111))


def test_a_table_of_a_user(tmp_path):
    """Its fidelities are epochs of the same trainings, its repeats have numbers for names."""
    api, table = nats_bench.create("digits/topology", "tss", verbose=False, seed=0), nl.load("digits/topology")
    assert (api.avaliable_hps, len(api)) == (["12"], 15_625)
    for epochs in (4, 12):
        for repeat, which in ((1, 1), ("mean", False)):
            known = table.query(5, epochs, repeat)
            info = api.get_more_info(5, "topology", epochs - 1, is_random=which)
            assert info["valid-accuracy"] == pytest.approx(known["valid_accuracy"], rel=1e-15)
            assert info["train-loss"] == pytest.approx(known["train_loss"], rel=1e-15)
            assert info["train-all-time"] == pytest.approx(known["seconds"], rel=1e-15)
    accuracy, latency, seconds, _ = api.simulate_train_eval(5, "topology")
    trainings = {(table.query(5, 12, r)["valid_accuracy"], table.query(5, 12, r)["seconds"]) for r in range(3)}
    assert (accuracy, seconds) in trainings
    assert latency is None
    assert api.find_best("topology", "x-valid")[1] == pytest.approx(table.optimum("valid"))
    with pytest.raises(KeyError, match="flops"):
        write(synthetic_table("topology"), tmp_path / "mine.h5")
        nats_bench.create(tmp_path / "mine.h5", "tss").get_cost_info(0, "topology", "12")["flops"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nats-bench-tss/cifar11", "did you mean 'nats-bench-tss/cifar10'"),
        ("nothing", "nothing is neither a file or a dir"),
        ("./nothing", "nothing is neither a file or a dir.$"),
        ("nas-bench-graph/cora", "gnn space, not the topology space|has the .* space"),
    ],
)
def test_names_that_cannot_be_opened(name, message):
    with pytest.raises(NasbenchLabError, match=message) as error:
        nats_bench.create(name, "tss")
    assert isinstance(error.value, ValueError | OSError)
    assert len(str(error.value).splitlines()) == 1


def test_a_table_of_another_space():
    with pytest.raises(DataError, match="digits/topology has the topology space, not the size space"):
        nats_bench.create("digits/topology", "sss")


@pytest.mark.mirror
def test_tables_of_the_catalogue():
    api, table = nats_bench.create("nats-bench-tss/cifar10", "tss", verbose=False), nl.load("nats-bench-tss/cifar10")
    assert api.find_best("cifar10", "test", hp="200") == (6_111, pytest.approx(94.3733, abs=1e-4))
    assert api.get_more_info(6_111, "cifar10", hp="200", is_random=False)["test-accuracy"] == table.optimum("test")
    known = table.query(7, 200)
    accuracy, latency, seconds, _ = api.simulate_train_eval(7, "cifar10", hp="200")
    assert accuracy in table.repeat_values("valid_accuracy", 200)[7]
    assert (latency, seconds) == (None, known["train_seconds"] + known["valid_seconds"])
    with pytest.raises(ValueError, match=r"no training from seed 777; there are \['1st training'"):
        api.get_more_info(6_111, "cifar10-valid", hp="200", is_random=777)
    older = nas_201_api.NASBench201API("nats-bench-tss/cifar10", verbose=False)
    assert older.find_best("cifar10", "valid", hp="200")[0] == api.find_best("cifar10", "valid", hp="200")[0]


@pytest.mark.mirror
def test_all_tables_of_a_publication_and_means_that_stand_for_trainings():
    api = nats_bench.create("nats-bench-tss", "topology", verbose=False)
    for dataset, best, accuracy in (("cifar100", 9_930, 73.5133), ("ImageNet16-120", 857, 47.3111)):
        assert api.find_best(dataset, "test", hp="200") == (best, pytest.approx(accuracy, abs=1e-4))
    with pytest.warns(UserWarning, match="only the mean over trainings") as caught:
        drawn = api.get_more_info(3, "cifar100", hp="200")
    assert [str(warning.message).split("'")[3] for warning in caught] == ["valid_accuracy", "test_accuracy"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = api.get_more_info(3, "cifar100", hp="200", is_random=False)
        api.get_more_info(4, "cifar100", hp="200")
    assert drawn["valid-accuracy"] == again["valid-accuracy"]


def queries(api):
    """Answers of all kinds, with draws of trainings."""
    return repr(
        [
            [api.get_more_info(i, "cifar100", 3, "12", which) for i in (0, 5) for which in (False, True, 111)],
            [api.simulate_train_eval(i, "cifar10") for i in (0, 9)],
            [api.get_cost_info(5, "cifar100"), api.query_info_str_by_arch(5), api.random()],
            [api.query_by_index(5).get_metrics("cifar100", "train", None, True) for _ in range(9)],
            [outcome(api.get_more_info, 1, "cifar100"), len(api.evaluated_indexes), api[5]],
        ]
    )


@pytest.mark.parametrize("used", [False, True])
def test_faces_can_be_copied_and_sent_to_processes(archive, used):
    for make in (
        lambda: nats_bench.create(archive / "tables", "tss", verbose=False, seed=1),
        lambda: nas_201_api.NASBench201API(archive / "tables", verbose=False, seed=1),
    ):
        api = make()
        if used:
            queries(api)
        twins = [pickle.loads(pickle.dumps(api)), copy.deepcopy(api)]
        assert len(pickle.dumps(api)) < 100_000
        answers = queries(copy.deepcopy(api))
        assert [queries(twin) for twin in twins] == [answers] * 2
        assert queries(copy.copy(api)) == answers  # a shallow copy shares the generator, so it comes last
    if used:
        api = make()
        assert in_new_process(queries, api) == queries(api)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_results_can_be_copied(archive, copied):
    def answers(results):
        drawn = [results.get_metrics("cifar100", "x-valid", 3, True)["loss"] for _ in range(9)]
        return drawn, results.get_compute_costs("cifar100"), results.query("cifar100", 111).get_times()

    api = nats_bench.create(archive / "tables", "tss", verbose=False, seed=2)
    results = api.query_by_index(5)
    for _ in range(2):  # before and after
        twin = copied(results)
        state = results._random.getstate()
        found = answers(twin)
        results._random.setstate(state)
        assert_same(found, answers(results))


def test_answers_do_not_depend_on_earlier_questions(archive):
    """What equals an int is no int: 11.0, 12.0 and numpy.int64(5) are asked before and after 11, 12 and 5."""
    questions = [
        (5, "cifar100", epoch, hp, 111) for epoch in (11, 11.0, 5.5, np.int64(11), True) for hp in ("12", 12, 12.0)
    ]
    questions += [(index, "cifar100", None, "12", 111) for index in (5, 5.0, np.int64(5), True)]
    used = nats_bench.create(archive / "tables", "tss", verbose=False)
    for order in (questions, questions[::-1]):
        for question in order:
            fresh = nats_bench.create(archive / "tables", "tss", verbose=False)
            assert repr(outcome(used.get_more_info, *question)) == repr(outcome(fresh.get_more_info, *question))


def test_an_error_names_the_architecture_that_was_given(archive):
    api = nats_bench.create(archive / "tables", "tss", verbose=False)
    for given, message in (
        ("8:8:8:8:8", "'8:8:8:8:8' is not an architecture of the topology space, but of the size space"),
        (
            "nonsense",
            r"'nonsense' is not an architecture of the topology space, whose notation is like \|avg_pool_3x3~0",
        ),
        (np.int64(5), "is not an architecture: give an index"),
    ):
        for call in (
            lambda given=given: api.get_more_info(given, "cifar100"),
            lambda given=given: api.simulate_train_eval(given, "cifar100"),
        ):
            with pytest.raises(ValueError, match=message):
                call()
