"""The tool that scores the digits tables with proxies, at a tiny scale, and the stored columns."""

import csv

import numpy as np
import pytest
from paths import ROOT
from repository_tools import load_tool
from tables_without_scores import without_scores

import nasbench_lab as nl
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.tables import packed_tables

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.proxies import score_architectures  # noqa: E402

TABLES = ("digits/topology", "digits/cell101", "digits/chain")


@pytest.fixture(scope="module")
def tool():
    return load_tool("score_digits_tables")


def test_the_recipe_at_a_tiny_scale(tool, tmp_path, monkeypatch, capsys):
    table = without_scores(nl.tables.subset(nl.load("digits/chain"), range(0, 4536, 700)))
    monkeypatch.setattr(tool.nl, "load", lambda _: table)
    monkeypatch.setattr(tool, "list_proxies", lambda: ["flops", "fisher", "meco", "snip", "synflow"])
    measured = iter(np.linspace(0.5, 2, 50))
    monkeypatch.setattr(tool, "reference_seconds", lambda _: float(next(measured)))
    study = tool.Study("digits/chain", (0, 1, 2), ("fisher", "snip"), 2, {"meco": "pixels=0"}, chunk=4, batch=8)
    (tmp_path / "digits-chain-scale.json").write_text('{"scale": 2.0, "reference": 1.0}')
    with pytest.raises(SystemExit, match="8 of 8 chunks are not scored"):
        tool.with_columns(study, tmp_path)
    tool.score_all([study], tmp_path)
    assert capsys.readouterr().out.count("s per network") == 8
    tool.score_all([study], tmp_path)
    assert not capsys.readouterr().out, "from the working folder"
    scored = tool.with_columns(study, tmp_path)
    assert score_names(scored.description) == ("fisher", "snip", "flops_score", "meco", "synflow")
    direct = score_architectures(table, ["snip", "synflow"], seeds=[0, 1, 2], batch=8)
    assert scored.values("synflow") == pytest.approx(direct.values["synflow"], rel=1e-6)
    assert scored.values("snip") == pytest.approx(direct.values["snip"][:, :2].mean(axis=1), rel=1e-6)
    speeds = tool.read_speeds(study, tmp_path)
    seconds = 0
    for seed, part in ((0, ""), (1, tool.COSTLY)):
        own = tool.scored(study, seed, part, study.distinct_networks(), tmp_path).seconds["snip"][:, 0]
        names = (" ".join(filter(None, (str(seed), places, part))) for places in ("0-3", "4-6"))
        seconds = seconds + own * 2.0 / np.repeat([speeds[name] for name in names], [4, 3])
    assert scored.values("snip_seconds") == pytest.approx(seconds, rel=1e-5), "of both seeds, of which it is the mean"
    packed_tables.pack(scored, tmp_path / "packed.h5")


NEED_A_RELU = {("digits/chain", "naswot"), ("digits/chain", "swap")}
SEEDS = {"digits/chain": 3, "digits/cell101": 2, "digits/topology": 3}


@pytest.mark.parametrize("name", TABLES)
def test_every_proxy_is_a_column(tool, name):
    table = nl.load(name)
    stored = set(score_names(table.description))
    for proxy in tool.list_proxies():
        column = f"{proxy}_score" if f"{proxy}_score" in stored else proxy
        values, seconds = table.values(column), table.values(f"{column}_seconds")
        assert len(values) == len(seconds) == table.space.size
        assert not np.isinf(values).any()
        assert (seconds > 0).all(), "also failed scores take time"
        assert values.ndim == 1 or values.shape[1] == SEEDS[name] == table.repeats
        shared = table.space.representatives
        dead = np.isnan(values[np.unique(shared)].reshape(len(np.unique(shared)), -1)).all(axis=1)
        assert dead.mean() < (0.6 if (name, proxy) in NEED_A_RELU else 0.003), (proxy, "has no scores")
        assert np.array_equal(values, values[shared], equal_nan=True), "equal networks have equal scores"


@pytest.mark.parametrize("name", TABLES)
def test_stored_scores_are_computed_again(tool, name):
    """Two networks and seeds, with proxies of the weights, gradients, activations and Jacobians."""
    study = next(study for study in tool.STUDIES if study.table == name)
    table = nl.load(name)
    networks = study.distinct_networks()[[40, 2000]]
    again = score_architectures(
        table,
        ["synflow", "jacov", "snip", "zen"],
        dataset="digits",
        architectures=networks,
        seeds=study.seeds[:2],
        batch=study.batch,
        options=study.options,
    )
    for proxy, values in again.values.items():
        stored = table.values(proxy)[networks]
        expected = values if stored.ndim == 2 else values.mean(axis=1)
        # Other processors sum in another order.
        assert expected == pytest.approx(stored[:, :2] if stored.ndim == 2 else stored, rel=1e-4), proxy


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("strategy", ["zero-cost-filter", "zero-cost-warm-start"])
def test_zero_cost_strategies_need_no_option(name, strategy):
    trace = nl.simulate(name, strategy, runs=2, budget=nl.Budget(evaluations=5))
    assert trace.setting.parameters["score"] == "synflow"
    assert (trace.time[:, 0] > 0).all()


def test_the_page_of_results_has_the_numbers_of_the_file():
    """Every number of the tables in results/proxies/README.md is the mean over seeds in digits.csv."""
    folder = ROOT / "results" / "proxies"
    with (folder / "digits.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["table"], row["seed"]) for row in rows} >= {
        (name, str(s)) for name in TABLES for s in range(SEEDS[name])
    }
    found = {}
    for row in rows:
        found.setdefault((row["table"], row["proxy"].partition(":")[0]), []).append(row)
    text = (folder / "README.md").read_text(encoding="utf-8")
    checked = 0
    for title, column in (
        ("All networks", "Spearman, all"),
        ("Within", "Spearman, within equal numbers of convolutions"),
    ):
        table = text.partition(f"\n## {title}")[2].partition("\n## ")[0]
        lines = [line.strip("| ").split("|") for line in table.splitlines() if line.startswith("| `")]
        assert lines
        for proxy, *cells in lines:
            for name, cell in zip(TABLES, cells[-3:], strict=True):
                values = [float(row[column]) for row in found[name, proxy.strip(" `")]]
                assert float(cell) == pytest.approx(np.mean(values), abs=0.0051), (title, proxy, name)
                checked += 1
    assert checked >= 2 * 18 * 3
