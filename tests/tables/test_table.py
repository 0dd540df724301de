"""The query API of tables."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab.errors import DataError, MissingDataError, OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.tables import Description, Metric, Table, open_table, write
from nasbench_lab.tables.description import AXES
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")


def small_table(values, means=None, **changes):
    """A table of two architectures, two fidelities and three repeats."""
    description = Description(
        name="small",
        title="",
        space={"name": "chain", "choices": "ab", "length": 1},
        fidelities=(1, 2),
        repeats=("x", "y", "z"),
        metrics=(Metric("valid", "valid", "percent", "maximize", ""),),
        valid="valid",
        test=None,
    )
    description = dataclasses.replace(description, **changes)
    return Table(description, {"valid": np.array(values, dtype=float)}, means)


NAN = np.nan
VALUES = [[[1, 2, 6], [5, NAN, 7]], [[NAN, NAN, NAN], [NAN, 8, NAN]]]


@given(st.integers(0, TABLE.space.size - 1), st.sampled_from([4, 12, None]), st.sampled_from(["mean", 0, 1, 2]))
def test_lookup_query_and_a_plain_reading_agree(index, epochs, repeat):
    for metric in TABLE.metrics:
        array = np.asarray(TABLE.values(metric))[index]
        if "fidelity" in TABLE.description.metric(metric).axes:
            array = array[TABLE.fidelities.index(epochs or 12)]
        values = np.atleast_1d(array)
        if repeat == "mean" or len(values) == 1:
            present = [v for v in values.tolist() if v == v]
            total = 0.0
            for value in present:  # not sum(), which compensates for rounding since Python 3.12
                total += value
            expected = total / len(present)
        else:
            expected = values[repeat]
        looked_up = TABLE.lookup(index, epochs, repeat, metric)
        assert np.array_equal(looked_up, expected, equal_nan=True)
        queried = TABLE.query(index, epochs, repeat).get(metric, np.nan)
        assert np.array_equal(queried, expected, equal_nan=True)


def test_lookup_keeps_the_shape_and_defaults_to_the_objective():
    index = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal(TABLE.lookup(index), TABLE.mean_values("valid_accuracy")[index])
    assert TABLE.lookup(7).shape == ()


def test_query_takes_official_notation_and_index():
    assert TABLE.query("00001") == TABLE.query(1) == TABLE.query("1")


def test_means_are_of_the_repeats_that_exist():
    table = small_table(VALUES)
    assert table.mean_values("valid", 1).tolist()[0] == 3.0
    assert table.mean_values("valid", 2).tolist() == [6.0, 8.0]
    assert np.isnan(table.mean_values("valid", 1)[1])


def test_published_means_stand_in_only_where_there_is_no_repeat():
    table = small_table(VALUES, {"valid": np.array([[100.0, 100.0], [4.0, 100.0]])})
    assert table.mean_values("valid", 1).tolist() == [3.0, 4.0]
    assert table.query(1, epochs=1) == {"valid": 4.0}
    with pytest.raises(MissingDataError, match="architecture 1 of 'small' has no repeat 0 at 1 epochs"):
        table.query(1, epochs=1, repeat=0)


def test_missing_data_is_an_error_never_a_guess():
    table = small_table(VALUES)
    with pytest.raises(MissingDataError):
        table.query(1, epochs=1)
    with pytest.raises(MissingDataError, match="no repeat 1 at 2 epochs"):
        table.query(0, epochs=2, repeat=1)
    assert np.isnan(table.lookup(0, 2, 1))


def test_errors_say_what_is_allowed():
    with pytest.raises(UnknownNameError, match="unknown fidelity '5'; known: 4, 12"):
        TABLE.query(0, epochs=5)
    with pytest.raises(ParameterError, match=r"repeats 0\.\.2 \(first, second, third\), not 3"):
        TABLE.query(0, repeat=3)
    with pytest.raises(ParameterError, match=r"repeats 0\.\.2 \(first, second, third\), not 'median'"):
        TABLE.lookup(0, repeat="median")
    with pytest.raises(OutOfSpaceError):
        TABLE.lookup([0, 243])
    with pytest.raises(UnknownNameError, match="did you mean 'valid_accuracy'"):
        TABLE.lookup(0, metric="valid_accurracy")
    with pytest.raises(MissingDataError, match="has no times"):
        small_table(VALUES).cost()


def test_values_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        TABLE.values("valid_accuracy")[0, 0, 0] = 1.0


def test_cost_is_training_plus_one_validation():
    expected = np.asarray(TABLE.values("train_seconds"))[:, 0] + np.asarray(TABLE.values("valid_seconds"))
    assert np.array_equal(TABLE.cost(4)[:, 0], expected)


def test_seconds_per_epoch_count_as_often_as_there_are_epochs():
    metrics = (
        Metric("valid", "valid", "percent", "maximize", ""),
        Metric("epoch", "none", "s/epoch", "minimize", "", ("architecture", "repeat")),
        Metric("validation", "none", "s", "minimize", "", ("architecture",)),
    )
    description = dataclasses.replace(small_table(VALUES).description, metrics=metrics, cost=("epoch", "validation"))
    seconds = np.array([[1.0, 2.0, NAN], [3.0, 4.0, 5.0]])
    table = Table(description, {"valid": np.array(VALUES), "epoch": seconds, "validation": np.array([0.25, 0.5])})
    once = np.array([[0.25], [0.5]])
    assert np.array_equal(table.cost(1), seconds + once, equal_nan=True)
    assert np.array_equal(table.cost(), 2 * seconds + once, equal_nan=True)


def test_optimum_follows_the_direction():
    up, down = synthetic_table("chain"), synthetic_table("chain", direction="minimize")
    assert up.optimum("test") == np.nanmax(up.mean_values("test_accuracy"))
    assert down.optimum("test") == np.nanmin(down.mean_values("test_accuracy"))
    with pytest.raises(UnknownNameError, match="has no test metric"):
        small_table(VALUES).optimum("test")
    with pytest.raises(UnknownNameError, match="unknown split"):
        up.optimum("tests")


def test_wrong_shapes_are_refused():
    with pytest.raises(DataError, match=r"shape \(2, 3\), not \(2, 2, 3\)"):
        small_table([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(DataError, match=r"means of 'valid' .* shape \(2,\), not \(2, 2\)"):
        small_table(VALUES, {"valid": np.zeros(2)})
    with pytest.raises(DataError, match="lacks the values of its metric 'valid'"):
        Table(small_table(VALUES).description, {})


def test_lists_are_as_good_as_arrays():
    assert Table(small_table(VALUES).description, {"valid": VALUES}).query(0, epochs=1) == {"valid": 3.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": ()},
        {"fidelities": ()},
        {"fidelities": (2, 1)},
        {"fidelities": (0, 1)},
        {"repeats": ()},
        {"valid": None},
        {"valid": "accuracy"},
        {"cost": ("seconds",)},
        {"metrics": (Metric("valid", "valid", "percent", "none", ""),)},
    ],
)
def test_descriptions_that_make_no_sense_are_refused(changes):
    with pytest.raises(DataError):
        small_table(VALUES, **changes)


@pytest.mark.parametrize("wrong", [{"split": "dev"}, {"direction": "up"}, {"axes": ("repeat",)}])
def test_metrics_that_make_no_sense_are_refused(wrong):
    with pytest.raises(DataError):
        Metric(**{"name": "m", "split": "valid", "unit": "", "direction": "maximize", "description": "", **wrong})


def test_descriptions_survive_json():
    assert Description.from_json(TABLE.description.to_json()) == TABLE.description
    for text in ("", "[]", "{}", '{"metrics": 3}', "null"):
        with pytest.raises(DataError, match="not the description of a table"):
            Description.from_json(text)


@st.composite
def tables(draw):
    """Tables of any axes, kinds of numbers and missing values, with published means or without."""
    fidelities, repeats = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 7, 8, 9, 130]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    lengths = {"architecture": 2, "fidelity": fidelities, "repeat": repeats}
    metrics, values, means = [], {}, {}
    for number, axes in enumerate([AXES, AXES[:2], AXES[::2], AXES[:1]]):
        name = f"metric_{number}"
        metrics.append(Metric(name, draw(st.sampled_from(["valid", "none"])), "percent", "maximize", "", axes))
        array = random.normal(size=[lengths[axis] for axis in axes]) * 10.0 ** random.integers(-3, 8)
        array[random.random(array.shape) < draw(st.sampled_from([0.0, 0.5, 1.0]))] = np.nan
        stated = np.dtype(np.float64).newbyteorder("<")  # says its byte order even where it is the machine's
        array = array.astype(draw(st.sampled_from(["<f8", "<f4", ">f8", stated])))
        values[name] = np.asfortranarray(array) if draw(st.booleans()) else array
        if "repeat" in axes and draw(st.booleans()):
            means[name] = random.normal(size=(2, fidelities))
    description = dataclasses.replace(
        small_table(VALUES).description,
        fidelities=tuple(range(1, fidelities + 1)),
        repeats=tuple(map(str, range(repeats))),
        metrics=tuple(metrics),
        valid="metric_0",
    )
    return Table(description, values, means)


@given(tables(), st.booleans(), st.data())
def test_queries_and_lookups_agree_to_the_last_bit(tmp_path_factory, table, stored, data):
    if stored:
        path = tmp_path_factory.mktemp("stored") / "table.h5"
        write(table, path)
        table = open_table(path)
    epochs = data.draw(st.sampled_from([None, *table.fidelities]))
    repeat = data.draw(st.sampled_from(["mean", 0, table.repeats - 1]))
    index = data.draw(st.integers(0, 1))
    expected = {name: table.lookup(index, epochs, repeat, name).item() for name in table.metrics}
    expected = {name: value for name, value in expected.items() if not np.isnan(value)}
    if any(table.description.metric(name).split != "none" for name in expected):
        found = table.query(index, epochs, repeat)
        assert found == expected
        assert {type(value) for value in found.values()} == {float}
    else:
        with pytest.raises(MissingDataError):
            table.query(index, epochs, repeat)


def test_the_memory_order_of_an_array_does_not_matter():
    values = np.random.default_rng(0).normal(size=(2, 1, 130)) * 1e5
    description = dataclasses.replace(small_table(VALUES).description, repeats=tuple(map(str, range(130))))
    description = dataclasses.replace(
        description, fidelities=(1,), metrics=(dataclasses.replace(description.metrics[0], axes=AXES),)
    )
    for array in (values, np.asfortranarray(values)):
        table = Table(description, {"valid": array})
        assert [table.query(index)["valid"] for index in (0, 1)] == table.lookup([0, 1]).tolist()
    assert table.lookup([0, 1]).tolist() == Table(description, {"valid": values}).lookup([0, 1]).tolist()


def test_a_dtype_that_states_its_byte_order_is_as_good():
    table = small_table(VALUES)
    stated = np.array(VALUES).view(np.dtype(np.float64).newbyteorder("<"))
    assert Table(table.description, {"valid": stated}).query(0) == table.query(0)


def test_wrong_repeats_and_fidelities_are_wrong_after_right_ones_too():
    table = small_table(VALUES)
    table.query(0, 1, 1)
    for epochs, repeat in ((True, 1), (1.0, 1), (1, True), (1, 1.0)):
        with pytest.raises((ParameterError, UnknownNameError)):
            table.query(0, epochs, repeat)
