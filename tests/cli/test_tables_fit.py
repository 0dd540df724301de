"""``nasbench-lab tables fit``: a verdict and a file, JSON, and mistakes in one line."""

import json

import pytest
from command_line import assert_refused, nasbench_lab_here
from forged_surrogates import sample

import nasbench_lab as nl
from nasbench_lab.tables import packed_tables, write
from nasbench_lab.testing import synthetic_table

QUICK = ("--model", "ridge", "--encoding", "one-hot", "--fidelity", "12", "--folds", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit")
    write(sample(110), path / "sample.h5")
    write(synthetic_table("chain"), path / "truth.h5")
    packed_tables.pack(sample(30), path / "packed.h5")
    return path


def test_fit_prints_a_verdict_and_writes_a_table(folder):
    done = nasbench_lab_here("tables", "fit", folder / "sample.h5", *QUICK, "--metric", "parameters")
    assert done.returncode == 0, done
    for words in ("learnt from", "110 of 243 architectures", "ridge on one-hot", "Kendall 0.9", "replay", "verdict"):
        assert words in done.stdout
    assert f"wrote {folder / 'sample-surrogate.h5'}" in done.stdout
    assert nl.load(folder / "sample-surrogate.h5").kind == "surrogate"
    shown = nasbench_lab_here("tables", "info", folder / "sample-surrogate.h5").stdout
    verdict = next(line for line in done.stdout.splitlines() if line.startswith("verdict"))
    assert verdict in shown
    assert "surrogate" in shown


def test_a_table_of_the_whole_space_is_the_truth_of_a_replay(folder):
    (folder / "found.csv").write_text(
        "strategy,architecture\n" + "".join(f"{'abcc'[k // 61]},{k}\n" for k in range(243)), encoding="utf-8"
    )
    words = ("--truth", folder / "truth.h5", "--found-by", folder / "found.csv", "--json")
    done = nasbench_lab_here("tables", "fit", folder / "packed.h5", *QUICK, *words, "--out", folder / "mine.h5")
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert found["replay"]["truth"] == "synthetic/chain"
    assert 0 <= found["replay"]["same"] <= 1
    assert [each["strategy"] for each in found["left_out"]] == ["a", "b"]
    assert found["architectures"] == 30
    assert found["file"] == str(folder / "mine.h5")
    assert nl.load(folder / "mine.h5").verdict["replay"] == found["replay"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "network-ensemble"), "cannot store the model network-ensemble"),
        (("--encoding", "no-such"), "no-such"),
        (("--out", "mine.csv"), "must end in .h5"),
        (("--truth", "digits/topology"), "another space"),
        (("--found-by", "missing.csv"), "cannot read missing.csv"),
        (("--scores", "digits/topology"), "another space"),
    ],
)
def test_mistakes_are_one_line(folder, words, message):
    quick = () if "--model" in words else ("--model", "mean", "--fidelity", "12", "--folds", "2", "--no-check")
    assert_refused(nasbench_lab_here("tables", "fit", folder / "packed.h5", *quick, *words), message)
