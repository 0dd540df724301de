"""The tool that scores the digits tables with proxies, at a tiny scale, and the stored columns."""

import importlib.util
import sys

import numpy as np
import pytest
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.tables import packed_tables

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.proxies import score_architectures  # noqa: E402

TABLES = ("digits/topology", "digits/cell101", "digits/chain")


@pytest.fixture(scope="module")
def tool():
    name = "score_digits_tables"
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


def test_the_recipe_at_a_tiny_scale(tool, tmp_path, monkeypatch, capsys):
    table = nl.tables.subset(nl.load("digits/chain"), range(0, 4536, 700))
    monkeypatch.setattr(tool.nl, "load", lambda _: table)
    monkeypatch.setattr(tool, "list_proxies", lambda: ["flops", "meco", "snip", "synflow"])
    measured = iter(np.linspace(0.5, 2, 50))
    monkeypatch.setattr(tool, "reference_seconds", lambda _: float(next(measured)))
    study = tool.Study("digits/chain", (0, 1, 2), once=("snip",), parameters={"meco": "pixels=0"}, chunk=4, batch=8)
    (tmp_path / "digits-chain-scale.json").write_text('{"scale": 2.0, "reference": 1.0}')
    with pytest.raises(SystemExit, match="6 of 6 chunks are not scored"):
        tool.with_columns(study, tmp_path)
    tool.score_all([study], tmp_path)
    assert capsys.readouterr().out.count("s per network") == 6
    tool.score_all([study], tmp_path)
    assert not capsys.readouterr().out, "from the working folder"
    scored = tool.with_columns(study, tmp_path)
    assert score_names(scored.description) == ("snip", "flops_score", "meco", "synflow")
    direct = score_architectures(table, ["snip", "synflow"], seeds=[0, 1, 2], batch=8)
    assert scored.values("synflow") == pytest.approx(direct.values["synflow"], rel=1e-6)
    assert scored.values("snip") == pytest.approx(direct.values["snip"][:, 0], rel=1e-6)
    speeds = tool.read_speeds(study, tmp_path)
    own = tool.scored(study, 0, study.distinct_networks(), tmp_path).seconds["snip"][:, 0]
    factors = [2.0 / speeds[f"0 {first}"] for first in ("0-3", "4-6") for _ in range(4 if first == "0-3" else 3)]
    assert scored.values("snip_seconds") == pytest.approx(own * factors, rel=1e-5)
    packed_tables.pack(scored, tmp_path / "packed.h5")
