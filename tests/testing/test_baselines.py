"""Baselines of strategies: what is broken is caught, what is not passes, and as often as is stated."""

import contextlib
import dataclasses
import json
import re
import typing

import evolution_variants as variants
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy.stats import binom
from traces import with_setting

import nasbench_lab as nl
from nasbench_lab.errors import DataError, OutputError, ParameterError
from nasbench_lab.strategies import PlainStrategy
from nasbench_lab.strategies.places import source_of
from nasbench_lab.tables import Table
from nasbench_lab.testing import (
    BaselineCheck,
    audit_trace,
    check_file,
    read_baseline,
    synthetic_table,
    to_markdown,
    to_text,
)
from nasbench_lab.testing.baselines.baseline import Subject, baseline_of, checksum_of
from nasbench_lab.testing.baselines.baseline_file import from_json, to_json, write_baseline
from nasbench_lab.testing.baselines.check_outcome import ALLOWABLE, CheckOutcome, Verdict
from nasbench_lab.testing.baselines.file_references import find_table_of_file, name_of_table, plain
from nasbench_lab.testing.baselines.loss_comparison import compare, equivalence_chances, error_per_test
from nasbench_lab.testing.baselines.run_losses import losses, scale_of
from nasbench_lab.testing.baselines.trace_fingerprints import difference, fingerprints
from nasbench_lab.testing.baselines.verdicts import SimulatedRuns, _overall, compare_with_baseline, write_baseline_of

BUDGET = nl.Budget(evaluations=64)
TABLE = synthetic_table("topology")
SUBJECT = Subject("mine", "mine", {})


def check(strategy, **options):
    conditions = nl.Conditions.take(options := {"budget": BUDGET, **options})
    return BaselineCheck(strategy, TABLE, conditions, **options)


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """The baseline of `Evolution`, which no test writes to."""
    path = tmp_path_factory.mktemp("baselines") / "evolution.json"
    assert check(variants.Evolution()).write(path).verdict == "created"
    return path


def simulated(strategy="random-search", table=TABLE, runs=16, budget=BUDGET, **options):
    return nl.simulate(table, strategy, runs=runs, budget=budget, **options)


# What passes


def test_the_same_strategy_is_identical(committed):
    outcome = check(variants.Evolution()).against(committed)
    assert (outcome.verdict, outcome.findings, outcome.notes, outcome.comparisons) == ("identical", (), (), ())
    assert outcome.passed


def test_a_refactoring_is_identical(committed):
    assert check(variants.Refactored()).against(committed).verdict == "identical"


def test_drawing_in_another_order_is_equivalent(committed):
    outcome = check(variants.DrawsInAnotherOrder()).against(committed)
    assert outcome.verdict == "equivalent", to_text(outcome)
    assert not outcome.findings
    assert [comparison.name for comparison in outcome.comparisons] == ["anytime", "final"]
    assert all(comparison.error == 0.01 / 2 for comparison in outcome.comparisons)
    assert re.search(r"the first is run 0, which first differs in one of the evaluations 9 to 16", outcome.notes[0])


def test_a_better_strategy_is_better(tmp_path):
    path = tmp_path / "a.json"
    check(variants.WorseMutation()).write(path)
    outcome = check(variants.Evolution()).against(path)
    assert outcome.verdict == "better", to_text(outcome)
    assert outcome.passed


# What is broken, in five ways


def test_a_worse_mutation_is_caught(committed):
    outcome = check(variants.WorseMutation()).against(committed)
    assert outcome.verdict == "worse"
    assert not outcome.passed
    final = next(comparison for comparison in outcome.comparisons if comparison.name == "final")
    assert final.difference > final.low > final.margin > 0
    assert final.p_worse < final.error


def test_a_harness_that_shows_test_values_is_caught(committed):
    values = {name: TABLE.values(name) for name in TABLE.metrics}
    peeking = Table(TABLE.description, {**values, "valid_accuracy": values["test_accuracy"]})
    trace = nl.simulate(peeking, variants.Evolution(), runs=256, budget=BUDGET)
    outcome = compare_with_baseline(read_baseline(committed), SimulatedRuns(trace, TABLE), committed)
    assert outcome.verdict == "broken"
    assert "the observed value is test_accuracy, which no search may see" in outcome.findings[0]


def test_a_strategy_that_reads_the_table_is_caught(committed):
    outcome = check(variants.ReadsTheTable(table=TABLE)).against(committed)
    assert outcome.verdict == "broken"
    assert re.search(r"reads the table while it searches, at evolution_variants.py:\d+", outcome.findings[0])


@pytest.mark.parametrize(
    ("strategy", "finding"),
    [
        (variants.SharesOneStream(), "run 128 gives another result when it is simulated again"),
        (variants.UsesItsPlace(), "run 128 gives another result when it is simulated again"),
        (variants.DrawsUnderACondition(), "run 128 gives another result when it is simulated again"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_wrong_handling_of_seeds_is_caught(committed, strategy, finding):
    outcome = check(strategy).against(committed)
    assert outcome.verdict == "broken"
    assert any(finding in line for line in outcome.findings)


def test_runs_that_are_all_the_same_are_caught(committed):
    # With repeat 0 they are told the same too, so that nothing else could tell them apart.
    class Fixed:
        def __init__(self, space, random):
            self.random, self.size = np.random.default_rng(7), space.size

        def ask(self):
            return self.random.integers(self.size)

        def tell(self, architecture, value):
            pass

    outcome = check(PlainStrategy(Fixed)).against(committed)
    assert outcome.findings == ("seeds: all runs are the same, but the runs of the baseline are not",)


def test_other_seeds_are_not_identical_and_with_the_exact_tier_alone_they_fail(tmp_path, committed):
    other = nl.simulate(TABLE, variants.Evolution(), runs=256, budget=BUDGET, seed=1)
    shifted = with_setting(other, seed=0)
    assert (
        compare_with_baseline(read_baseline(committed), SimulatedRuns(shifted, TABLE), committed).verdict
        == "equivalent"
    )
    path = tmp_path / "exact.json"
    check(variants.Evolution(), tiers=("exact",)).write(path)
    outcome = compare_with_baseline(read_baseline(path), SimulatedRuns(shifted, TABLE), path, tiers=("exact",))
    assert outcome.verdict == "different"
    assert not outcome.passed


def test_a_strategy_that_stops_one_evaluation_early_is_caught(committed):
    outcome = check(variants.StopsOneEarly()).against(committed)
    assert outcome.verdict == "broken"
    assert "ended itself after 63 evaluations, before its budget of 64 evaluations" in outcome.findings[0]


@pytest.mark.parametrize(("evaluations", "words"), [(65, "more than the 64"), (63, "fewer than the 64")])
def test_a_harness_that_is_off_by_one_is_caught(committed, evaluations, words):
    trace = nl.simulate(TABLE, variants.Evolution(), runs=256, budget=nl.Budget(evaluations=evaluations))
    claimed = with_setting(trace, budget=BUDGET)
    outcome = compare_with_baseline(read_baseline(committed), SimulatedRuns(claimed, TABLE), committed)
    assert outcome.verdict == "broken"
    assert words in outcome.findings[0]
    assert "256 of 256 runs" in outcome.findings[0]


def test_a_strategy_that_stops_one_later_or_earlier_than_it_did_is_caught(tmp_path):
    path = tmp_path / "a.json"
    check(variants.StopsOneEarly(last=50)).write(path)
    assert read_baseline(path).losses["unused"].tolist() == [14.0] * 256
    outcome = check(variants.StopsOneEarly(last=49)).against(path)
    assert outcome.verdict == "worse"
    assert [comparison.verdict for comparison in outcome.comparisons if comparison.name == "unused"] == ["worse"]


def test_a_strategy_that_pays_for_nothing_is_caught(committed):
    outcome = check(variants.AsksForScores()).against(committed)
    assert outcome.verdict == "broken"
    assert re.search(r"clock: evaluation 1 of run 0 took .* s; the table charges .* s for it", outcome.findings[0])


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_harness_whose_clock_is_wrong_is_caught(committed, factor):
    trace = nl.simulate(TABLE, variants.Evolution(), runs=256, budget=BUDGET)
    wrong = dataclasses.replace(trace, time=trace.time * factor)
    baseline = read_baseline(committed)
    assert difference(baseline.fingerprints, wrong) is None, "the traces' architectures are the same"
    assert "clock" in compare_with_baseline(baseline, SimulatedRuns(wrong, TABLE), committed).findings[0]


def test_workers_that_wait_are_a_slower_clock(tmp_path):
    path = tmp_path / "workers.json"
    assert check(variants.Evolution(), workers=4, runs=32).write(path).verdict == "created"
    outcome = check(variants.WaitsForAll(), workers=4, runs=32).against(path)
    clock = next(comparison for comparison in outcome.comparisons if comparison.name == "clock")
    assert outcome.verdict == clock.verdict == "worse"
    assert clock.after > 1.5 * clock.before
    assert check(variants.Evolution(), workers=4, runs=32).against(path).verdict == "identical"


def test_what_pays_for_scores_on_purpose_is_measured(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Scored(variants.AsksForScores):
        needs = ("scores",)
        times: int = 1

        def ask(self, state):
            child = super().ask(state)
            for _ in range(self.times - 1):
                state.scores.score("synflow", child)
            return child

    path = tmp_path / "scores.json"
    assert check(Scored(), runs=32).write(path).verdict == "created"
    assert check(Scored(), runs=32).against(path).verdict == "identical"
    assert audit_trace(simulated(Scored()), TABLE, pays_for_scores=True) == []
    slower = nl.simulate(TABLE, Scored(times=40), runs=32, budget=BUDGET)
    measured = losses(slower, TABLE, read_baseline(path).scale)["clock"]
    assert compare("clock", read_baseline(path).losses["clock"], measured, 0.02, 0.005).verdict == "worse"


# The statistics, by simulation


def losses_of_many_runs(table):
    trace = nl.simulate(table, variants.Evolution(), runs=4096, budget=BUDGET, seed=99)
    return losses(trace, table, scale_of(trace))


@pytest.fixture(scope="module")
def pool():
    """Losses of 4,096 runs, from which groups are drawn as if each were a run of continuous integration."""
    return losses_of_many_runs(TABLE)


@pytest.fixture(scope="module")
def solved():
    """The same on a table where more than half of the runs find the optimum: regrets that are 0, or far from it."""
    found = losses_of_many_runs(synthetic_table("chain", noise=0.0))
    assert 0.5 < (found["final"] == 0).mean() < 1
    return found


def groups(pool, runs, times, seed):
    """Pairs of different runs of the pool, each of shape (times, runs)."""
    random = np.random.default_rng(seed)
    drawn = np.stack([random.choice(len(pool), 2 * runs, replace=False) for _ in range(times)])
    return pool[drawn[:, :runs]], pool[drawn[:, runs:]]


@pytest.mark.parametrize("kind", ["pool", "solved"])
def test_a_thousand_runs_of_continuous_integration_raise_no_more_false_alarms_than_stated(kind, request):
    pool = request.getfixturevalue(kind)
    level, runs = 0.05, 256
    error = error_per_test(level, baselines=1, losses=2)
    wide, narrow = 0.5, 0.1  # margins, in standard deviations; with a narrow one, equivalence is seldom proven
    cases = {(wide, 0.0): {"worse"}, (wide, 1.0): {"worse"}, (narrow, 0.0): {"worse", "likely worse"}}
    alarms = {case: np.zeros(1000, dtype=bool) for case in cases}
    for name in ("anytime", "final"):
        pairs = groups(pool[name], runs, 1000, seed=1)
        for (part, shift), found in alarms.items():
            margin = part * pool[name].std()
            for place, (old, new) in enumerate(zip(*pairs, strict=True)):
                verdict = compare(name, old, new + shift * margin, margin, error).verdict
                found[place] |= verdict in cases[part, shift]
    assert alarms[wide, 0.0].sum() == 0, "a rewritten strategy that is as good"
    # The least favourable cases: worse by exactly the margin, and equal with a margin too narrow for equivalence.
    for case in ((wide, 1.0), (narrow, 0.0)):
        assert alarms[case].sum() <= binom.ppf(0.999, 1000, level)
        assert alarms[case].sum() >= 5, "a level that is never reached would hide that nothing is tested"


def test_a_folder_of_many_baselines_keeps_the_level(pool):
    level, runs, baselines = 0.05, 64, 10
    margin = 0.5 * pool["final"].std()
    error = error_per_test(level, baselines, losses=1)
    old, new = groups(pool["final"], runs, 400 * baselines, seed=2)
    worse = [compare("final", *pair, margin, error).verdict == "worse" for pair in zip(old, new + margin, strict=True)]
    families = np.array(worse).reshape(400, baselines).any(axis=1)
    assert 1 <= families.sum() <= binom.ppf(0.999, 400, level)


def test_power_and_detectable_regressions_are_as_stated(pool):
    runs, error, times = 64, 0.01, 600
    values = pool["final"]
    margin = 0.6 * values.std()
    old, new = groups(values, runs, times, seed=3)
    equal = [compare("final", a, b, margin, error) for a, b in zip(old, new, strict=True)]
    found = np.mean([comparison.verdict == "equivalent" for comparison in equal])
    assert 0.5 < found < 0.99, "a power of nearly 0 or 1 would prove little"
    assert found == pytest.approx(np.mean([comparison.power for comparison in equal]), abs=0.06)
    samples = values[: 40 * runs].reshape(40, runs)
    foreseen = [equivalence_chances({"final": sample}, {"final": margin}, error)["final"] for sample in samples]
    assert found == pytest.approx(np.mean(foreseen), abs=0.06)
    shift = np.median([comparison.detectable for comparison in equal])
    worse = [compare("final", a, b + shift, margin, error).verdict == "worse" for a, b in zip(old, new, strict=True)]
    assert np.mean(worse) == pytest.approx(0.8, abs=0.06)
    needed = int(np.median([comparison.needed for comparison in equal]))
    pairs = zip(*groups(values, needed, 300, seed=4), strict=True)
    assert np.mean([compare("final", *pair, margin, error).verdict == "equivalent" for pair in pairs]) > 0.85


# The exact tier


def test_a_difference_is_found_where_it_is():
    trace = simulated(runs=9, budget=nl.Budget(evaluations=20))
    known = fingerprints(trace)
    assert difference(known, trace) is None
    for run, step, after, until in ((0, 0, 0, 1), (3, 5, 4, 8), (8, 19, 16, 32), (8, 7, 4, 8)):
        architecture = trace.architecture.copy()
        architecture[run, step] += 1
        part = difference(known, dataclasses.replace(trace, architecture=architecture))
        assert (part.run, part.after, part.until, part.runs, part.of) == (run, after, until, 1, 9)
        assert f"the first is run {run}, " in str(part)


@pytest.mark.parametrize("name", ["fidelity", "repeat"])
def test_fidelities_and_repeats_count(name):
    trace = simulated()
    changed = getattr(trace, name).copy()
    changed[2, 3] += 1
    assert difference(fingerprints(trace), dataclasses.replace(trace, **{name: changed})).run == 2


def test_fingerprints_do_not_depend_on_the_layout_in_memory():
    trace = simulated()
    other = dataclasses.replace(trace, architecture=np.ascontiguousarray(trace.architecture).astype(">i4"))
    assert difference(fingerprints(trace), other) is None


def test_a_run_that_ends_elsewhere_differs():
    known = fingerprints(simulated(budget=nl.Budget(evaluations=20)))
    assert difference(known, simulated(budget=nl.Budget(evaluations=19))) is not None
    assert difference(known, simulated(budget=nl.Budget(evaluations=40))) is not None


# Losses by hand


def test_losses_of_a_run_by_hand():
    trace = simulated(runs=3, budget=nl.Budget(evaluations=6))
    found = losses(trace, TABLE, scale_of(trace))
    regret = trace.regret("test")
    assert found["final"] == pytest.approx(regret[:, -1])
    assert found["anytime"] == pytest.approx(regret[:, [0, 1, 3, 5]].mean(axis=1))
    assert found["clock"].tolist() == [1.0, 1.0, 1.0]


def test_a_run_without_a_value_has_the_worst_regret():
    table = synthetic_table("chain", failures=0.97)
    trace = simulated(table=table, runs=64, budget=nl.Budget(evaluations=2))
    without = trace.final_incumbent() < 0
    assert without.any()
    assert not without.all()
    found = losses(trace, table, scale_of(trace))
    means = trace.reference.mean("test")
    worst = trace.reference.optimum("test") - np.nanmin(means)
    assert found["final"][without] == pytest.approx(worst)
    assert (found["final"] <= worst + 1e-9).all()


def test_a_budget_in_seconds_is_measured_in_seconds():
    trace = simulated(budget=nl.Budget(seconds=200.0))
    scale = scale_of(trace)
    assert (scale.axis, scale.checkpoints[0], scale.checkpoints[-1]) == ("seconds", 200 / 128, 200.0)
    found = losses(trace, TABLE, scale)
    assert np.isfinite(found["anytime"]).all()
    assert "unused" not in found
    assert audit_trace(trace, TABLE) == []


# Audits of every kind of simulation are silent where nothing is wrong


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("random-search", {}),
        ("random-search", {"repeat": "mean"}),
        ("random-search", {"repeat": 1, "fidelity": 4}),
        ("random-search", {"budget": nl.Budget(epochs=300)}),
        ("random-search", {"budget": nl.Budget(seconds=300.0, evaluations=10)}),
        ("local-search", {"workers": 3}),
        ("asha", {"workers": 3, "budget": nl.Budget(epochs=300)}),
        ("hyperband", {"budget": nl.Budget(epochs=300)}),
        ("hyperband", {"budget": nl.Budget(seconds=300.0)}),
        ("exhaustive", {"table": synthetic_table("tiny")}),
        ("random-search", {"table": synthetic_table("chain", failures=0.5, direction="minimize")}),
        ("random-search", {"limits": {"parameters": 1.0}}),
    ],
    ids=str,
)
def test_nothing_is_found_where_nothing_is_wrong(strategy, options):
    table = options.get("table", TABLE)
    assert audit_trace(simulated(strategy, **options), table) == []


def test_nothing_is_found_where_trainings_are_resumed():
    table = nl.load("digits/chain")
    for strategy in ("hyperband", "learning-curve-stopping"):
        assert audit_trace(simulated(strategy, table=table, budget=nl.Budget(epochs=600)), table) == []


def test_a_training_that_was_given_away_is_found():
    table = nl.load("digits/chain")
    trace = simulated("hyperband", table=table, budget=nl.Budget(epochs=600))
    time = trace.time.copy()
    time[0, 5:] -= 0.9 * (time[0, 5] - time[0, 4])
    assert audit_trace(dataclasses.replace(trace, time=time), table)[0].startswith("clock: evaluation 6 of run 0")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (nl.Budget(epochs=299), "trains for more than 299 epochs"),
        (nl.Budget(evaluations=5), "has more than the 5 evaluations"),
        (nl.Budget(seconds=100.0), "goes on after 100 s"),
        (nl.Budget(seconds=1e6), "ends more than the longest evaluation before 1e+06 s"),
    ],
)
def test_other_budgets_than_claimed_are_found(budget, words):
    trace = simulated("hyperband", budget=nl.Budget(epochs=300))
    claimed = with_setting(trace, budget=budget)
    assert any(words in line for line in audit_trace(claimed, TABLE))


# Files


def test_a_file_says_the_same_when_it_is_read(committed, tmp_path):
    baseline = read_baseline(committed)
    assert to_json(baseline) == committed.read_text()
    assert max(map(len, committed.read_text().splitlines())) <= 120
    other = tmp_path / "b.json"
    write_baseline(baseline, other)
    assert other.read_bytes() == committed.read_bytes()
    assert read_baseline(other).same_content(baseline)


def test_every_kind_of_protocol_survives_the_file(tmp_path):
    options = {
        "budget": nl.Budget(seconds=90.5, epochs=400),
        "fidelity": 4,
        "repeat": "mean",
        "workers": 2,
        "seed": 2**100,
        "limits": {"parameters": 1.0},
        "objectives": ("synflow",),
    }
    made = BaselineCheck("random-search", TABLE, nl.Conditions(**options), runs=8)
    assert made.write(tmp_path / "a.json").verdict == "created"
    assert made.against(tmp_path / "a.json").verdict == "identical"
    assert check_file(tmp_path / "a.json").verdict == "identical"


def test_writing_again_leaves_the_file_alone(committed):
    before = committed.stat().st_mtime_ns
    assert check(variants.Evolution()).write(committed).verdict == "unchanged"
    assert committed.stat().st_mtime_ns == before


def test_writing_anew_says_what_changed_and_keeps_the_margins(tmp_path):
    path = tmp_path / "a.json"
    check("random-search", margin=0.123).write(path)
    outcome = check("local-search").write(path)
    assert outcome.verdict == "updated"
    assert any(re.fullmatch(r"final was \S+, is \S+, margin 0\.123", note) for note in outcome.notes)
    assert read_baseline(path).margins == {"anytime": 0.123, "final": 0.123}


def test_what_is_broken_is_not_written(tmp_path):
    outcome = check(variants.UsesItsPlace()).write(tmp_path / "a.json")
    assert outcome.verdict == "broken"
    assert not (tmp_path / "a.json").exists()


def test_a_baseline_with_too_few_runs_says_so(tmp_path):
    notes = check("random-search", runs=16).write(tmp_path / "a.json").notes
    assert any("is found equivalent in final with a probability of only 0." in note for note in notes)
    assert not any("would be" in note for note in check("random-search").write(tmp_path / "b.json").notes)


def test_the_family_is_the_folder(tmp_path):
    for number in range(4):
        check(variants.Evolution()).write(tmp_path / f"{number}.json")
    outcome = check(variants.DrawsInAnotherOrder()).against(tmp_path / "0.json")
    assert {comparison.error for comparison in outcome.comparisons} == {0.01 / 4 / 2}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runs": 128}, "runs was 256, is 128"),
        ({"seed": 1}, "seed was 0, is 1"),
        ({"repeat": "mean"}, "repeat was sample, is mean"),
        ({"margin": 0.5}, "margin of final was"),
        ({"tiers": ("statistical",)}, "tiers was"),
        ({"level": 0.02}, "level was 0.01, is 0.02"),
    ],
)
def test_another_check_is_refused(committed, options, words):
    with pytest.raises(ParameterError, match=re.escape(words)):
        check(variants.Evolution(), **options).against(committed)


def test_another_table_or_budget_is_refused(committed):
    with pytest.raises(ParameterError, match="the content of the table was"):
        BaselineCheck(variants.Evolution(), synthetic_table("topology", seed=1), BUDGET).against(committed)
    with pytest.raises(ParameterError, match="budget was 64 evaluations, is 32 evaluations"):
        BaselineCheck(variants.Evolution(), TABLE, nl.Budget(evaluations=32)).against(committed)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runs": 4}, "at least 8 runs"),
        ({"level": 0.7}, "level must be above 0 and below 0.5"),
        ({"level": True}, "level must be a finite number"),
        ({"margin": 0.0}, "the margin of anytime must be above 0"),
        ({"margin": {"speed": 1.0}}, "unknown loss 'speed'"),
        ({"tiers": ()}, "tiers must be some of"),
        ({"tiers": ("exact", "fuzzy")}, "tiers must be some of"),
    ],
)
def test_nonsense_is_refused(tmp_path, options, words):
    with pytest.raises(ParameterError, match=words):
        check("random-search", **options).write(tmp_path / "a.json")


def test_without_the_statistical_tier_few_runs_are_enough(tmp_path):
    few = check("random-search", runs=2, tiers=("exact",))
    assert few.write(tmp_path / "a.json").verdict == "created"
    assert few.against(tmp_path / "a.json").verdict == "identical"


def test_without_the_exact_tier_nothing_is_hashed(tmp_path):
    loose = check("random-search", tiers=("statistical",))
    loose.write(tmp_path / "a.json")
    assert read_baseline(tmp_path / "a.json").fingerprints is None
    assert loose.against(tmp_path / "a.json").verdict == "equivalent"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "a.json"
    BaselineCheck("random-search", "synthetic/tiny", nl.Budget(evaluations=3), runs=8).write(path)
    return path.read_text()


def damage(document, path, value):
    """A document in which one member is another, or gone where the value is `...`."""
    *folders, name = path
    inner = document
    for folder in folders:
        inner = inner[folder]
    if value is ...:
        del inner[name]
    else:
        inner[name] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "something else"),
        (["format_version"], 2),
        (["format_version"], True),
        (["protocol"], ...),
        (["protocol"], []),
        (["protocol", "runs"], -256),
        (["protocol", "runs"], 255),
        (["protocol", "runs"], 1e3),
        (["protocol", "budget"], {"evaluations": None, "epochs": None, "seconds": None}),
        (["protocol", "budget", "evaluations"], 10**400),
        (["protocol", "budget", "seconds"], 10**400),
        (["protocol", "level"], 0),
        (["protocol", "tiers"], ["exact", ["statistical"]]),
        (["protocol", "repeat"], "often"),
        (["protocol", "limits"], {"parameters": "few"}),
        (["losses", "final"], ...),
        (["losses", "final"], [0.1]),
        (["losses", "final"], [None] * 256),
        (["losses", "other"], [0.1] * 256),
        (["margins", "final"], 0),
        (["margins", "final"], ...),
        (["fingerprints"], None),
        (["fingerprints", "digest"], "00"),
        (["fingerprints", "prefixes"], ["zzzz"] * 256),
        (["fingerprints", "prefixes"], [""] * 256),
        (["scale", "checkpoints"], []),
        (["scale", "checkpoints"], [2, 1]),
        (["scale", "checkpoints"], [10**300]),
        (["scale", "axis"], "years"),
        (["subject", "parameters"], "many"),
        (["subject", "given"], ["size"]),
        (["runs", "stopped"], "none"),
    ],
    ids=str,
)
def test_a_damaged_file_is_one_line_of_error(committed, tmp_path, path, value):
    damaged = tmp_path / "damaged.json"
    damaged.write_text(damage(json.loads(committed.read_text()), path, value))
    with pytest.raises(DataError) as caught:
        read_baseline(damaged)
    assert str(damaged) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": 1' + b"0" * 5000 + b"}",
        b'{"format": NaN}',
        b'{"a": 1, "a": 2}',
        b"null",
        b'{"format": "nasbench-lab baseline", "format_version": 1' + b"0" * 5000 + b"}",
    ],
    ids=range(8),
)
def test_a_hostile_file_is_one_line_of_error(tmp_path, content):
    path = tmp_path / "hostile.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read the baseline .*hostile\.json: [^\n]*$"):
        read_baseline(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@hypothesis.given(data=st.data())
def test_any_other_content_is_read_or_refused(small, data):
    document = json.loads(small)
    inner = document
    while True:
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or not inner[key] or data.draw(st.booleans()):
            break
        inner = inner[key]
    inner[key] = data.draw(JSON)
    with contextlib.suppress(DataError):
        from_json(json.dumps(document))


def test_a_truncated_file_is_an_error(committed):
    text = committed.read_text()
    for end in range(0, len(text) - 2, 997):
        with pytest.raises(DataError):
            from_json(text[:end])


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError, match="there is no baseline"):
            read_baseline(path)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        check("random-search", runs=8).write(tmp_path / "file" / "a.json")


# Finding things again


def test_strategies_are_found_again():
    assert source_of("random-search", None) == "random-search"
    assert source_of(variants.Evolution(), variants.Evolution()) == "evolution_variants:Evolution"

    class Local(variants.Evolution):
        pass

    assert source_of(Local(), Local()) == ""
    assert plain({"a": (1, float("nan")), "b": {"c": None}}) == {"a": [1, "nan"], "b": {"c": None}}


def test_parameters_that_were_given_are_given_again(tmp_path):
    made = check("regularized-evolution:population_size=20,sample_size=3")
    made.write(tmp_path / "a.json")
    subject = read_baseline(tmp_path / "a.json").subject
    assert (subject.source, subject.given) == ("regularized-evolution", ("population_size",))
    assert check_file(tmp_path / "a.json").verdict == "identical"


@pytest.mark.parametrize("name", ["zero-cost-filter", "zero-cost-warm-start"])
def test_a_score_that_the_table_chose_is_no_change(tmp_path, name):
    path, options = tmp_path / "mine.json", {"inner": "random-search", "candidates": 5}
    options |= {"warm": 5} if name == "zero-cost-warm-start" else {}
    checked = BaselineCheck(name, "synthetic/topology", BUDGET, parameters=options)
    assert checked.write(path).verdict == "created"
    subject = read_baseline(path).subject
    assert subject.parameters["score"] == "synflow"
    assert "score" not in subject.given
    for outcome in (checked.against(path), check_file(path)):
        assert (outcome.verdict, outcome.notes) == ("identical", ())
    named = dataclasses.replace(checked, parameters={**options, "score": "synflow"})
    assert named.against(path).notes == ()
    assert check_file(path, update=True).verdict == "unchanged"


def test_another_score_than_that_of_the_baseline_is_seen(tmp_path):
    path, table = tmp_path / "mine.json", nl.load("digits/topology")
    checked = BaselineCheck("zero-cost-filter", table, nl.Budget(evaluations=12))
    checked.write(path)
    other = dataclasses.replace(checked, parameters={"score": "supernet_fair"}).against(path)
    assert "parameter score was 'synflow', is 'supernet_fair'" in other.notes


def test_a_changed_default_is_seen(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    check(variants.Evolution()).write(path)
    outcome = check(variants.Evolution(population_size=60, sample_size=2)).against(path)
    assert "parameter population_size was 10, is 60" in outcome.notes


def test_tables_are_found_again(tmp_path, monkeypatch):
    table = synthetic_table("chain")
    nl_path = tmp_path / "tables" / "mine.h5"
    nl_path.parent.mkdir()
    from nasbench_lab.tables import write

    write(table, nl_path)
    folder = tmp_path / "tests" / "baselines"
    monkeypatch.chdir(tmp_path)
    BaselineCheck("random-search", "tables/mine.h5", BUDGET, runs=8).write(folder / "a.json")
    assert read_baseline(folder / "a.json").subject.table_source == "../../tables/mine.h5"
    monkeypatch.chdir(folder)
    assert check_file(folder / "a.json").verdict == "identical"
    assert name_of_table("digits/chain", folder) == "digits/chain"
    assert find_table_of_file("synthetic/tiny", folder).space.size == 2
    assert name_of_table(Table(dataclasses.replace(table.description, name="own"), table._values), folder) == ""


def test_a_table_in_memory_has_a_checksum_of_its_own():
    assert checksum_of(synthetic_table("chain")) == checksum_of(synthetic_table("chain"))
    assert checksum_of(synthetic_table("chain")) != checksum_of(synthetic_table("chain", seed=1))


# What people read


def test_an_outcome_survives_being_sent_to_another_process(committed):
    outcome = check(variants.WorseMutation()).against(committed)
    assert CheckOutcome.from_plain(json.loads(json.dumps(outcome.to_plain()))) == outcome


def test_texts_say_the_numbers(committed):
    outcome = check(variants.WorseMutation()).against(committed)
    final = outcome.comparisons[1]
    for text in (to_text(outcome), to_markdown([outcome])):
        for number in (f"{final.before:.4g}", f"{final.difference:+.3g}", f"{final.margin:g}", f"{final.power:.3f}"):
            assert number in text
    assert to_markdown([]).endswith("No baseline was checked.\n")
    hostile = CheckOutcome("a|b.json", "<script>", "t\nt", "error", findings=("x | <b>",))
    assert "<script>" not in to_markdown([hostile])
    assert "<b>" not in to_markdown([hostile])


def test_an_inconclusive_check_says_how_many_runs_are_needed(tmp_path):
    path = tmp_path / "a.json"
    check(variants.Evolution(), runs=8).write(path)
    outcome = check(variants.DrawsInAnotherOrder(), runs=8).against(path)
    assert outcome.verdict == "inconclusive"
    assert not outcome.passed
    needed = max(comparison.needed for comparison in outcome.comparisons)
    assert needed > 8
    assert f"{needed} runs would give a power of 0.9" in to_text(outcome)


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_a_proven_difference_that_may_be_within_the_margin_has_a_verdict_of_its_own(shift):
    random = np.random.default_rng(3)
    before = random.random(256)
    found = compare("final", before, before + shift * random.normal(1.1, 1.0, 256), margin=1.1, error=0.005)
    assert min(abs(found.low), abs(found.high)) < 1.1 < max(abs(found.low), abs(found.high))
    assert found.verdict == ("likely worse" if shift > 0 else "likely better")
    # Surely within the margin: equivalent, although the interval excludes 0.
    assert compare("final", before, before + shift * random.normal(1.1, 1.0, 256), 2.0, 0.005).verdict == "equivalent"
    # So few runs prove nothing, whatever their spread.
    assert compare("final", before[:8], before[:8] + shift, margin=1.1, error=0.0005).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("found", "overall"),
    [
        (["equivalent", "likely worse"], "likely worse"),
        (["likely worse", "worse"], "worse"),
        (["inconclusive", "likely worse"], "likely worse"),
        (["likely better", "inconclusive"], "inconclusive"),
        (["likely better", "equivalent"], "likely better"),
        (["likely better", "better"], "better"),
        (["equivalent", "equivalent"], "equivalent"),
    ],
)
def test_the_worst_verdict_of_the_measures_counts(found, overall):
    one = compare("final", np.arange(8.0), np.arange(8.0), 1.0, 0.01)
    assert _overall([dataclasses.replace(one, verdict=verdict) for verdict in found]) == overall


def test_a_check_passes_with_an_allowed_verdict_only():
    outcomes = [CheckOutcome("a.json", "mine", "t", verdict) for verdict in typing.get_args(Verdict)]
    passed = {"identical", "equivalent", "better", "likely better", "created", "updated", "unchanged"}
    assert {outcome.verdict for outcome in outcomes if outcome.passed} == passed
    for verdict in ALLOWABLE:
        assert {outcome.verdict for outcome in outcomes if outcome.passes([verdict])} == passed | {verdict}


def test_traces_of_a_harness_are_written_and_compared(tmp_path):
    trace = simulated(runs=32)
    path = tmp_path / "a.json"
    assert write_baseline_of(SimulatedRuns(trace, TABLE), SUBJECT, path).verdict == "created"
    assert compare_with_baseline(read_baseline(path), SimulatedRuns(trace, TABLE), path).verdict == "identical"
    with pytest.raises(ParameterError, match="name it"):
        check_file(path)
    with pytest.raises(ParameterError, match="runs that start with number 0"):
        baseline_of(simulated(first_run=3), TABLE, SUBJECT)
