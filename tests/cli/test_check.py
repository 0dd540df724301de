"""``nasbench-lab check``: exit codes, messages and summaries."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from nasbench_lab.cli import main
from nasbench_lab.tables import Table, write
from nasbench_lab.testing import read_baseline, synthetic_table

NEW = ["--update", "--table", "synthetic/chain", "--evaluations", "20"]
WORSE = "regularized-evolution:population_size=1,sample_size=1"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder, and return exit code, standard output and lines of standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # the command adds the current folder

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["nasbench-lab", "check", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err.splitlines()

    return command


def make(run, name="b/mine.json", strategy="random-search", *more):
    return run(name, *NEW, "--strategy", strategy, *more)


def test_a_baseline_is_made_checked_and_updated(run, tmp_path):
    code, out, err = make(run)
    assert (code, err) == (0, [])
    assert out.startswith("created: random-search on synthetic/chain")
    code, out, err = run("b/mine.json")
    assert (code, out.splitlines()[0].split(":")[0], err) == (0, "identical", [])
    assert run("b/mine.json", "--update")[1].startswith("unchanged: ")
    assert run("b/mine.json", "--update", "--strategy", "local-search")[1].startswith("updated: ")
    assert read_baseline(tmp_path / "b/mine.json").subject.source == "local-search"


def test_a_regression_exits_with_1_and_is_in_the_summary(run, tmp_path):
    make(run, "b/mine.json", "random-search", "--margin", "0.005", "--runs", "200", "--seed", "3", "--level", "0.02")
    protocol = read_baseline(tmp_path / "b/mine.json").protocol
    assert (protocol.runs, protocol.conditions.seed, protocol.level) == (200, 3, 0.02)
    code, out, err = run("b/mine.json", "--strategy", WORSE, "--summary", "out/summary.md")
    assert (code, err) == (1, [])
    assert out.startswith("worse: regularized-evolution")
    text = (tmp_path / "out/summary.md").read_text()
    assert text.startswith("### Strategy baselines: 1 worse\n")
    assert "| final | " in text


def test_what_is_inconclusive_exits_with_3(run):
    make(run, "b/mine.json", "random-search", "--runs", "8")
    code, out, _ = run("b/mine.json", "--strategy", WORSE)
    assert code == 3
    assert out.startswith("inconclusive: ")
    assert run("b/mine.json", "--strategy", WORSE, "--allow", "inconclusive")[0] == 0
    code, _, err = run("b/mine.json", "--allow", "worse")
    assert (code, len(err)) == (2, 1)
    assert err[0].endswith("an allowed verdict must be 'inconclusive' or 'likely worse', got 'worse'")


def test_a_regression_of_unclear_size_exits_with_1_unless_allowed(run):
    make(run, "b/mine.json", "regularized-evolution", "--margin", "0.03", "--runs", "100")
    code, out, _ = run("b/mine.json", "--strategy", WORSE)
    assert code == 1
    assert out.startswith("likely worse: ")
    assert "(worse, but not surely by more than the margin)" in out
    assert run("b/mine.json", "--strategy", WORSE, "--allow", "inconclusive")[0] == 1
    assert run("b/mine.json", "--strategy", WORSE, "--allow", "likely worse")[0] == 0


@pytest.mark.parametrize(
    "new", [[], ["--strategy", "random-search", "--table", "synthetic/chain", "--evaluations", "9"]]
)
def test_a_name_that_is_no_baseline_file_writes_nothing(run, tmp_path, new):
    (tmp_path / "empty").mkdir()
    for name, words in (("regularized-evolution", "must end with .json"), ("empty", "to write one, name its file")):
        code, _, err = run(name, "--update", *new)
        assert (code, len(err)) == (2, 1)
        assert words in err[0]
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_one_error_does_not_keep_the_others_from_being_checked(run, tmp_path):
    make(run)
    (tmp_path / "b/damaged.json").write_text("{")
    code, out, err = run("b", "--summary", "s.md")
    assert code == 2
    assert out.startswith("identical: ")
    assert len(err) == 1
    assert err[0].startswith("nasbench-lab: cannot read the baseline b/damaged.json: it is not JSON")
    assert (tmp_path / "s.md").read_text().startswith("### Strategy baselines: 1 error, 1 identical\n")


def test_a_folder_and_its_files_are_checked_once(run):
    make(run, "b/one.json")
    make(run, "b/two.json", "local-search")
    code, out, _ = run("b", "b/one.json", "./b/../b/two.json")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("identical")] == [
        "random-search",
        "local-search",
    ]


def test_a_strategy_of_the_current_folder_and_a_table_by_its_path(run, tmp_path):
    (tmp_path / "my_search_of_check.py").write_text(
        "class Mine:\n"
        "    def __init__(self, space, random, step=1):\n"
        "        self.size, self.random, self.step = space.size, random, step\n"
        "    def ask(self):\n"
        "        return self.random.integers(self.size)\n"
        "    def tell(self, architecture, value):\n"
        "        pass\n"
    )
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    options = ["--update", "--table", "mine.h5", "--evaluations", "10", "--runs", "8", "--tier", "exact"]
    code, _, err = run("b/mine.json", "--strategy", "my_search_of_check:Mine", *options)
    assert (code, err) == (0, [])
    subject = read_baseline(tmp_path / "b/mine.json").subject
    assert (subject.source, subject.table_source) == ("my_search_of_check:Mine", "../mine.h5")
    assert run("b/mine.json")[0] == 0
    document = json.loads((tmp_path / "b/mine.json").read_text())
    document["subject"]["source"] = "my_search_of_check:Yours"
    (tmp_path / "b/mine.json").write_text(json.dumps(document))
    code, _, err = run("b/mine.json")
    assert code == 2
    assert err == [
        "nasbench-lab: cannot import my_search_of_check:Yours: unknown name in my_search_of_check 'Yours'; known: Mine"
    ]


@pytest.mark.parametrize(
    "source", ["os:system", "os.path:join", "json:nothing", "no_such_module:Mine", "json:JSONDecoder"]
)
def test_what_is_no_strategy_is_not_run(run, tmp_path, source):
    make(run)
    document = json.loads((tmp_path / "b/mine.json").read_text())
    document["subject"]["source"] = source
    (tmp_path / "b/mine.json").write_text(json.dumps(document))
    code, out, err = run("b")
    assert (code, out, len(err)) == (2, "", 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["b/mine.json", "--runs", "9"], "--runs is for new baselines, but b/mine.json exists"),
        (["b/mine.json", "--limit", "parameters=1"], "--limit is for new baselines"),
        (["none.json"], "there is no baseline none.json"),
        (["none.json", "--update"], "give --strategy, --table and a budget"),
        (["none.json", "--update", "--strategy", "random-search", "--table", "synthetic/chain"], "a budget needs"),
        (["none.json", *NEW, "--strategy", "random-serch"], "did you mean 'random-search'"),
        (["none.json", *NEW, "--strategy", "random-search", "--tier", "fuzzy"], "tiers must be some of"),
        (["b/mine.json", "--table", "synthetic/tiny"], "is for another check: table was synthetic/chain"),
        (["empty"], "there are no baselines (*.json) in empty"),
        (["b/mine.json", "--summary", "b/mine.json/s.md"], "cannot write b/mine.json/s.md"),
    ],
)
def test_a_mistake_is_one_line_and_exits_with_2(run, tmp_path, words, message):
    make(run)
    (tmp_path / "empty").mkdir()
    code, _, err = run(*words)
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith("nasbench-lab: ")
    assert message in err[0]


def test_a_search_on_test_is_noted(run, tmp_path):
    table = synthetic_table("chain")
    values = {name: table.values(name) for name in table.metrics}
    write(Table(dataclasses.replace(table.description, valid=None), values), tmp_path / "test-only.h5")
    new = ["--update", "--table", "test-only.h5", "--strategy", "random-search", "--evaluations", "9"]
    code, _, err = run("b/test-only.json", *new)
    assert code == 0
    assert len(err) == 1
    assert err[0].startswith("note: ")
    assert "publishes no validation measurements" in err[0]
    assert run("b/test-only.json")[0] == 0


def test_the_command_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, "-m", "nasbench_lab", "check", "b.json"]
    new = [*NEW, "--strategy", "random-search", "--runs", "8"]
    for words, first in ((new, "created"), ([], "identical")):
        done = subprocess.run([*command, *words], capture_output=True, text=True, cwd=tmp_path, env=os.environ)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(first)
