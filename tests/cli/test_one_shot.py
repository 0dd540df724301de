"""``nasbench-lab one-shot``: run, methods and protocols, as a user meets them."""

import json
import re

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here

pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from official_files import Official

import nasbench_lab as nl
from nasbench_lab.suites.stored_results import open_results
from nasbench_lab.train.one_shot import list_methods, search
from nasbench_lab.train.one_shot.protocols import list_protocols

TINY = (
    "--network",
    "channels=2",
    "--network",
    "cells=1",
    "--epochs",
    "1",
    "--scale",
    "2",
    "--recipe",
    "digits-supernet",
)
ON_DIGITS = ("one-shot", "run", "--table", "digits/topology", *TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished search of two runs, and what the command printed."""
    out = tmp_path_factory.mktemp("search") / "darts"
    done = nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--runs", "2", "--seed", "3", "--out", out)
    assert done.returncode == 0, done
    return out, done


def test_a_search_prints_what_the_table_says(finished):
    out, done = finished
    trace = search(
        "digits/topology",
        "darts",
        runs=2,
        seed=3,
        epochs=1,
        scale=2.0,
        recipe="digits-supernet",
        network={"channels": 2, "cells": 1},
    )
    table = nl.load("digits/topology")
    for run, index in enumerate(trace.final_incumbent()):
        values = [table.mean_values(f"{split}_accuracy")[index] for split in ("valid", "test")]
        regret = table.mean_values("test_accuracy").max() - values[1]
        row = rf"^{run} +{re.escape(table.space.format(index))}"
        for value in (*values, regret):
            row += rf" +{value:.4g}"
        assert re.search(row, done.stdout, re.M), (row, done.stdout)
    assert "mean" in done.stdout
    assert "1 s of this search is 2 s of the table: the scale was given by the user" in done.stdout
    for hint in ("one-shot rank", "report", "plot"):
        assert f"nasbench-lab {hint} {out}" in done.stdout
    (stored,) = open_results(out)
    assert np.array_equal(stored.final_incumbent(), trace.final_incumbent())


def test_a_finished_search_prints_its_results_again(finished):
    out, first = finished
    again = nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--runs", "2", "--seed", "3", "--out", out)
    assert again.returncode == 0, again
    assert f"the search in {out} was finished already" in again.stdout
    table = re.compile(r"^(\d|mean|run) .*$", re.M)
    assert [row[0] for row in table.finditer(again.stdout)] == [row[0] for row in table.finditer(first.stdout)]


def test_a_search_continues_with_more_runs(finished):
    out, _ = finished
    before = {path.name: path.stat().st_mtime_ns for path in (out / "checkpoints").iterdir()}
    more = nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--runs", "3", "--seed", "3", "--out", out, "--json")
    assert more.returncode == 0, more
    assert [row["run"] for row in json.loads(more.stdout)["runs"]] == [0, 1, 2]
    after = {path.name: path.stat().st_mtime_ns for path in (out / "checkpoints").iterdir()}
    assert before.items() <= after.items()
    assert_refused(nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--out", out), "has another search", "seed")


def test_a_protocol_with_a_users_files(tmp_path, monkeypatch):
    Official(tmp_path, monkeypatch).extracted()
    arguments = ("--protocol", "nas-bench-201/darts-v1", "--dataset", "cifar10", "--folder", tmp_path)
    done = nasbench_lab_here("one-shot", "run", "--table", "digits/topology", *TINY[:-2], *arguments)
    assert done.returncode == 0, done
    assert "trained on cifar10 for 1 epochs" in done.stdout
    for text in ("DARTS-V1", "54.30 ± 0.00", "table 5; searched on cifar10", "PC-DARTS", "93.41 ± 0.30"):
        assert text in done.stdout
    assert "nothing is stored" in done.stdout


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--table", "digits/topology"), ["give --method or --protocol"]),
        (("--method", "spos", "--protocol", "nas-bench-201/gdas"), ["give --method or --protocol"]),
        (("--method", "spos"), ["--method needs --table"]),
        (("--protocol", "nas-bench-201/gdas"), ["--protocol needs --dataset", "cifar100"]),
        (("--protocol", "nas-bench-201/gdas", "--dataset", "digits"), ["give the table that knows its accuracies"]),
        (("--protocol", "nas-bench-201/gdas", "--dataset", "cifar10"), ["say where they are with --folder"]),
        (("--table", "digits/topology", "--method", "spos", "--folder", "x"), ["--folder is for", "digits needs none"]),
        (("--table", "digits/topology", "--method", "sps"), ["unknown one-shot method 'sps'", "spos"]),
        (("--table", "digits/topology", "--method", "spos", "--param", "parents"), ["must be key=value"]),
        (("--table", "digits/topology", "--method", "spos", "--param", "parent=2"), ["did you mean 'parents'"]),
        (
            ("--table", "digits/topology", "--method", "spos:parents=1", "--param", "parents=2"),
            ["'parents' is given twice"],
        ),
        (("--table", "digits/topology", "--method", "spos", "--param", "parents=0"), ["parents"]),
        (("--table", "digits/topology", "--method", "spos", "--network", "channels=x"), ["must be key=number"]),
        (("--table", "digits/topology", "--method", "spos", "--statistics", "mean"), ["'batch', 'recalibrated'"]),
        (("--table", "digits/topology", "--method", "spos", "--recipe", "x"), ["unknown recipe 'x'"]),
        (("--table", "digits/topology", "--method", "spos", "--precision", "int8"), ["bfloat16"]),
    ],
)
def test_wrong_options_are_refused_in_one_line(words, parts):
    assert_refused(nasbench_lab_here("one-shot", "run", *words), *parts)


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    done = nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--out", tmp_path)
    assert_refused(done, "is not empty, and has no one-shot search")
    done = nasbench_lab_here(*ON_DIGITS, "--method", "darts", "--out", tmp_path / "notes.txt")
    assert_refused(done, "is not a folder")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_methods_are_listed_by_family_and_shown_with_parameters():
    listed = nasbench_lab_here("one-shot", "methods")
    assert listed.returncode == 0, listed
    assert all(re.search(rf"^  {name} +\S", listed.stdout, re.M) for name in list_methods())
    assert "DIFFERENTIABLE" in listed.stdout
    shown = nasbench_lab_here("one-shot", "methods", "spos").stdout
    assert re.search(r"^population +50 +.*number of architectures per generation", shown, re.M)
    assert "--method spos" in shown
    assert_refused(nasbench_lab_here("one-shot", "methods", "dart"), "unknown one-shot method 'dart'", "darts")


def test_a_method_of_a_file_is_used_by_its_path(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from nasbench_lab.train.one_shot.methods.spos import Spos\n\n\nclass Mine(Spos):\n    name = 'mine'\n"
    )
    shown = nasbench_lab_here("one-shot", "methods", f"{tmp_path / 'mine.py'}:Mine").stdout
    assert f"--method {tmp_path / 'mine.py'}:Mine" in shown


def test_protocols_are_listed_and_shown_with_their_published_row():
    listed = nasbench_lab_here("one-shot", "protocols").stdout
    assert all(name in listed for name in list_protocols())
    shown = nasbench_lab_here("one-shot", "protocols", "drnas/snas").stdout
    for text in ("lowest_rate=0.001", "split 'halves'", "92.77 ± 0.83", "69.34 ± 1.98", "commit f2caa4d"):
        assert text in shown
    assert_refused(nasbench_lab_here("one-shot", "protocols", "drnas/sna"), "unknown protocol", "drnas/snas")
