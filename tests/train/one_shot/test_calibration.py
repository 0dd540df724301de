"""The clock of searches that train networks: rows of a table are trained again, and their seconds are compared."""

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import DataError, MissingDataError, ParameterError
from nasbench_lab.tables import Table
from nasbench_lab.tables.subsets import subset
from nasbench_lab.testing import synthetic_table
from nasbench_lab.train.build.assembly import _description
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.build.stated_training import stated_training
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.one_shot import Calibration, calibrate, calibration
from nasbench_lab.train.one_shot.calibration import FILE, choose_rows, ratio_of_sums
from nasbench_lab.train.recipes import recipe

TABLE = "digits/chain"  # its networks take milliseconds per epoch


@pytest.fixture(autouse=True)
def one_thread_and_nothing_known(monkeypatch):
    monkeypatch.setattr(calibration, "_known", {})
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def slower(table, factor):
    """A table whose trainings took some times as long."""
    values = {name: table.values(name) * (factor if name == "seconds" else 1) for name in table.metrics}
    return Table(table.description, values)


def test_a_table_of_this_machine_has_about_scale_one():
    """The recorded seconds are replaced by seconds that are measured here and now."""
    table = subset(nl.load(TABLE), range(0, 4536, 400))
    stated = stated_training(table)
    rows = choose_rows(table.cost(1).mean(axis=1), representatives(table.space), 6, 0)
    values = {name: np.array(table.values(name)) for name in table.metrics}
    for row in rows:
        values["seconds"][row, 0] = min(calibration._seconds(table, row, stated, digits(), "cpu", 1) for _ in range(3))
    found = calibrate(Table(table.description, values), rows=6)
    assert 0.4 < found.scale < 2, "processor time of the same work; only noise is left"
    assert len(found.rows) == 6
    assert found.interval[0] < found.scale < found.interval[1]


def test_what_was_measured_is_what_is_told():
    table = subset(nl.load(TABLE), range(0, 4536, 400))
    found = calibrate(table, rows=4)
    assert found.recorded == tuple(table.cost(1).mean(axis=1)[list(found.rows)])
    assert found.scale == pytest.approx(sum(found.recorded) / sum(found.measured))
    assert found.epochs == 1
    assert (found.device, found.threads) == ("cpu", 1)
    assert str(found).startswith(f"1 s of this search is {found.scale:.3g} s of the table (95% interval ")
    assert calibrate(table, rows=4) is found, "a process measures once"


def test_a_slower_table_has_a_larger_scale(monkeypatch):
    table = subset(nl.load(TABLE), range(0, 4536, 400))
    seconds = iter([9.0, 1.0, 2.0, 3.0] * 2)  # the first training of each calibration is not counted
    monkeypatch.setattr(calibration, "_seconds", lambda *_: next(seconds))
    one, other = calibrate(table, rows=3), calibrate(slower(table, 10), rows=3)
    assert other.scale == pytest.approx(10 * one.scale)


def test_budgets_are_trained_from_scratch():
    """The 2 epochs of digits/cell101 are a training with a learning rate schedule of its own, validated at its end."""
    table = subset(nl.load("digits/cell101"), [0, 1])
    assert stated_training(table).budgets == (2, 4, 8, 16)
    found = calibrate(table, rows=2)
    assert found.epochs == 2
    assert all(seconds > 0 for seconds in found.measured)


def test_the_scale_is_kept_in_the_folder(tmp_path):
    table = subset(nl.load(TABLE), range(0, 4536, 400))
    found = calibrate(table, rows=2, folder=tmp_path / "results")
    calibration._known.clear()
    assert calibrate(table, rows=2, folder=tmp_path / "results") == found
    assert Calibration.of_data(json.loads(json.dumps(found.to_data()))) == found


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "nasbench-lab calibration"}', "\x00"])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(DataError, match=r"calibration.json is not a readable calibration.*delete it to measure again"):
        calibrate(nl.load(TABLE), rows=2, folder=tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale", -1),
        ("scale", "fast"),
        ("interval", 3),
        ("rows", None),
        ("threads", 0),
        ("more", 1),
        ("format", "other"),
    ],
)
def test_impossible_files_are_named(tmp_path, monkeypatch, key, value):
    monkeypatch.setattr(calibration, "_seconds", lambda *_: 1.0)
    table = nl.load(TABLE)
    calibrate(table, rows=2, folder=tmp_path)
    data = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**data, key: value}))
    with pytest.raises(DataError, match="is not a readable calibration"):
        calibrate(table, rows=2, folder=tmp_path)


def test_the_file_of_another_table_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "_seconds", lambda *_: 1.0)
    calibrate(nl.load(TABLE), rows=2, folder=tmp_path)
    with pytest.raises(DataError, match="is the calibration of another table, data set, device or number of threads"):
        calibrate(slower(nl.load(TABLE), 2), rows=2, folder=tmp_path)


class Forgetful(dict):
    """What a process knows, if every thread were a process of its own."""

    def __contains__(self, _key):
        return False


def test_searches_that_start_together_share_one_scale(tmp_path, monkeypatch):
    table, data = nl.load(TABLE), digits()
    monkeypatch.setattr(calibration, "_known", Forgetful())
    monkeypatch.setattr(calibration, "_seconds", lambda *_: float(threading.get_ident()))
    with ThreadPoolExecutor(3) as pool:
        started = [pool.submit(calibrate, table, dataset=data, rows=2, folder=tmp_path) for _ in range(3)]
        found = [each.result() for each in started]
    assert found[0] == found[1] == found[2]


def test_tables_that_cannot_be_trained_again():
    found = calibrate(synthetic_table("topology"))
    assert (found.scale, found.interval, found.rows) == (1.0, None, ())
    assert "was not trained with this package, so the seconds are those of this machine" in found.note
    other = dataclasses.replace(digits(), name="mine", valid=digits().test)
    found = calibrate(nl.load(TABLE), dataset=other)
    assert found.scale == 1
    assert "digits/chain was trained on other data than mine" in str(found)


def test_a_table_without_times_is_an_error():
    table = nl.load(TABLE)
    description = dataclasses.replace(table.description, cost=())
    without = Table(description, {name: table.values(name) for name in table.metrics})
    with pytest.raises(MissingDataError, match="has no times, so a search has no seconds on its clock; give scale=1"):
        calibrate(without)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), "2", None, True])
def test_scales_are_positive_numbers(scale):
    with pytest.raises(ParameterError, match="scale must be"):
        Calibration.given(scale)


@given(st.integers(2, 60), st.integers(0, 9), st.integers(0, 2**31))
def test_rows_represent_all_costs(rows, copies, seed):
    """One row per stratum, of different networks only, the same for the same seed."""
    random = np.random.default_rng(seed)
    shared = np.arange(50) // (copies + 1) * (copies + 1)
    recorded = random.permutation(50).astype(float)[shared]
    recorded[shared == shared[7]] = np.nan
    chosen = choose_rows(recorded, shared, rows, seed)
    networks = np.unique(shared)
    networks = networks[~np.isnan(recorded[networks])]
    assert chosen == choose_rows(recorded, shared, rows, seed)
    assert len(set(chosen)) == len(chosen) == min(rows, len(networks))
    assert set(chosen) <= set(networks)
    strata = np.array_split(np.sort(recorded[networks]), len(chosen))
    assert all(part[0] <= recorded[each] <= part[-1] for part, each in zip(strata, chosen, strict=True))


def test_the_interval_holds_the_ratio_in_95_of_100_cases():
    random, held = np.random.default_rng(0), 0
    for _ in range(2000):
        measured = random.uniform(1, 3, 24)
        recorded = 1.3 * measured * random.choice([0.9, 1.35], 24, p=[7 / 9, 2 / 9])  # of mean 1, as of a busy machine
        _, (low, high) = ratio_of_sums(recorded, measured)
        held += low < 1.3 < high
    assert 0.91 < held / 2000 < 0.97


@pytest.mark.parametrize("budgets", [(), (2, 3)])
@pytest.mark.parametrize("name", ["digits", "nas-bench-101"])
@pytest.mark.parametrize("network", [{}, {"channels": 2, "cells": 1}])
def test_what_a_build_states_is_read_again(budgets, name, network):
    """The inverse of what `assemble` writes."""
    made = dataclasses.replace(recipe(name), source=f"a text with brackets (and; signs), {recipe(name).source}")
    spec = BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, made, (3, 5), budgets, network)
    description = _description(spec, digits(), {})
    table = _Described(description, {})
    found = stated_training(table)
    assert found.recipe == made
    assert (dict(found.network), found.seeds, found.budgets) == (network, (3, 5), budgets)
    assert found.data == digits().digest()


@dataclasses.dataclass
class _Described:
    """A table without numbers."""

    description: object
    values: dict

    @property
    def fidelities(self):
        return self.description.fidelities


@pytest.mark.parametrize(
    "source",
    [
        "",
        "trained somewhere",
        "from the seeds [0] each; Recipe(); data: x (sha256 {})",
        "from the seeds [0] each; Recipe(name=__import__('os').system('true')); data: x (sha256 {})",
        "from the seeds [0] each; Recipe(name='a', epochs=0, batch=5, learning_rate=1); data: x (sha256 {})",
        "from the seeds [0] each; Recipe(name='a'; data: x (sha256 {})",
    ],
)
def test_other_texts_state_no_training(source):
    description = dataclasses.replace(nl.load(TABLE).description, source=source.format("0" * 64))
    assert stated_training(_Described(description, {})) is None
