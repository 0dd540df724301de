"""The scores of supernets in digits/topology: the tool that makes them, at a tiny scale, and the stored columns."""

import importlib.util
import sys

import numpy as np
import pytest
from paths import ROOT

import nasbench_lab as nl

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")


@pytest.fixture(scope="module")
def tool():
    name = "score_digits_topology"
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


def test_the_recipe_at_a_tiny_scale(tool, tmp_path, capsys):
    networks = (0, 1, 5, 7, 9, 20, 40)
    study = tool.Study(
        trainings=(("uniform", 2), ("fair", 1)),
        columns=(("uniform", 2),),
        running=(("fair", 1),),
        seeds=(0, 1, 2),
        options={"channels": 2, "cells": 1},
        networks=networks,
    )
    rows = list(tool.quality_rows(study, tmp_path))
    assert len(rows) == 2 * 9, "two truths of three supernets with three statistics"
    assert {(row["paths"], row["epochs"], row["statistics"]) for row in rows} == {
        ("uniform", "2", "batch"),
        ("fair", "1", "batch"),
        ("fair", "1", "running"),
    }
    assert {row["networks"] for row in rows} == {"7"}
    printed = capsys.readouterr().out
    assert printed.count("scored") == 9
    assert list(tool.quality_rows(study, tmp_path)) == rows, "from the working folder"
    assert not capsys.readouterr().out

    table = nl.load(tool.TABLE)
    scored = tool.with_scores(study, table, tmp_path, scale=2.0)
    values, seconds = scored.values("supernet_uniform"), scored.values("supernet_uniform_seconds")
    stored = [np.load(tmp_path / f"uniform-2-{seed}-batch.npz") for seed in (0, 1, 2)]
    for seed, arrays in enumerate(stored):
        assert values[list(networks), seed] == pytest.approx(arrays["scores"], rel=1e-6)
        training = scored.values("supernet_uniform_training_seconds")[list(networks), seed]
        assert training == pytest.approx(2 * float(arrays["training"]), rel=1e-6)
    assert seconds[list(networks)] == pytest.approx(2 * stored[0]["seconds"], rel=1e-6)
    assert len(set(stored[0]["seconds"])) == len(networks), "every network was timed"
    plain = tool.trained(study, "uniform", 2, 1, "batch", tmp_path)
    assert np.array_equal(tool.together(plain, np.array(networks))[0], stored[1]["scores"])
