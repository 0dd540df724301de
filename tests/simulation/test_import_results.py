"""Logs of other programs as results. The samples in tests/data/external_logs are real."""

import contextlib
import gzip
import io
import json
import pickle
import sqlite3
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from added_entry_points import add_entry_points
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab.errors import DataError, ImportedResultsWarning, NasbenchLabError, ParameterError
from nasbench_lab.simulation import LogFormat, LogSource, SearchLog, import_results, list_log_formats, step_columns
from nasbench_lab.simulation.logs.formats import GROUP, find_log_format
from nasbench_lab.simulation.run_arrays import ALWAYS
from nasbench_lab.testing import synthetic_table

LOGS = ROOT / "tests" / "data" / "external_logs"
TABLE = nl.load("digits/topology")
RUNS = nl.simulate(TABLE, "random-search", runs=3, budget=nl.Budget(evaluations=5))
ERRORS = {"unit": "fraction", "error": True}


def imported(sources, **options):
    """Return results, and their notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = import_results(sources, **{"table": TABLE, **options})
    assert all(one.category is ImportedResultsWarning for one in caught)
    return results, [str(one.message) for one in caught]


def same_arrays(one, other):
    return [name for name in ALWAYS if not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)]


def write(form, path, records):
    """Write records in one of the forms of the documentation."""
    frame = records.to_frame()
    if form == "csv":
        records.to_csv(path)
    elif form == "csv with semicolons and a BOM":
        path.write_bytes(b"\xef\xbb\xbf" + frame.to_csv(index=False, sep=";").encode())
    elif form == "csv.gz":
        path.write_bytes(gzip.compress(records.to_csv().encode()))
    elif form == "parquet":
        records.to_parquet(path)
    elif form == "json":
        path.write_text(json.dumps(frame.to_dict("records")))
    else:
        text = "\n".join(json.dumps(row) for row in frame.to_dict("records"))
        path.write_bytes(gzip.compress(text.encode()) if form == "jsonl.gz" else text.encode())


@pytest.mark.parametrize(
    "form", ["csv", "csv with semicolons and a BOM", "csv.gz", "parquet", "json", "jsonl", "jsonl.gz"]
)
def test_what_a_trace_exports_imports_as_that_trace(form, tmp_path):
    write(form, tmp_path / "log", RUNS.records())
    results, notes = imported(tmp_path / "log", table=None)  # the log names both
    assert notes == []
    assert same_arrays(results.trace(0), RUNS) == []
    assert results.settings[0].strategy == "random-search"
    assert np.array_equal(results.trace(0).regret("test"), RUNS.regret("test"))


def test_several_strategies_and_files(tmp_path):
    other = nl.simulate(TABLE, "local-search", runs=2, budget=nl.Budget(evaluations=7))
    nl.simulation.Results.of([RUNS, other]).records().to_csv(tmp_path / "both.csv")
    results, _ = imported(tmp_path / "both.csv", table=None)
    assert [setting.label for setting in results.settings] == ["random-search", "local-search"]
    assert len({str(setting.conditions) for setting in results.settings}) == 1  # so that they can be compared
    with pytest.raises(ParameterError, match=r"has several strategies .* so they cannot all be 'mine'"):
        imported(tmp_path / "both.csv", strategy="mine")

    paths = []
    for run in range(3):  # one file per run, without a column for it
        paths.append(tmp_path / f"{run}.csv")
        frame = RUNS.to_frame()
        frame[frame.run == run].drop(columns=["run", "strategy"]).to_csv(paths[-1], index=False)
    results, _ = imported(paths, strategy="random-search")
    assert same_arrays(results.trace(0), RUNS) == []
    assert [file["name"] for file in results.settings[0].origin["files"]] == ["0.csv", "1.csv", "2.csv"]


def test_a_run_twice_is_an_error(tmp_path):
    for name in "ab":
        RUNS.records().to_csv(tmp_path / f"{name}.csv")
    with pytest.raises(ParameterError, match=r"row 2 of b.csv has the run and the step of row 2 of a.csv"):
        imported([tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty|not supported"),
        ("architecture,value\n", "log.csv has no evaluations"),
        ("architecture,value\n7,88\n7,x\n", "row 3 of log.csv: value must be a finite number, got 'x'"),
        ("architecture,value\n7,88\n99999,88\n", "row 3 of log.csv: architecture 99999 is not in 0..15624"),
        ("architecture,value\n7,88\n7\n", "row 3 of log.csv has 1 cells, but the header has 2"),
        ('{"architecture": 7, "value": 88}\n{"architecture": 7, "value"', "line 2 of log.csv is not readable JSON"),
        ('{"architecture": 7, "value": 88}\n[1]\n', "not readable|not an object"),
        ('{"architecture": 7, "value": true}\n{"architecture": 7, "value": 8}\n', "line 1 of log.csv: value must be"),
    ],
)
def test_bad_files_get_one_clear_line(text, message, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(NasbenchLabError, match=message) as refused:
        imported(path, strategy="mine")
    assert "\n" not in str(refused.value)


def test_what_a_log_must_name(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("architecture,value\n7,88\n")
    with pytest.raises(ParameterError, match=r"does not name the strategy; give it as strategy=..."):
        imported(path)
    with pytest.raises(ParameterError, match=r"does not name the table; give it as table=..."):
        imported(path, table=None, strategy="mine")
    with pytest.raises(DataError, match="there is no file"):
        imported(tmp_path / "none.csv")
    with pytest.raises(ParameterError, match="there are no logs to import"):
        imported([])
    with pytest.raises(NasbenchLabError, match="unknown format 'cvs'"):
        imported(path, format="cvs")
    with pytest.raises(NasbenchLabError, match="unknown option 'uint'"):
        imported(path, uint="percent")
    with pytest.raises(ParameterError, match="reports must be"):
        imported(path, reports="first")


def test_a_log_of_another_table_is_noted(tmp_path):
    RUNS.records(notation=False).to_csv(tmp_path / "log.csv")
    text = (tmp_path / "log.csv").read_text().replace("digits/topology", "my/topology")
    (tmp_path / "log.csv").write_text(text)
    _, notes = imported(tmp_path / "log.csv")
    assert notes == ["the log is of table 'my/topology', but compared with digits/topology"]


def test_evaluations_in_memory_are_no_log():
    with pytest.raises(ParameterError, match=r"make a trace of them with Trace.from_steps"):
        imported(RUNS.to_frame())


# --- Syne Tune -------------------------------------------------------------------------------------------------------


def syne_tune_rows(name):
    return pd.read_csv(LOGS / name / "results.csv.zip")


@pytest.mark.parametrize("name", ["syne-tune-random", "syne-tune-asha"])
@pytest.mark.parametrize("part", ["", "results.csv.zip"])
def test_syne_tune(name, part):
    rows = syne_tune_rows(name)
    results, _ = imported(LOGS / name / part, **ERRORS)
    (trace,) = results
    cells = [
        f"|{r.config_hp_x0}~0|+|{r.config_hp_x1}~0|{r.config_hp_x2}~1|+|{r.config_hp_x3}~0|{r.config_hp_x4}~1"
        f"|{r.config_hp_x5}~2|"
        for r in rows.itertuples()
    ]
    assert trace.architecture[0].tolist() == TABLE.space.parse(cells).tolist()
    assert trace.fidelity[0].tolist() == rows.epoch.tolist()
    assert trace.time[0].tolist() == rows.st_tuner_time.tolist()
    assert np.allclose(trace.observed[0], 100 * (1 - rows.valid_error), rtol=1e-12)
    assert set(np.unique(trace.repeat)) <= {0, -1}  # the program that made the log trained the first repeat
    assert trace.setting.strategy == {"syne-tune-random": "RandomSearch", "syne-tune-asha": "ASHA"}[name]
    assert trace.setting.origin["format"] == "syne-tune"


def test_syne_tune_counts_reports_or_trials():
    rows = syne_tune_rows("syne-tune-asha")
    results, notes = imported(LOGS / "syne-tune-asha", **ERRORS)
    assert f"each of the {len(rows)} reports of {rows.trial_id.nunique()} trials is an evaluation" in notes[0]
    last, _ = imported(LOGS / "syne-tune-asha", reports="last", **ERRORS)
    wanted = rows.groupby("trial_id").tail(1)
    assert last.trace(0).fidelity[0].tolist() == wanted.epoch.tolist()
    assert last.trace(0).time[0].tolist() == wanted.st_tuner_time.tolist()
    assert str(results.settings[0].budget).endswith(" s")  # evaluations of several fidelities do not cost the same


def test_syne_tune_says_what_the_values_are():
    with pytest.raises(ParameterError, match="with unit='fraction' error=True they are"):
        imported(LOGS / "syne-tune-asha")


def test_syne_tune_with_the_clock_of_the_table():
    """The same trainings continue, so one worker pays each epoch of a trial once."""
    rows = syne_tune_rows("syne-tune-asha")
    results, _ = imported(LOGS / "syne-tune-asha", clock="table", **ERRORS)
    assert results.trace(0).time[0, -1] == pytest.approx(rows.groupby("trial_id").train_seconds.max().sum())


def packed(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


HEADER = b"trial_id,st_tuner_time,loss,config_arch\n"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"results.csv": HEADER, "more.csv": HEADER}, "has 2 files; Syne Tune writes one"),
        ({}, "has 0 files"),
        ({"results.csv": HEADER + b"0,1,88.0,7\n"}, "the metric of .* is not known; choose one with columns="),
        ({"results.csv": b"loss,config_arch\n88.0,7\n"}, "has no columns trial_id and st_tuner_time"),
        ({"results.csv": bytes(2**22)}, "unpacks to more than"),
        ({"results.csv": b""}, "is empty"),
    ],
)
def test_archives_that_are_not_of_syne_tune(members, message, tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench_lab.simulation.logs.syne_tune._FREE_BYTES", 2**20)
    path = packed(tmp_path / "results.csv.zip", members)
    with pytest.raises(NasbenchLabError, match=message):
        imported(path, strategy="mine", format="syne-tune")


def test_an_archive_that_lies_about_its_size(tmp_path):
    path = packed(tmp_path / "results.csv.zip", {"results.csv": HEADER + bytes(2**22)})
    content = bytearray(path.read_bytes())
    true, small = (2**22 + len(HEADER)).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert content.count(true) == 2
    path.write_bytes(bytes(content).replace(true, small))
    with pytest.raises(DataError, match="damaged"):
        imported(path, strategy="mine", format="syne-tune")


def test_syne_tune_with_other_configurations(tmp_path):
    table = synthetic_table("chain")
    codes = table.space.codes(np.array([5, 100]))
    header = ["trial_id", "st_tuner_time", "accuracy", *(f"config_code_{place}" for place in range(codes.shape[1]))]
    rows = [
        [trial, trial + 1.5, table.mean_values("valid_accuracy")[(5, 100)[trial]], *codes[trial]] for trial in (0, 1)
    ]
    text = "\n".join(",".join(map(str, row)) for row in (header, *rows))
    path = packed(tmp_path / "results.csv.zip", {"results.csv": text})
    results, _ = imported(path, table=table, strategy="mine", columns={"value": "accuracy"})
    assert results.trace(0).architecture.tolist() == [[5, 100]]
    with pytest.raises(ParameterError, match=r"the configurations \(.*code_0.*\) do not say the architecture"):
        imported(path, table=synthetic_table("topology"), strategy="mine", columns={"value": "accuracy"}, check=False)


# --- NASLib ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["naslib-incumbents", "naslib-last"])
def test_naslib(name):
    log = json.loads((LOGS / name / "errors.json").read_text())
    results, notes = imported(LOGS / name, strategy="RS")
    (trace,) = results
    assert trace.observed[0].tolist() == log["valid_acc"]
    # The architectures are found by values; those with the same values have the same regrets.
    means = {split: TABLE.mean_values(f"{split}_accuracy")[trace.architecture[0]] for split in ("valid", "test")}
    assert np.allclose(means["valid"], log["valid_acc"], rtol=1e-6)
    assert np.allclose(means["test"], log["test_acc"], rtol=1e-6)
    assert trace.setting.origin["architectures"] == "by value"
    assert trace.setting.origin["incumbents_only"] == (name == "naslib-incumbents")
    assert ("its evaluations are incumbents" in notes[0]) == (name == "naslib-incumbents")
    assert trace.setting.conditions.repeat == "mean"


def test_both_logs_of_naslib_have_the_same_incumbents():
    """They are of one search: of one, NASLib logged the incumbents, of the other the last architectures."""
    (one,), (other,) = (imported(LOGS / f"naslib-{name}", strategy="RS")[0] for name in ("incumbents", "last"))
    for kind in ("observed", "valid", "test"):
        assert np.allclose(one.regret(kind), other.regret(kind), atol=1e-4)


def test_incumbents_have_no_costs():
    with pytest.raises(ParameterError, match="has incumbents, not evaluations, so clock='table' would charge others"):
        imported(LOGS / "naslib-incumbents", strategy="RS", clock="table")
    log = json.loads((LOGS / "naslib-last" / "errors.json").read_text())
    timed, _ = imported(LOGS / "naslib-last", strategy="RS", clock="table")
    assert np.allclose(timed.trace(0).time[0], np.cumsum(log["train_time"]), rtol=1e-5)


def naslib_file(folder, **changed):
    log = json.loads((LOGS / "naslib-last" / "errors.json").read_text())
    path = folder / "errors.json"
    path.write_text(json.dumps({**log, **changed}))
    return path


def test_naslib_with_architectures_or_a_configuration(tmp_path):
    log = json.loads((LOGS / "naslib-last" / "errors.json").read_text())
    wanted = imported(LOGS / "naslib-last", strategy="RS")[0].trace(0).architecture[0]
    path = naslib_file(tmp_path, arch=TABLE.space.format(wanted))
    found, notes = imported(path, strategy="RS")
    assert found.trace(0).architecture[0].tolist() == wanted.tolist()
    assert not any("names no architectures" in note for note in notes)
    path.write_text(json.dumps([{"optimizer": "rs"}, log]))  # with lightweight_output=True
    assert imported(path)[0].settings[0].strategy == "rs"


def test_values_of_no_architecture_and_of_several(tmp_path):
    with pytest.raises(ParameterError, match=r"epoch 1 of errors.json: the log names no architectures, and none of"):
        values = json.loads((LOGS / "naslib-last" / "errors.json").read_text())["valid_acc"]
        imported(naslib_file(tmp_path, valid_acc=[values[0], 81.23456, *values[2:]]), strategy="RS")
    with pytest.raises(ParameterError, match=r"and \d+ of digits/topology have valid_accuracy"):
        imported(naslib_file(tmp_path, test_acc=[], train_acc=[], train_time=[]), strategy="RS")
    with pytest.raises(DataError, match="'valid_acc' must be a list of numbers"):
        imported(naslib_file(tmp_path, valid_acc=["x"]), strategy="RS")


# --- naszilla --------------------------------------------------------------------------------------------------------


def test_naszilla():
    results, _ = imported([LOGS / "naszilla-specs-0.pkl", LOGS / "naszilla-specs-1.pkl"])
    labels = [setting.label for setting in results.settings]
    assert labels == ["random", "evolution", "local_search:stop_at_minimum=False"]
    for number, trace in enumerate(results):
        for run in range(2):
            queries = pickle.loads((LOGS / f"naszilla-specs-{run}.pkl").read_bytes())[4][number]
            cells = [query["spec"]["string"] for query in queries]
            assert trace.architecture[run, : len(cells)].tolist() == TABLE.space.parse(cells).tolist()
            assert np.allclose(trace.observed[run, : len(cells)], [100 - query["val_loss"] for query in queries])
    assert str(results.settings[0].budget) == "21 evaluations"


def test_naszilla_without_architectures():
    """Both files are of one search, with and without ``--save_specs``."""
    named, _ = imported(LOGS / "naszilla-specs-0.pkl")
    found, notes = imported(LOGS / "naszilla-values-0.pkl")
    assert any("they were found by their values" in note for note in notes)
    for one, other in zip(named, found, strict=True):
        assert np.allclose(one.regret("test"), other.regret("test"), atol=1e-4)
        assert np.array_equal(one.observed, other.observed)


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch executed",)


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ([[{"algo_name": "x"}], Evil(), [], [], [[]]], "asks for .*system, which is not allowed; nothing was run"),
        ([[{"algo_name": "x"}], {}, [], [], [[]]], "has no queries of x"),
        ([[{"algo_name": "x"}], {}, [], []], "is not of naszilla"),
        ([[{"algo_name": "x"}], {}, [], [], [[{"val_loss": "a"}]]], "a query of x in .* has no number 'val_loss'"),
        ([[{"algo_name": "x"}], {}, [], [], [[{"val_loss": 1, "spec": 7}]]], "is not a cell of NAS-Bench-101"),
        ([[{"algo_name": "x\ny"}], {}, [], [], [[{"val_loss": 1}]]], "an algorithm without a name"),
    ],
)
def test_pickles_that_are_not_of_naszilla(trial, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trial.pkl").write_bytes(pickle.dumps(trial))
    with pytest.raises(NasbenchLabError, match=message):
        imported(tmp_path / "trial.pkl")
    assert not (tmp_path / "executed").exists()


def test_naszilla_on_nas_bench_101(tmp_path):
    table = nl.load("digits/cell101")
    matrix = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    operations = ["input", "conv3x3-bn-relu", "conv1x1-bn-relu", "output"]
    rows = str(matrix.tolist()).replace(" ", "")
    index = table.space.parse(f"{rows} ['input','conv3x3-bn-relu','conv1x1-bn-relu','output']")
    query = {
        "val_loss": 100 - table.mean_values("valid_accuracy")[index],
        "spec": {"matrix": matrix, "ops": operations},
    }
    (tmp_path / "trial.pkl").write_bytes(pickle.dumps([[{"algo_name": "x"}], {}, [], [], [[query]], []]))
    results, _ = imported(tmp_path / "trial.pkl", table=table)
    assert results.trace(0).architecture.tolist() == [[index]]


# --- Optuna ----------------------------------------------------------------------------------------------------------


def studies(storage=None):
    optuna = pytest.importorskip("optuna")
    from nasbench_lab.adapters.optuna import optuna_objective

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = []
    for seed in (1, 2):
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(study_name=f"tpe-{seed}", storage=storage, direction="maximize", sampler=sampler)
        study.set_user_attr("strategy", "TPE")
        study.optimize(optuna_objective(TABLE, seed=seed), n_trials=3)
        made.append(study)
    return made


def check_studies(results, made):
    (trace,) = results
    assert trace.setting.strategy == "TPE"
    for run, study in enumerate(made):
        attributes = [trial.user_attrs for trial in study.trials]
        assert trace.architecture[run].tolist() == [each["architecture"] for each in attributes]
        assert trace.observed[run].tolist() == [trial.value for trial in study.trials]
        assert np.allclose(trace.time[run], np.cumsum([each["seconds"] for each in attributes]))


def test_studies_as_objects():
    made = studies()
    check_studies(imported(made)[0], made)
    assert imported(made[0])[0].trace(0).runs == 1


def test_studies_in_a_database(tmp_path):
    address = f"sqlite:///{tmp_path / 'studies.db'}"
    made = studies(address)
    with contextlib.closing(sqlite3.connect(tmp_path / "studies.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE more (x)")  # now in the write-ahead log
        database.commit()
        assert (tmp_path / "studies.db-wal").stat().st_size > 0
        check_studies(imported(tmp_path / "studies.db")[0], made)
    before = (tmp_path / "studies.db").read_bytes()
    for source in (address, tmp_path / "studies.db"):
        check_studies(imported(source)[0], made)
    assert (tmp_path / "studies.db").read_bytes() == before
    with pytest.raises(DataError, match="there is no file"):
        imported(f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


def test_a_journal_with_pruned_trials():
    optuna = pytest.importorskip("optuna")
    results, _ = imported(LOGS / "optuna.log", strategy="pruned")
    backend = optuna.storages.journal.JournalFileBackend(str(LOGS / "optuna.log"))
    study = optuna.load_study(study_name="pruned", storage=optuna.storages.JournalStorage(backend))
    wanted = []
    for trial in study.trials:
        wanted += [(trial.user_attrs["architecture"], *pair) for pair in sorted(trial.intermediate_values.items())]
        if trial.state.name == "COMPLETE":
            wanted.append((trial.user_attrs["architecture"], 12, trial.value))
    (trace,) = results
    rows = zip(trace.architecture[0].tolist(), trace.fidelity[0].tolist(), trace.observed[0].tolist(), strict=True)
    assert list(rows) == wanted
    last, _ = imported(LOGS / "optuna.log", strategy="pruned", reports="last")
    assert last.trace(0).steps == len(study.trials)


def test_trials_of_every_state():
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(direction="minimize")
    value = [float(each) for each in TABLE.mean_values("valid_accuracy")[:3]]

    def ended(state, index, value=None):
        trial = study.ask({"architecture": optuna.distributions.IntDistribution(0, 15624)})
        trial.storage.set_trial_user_attr(trial._trial_id, "architecture", index)
        study.tell(trial, value, state=state)

    states = optuna.trial.TrialState
    ended(states.COMPLETE, 0, -value[0])
    ended(states.FAIL, 1)
    ended(states.COMPLETE, 2, -value[2])
    ended(states.PRUNED, 3)
    study.ask({"architecture": optuna.distributions.IntDistribution(0, 15624)})
    with pytest.raises(ParameterError, match="with negated=True they are"):
        imported(study, strategy="mine")
    results, notes = imported(study, strategy="mine", negated=True)
    (trace,) = results
    assert trace.architecture.tolist() == [[0, 1, 2]]
    assert np.array_equal(trace.observed, [[value[0], np.nan, value[2]]], equal_nan=True)
    assert "1 trials" in notes[0]
    assert "have not ended" in notes[0]
    assert "were pruned before any value" in notes[1]


def test_studies_that_cannot_be_imported(tmp_path):
    optuna = pytest.importorskip("optuna")
    with pytest.raises(ParameterError, match="has 2 objectives; only one is supported"):
        imported(optuna.create_study(directions=["maximize", "minimize"]), strategy="mine")
    with pytest.raises(DataError, match="has no trial that ended"):
        imported(optuna.create_study(), strategy="mine")
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(ParameterError, match=r"the parameters of the trials \(x\) do not say the architecture"):
        imported(study, strategy="mine")
    (tmp_path / "studies.db").write_bytes(b"SQLite format 3\x00" + bytes(500))
    with pytest.raises(DataError, match="Optuna cannot read"):
        imported(tmp_path / "studies.db", strategy="mine")


# --- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("syne-tune-random", "syne-tune"),
        ("syne-tune-random/results.csv.zip", "syne-tune"),
        ("naslib-last", "naslib"),
        ("naslib-last/errors.json", "naslib"),
        ("naszilla-specs-0.pkl", "naszilla"),
        ("naszilla-values-0.pkl", "naszilla"),
        ("optuna.log", "optuna"),
    ],
)
def test_formats_are_found_by_content(name, format_):
    assert find_log_format(LogSource.of(LOGS / name)).name == format_


def test_what_has_no_format(tmp_path):
    with pytest.raises(DataError, match=r"the format of .* is not supported; supported: Optuna"):
        imported(tmp_path)
    with pytest.raises(DataError, match="the format of the given object is not supported"):
        imported(object())


def test_a_package_adds_a_format(tmp_path, monkeypatch):
    (tmp_path / "log.mine").write_text("mine\n7 88.0\n9 86.0\n")

    def read(source, _options):
        rows = [line.split() for line in source.path.read_text().splitlines()[1:]]
        return [
            SearchLog(step_columns({"architecture": [a for a, _ in rows], "value": [v for _, v in rows]}), "theirs")
        ]

    mine = LogFormat("x", "my tool", lambda source: source.head.startswith(b"mine\n"), read)
    add_entry_points(monkeypatch, GROUP, my_tool=mine)
    assert list_log_formats()[-1] == "my-tool"
    results, _ = imported(tmp_path / "log.mine")
    assert results.trace(0).architecture.tolist() == [[7, 9]]
    assert results.settings[0].origin["format"] == "my-tool"


def test_lines_can_be_long(tmp_path):
    record = {"architecture": 7, "value": 88.0, "remark": "x" * 10_000}
    (tmp_path / "log").write_text(f"{json.dumps(record)}\n{json.dumps(record)}\n")
    results, notes = imported(tmp_path / "log", strategy="mine")
    assert results.trace(0).architecture.tolist() == [[7, 7]]
    assert notes[0] == "these columns are not used: 'remark'"


def test_a_log_with_a_lot_of_text_in_one_cell(tmp_path):
    buffer = io.StringIO()
    buffer.write("architecture,value\n" + "9" * 100_000 + ",88\n")
    (tmp_path / "log.csv").write_text(buffer.getvalue())
    with pytest.raises(ParameterError, match="is no architecture") as refused:
        imported(tmp_path / "log.csv", strategy="mine")
    assert len(str(refused.value)) < 300
