"""The pytest plugin, as the author of a strategy meets it: in a project of its own."""

import re
from importlib.metadata import entry_points

import pytest
import scipy.special  # noqa: F401 - before pytester first forgets what a run imported; NumPy must not be loaded twice

from nasbench_lab.testing import CASES, read_baseline

pytest_plugins = ["pytester"]

INSTALLED = any(entry.value == "nasbench_lab_pytest" for entry in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "nasbench_lab_pytest")

CHECK = """
    import nasbench_lab as nl

    def test_search(strategy_baseline):
        strategy_baseline.check({strategy!r}, "synthetic/chain", budget=nl.Budget(evaluations=20), name="mine"{more})
"""


@pytest.fixture
def project(pytester):
    """A project with one check, which can be written with another strategy."""

    def write(strategy="random-search", more=""):
        pytester.makepyfile(test_mine=CHECK.format(strategy=strategy, more=more))

    write()
    pytester.write = write
    pytester.run_plugin = lambda *words: pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *words)
    return pytester


def baselines(project):
    return sorted(path.name for path in (project.path / "baselines").glob("*"))


def test_a_missing_baseline_fails_and_says_how_to_make_it(project):
    result = project.run_plugin()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        "*there is no baseline baselines/mine.json; write it with: pytest test_mine.py::test_search --update-baselines"
    )
    assert "another exception" not in result.stdout.str(), "the message comes once"
    assert not baselines(project), "it was not made"


def test_a_baseline_is_written_on_purpose_only_and_then_passes(project):
    result = project.run_plugin("--update-baselines")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*strategy baselines*", "created: random-search on synthetic/chain*baselines/mine.json"]
    )
    assert baselines(project) == ["mine.json"]
    before = (project.path / "baselines/mine.json").read_bytes()
    result = project.run_plugin()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("identical: random-search on synthetic/chain*")
    project.write("regularized-evolution:population_size=1,sample_size=1")
    project.run_plugin().assert_outcomes(failed=1)
    assert (project.path / "baselines/mine.json").read_bytes() == before, "a failure changes nothing"
    result = project.run_plugin("--update-baselines")
    result.stdout.fnmatch_lines("updated: regularized-evolution*")
    assert (project.path / "baselines/mine.json").read_bytes() != before
    project.run_plugin("--update-baselines").stdout.fnmatch_lines("unchanged: regularized-evolution*")


def test_a_regression_fails_with_the_numbers_and_is_in_the_summary(project):
    project.write("random-search", ", margin=0.005")
    project.run_plugin("--update-baselines")
    project.write("regularized-evolution:population_size=1,sample_size=1", ", margin=0.005")
    result = project.run_plugin("--baseline-summary", "out/summary.md")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "worse: regularized-evolution* on synthetic/chain (worse by more than the margin)",
            "*the strategy was random-search, is regularized-evolution*",
            "*measure *margin*power*",
            "*if this is intended: pytest test_mine.py::test_search --update-baselines",
            "*strategy baselines*",
        ]
    )
    text = (project.path / "out/summary.md").read_text()
    assert text.startswith("### Strategy baselines: 1 worse\n")
    assert "`baselines/mine.json`" in text


def test_parameters_tiers_and_results_are_passed_on(project):
    more = ", population_size=5, sample_size=2, tiers=('exact',), runs=4, level=0.05"
    project.write("regularized-evolution", more)
    project.run_plugin("--update-baselines").assert_outcomes(passed=1)
    baseline = read_baseline(project.path / "baselines/mine.json")
    assert baseline.subject.label == "regularized-evolution:population_size=5,sample_size=2"
    assert (baseline.protocol.tiers, baseline.protocol.runs, baseline.protocol.level) == (("exact",), 4, 0.05)
    project.makepyfile(
        test_mine="""
        import nasbench_lab as nl

        def test_search(strategy_baseline):
            budget = nl.Budget(evaluations=20)
            found = strategy_baseline.check("random-search", "synthetic/chain", budget=budget)
            assert found.verdict == "created"
        """
    )
    project.run_plugin("--update-baselines").assert_outcomes(passed=1)
    assert "random-search--synthetic-chain.json" in baselines(project)


def test_the_folder_can_be_chosen(project):
    project.makeini("[pytest]\nstrategy_baselines = kept/here\n")
    project.run_plugin("--update-baselines")
    assert (project.path / "kept/here/mine.json").exists()
    project.run_plugin().assert_outcomes(passed=1)


def test_what_is_inconclusive_fails_unless_it_may_pass(project):
    project.write("random-search", ", runs=8")
    project.run_plugin("--update-baselines")
    project.write("regularized-evolution", ", runs=8")
    result = project.run_plugin()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("inconclusive: *the runs do not show whether the difference is within the margin*")
    project.makeini("[pytest]\nstrategy_baselines_allow = inconclusive\n")
    result = project.run_plugin()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("inconclusive: *")


def test_a_wrong_setting_is_a_usage_error(project):
    project.makeini("[pytest]\nstrategy_baselines_allow =\n    inconclusive\n    worse\n")
    result = project.run_plugin()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*an allowed verdict must be 'inconclusive' or 'likely worse', got 'worse'")


def test_a_likely_regression_fails_unless_it_may_pass(project):
    options = ", runs=100, margin=0.03"  # which is about how much the second strategy is worse
    project.write("regularized-evolution", options)
    project.run_plugin("--update-baselines")
    project.write("regularized-evolution:population_size=1,sample_size=1", options)
    result = project.run_plugin()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("likely worse: *(worse, but not surely by more than the margin)")
    project.makeini("[pytest]\nstrategy_baselines_allow = inconclusive\n")
    project.run_plugin().assert_outcomes(failed=1)
    project.makeini("[pytest]\nstrategy_baselines_allow = likely worse\n")
    project.run_plugin().assert_outcomes(passed=1)


def test_two_checks_of_one_strategy_on_one_table_are_told_apart(project):
    project.makepyfile(
        test_mine="""
        import nasbench_lab as nl


        def test_search(strategy_baseline):
            for size in (20, 30):
                budget = nl.Budget(evaluations=size)
                strategy_baseline.check("random-search", "synthetic/chain", budget=budget, runs=8, name=f"of-{size}")
        """
    )
    project.run_plugin("--update-baselines")
    result = project.run_plugin()
    result.stdout.fnmatch_lines(["identical: *: baselines/of-20.json", "identical: *: baselines/of-30.json"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:100], "*cannot read the baseline *mine.json: it is not JSON*"),
        (lambda text: text.replace('"runs": 256', '"runs": 64'), "*a loss must have one value per run*"),
        (lambda text: text.replace('"seed": 0', '"seed": 9'), "*is for another check: seed was 9, is 0; *"),
    ],
    ids=["truncated", "inconsistent", "other"],
)
def test_a_damaged_baseline_is_one_line(project, damage, message):
    project.run_plugin("--update-baselines")
    path = project.path / "baselines/mine.json"
    path.write_text(damage(path.read_text()))
    result = project.run_plugin("--baseline-summary", "summary.md")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(message)
    result.stdout.no_fnmatch_line("*Traceback*")
    assert (project.path / "summary.md").read_text().startswith("### Strategy baselines: 1 error\n")


def test_two_checks_of_one_name_are_named(project):
    project.makepyfile(
        test_mine=CHECK.format(strategy="random-search", more="")
        + CHECK.format(strategy="local-search", more="").replace("test_search", "test_other")
    )
    result = project.run_plugin("--update-baselines")
    result.stdout.fnmatch_lines("baselines/mine.json was written more than once; give each check its own name")


def test_names_in_any_script_have_files_of_their_own(project):
    names = ["随机搜索", "局部搜索", "a b", "a/b", "a:b", "évolution", "x" * 300, "x" * 301]
    project.makepyfile(
        test_mine=f"""
        import pytest
        import nasbench_lab as nl

        @pytest.mark.parametrize("name", {names!r})
        def test_search(strategy_baseline, name):
            budget = nl.Budget(evaluations=5)
            strategy_baseline.check("random-search", "synthetic/chain", budget=budget, runs=8, name=name)
        """
    )
    result = project.run_plugin("--update-baselines")
    result.assert_outcomes(passed=len(names))
    result.stdout.no_fnmatch_line("*written more than once*")
    written = baselines(project)
    assert len({name.casefold() for name in written}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.=-]{1,200}\.json", name) for name in written)
    project.run_plugin().assert_outcomes(passed=len(names))


def test_a_trace_of_a_harness_can_be_checked(project):
    project.makepyfile(
        test_mine="""
        import dataclasses
        import nasbench_lab as nl
        from nasbench_lab.testing import synthetic_table

        def test_mine(strategy_baseline, pytestconfig):
            table = synthetic_table("chain")
            trace = nl.simulate(table, "random-search", runs=16, budget=nl.Budget(evaluations=9))
            if not pytestconfig.getoption("--update-baselines"):
                trace = dataclasses.replace(trace, time=trace.time * 2)
            strategy_baseline.check_trace(trace, table)
        """
    )
    project.run_plugin("--update-baselines").assert_outcomes(passed=1)
    assert baselines(project) == ["random-search--synthetic-chain.json"]
    result = project.run_plugin()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["broken: *", "*clock: evaluation 1 of run 0 took *"])
    result.stdout.no_fnmatch_line("*if this is intended*")


def test_a_summary_that_cannot_be_written_is_an_error(project):
    project.run_plugin("--update-baselines")
    result = project.run_plugin("--baseline-summary", "test_mine.py/summary.md")
    assert result.ret != 0
    result.stdout.fnmatch_lines("nasbench-lab: cannot write test_mine.py/summary.md*")


def test_without_checks_there_is_no_summary_on_the_terminal(project):
    project.makepyfile(test_mine="def test_nothing(): pass")
    result = project.run_plugin("--baseline-summary", "summary.md")
    result.stdout.no_fnmatch_line("*strategy baselines*")
    assert "No baseline was checked" in (project.path / "summary.md").read_text()


def test_checks_on_several_processes_are_summarised_together(project):
    pytest.importorskip("xdist")
    project.makepyfile(
        test_mine="""
        import pytest
        import nasbench_lab as nl

        @pytest.mark.parametrize("name", ["random-search", "local-search", "regularized-evolution"])
        def test_search(name, strategy_baseline):
            strategy_baseline.check(name, "synthetic/chain", budget=nl.Budget(evaluations=20))
        """
    )
    result = project.runpytest_subprocess(*PLUGIN, "-n", "2", "--update-baselines", "--baseline-summary", "summary.md")
    result.assert_outcomes(passed=3)
    created = [line for line in result.stdout.lines if line.startswith("created: ") and "synthetic" in line]
    assert [line.split()[1] for line in created] == ["local-search", "random-search", "regularized-evolution"]
    assert len(baselines(project)) == 3
    assert (project.path / "summary.md").read_text().startswith("### Strategy baselines: 3 created\n")


def test_every_conformance_case_is_a_test(project):
    project.makepyfile(
        test_mine="""
        from nasbench_lab.strategies.random_search import RandomSearch

        def test_conformance(strategy_case):
            strategy_case(RandomSearch())
        """
    )
    result = project.run_plugin("-v", "-k", "ties or two or pickling or direction")
    chosen = [name for name in CASES if re.search("ties|two|pickling|direction", name)]
    result.assert_outcomes(passed=len(chosen), deselected=len(CASES) - len(chosen))
    result.stdout.fnmatch_lines(f"*test_conformance[[]{chosen[0]}[]]*PASSED*")


def test_starting_pytest_imports_nothing_heavy(project, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.makepyfile(
        test_mine="""
        import sys

        def test_nothing():
            assert "nasbench_lab_pytest" in sys.modules
            assert not {"numpy", "nasbench_lab", "scipy"} & set(sys.modules)
        """
    )
    project.runpytest_subprocess("-p", "nasbench_lab_pytest").assert_outcomes(passed=1)


def test_the_help_names_the_options(project):
    result = project.run_plugin("--help")
    result.stdout.fnmatch_lines(["*--update-baselines*", "*--baseline-summary=FILE*"])


def test_a_class_for_a_single_run_is_tested_like_any_strategy(pytester):
    pytester.makepyfile(
        """
        class Guess:
            def __init__(self, space, random):
                self.space, self.random = space, random

            def ask(self):
                return self.random.integers(self.space.size)

            def tell(self, architecture, value):
                pass

        class Shares(Guess):
            asked = [0]

            def ask(self):
                self.asked[0] += 1
                return self.asked[0] % self.space.size

        def test_conformance(strategy_case):
            strategy_case(Guess)

        def test_shares(strategy_case):
            strategy_case(Shares)

        def test_baseline(strategy_baseline):
            strategy_baseline.check(Guess, "synthetic/chain", budget={"evaluations": 20})
        """.replace('{"evaluations": 20}', "__import__('nasbench_lab').Budget(evaluations=20)")
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "-k", "conformance")
    result.assert_outcomes(passed=len(CASES), deselected=len(CASES) + 1)
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "-k", "shares and company")
    result.assert_outcomes(failed=2, deselected=2 * len(CASES) - 1)
    result.stdout.fnmatch_lines("*AssertionError: run * depends on the others")
    for option, verdict in (("--update-baselines", "created"), ("-q", "identical")):
        result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "-k", "baseline", option)
        result.assert_outcomes(passed=1, deselected=2 * len(CASES))
        result.stdout.fnmatch_lines(f"*{verdict}: Guess on synthetic/chain*")
