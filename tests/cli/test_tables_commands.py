"""``nasbench-lab tables``, as a user meets it: listing, fetching, checking, importing and citing."""

import bz2
import contextlib
import dataclasses
import hashlib
import io
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab
from terminal import on_a_terminal

import nasbench_lab as nl
from nasbench_lab.errors import (
    DataError,
    MissingDataError,
    NasbenchLabError,
    OutputError,
    ParameterError,
    SourceError,
    UnknownNameError,
)
from nasbench_lab.tables import (
    StreamedRecipe,
    Table,
    cached_path,
    catalogue,
    citations,
    cite,
    fetch,
    find_recipe,
    load,
    verify,
    write,
)
from nasbench_lab.tables.catalogue import matching
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS
from nasbench_lab.tables.fetching.sources import UrlFile
from nasbench_lab.tables.importers.formats import FORMATS, find_format, import_tables
from nasbench_lab.tables.known_answers import KNOWN_ANSWERS
from nasbench_lab.testing import synthetic_table

SMALL = "nas-bench-graph/proteins"
EC_NAS = "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
NATS = "D-X-Y/NATS-Bench/fake_torch_dir"


def nothing_here(tmp_path):
    """An environment without a mirror, a cache or a network."""
    return {
        "NASBENCH_LAB_MIRROR": "",
        "NASBENCH_LAB_CACHE": str(tmp_path / "cache"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "",
    }


# Listing.


def test_the_overview_has_a_line_per_publication(tmp_path):
    shown = nasbench_lab("tables", NASBENCH_LAB_CACHE=str(tmp_path)).stdout
    lines = shown.splitlines()
    assert lines[0].split() == ["publication", "tables", "size", "licence", "local"]
    for publication in {name.partition("/")[0] for name in nl.list_tables()}:
        assert sum(line.startswith(f"{publication} ") for line in lines) == 1
    row = next(line for line in lines if line.startswith("nas-bench-graph "))
    for part in ("/arxiv", "/proteins", "2,021 to 26,206", "Apache-2.0", "0 of 9"):
        assert part in row
    embedded = next(line for line in lines if line.startswith("digits "))
    assert "4 of 4" in embedded, "tables that come with the package are here from the beginning"
    for entry in MANUAL_DOWNLOADS:
        assert f"\n{entry.name} " in shown
    assert max(map(len, lines)) < 200, "a line per publication stays readable"


def test_the_tables_of_one_publication(tmp_path):
    environment = {"NASBENCH_LAB_CACHE": str(tmp_path)}
    lines = nasbench_lab("tables", "nas-bench-graph", **environment).stdout.splitlines()
    assert lines[0].split() == ["name", "space", "size", "metrics", "epochs", "licence", "local"]
    assert len(lines) == 10
    row = next(line for line in lines if line.startswith(SMALL))
    for part in ("gnn", "2,021", "valid_roc_auc, test_roc_auc, latency, parameters", "500", "Apache-2.0", "no"):
        assert part in row
    assert nasbench_lab("tables", "list", "nas-bench-graph/*", **environment).stdout.splitlines() == lines
    load(SMALL)
    assert nasbench_lab("tables", SMALL).stdout.splitlines()[1].split()[-1] == "yes"
    assert_refused(nasbench_lab("tables", "list", "nas-bench-grap"), "did you mean 'nas-bench-graph'")
    assert_refused(nasbench_lab("tables", "nonsense"), "unknown command or table 'nonsense'; to list the tables: ")
    assert_refused(nasbench_lab("tables", "ftch"), "unknown command or table 'ftch'; did you mean 'fetch'?")
    assert_refused(nasbench_lab("tables", "nats-bench-sss"), "did you mean 'nats-bench-sss-curves'?")
    of_alias, of_publication = (nasbench_lab("tables", name).stdout for name in ("nas-bench-201", "nats-bench-tss"))
    assert len(of_alias.splitlines()) == 4
    assert sorted(of_alias.splitlines()) == sorted(of_publication.splitlines())


def plain(text):
    """The text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_on_a_narrow_terminal_cells_fold():
    text = plain(on_a_terminal("tables", COLUMNS="60"))
    grid = text.split("\r\n\r\n")[0].splitlines()
    assert max(map(len, grid)) <= 60
    assert "…" not in text


def test_on_a_usual_terminal_names_stay_whole():
    grid = plain(on_a_terminal("tables", COLUMNS="80")).split("\r\n\r\n")[0]
    assert max(map(len, grid.splitlines())) <= 80
    shown = set(grid.split())
    for name in nl.list_tables():
        publication, _, dataset = name.partition("/")
        assert {publication, f"/{dataset}"} <= shown


def test_patterns():
    assert matching(["nas-bench-macro", "nas-bench-macro/*"]) == ["nas-bench-macro/cifar10"]
    assert len(matching(["nats-bench-tss/*"])) == 3
    with pytest.raises(UnknownNameError, match="did you mean 'nas-bench-macro'"):
        matching(["nas-bench-marco"])
    with pytest.raises(UnknownNameError):
        matching(["nas-bench"])


# Fetching.


def test_fetch_says_what_there_is_now(tmp_path):
    done = nasbench_lab("tables", "fetch", SMALL, "digits/chain", NASBENCH_LAB_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "no progress bar where there is no terminal"
    for part in (str(tmp_path / "tables"), load(SMALL).checksum, "Apache-2.0", "PyPI package", "{qin2022"):
        assert part in done.stdout
    assert done.stdout.count("Please cite") == 1
    again = nasbench_lab("tables", "fetch", SMALL, NASBENCH_LAB_CACHE=str(tmp_path))
    assert f"{SMALL} (already fetched)" in again.stdout


def test_fetch_without_a_network_is_one_line(tmp_path):
    done = nasbench_lab("tables", "fetch", "nas-bench-macro", **nothing_here(tmp_path))
    assert_refused(done, "the proxy blocks it", "set HTTPS_PROXY", "set NASBENCH_LAB_MIRROR")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_one_failure_does_not_stop_the_others(tmp_path):
    done = nasbench_lab("tables", "fetch", "nas-bench-macro", "digits/chain", **nothing_here(tmp_path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("nasbench-lab: nas-bench-macro/cifar10: cannot download")
    assert "digits/chain\n  file " in done.stdout


def test_what_to_fetch_must_be_said():
    assert_refused(nasbench_lab("tables", "fetch"), "name the tables to fetch, or pass --all")
    assert_refused(nasbench_lab("tables", "fetch", "--all", SMALL), "name the tables to fetch, or pass --all")
    assert_refused(nasbench_lab("tables", "fetch", "nas-bench-macro/cifar"), "did you mean 'nas-bench-macro/cifar10'")


@pytest.mark.parametrize("entry", MANUAL_DOWNLOADS, ids=lambda entry: entry.name)
def test_what_no_program_can_download(entry):
    done = nasbench_lab("tables", "fetch", entry.name)
    assert_refused(done, entry.page, entry.source, "nasbench-lab tables import")
    assert_refused(nasbench_lab("tables", entry.name), entry.page)


@pytest.mark.parametrize("command", [("cite",), ("query",), ("tables", "info"), ("tables", "verify")])
def test_names_of_what_is_no_single_table(command):
    more = ["0"] if command == ("query",) else []
    assert_refused(nasbench_lab(*command, MANUAL_DOWNLOADS[0].name, *more), MANUAL_DOWNLOADS[0].page)
    if command not in (("cite",), ("tables", "verify")):
        choices = "can be ec-nas/4v9e, ec-nas/4v9e-estimate or ec-nas/5v9e; name one of them"
        assert_refused(nasbench_lab(*command, "ec-nas", *more), choices)


@pytest.mark.parametrize(("command", "reason"), [("verify", "no stored numbers"), ("fetch", "nothing to fetch")])
def test_a_table_in_code_is_neither_fetched_nor_verified(command, reason):
    assert_refused(nasbench_lab("tables", command, "mine.py:table"), "'mine.py:table' is a table in code", reason)


def test_citations_are_written_to_a_bibliography():
    assert_refused(
        nasbench_lab("cite", "digits/chain", "--out", "refs.pdf"), "--out must be", ".bib or .txt", "refs.pdf"
    )


def test_an_empty_name_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    assert load(".").name == synthetic_table("chain").name
    with pytest.raises(UnknownNameError, match="unknown table ''"):
        load("")


def test_long_names_of_metrics_stay_apart_from_numbers(tmp_path):
    table = synthetic_table("chain")
    name = "a_long_name_of_a_metric"
    metrics = tuple(
        dataclasses.replace(m, name=name) if m.name == "parameters" else m for m in table.description.metrics
    )
    values = {name if m == "parameters" else m: table.values(m) for m in table.metrics}
    write(Table(dataclasses.replace(table.description, metrics=metrics), values), tmp_path / "mine.h5")
    found = nasbench_lab("query", tmp_path / "mine.h5", 0).stdout
    assert re.search(rf"^{name} \S+ millions$", found, re.M), found
    about = nasbench_lab("tables", "info", tmp_path / "mine.h5").stdout
    assert re.search(r"^  valid_accuracy +\S+ +maximize +by fidelity and repeat$", about, re.M), about


def test_large_tables_are_fetched_on_request_only(tmp_path, monkeypatch, empty_cache):
    monkeypatch.delenv("NASBENCH_LAB_MIRROR", raising=False)
    for name in ("nas-bench-101/full", "nas-bench-101/only108"):
        assert isinstance(find_recipe(name), StreamedRecipe)
        with pytest.raises(SourceError, match=f"fetch it first: nasbench-lab tables fetch {name}"):
            load(name)
    assert not empty_cache.exists()


def streamed(tmp_path, monkeypatch, write_table, name="mine/streamed"):
    """A catalogue with a table that is converted from a file in a mirror."""
    table = synthetic_table("chain")
    described = dataclasses.replace(table.description, name=name)
    copy = tmp_path / "mirror" / "host.org" / "data.bin"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"data")
    file = UrlFile("https://host.org/data.bin", "MIT", hashlib.sha256(b"data").hexdigest(), 4)
    made = StreamedRecipe(described, file, write_table)
    monkeypatch.setenv("NASBENCH_LAB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(catalogue, "_built_in", lambda: {name: made})
    return described


def converter(change=lambda description: description):
    def convert(source, target, *, progress=None):
        assert source.read_bytes() == b"data"
        table = synthetic_table("chain")
        description = change(dataclasses.replace(table.description, name="mine/streamed"))
        progress(1, 2)
        write(Table(description, {name: table.values(name) for name in table.metrics}), target)

    return convert


def test_a_streamed_table(tmp_path, monkeypatch, empty_cache):
    described = streamed(tmp_path, monkeypatch, converter())
    steps = []
    path = fetch("mine/streamed", report=lambda *step: steps.append(step))
    assert steps == [("converting", 1, 2)]
    assert load("mine/streamed").description == described
    assert [check.ok for check in verify("mine/streamed", sources=True)] == [True] * 9
    assert path == cached_path("mine/streamed")


def test_a_streamed_table_that_is_another(tmp_path, monkeypatch, empty_cache):
    streamed(tmp_path, monkeypatch, converter(lambda d: dataclasses.replace(d, title="something else")))
    with pytest.raises(DataError, match=r"host\.org/data\.bin contains something else, not"):
        load("mine/streamed")
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_a_table_with_wrong_numbers_never_appears(tmp_path, monkeypatch, empty_cache):
    streamed(tmp_path, monkeypatch, converter(), name="nas-bench-macro/cifar10")
    monkeypatch.setattr(StreamedRecipe, "write", lambda self, path, _report: write(named_like(self), path))

    def named_like(made):
        table = synthetic_table("chain")
        return Table(made.description, {name: table.values(name) for name in table.metrics})

    with pytest.raises(DataError, match=r"cifar10' differs from its publication: best mean test .* not 93\.1267"):
        load("nas-bench-macro/cifar10")
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


# Checking.


@pytest.mark.parametrize("name", ["digits/chain", "nas-bench-graph/cora", "nas-bench-graph/arxiv"])
def test_tables_of_the_catalogue_are_right(name):
    checks = verify(name, sources=True)
    assert all(check.ok for check in checks), checks
    assert len(checks) == 2 + len(load(name).metrics) + len(KNOWN_ANSWERS.get(name, ()))


@pytest.mark.mirror
@pytest.mark.parametrize("name", sorted(set(KNOWN_ANSWERS) - {"nas-bench-101/full", "nas-bench-101/only108"}))
def test_known_answers(name):
    checks = verify(name)
    assert all(check.ok for check in checks), [check for check in checks if not check.ok]


def test_known_answers_are_of_tables_that_exist():
    assert set(KNOWN_ANSWERS) <= set(nl.list_tables())


def test_verify_says_what_is_wrong(tmp_path):
    table = synthetic_table("chain")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["valid_accuracy"][5, 0, 0] = 100.5
    values["train_seconds"][3] = -1
    values["test_accuracy"][:] = np.nan
    write(Table(table.description, values), tmp_path / "mine.h5")
    wrong = {check.what: check.found for check in verify(tmp_path / "mine.h5") if not check.ok}
    assert wrong.keys() == {"valid_accuracy", "train_seconds", "test_accuracy"}
    assert "to 100.5 fraction" in wrong["valid_accuracy"]
    assert wrong["test_accuracy"] == "all values are missing"
    done = nasbench_lab("tables", "verify", tmp_path / "mine.h5", SMALL)
    assert done.returncode == 1
    assert done.stdout.count("FAILED") == 3
    assert done.stdout.count("\n  ok ") == 3 + 1 + 6


def test_verify_finds_damage(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    content = bytearray((tmp_path / "mine.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "mine.h5").write_bytes(content)
    done = nasbench_lab("tables", "verify", tmp_path / "mine.h5")
    assert done.returncode == 1
    assert len(re.findall("FAILED .* does not match its checksum", done.stdout)) == 1
    (tmp_path / "mine.h5").write_bytes(content[:1000])
    assert_refused(nasbench_lab("tables", "verify", tmp_path / "mine.h5"), "mine.h5")


# Citing.


@pytest.mark.parametrize("name", nl.list_tables())
def test_every_citation_is_bibtex(name):
    for key, entry in citations.entries(find_recipe(name).description.citation):
        assert re.fullmatch(r"[a-z0-9]+", key)
        fields = re.findall(r"^ +(\w+) += \{", entry, re.M)
        assert {"title", "author", "year"} <= set(fields), entry
        assert entry.count("{") == entry.count("}")
        assert not re.search(r"\}\n +\w+ +=", entry), f"a comma is missing in {key}"


def test_cite(tmp_path):
    both = nasbench_lab("cite", "nats-bench-tss/*", "nas-bench-graph").stdout
    keys = re.findall(r"^@\w+\{(\w+),", both, re.M)
    assert len(keys) == len(set(keys))
    assert {"dong2021nats", "dong2020nasbench201", "qin2022nasbenchgraph"} <= set(keys)
    done = nasbench_lab("cite", "nats-bench-tss", "nas-bench-graph", "--out", tmp_path / "refs.bib")
    assert done.stdout == f"wrote {tmp_path / 'refs.bib'}\n"
    assert (tmp_path / "refs.bib").read_text() == both
    assert_refused(nasbench_lab("cite", "nas-bench-graf"), "did you mean 'nas-bench-graph'")
    assert_refused(nasbench_lab("cite", SMALL, "--out", tmp_path / "refs.bib" / "deeper.bib"), "cannot write")


def test_a_table_without_a_citation(tmp_path):
    table = synthetic_table("chain")
    for citation, error in (("", MissingDataError), ("see the paper", DataError), ("@misc{a, title = {b}", DataError)):
        description = dataclasses.replace(table.description, citation=citation)
        write(Table(description, {name: table.values(name) for name in table.metrics}), tmp_path / "mine.h5")
        with pytest.raises(error):
            cite(tmp_path / "mine.h5")


# Importing.


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{EC_NAS}/energy_4V9E.tfrecord", "ec-nas"),
        (f"{EC_NAS}/energy_5V9E.tfrecord", "ec-nas"),
        (f"{EC_NAS}/energy_4V9E_estimate.tfrecord", "ec-nas"),
        (f"{NATS}/NATS-tss-v1_0-3ffb9-simple", "nats-bench"),
        (f"{NATS}/NATS-sss-v1_0-50262-simple", "nats-bench"),
        ("afzalxo/Accel-NASBench/anb_dataset/anb_dataset_jsons.tar.gz", "accel-nasbench"),
    ],
)
def test_official_files_are_recognised(mirror, path, name):
    assert find_format(mirror / path).name == name


@pytest.mark.mirror
def test_import_says_what_it_wrote(mirror, tmp_path):
    shutil.copy(mirror / EC_NAS / "energy_4V9E.tfrecord", tmp_path / "some.data")
    done = nasbench_lab("tables", "import", tmp_path / "some.data")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert f"wrote {tmp_path / 'some.h5'}" in done.stdout
    assert "91 of 91 architectures, epochs 4 to 108 (4 of them), up to 3 repeats" in done.stdout
    assert done.stdout.splitlines()[-1] == f"to show it: nasbench-lab tables info {tmp_path / 'some.h5'}"
    again = nasbench_lab("tables", "import", tmp_path / "some.data")
    assert_refused(again, "some.h5 already exists; choose another path with --out, or replace it with --overwrite")
    assert nasbench_lab("tables", "import", tmp_path / "some.data", "--overwrite").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.data", "some.h5"]
    assert np.array_equal(
        load(tmp_path / "some.h5").values("energy"), load("ec-nas/4v9e").values("energy"), equal_nan=True
    )


def test_unknown_files_list_what_can_be_imported(tmp_path):
    for content in (
        b"",
        b"x",
        b"[",
        b"[1, 2]",
        b"PK\x03\x04",
        b"\x80\x04.",
        b"BZh9",
        bytes(100),
        b"\xff" * 2**17,
        "ä".encode(),
    ):
        (tmp_path / "file").write_bytes(content)
        done = nasbench_lab("tables", "import", tmp_path / "file") if content == b"x" else None
        if done:
            assert_refused(done, *(each.what for each in FORMATS.values()))
        with pytest.raises(DataError):
            import_tables(tmp_path / "file", tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(DataError, match="No such file"):
        find_format(tmp_path / "missing")
    with pytest.raises(UnknownNameError, match="did you mean 'nas-bench-101'"):
        find_format(tmp_path / "file", "nasbench101")
    with pytest.raises(DataError, match="is not supported; supported: EC-NAS"):
        find_format(tmp_path)


def _tape(name):
    """A compressed tape archive with one empty file."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return content.getvalue()


def test_formats_are_told_apart_by_content(tmp_path):
    record = b'["0019", 108, "0", "input", "CgkJAAAAAAAAAAAQBQ=="]'
    many = b'["0019", 108, "0", "input", "CgkJAAAAAAAAAAAQBSEAAAAAAAAAAA=="]'
    bz2_pickle = bz2.compress(pickle.dumps({"meta_archs": ["|none~0|"]}))
    cases = {
        "nas-bench-101": len(record).to_bytes(8, "little") + bytes(4) + record + bytes(4),
        "ec-nas": len(many).to_bytes(8, "little") + bytes(4) + many + bytes(4),
        "nats-bench": bz2_pickle,
        "nas-bench-201": b"PK\x03\x04" + bytes(50) + pickle.dumps({"meta_archs": []}, 2),
        "trans-nas-bench-101": b"PK\x03\x04" + bytes(50) + pickle.dumps({"task_list": ["class_scene"]}, 2),
        "nas-bench-graph": pickle.dumps({"0123": {"dur": []}}),
        "accel-nasbench": _tape("./anb_dataset_jsons/result_0.json"),
        "columns": b"\xef\xbb\xbf\narch;acc\n",
    }
    assert cases.keys() == FORMATS.keys()
    for name, content in cases.items():
        (tmp_path / "file.txt").write_bytes(content)
        assert find_format(tmp_path / "file.txt").name == name
        with contextlib.suppress(DataError, ParameterError):  # damaged all of them, and so nothing may come of it
            import_tables(tmp_path / "file.txt", tmp_path / "out.h5")
        assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "cora0.bench").write_bytes(b"")
    assert find_format(tmp_path / "folder").name == "nas-bench-graph"


COLUMNS = "kernel,width,seed,val_acc\n3,16,0,0.90\n3,16,1,0.91\n3,32,0,0.93\n5,16,0,0.92\n"


def test_import_of_columns(tmp_path):
    (tmp_path / "my.csv").write_text(COLUMNS)
    (tmp_path / "my.bib").write_text("@misc{me, title = {Mine}}\n")
    words = ["--architecture", "kernel", "--architecture", "width", "--repeat", "seed", "--valid", "val_acc"]
    words += ["--unit", "val_acc=fraction", "--epochs", "12", "--name", "mine/kernels", "--licence", "CC0-1.0"]
    done = nasbench_lab("tables", "import", tmp_path / "my.csv", *words, "--citation", tmp_path / "my.bib")
    assert done.returncode == 0, done.stderr
    assert "mine/kernels: 3 of 4 architectures, epochs 12, up to 2 repeats" in done.stdout
    table = load(tmp_path / "my.h5")
    assert table.query("kernel=3,width=16", repeat=1) == {"val_acc": 0.91}
    assert (table.description.licence, table.fidelities) == ("CC0-1.0", (12,))
    assert cite(tmp_path / "my.h5") == "@misc{me, title = {Mine}}"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "name the column of the architecture"),
        (["--architecture", "kernal"], "did you mean 'kernel'"),
        (["--unit", "fraction"], "for example val_acc=percent"),
        (["--space", "{"], "a name, or JSON"),
        (["--citation", "missing.bib"], "cannot read missing.bib"),
        (["--architecture", "kernel", "--architecture", "width", "--epochs", "0"], "epoch"),
    ],
)
def test_columns_that_are_not_understood(tmp_path, words, part):
    (tmp_path / "my.csv").write_text(COLUMNS)
    assert_refused(nasbench_lab("tables", "import", tmp_path / "my.csv", *words), part)
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


def test_a_table_need_not_be_imported(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    assert_refused(nasbench_lab("tables", "import", tmp_path / "mine.h5"), "already is a table file")


def test_import_refuses_what_makes_no_sense(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ParameterError, match="takes no options, got space"):
        import_tables(tmp_path / "file", tmp_path / "out.h5", format="nas-bench-101", space="chain")
    words = ["--format", "nas-bench-101", "--out", tmp_path / "out.csv"]
    done = nasbench_lab("tables", "import", tmp_path / "file", *words)
    assert_refused(done, "the name of a table file must end in .h5")


def test_a_folder_with_a_table(tmp_path):
    with pytest.raises(DataError, match="has no table file"):
        load(tmp_path)
    write(synthetic_table("chain"), tmp_path / "one.h5")
    assert load(tmp_path).checksum == load(tmp_path / "one.h5").checksum
    write(synthetic_table("chain"), tmp_path / "two.h5")
    with pytest.raises(DataError, match=r"several tables; name one: .*one\.h5, .*two\.h5"):
        load(tmp_path)


SLOW_IMPORT = """
import sys, time
from nasbench_lab.tables import store
from nasbench_lab.tables.importers import formats
from nasbench_lab.testing import synthetic_table
def slow(source, target, progress, options):
    with store.writing(synthetic_table("chain").description, target) as draft:
        open(f"{source}.started", "w").close()
        for done in range(1000):
            time.sleep(0.01)
            progress(done, 1000)
formats.FORMATS["slow"] = formats.FileFormat("slow", "slow", lambda path, head: True, slow)
sys.argv = ["nasbench-lab", "tables", "import", sys.argv[1], "--format", "slow"]
from nasbench_lab.cli import main
main()
"""


def test_ctrl_c_leaves_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    command = [sys.executable, "-c", SLOW_IMPORT, str(tmp_path / "file")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "file.started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "stopped; nothing was written\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "file.started"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file is in the way")
    done = nasbench_lab("tables", "fetch", "digits/chain", NASBENCH_LAB_CACHE=str(tmp_path / "cache"))
    assert_refused(done, "cannot write", "Not a directory")
    assert issubclass(OutputError, OSError)


@pytest.mark.parametrize(
    ("content", "words", "part"),
    [
        ("arch,epoch,val_acc\na,0,1\n", [], "pass --first-epoch 0"),
        ("arch,val_acc\na,1\na,2\n", [], "name the column of the seed: --repeat ..."),
        ("arch,val_acc\n7,1\n", [], "--space topology; if they are names, pass --space listed"),
        ("arch,quality\na,1\n", ["--valid", "quality"], "--direction quality=maximize"),
        ("arch,val_acc,train_hours\na,1,2\n", ["--cost", "train_hours"], "--unit train_hours=h"),
        ("arch,val_acc\na,0.5\n", ["--unit", "val_acc=percent"], "for fractions, pass --unit val_acc=fraction"),
        ("model,val_acc\na,0.5\n", [], "for example --architecture model"),
        ("arch,quality\na,1\n", [], "for example --valid quality"),
        ("arch,valid_acc,val_accuracy\na,1,2\n", [], "for example --valid valid_acc"),
        ("arch,val_acc\n\xe4,1\n".encode("latin-1"), [], "--encoding latin-1"),
        ("arch,epoch,val_acc,train_s\na,1,1,9\na,27,1,9\n", ["--resumable"], "pass --per-epoch train_s"),
        ("arch,val_acc\na,1\n", ["--max-epochs", 3], "--max-epochs needs a column of epochs"),
    ],
    ids=range(12),
)
def test_hints_of_an_import_are_flags(tmp_path, content, words, part):
    path = tmp_path / "my.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_refused(nasbench_lab("tables", "import", path, *words), part)
    if not words:  # in Python, the same hint has keywords
        with pytest.raises(NasbenchLabError) as error:
            nl.read_columns(path)
        assert "--" not in str(error.value)


def test_what_is_doubtful_about_an_import_is_printed(tmp_path):
    rows = "".join(f"a{k},{epoch},0.5\n" for k in range(5) for epoch in (100, 200) if k == 0 or epoch == 100)
    (tmp_path / "my.csv").write_text("arch,epoch,val_acc\n" + rows)
    done = nasbench_lab("tables", "import", tmp_path / "my.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "The highest fidelity, 200 epochs, has values of only 1 architectures; 100 epochs have values of 5"
        in done.stdout
    )
    described = nasbench_lab("tables", "describe", tmp_path / "my.h5", "--out", tmp_path)
    assert "note: The highest fidelity, 200 epochs" in described.stderr
    done = nasbench_lab("tables", "import", tmp_path / "my.csv", "--max-epochs", 100, "--overwrite")
    assert "The highest fidelity" not in done.stdout
    assert load(tmp_path / "my.h5").fidelities == (100,)


def test_scores_are_described_once(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    described = nasbench_lab("tables", "describe", tmp_path / "mine.h5", "--out", tmp_path)
    assert described.returncode == 0, described
    assert described.stdout.count("scores: Spearman's rank correlation with") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_an_import_from_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "my.csv")
    assert_refused(nasbench_lab("tables", "import", tmp_path / "my.csv"), "is a pipe or a device; save its content")
    (tmp_path / "mine.csv").write_text(COLUMNS)
    done = nasbench_lab("tables", "import", tmp_path / "mine.csv", "--citation", tmp_path / "my.csv")
    assert_refused(done, "is a pipe or a device")


@pytest.mark.mirror
def test_the_disk_that_tables_of_an_archive_take_is_said_before(mirror, tmp_path, monkeypatch):
    from nasbench_lab.tables.importers.nats_archives import archives

    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 10**9))
    done = nasbench_lab("tables", "import", mirror / f"{NATS}/NATS-sss-v1_0-50262-simple", "--out", tmp_path / "out")
    first, second = done.stderr.splitlines()
    assert (done.returncode, first) == (2, "note: the tables take about 1.1 GB of disk")
    assert re.search(r"the tables of NATS-sss-v1_0-50262-simple take 1\.1 GB of disk, but .* has only 1\.0 GB", second)
    assert list(tmp_path.iterdir()) == []
