"""The pytest plugin of nasbench-lab: regression tests of search strategies.

It adds the fixtures ``strategy_baseline`` and ``strategy_case``, and the options ``--update-baselines`` and
``--baseline-summary FILE``. The fixtures are implemented in `nasbench_lab.testing`.

This module is outside the package because pytest imports every installed plugin when it starts, even in projects that
do not use it: importing any part of the package would import NumPy.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
    from nasbench_lab.testing.baselines.pytest_fixture import StrategyBaseline

_OUTCOMES = pytest.StashKey[list["CheckOutcome"]]()
_ATTRIBUTE = "nasbench_lab_outcomes"  # attribute of a report; with xdist, workers send reports to the main process


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the configuration file."""
    group = parser.getgroup("nasbench-lab", "regression tests of search strategies")
    group.addoption(
        "--update-baselines", action="store_true", help="write new baselines of strategies instead of checking"
    )
    group.addoption("--baseline-summary", metavar="FILE", help="write the results of baseline checks as Markdown")
    parser.addini(
        "strategy_baselines",
        "folder of the baseline files, from the root of the project; by default 'baselines' beside each test file",
        default="",
    )
    parser.addini(
        "strategy_baselines_allow",
        "verdicts that do not fail a test, one per line: 'inconclusive', 'likely worse'; none by default",
        type="linelist",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and register the reporter in the main process."""
    if config.getini("strategy_baselines_allow"):
        _check_allowed(config.getini("strategy_baselines_allow"))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(config), "nasbench-lab-baselines")


def _check_allowed(allowed: list[str]) -> None:
    from nasbench_lab.errors import ParameterError
    from nasbench_lab.testing.baselines.check_outcome import check_allowed

    try:
        check_allowed(allowed)
    except ParameterError as error:
        raise pytest.UsageError(f"strategy_baselines_allow: {error}") from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that use ``strategy_case`` once per conformance case."""
    if "strategy_case" in metafunc.fixturenames:
        from nasbench_lab.testing.conformance import CASES

        metafunc.parametrize("strategy_case", list(CASES.values()), ids=list(CASES))


@pytest.fixture
def strategy_baseline(request: pytest.FixtureRequest) -> StrategyBaseline:
    """Compare a strategy with its committed baseline: ``strategy_baseline.check(strategy, table, budget=...)``."""
    from nasbench_lab.testing.baselines.pytest_fixture import StrategyBaseline

    config = request.config
    folder = config.getini("strategy_baselines")
    found = StrategyBaseline(
        config.rootpath / folder if folder else request.path.parent / "baselines",
        update=config.getoption("--update-baselines"),
        how_to_update=f"pytest {shlex.quote(request.node.nodeid)} --update-baselines",
        allowed=config.getini("strategy_baselines_allow"),
        fail=_fail,
        relative_to=config.rootpath,
    )
    request.node.stash[_OUTCOMES] = found.outcomes
    return found


def _fail(message: str) -> None:
    pytest.fail(message, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the outcomes of a test's checks to its report."""
    report = yield
    if call.when == "call" and _OUTCOMES in item.stash:
        setattr(report, _ATTRIBUTE, [outcome.to_plain() for outcome in item.stash[_OUTCOMES]])
    return report


class _Reporter:
    """Prints the outcomes of all checks at the end, and writes them as Markdown."""

    def __init__(self, config: pytest.Config) -> None:
        self._file = config.getoption("--baseline-summary")
        self._found: list[dict[str, Any]] = []
        self._problem = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the outcomes of a test, in any process."""
        self._found += getattr(report, _ATTRIBUTE, [])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the Markdown summary."""
        if self._file is None:
            return
        from nasbench_lab.errors import OutputError
        from nasbench_lab.testing.baselines.outcome_reports import write_markdown

        try:
            write_markdown(self._outcomes(), Path(self._file))
        except OutputError as error:
            self._problem = str(error)
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one line per check."""
        if self._problem:
            terminalreporter.write_line(f"nasbench-lab: {self._problem}", red=True)
        if not self._found:
            return
        from nasbench_lab.testing.baselines.outcome_reports import to_lines

        terminalreporter.section("strategy baselines")
        for line in to_lines(self._outcomes()):
            terminalreporter.write_line(line)

    def _outcomes(self) -> list[CheckOutcome]:
        from nasbench_lab.testing.baselines.check_outcome import CheckOutcome

        # Workers report in the order in which they finish; the summary must not depend on it.
        outcomes = [CheckOutcome.from_plain(fields) for fields in self._found]
        return sorted(outcomes, key=lambda outcome: (outcome.path, outcome.verdict))
