"""Rank correlations within equal numbers of convolutions, against plain loops."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import nasbench_lab as nl
from nasbench_lab.analysis import quality
from nasbench_lab.analysis.score_bias import (
    CONVOLUTIONS,
    PARAMETERS,
    ArchitectureGroups,
    architecture_groups,
    score_agreement,
)
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import make_space
from nasbench_lab.tables import Description, Metric
from nasbench_lab.testing import synthetic_table

TABLE = nl.load("digits/topology")


def plain(scores, truth, groups):
    """Return the three correlations, by loops over architectures."""
    known = [i for i in range(len(truth)) if not np.isnan(scores[i]) and not np.isnan(truth[i])]
    best = sorted(known, key=lambda i: -truth[i])[: -(-len(known) // 5)]
    members = {}
    for i in known:
        if groups[i] >= 0:
            members.setdefault(groups[i], []).append(i)
    total = weight = 0
    for group in members.values():
        if len(group) >= 10 and len({scores[i] for i in group}) > 1 and len({truth[i] for i in group}) > 1:
            total += len(group) * spearmanr(scores[group], truth[group]).statistic
            weight += len(group)
    pairs = [spearmanr(scores[some], truth[some]).statistic for some in (known, best)]
    return [*pairs, total / weight]


def test_it_is_what_loops_find():
    random = np.random.default_rng(3)
    truth, groups = random.normal(size=300), random.integers(-1, 40, 300) // 5
    scores = truth + random.normal(size=300) + groups
    scores[random.integers(0, 300, 40)] = np.nan
    truth[:7] = np.nan
    found = score_agreement(scores, truth, ArchitectureGroups(groups, "made up"))
    assert [found.spearman, found.top_fifth, found.within] == pytest.approx(plain(scores, truth, groups))
    assert found.without_score == int((np.isnan(scores) & ~np.isnan(truth)).sum())
    repeats = np.stack([scores, -scores, truth], axis=1)
    several = score_agreement(repeats, truth, ArchitectureGroups(groups, "made up"))
    each = [plain(column, truth, groups) for column in repeats.T]
    assert [several.spearman, several.top_fifth, several.within] == pytest.approx(np.mean(each, axis=0).tolist())


def test_counting_convolutions_falls_apart_within_equal_numbers():
    groups = architecture_groups(TABLE)
    random = np.random.default_rng(0)
    truth = groups.number + random.normal(size=len(groups.number))
    counting = score_agreement(groups.number, truth, groups)
    assert counting.spearman > 0.7
    assert np.isnan(counting.within), "all scores of a group are equal"
    noisy = score_agreement(groups.number + random.uniform(0, 0.5, len(truth)), truth, groups)
    assert noisy.spearman > 0.7
    assert abs(noisy.within) < 0.05


def test_convolutions_are_counted_in_the_notation():
    for name, words in (("digits/topology", "conv"), ("digits/cell101", "conv"), ("digits/chain", "conv")):
        table = nl.load(name)
        groups = architecture_groups(table)
        assert groups.words == CONVOLUTIONS
        for index in range(0, table.space.size, 199):
            assert groups.number[index] == table.space.format(index).count(words)
        some = np.arange(5, 400, 7)
        assert np.array_equal(architecture_groups(table, some).number, groups.number[some])


def sizes(*, parameters):
    """Return a table of channels, without convolutions that can be counted."""
    space = {
        "name": "choices",
        "choices": [["a", ["8", "16", "32"]], ["b", ["8", "16", "32"]], ["c", ["8", "16", "32", "64"]]],
    }
    metrics = [Metric("valid", "valid", "percent", "maximize", "made up")]
    values = {"valid": np.arange(36.0).reshape(36, 1, 1)}
    if parameters:
        metrics.append(Metric("parameters", "none", "", "minimize", "made up", ("architecture",)))
        values["parameters"] = np.arange(36.0)[::-1].copy()
    description = Description(
        name="mine",
        title="made up",
        space=make_space(space).spec(),
        fidelities=(1,),
        repeats=("only",),
        metrics=tuple(metrics),
        valid="valid",
        test=None,
    )
    return nl.Table(description, values)


def test_other_spaces_have_tenths_by_parameters_or_no_groups():
    found = architecture_groups(sizes(parameters=True))
    assert found.words == PARAMETERS
    counts = np.bincount(found.number)
    assert len(counts) == 10
    assert counts.min() >= 3
    assert (np.diff(found.number) <= 0).all(), "fewer parameters, lower tenth"
    nothing = architecture_groups(sizes(parameters=False))
    assert (nothing.words, set(nothing.number)) == ("", {-1})
    assert np.isnan(score_agreement(np.arange(36.0), np.arange(36.0), nothing).within)


def test_the_quality_of_a_table_has_it_for_all_scores():
    table = synthetic_table("topology")
    found = quality(table).scores["synflow"]
    truth = table.mean_values(table.description.test)
    expected = plain(table.mean_values("synflow"), truth, architecture_groups(table).number)
    assert [found.spearman, found.top_fifth, found.within] == pytest.approx(expected)


def test_odd_input():
    groups = ArchitectureGroups(np.zeros(3, dtype=int), "made up")
    with pytest.raises(ParameterError, match="must have one length"):
        score_agreement([1.0, 2.0], [1.0, 2.0, 3.0], groups)
    nothing = score_agreement([np.nan] * 3, [1.0, 2.0, 3.0], groups)
    assert np.isnan([nothing.spearman, nothing.top_fifth, nothing.within]).all()
    assert nothing.without_score == 3
