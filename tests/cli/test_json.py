"""``--json``: one valid document, the documented keys, and the exit codes of the same command without it."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import nasbench_lab_here
from documents import ROOT

import nasbench_lab as nl
from nasbench_lab.analysis import Summary
from nasbench_lab.cli.json_output import to_plain
from nasbench_lab.spaces import list_spaces, make_space
from nasbench_lab.tables import subset, write
from nasbench_lab.testing import synthetic_table

SMALL = ("--strategy", "random-search", "--runs", "5", "--evaluations", "4")
ROW = re.compile(r"^\| `([a-zA-Z -]+)` \| (?:object|one object per \w+) \| (.*) \|$", re.M)
DOCUMENTED = {
    row[1]: re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", row[2]))
    for row in ROW.finditer((ROOT / "docs/shell.md").read_text(encoding="utf-8"))
}


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def document(*words, code=0):
    """Return the JSON document that a command prints."""
    done = nasbench_lab_here(*words, "--json")
    assert done.returncode == code, done
    return json.loads(done.stdout, parse_constant=refuse)


def assert_documented(command, found):
    for each in [found] if isinstance(found, dict) else found:
        assert sorted(each) == sorted(DOCUMENTED[command]), command
    assert found, "an empty list shows nothing"


def test_all_commands_are_documented():
    assert len(DOCUMENTED) == 39


def test_tables():
    listed = document("tables", "list")
    assert_documented("tables list", listed)
    assert [each["name"] for each in listed] == nl.list_tables()
    overview = document("tables")
    assert_documented("tables", overview)
    assert overview["tables"] == listed
    assert {"name", "content", "steps"} == set(overview["manual_downloads"][0])
    (chain,) = document("tables", "list", "digits/chain")
    assert (chain["architectures"], chain["local"]) == (nl.load("digits/chain").space.size, True)


def test_the_details_of_a_table(monkeypatch):
    found = document("tables", "info", "digits/chain")
    assert_documented("tables info", found)
    table = nl.load("digits/chain")
    valid, test = found["optima"]
    assert (valid["value"], test["value"]) == (table.optimum("valid"), table.optimum("test"))
    assert table.space.parse(test["notation"]) == test["architecture"]
    assert found["bytes"] == Path(found["file"]).stat().st_size
    monkeypatch.setattr(nl.tables, "load", refuse)
    unfetched = document("tables", "info", "nas-bench-101/full")
    assert_documented("tables info", unfetched)
    assert (unfetched["local"], unfetched["architectures"], unfetched["optima"]) == (False, 423_624, None)
    assert unfetched["download_bytes"] > 2e9 > unfetched["bytes"] > 3e8


def test_an_unfetched_table_is_described_without_a_download(monkeypatch, tmp_path):
    monkeypatch.setenv("NASBENCH_LAB_CACHE", str(tmp_path))
    shown = nasbench_lab_here("tables", "info", "nas-bench-101/full").stdout
    sizes = "a download of 2,086.0 MB, about 328.7 MB on disk"
    for part in ("cell101, 423,624 architectures", "not on this machine", sizes):
        assert part in shown
    assert "valid_accuracy" in shown
    assert shown.endswith("to fetch it: nasbench-lab tables fetch nas-bench-101/full\n")
    assert not (tmp_path / "tables").exists()


def test_a_description_of_a_table(tmp_path):
    found = document("tables", "describe", "digits/chain", "--out", tmp_path)
    assert_documented("tables describe", found)
    write(subset(nl.load("digits/topology"), range(0, 15_625, 900)), tmp_path / "sample.h5")
    sample = document("tables", "describe", tmp_path / "sample.h5", "--out", tmp_path)
    assert (sample["architectures"], sample["space_size"]) == (18, 15_625)
    assert all(Path(figure).exists() for figure in found["figures"])


def test_a_landscape():
    found = document("landscape", "digits/chain", "--walks", 5)
    assert_documented("landscape", found)
    assert found["statistics"]["strict_optima"] == {"estimate": 3, "low": None, "high": None}
    assert found["files"] == []


def test_checks_of_tables(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    (found,) = document("tables", "verify", tmp_path / "mine.h5")
    assert_documented("tables verify", found)
    assert found["ok"] is True
    content = bytearray((tmp_path / "mine.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "mine.h5").write_bytes(content)
    plain = nasbench_lab_here("tables", "verify", tmp_path / "mine.h5")
    if plain.returncode == 1:
        (found,) = document("tables", "verify", tmp_path / "mine.h5", code=1)
        assert found["ok"] is False


def test_fetching():
    (found,) = document("tables", "fetch", "digits/chain")
    assert_documented("tables fetch", found)
    assert Path(found["file"]).stat().st_size == found["bytes"]


def test_a_query_has_null_for_what_is_missing():
    table = nl.load("digits/cell101")
    found = document("query", "digits/cell101", "7")
    assert_documented("query", found)
    assert found["notation"] == table.space.format(7)
    answer = table.query(7)
    assert {name: each["value"] for name, each in found["metrics"].items()} == pytest.approx(
        {name: answer.get(name) for name in table.metrics}
    )


def test_citations():
    found = document("cite", "digits/chain")
    assert_documented("cite", found)
    text = nasbench_lab_here("cite", "digits/chain").stdout
    assert "\n\n".join(each["bibtex"] for each in found) == text.rstrip("\n")
    assert nasbench_lab_here("cite", "digits/chain", "--json", "--out", "x.bib").returncode == 2


def test_one_shot_searches():
    pytest.importorskip("torch")
    tiny = ("--network", "channels=2", "--network", "cells=1", "--epochs", "1", "--scale", "1")
    found = document("one-shot", "run", "--table", "digits/topology", "--method", "darts", *tiny)
    assert_documented("one-shot run", found)
    assert set(found["runs"][0]) == {
        *("run", "index", "architecture", "valid_accuracy", "test_accuracy", "test_regret"),
        *("seconds", "table_seconds"),
    }
    table, row = nl.load("digits/topology"), found["runs"][0]
    assert table.space.parse(row["architecture"]) == row["index"]
    assert (found["protocol"], found["folder"], found["published"]) == (None, None, [])


def test_predictors(tmp_path):
    tiny = ("--sizes", "8", "--trials", "2", "--test", "20", "--processes", "1", "--out", tmp_path / "found")
    found = document("predictors", "run", "--table", "digits/chain", "--predictor", "knn", *tiny)
    assert_documented("predictors run", found)
    assert found == document("predictors", "show", tmp_path / "found")
    (row,) = found["rows"]
    assert row["kendall"]["low"] <= row["kendall"]["estimate"] <= row["kendall"]["high"]
    assert_documented("predictors list", document("predictors", "list", "--table", "digits/chain"))
    assert_documented("predictors list PREDICTOR", document("predictors", "list", "last-value"))


def test_one_shot_methods_and_protocols():
    pytest.importorskip("torch")
    assert_documented("one-shot methods", document("one-shot", "methods"))
    assert_documented("one-shot methods METHOD", document("one-shot", "methods", "darts"))
    listed = document("one-shot", "protocols")
    assert_documented("one-shot protocols", listed)
    gdas = document("one-shot", "protocols", "nas-bench-201/gdas")
    assert gdas in listed
    assert gdas["published"]["test_accuracy"]["cifar10"] == {"mean": 93.61, "std": 0.09}


def test_strategies():
    found = document("strategies")
    assert_documented("strategies", found)
    assert sorted(each["name"] for each in found) == nl.list_strategies()
    info = document("strategies", "info", "rea")
    assert_documented("strategies info", info)
    assert info["name"] == "regularized-evolution"
    assert [each["name"] for each in info["parameters"]] == ["population_size", "sample_size"]
    assert document("strategies", "rea") == info


def test_spaces(tmp_path):
    listed = document("spaces", "list")
    assert_documented("spaces list", listed)
    assert [each["name"] for each in listed] == list_spaces()
    (darts,) = [each for each in listed if each["name"] == "darts"]
    assert (darts["architectures"], darts["needs"]) == (make_space({"name": "darts"}).size, [])
    described = document("spaces", "describe", "darts", "--architecture", 10**18, "--figure", tmp_path / "darts.png")
    assert_documented("spaces describe", described)
    assert described["example"]["index"] == 10**18
    assert described["neighbors"]["count"] == 120
    assert (tmp_path / "darts.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "mine.toml").write_text('name = "chain"\nchoices = "012"\nlength = 39\n')
    sampled = document("spaces", "sample", tmp_path / "mine.toml", "--count", 3)
    assert_documented("spaces sample", sampled)
    assert len({each["index"] for each in sampled}) == 3
    assert all(each["index"] == int(each["notation"], 3) for each in sampled)


def test_a_comparison(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    found = document("run", "--table", tmp_path / "mine.h5", *SMALL)
    assert_documented("run", found)
    (row,) = found["summaries"]
    assert list(row) == list(Summary.__annotations__)
    assert (row["runs"], found["evaluations"], found["folder"]) == (5, 20, None)


def test_suites(tmp_path):
    assert_documented("suite list", document("suite", "list"))
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    suite = tmp_path / "suite.toml"
    lines = [
        "runs = 3",
        "[budget]",
        "evaluations = 4",
        "[[tables]]",
        'name = "mine.h5"',
        "[[strategies]]",
        'name = "rs"',
    ]
    suite.write_text("\n".join(lines))
    found = document("suite", "run", suite, "--out", tmp_path / "out", "--processes", "1")
    assert_documented("suite run", found)
    assert [row["strategy"] for row in found["summaries"]] == ["random-search"]
    status = document("suite", "status", tmp_path / "out", "--check")
    assert_documented("suite status", status)
    assert status["finished"] == status["shards"] == 1
    other = tmp_path / "other.toml"
    content = suite.read_text().replace('"rs"', '"local-search"')
    other.write_text(content.replace("mine.h5", "digits/chain"))
    document("suite", "run", other, "--out", tmp_path / "more", "--processes", "1")
    merged = document("suite", "merge", tmp_path / "out", tmp_path / "more", "--out", tmp_path / "both")
    assert_documented("suite merge", merged)
    assert (merged["folder"], merged["finished"], merged["simulations"]) == (str(tmp_path / "both"), 2, 2)
    assert [each["strategy"] for each in merged["not_planned"]] == ["local-search", "random-search"]
    assert document("suite", "status", tmp_path / "both")["not_planned"] == merged["not_planned"]


def test_results(tmp_path):
    (tmp_path / "log.csv").write_text("architecture,value\n7,88\n9,89.33\n")
    options = ("--table", "digits/topology", "--strategy", "theirs", "--out", tmp_path / "results/theirs")
    made = document("results", "import", tmp_path / "log.csv", *options)
    assert_documented("results import", made)
    assert [row["strategy"] for row in made["summaries"]] == ["theirs"]
    info = document("results", "info", tmp_path / "results/theirs")
    assert_documented("results info", info)
    (simulation,) = info["simulations"]
    assert (simulation["runs"], simulation["origin"]["format"]) == (1, "csv")
    (listed,) = document("results", "list", tmp_path / "results")
    assert_documented("results list", [listed])
    assert listed == {
        "folder": made["folder"],
        "simulations": 1,
        "strategies": ["theirs"],
        "tables": ["digits/topology"],
    }


def test_checks_of_strategies(tmp_path):
    write(synthetic_table("chain"), tmp_path / "mine.h5")
    options = ("--table", tmp_path / "mine.h5", "--strategy", "random-search", "--evaluations", "4", "--runs", "20")
    (made,) = document("check", tmp_path / "b.json", "--update", *options)
    assert_documented("check", made)
    assert made["verdict"] == "created"
    (found,) = document("check", tmp_path / "b.json")
    assert found["verdict"] == "identical"


def test_an_error_prints_nothing_on_standard_output():
    for words in (("query", "digits/chain", "x"), ("tables", "info", "nope"), ("run", "--nope")):
        done = nasbench_lab_here(*words, "--json")
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1


def test_numbers_that_are_not_finite_become_null():
    odd = {"a": np.nan, "b": [math.inf, 1], "c": np.array([[-np.inf, 2.0]]), "d": np.float32(0.5), "e": None, "f": True}
    assert to_plain(odd) == {"a": None, "b": [None, 1], "c": [[None, 2.0]], "d": 0.5, "e": None, "f": True}
    with pytest.raises(TypeError, match="object has no form in JSON"):
        to_plain(object())


def test_proxies(tmp_path):
    pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")
    assert_documented("proxies list", document("proxies", "list"))
    assert_documented("proxies list PROXY", document("proxies", "list", "zen"))
    some = ("--table", "digits/chain", "--proxy", "params,synflow", "--sample", "4", "--batch", "4")
    found = document("proxies", "run", *some, "--out", tmp_path / "scores.h5", "--csv", tmp_path / "scores.csv")
    assert_documented("proxies run", found)
    assert [each["proxy"] for each in found["scores"]] == ["params", "synflow"]
    assert len((tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()) == 5
