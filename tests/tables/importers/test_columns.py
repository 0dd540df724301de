"""Tables from users' files: what is written is read, in whatever order; and what is wrong is said in one line."""

import csv
import gzip
import inspect
import io
import itertools
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError, NasbenchLabError, OutputError, ParameterError, UnknownNameError
from nasbench_lab.tables import open_table
from nasbench_lab.tables.importers.columns import csv_reader
from nasbench_lab.testing import synthetic_table

TOPOLOGY = spaces.TopologySpace()
CURVES = """arch,epoch,seed,val_acc,test_acc,train_seconds
a,1,0,50,49,10
a,2,0,60,59,20
a,1,1,52,50,10
b,1,0,70,69,30
b,2,0,80,,60
"""


@pytest.fixture
def write(tmp_path):
    def write(content, name="mine.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def read(write):
    """Read a text as a file."""
    return lambda content, **options: nl.read_columns(write(content), **options)


def same(one, other):
    """Whether two tables agree in everything but the file that they come from."""
    for name in one.metrics:
        assert np.array_equal(one.values(name), other.values(name), equal_nan=True), name
    for field in ("space", "fidelities", "repeats", "valid", "test", "cost"):
        assert getattr(one.description, field) == getattr(other.description, field)
    assert [m.name for m in one.description.metrics] == [m.name for m in other.description.metrics]
    return True


# What a user says, and what is understood.


def test_a_learning_curve_in_long_form(read):
    table = read(CURVES)
    assert table.space.spec() == {"name": "listed", "names": "a\nb"}
    assert (table.fidelities, table.description.repeats) == ((1, 2), ("0", "1"))
    assert table.query("a", 1, 1) == {"val_acc": 52, "test_acc": 50, "train_seconds": 10}
    assert table.query("b", 2, 0) == {"val_acc": 80, "train_seconds": 60}
    assert np.isnan(table.lookup([0, 1], 2, 1)).all()
    by_name = {metric.name: metric for metric in table.description.metrics}
    assert [by_name[name].split for name in table.metrics] == ["valid", "test", "none"]
    assert [by_name[name].unit for name in table.metrics] == ["percent", "percent", "s"]
    assert [by_name[name].direction for name in table.metrics] == ["maximize", "maximize", "minimize"]
    assert by_name["train_seconds"].axes == ("architecture", "fidelity")
    assert (table.description.valid, table.description.test) == ("val_acc", "test_acc")
    assert table.description.cost == ("train_seconds",)
    assert any("validation is 'val_acc', test is 'test_acc', cost is 'train_seconds'" in n for n in notes(table))


def notes(table):
    return table.description.notes


def test_one_row_an_architecture_in_official_notation(read):
    cells = TOPOLOGY.format([7, 6111])
    table = read(f"arch_str,accuracy,params\n{cells[0]},90.5,1.2\n{cells[1]},94.25,0.8\n", valid="accuracy", epochs=200)
    assert (table.space, table.fidelities, table.repeats) == (spaces.make_space({"name": "topology"}), (200,), 1)
    assert table.query(cells[1]) == {"accuracy": 94.25, "params": 0.8}
    assert table.description.metric("params").axes == ("architecture",)
    assert np.isnan(table.lookup(0))


def test_module_hashes_of_nas_bench_101(read):
    space = spaces.Cell101Space(4)
    rows = "".join(f"{space.module_hash(index)},{index / 100}\n" for index in range(space.size))
    table = read("module_hash,val_acc\n" + rows, space={"name": "cell101", "vertices": 4})
    assert np.array_equal(table.lookup(np.arange(space.size)), np.arange(space.size) / 100)


def test_indices_of_a_named_space(read):
    table = read("cell,val_acc\n7,0.5\n15624,0.75\n", space="topology")
    assert table.lookup([7, 15624]).tolist() == [0.5, 0.75]
    with pytest.raises(ParameterError, match="column 'cell' has numbers; if they are indices, name the search space"):
        read("cell,val_acc\n7,0.5\n15624,0.75\n")
    assert read("cell,val_acc\n10,0.5\n9,0.75\n", space="listed").space.spec()["names"] == "9\n10"


def test_a_space_itself_may_be_given(read):
    rows = f"arch,val_acc\n{TOPOLOGY.format(7)},1\n"
    assert same(read(rows, space=TOPOLOGY), read(rows, space="topology"))


def test_notation_and_indices_are_not_mixed(read):
    chain = {"name": "chain", "choices": "012", "length": 3}
    assert read("arch,val_acc\n000,0.5\n012,0.75\n", space=chain).lookup([0, 5]).tolist() == [0.5, 0.75]
    assert read("arch,val_acc\n0,0.5\n26,0.75\n", space=chain).lookup([0, 26]).tolist() == [0.5, 0.75]
    with pytest.raises(DataError, match=r"row 3 of mine.csv: '12' has 2 layers"):
        read("arch,val_acc\n000,0.5\n12,0.75\n", space=chain)  # a spreadsheet took the zero away
    with pytest.raises(DataError, match=r"row 3 of mine.csv: architecture index 27 is not in 0\.\.26"):
        read("arch,val_acc\n0,0.5\n27,0.75\n", space=chain)


CHOICES = "kernel,width,op,val_acc\n5,16.0,conv,0.1\n3,8,conv,0.2\n3,16,pool,0.3\n"


def test_choices_in_columns_of_their_own(read):
    table = read(CHOICES, architecture=["kernel", "width", "op"])
    assert table.space.spec()["choices"] == [["kernel", ["3", "5"]], ["width", ["8", "16"]], ["op", ["conv", "pool"]]]
    assert table.lookup(table.space.parse("kernel=5,width=16,op=conv")) == 0.1
    assert np.isnan(table.lookup(np.arange(8))).sum() == 5
    listed = read(CHOICES, architecture=["kernel", "width", "op"], space="listed")
    assert listed.space.format(np.arange(3)) == [
        "kernel=3,width=8,op=conv",
        "kernel=3,width=16,op=pool",
        "kernel=5,width=16,op=conv",
    ]
    assert listed.lookup([0, 1, 2]).tolist() == [0.2, 0.3, 0.1]


def test_choices_of_a_given_space(read):
    given_choices = [["op", ["pool", "conv"]], ["kernel", [1, 3, 5]], ["width", [8.0, 16]]]
    space = {"name": "choices", "choices": given_choices}
    table = read(CHOICES, space=space)  # the columns are those of the choices
    assert table.space.size == 12
    assert table.query("op=conv,kernel=5,width=16") == {"val_acc": 0.1}
    with pytest.raises(DataError, match=r"row 2 of mine.csv, column 'kernel': unknown value '5'; known: 1, 3"):
        read(CHOICES, space={"name": "choices", "choices": [["kernel", [1, 3]]]})
    with pytest.raises(
        ParameterError, match="the choices of the space are op, kernel, width, but the columns are kernel, op"
    ):
        read(CHOICES, space=space, architecture=["kernel", "op"])
    sample = dict(spaces.ListedChoicesSpace.of([["kernel", [3, 5]], ["width", [8, 16]]], [[0, 0], [0, 1]]).spec())
    with pytest.raises(DataError, match=r"row 2 of mine.csv: 'kernel=5,width=16' is not among the 2 listed"):
        read(CHOICES, space=sample)


def test_combinations_in_one_column(read):
    space = {"name": "choices", "choices": [["kernel", [3, 5]], ["width", [8, 16]]]}
    table = read('arch,val_acc\n"kernel=5,width=8",0.5\n', space=space, architecture="arch")
    assert table.lookup(2) == 0.5


def test_of_far_more_combinations_than_architectures_the_table_has_those_of_the_file(read):
    header = ",".join(f"c{i}" for i in range(8)) + ",val_acc\n"
    rows = "".join(",".join([str(value)] * 8) + ",0.5\n" for value in range(10))
    choices = [f"c{i}" for i in range(8)]
    table = read(header + rows, architecture=choices)
    assert table.space.size == 10
    assert table.space.parent.size == 10**8
    assert (
        "The search space has 100,000,000 architectures; the table has those of the file only."
        in table.description.notes
    )
    assert "The search space was inferred: 'choices'." in table.description.notes
    assert read(header + rows, architecture=choices, space="listed").space.size == 10


def test_too_many_values_of_a_choice_are_refused(read):
    rows = "".join(f"{number},x,0.5\n" for number in range(128))
    with pytest.raises(DataError, match="choice 'rate' has 128 values; at most 127 are allowed"):
        read("rate,op,val_acc\n" + rows, architecture=["rate", "op"])


def test_values_that_cannot_be_told_apart_again_are_refused(read):
    with pytest.raises(DataError, match="the choices of the file are not allowed"):
        read('a,b,val_acc\n"x,b=y",z,1\n', architecture=["a", "b"])


def test_the_first_epoch_may_be_zero(read):
    text = "arch,epoch,val_acc\na,0,1\na,1,2\n"
    assert read(text, first_epoch=0).fidelities == (1, 2)
    with pytest.raises(DataError, match=r"row 2 of mine.csv has '0' in column 'epoch'.*first_epoch=0"):
        read(text)


def test_epochs_may_be_written_as_real_numbers(read):
    table = read("arch,epoch,val_acc\na,12.0,1\nb,12,2\na,2e2,3\n")
    assert table.fidelities == (12, 200)
    assert table.lookup([0, 1], 12).tolist() == [1, 2]


def test_seconds_of_single_epochs_are_added_up(read):
    text = "arch,epoch,seed,val_acc,time\na,1,0,1,2\na,2,0,1,3\na,4,0,1,5\nb,2,0,1,10\na,1,1,1,7\n"
    table = read(text, cost="time", per_epoch="time", resumable=True)
    assert table.cost(4)[0].tolist()[0] == 2 + 3 + 2 * 5
    assert table.cost(2)[1].tolist()[0] == 20
    assert table.cost(1)[0].tolist() == [2, 7]
    assert table.description.resumable


def test_constant_seconds_of_single_epochs_are_added_up(read):
    table = read("arch,epoch,val_acc,time\na,1,1,2\na,2,1,2\na,3,1,2\n", per_epoch="time")
    assert [table.cost(epochs).item() for epochs in (1, 2, 3)] == [2, 4, 6]


def test_seconds_that_fall_are_refused(read):
    text = "arch,epoch,val_acc,time\na,1,1,2.1\na,2,1,2.0\na,3,1,2.2\n"
    with pytest.raises(DataError, match=r"column 'time' of mine.csv has fewer seconds at a later epoch; .* per_epoch"):
        read(text, cost="time")


def test_costs_in_other_units(read):
    text = "arch,val_acc,train_hours,valid_ms\na,1,0.5,500\n"
    table = read(text, cost=["train_hours", "valid_ms"], units={"train_hours": "h", "valid_ms": "ms"})
    assert table.cost().item() == 1800.5
    with pytest.raises(
        ParameterError,
        match=r"'train_hours' seems not to be in seconds; give its unit, for example units=\{'train_hours': ",
    ):
        read(text, cost="train_hours")
    with pytest.raises(UnknownNameError, match="unknown unit of time 'weeks'"):
        read(text, cost="train_hours", units={"train_hours": "weeks"})


def test_seconds_of_short_trainings_are_not_those_of_long_ones(read):
    table = read("arch,epoch,val_acc,train_seconds,params\na,1,1,10,5\nb,2,1,20,5\n")
    assert np.array_equal(table.cost(2), [[np.nan], [20]], equal_nan=True)
    complete = read("arch,epoch,val_acc,params\na,1,1,5\na,2,1,5\nb,1,1,7\nb,2,1,7\n")
    assert complete.description.metric("params").axes == ("architecture",)


def test_unrelated_seeds_are_numbered(read):
    text = "arch,seed,val_acc\na,77,1\na,5,2\nb,1000,3\n"
    table = read(text, match_repeats=False)
    assert table.description.repeats == ("training 1", "training 2")
    assert table.repeat_values("val_acc")[0].tolist() == [2, 1]
    assert table.query("b", repeat=0) == {"val_acc": 3}
    assert read(text).description.repeats == ("5", "77", "1000")


def test_every_repeat_may_have_columns_of_its_own(read):
    text = "arch,epoch,a1,a2,t1,params\nx,1,1,2,0.5,7\ny,1,3,,0.6,8\n"
    table = read(text, repeat={"val_acc": ["a1", "a2"], "test_acc": ["t1"]})
    assert table.description.repeats == ("1", "2")
    assert np.array_equal(table.repeat_values("val_acc"), [[1, 2], [3, np.nan]], equal_nan=True)
    assert np.array_equal(table.repeat_values("test_acc"), [[0.5, np.nan], [0.6, np.nan]], equal_nan=True)
    assert table.description.metric("params").axes == ("architecture",)
    assert "repeats of 'val_acc' are 'a1', 'a2', repeats of 'test_acc' are 't1'" in notes(table)[0]
    for repeat, reason in (
        ({"val_acc": ["a1", "a3"]}, "unknown column 'a3'"),
        ({"val_acc": ["a1", "a1"]}, "'a1' is used for two repeats"),
        ({"params": ["a1", "a2"]}, "metric 'params' has the name of another column"),
        ({"val_acc": "a1"}, "a list of columns, got 'a1'"),
        ({"val_acc": []}, "a list of columns"),
        ({}, "a list of columns"),
    ):
        with pytest.raises(NasbenchLabError, match=reason):
            read(text, repeat=repeat)


def test_a_table_that_would_be_nearly_empty_is_refused(read):
    rows = "".join(f"n{number},{number},0.5\n" for number in range(4000))
    with pytest.raises(
        DataError, match=r"4000 repeats, but only 4000 rows for 4000 architectures; .*match_repeats=False"
    ):
        read("arch,seed,val_acc\n" + rows)
    assert read("arch,seed,val_acc\n" + rows, match_repeats=False).repeats == 1
    choices = [f"c{digit}" for digit in range(7)]
    rows = [",".join([str(e % 7)] * 7) + f",{e},0.5\n" for e in range(1, 2000)]
    with pytest.raises(
        DataError, match=r"for the 823543 architectures of the space are \d+ numbers per metric.*space='listed'"
    ):
        read(",".join(choices) + ",epoch,val_acc\n" + "".join(rows), architecture=choices)


def test_of_a_large_space_the_table_has_the_architectures_of_the_file(read):
    darts = spaces.make_space({"name": "darts"})
    chosen = [10**18, 5, 7 * 10**17]
    rows = "".join(f'"{darts.format(index)}",{0.5 + place / 10}\n' for place, index in enumerate(chosen))
    table = read("arch,val_acc\n" + rows, space="darts")
    assert table.space.parent.spec() == darts.spec()
    assert table.space.in_parent([0, 1, 2]).tolist() == sorted(chosen)
    assert table.lookup([table.space.parse(darts.format(index)) for index in chosen]).tolist() == [0.5, 0.6, 0.7]
    digits = ["".join(str((row * place + row // 5) % 5) for place in range(1, 13)) for row in range(25)]
    own = read(
        ",".join(f"c{place}" for place in range(12)) + ",val_acc\n" + "".join(",".join(d) + ",0.5\n" for d in digits),
        architecture=[f"c{place}" for place in range(12)],
    )
    assert own.space.size == len(set(digits)) == 25
    assert own.space.parent.size == 5**12


def test_everything_a_user_says_is_stored(read):
    table = read(
        CURVES,
        name="mine/letters",
        title="Letters",
        licence="CC-BY-4.0",
        citation="@misc{me, title = {Letters}}",
        origin="my cluster",
        notes=["Careful."],
        metrics=["train_seconds"],
        units={"val_acc": "points"},
        directions={"train_seconds": "none"},
        splits={"train_seconds": "train"},
        valid="val_acc",
        test="test_acc",
    )
    description = table.description
    assert (description.name, description.title, description.licence) == ("mine/letters", "Letters", "CC-BY-4.0")
    assert (description.citation, description.notes[0]) == ("@misc{me, title = {Letters}}", "Careful.")
    assert re.fullmatch("my cluster; mine.csv with SHA-256 [0-9a-f]{64}", description.source)
    assert description.metric("val_acc").unit == "points"
    metric = description.metric("train_seconds")
    assert (metric.split, metric.direction, len(metric.axes)) == ("train", "none", 3)


def test_only_wanted_metrics_are_kept(read):
    table = read(CURVES, valid="val_acc", metrics="train_seconds")
    assert table.metrics == ("val_acc", "train_seconds")
    assert read(CURVES, metrics=["test_acc"]).description.valid is None


def test_names_of_metrics_have_no_slashes(read):
    table = read("arch,val/acc (top-1),2nd test acc\na,1,2\n", name="n")
    assert table.metrics == ("val_acc_top-1", "2nd_test_acc")
    assert "column 'val/acc (top-1)' of mine.csv" in table.description.metrics[0].description
    with pytest.raises(DataError, match=r"columns 'val/acc' and 'val acc' of mine.csv would both become metric"):
        read("arch,val/acc,val acc\na,1,2\n", valid="val acc")


def test_columns_of_text_or_without_a_name_are_left_out(read):
    table = read(",arch,val_acc,comment,empty\n0,a,1,fine,\n1,b,2,1_0,\n")
    assert table.metrics == ("val_acc",)
    assert "Omitted columns without numbers: comment, empty." in notes(table)


@pytest.mark.parametrize(
    ("columns", "valid", "test"),
    [
        ("val_acc,val_loss,test_loss", "val_acc", "test_loss"),
        ("validation error,train_acc,x-test-accuracy", "validation_error", "x-test-accuracy"),
        ("valAcc,testErr,testTime", "valAcc", "testErr"),
        ("train_acc,test_top1", None, "test_top1"),
        ("val_ppl,val_time,valid_params", "val_ppl", None),
    ],
)
def test_roles_are_recognised_by_names(read, columns, valid, test):
    table = read(f"arch,{columns}\na,1,2,3\nb,2,3,4\n" if columns.count(",") == 2 else f"arch,{columns}\na,1,2\n")
    assert (table.description.valid, table.description.test) == (valid, test)


@pytest.mark.parametrize(
    ("values", "unit"), [("0.5,0.9", "fraction"), ("0.5,93.2", "percent"), ("-1,2", ""), ("0,1", "fraction")]
)
def test_units_of_accuracies_are_taken_from_the_numbers(read, values, unit):
    low, high = values.split(",")
    assert read(f"arch,val_acc\na,{low}\nb,{high}\n").description.objective.unit == unit


# Whatever is wrong is said in one line.


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (
            "x,val_acc\na,1\n",
            {},
            "name the column of the architecture, for example architecture='x'; the columns are 'x'",
        ),
        ("arch,cell,val_acc\na,b,1\n", {}, "architecture could be 'arch' or 'cell'; choose one with architecture="),
        ("arch,val_acc\na,1\n", {"architecture": "arc"}, "unknown column 'arc'; did you mean 'arch'"),
        ("arch,val_acc\na,1\n", {"valid": "vall_acc"}, "unknown column 'vall_acc'; did you mean 'val_acc'"),
        ("arch,val_acc\na,1\n", {"units": {"acc": "percent"}}, "unknown column 'acc'; did you mean 'val_acc'"),
        ("arch,val_acc\na,1\n", {"units": "percent"}, "units must be a mapping with columns as keys"),
        ("arch,val_acc\na,1\n", {"repeat": "val_acc", "valid": "val_acc"}, "'val_acc' is used for two purposes"),
        ("arch,val_acc\na,1\n", {"valid": "val_acc", "test": "val_acc"}, "'val_acc' is used for two purposes"),
        ("arch,val_acc\na,1\n", {"valid": "val_acc", "cost": "val_acc"}, "'val_acc' is used for two purposes"),
        (
            "arch,val_acc\na,91\n",
            {"units": {"val_acc": "fraction"}},
            "'val_acc' has values from 91 to 91; unit 'fraction' allows 0 to 1",
        ),
        ("arch,val_acc\na,-1\n", {"units": {"val_acc": "percent"}}, "unit 'percent' allows 0 to 100"),
        ("arch,val_acc\na,1\n", {"units": {"val_acc": "per\ncent"}}, "units must be one line of text, got 'per.ncent'"),
        ("arch,val_acc\na,1\n", {"name": "a\nb"}, "names, titles and units must be one line of text"),
        ("arch,val_acc\na,1\n", {"citation": "me, 2026"}, "not BibTeX: 'me, 2026'"),
        ("arch,val_acc\na,1\n", {"space": 5}, "space must be a name, or a mapping with name and parameters, got int"),
        ("arch,val_acc\na,1\n", {"architecture": []}, "architecture must name at least one column"),
        ("arch,quality\na,1\n", {}, "name the column of the validation or test metric, for example valid='quality'"),
        ("arch,quality\na,1\n", {"valid": "quality"}, "give the direction of 'quality'"),
        ("arch,val_acc\na,1\n", {"directions": {"val_acc": "up"}}, "unknown direction 'up'; known: maximize, minimize"),
        ("arch,val_acc\na,1\n", {"splits": {"val_acc": "dev"}}, "unknown split 'dev'"),
        (
            "arch,val_acc,val_acc2\na,1,1\n",
            {},
            "valid could be 'val_acc' or 'val_acc2'; choose one, for example valid='val_acc'",
        ),
        ("arch,epoch,epochs,val_acc\na,1,1,1\n", {}, "epochs could be 'epoch' or 'epochs'; choose one with epochs="),
        ("arch,val_acc\na,1\n", {"epochs": 0}, "epochs, if not a column, must be from 1 to 2147483647, got 0"),
        ("arch,val_acc\na,1\n", {"first_epoch": 2}, "first_epoch must be 0 or 1, got 2"),
        (
            "arch,val_acc,t\na,1,1\n",
            {"cost": "t", "per_epoch": "val_acc"},
            "column 'val_acc' is in per_epoch, but not in cost",
        ),
        ("arch,val_acc,t\na,1,-1\n", {"cost": "t"}, "'t' of mine.csv has a negative time, -1"),
        ("arch,val_acc\na,1\n", {"space": "topologie"}, "unknown space 'topologie'; did you mean 'topology'"),
        ("arch,val_acc\na,1\n", {"space": "chain"}, "the description of a space is wrong"),
        (
            "arch,b,val_acc\na,1,1\n",
            {"space": "topology", "architecture": ["arch", "b"]},
            "must be in one column, got 2",
        ),
        ("arch,val_acc\n|a|,1\n", {}, "row 2 of mine.csv: malformed cell"),
        ("arch,epoch,val_acc\na,-1,1\n", {}, "row 2 of mine.csv has '-1' in column 'epoch'"),
        ("arch,epoch,val_acc\na,1,1\na,1.5,1\n", {}, "row 3 of mine.csv has '1.5' in column 'epoch'"),
        ("arch,epoch,val_acc\na,nan,1\n", {}, "row 2 of mine.csv has 'nan' in column 'epoch'"),
        ("arch,epoch,val_acc\na,1e300,1\n", {}, "row 2 of mine.csv has '1e300' in column 'epoch'"),
        ("arch,epoch,val_acc\na,,1\n", {}, "row 2 of mine.csv has an empty cell in column 'epoch'"),
        ("arch,val_acc\na,1\n ,1\n", {}, "row 3 of mine.csv has an empty cell in column 'arch'"),
        ("arch,val_acc\na,1\nb,x\n", {}, "row 3 of mine.csv has 'x' in column 'val_acc', which is not a finite"),
        ("arch;val_acc\na;0,93\n", {"valid": "val_acc"}, "has '0,93' .* write numbers with a decimal point"),
        ("arch,val_acc\na,inf\n", {}, "row 2 of mine.csv has 'inf' in column 'val_acc'"),
        ("arch,val_acc\na,1e999\n", {}, "row 2 of mine.csv has '1e999' in column 'val_acc'"),
        ("arch,val_acc,tag\na,1,1\nb,1,1a\n", {}, "'1a' in column 'tag'.* list the measurements with metrics"),
        ("arch,val_acc\na,\nb,NaN\n", {"valid": "val_acc"}, "column 'val_acc' of mine.csv has no numbers"),
        ("arch,val_acc\na,1\nb,2\na,3\n", {}, "rows 2 and 4 of mine.csv have the same architecture; .*repeat="),
        (
            "arch,seed,val_acc\na,1,1\na,01,1\n",
            {},
            "rows 2 and 3 of mine.csv have the same architecture and repeat",
        ),
        (
            "arch,epoch,val_acc\na,1,1\na,1.0,1\n",
            {},
            "rows 2 and 3 of mine.csv have the same architecture and epoch",
        ),
        ("arch,val_acc\na,1,2\n", {}, "row 2 of mine.csv has 3 cells, but the header has 2"),
        ("arch,val_acc\na,1\n\nb\n", {}, "row 4 of mine.csv has 1 cells, but the header has 2"),
        ("arch,val_acc,val_acc\na,1,2\n", {}, "mine.csv has two columns 'val_acc'"),
        ("arch val_acc\na 1\n", {}, "mine.csv has only one column, 'arch val_acc'"),
        ("", {}, "mine.csv or its first line is empty"),
        ("\n\n", {}, "mine.csv or its first line is empty"),
        ("arch,val_acc\n", {}, "mine.csv has a header but no rows"),
        ("arch,val_acc\n\n\n", {}, "mine.csv has a header but no rows"),
        (
            b"arch,val_acc\n\xe4,1\n",
            {},
            "mine.csv is not encoded in utf-8; .* such as encoding='latin-1'",
        ),
        ("arch,val_acc\na,1\n".encode("utf-16"), {}, "mine.csv is encoded in UTF-16; give encoding='utf-16'"),
        (b"arch,val_acc\na,1\nb\x00,2\n", {}, "line 3 of mine.csv has a NUL character"),
        (b"PK\x03\x04" + bytes(100), {}, "mine.csv is an archive or a spreadsheet; save it as CSV"),
        ('arch,val_acc\n"a,1\n', {}, "unexpected end of data; is a quote not closed?"),
        ('arch,val_acc\n"a"b,1\n', {}, "line 2 of mine.csv: .*; is a quote not closed?"),
        ("arch,val_acc\na,1\n", {"delimiter": "ab"}, "delimiter must be one character, got 'ab'"),
        ("arch,val_acc\na,1\n", {"encoding": "base64"}, "unknown encoding 'base64'"),
        ("arch,val_acc\na,1\n", {"encoding": "utf-88"}, "unknown encoding 'utf-88'"),
        ("arch,val_acc\n" + "a" * 200_000 + ",1\n", {}, "field larger than field limit"),
        ("arch,val_acc\n" + "a" * 2_000_000 + ",1\n", {}, "line 2 of mine.csv has more than 1048576 characters"),
        ("arch,val_acc\na\x07,1\n", {}, "the names of the architectures are not allowed"),
        (
            "arch,/\na,1\n",
            {"valid": "/", "directions": {"/": "maximize"}},
            "the name of column '/' of mine.csv must have letters",
        ),
    ],
)
def test_what_is_wrong_is_said(read, text, options, reason):
    with pytest.raises(NasbenchLabError, match=reason) as error:
        read(text, **options)
    assert len(str(error.value).splitlines()) == 1


def test_files_that_are_not_there_or_damaged(tmp_path, write):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        nl.read_columns(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        nl.read_columns(tmp_path)
    packed = gzip.compress(CURVES.encode() * 50)
    for damaged in (packed[:-20], packed[:40] + b"\0" * 20 + packed[60:], packed[:2], packed[:12]):
        with pytest.raises(DataError, match=r"mine.csv.gz is damaged|mine.csv.gz is empty"):
            nl.read_columns(write(damaged, "mine.csv.gz"))


def test_a_bomb_is_not_expanded(write, monkeypatch):
    monkeypatch.setattr(csv_reader, "_FREE_BYTES", 2**20)
    rows = b"arch,val_acc\n" + b"aaaaaaaaaaaaaaaaaaaaaaaaa,0.5\n" * 200_000
    with pytest.raises(DataError, match="expands to more than 200 times its size"):
        nl.read_columns(write(gzip.compress(rows), "mine.csv.gz"))
    monkeypatch.undo()
    for content in (b"\0" * 2**22, b"a" * 2**22):
        with pytest.raises(DataError, match=r"NUL character|more than 1048576 characters"):
            nl.read_columns(write(gzip.compress(content), "mine.csv.gz"))


# Files as they are found.


def variants():
    rows = list(csv.reader(io.StringIO(CURVES)))
    yield "tabs", "\n".join("\t".join(row) for row in rows).encode(), {}
    yield "semicolons", "\n".join(";".join(row) for row in rows).encode(), {}
    yield "pipes", "\n".join("|".join(row) for row in rows).encode(), {}
    yield "colons", "\n".join(":".join(row) for row in rows).encode(), {"delimiter": ":"}
    yield "byte-order mark", b"\xef\xbb\xbf" + CURVES.encode(), {}
    yield "returns and newlines", CURVES.replace("\n", "\r\n").encode(), {}
    yield "returns", CURVES.replace("\n", "\r").encode(), {}
    yield "no newline at the end", CURVES.rstrip().encode(), {}
    yield "empty lines", CURVES.replace("\n", "\n\n").encode(), {}
    yield "spaces", CURVES.replace(",", " , ").encode(), {}
    yield "quotes", "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode(), {}
    yield "gzip", gzip.compress(CURVES.encode()), {}
    yield "two parts of gzip", gzip.compress(CURVES[:60].encode()) + gzip.compress(CURVES[60:].encode()), {}
    yield "UTF-16", CURVES.encode("utf-16"), {"encoding": "utf-16"}
    yield "Latin-1", CURVES.encode("latin-1"), {"encoding": "latin-1"}
    yield "missing by name", CURVES.replace("80,,", "80,N/A,").encode(), {}


@pytest.mark.parametrize(
    ("content", "options"), [case[1:] for case in variants()], ids=[case[0] for case in variants()]
)
def test_files_as_they_are_found(read, write, content, options):
    assert same(nl.read_columns(write(content, "other.csv"), **options), read(CURVES))


def test_cells_with_delimiters_quotes_and_newlines(read):
    table = read('arch,"val_acc"\n"a ""quoted"", b",0.5\n')
    assert table.space.format(0) == 'a "quoted", b'
    with pytest.raises(DataError, match="are not allowed"):
        read('arch,val_acc\n"a\nb",0.5\n')


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
def test_blocks_may_end_anywhere(read, write, monkeypatch, block):
    expected = read(CURVES)
    monkeypatch.setattr(csv_reader, "_BLOCK", block)
    monkeypatch.setattr(csv_reader, "_MOST_CELLS", 7)
    for content in (CURVES, CURVES.replace("\n", "\r\n"), CURVES.replace("\n", "\r"), CURVES.replace("a,", '"a",')):
        assert same(nl.read_columns(write(content)), expected)


@given(text=st.text(alphabet='ab1,;\n\r" é\u2028\x1f', max_size=40), columns=st.integers(2, 3))
@settings(max_examples=300)
def test_plain_rows_are_split_as_the_csv_module_does(text, columns):
    cells = csv_reader._plain_cells(text, ",", columns)
    if cells is not None:
        expected = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert [list(row) for row in zip(*cells, strict=True)] == expected


def test_quotes_may_begin_anywhere(read, monkeypatch):
    monkeypatch.setattr(csv_reader, "_BLOCK", 64)
    rows = [f"n{number},{number}\n" for number in range(60)]
    expected = read("arch,val_acc\n" + "".join(rows))
    for quoted in (0, 1, 30, 59):
        changed = [row.replace("n", '"n', 1).replace(",", '",') if n >= quoted else row for n, row in enumerate(rows)]
        assert same(read("arch,val_acc\n" + "".join(changed)), expected)
        wrong = [*changed, '"n"x,1\n']
        with pytest.raises(DataError, match=r"line 62 of mine\.csv"):
            read("arch,val_acc\n" + "".join(wrong))
        with pytest.raises(DataError, match=r"row 63 of mine\.csv has 'x'"):
            read("arch,val_acc\n" + "".join([*changed, "\n", '"last",x\n']), valid="val_acc")


def test_many_rows_take_the_way_over_a_file(read, monkeypatch):
    from nasbench_lab.tables.importers.columns import rows as columns_rows

    expected = read(CURVES)
    monkeypatch.setattr(columns_rows, "_IN_MEMORY", 10)
    monkeypatch.setattr(csv_reader, "_MOST_CELLS", 6)
    assert same(read(CURVES), expected)
    monkeypatch.setattr(columns_rows.tempfile, "SpooledTemporaryFile", lambda _: Full())
    with pytest.raises(OutputError, match=r"cannot write to .*: No space left"):
        read(CURVES)


class Full(io.BytesIO):
    def write(self, content):
        raise OSError(28, "No space left on device")


def test_to_a_file(write, tmp_path):
    source, target, seen = write(CURVES), tmp_path / "mine.h5", []
    table = nl.read_columns(source, target, progress=lambda done, total: seen.append((done, total)))
    assert same(table, nl.read_columns(source))
    assert len(table.checksum) == 64
    assert open_table(target).description == nl.read_columns(source).description
    assert seen[-1] == (len(CURVES), len(CURVES))
    with pytest.raises(ParameterError, match=r"the name of a table file must end in \.h5, got"):
        nl.read_columns(source, tmp_path / "mine.csv")


def test_nothing_is_left_where_reading_fails(write, tmp_path):
    source, target = write(CURVES + "b,2,0,1,1,1\n"), tmp_path / "out" / "mine.h5"
    with pytest.raises(DataError, match="rows 6 and 7"):
        nl.read_columns(source, target)
    bad = write("arch,epoch,val_acc,time\na,1,1,2.1\na,2,1,2.0\na,3,1,2.2\n")
    with pytest.raises(DataError, match="fewer seconds at a later epoch"):
        nl.read_columns(bad, target, cost="time")
    assert not target.parent.exists() or not list(target.parent.iterdir())


# Parquet.


def test_parquet_is_read_like_csv(read, tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = list(csv.DictReader(io.StringIO(CURVES)))
    data = {
        "arch": pa.array([row["arch"] for row in rows]).dictionary_encode(),
        "epoch": pa.array([float(row["epoch"]) for row in rows]),
        "seed": pa.array([int(row["seed"]) for row in rows]),
        "val_acc": pa.array([int(row["val_acc"]) for row in rows], pa.int8()),
        "test_acc": pa.array([float(row["test_acc"]) if row["test_acc"] else None for row in rows], pa.float32()),
        "train_seconds": pa.array([row["train_seconds"] for row in rows]),
        "lists": pa.array([[1]] * len(rows)),
    }
    parquet.write_table(pa.table(data), tmp_path / "mine.parquet", row_group_size=2)
    assert same(nl.read_columns(tmp_path / "mine.parquet"), read(CURVES))
    data["test_acc"] = pa.array([1, None, 2, None, 3])
    data["seed"] = pa.array([2**62 + 1, 2**62 + 1, 2**62 + 2, 2**62 + 1, 2**62 + 1])
    parquet.write_table(pa.table(data), tmp_path / "mine.parquet")
    table = nl.read_columns(tmp_path / "mine.parquet")
    assert table.description.repeats == (str(2**62 + 1), str(2**62 + 2))
    assert np.nansum(table.values("test_acc")) == 6


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_parquet_is_refused(tmp_path, data):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    whole = tmp_path / "whole.parquet"
    if not whole.exists():
        parquet.write_table(pa.table({"arch": [f"n{i}" for i in range(50)], "val_acc": np.arange(50) / 50}), whole)
    content = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(5, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(4, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(content)
    try:
        nl.read_columns(damaged)
    except NasbenchLabError as error:
        assert len(str(error).splitlines()) == 1


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    import builtins

    (tmp_path / "mine.parquet").write_bytes(b"PAR1....PAR1")
    original = builtins.__import__

    def without(name, *args, **options):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match=r"needs pyarrow: pip install 'nasbench-lab\[parquet\]'"):
        nl.read_columns(tmp_path / "mine.parquet")


def test_parquet_that_claims_too_much_is_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = 3_000_000
    columns = {"arch": pa.array(np.zeros(rows, np.int8)), "val_acc": pa.array(np.zeros(rows, np.int8))}
    parquet.write_table(pa.table(columns), tmp_path / "mine.parquet")
    with pytest.raises(DataError, match="claims to have 3000000 rows, far more than"):
        nl.read_columns(tmp_path / "mine.parquet")


# Properties.


def slowly(text, options):
    """Read a file the obvious way: per (architecture text, epochs, seed) what the row says."""
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        key = tuple(row[name] for name in options["architecture"]), int(row["epoch"]), row["seed"]
        found[key] = {name: float(row[name]) for name in ("val_acc", "loss") if row[name]}
    return found


@st.composite
def files(draw):
    """A file with some of all combinations of choices, epochs and seeds."""
    cells = {
        "op": draw(st.lists(st.sampled_from(["conv", "pool", "none", "7x7", "ä b"]), min_size=1, unique=True)),
        "width": draw(st.lists(st.integers(-3, 300), min_size=1, max_size=4, unique=True)),
        "epoch": draw(st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True)),
        "seed": draw(st.lists(st.integers(0, 10**20), min_size=1, max_size=3, unique=True)),
    }
    every = list(itertools.product(*cells.values()))
    keys = draw(st.lists(st.sampled_from(every), min_size=1, max_size=30, unique=True))
    value = st.one_of(st.just(""), st.floats(allow_nan=False, allow_infinity=False).map(repr))
    rows = [[*map(str, key), draw(value), draw(value)] for key in keys]
    rows[0][-2:] = ["0.5", "1.5"]
    return rows


def as_csv(rows):
    out = io.StringIO()
    csv.writer(out).writerows([["op", "width", "epoch", "seed", "val_acc", "loss"], *rows])
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:.*highest fidelity")
@given(rows=files(), listed=st.booleans(), seed=st.integers(0, 99))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_read_the_slow_way_in_any_order(tmp_path, rows, listed, seed):
    options = {"architecture": ["op", "width"], "space": "listed" if listed else None}
    path = tmp_path / "mine.csv"
    path.write_text(as_csv(rows), encoding="utf-8")
    table = nl.read_columns(path, **options)
    expected = slowly(as_csv(rows), options)
    measured = 0
    for (architecture, epochs, name), values in expected.items():
        index = table.space.parse(f"op={architecture[0]},width={architecture[1]}")
        repeat = table.description.repeats.index(name)
        for metric, value in values.items():
            axes = table.description.metric(metric).axes
            position = (index, table.fidelities.index(epochs), repeat)
            at = tuple(p for p, a in zip(position, ("architecture", "fidelity", "repeat"), strict=True) if a in axes)
            assert table.values(metric)[at] == value
        measured += "val_acc" in values
    assert np.isfinite(table.values("val_acc")).sum() == measured
    random.Random(seed).shuffle(rows)
    path.write_text(as_csv(rows), encoding="utf-8")
    assert same(nl.read_columns(path, **options), table)


@given(st.binary(max_size=300) | st.text(alphabet="arch,vl_\n\r\"'\t;|\x00é0123.e-", max_size=200).map(str.encode))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, content):
    path = tmp_path / "mine.csv"
    for start in (b"", b"arch,val_acc\n"):
        path.write_bytes(start + content)
        try:
            nl.read_columns(path)
        except NasbenchLabError as error:
            assert len(str(error).splitlines()) == 1


@given(
    kind=st.sampled_from(["chain", "gnn", "topology"]),
    seed=st.integers(0, 5),
    failures=st.sampled_from([0.0, 0.3]),
    notation=st.booleans(),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_written_as_csv_is_read_back(tmp_path, kind, seed, failures, notation):
    table = synthetic_table(kind, seed=seed, failures=failures)
    path = tmp_path / "mine.csv"
    some = np.random.default_rng(seed).permutation(table.space.size)[:300]
    written = export(table, path, some.tolist(), notation)
    description = table.description
    again = nl.read_columns(
        path,
        tmp_path / "mine.h5",
        architecture="architecture",
        space=description.space,
        epochs="epochs",
        repeat="repeat",
        valid=description.valid,
        test=description.test,
        cost=description.cost,
    )
    assert (again.fidelities, again.description.repeats) == (table.fidelities, tuple(sorted(description.repeats)))
    order = [description.repeats.index(name) for name in again.description.repeats]
    for metric in description.metrics:
        assert again.description.metric(metric.name).axes == metric.axes
        original = np.full_like(table.values(metric.name), np.nan)
        original[some] = table.values(metric.name)[some]
        if "repeat" in metric.axes:
            original = original[..., order]
        assert np.array_equal(again.values(metric.name), original, equal_nan=True)
    assert written == len(some) * 6


def export(table, path, architectures, notation):
    """Write some architectures of a table as CSV, the obvious way; returns the number of rows."""
    written = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["architecture", "epochs", "repeat", *table.metrics])
        axes = {m.name: m.axes for m in table.description.metrics}
        for index, (f, epochs), (r, name) in itertools.product(
            architectures, enumerate(table.fidelities), enumerate(table.description.repeats)
        ):
            position = {"architecture": index, "fidelity": f, "repeat": r}
            values = [table.values(m)[tuple(position[a] for a in axes[m])].item() for m in table.metrics]
            cells = ["" if math.isnan(value) else repr(value) for value in values]
            writer.writerow([table.space.format(index) if notation else index, epochs, name, *cells])
            written += 1
    return written


# The documentation.

IMPORT_PAGE = ROOT / "docs" / "import.md"


def test_the_examples_of_the_documentation_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, name, content in re.findall(r"```(python|text (\S+))\n(.*?)```", IMPORT_PAGE.read_text("utf-8"), re.S):
        if kind != "python":
            Path(name).write_text(content, encoding="utf-8")
            continue
        exec(compile(content, "import.md", "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        for promised in re.findall(r"^print\(.*\)  # (.*)$", content, re.M):
            assert any(promised.startswith(line) for line in printed), (promised, printed)
    assert len(list(tmp_path.glob("*.csv"))) >= 5


def test_every_option_is_documented():
    text = IMPORT_PAGE.read_text("utf-8")
    for option in inspect.signature(nl.read_columns).parameters:
        assert f"`{option}" in text, option


# Published files, as a user would read them.


@pytest.mark.mirror
def test_a_published_file_of_averages(mirror):
    path = mirror / "gabro8a/NAS-Landscapes/data/accuracy/cifar10_avg.csv"
    units = {"train-all-time": "s", "valid-per-time": "s"}
    table = nl.read_columns(path, epochs=200, cost=list(units), units=units)
    assert (table.description.valid, table.description.test) == ("valid-accuracy", "test-accuracy")
    assert table.objective.unit == "percent"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.lookup([int(row["index"]) for row in rows]).tolist() == [float(row["valid-accuracy"]) for row in rows]
    seconds = [[float(row["train-all-time"]) + float(row["valid-per-time"])] for row in rows]
    assert table.cost().tolist() == seconds


@pytest.mark.mirror
def test_a_published_file_of_one_column(mirror):
    path = mirror / "NiccoloCavagnero/FreeREA/cached_metrics/nats/cifar10/accuracies.csv"
    table = nl.read_columns(path, architecture="index", space="topology", epochs=200, test="accuracy")
    assert table.optimum("test") == pytest.approx(94.3733, abs=1e-4)
    assert int(np.nanargmax(table.lookup(np.arange(15_625)))) == 6111
