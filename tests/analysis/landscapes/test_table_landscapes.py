"""The landscapes of tables: of every kind of space, with published values where the mirror has them."""

import dataclasses
import xml.etree.ElementTree as ET

import landscape_oracles as oracle
import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.analysis import landscape, optima_network
from nasbench_lab.analysis.landscapes.equal_measurements import shared_trainings
from nasbench_lab.analysis.landscapes.measurement_agreement import agreement, noise
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.tables import Table, subset
from nasbench_lab.testing import synthetic_table

SPECS = {
    "topology": {"name": "topology"},
    "size": {"name": "size"},
    "cell101": {"name": "cell101", "vertices": 5},
    "layer chain": nl.load("digits/chain").description.space,
    "macro": {"name": "trans-macro"},
    "micro": {"name": "trans-micro"},
    "gnn": {"name": "gnn", "operations": ["gcn", "fc", "skip"]},
    "choices": {"name": "choices", "choices": [["kernel", [3, 5, 7]], ["width", [16, 32]]]},
}


def made_up(spec, seed=0):
    """A table on a space, whose values follow the codes, with some noise."""
    example = synthetic_table("tiny")
    space = spaces.make_space(spec)
    axes = ("architecture",)
    metrics = tuple(dataclasses.replace(m, axes=axes) for m in example.description.metrics[:2])
    random = np.random.default_rng(seed)
    quality = space.codes(np.arange(space.size)) @ random.random(len(space.cardinalities))
    values = {m.name: (quality + 0.3 * random.standard_normal(space.size)).round(2) for m in metrics}
    description = dataclasses.replace(
        example.description,
        name="made/up",
        space=space.spec(),
        fidelities=(9,),
        repeats=("0",),
        metrics=metrics,
        cost=(),
    )
    return Table(description, values)


@pytest.mark.parametrize("kind", SPECS)
def test_every_kind_of_space(kind):
    table = made_up(SPECS[kind])
    found = landscape(table, walks=5, steps=5)
    values = table.mean_values("test_accuracy")
    some = np.random.default_rng(1).choice(table.space.size, min(150, table.space.size), replace=False)
    for i in [*some.tolist(), *found.optima.strict_indices[:5].tolist()]:
        near = values[table.space.neighbors(i)]
        assert (i in found.optima.strict_indices) == (len(near) > 0 and bool((values[i] > near).all()))
        assert (i in found.optima.weak_indices) == (len(near) > 0 and bool((values[i] >= near).all()))
    assert 0 < found.climbing[0].reach.estimate <= 1
    assert optima_network(table).optima[0] == found.best[0]


def test_subsets_and_lists():
    whole = nl.load("digits/topology")
    sample = subset(whole, range(0, 15_625, 40))
    found = landscape(sample)
    assert found.architectures == 391
    assert any("391 of 15,625" in note for note in found.notes)
    listed = landscape(made_up({"name": "listed", "names": "a\nb\nc"}))
    assert (listed.optima, listed.climbing, listed.walk, listed.neutrality) == (None, (), None, None)
    assert "no neighbours" in repr(listed)
    assert any("no architecture of this space has a neighbour" in note for note in listed.notes)
    assert len(listed.records()) == len(listed.statistics())
    assert len(listed.optima_records()) == 0
    with pytest.raises(ParameterError, match="has no neighbours"):
        optima_network(made_up({"name": "listed", "names": "a\nb\nc"}))


def test_results_are_the_same_again_and_have_all_forms():
    table = synthetic_table(noise=0.05)
    one, other = landscape(table, seed=3), landscape(table, seed=3)
    assert one.records().to_csv() == other.records().to_csv()
    assert one.records().to_csv() != landscape(table, seed=4).records().to_csv()
    assert len(one.to_frame()) == len(one.statistics())
    assert "strict optima" in one._repr_html_()
    rows = one.optima_records()
    assert rows.columns["best_basin"].sum() == pytest.approx(1)
    assert rows.columns["strict"].sum() == one.optima.strict.estimate
    sampled = landscape(table, sample=50)
    assert "50 of 243" in repr(sampled)
    assert sampled.optima.strict.low <= sampled.optima.strict.estimate <= sampled.optima.strict.high


def test_minimised_values_are_the_same_landscape():
    """Where every value changes its sign and its direction, everything else stays."""
    table = synthetic_table(noise=0.05)
    metrics = tuple(dataclasses.replace(m, direction="minimize") for m in table.description.metrics[:2])
    values = {m.name: -table.values(m.name) for m in metrics}
    description = dataclasses.replace(table.description, metrics=metrics, cost=())
    upside = Table(description, values)
    one, other = landscape(table), landscape(upside)
    for name, value in one.statistics().items():
        sign = -1 if name == "best" else 1
        assert sign * other.statistics()[name].estimate == pytest.approx(value.estimate, nan_ok=True), name
    np.testing.assert_array_equal(one.fidelities.spearman, other.fidelities.spearman)
    kinds = [optima_network(each).kinds.tolist() for each in (table, upside)]
    assert kinds[0] == kinds[1]


def test_settings_choose_the_values():
    table = synthetic_table()
    found = landscape(table, "valid", fidelity=4, repeat="second")
    assert (found.metric.name, found.fidelity, found.repeat) == ("valid_accuracy", 4, 1)
    assert found.best_value == np.nanmax(table.repeat_values("valid_accuracy", 4)[:, 1])
    for wrong, error, text in (
        ({"split": "train"}, ParameterError, "split must be 'valid' or 'test', got 'train'"),
        ({"fidelity": 5}, UnknownNameError, "5"),
        ({"repeat": 9}, ParameterError, "repeats 0..2"),
        ({"sample": 1}, ParameterError, "sample must be at least 2, got 1"),
        ({"sample": 244}, ParameterError, "sample must be at most 243"),
        ({"walks": 0}, ParameterError, "walks must be at least 1, got 0"),
        ({"steps": 1}, ParameterError, "steps must be at least 2, got 1"),
        ({"seed": -1}, ParameterError, "seed must be at least 0, got -1"),
        ({"others": [synthetic_table("gnn")]}, ParameterError, "another space"),
    ):
        with pytest.raises(error, match=text):
            landscape(table, **wrong)
    for wrong, text in (
        ({"perturbation": 0}, "perturbation must be from 1 to 100"),
        ({"runs": -1}, "runs must be at least 0"),
        ({"iterations": 0}, "iterations must be at least 1"),
    ):
        with pytest.raises(ParameterError, match=text):
            optima_network(table, **wrong)
    without = dataclasses.replace(table.description, test=None)
    only = Table(without, {name: table.values(name) for name in table.metrics})
    assert landscape(only).split == "valid"
    with pytest.raises(MissingDataError, match="has no test values; it has valid values"):
        landscape(only, "test")


def test_missing_values_and_ties_are_said():
    failed = landscape(synthetic_table(failures=0.3), "valid")
    assert failed.missing > 50
    assert f"{failed.missing:,} architectures have no value" in failed.notes[0]
    constant = landscape(synthetic_table(constant=True), "valid")
    assert constant.optima.strict.estimate == 0
    assert any("243 architectures share the best value" in note for note in constant.notes)
    assert constant.distance_each == ()


def test_agreement_and_noise_against_plain_loops():
    random = np.random.default_rng(0)
    truth = random.normal(size=60)
    values = (truth[:, None] + 0.5 * random.normal(size=(60, 3))).round(1)
    values[:5, 2] = np.nan
    found = noise(values)
    pairs = [(0, 1), (0, 2), (1, 2)]
    known = [(values[:, a], values[:, b], ~np.isnan(values[:, a] + values[:, b])) for a, b in pairs]
    assert found.swapped == pytest.approx(np.mean([oracle.swapped_pairs(a[k], b[k]) for a, b, k in known]))
    both = agreement(["a", "b", "c"], list(values.T))
    assert found.spearman == pytest.approx(np.mean([both.spearman[pair] for pair in pairs]))
    assert found.kendall == pytest.approx(np.mean([both.kendall[pair] for pair in pairs]))
    assert both.architectures.tolist() == [[60, 60, 55], [60, 60, 55], [55, 55, 55]]
    assert len(both.records()) == 3
    assert noise(values[:, :1]) is None


def test_noise_finds_the_variances_it_was_made_with():
    random = np.random.default_rng(1)
    values = random.normal(0, 3, size=(6_000, 1)) + random.normal(0, 2, size=(6_000, 4))
    values[random.random(values.shape) < 0.2] = np.nan
    found = noise(values)
    assert (found.between, found.within) == pytest.approx((3, 2), rel=0.03)
    assert found.reliability == pytest.approx(9 / 13, rel=0.03)
    only_noise = noise(random.normal(size=(2000, 2)))
    assert only_noise.reliability < 0.05
    assert only_noise.swapped == pytest.approx(0.5, abs=0.03)
    assert only_noise.top == pytest.approx(0.01, abs=0.1)


def test_shared_trainings_of_the_digits_tables_are_those_of_their_builder():
    assert len(np.unique(shared_trainings(nl.load("digits/cell101")))) == 2532
    found = landscape(nl.load("digits/chain"), walks=5)
    assert found.neutrality_of_trainings.architectures == 4518
    assert found.neutrality_of_trainings.neutral.estimate < found.neutrality.neutral.estimate
    assert shared_trainings(made_up(SPECS["choices"])) is None  # two numbers each say nothing


def test_networks_are_written_and_read_again(tmp_path):
    table = synthetic_table(noise=0.05)
    network = optima_network(table)
    network.to_graphml(tmp_path / "network.graphml")
    name = "{http://graphml.graphdrawing.org/xmlns}"
    graph = ET.parse(tmp_path / "network.graphml").getroot().find(f"{name}graph")
    nodes, edges = graph.findall(f"{name}node"), graph.findall(f"{name}edge")
    assert [node.get("id") for node in nodes] == [f"n{place}" for place in range(len(network.optima))]
    read = [{data.get("key"): data.text for data in node.findall(f"{name}data")} for node in nodes]
    assert [int(each["node-architecture"]) for each in read] == network.optima.tolist()
    assert [float(each["node-value"]) for each in read] == network.values.tolist()
    assert [(edge.get("source"), edge.get("target")) for edge in edges] == [
        (f"n{one}", f"n{other}") for one, other in zip(network.source, network.target, strict=True)
    ]
    assert len(network.to_frame("edges")) == len(edges)
    assert "local optima" in network._repr_html_().lower()


def test_searches_sample_the_complete_network():
    table = synthetic_table(noise=0.05)
    complete, sampled = optima_network(table, runs=0), optima_network(table, runs=200, iterations=60)
    assert (complete.runs, sampled.runs) == (None, 200)
    assert set(sampled.optima.tolist()) <= set(complete.optima.tolist())
    left = np.bincount(sampled.source, weights=sampled.weight)
    edges = dict(zip(zip(complete.source, complete.target, strict=True), complete.weight, strict=True))
    place = {int(each): number for number, each in enumerate(complete.optima)}
    for one, other, weight in zip(sampled.source, sampled.target, sampled.weight, strict=True):
        share = edges[place[int(sampled.optima[one])], place[int(sampled.optima[other])]]
        if left[one] > 1000:
            assert weight / left[one] == pytest.approx(share, abs=0.05)
    assert sampled.reach > 0.9
    assert complete.funnel == 1.0
    alone = optima_network(synthetic_table("tiny"))
    assert (len(alone.optima), alone.statistics()["edges"], alone.sinks.tolist()) == (1, 0, [0])


def test_climbs_without_a_list_of_all_neighbours_are_the_same(monkeypatch):
    """What spaces of millions of architectures use."""
    from nasbench_lab.analysis.landscapes import optima_networks, table_landscapes

    table = synthetic_table(noise=0.05)
    usual = optima_network(table, runs=20, iterations=9)
    monkeypatch.setattr(optima_networks, "_MOST_LISTED", 100)
    monkeypatch.setattr(table_landscapes, "MOST_ARCHITECTURES", 100)
    same = optima_network(table, runs=20, iterations=9)
    assert usual.records("edges").to_dict() == same.records("edges").to_dict()
    assert optima_network(table).runs == 1000
    assert landscape(table).sample == 10_000


PUBLISHED = {
    # strict optima; Pearson and Spearman; neutral networks, with and without rounding errors, their largest; walks;
    # share of starts from which best-improvement climbing reaches the first of the best architectures
    "cifar10": (17, (-0.2199, -0.4144), (219, 277, 341), 0.520, 0.192),
    "cifar100": (24, (-0.3090, -0.4666), (34, 36, 63), 0.558, 0.751),
    "ImageNet16-120": (36, (-0.3163, -0.3270), (46, 45, 67), 0.639, 0.193),
}


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", PUBLISHED)
def test_published_landscapes_of_nats_bench(dataset):
    """Tao and Bang, EXPLAINS 2024; docs/design/landscapes.md says where and why numbers differ."""
    strict, (pearson, spearman), (exact, equal, largest), lag_one, reach = PUBLISHED[dataset]
    table = nl.load(f"nats-bench-tss/{dataset}")
    found = landscape(table, walks=20_000)
    assert found.optima.strict.estimate == strict
    distance = found.distance_each[0] if found.distance_each else found.distance
    assert distance.pearson.estimate == pytest.approx(pearson, abs=5e-5)
    assert distance.spearman.estimate == pytest.approx(spearman, abs=5e-5)
    assert found.walk.lag_one.estimate == pytest.approx(lag_one, abs=0.03)
    assert found.neutrality.largest.estimate == largest
    assert found.neutrality.networks.estimate == equal
    without = landscape(table, walks=1, tolerance=0.0)
    assert without.neutrality.networks.estimate == exact
    assert without.neutrality.largest.estimate == largest
    # The paper gives climbs that meet several equally good neighbours to one of them; the first in order of our table.
    values, neighbors = table.mean_values("test_accuracy"), table.space.neighbor_table
    after = np.where(values[neighbors].max(axis=1) > values, 0, -1)
    best = np.take_along_axis(neighbors, values[neighbors].argmax(axis=1)[:, None], axis=1)[:, 0]
    after = np.where(after < 0, np.arange(len(values)), best)
    for _ in range(10):
        after = after[after]
    plain = (after == found.best[0]).mean()
    assert plain == pytest.approx(reach, abs=5e-4)
    if len(found.best) == 1:
        assert found.climbing[0].reach.estimate == pytest.approx(plain, abs=1e-9)
    else:
        assert found.best.tolist() == [6111, 13714]
        both = np.isin(after, found.best).mean()
        assert found.climbing[0].reach.estimate == pytest.approx(both, abs=0.01)


@pytest.mark.mirror
def test_nas_bench_101_whole_and_from_a_sample():
    table = nl.load("nas-bench-101/means")
    whole, sample = landscape(table, walks=50), landscape(table, sample=4000, walks=50)
    assert whole.architectures == 423_624
    for name in ("strict_optima", "weak_optima", "neutrality_ratio", "distance_spearman", "first_moves", "best_moves"):
        exact, estimate = whole.statistics()[name].estimate, sample.statistics()[name]
        room = estimate.high - estimate.low  # twice the interval: the test has one seed
        assert estimate.low - room / 2 <= exact <= estimate.high + room / 2, name
