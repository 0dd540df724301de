"""``nasbench-lab results``: import, info and list."""

import json

import pytest
from command_line import assert_refused, nasbench_lab_here
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab.simulation import save_traces
from nasbench_lab.suites import open_results

LOGS = ROOT / "tests" / "data" / "external_logs"
SYNE_TUNE = (LOGS / "syne-tune-random", LOGS / "syne-tune-asha")
OPTIONS = ("--table", "digits/topology", "--unit", "fraction", "--error")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs of random search as a CSV file, imported."""
    home = tmp_path_factory.mktemp("results")
    trace = nl.simulate("digits/topology", "random-search", runs=6, budget=nl.Budget(evaluations=8))
    trace.records(notation=False).to_csv(home / "theirs.csv")
    done = nasbench_lab_here("results", "import", home / "theirs.csv", "--strategy", "theirs", "--out", home / "theirs")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "imported 6 runs into" in done.stdout
    return home / "theirs"


def test_plots_say_what_is_imported(folder, tmp_path):
    own = nl.simulate("digits/topology", "local-search", runs=6, budget=nl.Budget(evaluations=8))
    save_traces([own], tmp_path / "own.h5")
    words = ("plot", folder, tmp_path / "own.h5", "--figure", "final", "--out", tmp_path / "final.png")
    assert "note: Results of theirs are imported (csv), not simulated here." in nasbench_lab_here(*words).stderr
    assert nasbench_lab_here(*words, "--quiet").stderr == ""
    assert "imported" not in nasbench_lab_here(*words, "--strategy", "local-search").stderr


def test_an_import_is_a_result_folder(folder):
    assert {"traces.h5", "summary.csv"} < {path.name for path in folder.iterdir()}
    (trace,) = open_results(folder)
    assert trace.setting.strategy == "theirs"
    assert trace.setting.origin["files"][0]["name"] == "theirs.csv"
    assert (folder / "summary.csv").read_text().startswith("table,strategy")


def test_reports_and_plots_accept_it(folder, tmp_path):
    done = nasbench_lab_here("report", folder, "--page-only", "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert "note: Results of theirs are imported (csv), not simulated here." in done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "are imported" in page
    assert open_results(folder).settings[0].origin["files"][0]["sha256"] in page
    done = nasbench_lab_here("plot", folder, "--figure", "regret", "--out", tmp_path / "regret.svg")
    assert done.returncode == 0, done.stderr


def test_info(folder):
    done = nasbench_lab_here("results", "info", folder)
    assert "8 evaluations?" in done.stdout
    assert "csv: theirs.csv" in done.stdout
    assert "?: not known" in done.stdout
    data = json.loads(nasbench_lab_here("results", "info", folder, "--json").stdout)
    (simulation,) = data["simulations"]
    assert simulation["runs"] == 6
    assert simulation["origin"]["unknown"] == ["budget", "repeat", "workers", "seed"]


def test_list(folder, tmp_path):
    done = nasbench_lab_here("results", "list", folder.parent)
    assert str(folder) in done.stdout
    assert "theirs" in done.stdout
    assert "there are no results in" in nasbench_lab_here("results", "list", tmp_path).stdout
    assert_refused(nasbench_lab_here("results", "list", tmp_path / "none"), "there is no folder")


def test_several_logs_and_stated_conditions(tmp_path):
    conditions = ("--evaluations", "12", "--repeat", "sample", "--workers", "4", "--seed", "1")
    done = nasbench_lab_here("results", "import", *SYNE_TUNE, *OPTIONS, *conditions, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "note: ASHA on digits/topology: 64 evaluations after the end of the budget (12 evaluations)" in done.stderr
    found = open_results(tmp_path / "out")
    assert [setting.strategy for setting in found.settings] == ["RandomSearch", "ASHA"]
    assert {str(setting.conditions) for setting in found.settings} == {str(found.settings[0].conditions)}
    assert found.settings[0].origin["unknown"] == []
    again = nasbench_lab_here("results", "import", *SYNE_TUNE, *OPTIONS, "--out", tmp_path / "out")
    assert_refused(again, "already has")
    again = nasbench_lab_here("results", "import", *SYNE_TUNE, *OPTIONS, "--out", tmp_path / "out", "--overwrite")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--table", "digits/topology"), ("with --unit fraction --error they are",)),
        ((*OPTIONS, "--clock", "wall"), ("clock must be",)),
        ((*OPTIONS, "--column", "value"), ("must be NAME=COLUMN",)),
        ((*OPTIONS, "--column", "value=a", "--column", "value=b"), ("column 'value' is given twice",)),
        ((*OPTIONS, "--column", "value=accuracy"), ("unknown column of the log 'accuracy'",)),
        ((*OPTIONS, "--format", "syne"), ("unknown format 'syne'; did you mean 'syne-tune'",)),
        ((*OPTIONS, "--evaluations", "0"), ("budget must be positive",)),
        ((*OPTIONS, "--unit", "permille"), ("unit must be",)),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(options, parts, tmp_path):
    done = nasbench_lab_here("results", "import", SYNE_TUNE[0], *options, "--out", tmp_path / "out")
    assert_refused(done, *parts)
    assert not (tmp_path / "out").exists()


def test_a_missing_strategy_is_named_as_an_option(tmp_path):
    (tmp_path / "log.csv").write_text("architecture,value\n7,88\n")
    done = nasbench_lab_here("results", "import", tmp_path / "log.csv", "--out", tmp_path / "out")
    assert_refused(done, "does not name the strategy; give it as --strategy ...")
