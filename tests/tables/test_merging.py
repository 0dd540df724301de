"""Merged tables: every value of every part, and no silent mixture."""

import dataclasses

import numpy as np
import pytest

from nasbench_lab import spaces
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import SubsetSpace
from nasbench_lab.tables import Table, merge, subset, write
from nasbench_lab.tables.catalogue import load
from nasbench_lab.tables.description import AXES
from nasbench_lab.tables.merging import training_of
from nasbench_lab.testing import synthetic_table

TRAINED = "TrainingRecipe(name='{}', epochs=12); networks as published; data: {} (sha256 " + "0" * 64 + ")"
DARTS = spaces.make_space({"name": "darts"})


def part(members, repeats=("0", "1"), space=DARTS, recipe="digits", data="digits", seed=0, **changes):
    """A table of some architectures, whose values depend on the architecture and the repeat alone."""
    like = synthetic_table("chain").description
    description = dataclasses.replace(
        like,
        space=SubsetSpace(space, sorted(members)).spec(),
        repeats=repeats,
        source=TRAINED.format(recipe, data),
        **changes,
    )
    lengths = {AXES[0]: len(members), AXES[1]: len(like.fidelities), AXES[2]: len(repeats)}
    values = {}
    for place, metric in enumerate(description.metrics):
        array = np.empty([lengths[axis] for axis in metric.axes], np.float32)
        for row, member in enumerate(sorted(members)):
            if "repeat" in metric.axes:
                for column, repeat in enumerate(repeats):
                    random = np.random.default_rng([seed, place, member, int(repeat)])
                    array[row, ..., column] = random.random(array[row, ..., column].shape)
            else:
                array[row] = np.random.default_rng([seed, place, member]).random(array[row].shape)
        values[metric.name] = array
    return Table(description, values)


def members_of(number, seed=3):
    return np.random.Generator(np.random.Philox(seed)).choice(DARTS.size, number, replace=False).tolist()


def test_samples_of_a_large_space_become_their_union():
    members = members_of(9)
    merged = merge([part(members[:4]), part(members[4:7]), part(members[5:])], name="all")
    assert merged.name == "all"
    assert merged.space.members.tolist() == sorted(members)
    expected = part(members)
    for name in merged.metrics:
        np.testing.assert_array_equal(merged.values(name), expected.values(name))
        assert merged.values(name).dtype == np.float32


@pytest.mark.parametrize("swapped", [False, True])
def test_missing_repeats_are_nan(swapped):
    members = members_of(6)
    parts = [part(members[:3], ("0", "1")), part(members[3:], ("0",))]
    merged = merge(parts[::-1] if swapped else parts)
    assert merged.description.repeats == ("0", "1")
    one_seed = np.isin(merged.space.members, members[3:])
    metric = merged.objective.name
    np.testing.assert_array_equal(np.isnan(merged.repeat_values(metric)), np.stack([0 * one_seed, one_seed], axis=1))


def test_further_repeats_of_the_same_architectures_are_added():
    members = members_of(5)
    merged = merge([part(members, ("0",)), part(members, ("2", "1"))])
    expected = part(members, ("0", "2", "1"))
    for name in merged.metrics:
        np.testing.assert_array_equal(merged.values(name), expected.values(name))


def test_parts_of_a_listed_space_become_the_whole_space(tmp_path):
    table = synthetic_table("chain")
    parts = [subset(table, range(0, 243, 2)), subset(table, range(1, 243, 2))]
    merged = merge(parts, same_training=True)
    assert merged.space.spec() == table.space.spec()
    for name in table.metrics:
        np.testing.assert_array_equal(merged.values(name), table.values(name))
    write(merged, tmp_path / "all.h5")
    assert load(str(tmp_path / "all.h5")).description == merged.description


def changed(table, metric, **changes):
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values[metric].flat[0] += 1
    return Table(dataclasses.replace(table.description, **changes), values)


def test_different_values_of_one_training_are_refused_but_not_different_seconds():
    table = part(members_of(3))
    merged = merge([table, changed(table, "train_seconds")])
    np.testing.assert_array_equal(merged.values("train_seconds"), table.values("train_seconds"))
    with pytest.raises(
        ParameterError, match=r"^valid_accuracy of Genotype.* is 0\.\d+ in an earlier table and 1\.\d+ in 'b"
    ):
        merge([table, changed(table, "valid_accuracy", name="b")])


def test_a_value_fills_what_another_table_lacks():
    table = part(members_of(3))
    holes = {name: np.array(table.values(name)) for name in table.metrics}
    holes["valid_accuracy"][1] = np.nan
    merged = merge([Table(table.description, holes), table])
    np.testing.assert_array_equal(merged.values("valid_accuracy"), table.values("valid_accuracy"))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda m: part(m, recipe="nats-bench-12"), "have different recipes"),
        (lambda m: part(m, data="cifar10"), "have different networks or data"),
        (lambda _: part([5, 9], space=spaces.make_space({"name": "topology"})), "different spaces: darts and topology"),
        (lambda m: part(m, resumable=True), "different resumable: False and True"),
        (lambda m: part(m, kind="surrogate"), "only measured tables can be merged; .* is a surrogate table"),
    ],
)
def test_other_trainings_are_refused(other, message):
    members = members_of(4)
    with pytest.raises(ParameterError, match=message):
        merge([part(members[:2]), other(members[2:])])


def test_one_table_is_not_enough():
    with pytest.raises(ParameterError, match="at least two tables are needed to merge them, got 1"):
        merge([synthetic_table("chain")])


def test_tables_that_do_not_say_how_they_were_trained_need_trust():
    one, two = (part([member]) for member in members_of(2))
    silent = Table(dataclasses.replace(two.description, source="mine"), {n: two.values(n) for n in two.metrics})
    assert training_of(silent.description) is None
    with pytest.raises(
        ParameterError, match=r"does not say how it was trained; give same_training \(--same-training\)"
    ):
        merge([one, silent])
    assert merge([one, silent], same_training=True).space.size == 2


def test_the_order_of_network_options_does_not_matter():
    one, two = (part([member]) for member in members_of(2))
    for options, equal in (("{'cells': 3, 'channels': 4}", True), ("{'cells': 4, 'channels': 3}", False)):
        tables = []
        for table, given in ((one, "{'channels': 4, 'cells': 3}"), (two, options)):
            source = table.description.source.replace("as published", f"with {given}")
            described = dataclasses.replace(table.description, source=source)
            tables.append(Table(described, {name: table.values(name) for name in table.metrics}))
        if equal:
            assert merge(tables).space.size == 2
        else:
            with pytest.raises(ParameterError, match="have different networks or data"):
                merge(tables)


def test_merged_tables_can_be_merged():
    parts = [part([member]) for member in members_of(3)]
    again = merge([merge(parts[:2]), parts[2]])
    assert again.description == dataclasses.replace(merge(parts).description, source=again.description.source)
