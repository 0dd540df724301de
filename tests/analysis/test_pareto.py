"""Pareto fronts and hypervolumes, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.analysis import hypervolume, non_dominated, pareto_fronts, relative_hypervolume, true_front
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.testing import synthetic_table

CHAIN = synthetic_table("chain", failures=0.1)

sets = st.integers(1, 4).flatmap(
    lambda m: st.lists(st.tuples(*[st.integers(-1, 5)] * m), min_size=0, max_size=9).map(
        lambda rows: np.array(rows, dtype=float).reshape(len(rows), m)
    )
)


def unit_cells(points):
    """Volume above the origin, by counting the unit cells that points with whole coordinates dominate."""
    cells = itertools.product(range(5), repeat=points.shape[1])
    return sum(any((point >= np.array(cell) + 1).all() for point in points) for cell in cells)


@given(sets)
@settings(max_examples=300, deadline=None)
def test_hypervolume_is_the_number_of_dominated_cells(points):
    assert hypervolume(points, np.zeros(points.shape[1])) == unit_cells(points)


@pytest.mark.parametrize("objectives", [2, 3])
def test_hypervolume_by_inclusion_and_exclusion(objectives):
    random = np.random.default_rng(0)
    points = random.random((40, 6, objectives))
    reference = np.full(objectives, 0.1)
    expected = np.zeros(40)
    for size in range(1, 7):
        for chosen in itertools.combinations(range(6), size):
            box = np.maximum(points[:, chosen].min(axis=1) - reference, 0).prod(axis=1)
            expected += -((-1) ** size) * box
    np.testing.assert_allclose(hypervolume(points, reference), expected, atol=1e-12)
    for run in range(40):  # one set at a time, in another order, with points that add nothing
        more = np.concatenate([points[run, ::-1], points[run] - 0.05, np.full((1, objectives), np.nan)])
        np.testing.assert_allclose(hypervolume(more, reference), expected[run], atol=1e-12)


@given(sets)
def test_non_dominated_points_are_those_of_the_definition(points):
    for i, found in enumerate(non_dominated(points)):
        beaten = any((p >= points[i]).all() and (p > points[i]).any() for p in points)
        assert found == (not beaten and not any((p == points[i]).all() for p in points[:i]))


def test_non_dominated_points_know_no_nan():
    assert non_dominated([[1, 1], [np.nan, 9], [9, np.nan]]).tolist() == [True, False, False]


def simulate(name="random-search", objectives=("parameters",), **options):
    options = {"runs": 6, "budget": nl.Budget(evaluations=80), "objectives": list(objectives), **options}
    return nl.simulate(CHAIN, name, **options)


def points_of(trace, value):
    others = [-trace.reference.means[name] for name in trace.setting.conditions.objectives]
    return [value, *(other[trace.architecture] for other in others)]


@pytest.mark.parametrize("objectives", [(), ("parameters",), ("parameters", "valid_seconds")])
@pytest.mark.parametrize("limits", [None, {"valid_seconds": 0.15}])
def test_fronts_over_time_are_those_of_the_definition(objectives, limits):
    trace = simulate(objectives=objectives, limits=limits)
    seen = np.stack(points_of(trace, trace.observed), axis=-1)
    if limits:
        seen[~trace.reference.feasible[trace.architecture]] = np.nan
    fronts = pareto_fronts(trace)
    for step in range(trace.steps):
        expected = np.zeros(trace.mask.shape, dtype=bool)
        for run in range(trace.runs):
            expected[run, : step + 1] = non_dominated(seen[run, : step + 1])
        assert np.array_equal(fronts.at(step), expected)


@pytest.mark.parametrize("objectives", [("parameters",), ("parameters", "valid_seconds")])
@pytest.mark.parametrize("split", ["valid", "test"])
def test_relative_hypervolume_is_that_of_the_chosen_architectures(objectives, split):
    trace = simulate(objectives=objectives)
    means = np.stack([trace.reference.means[split], *(-trace.reference.means[name] for name in objectives)], axis=1)
    known = ~np.isnan(means).any(axis=1)
    corner = means[known].min(axis=0)
    whole = hypervolume(means[known], corner)
    share = relative_hypervolume(trace, split)
    fronts = pareto_fronts(trace)
    for step in (0, 1, 7, 40, 79):
        front = fronts.at(step)
        for run in range(trace.runs):
            chosen = means[trace.architecture[run, front[run]]]
            np.testing.assert_allclose(share[run, step], hypervolume(chosen, corner) / whole)


def test_a_run_that_has_seen_all_covers_all():
    trace = simulate("local-search", budget=nl.Budget(evaluations=1000), repeat="mean")
    assert (trace.evaluations == CHAIN.space.size).all()
    np.testing.assert_allclose(relative_hypervolume(trace, "valid")[:, -1], 1.0)
    front = true_front(trace, "valid")
    last = pareto_fronts(trace).at(trace.steps - 1)
    for run in range(trace.runs):
        assert sorted(trace.architecture[run, last[run]]) == front.tolist()


def test_runs_do_not_depend_on_their_company():
    trace = simulate("nsga-ii", runs=5)
    share = relative_hypervolume(trace)
    for run in range(5):
        alone = simulate("nsga-ii", runs=1, first_run=run)
        assert np.array_equal(relative_hypervolume(alone)[0], share[run])


def test_with_one_objective_the_front_is_the_incumbent():
    trace = simulate(objectives=())
    step = np.argmax(pareto_fronts(trace).at(trace.steps - 1), axis=1)
    assert np.array_equal(trace.architecture[np.arange(trace.runs), step], trace.final_incumbent())


def test_nothing_is_extrapolated():
    trace = simulate(budget=nl.Budget(seconds=300.0))
    assert trace.mask.sum(axis=1).min() < trace.steps
    assert np.array_equal(np.isnan(relative_hypervolume(trace)), ~trace.mask)


def test_the_reference_is_in_the_units_of_the_metrics():
    trace = simulate()
    worst = [np.nanmin(CHAIN.mean_values("test_accuracy")), np.max(CHAIN.mean_values("parameters"))]
    kept = np.isnan(CHAIN.mean_values("valid_accuracy"))
    assert kept.any(), "failed trainings have no validation, but may have a test value"
    np.testing.assert_allclose(relative_hypervolume(trace, reference=worst), relative_hypervolume(trace), rtol=1e-12)
    with pytest.raises(ParameterError, match="the reference must have 2 objectives"):
        relative_hypervolume(trace, reference=[0.0])
    with pytest.raises(ParameterError, match="the true front covers nothing"):
        relative_hypervolume(trace, reference=[2.0, 0.0])
    with pytest.raises(UnknownNameError, match="unknown split 'train'"):
        relative_hypervolume(trace, "train")


def test_a_table_without_test_has_no_test_front():
    import dataclasses

    from nasbench_lab.tables import Table

    description = dataclasses.replace(CHAIN.description, test=None)
    table = Table(description, {name: CHAIN.values(name) for name in CHAIN.metrics})
    trace = nl.simulate(table, "random-search", runs=1, budget=nl.Budget(evaluations=5), objectives=["parameters"])
    with pytest.raises(MissingDataError, match="no test measurements"):
        relative_hypervolume(trace)
