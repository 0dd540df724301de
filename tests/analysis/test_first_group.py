"""The first group: who leads, who cannot be distinguished from it, and when nothing can be said."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_studies import made_up_study
from scipy.stats import mannwhitneyu
from traces import by_hand

from nasbench_lab.analysis import first_group, study
from nasbench_lab.errors import MissingDataError

TABLES = "abcdefgh"


def compared(endings, tables="a"):
    """Return the study of strategies whose runs end with some values on all tables; higher is better."""
    traces = [by_hand(label, values, table) for table in tables for label, values in endings.items()]
    return study(traces, resamples=0)


def named(found, made):
    return tuple([made.labels[s] for s in part] for part in (found.first, found.same, found.worse))


GOOD, FAIR, BAD = [4, 4, 4, 3, 4, 4], [4, 4, 3, 3, 4, 4], [1, 2, 1, 1, 2, 1]


def test_on_one_task_the_mann_whitney_test_separates_the_first_group():
    made = compared({"bad": BAD, "good": GOOD, "fair": FAIR})
    found = first_group(made)
    assert (found.finding, found.tasks, found.needed) == ("group", (0,), 0)
    assert named(found, made) == (["good"], ["fair"], ["bad"])
    assert first_group(made, task=0) == found


def test_over_tasks_it_is_nemenyi_after_friedman():
    order = {"a": [4] * 5, "b": [3] * 5, "c": [2] * 5, "d": [1] * 5}
    made = compared(order, TABLES)
    found = first_group(made)
    assert (found.finding, found.ranks) == ("group", (1, 2, 3, 4))
    p = made.ranks["test"].nemenyi[0]
    assert named(found, made) == (["a"], [x for x, each in zip("bcd", p[1:], strict=True) if each >= 0.05], ["c", "d"])


def test_two_strategies_are_compared_by_the_sign_test():
    made = compared({"good": GOOD, "bad": BAD}, TABLES[:6])
    assert named(first_group(made), made) == (["good"], [], ["bad"])
    few = first_group(compared({"good": GOOD, "bad": BAD}, TABLES[:5]))
    assert (few.finding, few.needed, few.same, few.worse) == ("too few", 6, (), ())


def test_one_strategy_has_no_rival():
    found = first_group(compared({"only": GOOD}, "ab"))
    assert (found.finding, found.first, found.same, found.worse) == ("alone", (0,), (), ())
    assert first_group(compared({"only": GOOD})).finding == "alone"


def test_ties_share_the_first_place():
    made = compared({"bad": BAD, "one": GOOD, "other": GOOD[::-1]})
    found = first_group(made)
    assert named(found, made) == (["one", "other"], [], ["bad"])
    assert found.ranks == pytest.approx((1.5, 1.5, 3))
    tied = compared({"x": GOOD, "y": GOOD, "z": GOOD}, TABLES)
    assert first_group(tied).finding == "no difference"
    assert first_group(tied).first == (0, 1, 2)


@pytest.mark.parametrize(("runs", "finding"), [(1, "too few"), (3, "too few"), (4, "group")])
def test_too_few_runs_give_no_verdict(runs, finding):
    found = first_group(compared({"good": [4] * runs, "bad": [1] * runs}))
    assert found.finding == finding
    assert found.needed == (4 if finding == "too few" else 0)


def test_runs_without_a_value_are_the_worst():
    made = compared({"failing": [4, -1, -1, -1, -1, -1, -1, 4], "steady": [1] * 8})
    found = first_group(made)
    assert named(found, made)[0] == ["steady"]
    nothing = compared({"x": [-1] * 8, "y": [-1] * 8})
    assert first_group(nothing).finding == "no difference"


def test_a_test_that_does_not_reject_leaves_all_in_the_group():
    made = made_up_study(4, 3)
    weak = dataclasses.replace(made.ranks["test"], p=0.4)
    found = first_group(dataclasses.replace(made, ranks={"test": weak}))
    assert (found.finding, found.worse) == ("no difference", ())
    assert len(found.first) + len(found.same) == 4


def test_what_cannot_be_compared_is_an_error():
    made = study([by_hand("one", GOOD, "a"), by_hand("other", GOOD, "b")], resamples=0)
    with pytest.raises(MissingDataError, match="no task with test regret has all strategies"):
        first_group(made)
    assert first_group(made, task=0).finding == "alone"
    assert first_group(made, task=1).first == (1,)


values = st.lists(st.sampled_from([-1, 1, 2, 3, 4]), min_size=2, max_size=9)


@settings(deadline=None, max_examples=25)
@given(st.lists(values, min_size=2, max_size=4))
def test_by_definition(endings):
    """Ranks by counting all pairs of runs; tests of pairs by SciPy, with all three or fewer pairs held by Holm."""
    made = compared({f"s{number}": each for number, each in enumerate(endings)})
    found = first_group(made)
    losses = [np.where(np.array(each) < 0, 99, -np.array(each)) for each in endings]
    ranks = [1 + sum(((y[None] < x[:, None]) + 0.5 * (y[None] == x[:, None])).mean() for y in losses if y is not x)
             for x in losses]  # fmt: skip
    assert found.ranks == pytest.approx(sorted(ranks))
    assert [ranks[s] for s in found.order] == pytest.approx(list(found.ranks))
    assert sorted((*found.first, *found.same, *found.worse)) in (list(range(len(endings))), sorted(found.first))
    for s in found.worse:  # Holm never finds what single tests do not
        p = mannwhitneyu(losses[s], losses[found.first[0]], alternative="greater", method="auto").pvalue
        assert p < 0.05
