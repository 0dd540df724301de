"""The official archives: every number of the real ones, all forms, and nothing hostile."""

import bz2
import copy
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats_files import (
    EPOCHS,
    as_nas_bench_201,
    compress,
    everything,
    infos,
    names,
    torch_stream,
    torch_zip,
    write_folder,
    write_one_file,
)

from nasbench_lab.errors import DataError, MissingDataError, OutputError
from nasbench_lab.tables import catalogue, open_table
from nasbench_lab.tables.importers.nats_archives.archives import import_archive
from nasbench_lab.tables.importers.nats_archives.benchmarks import DATASETS

MIRROR = "D-X-Y/NATS-Bench/fake_torch_dir"
REAL = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
INDICES = (0, 11, 284)
SEEDS = {("tss", "12"): (111, 777), ("tss", "200"): (777, 888, 999), ("sss", "12"): (777, 888, 999)}

PARTS = {
    "train_accuracy": "train_acc1es",
    "train_top5_accuracy": "train_acc5es",
    "train_loss": "train_losses",
}


def values_of(state, dataset, epochs, seeds):
    """All numbers that a table must have of an architecture, by plain loops over the archive's dictionaries."""
    expected = {}

    def put(metric, epoch, repeat, value):
        expected.setdefault(metric, np.full((epochs, len(seeds)), np.nan))[epoch, repeat] = value

    for repeat, seed in enumerate(seeds):
        result = state["all_results"].get((dataset, seed))
        if result is None:
            continue
        for metric, name in PARTS.items():
            for epoch, value in (result[name] or {}).items():
                put(metric, epoch, repeat, value)
        for epoch, value in result["train_times"].items():
            put("epoch_seconds", epoch, repeat, value)
        for role, name in DATASETS[dataset].items():
            for what, part in (("accuracy", "acc1es"), ("loss", "losses"), ("seconds", "times")):
                for key, value in result[f"eval_{part}"].items():
                    if key.split("@")[0] == name:
                        put(f"{role}_{what}", int(key.split("@")[1]), repeat, value)
        put("latency", 0, repeat, result["latency"][0])
    return expected


def check_rows(table, index, state, dataset, epochs, seeds):
    """Assert that a table's rows of one architecture are exactly the archive's numbers."""
    expected = values_of(state, dataset, epochs, seeds)
    dated = {m.name for m in table.description.metrics} - {"parameters", "flops"}
    assert set(expected) == dated - {"train_seconds"}
    for metric, values in expected.items():
        found = table.row(metric, index)
        if "fidelity" not in table.description.metric(metric).axes:
            first = values[0]
            if metric != "latency":
                assert np.array_equal(values, np.broadcast_to(first, values.shape), equal_nan=True)
            assert np.array_equal(found, first, equal_nan=True)
        else:
            assert np.array_equal(found, values, equal_nan=True)


@pytest.fixture(scope="module", params=["sss", "tss"])
def real(request):
    """The space, the folder of the real archive and the folder of its tables."""
    import os

    if "NASBENCH_LAB_MIRROR" not in os.environ:
        pytest.skip("needs published data")
    source = Path(os.environ["NASBENCH_LAB_MIRROR"]) / MIRROR / REAL[request.param]
    with tempfile.TemporaryDirectory() as folder:
        import_archive(source, Path(folder) / "tables")
        yield request.param, source, Path(folder) / "tables"


@pytest.mark.mirror
def test_every_number_of_the_real_archives(real):
    space, source, folder = real
    states = {i: pickle.loads(bz2.decompress((source / f"{i:06d}.pickle.pbz2").read_bytes())) for i in INDICES}
    hps = list(states[0])
    assert {p.stem for p in folder.iterdir()} == {f"{d}-{hp}" for d in DATASETS for hp in hps} | {
        f"search-{d}" for d in ("cifar10", "cifar100", "ImageNet16-120")
    }
    for dataset in DATASETS:
        for hp in hps:
            table = open_table(folder / f"{dataset}-{hp}.h5")
            seeds = SEEDS.get((space, hp), (777,))
            assert table.name == f"nats-bench-{space}-curves/{dataset}-{hp}"
            assert table.description.repeats == tuple(map(str, seeds))
            assert table.fidelities == tuple(range(1, EPOCHS[hp] + 1))
            assert table.description.valid == ("valid_accuracy" if dataset != "cifar10" else None)
            assert table.description.resumable
            assert f"3 of {table.space.size:,} architectures" in " ".join(table.description.notes)
            for index in INDICES:
                check_rows(table, index, states[index][hp], dataset, EPOCHS[hp], seeds)
            present = ~np.isnan(table.values("parameters"))
            assert np.flatnonzero(present).tolist() == list(INDICES)
            with pytest.raises(MissingDataError):
                table.query(1)


@pytest.mark.mirror
def test_the_official_api_gives_the_same(real):
    nats_bench = pytest.importorskip("nats_bench")
    space, source, folder = real
    api = nats_bench.create(str(source), space, fast_mode=True, verbose=False)
    for path in sorted(folder.glob("[!s]*.h5")):
        dataset, _, hp = path.stem.rpartition("-")
        table, epochs = open_table(path), EPOCHS[hp]
        for index in INDICES:
            costs = api.get_cost_info(index, dataset, hp=hp)
            assert table.row("parameters", index) == costs["params"]
            assert table.row("flops", index) == costs["flops"]
            latency = table.row("latency", index)
            assert (
                np.float64(sum(latency[~np.isnan(latency)].tolist())) / (~np.isnan(latency)).sum() == costs["latency"]
            )
            rows = {metric: table.row(metric, index) for metric in table.metrics}
            trained = api.arch2infos_dict[index][hp].get_dataset_seeds(dataset)
            for repeat, seed in enumerate(map(int, table.description.repeats)):
                if seed not in trained:
                    assert np.isnan(rows["train_accuracy"][:, repeat]).all()
                    assert np.isnan(rows["latency"][repeat])
                    continue
                for epoch in range(epochs):
                    info = api.get_more_info(index, dataset, iepoch=epoch, hp=hp, is_random=seed)
                    for role in ("train", "valid", "test", "valtest"):
                        for what in ("accuracy", "loss"):
                            assert info.get(f"{role}-{what}") == number(rows, f"{role}_{what}", epoch, repeat)
                    assert info["train-all-time"] == pytest.approx(rows["epoch_seconds"][repeat] * (epoch + 1))


def number(rows, metric, epoch, repeat):
    """One number of a table as the official code gives it: None where there is none."""
    value = rows[metric][epoch, repeat] if metric in rows else np.nan
    return None if np.isnan(value) else value


@pytest.mark.mirror
def test_search_tables_agree_with_the_assembled_ones(real, empty_cache):
    space, _, folder = real
    for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
        table = open_table(folder / f"search-{dataset}.h5")
        observed = "cifar10-valid" if dataset == "cifar10" else dataset
        assert table.name == f"nats-bench-{space}-search/{dataset}"
        for fidelity in table.fidelities:
            hp = f"{fidelity:02d}"
            curves, reported = open_table(folder / f"{observed}-{hp}.h5"), open_table(folder / f"{dataset}-{hp}.h5")
            for index in INDICES:
                expected = curves.query(index)
                found = table.query(index, fidelity)
                assert found["valid_accuracy"] == expected["valid_accuracy"]
                assert found["test_accuracy"] == reported.query(index)["test_accuracy"]
                assert found["train_seconds"] == pytest.approx(expected["epoch_seconds"] * fidelity, rel=1e-15)
                assert np.nanmax(table.cost(fidelity)[index]) == pytest.approx(np.nanmax(curves.cost()[index]))
                assert found["parameters"] == pytest.approx(reported.query(index)["parameters"])
        if space == "tss":
            assembled = catalogue.load(f"nats-bench-tss/{dataset}")
            for index in INDICES:
                for fidelity in (12, 200):
                    theirs, ours = assembled.query(index, fidelity), table.query(index, fidelity)
                    for metric in set(theirs) & set(ours):
                        assert ours[metric] == pytest.approx(theirs[metric], rel=1e-6), (dataset, index, metric)
                    assert {"valid_accuracy", "test_accuracy", "train_seconds", "valid_seconds"} <= set(theirs) & set(
                        ours
                    )


# Archives made here: few architectures, few data sets and hyper-parameter sets, so that the tables are small.

SMALL = {"01": {"cifar10": [777]}}
PLAN = {"12": {"cifar10-valid": [111, 777], "cifar10": [111]}}
LITTLE = {index: infos("sss", index, SMALL) for index in (3, 32_767)}


def tables_of(source, folder):
    paths = import_archive(source, folder)
    assert sorted(paths) == sorted(folder.iterdir())
    return {path.stem: open_table(path) for path in paths}


def same_numbers(one, other):
    assert one.keys() == other.keys()
    for name, table in one.items():
        assert table.metrics == other[name].metrics
        for metric in table.metrics:
            assert np.array_equal(table.values(metric), other[name].values(metric), equal_nan=True)


def test_all_forms_give_the_same_tables(tmp_path):
    results = {index: infos("tss", index, PLAN) for index in (15_624, 0, 7)}
    old = everything("tss", as_nas_bench_201(results))
    (tmp_path / "zip.pth").write_bytes(torch_zip(old))
    (tmp_path / "stream.pth").write_bytes(torch_stream(old))
    forms = {
        "folder": write_folder(tmp_path / "folder", "tss", results),
        "one": write_one_file(tmp_path / "one.pickle.pbz2", "tss", results),
        "zip": tmp_path / "zip.pth",
        "stream": tmp_path / "stream.pth",
    }
    made = {form: tables_of(path, tmp_path / f"{form}-tables") for form, path in forms.items()}
    assert set(made["folder"]) == {"cifar10-valid-12", "cifar10-12", "search-cifar10"}
    for form in ("one", "zip", "stream"):
        same_numbers(made["folder"], made[form])
    for index, state in results.items():
        for dataset in ("cifar10-valid", "cifar10"):
            check_rows(made["one"][f"{dataset}-12"], index, state["12"], dataset, 12, (111, 777))
    assert made["one"]["cifar10-12"].name == "nats-bench-tss-curves/cifar10-12"
    assert made["zip"]["cifar10-12"].name == "nas-bench-201-v1.1-curves/cifar10-12"
    for tables in made.values():
        assert "3 of 15,625" in " ".join(tables["search-cifar10"].description.notes)


@pytest.mark.parametrize("zip_form", [True, False])
def test_files_that_torch_wrote_are_read(tmp_path, zip_form):
    torch = pytest.importorskip("torch")
    results = {index: infos("tss", index, {"12": {"cifar10-valid": [777]}}) for index in (4, 5)}
    old = everything("tss", as_nas_bench_201(results))
    torch.save(old, tmp_path / "bench.pth", _use_new_zipfile_serialization=zip_form)
    made = tables_of(tmp_path / "bench.pth", tmp_path / "tables")
    assert made["cifar10-valid-12"].name == "nas-bench-201-v1.0-curves/cifar10-valid-12"
    for index, state in results.items():
        check_rows(made["cifar10-valid-12"], index, state["12"], "cifar10-valid", 12, (111, 777))


def test_the_official_api_of_nas_bench_201_gives_the_same(tmp_path):
    nas_201_api = pytest.importorskip("nas_201_api")
    pytest.importorskip("torch")
    results = {index: infos("tss", index, {**PLAN, "200": {"cifar10-valid": [777]}}) for index in (4, 5)}
    for each in results.values():  # trainings that disagree about the parameters, as in some published ones
        each["12"]["all_results"]["cifar10-valid", 777]["params"] += 0.25
    old = everything("tss", as_nas_bench_201(results))
    (tmp_path / "bench.pth").write_bytes(torch_stream(old))
    api = nas_201_api.NASBench201API(copy.deepcopy(old), verbose=False)
    made = tables_of(tmp_path / "bench.pth", tmp_path / "tables")
    for index in results:
        for dataset in ("cifar10-valid", "cifar10"):
            table, costs = made[f"{dataset}-12"], api.get_cost_info(index, dataset, "12")
            assert (table.row("parameters", index), table.row("flops", index)) == (costs["params"], costs["flops"])
            info = api.get_more_info(index, dataset, 5, "12", 111)
            assert table.row("test_accuracy", index)[5, 0] == info["test-accuracy"]


def test_trainings_that_disagree_about_parameters_are_repaired_as_the_official_code_does(tmp_path):
    results = {index: infos("sss", index, {"12": {"cifar10": [777, 888, 999]}}) for index in (1, 2)}
    for seed, parameters in ((777, 0.5), (888, 0.25), (999, 0.5)):
        results[1]["12"]["all_results"]["cifar10", seed]["params"] = parameters
        results[2]["12"]["all_results"]["cifar10", seed]["params"] = 0.1 + seed * 1e-10  # agree in five decimals
    table = tables_of(write_folder(tmp_path / "folder", "sss", results), tmp_path / "tables")["cifar10-12"]
    assert table.row("parameters", 1) == 0.25
    assert table.row("parameters", 2) == (0.1 + 777e-10 + (0.1 + 888e-10) + (0.1 + 999e-10)) / 3


def test_seconds_that_differ_between_epochs_are_kept_and_added(tmp_path):
    results = {i: infos("sss", i, {"12": {"cifar10-valid": [777, 888]}}, varying=i == 9) for i in (3, 9)}
    table = tables_of(write_one_file(tmp_path / "a.pbz2", "sss", results), tmp_path / "tables")["cifar10-valid-12"]
    for index, state in results.items():
        check_rows(table, index, state["12"], "cifar10-valid", 12, (777, 888, 999))
        for repeat, seed in enumerate((777, 888)):
            total = 0.0
            for epoch, seconds in state["12"]["all_results"]["cifar10-valid", seed]["train_times"].items():
                total += seconds
                assert table.row("train_seconds", index)[epoch, repeat] == total
    assert table.description.cost == ("train_seconds", "valid_seconds")
    search = open_table(tmp_path / "tables" / "search-cifar10.h5")
    assert search.row("train_seconds", 9)[0, 0] == table.row("train_seconds", 9)[-1, 0]


def test_what_only_some_architectures_have_is_found_on_the_way(tmp_path):
    """Accuracies among the best five, a seed that is not usual, and no times at all."""
    results = {
        3: infos("sss", 3, {"01": {"cifar10": [777]}}, top5=False),
        4: infos("sss", 4, {"01": {"cifar10": [777, 888]}}),
    }
    results[3]["01"]["all_results"]["cifar10", 777].update(train_times=None, eval_times={}, latency=None)
    table = tables_of(write_folder(tmp_path / "folder", "sss", results), tmp_path / "tables")["cifar10-01"]
    assert table.description.repeats == ("777", "888")
    assert np.isnan(table.row("train_top5_accuracy", 3)).all()
    assert not np.isnan(table.row("train_top5_accuracy", 4)).any()
    for metric in ("epoch_seconds", "test_seconds", "latency"):
        assert np.isnan(table.row(metric, 3)).all()
        assert not np.isnan(table.row(metric, 4)).any()


def test_evaluations_at_the_last_epoch_only_are_missing_elsewhere(tmp_path):
    results = {0: infos("sss", 0, {"12": {"cifar100": [777]}}, last_only=("x-valid", "x-test"))}
    table = tables_of(write_folder(tmp_path / "folder", "sss", results), tmp_path / "tables")["cifar100-12"]
    assert np.isnan(table.row("valid_accuracy", 0)[:, 0]).tolist() == [True] * 11 + [False]
    assert not np.isnan(table.row("valtest_accuracy", 0)[:, 0]).any()
    assert not np.isnan(table.row("valid_seconds", 0)[0])


def test_progress_is_told(tmp_path):
    told = []
    import_archive(
        write_folder(tmp_path / "folder", "sss", LITTLE), tmp_path / "t", progress=lambda *each: told.append(each)
    )
    assert told == [(1, 2), (2, 2)]


def test_an_older_import_is_replaced_and_other_files_are_not(tmp_path):
    source = write_folder(tmp_path / "folder", "sss", LITTLE)
    folder = tmp_path / "tables"
    tables_of(source, folder)
    (folder / "ImageNet16-120-90.h5").write_text("outdated")
    tables_of(source, folder)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        import_archive(source, folder)
    assert (folder / "mine.txt").read_text() == "mine"


def changed(change, results=LITTLE):
    results = copy.deepcopy(results)
    change(results)
    return results


def of_first(results):
    return next(iter(results[3]["01"]["all_results"].values()))


WRONG = {
    "another architecture": lambda r: r[3]["01"].update(arch_str="8:8:8:8:8"),
    "another index": lambda r: r[3]["01"].update(arch_index=4),
    "an unknown seed": lambda r: r[3]["01"].update(dataset_seed={"cifar10": [123]}),
    "a seed of text": lambda r: r[3]["01"].update(dataset_seed={"cifar10": ["777"]}),
    "no seeds": lambda r: r[3]["01"].update(dataset_seed={"cifar10": []}),
    "a seed without training": lambda r: r[3]["01"].update(dataset_seed={"cifar10": [777, 888]}),
    "a training without seed": lambda r: r[3]["01"].update(dataset_seed={}),
    "an unknown data set": lambda r: r[3]["01"].update(dataset_seed={"mnist": [777]}),
    "other hyper-parameters": lambda r: r[3].update({"77": r[3]["01"]}),
    "no results": lambda r: r[3].clear(),
    "results of text": lambda r: r[3].update({"01": "none"}),
    "no trainings": lambda r: r[3]["01"].pop("all_results"),
    "a training of text": lambda r: r[3]["01"]["all_results"].update({("cifar10", 777): "none"}),
    "other epochs": lambda r: of_first(r).update(epochs=12),
    "true epochs": lambda r: of_first(r).update(epochs=True),
    "another name": lambda r: of_first(r).update(name="cifar100"),
    "no accuracies": lambda r: of_first(r).pop("train_acc1es"),
    "accuracies as a list": lambda r: of_first(r).update(train_acc1es=[1.0]),
    "accuracy of text": lambda r: of_first(r).update(train_acc1es={0: "1.0"}),
    "accuracy none": lambda r: of_first(r).update(train_acc1es={0: None}),
    "accuracies in lists": lambda r: of_first(r).update(train_acc1es={0: [[1.0]]}),
    "accuracy of a later epoch": lambda r: of_first(r).update(train_acc1es={0: 1.0, 1: 1.0}),
    "unknown images": lambda r: of_first(r)["eval_acc1es"].update({"y-test@0": 1.0}),
    "parameters of text": lambda r: of_first(r).update(params="1"),
    "a huge number": lambda r: of_first(r).update(flop=10**400),
    "a huge accuracy": lambda r: of_first(r).update(train_acc1es={0: 10**400}),
    "latency of text": lambda r: of_first(r).update(latency="fast"),
    "latencies of text": lambda r: of_first(r).update(latency=["fast"]),
    "an architecture of the other space": lambda r: r.update({3: infos("tss", 3, {"12": {"cifar10": [111]}})}),
}


UNRECOGNISED = {"no results", "results of text", "an architecture of the other space"}


def check_refused(source, folder, message="."):
    with pytest.raises(DataError, match=message) as caught:
        import_archive(source, folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not folder.exists()
    return str(caught.value)


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_belong_there_is_refused(tmp_path, name):
    for source in (
        write_folder(tmp_path / "folder", "sss", changed(WRONG[name])),
        write_one_file(tmp_path / "one.pickle.pbz2", "sss", changed(WRONG[name])),
    ):
        message = check_refused(source, tmp_path / "tables")
        assert "architecture 3 of the archive is damaged" in message or name in UNRECOGNISED


def test_what_is_wrong_is_said(tmp_path):
    source = write_folder(tmp_path / "folder", "sss", changed(WRONG["an unknown seed"]))
    check_refused(source, tmp_path / "tables", "unexpected seed 123; known: 111, 777, 888, 999")


@pytest.mark.parametrize("index", [-1, 32_768, "3", True, None, (1, 2)])
def test_architectures_that_do_not_exist_are_refused(tmp_path, index):
    path = tmp_path / "one.pickle.pbz2"
    path.write_bytes(compress({**everything("sss", {}), "arch2infos": {index: LITTLE[3]}}))
    check_refused(path, tmp_path / "tables", "which does not exist")


def test_the_list_of_architectures_must_be_the_official_one(tmp_path):
    source = write_folder(tmp_path / "folder", "sss", LITTLE)
    meta = {"meta_archs": names("sss")[::-1]}
    (source / "meta.pickle.pbz2").write_bytes(compress(meta))
    check_refused(source, tmp_path / "tables", "official order")
    (source / "meta.pickle.pbz2").unlink()
    check_refused(source, tmp_path / "tables", "cannot read .*meta")
    path = tmp_path / "one.pickle.pbz2"
    path.write_bytes(compress({**everything("sss", LITTLE), **meta}))
    check_refused(path, tmp_path / "tables", "official order")


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    check_refused(tmp_path / "empty", tmp_path / "tables", "has no architectures")
    check_refused(tmp_path / "none", tmp_path / "tables", "cannot read")
    for content in (
        b"",
        b"text",
        b"BZh9",
        b"PK\x03\x04",
        compress([1]),
        compress({"arch2infos": {}}),
        pickle.dumps({}),
    ):
        (tmp_path / "file").write_bytes(content)
        check_refused(tmp_path / "file", tmp_path / "tables")


class Run:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/nasbench-lab-was-run",)


def test_hostile_pickles_run_nothing(tmp_path):
    hostile = {**LITTLE, 3: {"01": Run()}}
    old = everything("sss", hostile)
    (tmp_path / "stream.pth").write_bytes(torch_stream(old))
    (tmp_path / "zip.pth").write_bytes(torch_zip(old))
    for source in (
        write_folder(tmp_path / "folder", "sss", hostile),
        write_one_file(tmp_path / "one.pickle.pbz2", "sss", hostile),
        tmp_path / "stream.pth",
        tmp_path / "zip.pth",
    ):
        check_refused(source, tmp_path / "tables", r"asks for \w+\.system, which is not allowed; nothing was run")
    assert not Path("/tmp/nasbench-lab-was-run").exists()


def test_bombs_are_refused(tmp_path):
    source = write_folder(tmp_path / "folder", "sss", LITTLE)
    bomb = bz2.compress(b"\x80\x04]" + b"0" * 5_000_000)
    (source / "000003.pickle.pbz2").write_bytes(bomb)
    check_refused(source, tmp_path / "tables", "more than [0-9]+ bytes when it is decompressed")
    assert len(bomb) < 100
    bomb = bz2.compress(b"\x80\x04C" + np.random.default_rng(0).integers(0, 4, 5_000_000, dtype=np.uint8).tobytes())
    (source / "000003.pickle.pbz2").write_bytes(bomb)
    check_refused(source, tmp_path / "tables", "more than 2097152 bytes when it is decompressed")
    for inside in (b"]" * 5_000_000, b"}(\x8c\x0aarch2infos}(K\x00" + b"]" * 5_000_000):
        (tmp_path / "one.pbz2").write_bytes(bz2.compress(b"\x80\x04" + inside))
        check_refused(tmp_path / "one.pbz2", tmp_path / "tables", "more than 2097152 bytes in one item")


def test_path_tricks_in_torch_files_are_refused(tmp_path):
    path = tmp_path / "bench.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(everything("sss", LITTLE), 2))
        archive.writestr("archive/../../evil", b"")
    check_refused(path, tmp_path / "tables", "which is not in its folder")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(everything("sss", LITTLE), 2))
    check_refused(path, tmp_path / "tables", "torch does not compress")


RAW = pickle.dumps(LITTLE[3], 4)
TINY = {**everything("sss", {}), "arch2infos": LITTLE, "meta_archs": ["8:8:8:8:8"]}  # refused at the end if not before
FILES = {
    "one": compress(TINY),
    "zip": torch_zip(TINY),
    "stream": torch_stream(TINY),
}


def damage(content, choice):
    content = bytearray(content)
    position = choice.draw(st.integers(0, len(content) - 1))
    if choice.draw(st.booleans()):
        del content[position:]
    else:
        content[position] ^= 1 << choice.draw(st.integers(0, 7))
    return bytes(content)


@given(st.data())
@settings(max_examples=60)
def test_damaged_files_of_architectures_are_refused(tmp_path_factory, choice):
    """Compressed data has a checksum; below it, a damage may make another number, but no other error."""
    folder = tmp_path_factory.mktemp("damaged")
    source = folder / "source"
    source.mkdir()
    (source / "meta.pickle.pbz2").write_bytes(compress({"meta_archs": []}))
    content = choice.draw(st.sampled_from([bz2.compress(damage(RAW, choice)), damage(bz2.compress(RAW), choice)]))
    (source / "000003.pickle.pbz2").write_bytes(content)
    check_refused(source, folder / "tables")


@given(st.sampled_from(sorted(FILES)), st.data())
@settings(max_examples=60)
def test_damaged_files_are_refused(tmp_path_factory, form, choice):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "file").write_bytes(damage(FILES[form], choice))
    check_refused(folder / "file", folder / "tables")
