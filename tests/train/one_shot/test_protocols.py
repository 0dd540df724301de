"""Published protocols: their settings, their rows, and a search on a small CIFAR in a user's folder."""

import dataclasses

import pytest
import torch
from official_files import Official

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.one_shot import protocols
from nasbench_lab.train.one_shot.methods.registry import make_method
from nasbench_lab.train.one_shot.protocols import list_protocols, protocol, published_results
from nasbench_lab.train.one_shot.search_plan import label_of, plan_search

ALL_SKIP = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"
SMALL = {"channels": 2, "cells": 1}


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_can_be_run(name):
    chosen = protocol(name)
    method = make_method(chosen.method, chosen.parameters)
    assert {key: method.parameters[key] for key in chosen.parameters} == dict(chosen.parameters)
    assert chosen.recipe.name == name
    assert chosen.source
    assert "commit" in chosen.source
    if chosen.row is not None:
        assert chosen.published is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        chosen.method = "spos"


def test_gradients_are_clipped_once():
    """A method that has a limit of its own leaves it to the recipe."""
    for name in list_protocols():
        method = make_method(protocol(name).method, protocol(name).parameters)
        if protocol(name).method != "enas":  # its limit is for the controller
            assert method.parameters.get("clip", 0.0) == 0.0, name


def test_the_settings_of_the_shared_weights_differ_as_published():
    clips = {name: protocol(name).recipe.clip for name in list_protocols()}
    assert {name for name, clip in clips.items() if not clip} == {
        "nas-bench-201/setn",
        *(name for name in clips if name.startswith("nats-bench")),
    }
    epochs = {protocol(name).recipe.epochs for name in list_protocols() if name.startswith("nats-bench")}
    assert epochs == {100}
    enas = protocol("nas-bench-201/enas").recipe
    # configs/nas-benchmark/algos/ENAS.config has T_max 10: up and down between 0.05 and 0.0005 in 20 epochs.
    rates = [enas.rate(epoch * 196, 196) for epoch in (0, 10, 20)]
    assert rates == [0.05, pytest.approx(0.0005), pytest.approx(0.05)]
    assert (enas.batch, enas.weight_decay, enas.epochs) == (128, 2.5e-4, 250)


def test_published_rows_of_the_repository_of_drnas():
    rows = {row.method: row.test for row in protocols.PUBLISHED if "DrNAS" in row.source}
    assert {name: tuple(mean for mean, _ in test.values()) for name, test in rows.items()} == {
        "ENAS": (54.30, 10.62, 16.32),
        "DARTS": (54.30, 38.97, 18.41),
        "SNAS": (92.77, 69.34, 43.16),
        "PC-DARTS": (93.41, 67.48, 41.31),
        "DrNAS": (94.36, 73.51, 46.34),
    }


@pytest.mark.mirror
def test_the_cell_of_skip_connections_explains_published_rows():
    found = {}
    for name in protocols.DATASETS:
        table = nl.load(f"nats-bench-tss/{name}")
        found[name] = round(float(table.mean_values("test_accuracy")[table.space.resolve(ALL_SKIP)]), 2)
    assert found == {"cifar10": 54.30, "cifar100": 15.61, "ImageNet16-120": 16.32}
    darts = {(row.source, row.method): row.test["cifar10"][0] for row in published_results("cifar10")}
    assert [mean for (_, method), mean in darts.items() if method == "DARTS-V1"] == [found["cifar10"]]
    assert [mean for (source, method), mean in darts.items() if method == "DARTS" and "DrNAS" in source] == [54.30]
    published = protocol("nas-bench-201/darts-v1").published
    assert {name: mean for name, (mean, _) in published.test.items()} == found


def test_no_published_row_is_better_than_the_best_architecture():
    best = {"cifar10": 94.37, "cifar100": 73.51, "ImageNet16-120": 47.31}  # "optimal" in the same README
    for dataset, most in best.items():
        assert all(row.test[dataset][0] <= most for row in published_results(dataset))


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="nas-bench-201/gdas"):
        protocol("nas-bench-201/gda")
    with pytest.raises(UnknownNameError, match="cifar100"):
        published_results("cifar1000")
    with pytest.raises(ParameterError, match="give the table that knows its accuracies"):
        protocol("nas-bench-201/gdas").options("digits")


def test_options_divide_the_images_as_in_the_protocol():
    new, old = protocol("drnas/drnas"), protocol("nas-bench-201/gdas")
    assert new.options({"name": "cifar10", "folder": "x"})["dataset"] == {
        "name": "cifar10",
        "folder": "x",
        "split": "halves",
    }
    assert old.options("cifar10")["dataset"] == {"name": "cifar10"}
    data = digits()
    assert new.options(data, table="digits/topology")["dataset"] is data


def test_options_take_changes():
    found = protocol("nas-bench-201/gdas").options(
        {"name": "ImageNet16-120", "folder": "x"}, parameters={"bare": False}, network={"cells": 1}, epochs=3, runs=2
    )
    assert found["table"] == "nats-bench-tss/ImageNet16-120"
    assert found["recipe"].padding == 2
    assert (found["parameters"]["bare"], found["parameters"]["last_temperature"]) == (False, 0.1)
    assert (found["network"], found["epochs"], found["runs"]) == ({"channels": 16, "cells": 1}, 3, 2)
    assert protocol("nas-bench-201/gdas").options("digits", table="digits/topology")["recipe"].padding == 0


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_search_on_official_files(tmp_path, monkeypatch, precision):
    data = Official(tmp_path, monkeypatch)
    data.extracted()
    trace = protocol("nas-bench-201/gdas").search(
        {"name": "cifar10", "folder": str(tmp_path)},
        table="digits/topology",  # answers for the same cells
        network=SMALL,
        epochs=1,
        scale=1.0,
        precision=precision,
        folder=tmp_path / "out",
    )
    assert trace.setting.training["recipe"] == "nas-bench-201/gdas"
    assert trace.setting.training["precision"] == precision
    assert trace.supernet(0).image == (3, 32, 32)
    table = nl.load("digits/topology")
    assert 0 <= trace.final_incumbent()[0] < table.space.size


@pytest.mark.mirror
def test_the_derived_cell_is_looked_up_in_the_table_of_the_benchmark(tmp_path, monkeypatch):
    Official(tmp_path, monkeypatch).archived()
    trace = protocol("nas-bench-201/darts-v1").search(
        {"name": "cifar10", "folder": str(tmp_path)}, network=SMALL, epochs=1, scale=1.0
    )
    assert trace.setting.table == "nats-bench-tss/cifar10"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("method", ["darts", "gdas", "enas", "spos", "drnas", "tunas"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_method_of_each_kind_on_a_gpu(tmp_path, method, precision):
    from nasbench_lab.train.one_shot import search

    found = [
        search(
            "digits/size" if method == "tunas" else "digits/topology",
            method,
            epochs=1,
            network=None if method == "tunas" else {"channels": 4, "cells": 1},
            scale=1.0,
            device="cuda",
            precision=precision,
        )
        for _ in range(2)
    ]
    assert found[0].final_incumbent().tolist() == found[1].final_incumbent().tolist()


def test_plans_of_a_protocol_name_it():
    chosen = protocol("nas-bench-201/darts-v1")
    plan = plan_search(**chosen.options("digits", table="digits/topology", network=SMALL))
    assert plan.facts["recipe"] == "nas-bench-201/darts-v1"
    assert (plan.recipe.epochs, plan.recipe.clip) == (50, 5.0)


def test_labels_of_searches_on_official_files_fit_into_traces(tmp_path, monkeypatch):
    Official(tmp_path, monkeypatch).extracted()
    given = {"name": "cifar10", "folder": str(tmp_path)}
    for name in list_protocols():
        if protocol(name).benchmark == "nats-bench-tss":
            options = protocol(name).options(given, table="digits/topology", network={"channels": 4, "cells": 1})
            label = plan_search(**options).label
            assert len(label) <= 200, label
            assert str(tmp_path) not in label
            assert "dataset=cifar10" in label


def test_a_label_that_is_too_long_still_tells_searches_apart():
    choices = [{"recipe": "long " * 60, "threads": number} for number in (2, 3)]
    labels = [label_of(make_method("spos"), each) for each in choices]
    assert all(len(label) <= 200 for label in labels)
    assert labels[0] != labels[1]
