"""Messages: one short line that names what was wrong, whatever a user gives."""

import functools
from pathlib import Path

import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError, UnknownNameError
from nasbench_lab.messages import described, first_line, shortened, unknown
from nasbench_lab.report import regret_figure
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")
FEW = nl.Budget(evaluations=3)
LONG = 300  # characters that no message below exceeds
HUGE = 10**5000


@functools.cache
def trace():
    return nl.simulate(TABLE, "random-search", runs=2, budget=FEW)


def search(**changes):
    return nl.simulate(**{"table": TABLE, "strategy": "random-search", "runs": 2, "budget": FEW, **changes})


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda: nl.load(None), ParameterError, "a table must be a name, a path or a Table, got None"),
        (lambda: nl.load(b"digits/chain"), ParameterError, "a table must be a name, a path or a Table, got b'digits"),
        (lambda: nl.load("/no/such/place"), DataError, "there is no file or folder /no/such/place"),
        (lambda: nl.load(Path("nowhere")), DataError, "there is no file or folder nowhere"),
        (lambda: nl.load(__file__), DataError, "is not a table file (.h5); convert it first: nasbench-lab tables impo"),
        (lambda: nl.load("x" * 5000), UnknownNameError, "(5,002 characters); to list the tables: nasbench-lab tables"),
        (lambda: nl.load("/" + "x" * 5000), DataError, "there is no file or folder '/xxx"),
        (lambda: nl.load("nothing"), UnknownNameError, "unknown table 'nothing'; to list the tables: nasbench-lab tab"),
        (lambda: nl.load("a\0b"), UnknownNameError, r"unknown table 'a\x00b'"),
        (lambda: search(strategy="qqqq"), UnknownNameError, "to list the strategies: nasbench-lab strategies"),
        (lambda: search(runs=10**12), ParameterError, "runs must be from 1 to 1000000000, got 1000000000000"),
        (lambda: search(runs=2**64), ParameterError, "runs must be from 1 to 1000000000, got 18446744073709551616"),
        (lambda: search(runs=10**20), ParameterError, "runs must be from 1 to 1000000000, got 1000000000000000000"),
        (lambda: search(runs=HUGE), ParameterError, "runs must be from 1 to 1000000000, got an integer with thousands"),
        (lambda: search(seed=HUGE), ParameterError, "seed must be an integer in [0, 2**128), got an integer with tho"),
        (lambda: search(first_run=2**64), ParameterError, "first_run must be at least 0 (and first_run + runs at mos"),
        (lambda: search(fidelity=1000), UnknownNameError, "unknown fidelity '1000'; known: 4, 12"),
        (lambda: nl.Budget(evaluations=2**70), ParameterError, "a budget in evaluations must be at most 1e+15, got"),
        (lambda: nl.Budget(evaluations=HUGE), ParameterError, "a budget in evaluations must be at most 1e+15, got"),
        (lambda: nl.Budget(evaluations=-HUGE), ParameterError, "a budget must be positive"),
        (lambda: nl.Budget(trainings=10**16), ParameterError, "a budget in trainings must be at most 1e+15, got"),
        (lambda: nl.Budget(epochs=10**16), ParameterError, "a budget in epochs must be at most 1e+15, got"),
        (lambda: nl.Budget(seconds=1e300), ParameterError, "a budget in seconds must be at most 1e+15, got"),
        (lambda: nl.Budget(seconds=float("inf")), ParameterError, "a budget in seconds must be at most"),
        (
            lambda: nl.Budget(energy="1e308 kWh"),
            ParameterError,
            "a budget in energy must be above 0 and at most 2.7777",
        ),
        (lambda: nl.Budget(energy="0 J"), ParameterError, "a budget in energy must be above 0 and at most 1e+15 J"),
        (lambda: study(3), ParameterError, "give results, traces or paths, got 3"),
        (lambda: study([trace(), 3]), ParameterError, "give results, traces or paths, got a list with 3"),
        (lambda: regret_figure([trace(), 3]), ParameterError, "give results, traces or paths, got a list with 3"),
        (lambda: regret_figure(3), ParameterError, "give results, traces or paths, got 3"),
    ],
)
def test_messages_are_short_and_name_what_was_given(wrong, kind, message):
    with pytest.raises(NasbenchLabError) as caught:
        wrong()
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < LONG


def test_a_budget_may_be_as_large_as_the_largest():
    assert nl.Budget(evaluations=10**15, seconds=1e15, epochs=10**15).evaluations == 10**15
    assert nl.Budget(energy="1e15 J").energy_in("J") == 1e15


def test_one_trace_is_enough_for_a_study():
    assert study(trace(), resamples=0).labels == ("random-search",)


def test_energy_that_a_table_lacks_leads_to_trainings():
    with pytest.raises(NasbenchLabError, match="give the budget in evaluations, epochs, seconds or trainings"):
        search(budget=nl.Budget(energy="5 J"))


def test_numbers_are_sorted_by_value_and_suggested_by_nearness():
    assert str(unknown("fidelity", "3", ["9", "81", "27", "1"])) == "unknown fidelity '3'; known: 1, 9, 27, 81"
    epochs = [str(number) for number in range(1, 201)]
    assert str(unknown("fidelity", "0", epochs)) == "unknown fidelity '0'; did you mean '1'?"
    assert str(unknown("fidelity", "1000", epochs)) == "unknown fidelity '1000'; did you mean '200'?"
    assert str(unknown("fidelity", "last", epochs)) == "unknown fidelity 'last'; known: 1, 2, 3, ..., 200"


def test_numbers_with_a_point_and_negative_numbers_are_near_in_value_too():
    widths = [str(number) for number in range(8, 72, 4)]
    assert str(unknown("width", "65", widths)) == "unknown width '65'; did you mean '64' or '68'?"
    assert str(unknown("width", "9.5", widths)) == "unknown width '9.5'; did you mean '8' or '12'?"
    assert str(unknown("width", "-80", widths)) == "unknown width '-80'; did you mean '8'?"
    assert str(unknown("rate", "0.2", ["0.1", "0.01", "1"])) == "unknown rate '0.2'; known: 0.01, 0.1, 1"


@pytest.mark.parametrize("text", ["-1", "4536", "1.5", "9" * 30])
def test_a_number_that_is_no_index_is_told_the_range(text):
    space = nl.load("digits/chain").space
    with pytest.raises(NasbenchLabError, match=rf"^architecture '?{text}'? is not in 0\.\.4535 of space"):
        space.resolve(text)


def raise_here():
    raise KeyError("missing")


def test_an_error_is_described_by_its_class_message_and_place():
    errors = []
    for wrong in (nl.Budget, raise_here):
        try:
            wrong()
        except Exception as error:
            errors.append(described(error))
    assert errors == [
        "a budget needs evaluations, epochs, seconds, energy, trainings or mean_trainings",
        "KeyError: 'missing'",
    ]
    assert described(ValueError()) == "ValueError"
    assert first_line(ValueError()) == "ValueError"


def test_values_that_have_no_text_are_shortened_too():
    assert shortened(HUGE) == "an integer with thousands of digits"
    assert shortened([1, 2]) == "[1, 2]"
