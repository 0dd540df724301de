"""NAS-Bench-101 and EC-NAS: every number of a file is in its table, and a file that is not right is refused."""

import base64
import functools
import gzip
import io
import json
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nas_bench_101_files import (
    NAMES,
    Model,
    double,
    evaluation,
    framed,
    message,
    models,
    protobuf_class,
    read_slowly,
    row,
    rows_of,
    text,
    varint,
    write,
)

import nasbench_lab as nl
from nasbench_lab.errors import DataError, NasbenchLabError, SourceError
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.tables import open_table
from nasbench_lab.tables.importers import ec_nas
from nasbench_lab.tables.importers.ec_nas_scaled import ScaledAmounts
from nasbench_lab.tables.importers.nas_bench_101 import messages as nas_bench_101_messages
from nasbench_lab.tables.importers.nas_bench_101 import reader as nas_bench_101_reader
from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101
from nasbench_lab.tables.importers.nas_bench_101.messages import MalformedError, MessageReader, WireField
from nasbench_lab.tables.importers.nas_bench_101.rows import codes_of, parse_rows
from nasbench_lab.tables.known_answers import KNOWN_ANSWERS, KnownAnswer
from nasbench_lab.tables.reading import tfrecord

METRICS = dict(zip(NAMES, ("train_seconds", "train_accuracy", "valid_accuracy", "test_accuracy"), strict=True))
models = functools.cache(models)


def convert(path):
    """Convert a file next to it, and see that nothing else is there afterwards, whether it works or not."""
    target = path.parent / "out" / "table.h5"
    target.parent.mkdir(exist_ok=True)
    try:
        nas_bench_101.convert(path, target)
    finally:
        left = sorted(file.name for file in target.parent.iterdir())
        assert left in ([], ["table.h5"]), left
    return open_table(target)


def nothing(*_):
    return False


def check_against(table, content, energy=False, leave_out=nothing):
    """Compare every number of a table with those that the slow reader finds."""
    seen = {}
    for module_hash, epochs, adjacency, operations, metrics in read_slowly(content, energy):
        index = table.space.parse(module_hash)
        assert table.space.index_of_cell(adjacency, operations) == index
        repeat = seen.setdefault((index, epochs), 0)
        seen[index, epochs] += 1
        expected = expected_of(metrics, energy)
        where = index, table.fidelities.index(epochs), repeat
        for name, value in expected.items():
            if name in table.metrics:
                found = table.values(name)[where[: table.values(name).ndim]]
                assert math.isnan(found) if leave_out(name, epochs) else found == value, (name, where)
        assert set(table.metrics) <= set(expected)
        assert round(float(table.values("parameters")[index]) * 1e6) == metrics.trainable_parameters
    measured = table.values("train_seconds")
    assert np.count_nonzero(~np.isnan(measured)) == sum(seen.values())


def expected_of(metrics, energy):
    """Our names of all numbers in a message."""
    _, halfway, final, *_ = metrics.evaluation_data
    expected = {"parameters": metrics.trainable_parameters / 1e6}
    for prefix, part in (("halfway_", halfway), ("", final)):
        expected |= {prefix + ours: getattr(part, theirs) for theirs, ours in METRICS.items()}
        if energy:
            expected |= {f"{prefix}energy": part.energy, f"{prefix}co2eq": part.co2eq}
            expected[f"{prefix}carbon_intensity"] = part.avg_intensity
    if energy:
        expected |= {"predicted_energy": final.pred_energy, "predicted_co2eq": final.pred_co2eq}
        expected |= {"predicted_seconds": final.pred_training_time}
        expected |= {"predicted_carbon_intensity": final.pred_avg_intensity, "total_seconds": metrics.total_time}
        expected |= {"total_energy": metrics.total_energy, "total_co2eq": metrics.total_co2eq}
        expected["total_carbon_intensity"] = metrics.overall_avg_intensity
        for name in ("gpu", "cpu"):
            device = getattr(metrics.avg_power_usages, name)
            (power,), (joules,) = device.avg_power_usages_w, device.avg_power_usages_j
            expected |= {f"{name}_power": power.avg_power_usage, f"{name}_energy": joules.avg_power_usage}
    return expected


def of_4_epochs_only(name, epochs):
    of_energy = name.startswith(("halfway_", "predicted_", "total_", "gpu_", "cpu_"))
    return of_energy and epochs != 4


@pytest.mark.mirror
@pytest.mark.parametrize("recipe", ec_nas.RECIPES, ids=lambda recipe: recipe.description.name)
def test_every_number_of_ec_nas(recipe):
    table = recipe.make()
    estimate = table.name == "ec-nas/4v9e-estimate"
    leave_out = of_4_epochs_only if estimate else nothing
    check_against(table, recipe.files[0].read(), energy=True, leave_out=leave_out)
    for name in table.metrics:
        if not (estimate and of_4_epochs_only(name, 108)):
            assert not np.isnan(table.values(name)).any(), name
    assert ("halfway_test_accuracy" in table.metrics) is not estimate


@pytest.mark.mirror
def test_ec_nas_files_of_users(mirror, tmp_path):
    folder = mirror / "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
    for name, epochs in (("energy_4V9E", (4, 12, 36, 108)), ("energy_5V9E", (4,))):
        ec_nas.convert(folder / f"{name}.tfrecord", tmp_path / "energy.h5")
        nas_bench_101.convert(folder / f"{name}.tfrecord", tmp_path / "plain.h5")
        for file, energy in (("energy.h5", True), ("plain.h5", False)):
            table = open_table(tmp_path / file)
            assert table.fidelities == epochs
            assert ("energy" in table.metrics) is energy
            check_against(table, (folder / f"{name}.tfrecord").read_bytes(), energy=True)


ENERGY = ("energy", "co2eq", "training_time")


def scaled_file(path, device=b"NVIDIA GeForce RTX 9090", halfway=None):
    """Write a file like EC-NAS's estimates: one training of 4 epochs, and its amounts scaled to 12 and 36."""
    kind = protobuf_class(energy=True)
    generator = np.random.default_rng(0)
    rows = []
    for model in models(3):
        amounts, accuracies = generator.random(3) + 1, generator.random((3, 3))
        for times, (train, valid, test) in zip((1, 3, 9), accuracies, strict=True):
            content = kind(trainable_parameters=model.parameters, total_time=9.0, total_energy=2.0, total_co2eq=3.0)
            for part in range(3):
                factor = times if part == 2 or halfway == "scaled" else 1
                numbers_ = dict(zip(ENERGY, amounts * (part / 2) * factor, strict=True))
                content.evaluation_data.add(
                    current_epoch=part, train_accuracy=train, validation_accuracy=valid, test_accuracy=test, **numbers_
                )
            usage = double(1, 7.0)
            gpu = text(1, usage) + text(2, usage) + text(3, text(1, device))
            rows.append(row(model, 4 * times, content.SerializeToString() + text(9, text(1, gpu))))
    return write(path, rows)


@pytest.mark.parametrize(("halfway", "name"), [(None, "ec-nas/3v9e-estimate"), ("scaled", "ec-nas/3v9e-rtx9090")])
def test_scaled_files_of_ec_nas(tmp_path, halfway, name):
    path = scaled_file(tmp_path / "energy.tfrecord", halfway=halfway)
    ec_nas.convert(path, tmp_path / "energy.h5")
    table = open_table(tmp_path / "energy.h5")
    assert (table.name, table.fidelities, table.repeats) == (name, (4, 12, 36), 1)
    assert not any(metric.endswith("accuracy") and metric.startswith("halfway") for metric in table.metrics)
    assert ("halfway_energy" in table.metrics) is (halfway is None)
    for metric in ("train_seconds", "energy", "co2eq"):
        values = table.values(metric)[..., 0]
        assert values == pytest.approx(values[:, :1] * [1, 3, 9], rel=1e-12)
    for metric in ("total_energy", "total_seconds", "gpu_power"):
        assert (~np.isnan(table.values(metric))).sum(axis=(0, 2)).tolist() == [table.space.size, 0, 0]
    notes = " ".join(table.description.notes)
    assert "measured for 4 epochs" in notes
    assert "those times 3 and 9 beyond" in notes
    assert halfway is None or "NVIDIA GeForce RTX 9090" in notes


def test_measured_files_are_not_taken_for_scaled_ones(tmp_path):
    every = list(read_slowly(scaled_file(tmp_path / "energy.tfrecord").read_bytes(), energy=True))
    rows = []
    for module_hash, epochs, adjacency, operations, content in every:
        content.evaluation_data[2].training_time *= 1 + 1e-6 * (epochs == 12)
        bits = "".join(map(str, adjacency.ravel().tolist()))
        rows.append(row(Model(module_hash, bits, ",".join(operations), 0), epochs, content.SerializeToString()))
    ec_nas.convert(write(tmp_path / "measured.tfrecord", rows), tmp_path / "energy.h5")
    table = open_table(tmp_path / "energy.h5")
    assert table.name == "ec-nas/3v9e"
    assert "halfway_test_accuracy" in table.metrics


def test_scaled_files_must_be_so_to_their_end(tmp_path, monkeypatch):
    monkeypatch.setattr(ec_nas, "recognise", lambda *_: ScaledAmounts("estimate", ""))
    path = write(tmp_path / "energy.tfrecord", rows_of(models(3), (4, 12), repeats=1))
    with pytest.raises(DataError, match="begins with seconds that are proportional to the epochs, but later ones are"):
        ec_nas.convert(path, tmp_path / "energy.h5")
    assert not (tmp_path / "energy.h5").exists()


@pytest.mark.mirror
def test_an_estimate_imported_by_hand_is_that_of_the_catalogue(mirror, tmp_path):
    folder = mirror / "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
    ec_nas.convert(folder / "energy_4V9E_estimate.tfrecord", tmp_path / "energy.h5")
    table = open_table(tmp_path / "energy.h5")
    (made,) = (recipe.make() for recipe in ec_nas.RECIPES if recipe.description.name == table.name)
    assert table.name == "ec-nas/4v9e-estimate"
    assert table.metrics == made.metrics
    assert table.description.repeats == made.description.repeats
    for name in table.metrics:
        assert np.array_equal(table.values(name), made.values(name), equal_nan=True), name


@pytest.mark.mirror
def test_means_of_all_models():
    (recipe,) = (recipe for recipe in nas_bench_101.RECIPES if recipe.description.name == "nas-bench-101/means")
    table = recipe.make()
    accuracy = table.mean_values("test_accuracy")
    assert table.space.size == np.count_nonzero(~np.isnan(accuracy)) == 423_624
    assert 1 - accuracy.max() == 0.056824247042338016
    assert accuracy.mean() == pytest.approx(0.896798, abs=5e-7)
    assert table.description.valid is None
    # EC-NAS publishes hashes, means and parameters of small cells: they must be in the rows of their hashes.
    whole = table.space
    for name in ("ec-nas/4v9e-estimate", "ec-nas/5v9e"):
        (small,) = (recipe.make() for recipe in ec_nas.RECIPES if recipe.description.name == name)
        rows = whole.parse([small.space.module_hash(index) for index in range(small.space.size)])
        assert np.array_equal(np.round(table.lookup(rows, metric="parameters") * 1e6), small_parameters(small))
        if name.endswith("estimate"):
            assert table.lookup(rows) == pytest.approx(small.mean_values("test_accuracy", 108), abs=1e-7)


def small_parameters(table):
    return np.round(table.values("parameters") * 1e6)


def test_damaged_means_are_refused():
    (recipe,) = (recipe for recipe in nas_bench_101.RECIPES if recipe.description.name == "nas-bench-101/means")
    bomb = gzip.compress(bytes(2**26))
    for content, message_ in ((bomb, "unpacks to more than"), (b"noise", "not a readable gzip"), (bomb[:50], "trunc")):
        with pytest.raises(DataError, match=message_):
            recipe.importer(recipe.description, [content, content])


@pytest.mark.parametrize("vertices", [2, 4])
@pytest.mark.parametrize("fidelities", [(108,), (4, 12, 36, 108)])
def test_every_number_of_a_file(tmp_path, vertices, fidelities):
    rows = rows_of(models(vertices), fidelities)
    table = convert(write(tmp_path / "all.tfrecord", rows))
    assert (table.fidelities, table.repeats, table.space.size) == (fidelities, 3, len(models(vertices)))
    check_against(table, (tmp_path / "all.tfrecord").read_bytes())
    assert table.description.notes == table.description.notes[:1]
    assert table.cost(108).shape == (table.space.size, 3)


def test_rows_may_be_in_any_order_and_written_in_any_way(tmp_path):
    generator = np.random.default_rng(0)
    rows = rows_of(models(4)[:30], (4, 108))
    rows += rows_of(models(4)[30:60], (4, 108), encode=base64.b64encode)
    for model in models(4)[60:]:
        content = message(
            (1, 0.5, 0.5, 0.5), (2, 0.25, 0.5, 0.75), model.parameters, 4, b"/path/model.ckpt-%d" % model.parameters
        )
        plain = row(model, 4, content)
        rows += [plain, json.dumps(json.loads(plain), indent=1).encode(), plain.replace(b"/", b"\\/")]
    generator.shuffle(rows)
    path = write(tmp_path / "mixed.tfrecord", rows)
    check_against(convert(path), path.read_bytes())


def test_a_file_that_begins_with_less_than_it_has(tmp_path, monkeypatch):
    """The frame of the first records is too small, twice."""
    monkeypatch.setattr(tfrecord, "_CHUNK", 2**16)
    monkeypatch.setattr(nas_bench_101_reader, "LONGEST_RECORD", 2**16)
    rows = rows_of(models(3), (36,))
    rows += rows_of([model for model in models(4) if len(model.bits) == 16], (36,))
    rows += rows_of(models(4), (108,)) + rows_of(models(3), (12,))
    path = write(tmp_path / "growing.tfrecord", rows)
    assert path.stat().st_size > 2 * 2**16
    calls = []
    target = tmp_path / "growing.h5"
    nas_bench_101.convert(path, target, progress=lambda done, total: calls.append((done, total)))
    table = open_table(target)
    assert table.fidelities == (12, 36, 108)
    check_against(table, path.read_bytes())
    assert calls[-1] == (path.stat().st_size,) * 2
    assert {total for _, total in calls} == {path.stat().st_size}


def test_what_is_missing_is_missing_and_noted(tmp_path):
    rows = rows_of(models(4)[:90], (4, 108))
    table = convert(write(tmp_path / "part.tfrecord", rows))
    assert table.description.notes[-1] == "Measurements of 1 of the 91 models are missing, as in the file."
    assert np.isnan(table.values("test_accuracy")[90]).all()
    table = convert(write(tmp_path / "part.tfrecord", rows_of(models(4), (4, 108))[:-1]))
    assert table.description.notes[-1].startswith("1 models have fewer than 3 trainings")
    assert np.count_nonzero(np.isnan(table.values("test_accuracy"))) == 1


def test_published_optima_are_compared(tmp_path, monkeypatch):
    path = write(tmp_path / "all.tfrecord", rows_of(models(4)))
    table = convert(path)
    monkeypatch.setattr(nas_bench_101, "MAX_VERTICES", 4)
    found = convert(path).description
    assert found.name == "nas-bench-101/only108"
    wrong = found.notes[1:]
    assert wrong[0].startswith("These are not the official measurements: best mean test performance is 0.")
    assert len(wrong) == len(KNOWN_ANSWERS[found.name])
    right = KnownAnswer("best", table.optimum("test"), 0, lambda table: table.optimum("test"), "this test")
    monkeypatch.setitem(KNOWN_ANSWERS, found.name, (right,))
    assert len(convert(path).description.notes) == 1


def test_the_official_files_are_recipes():
    full, only = (recipe for recipe in nas_bench_101.RECIPES if recipe.description.name != "nas-bench-101/means")
    assert (full.description.fidelities, only.description.fidelities) == ((4, 12, 36, 108), (108,))
    assert full.file.address.endswith("nasbench_full.tfrecord")
    assert {recipe.description.name for recipe in (full, only)} == {"nas-bench-101/full", "nas-bench-101/only108"}


GOOD = message((1.0, 0.5, 0.5, 0.5), (2.0, 0.25, 0.5, 0.75), 1_000)
ANY = Model("", "0110001100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output", 1_000)
ANY = ANY._replace(module_hash="5529e1779433733d1145e20de5d8604e")


def bad(**changes):
    return row(ANY._replace(**changes), 108, GOOD)


def measured(*final, parameters=b"\x10\x07", third=True):
    parts = [evaluation(0, (0, 0, 0, 0)), evaluation(54, (1, 0, 0, 0)), evaluation(108, final)][: 3 if third else 2]
    return row(ANY, 108, b"".join(text(1, part) for part in parts) + parameters)


BAD_ROWS = {
    "no JSON": (b"nothing", "not JSON"),
    "deep JSON": (b"[" * 5_000, "not JSON"),
    "no text": (b'["\xff"]', "not JSON"),
    "another list": (b"[1, 2]", "not a list of module hash"),
    "an object": (b"{}", "not a list of module hash"),
    "two rows": (bad() + b"," + bad(), "not JSON"),
    "line break": (bad().replace(b", 108", b"\n, 108") + b"\n" + bad(), "not JSON"),
    "epochs as text": (bad().replace(b"108", b'"108"'), "not a list of"),
    "epochs as truth": (bad().replace(b"108", b"true"), "not a list of"),
    "no epochs": (bad().replace(b"108", b"0"), "malformed number of epochs"),
    "negative epochs": (bad().replace(b"108", b"-4"), "malformed number of epochs"),
    "endless epochs": (bad().replace(b"108", b"9" * 4_000), "malformed number of epochs"),
    "short hash": (bad(module_hash="5529"), "malformed module hash"),
    "unknown hash": (bad(module_hash="0" * 32), "no cell of at most 4 vertices has the module hash 0{32}"),
    "another hash": (bad(module_hash="043721b9c7fe8c5fad811d47d83132ec"), "are not the cell of the module hash"),
    "another matrix": (bad(bits="0111001100010000"), "are not the cell of the module hash"),
    "no square": (bad(bits="011000110001000"), "the matrix has 15 entries"),
    "eight vertices": (bad(bits="0" * 64), "the matrix has 64 entries"),
    "not triangular": (bad(bits="0110101100010000"), "not upper triangular"),
    "a loop": (bad(bits="1110001100010000"), "not upper triangular"),
    "disconnected": (bad(bits="0" * 16), "the input of the cell does not lead to its output"),
    "other digits": (bad(bits="0210001100010000"), "malformed adjacency matrix"),
    "no operation": (bad(operations=""), "malformed list of operations"),
    "too few operations": (bad(operations="input,maxpool3x3,output"), "different numbers of vertices"),
    "unknown operation": (bad(operations="input,conv9x9,conv3x3-bn-relu,output"), "unknown operation 'conv9x9'"),
    "no input": (bad(operations="maxpool3x3,maxpool3x3,maxpool3x3,output"), "from 'input' to 'output'"),
    "one operation": (bad(operations="output"), "from 'input' to 'output'"),
    "no Base64": (bad().replace(b'"Cg', b'"?g').replace(b'"Ci', b'"?i'), "malformed Base64 text"),
    "cut Base64": (bad()[:-5] + b'"]', "padding|Base64|damaged"),
    "stray padding": (re.sub(rb'"C(.)', rb'"=\1', bad()), "[Pp]adding"),
    "no message": (row(ANY, 108, b"\x00"), "damaged|lack"),
    "cut message": (row(ANY, 108, GOOD[:-3]), "damaged measurements: a field ends after"),
    "endless number": (row(ANY, 108, b"\xff" * 30), "damaged measurements: a number does not end"),
    "groups": (row(ANY, 108, b"\x0b\x0c"), "wire type 3 is not supported"),
    "huge field": (row(ANY, 108, b"\x0a\xff\xff\xff\xff\x7f"), "a field ends after the end of its message"),
    "one evaluation less": (measured(1, 1, 1, 1, third=False), "lack train_seconds, train_accuracy"),
    "no parameters": (measured(1, 1, 1, 1, parameters=b""), "the measurements lack parameters"),
    "negative parameters": (measured(1, 1, 1, 1, parameters=b"\x10" + b"\xff" * 9 + b"\x01"), "negative or too large"),
    "infinite time": (measured(math.inf, 1, 1, 1), "train_seconds cannot be inf"),
    "unknown time": (measured(math.nan, 1, 1, 1), "train_seconds cannot be nan"),
    "negative time": (measured(-1, 1, 1, 1), "train_seconds cannot be -1"),
    "percent": (measured(1, 1, 94.3, 1), "valid_accuracy cannot be 94.3"),
    "long record": (bad() + b" " * 2**16, "more than the allowed"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_record_is_named(tmp_path, name):
    content, what = BAD_ROWS[name]
    good = rows_of(models(4)[:7], (4,))
    offset = sum(len(framed(one)) for one in good)
    path = write(tmp_path / "bad.tfrecord", [*good, content, *good])
    with pytest.raises(DataError, match=rf"^bad.tfrecord, record 21 at byte {offset}: .*(?:{what})") as error:
        convert(path)
    assert "\n" not in str(error.value)


def test_a_fourth_repeat_is_refused(tmp_path):
    path = write(tmp_path / "four.tfrecord", rows_of(models(4)[:2], (108,)) + rows_of(models(4)[:1], (108,), repeats=1))
    with pytest.raises(
        DataError, match=r"record 6 at byte .* more than 3 records of one architecture and number of ep"
    ):
        convert(path)


def test_too_many_numbers_of_epochs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(nas_bench_101_reader, "_MOST_FIDELITIES", 5)
    rows = [row(ANY, epochs, GOOD) for epochs in range(1, 7)]
    with pytest.raises(DataError, match="more than 5 different numbers of epochs"):
        convert(write(tmp_path / "many.tfrecord", rows))


def test_what_is_no_file(tmp_path):
    with pytest.raises(SourceError, match=r"cannot read .*none.tfrecord: No such file"):
        convert(tmp_path / "none.tfrecord")
    with pytest.raises(SourceError, match="cannot read"):
        convert(tmp_path)
    (tmp_path / "empty.tfrecord").touch()
    with pytest.raises(DataError, match=r"empty.tfrecord has no records"):
        convert(tmp_path / "empty.tfrecord")


FILES = [b"".join(map(framed, rows_of(models(3), (4, 108), seed=seed))) for seed in range(2)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), st.data())
def test_a_damaged_file_is_refused(tmp_path, content, data):
    changed = bytearray(content)
    where = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        changed[where] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del changed[where:]
    path = tmp_path / "damaged.tfrecord"
    path.write_bytes(changed)
    try:
        check_against(convert(path), bytes(changed))  # cut exactly between two records
    except NasbenchLabError as error:
        assert isinstance(error, DataError), error
        assert "\n" not in str(error)
        assert str(error).startswith("damaged.tfrecord")
    finally:  # only now, as a table is read when it is used
        (tmp_path / "out" / "table.h5").unlink(missing_ok=True)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(rows_of(models(4)[:20], (108,))), st.data())
def test_hostile_rows_with_right_checksums(tmp_path, content, data):
    """Whatever bytes of a row are replaced, removed or repeated: a table, or one line that names the record."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(changed)))
        end = min(len(changed), start + data.draw(st.integers(0, 12)))
        piece = data.draw(
            st.one_of(st.binary(max_size=12), st.sampled_from([b'"', b",", b"[", b"]", b"\\", b"\n", b"0"]))
        )
        changed[start:end] = piece
    path = write(tmp_path / "hostile.tfrecord", [*rows_of(models(4)[20:22], (108,)), bytes(changed)])
    try:
        convert(path)
    except DataError as error:
        assert re.match(r"hostile.tfrecord, record 6 at byte \d+: .", str(error)), error
        assert "\n" not in str(error)


FIELDS = {
    "parameters": WireField((2,), "count"),
    "total": WireField((3,)),
    **{
        f"{name}_{which}": WireField((1, which, number))
        for which in range(3)
        for number, name in enumerate(NAMES, start=2)
    },
}
evaluations = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.floats(allow_nan=False, width=64), max_size=4), max_size=4
)
unknown = st.lists(
    st.tuples(st.integers(20, 3_000), st.sampled_from(["number", "double", "text", "float"]), st.binary(max_size=20)),
    max_size=3,
)


def encoded(number, kind, content):
    """A field that no description knows."""
    if kind == "number":
        return varint(number << 3) + varint(int.from_bytes(content[:8], "little"))
    if kind == "double":
        return double(number, 1.5)
    return text(number, content) if kind == "text" else varint(number << 3 | 5) + b"1234"


@given(st.lists(st.tuples(evaluations, st.none() | st.integers(0, 2**31 - 1), unknown, st.booleans()), max_size=8))
def test_messages_against_protobuf(drawn):
    kind = protobuf_class()
    contents, expected = [], []
    for parts, parameters, extra, first in drawn:
        built = kind(trainable_parameters=parameters) if parameters is not None else kind()
        for part in parts:
            built.evaluation_data.add(checkpoint_path="some/path", **part)
        fields = b"".join(encoded(*field) for field in extra)
        contents.append(fields + built.SerializeToString() if first else built.SerializeToString() + fields)
        assert kind.FromString(contents[-1]).trainable_parameters == (parameters or 0)
        values = dict.fromkeys(FIELDS, math.nan) | {"parameters": math.nan if parameters is None else float(parameters)}
        values |= {f"{name}_{i}": value for i, part in enumerate(parts[:3]) for name, value in part.items()}
        expected.append(values)
    reader = MessageReader(FIELDS)
    for _ in range(2):  # the second time, all layouts are known
        found = reader.read(contents)
        for name in FIELDS:
            assert np.array_equal(found[name], [values[name] for values in expected], equal_nan=True), name


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4))
@example([b"\x00" * 8])  # field number 0
@example([b"\xf8\xff\xff\xff\x1f\x01"])  # a field number of 30 bits
def test_noise_as_messages(contents):
    kind = protobuf_class()
    try:
        found = MessageReader(FIELDS).read(contents)
    except MalformedError as error:
        assert 0 <= error.position < len(contents)
        return
    assert all(len(column) == len(contents) for column in found.values())
    for content in contents:
        kind.FromString(content)  # what is read here is a message there


def test_layouts_are_forgotten_before_there_are_too_many(monkeypatch):
    monkeypatch.setattr(nas_bench_101_messages, "_MOST_LAYOUTS", 4)
    reader = MessageReader({"a": WireField((1,), "count")})
    contents = [b"\x08\x07" + encoded(number, "text", b"x" * (number - 20)) for number in range(20, 60)]
    assert reader.read(contents)["a"].tolist() == [7.0] * 40
    assert sum(map(len, reader._layouts.values())) <= 4


@pytest.mark.parametrize("vertices", [4, 7])
def test_drawings_become_codes(vertices):
    space = Cell101Space(vertices)
    index = np.random.default_rng(0).choice(space.size, 80, replace=False)
    chosen = []
    for one in index.tolist():
        adjacency, operations = space.cell(one)
        bits = "".join(map(str, adjacency.astype(int).ravel().tolist()))
        chosen.append(Model(space.module_hash(one), bits, ",".join(["input", *operations, "output"]), 1_000))
    content = b"".join(framed(row(model, 108, GOOD)) for model in chosen)
    (batch,) = tfrecord.batches(io.BytesIO(content), "cells.tfrecord")
    rows = parse_rows(batch)
    assert np.array_equal(codes_of(rows.drawings, vertices), space.codes(index))


def test_catalogue_names():
    names = {recipe.description.name for recipe in (*nas_bench_101.RECIPES, *ec_nas.RECIPES)}
    assert names <= set(nl.list_tables())
