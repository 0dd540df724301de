"""Tables that compute their answers: requests, means, memory, checks, and code that names a table."""

import dataclasses
import pickle

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError, MissingDataError, NasbenchLabError, OutOfSpaceError, ParameterError
from nasbench_lab.spaces import make_space
from nasbench_lab.tables import ComputedTable, Description, Metric, tabulate
from nasbench_lab.testing import function_table, synthetic_table

CHAIN = {"name": "chain", "choices": "012", "length": 5}
LARGE = {"name": "chain", "choices": "abcdefgh", "length": 20}
METRICS = (
    Metric("accuracy", "valid", "percent", "maximize", "made up"),
    Metric("seconds", "none", "s", "minimize", "made up"),
    Metric("parameters", "none", "", "minimize", "made up", ("architecture",)),
)


def described(**changes):
    known = {
        "name": "mine",
        "title": "Mine",
        "space": CHAIN,
        "fidelities": (1, 3),
        "repeats": ("a", "b"),
        "metrics": METRICS,
        "valid": "accuracy",
        "test": None,
        "cost": ("seconds",),
        "kind": "live",
    }
    return Description(**{**known, **changes})


class Counting(ComputedTable):
    """Remembers what it was asked; answers what it is told."""

    is_cheap = False

    def __init__(self, description=None, answer=None):
        super().__init__(described() if description is None else description)
        self.asked, self.answer = [], answer

    def measure(self, architecture, epochs, repeat):
        self.asked.append(list(zip(architecture.tolist(), epochs.tolist(), repeat.tolist(), strict=True)))
        found = {"accuracy": 10.0 * epochs + repeat, "seconds": 2.0 * epochs + repeat}
        return found if self.answer is None else self.answer(found, len(architecture))

    def measure_untrained(self, architecture, metrics):
        return dict.fromkeys(metrics, 1.0 * architecture)


def test_requests_are_asked_once_and_together():
    table = Counting()
    answers = table.answers([[5, 5], [6, 5]], [[1, 1], [1, 3]], 0)
    assert table.asked == [[(5, 1, 0), (6, 1, 0), (5, 3, 0)]]
    assert answers.values["accuracy"].tolist() == [[10, 10], [10, 30]]
    table.answers([5, 7], 1, [0, 1])
    assert table.asked[1:] == [[(7, 1, 1)]]
    table.lookup([5, 6, 7], metric="parameters")  # needs no training
    assert len(table.asked) == 2


def test_the_mean_asks_for_all_repeats_in_one_batch():
    table = Counting()
    answers = table.answers([5, 6, 6], 3, [-1, 1, -1])
    assert len(table.asked) == 1
    assert sorted(table.asked[0]) == [(5, 3, 0), (5, 3, 1), (6, 3, 0), (6, 3, 1)]
    assert answers.values["accuracy"].tolist() == [30.5, 31.0, 30.5]
    assert answers.cost.tolist() == [6.5, 7.0, 6.5]


def test_known_means_measure_nothing():
    table = Counting()
    table.answers([5, 5, 6], 3, [0, 1, 1])
    means = table.known_means([5, 6, 7], 3, ["accuracy", "parameters"])
    assert means["accuracy"].tolist()[:2] == [30.5, 31.0]
    assert np.isnan(means["accuracy"][2])
    assert means["parameters"].tolist() == [5, 6, 7]
    assert len(table.asked) == 1


def test_a_copy_remembers():
    table = Counting()
    table.answers([5], 1, 0)
    copy = pickle.loads(pickle.dumps(table))
    copy.answers([5], 1, 0)
    assert copy.asked == table.asked
    assert len(copy.new_answers()) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _found, n: [1.0] * n, "must return a mapping from metrics to arrays, got list"),
        (lambda found, _n: {"accuracy": found["accuracy"]}, "seconds is missing"),
        (lambda found, _n: {**found, "loss": 1.0}, "got 'loss'"),
        (lambda found, _n: {**found, "accuracy": 1.0}, r"must return shape \(2,\) for 'accuracy', got \(\)"),
        (lambda found, n: {**found, "accuracy": np.ones((n, 1))}, r"got \(2, 1\)"),
        (lambda found, n: {**found, "accuracy": ["x"] * n}, "must return numbers for 'accuracy'"),
        (lambda found, n: {**found, "accuracy": np.full(n, np.inf)}, "gave accuracy inf for architecture 7"),
        (lambda found, _n: {**found, "seconds": np.array([1, -1.0])}, "gave seconds -1 for architecture 8"),
        (lambda found, n: {**found, "seconds": np.full(n, np.nan)}, "must not be missing"),
        (lambda _found, _n: 1 / 0, "failed on 2 requests, the first about architecture 7: ZeroDivisionError"),
    ],
)
def test_a_broken_answer_is_one_line(answer, message):
    with pytest.raises(DataError, match=message) as caught:
        Counting(answer=answer).answers([7, 8], 1, 0)
    assert "\n" not in str(caught.value)
    assert "table 'mine'" in str(caught.value)


def test_failed_trainings_are_missing_values():
    table = Counting(answer=lambda found, n: {**found, "accuracy": np.full(n, np.nan)})
    assert "accuracy" not in table.query(3)
    assert np.isnan(table.lookup(3))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ((243, 1, 0), OutOfSpaceError),
        ((-1, 1, 0), OutOfSpaceError),
        ((0, 2, 0), LookupError),
        ((0, 1, 2), ParameterError),
    ],
)
def test_requests_outside_the_table(request_, error):
    with pytest.raises(error):
        Counting().answers(*request_)


def test_descriptions_of_computed_tables():
    with pytest.raises(DataError, match="its kind must be surrogate, live or function"):
        Counting(described(kind="measured"))
    with pytest.raises(DataError, match="must be measured, surrogate, live or function"):
        described(kind="guess")


def test_only_kinds_that_are_not_measured_are_stored():
    measured = synthetic_table("chain").description
    assert "kind" not in measured.to_json()
    assert Description.from_json(measured.to_json()) == measured
    assert Description.from_json(described().to_json()).kind == "live"


def test_arrays_of_all_architectures_are_refused():
    table = function_table(LARGE)
    for refused in (
        lambda: table.values("valid_accuracy"),
        lambda: table.mean_values("valid_accuracy"),
        lambda: table.repeat_values("valid_accuracy"),
        table.cost,
        table.to_frame,
        lambda: table.optimum("test"),
        lambda: tabulate(table),
        lambda: tabulate(Counting()),
    ):
        with pytest.raises(MissingDataError):
            refused()


def test_a_metric_without_training_where_nobody_defines_it():
    class Plain(Counting):
        measure_untrained = ComputedTable.measure_untrained

    with pytest.raises(MissingDataError, match="does not know 'parameters' without a training"):
        Plain().untrained([1], ["parameters"])


@pytest.mark.parametrize("options", [{}, {"direction": "minimize", "failures": 0.3}, {"noise": 0.0, "seed": 3}])
def test_a_tabulated_table_has_the_same_answers(options):
    table = function_table(CHAIN, **options)
    stored = tabulate(table)
    everything = np.arange(243)
    for metric in table.metrics:
        for epochs in table.fidelities:
            for repeat in (0, 1, 2, "mean"):
                one, other = (each.lookup(everything, epochs, repeat, metric) for each in (table, stored))
                assert np.array_equal(one, other, equal_nan=True), (metric, epochs, repeat)
    assert table.query("01201") == stored.query("01201")
    assert np.array_equal(table.answers(everything, 12, 1).cost, stored.cost(12)[:, 0])


def test_drawn_repeats_are_those_of_a_noise_model():
    table = function_table(LARGE, repeats=None, noise=0.02)
    drawn = table.answers(np.full(4000, 10**18), 12, np.arange(4000)).values["valid_accuracy"]
    expected = table.lookup(10**18)
    assert abs(drawn.mean() - expected) < 0.002
    assert 0.018 < drawn.std() < 0.022
    assert len(np.unique(drawn)) > 3900
    assert table.repeats == 32_767


def test_the_known_optimum_is_the_best_mean():
    table = function_table(CHAIN, noise=0.0, interactions=0.0)
    assert table.optimum("test") == pytest.approx(tabulate(table).optimum("test"), abs=1e-12)
    assert np.isnan(function_table(CHAIN).known_optimum("valid"))


FILE = """
import numpy as np
from nasbench_lab.testing import function_table

TABLE = function_table({"name": "chain", "choices": "ab", "length": 4}, name="in-a-file")
NUMBER = 3

def make():
    return TABLE

def broken():
    raise ValueError("no data")
"""


def test_a_table_in_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    table = nl.load(f"{tmp_path}/mine.py:TABLE")
    assert (table.name, table.kind) == ("in-a-file", "function")
    assert nl.load(f"{tmp_path}/mine.py:make").checksum == table.checksum
    for name, message in {
        "broken": "makes no table: ValueError: no data",
        "NUMBER": "must be a table",
        "TABEL": "did you mean",
    }.items():
        with pytest.raises(ParameterError, match=message):
            nl.load(f"{tmp_path}/mine.py:{name}")
    with pytest.raises(NasbenchLabError, match="there is no file"):
        nl.load(f"{tmp_path}/other.py:TABLE")


def test_the_file_is_part_of_the_checksum(tmp_path):
    text = FILE.replace("TABLE = ", "import dataclasses\nTABLE = ").replace("TABLE\n", "TABLE\n", 1)
    place = tmp_path / "mine.py"
    sums = set()
    for more in ("", "# changed\n"):
        place.write_text(text + "TABLE.checksum = ''\n" + more)
        sums.add(nl.load(f"{place}:TABLE").checksum)
    assert len(sums) == 2


def test_any_space_can_be_given():
    table = function_table(make_space(CHAIN))
    assert dataclasses.replace(table.description, name="x").space == CHAIN
