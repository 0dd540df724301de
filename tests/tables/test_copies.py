"""Tables, spaces and results can be copied and pickled, before and after they have kept what they computed."""

import pickle

import numpy as np
import pytest
from copies import COPIES, in_new_process

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError
from nasbench_lab.simulation.results import Results, open_traces
from nasbench_lab.simulation.trace_files import save_traces
from nasbench_lab.tables import Table, open_table, write
from nasbench_lab.testing import synthetic_table


def in_memory(_folder):
    return synthetic_table("chain")


def with_means(_folder):
    table = synthetic_table("chain")
    means = {"valid_accuracy": np.arange(243 * 2.0).reshape(243, 2)}
    values = {name: table.values(name).copy() for name in table.metrics}
    values["valid_accuracy"][:5] = np.nan
    return Table(table.description, values, means)


def from_file(folder):
    write(synthetic_table("chain"), folder / "table.h5")
    return open_table(folder / "table.h5")


def everything(table):
    """Answers of all kinds of queries, as text, in which missing values are equal."""
    answers = (
        [table.query(index, epochs, repeat) for index in (0, 7) for epochs in (None, 4) for repeat in ("mean", 1)],
        table.lookup([0, 7, 9], 4).tolist(),
        table.row("valid_accuracy", 3).tolist(),
        table.cost().tolist(),
        table.space.neighbors(5).tolist(),
        table.space.neighbor_table.tolist(),
        table.query("01020"),
    )
    return repr(answers)


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("make", [in_memory, with_means, from_file])
def test_a_copy_of_a_table_answers_the_same(tmp_path, make, kind):
    table = make(tmp_path)
    fresh = COPIES[kind](table)
    answers = everything(table)
    used = COPIES[kind](table)
    assert everything(fresh) == everything(used) == answers
    assert everything(COPIES[kind](used)) == answers
    with pytest.raises(ValueError, match="read-only"):
        used.values("valid_accuracy")[0] = 1


def test_a_pickle_of_a_table_file_has_no_numbers_and_names_the_file_wherever_it_is_read(tmp_path, monkeypatch):
    write(synthetic_table("topology"), tmp_path / "table.h5")
    monkeypatch.chdir(tmp_path)
    table = open_table("table.h5")
    answers = table.query(7), table.lookup(range(50)).tolist()
    pickled = pickle.dumps(table)
    assert len(pickled) < 50_000 < (tmp_path / "table.h5").stat().st_size
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert (again.query(7), again.lookup(range(50)).tolist()) == answers


def test_a_copy_of_a_table_file_verifies_it_again(tmp_path):
    write(synthetic_table("chain"), tmp_path / "table.h5")
    table = open_table(tmp_path / "table.h5")
    table.query(0)
    pickled = pickle.dumps(table)
    content = (tmp_path / "table.h5").read_bytes()
    numbers = table.values("valid_accuracy").tobytes()
    (tmp_path / "other.h5").write_bytes(content.replace(numbers, bytes(len(numbers))))
    (tmp_path / "other.h5").replace(tmp_path / "table.h5")
    with pytest.raises(DataError, match="does not match its checksum"):
        pickle.loads(pickled).query(0)


def test_tables_are_sent_to_new_processes(tmp_path):
    table = from_file(tmp_path)
    answers = everything(table)
    assert in_new_process(everything, table) == answers


SPACES = [
    spaces.ChainSpace("abc", 4),
    spaces.TopologySpace(),
    spaces.Cell101Space(4),
    spaces.TransMacroSpace(),
]


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_copy_of_a_space_answers_the_same_without_carrying_what_was_computed(space, kind):
    def answers(one):
        first = one.format(0)
        return one.neighbors(0).tolist(), first, one.parse(first), one.codes(1).tolist(), one.degree([0, 1]).tolist()

    before = len(pickle.dumps(space))
    known = answers(space)
    space.neighbor_table  # noqa: B018 - to keep it
    assert answers(COPIES[kind](space)) == known
    assert len(pickle.dumps(space)) == before


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_of_results_has_the_same_traces(tmp_path, kind):
    traces = [nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))]
    save_traces(traces, tmp_path / "traces.h5")
    for results in (Results.of(traces), open_traces(tmp_path / "traces.h5")):
        for again in (COPIES[kind](results), COPIES[kind](results)):
            assert again.trace(0).observed.tolist() == results.trace(0).observed.tolist()
            assert again.settings == results.settings
