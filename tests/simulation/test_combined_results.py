"""Results of several places together: what they share counts once, and strategies that differ are told apart."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_without_scores import without_scores

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.simulation import Results, save_traces
from nasbench_lab.simulation.provenance import provenance
from nasbench_lab.simulation.stored_runs import in_memory
from nasbench_lab.simulation.trace_files import TraceReader
from nasbench_lab.suites import open_results, results_of
from nasbench_lab.testing import identical, synthetic_table

TABLE = synthetic_table("chain")
OTHER_SCORES = without_scores(nl.load("digits/topology"), keep=("supernet_uniform", "supernet_fair"))


def simulated(strategy="random-search", table=TABLE, runs=10, **options):
    return nl.simulate(table, strategy, runs=runs, budget=options.pop("budget", nl.Budget(evaluations=12)), **options)


WHOLE = simulated()


def stored(folder, *traces):
    folder.mkdir()
    save_traces(traces, folder / "traces.h5")
    return folder


def changed(trace, run):
    """A trace in which one run has another last evaluation."""
    observed = trace.observed.copy()
    observed[run, -1] += 1.0
    return dataclasses.replace(trace, observed=observed)


def plain(found):
    """The numbers of a study, without where they come from."""
    return {key: value for key, value in found.to_dict(with_runs=True).items() if key not in ("provenance", "warnings")}


def test_folders_files_results_and_traces_together(tmp_path):
    names = ("random-search", "local-search", "regularized-evolution", "hill-climbing")
    traces = [simulated(name) for name in names]
    sources = [
        stored(tmp_path / "one", traces[0]),
        str(stored(tmp_path / "two", traces[1]) / "traces.h5"),
        Results.of([traces[2]]),
        traces[3],
    ]
    found = study(sources, resamples=20)
    assert plain(found) == plain(study(traces, resamples=20))
    inputs = found.provenance["inputs"]
    assert [each["kind"] for each in inputs] == ["traces", "traces", "memory", "memory"]
    assert [each["source"] for each in inputs[:2]] == [str(tmp_path / "one"), sources[1]]
    assert found.provenance["versions"] == {"nasbench-lab": [nl.__version__]}
    assert all(identical(one, other) for one, other in zip(results_of(iter(sources)), traces, strict=True))


def test_equal_runs_count_once_and_this_is_said(tmp_path):
    other = simulated("local-search")
    folder = stored(tmp_path / "one", WHOLE, other)
    again = stored(tmp_path / "two", WHOLE)
    found = study([folder, again, WHOLE, simulated(runs=4)], resamples=20)
    assert plain(found) == plain(study([WHOLE, other], resamples=20))
    said = "Some runs were given more than once, and count once: 24 runs of random-search on synthetic/chain."
    assert said in found.warnings
    assert found.provenance["repeated"] == ["24 runs of random-search on synthetic/chain"]
    assert "count once" not in " ".join(study([folder]).warnings)


def test_a_trace_given_twice_counts_once():
    assert results_of([WHOLE, WHOLE]).trace(0).runs == 10
    assert study([WHOLE, WHOLE], resamples=0).provenance["kind"] == "memory"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)), min_size=1, max_size=6), st.randoms())
def test_pieces_of_a_simulation_are_joined_in_any_order(pieces, chance):
    pieces = [(first, min(first + count, 10)) for first, count in pieces] + [(0, 4), (3, 10)]
    chance.shuffle(pieces)
    traces = [_rows(first, end) for first, end in pieces]
    joined = results_of([Results.of([trace]) for trace in traces])
    assert len(joined) == 1
    assert identical(joined.trace(0), WHOLE)
    assert joined.trace(0).setting == WHOLE.setting
    rows = list(joined.blocks(0, evaluations=30))
    assert [block.setting.first_run for block in rows] == np.cumsum([0, *(block.runs for block in rows)])[:-1].tolist()
    assert np.array_equal(np.concatenate([block.observed for block in rows]), WHOLE.observed, equal_nan=True)
    assert identical(results_of(traces).trace(0), WHOLE), "also as one list of traces"


def _rows(first, end):
    return simulated(runs=end - first, first_run=first)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9), st.booleans())
def test_a_run_that_differs_is_found_wherever_it_is(run, in_pieces):
    other = changed(WHOLE, run)
    others = list(other.blocks(evaluations=36)) if in_pieces else [other]
    inputs = [Results.of([WHOLE]), *(Results.of([each]) for each in others)]
    with pytest.raises(ParameterError, match="'random-search' on 'synthetic/chain' has different runs under the same"):
        results_of(inputs)
    both = results_of({"before": inputs[0], "after": others})
    assert [setting.label for setting in both.settings] == ["random-search (before)", "random-search (after)"]
    assert identical(both.trace(0), WHOLE)
    assert identical(both.trace(1), other)


def test_results_that_are_equal_to_the_first_need_no_label_of_their_own():
    named = {"a": WHOLE, "b": changed(WHOLE, 3), "c": WHOLE, "d": simulated("local-search")}
    labels = [setting.label for setting in results_of(named).settings]
    assert labels == ["random-search (a)", "random-search (b)", "local-search"]


def test_runs_that_are_missing_between_others():
    with pytest.raises(ParameterError, match="runs 4 to 5 of 'random-search' on 'synthetic/chain' are in none"):
        results_of([Results.of([simulated(runs=4)]), Results.of([simulated(runs=3, first_run=6)])])


def test_other_seeds():
    other = simulated(seed=7)
    with pytest.raises(
        ParameterError, match=r"has the seeds 0 and 7 in .*; to show both, give each of the results a label"
    ):
        study([Results.of([WHOLE]), Results.of([other])])
    with pytest.raises(ParameterError, match=r"ran twice on table .* with one setting; to show both, give each"):
        study([WHOLE, other])
    found = study({"first": WHOLE, "second": other}, resamples=0)
    assert found.labels == ("random-search (first)", "random-search (second)")
    assert "Root seeds differ: 0, 7." in found.warnings


def test_other_parameters_and_versions():
    setting = simulated("regularized-evolution").setting
    trace = simulated("regularized-evolution")
    hidden = dataclasses.replace(setting, parameters={**setting.parameters, "population_size": 3})
    elsewhere = simulated("regularized-evolution", synthetic_table("topology"))
    other = dataclasses.replace(trace, setting=hidden)
    with pytest.raises(ParameterError, match=r"has different parameters in .*; to show both"):
        results_of([Results.of([elsewhere]), Results.of([other])])
    shown = simulated("regularized-evolution", parameters={"population_size": 3})
    labels = [each.label for each in results_of([Results.of([trace]), shown]).settings]
    assert labels == ["regularized-evolution", "regularized-evolution:population_size=3"]
    newer = dataclasses.replace(trace, setting=dataclasses.replace(setting, version=setting.version + 1))
    found = study([Results.of([trace]), newer], resamples=0)
    versions = setting.version, setting.version + 1
    assert found.labels == tuple(f"regularized-evolution (version {number})" for number in versions)
    assert any("search differently" in warning for warning in found.warnings)


@pytest.mark.parametrize("name", ["zero-cost-filter:candidates=3", "zero-cost-warm-start:candidates=20"])
def test_tables_that_choose_other_scores_are_searched_by_one_strategy(tmp_path, name):
    traces = [simulated(name, table) for table in (TABLE, OTHER_SCORES)]
    assert [trace.setting.parameters["score"] for trace in traces] == ["synflow", "supernet_uniform"]
    found = study([stored(tmp_path / place, trace) for place, trace in zip("ab", traces, strict=True)], resamples=0)
    assert found.labels == (name,)
    assert len(found.tasks) == 2
    assert plain(found) == plain(study(traces, resamples=0))


def test_other_scores_are_another_strategy():
    """On one table, or under a label that hides what was given."""
    trace = simulated("zero-cost-filter", OTHER_SCORES)
    fair = dataclasses.replace(trace.setting, parameters={**trace.setting.parameters, "score": "supernet_fair"})
    one_table = [Results.of([trace]), Results.of([changed(dataclasses.replace(trace, setting=fair), 2)])]
    with pytest.raises(ParameterError, match=r"'zero-cost-filter' on 'digits/topology' has different runs under the"):
        results_of(one_table)
    traces = [simulated("zero-cost-filter", TABLE), trace]
    mine = [dataclasses.replace(each, setting=dataclasses.replace(each.setting, label="mine")) for each in traces]
    with pytest.raises(ParameterError, match="'mine' has different parameters in"):
        results_of([Results.of([each]) for each in mine])


def coded(trace, code):
    """Results that know the digest of the file of their strategy, as those of suites do."""
    return Results([in_memory(trace)._replace(code=code)], provenance([trace.setting], kind="suite"))


def test_strategies_of_files_with_other_content():
    elsewhere = simulated(table=synthetic_table("topology"))
    both = [coded(WHOLE, "a"), coded(elsewhere, "b")]
    with pytest.raises(ParameterError, match="'random-search' is defined by files with different contents in"):
        results_of(both)
    labels = [setting.label for setting in results_of({"x": both[0], "y": both[1]}).settings]
    assert labels == ["random-search (x)", "random-search (y)"]
    assert len(results_of([coded(WHOLE, "a"), coded(elsewhere, "a")])) == 2
    assert len(results_of([coded(WHOLE, "a"), elsewhere])) == 2, "nothing is known of the second"
    joined = results_of([coded(WHOLE, "a"), coded(WHOLE, "b"), coded(elsewhere, "b")])
    assert len(joined) == 2, "on one table, both files gave the same runs"


def test_a_setting_in_memory_is_the_one_that_is_stored(tmp_path):
    """Stored lists were tuples, and stored parameters are sorted."""
    parameters = {"step": (1, 2), "alpha": 3}
    setting = dataclasses.replace(WHOLE.setting, parameters=parameters)
    trace = dataclasses.replace(WHOLE, setting=setting)
    joined = results_of([stored(tmp_path / "one", trace), trace, *(trace._rows(slice(first, 10)) for first in (0, 6))])
    assert len(joined) == 1
    assert identical(joined.trace(0), WHOLE)


def test_other_conditions_are_other_tasks():
    found = study([WHOLE, simulated(budget=nl.Budget(evaluations=8)), simulated(workers=2)], resamples=0)
    assert [task.name for task in found.tasks] == [
        "synthetic/chain (12 evaluations, 1 worker)",
        "synthetic/chain (8 evaluations, 1 worker)",
        "synthetic/chain (12 evaluations, 2 workers)",
    ]
    none = study([WHOLE, simulated("local-search", budget=nl.Budget(evaluations=8))], resamples=0)
    assert not none.leaderboard
    assert (
        "No task has all strategies, so there is no leaderboard, and nothing is compared over tasks." in none.warnings
    )


def test_tables_with_one_name_and_different_content():
    other = synthetic_table("chain", seed=1)
    second = simulated("local-search", other)
    checked = [
        dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, checksum=str(place) * 64))
        for place, trace in enumerate((WHOLE, second))
    ]
    found = study(checked, resamples=0)
    assert [task.name for task in found.tasks] == [
        "synthetic/chain (content 00000000)",
        "synthetic/chain (content 11111111)",
    ]
    assert any("2 tables called synthetic/chain, whose contents differ" in warning for warning in found.warnings)
    unknown = [
        dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, checksum="")) for trace in (WHOLE, second)
    ]
    with pytest.raises(ParameterError, match="'random-search' and 'local-search' searched different tables called"):
        study(unknown)


def test_provenance_of_results_combined_twice(tmp_path):
    one, two = stored(tmp_path / "one", WHOLE), stored(tmp_path / "two", simulated("local-search"))
    both = results_of({"x": one, "y": two})
    three = results_of([both, simulated("hill-climbing")])
    known = [(each["source"], each["label"], each["simulations"]) for each in three.provenance["inputs"]]
    assert known[:2] == [(str(one), "x", 1), (str(two), "y", 1)]
    assert known[2][2] == 1
    assert three.provenance["kind"] == "combined"


def test_other_lists_of_a_provenance_are_united():
    others = [simulated("local-search"), simulated("hill-climbing")]
    results = [
        Results([in_memory(trace)], provenance([trace.setting], kind="memory", more=[{"file": name}, {"file": "c"}]))
        for name, trace in zip("ab", others, strict=True)
    ]
    found = results_of([*results, WHOLE]).provenance["more"]
    assert found == [{"file": "a"}, {"file": "c"}, {"file": "b"}]


def test_combined_results_are_read_in_blocks(tmp_path, monkeypatch):
    """The memory that this takes is bounded, whatever the inputs are."""
    folders = [stored(tmp_path / "one", WHOLE), stored(tmp_path / "two", simulated(runs=6, first_run=6))]
    monkeypatch.setattr(TraceReader, "trace", lambda *_: pytest.fail("a whole simulation was read at once"))
    assert study(folders, resamples=0).runs.tolist() == [[12]]


def test_a_file_that_changes_while_it_is_read(tmp_path):
    folder = stored(tmp_path / "one", WHOLE)
    joined = results_of([folder, simulated(runs=6, first_run=8)])
    save_traces([simulated("local-search")], folder / "traces.h5")
    with pytest.raises(DataError, match="changed while being read"):
        list(joined.blocks(0))


def test_a_file_with_fewer_runs_than_it_says():
    short = in_memory(WHOLE)._replace(runs=12)
    with pytest.raises(DataError, match="changed while being read"):
        results_of([Results([short], provenance([], kind="memory")), simulated(runs=12)])


@pytest.mark.parametrize("wrong", [5, None, b"x", [5], [WHOLE, 5], {"a": 1}, [[WHOLE]], {1: WHOLE}, {" ": WHOLE}])
def test_what_is_no_source(wrong):
    with pytest.raises(ParameterError, match=r"give results, traces or paths, got|a label must be a line of text, got"):
        results_of(wrong)


@pytest.mark.parametrize("empty", [[], {}, ()])
def test_nothing(empty):
    with pytest.raises(ParameterError, match="there are no results"):
        study(empty)


def test_a_single_source_is_itself(tmp_path):
    folder = stored(tmp_path / "one", WHOLE)
    results = open_results(folder)
    assert results_of(results) is results
    assert results_of(folder).provenance == results.provenance == {**results.provenance, "inputs": [], "repeated": []}


def imported(strategy):
    """Results of another program, which does not say their seed."""
    return nl.Trace.from_steps(simulated().records(), table=TABLE, strategy=strategy, budget=nl.Budget(evaluations=12))


def test_imported_results_of_a_strategy_that_is_also_simulated():
    local = simulated("local-search")  # its version is not 1, that of imported results is not known
    theirs = Results.of([imported("local-search")])
    for both in ([Results.of([local]), theirs], [theirs, Results.of([local])]):
        with pytest.raises(
            ParameterError, match=r"'local-search' on 'synthetic/chain' is simulated and imported, resp"
        ):
            results_of(both)
    elsewhere = Results.of([simulated("local-search", synthetic_table("topology"))])
    with pytest.raises(ParameterError, match=r"^'local-search' is simulated and imported, respectively, in "):
        results_of([elsewhere, theirs])
    found = study({"ours": Results.of([WHOLE, local]), "theirs": theirs}, resamples=0)
    assert found.labels == ("random-search", "local-search (ours)", "local-search (theirs)")
    assert not any("search differently" in warning for warning in found.warnings)
    with pytest.raises(ParameterError, match=r"local-search' ran twice on table .* with one setting"):
        study([local, theirs.trace(0)])


def test_where_imported_results_come_from_is_kept():
    both = results_of([Results.of([WHOLE]), Results.of([imported("mine")])])
    (kept,) = both.provenance["imported"]
    assert (kept["strategy"], kept["table"], kept["format"]) == ("mine", "synthetic/chain", "steps")
    assert [bool(each["imported"]) for each in both.provenance["inputs"]] == [False, True]
