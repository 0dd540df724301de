"""Options and files that contradict themselves: a table is right, or the user is told what is doubtful."""

import os

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.tables import open_table


@pytest.fixture
def read(tmp_path):
    def read(content, target=None, **options):
        path = tmp_path / "mine.csv"
        path.write_text(content)
        return nl.read_columns(path, target, **options)

    return read


def curves(seconds):
    """Return two architectures with three epochs, whose seconds are given."""
    rows = [f"{arch},{epoch},0.5,{next(seconds)}" for arch in "ab" for epoch in (1, 9, 27)]
    return "\n".join(["arch,epoch,val_acc,train_seconds", *rows])


CONSTANT = curves(iter([9.0, 9.0, 9.0, 5.0, 5.0, 5.0]))
WHOLE = curves(iter([9.0, 81.0, 243.0, 5.0, 45.0, 135.0]))


def test_constant_seconds_of_a_training_that_can_be_resumed_are_refused(read):
    with pytest.raises(DataError, match=r"same seconds at different epochs in 'train_seconds'; .* per_epoch='train_se"):
        read(CONSTANT, resumable=True)
    assert read(CONSTANT, per_epoch="train_seconds", resumable=True).cost(27)[:, 0].tolist() == [243, 135]
    assert read(WHOLE, resumable=True).cost(27)[:, 0].tolist() == [243, 135]


def test_constant_seconds_of_separate_trainings_are_noted(read, tmp_path):
    for target in (None, tmp_path / "mine.h5"):
        with pytest.warns(UserWarning, match=r"At 4 of 4 later epochs, the seconds in 'train_seconds' are the same"):
            table = read(CONSTANT, target)
        assert any("At 4 of 4 later epochs" in note for note in table.description.notes)
    assert table.description == open_table(tmp_path / "mine.h5").description


def test_a_few_equal_seconds_are_noted_where_trainings_can_be_resumed(read):
    text = curves(iter([9.0, 9.0, 30.0, 5.0, 45.0, 135.0]))
    with pytest.warns(UserWarning, match="At 1 of 4 later epochs"):
        read(text, resumable=True)
    read("arch,epoch,val_acc,train_seconds\na,1,0.5,9\n", resumable=True)  # one number of epochs


def test_the_seconds_of_a_validation_may_be_constant(read):
    lines = WHOLE.splitlines()
    text = "\n".join([lines[0] + ",valid_seconds", *(line + ",3" for line in lines[1:])])
    table = read(text, cost=["train_seconds", "valid_seconds"], resumable=True)
    assert table.cost(27)[:, 0].tolist() == [246, 138]


def test_seconds_of_whole_trainings_are_not_added_up(read):
    with pytest.raises(DataError, match=r"'train_seconds' of mine.csv grows in proportion to the epochs, .* per_epoch"):
        read(WHOLE, per_epoch="train_seconds")
    ragged = "\n".join(line for line in WHOLE.splitlines() if not line.startswith("b,27"))
    with pytest.raises(DataError, match="grows in proportion"):
        read(ragged, per_epoch="train_seconds")


@pytest.mark.parametrize(
    ("column", "values", "unit", "reason"),
    [
        (
            "val_acc",
            (0.4, 0.9),
            "percent",
            r"at most 0.9, but its unit is percent; for fractions, pass units=\{",
        ),
        ("val_acc", (0.4, 0.9), "%", "its unit is percent"),
        ("val_acc", (0.4, 1), "pct", "its unit is percent"),
        ("val_acc", (40, 90), "fraction", r"values from 40 to 90; unit 'fraction' allows 0 to 1"),
        ("val_acc", (40, 90), "ratio", "unit 'fraction' allows 0 to 1"),
        ("val_acc", (40, 101), "%", "unit 'percent' allows 0 to 100"),
        ("val_acc", (-1, 90), "percent", "unit 'percent' allows 0 to 100"),
        ("params", (25_000, 1_500_000), "millions", "too large for unit 'millions'"),
        ("latency", (-1, 5), "ms", "allows no negative values"),
    ],
)
def test_units_that_the_values_contradict_are_refused(read, column, values, unit, reason):
    columns = {"val_acc": (40, 90), column: values}
    rows = [",".join(["arch", *columns]), *(f"a{k},{','.join(str(v[k]) for v in columns.values())}" for k in range(2))]
    with pytest.raises(DataError, match=reason):
        read("\n".join(rows), units={column: unit})


def test_an_error_below_one_percent_is_possible_but_noted(read):
    with pytest.warns(UserWarning, match=r"Column 'val_err' is at most 0.9, but its unit is percent"):
        table = read("arch,val_err\na,0.4\nb,0.9\n", units={"val_err": "percent"})
    assert table.objective.unit == "percent"
    assert any("Check that the values are not fractions" in note for note in table.description.notes)
    assert read("arch,val_acc\na,0\nb,0\n", units={"val_acc": "percent"}).objective.unit == "percent"


# A highest fidelity that few architectures have.

FEW = "arch,epoch,val_acc\n" + "".join(
    f"a{k},{epoch},{k / 10 + epoch / 1000}\n" for k in range(9) for epoch in (50, 100, 200) if epoch < 200 or k < 2
)


def test_a_highest_fidelity_that_few_architectures_have_is_noted(read, tmp_path):
    for target in (None, tmp_path / "mine.h5"):
        with pytest.warns(UserWarning, match=r"The highest fidelity, 200 epochs, has values of only 2 architectures"):
            table = read(FEW, target)
        (note,) = [note for note in table.description.notes if "highest fidelity" in note]
        assert "100 epochs have values of 9. Search with fidelity 100, or import with at most 100 epochs" in note


def test_longer_trainings_may_be_left_out(read):
    table = read(FEW, max_epochs=100)
    assert table.fidelities == (50, 100)
    assert table.lookup(range(9)).tolist() == [k / 10 + 100 / 1000 for k in range(9)]
    assert any("Rows of more than 100 epochs were left out" in note for note in table.description.notes)
    assert read(FEW, max_epochs=101, first_epoch=0).fidelities == (51, 101)
    with pytest.raises(ParameterError, match=r"max_epochs needs a column of epochs, and mine.csv has none"):
        read("arch,val_acc\na,1\n", max_epochs=3)
    with pytest.raises(DataError, match=r"all rows of mine.csv have more than 3 in column 'epoch'"):
        read(FEW, max_epochs=3)
    with pytest.raises(ParameterError, match="max_epochs"):
        read(FEW, max_epochs=0)


# Names of columns, and axes.


@pytest.mark.parametrize("name", ["net_str", "ArchitectureString", "architecture string", "Arch-Str", "net"])
def test_architectures_are_recognised_by_usual_names(read, name):
    table = read(f"{name},accuracy,params\na,0.5,1\nb,0.75,2\n")
    assert table.lookup([0, 1]).tolist() == [0.5, 0.75]
    assert (table.description.valid, table.objective.split) == ("accuracy", "valid")
    assert any("'accuracy' does not say which data were used" in note for note in table.description.notes)


def test_a_notation_is_preferred_to_a_number(read):
    table = read('net,net_str,val_accs\n"(4, 0)",a,84\n"(2, 4)",b,90\n')
    assert table.space.format(0) == "a"
    assert table.description.valid == "val_accs"


def test_an_accuracy_is_not_taken_for_validation_where_the_user_says_otherwise(read):
    with pytest.raises(ParameterError, match="name the column of the validation or test metric"):
        read("arch,accuracy\na,0.5\n", splits={"accuracy": "none"})
    assert read("arch,accuracy,test_acc\na,0.5,0.6\n").description.valid is None
    with pytest.raises(ParameterError, match="name the column"):
        read("arch,accuracy,loss\na,0.5,0.6\n")


def test_columns_per_architecture_stay_so_where_curves_end_early(read):
    table = read(
        "arch,epoch,seed,val_acc,params,latency,train_seconds,energy,batch\n"
        "a,1,0,0.5,7,1,10,3,1\na,2,0,0.6,7,1,20,6,2\na,3,0,0.7,7,1,30,9,3\nb,1,0,0.5,9,2,15,4,1\nb,1,1,0.5,9,3,15,4,1\n"
    )
    axes = {metric.name: metric.axes for metric in table.description.metrics}
    assert axes["params"] == ("architecture",)
    assert axes["latency"] == ("architecture", "repeat")
    assert axes["train_seconds"] == axes["energy"] == axes["batch"] == ("architecture", "fidelity")
    assert table.query("b", 1)["params"] == 9
    assert np.isnan(table.cost(3)[1]).all()


# Only plain files.


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "mine.csv")
    with pytest.raises(DataError, match=r"mine\.csv is a pipe or a device; save its content as a file first"):
        nl.read_columns(tmp_path / "mine.csv")
    with pytest.raises(DataError, match="is a pipe or a device"):
        nl.read_columns("/dev/zero")
