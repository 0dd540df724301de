"""The command line, as a user meets it: in a process of its own where that can make a difference."""

import csv
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab, nasbench_lab_here
from paths import ROOT
from terminal import on_a_terminal

import nasbench_lab as nl
from nasbench_lab.cli.encoding import spelled_out
from nasbench_lab.report import FILES
from nasbench_lab.simulation import load_traces
from nasbench_lab.tables import cached_path, load, write
from nasbench_lab.tables.catalogue import ALSO_CALLED as TABLES_ALSO_CALLED
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS
from nasbench_lab.testing import synthetic_table

TABLE = "nas-bench-graph/proteins"
SMALL = ["--runs", "20", "--evaluations", "15"]


def run(out, *more, table=TABLE, strategies=("random-search", "local-search"), command=nasbench_lab_here):
    named = [word for strategy in strategies for word in ("--strategy", strategy)]
    return command("run", "--table", table, *named, "--out", out, *(more or SMALL))


def test_run_writes_traces_summary_and_figure(tmp_path):
    done = run(tmp_path / "out", *SMALL, "--seed", "7", command=nasbench_lab)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no progress bar where there is no terminal"
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert (tmp_path / "out/regret.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out/regret.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "out/summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["strategy"] for row in rows] == ["random-search", "local-search"]
    for trace, row in zip(load_traces(tmp_path / "out/traces.h5"), rows, strict=True):
        assert (trace.runs, trace.steps, trace.setting.conditions.seed) == (20, 15, 7)
        assert trace.final("test").mean() == pytest.approx(float(row["test_mean"]), rel=1e-5)
        assert row["strategy"] in done.stdout
    assert "40 runs, 600 evaluations" in done.stdout


def test_without_a_folder_nothing_is_stored(tmp_path):
    words = ["run", "--table", "digits/chain", "--strategy", "random-search", *SMALL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nasbench_lab", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert "random-search" in done.stdout
    assert done.stdout.endswith("; nothing is stored; for traces and a figure, use --out FOLDER\n")
    assert list(tmp_path.iterdir()) == []
    assert_refused(nasbench_lab(*words, "--overwrite"), "--overwrite can only be used with --out")


def test_the_same_command_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        assert run(tmp_path / name, command=nasbench_lab).returncode == 0
    for file in ("summary.csv", "regret.png", "regret.pdf"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_an_older_result_is_replaced_only_on_request(tmp_path):
    assert run(tmp_path / "out").returncode == 0
    before = (tmp_path / "out/traces.h5").read_bytes()
    assert_refused(run(tmp_path / "out"), "already has regret.pdf; choose another folder")
    assert (tmp_path / "out/traces.h5").read_bytes() == before
    assert run(tmp_path / "out", *SMALL, "--overwrite").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_parameters_and_table_files(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    done = run(
        tmp_path / "out",
        *("--runs", "5", "--seconds", "300", "--fidelity", "4", "--repeat", "1"),
        table=tmp_path / "mine.h5",
        strategies=["regularized-evolution:population_size=4,sample_size=2"],
    )
    assert done.returncode == 0, done.stderr
    (trace,) = load_traces(tmp_path / "out/traces.h5")
    assert trace.setting.parameters == {"population_size": 4, "sample_size": 2}
    assert (trace.setting.fidelity, trace.setting.conditions.repeat, trace.setting.budget.seconds) == (4, 1, 300.0)


def test_nothing_is_cut_off(tmp_path):
    """Labels and numbers are shown in full, however long and wherever the output goes."""
    done = run(tmp_path / "out", strategies=["regularized-evolution:population_size=50,sample_size=10", "local-search"])
    assert "…" not in done.stdout
    assert "regularized-evolution:population_size=50,sample_size=10" in done.stdout
    assert "…" not in nasbench_lab("tables", COLUMNS="60").stdout
    assert "…" not in nasbench_lab("tables", "list", COLUMNS="60").stdout


def test_one_run_without_an_evaluation_does_not_lose_the_rest(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    seconds = np.quantile(synthetic_table("chain").cost(), 0.9)
    done = run(tmp_path / "out", "--runs", "200", "--seconds", f"{seconds}", table=tmp_path / "mine.h5")
    assert done.returncode == 0, done.stderr
    assert "observed no value; they count as infinitely bad" in done.stderr
    failed = int(re.search(r"note: (\d+) of 200 runs of random-search", done.stderr)[1])
    assert f"({200 - failed} of 200)" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_progress_is_shown_on_a_terminal(tmp_path):
    words = ["run", "--table", TABLE, "--strategy", "random-search", "--out", str(tmp_path / "out"), *SMALL]
    assert "20/20" in on_a_terminal(*words, stream="stderr")


@pytest.mark.mirror
def test_a_search_on_test_accuracy_is_noted(tmp_path):
    done = run(tmp_path / "out", table="nas-bench-macro/cifar10")
    assert done.returncode == 0
    assert "note: nas-bench-macro/cifar10 publishes no validation measurements" in done.stderr


# Bad input: one line, exit code 2, nothing half-written.


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--evaluations", "0"], ["must be positive, got evaluations=0"]),
        (["--seconds", "-1"], ["must be positive"]),
        ([], ["needs evaluations, epochs, seconds, energy, trainings or mean_trainings"]),
        (["--seconds", "100"], ["has no times"]),
        (["--evaluations", "9", "--runs", "0"], ["runs must be from 1 to 1000000000, got 0"]),
        (["--evaluations", "9", "--fidelity", "12"], ["unknown fidelity '12'; known: 500"]),
        (["--evaluations", "9", "--repeat", "median"], ["repeat must be sample, mean or a number"]),
        (["--evaluations", "9", "--repeat", "1"], ["has repeats 0..0, not 1"]),
        (["--evaluations", "9", "--seed", "-1"], ["seed must be"]),
        (["--epochs", "1"], ["no evaluation of 'random-search'", "fits into 1 epochs"]),
        (["--evaluations", "9", "--strategy", "random_serch"], ["did you mean 'random-search'"]),
        (["--evaluations", "9", "--strategy", "random_search"], ["'random-search' is listed twice"]),
        (["--evaluations", "9", "--strategy", "local-search:x=1"], ["unknown parameter", "'x'"]),
        (["--evaluations", "9", "--strategy", "local-search:x"], ["malformed strategy 'local-search:x'"]),
        (["--evaluations", "9", "--strategy", "random-search"], ["'random-search' is listed twice"]),
        (["--evaluations", "9", "--table", TABLE], [f"{TABLE!r} is listed twice"]),
        (["--evaluations", "9" * 400], ["a budget in evaluations must be at most 1e+15, got"]),
        (["--evaluations", "9", "--repeat", "9" * 5000], ["repeat must be sample, mean or a number"]),
        (
            ["--evaluations", "9", "--strategy", "regularized-evolution:population_size=1000000000000"],
            ["not enough memory"],
        ),
        (
            ["--evaluations", "9", "--strategy", "local-search:improvement=" + "-" * 99_999 + "1"],
            ["improvement must be"],
        ),
        (["--evaluations", "9", "--table", "x" * 5000 + ".h5"], ["there is no file", " characters)"]),
        (["--evaluations", "9", "--table", "nas-bench-graph/kora"], ["did you mean 'nas-bench-graph/cora'"]),
        (["--evaluations", "9", "--table", "missing.h5"], ["there is no file missing.h5"]),
    ],
)
def test_bad_input_to_run(tmp_path, arguments, parts):
    assert_refused(run(tmp_path / "out", "--runs", "5", *arguments), *parts)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper", "/proc/nowhere/out"):
        assert_refused(run(out))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_table_files_that_are_none(tmp_path, content):
    (tmp_path / "bad.h5").write_bytes(content)
    done = run(tmp_path / "out", table=tmp_path / "bad.h5")
    assert_refused(done, "bad.h5 is not a readable table: it is not an HDF5 file")
    assert_refused(nasbench_lab_here("tables", "info", tmp_path / "bad.h5"), "bad.h5")
    assert_refused(nasbench_lab_here("query", tmp_path / "bad.h5", "0"), "bad.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.h5"]


def test_a_truncated_table_file(tmp_path):
    write(synthetic_table("chain"), tmp_path / "whole.h5")
    content = (tmp_path / "whole.h5").read_bytes()
    (tmp_path / "half.h5").write_bytes(content[: len(content) // 2])
    assert_refused(run(tmp_path / "out", table=tmp_path / "half.h5"), "half.h5", "truncated")


def test_no_network_and_no_mirror(tmp_path):
    done = nasbench_lab(
        *("run", "--table", "nats-bench-tss/cifar10", "--strategy", "random-search", "--out", tmp_path / "out", *SMALL),
        NASBENCH_LAB_MIRROR="",
        NASBENCH_LAB_CACHE=str(tmp_path / "cache"),
        HTTPS_PROXY="http://127.0.0.1:9",
        NO_PROXY="",
    )
    assert_refused(done, "cannot download", "set NASBENCH_LAB_MIRROR to a folder that has")
    assert not (tmp_path / "out").exists()


# Tables and queries.


def test_tables_info_tells_all():
    table = load(TABLE)
    shown = nasbench_lab_here("tables", "info", TABLE).stdout
    for part in (
        table.checksum,
        str(cached_path(TABLE)),
        "fraction",
        "@inproceedings{qin2022",
        "0.792634",
        "Apache-2.0",
    ):
        assert part in shown
    assert_refused(nasbench_lab_here("tables", "info", "nas-bench-grap/cora"), "did you mean 'nas-bench-graph/cora'")


def test_query_by_index_and_notation():
    table = load(TABLE)
    by_index = nasbench_lab_here("query", TABLE, "5").stdout
    by_notation = nasbench_lab_here("query", TABLE, table.space.format(5)).stdout
    assert by_index == by_notation
    assert table.space.format(5) in by_index
    assert f"{table.query(5)['test_roc_auc']:.6g} fraction" in by_index


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["2021"], "architecture 2021 is not in 0..2020"),
        (["Arch([0, 1], ['gcn', 'fc'])"], "malformed architecture"),
        (["Arch([0, 1, 2, 3], ['gcn', 'fc', 'gcn', 'gat'])"], "unknown operation 'gat' of node 4"),
        (["5", "--epochs", "3"], "unknown fidelity '3'; known: 500"),
        (["Arch([0, 1, 2, -1], ['gcn', 'gcn', 'fc', 'sage'])"], "malformed architecture"),
        (["Arch([0.1, 2, 1], ['gcn', 'gcn', 'fc', 'sage'])"], "malformed architecture"),
        (["9" * 5000], "(5,002 characters) is not in 0..2020"),
        (["--", "-1"], "architecture '-1' is not in 0..2020"),
        (["5", "--fidelity", "3"], "unknown fidelity '3'; known: 500"),
        (["5", "--repeat", "7"], "has repeats 0..0, not 7"),
        (["5", "--repeat", "sample"], "has repeats 0..0, not 'sample'"),
    ],
)
def test_bad_queries(arguments, part):
    assert_refused(nasbench_lab_here("query", TABLE, *arguments), part)


@pytest.mark.parametrize(
    ("table", "strategy", "part"),
    [
        ("NAS-Bench-201/cifar", "random-search", "did you mean 'nats-bench-tss/cifar10' or 'nats-bench-tss/cifar100'?"),
        ("nb201", "random-search", "nats-bench-tss/cifar10 or nats-bench-tss/cifar100; name one of them"),
        ("NATS-Bench-Size", "random-search", "did you mean 'nats-bench-sss-curves'?"),
        ("nats-bench-sss-curves", "random-search", "needs a manual download"),
        ("cora", "random-search", "did you mean 'nas-bench-graph/cora'?"),
        ("digits/chain", "RL", "the strategy 'RL' can be ppo, q-learning or reinforce; name one of them"),
    ],
)
def test_names_of_several_or_none_lead_to_names(table, strategy, part):
    assert_refused(nasbench_lab_here("run", "--table", table, "--strategy", strategy, *SMALL), part)


@pytest.mark.parametrize(("table", "strategy"), [("Digits_Chain", "Random Search"), ("digits/chain", "RS")])
def test_names_that_people_use_are_understood(table, strategy):
    done = nasbench_lab_here("run", "--table", table, "--strategy", strategy, *SMALL)
    assert done.returncode == 0, done.stderr
    assert "\ndigits/chain\n" in done.stdout
    assert "\nrandom-search " in done.stdout


def test_other_names_lead_to_names_that_there_are():
    manual = {entry.name for entry in MANUAL_DOWNLOADS}
    assert {name for names in TABLES_ALSO_CALLED.values() for name in names} <= manual | set(nl.list_tables())
    for called in TABLES_ALSO_CALLED:
        assert called == called.lower()
        assert called.isalnum()


def test_strategies_and_version():
    shown = nasbench_lab("strategies").stdout
    assert "regularized-evolution" in shown
    assert "AAAI 2019" in shown
    assert nasbench_lab("--version").stdout == f"{__import__('nasbench_lab').__version__}\n"


def test_a_hostile_pickle_is_refused(tmp_path):
    """A mirror with a file that tries to run code: its checksum gives it away before it is even read."""
    from nasbench_lab.tables import find_recipe

    file = find_recipe("nats-bench-tss/cifar10").files[0]
    copy = tmp_path / "mirror" / file.repository / file.path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    done = nasbench_lab(
        *("query", "nats-bench-tss/cifar10", "0"),
        NASBENCH_LAB_MIRROR=str(tmp_path / "mirror"),
        NASBENCH_LAB_CACHE=str(tmp_path / "cache"),
    )
    assert_refused(done, "it is damaged or another version")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_results_on_a_terminal_of_ascii():
    arguments = ("--table", "digits/chain", "--strategy", "random-search", "--runs", "3", "--evaluations", "5")
    done = nasbench_lab("run", *arguments, PYTHONIOENCODING="ascii:strict", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0, done.stderr
    assert "+-" in done.stdout
    assert done.stdout.isascii()


def test_what_an_encoding_has_stays():
    text = "73.2±0.4 (Moré), 随 – ∞ \udce9"  # noqa: RUF001 - a dash
    assert spelled_out(text, "latin-1") == r"73.2±0.4 (Moré), \u968f - inf \udce9"
    assert spelled_out(text, "utf-8") == text.replace("\udce9", r"\udce9")
    assert spelled_out(text, "cp932").encode("cp932")


def test_a_module_in_the_current_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "one_idea.py").write_text(
        "class Idea:\n"
        "    def __init__(self, space, random, rate=1): self.space = space\n"
        "    def ask(self): return 0\n"
        "    def tell(self, architecture, value): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    name = "my_package.one_idea:Idea"
    options = ["--table", "digits/chain", "--runs", "2", "--evaluations", "3"]
    done = nasbench_lab_here("run", "--strategy", f"{name}:rate=2", *options)
    assert done.returncode == 0, done.stderr
    assert "Idea:rate=2" in done.stdout
    assert "rate" in nasbench_lab_here("strategies", "info", name).stdout
    written = nasbench_lab_here("check", "one.json", "--update", "--strategy", name, *options, "--tier", "exact")
    assert (written.returncode, nasbench_lab_here("check", "one.json").returncode) == (0, 0), written
    assert sys.path == before
