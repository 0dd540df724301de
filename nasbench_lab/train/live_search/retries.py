"""Another try for the failed trainings of a live search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nasbench_lab.errors import ParameterError
from nasbench_lab.train.live_search.failures import RETRIED, check_kinds, counts_of, kind_of
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.search_folder import StoredSearch
from nasbench_lab.train.live_search.search_log import LiveSearchLog
from nasbench_lab.train.live_search.search_loop import SearchLoop


class Retried(NamedTuple):
    """What is tried again.

    Attributes:
        evaluations: number of evaluations whose trainings had failed.
        failed: number of them by kind of failure; without those whose training another search has done since.
        kept: number of evaluations before the first of them, which stay as they are.
        ended: number of evaluations that had ended.
    """

    evaluations: int
    failed: Mapping[str, int]
    kept: int
    ended: int


def retry_failed(search: StoredSearch, table: LiveTable, kinds: Sequence[str] = RETRIED) -> Retried:
    """Take a search back to its first evaluation whose training failed, so that `run_search` trains it again.

    The strategy then learns the value, as if the training had not failed. Later evaluations are proposed again. What
    was trained for them is kept, so they take no time unless the strategy now proposes something else. The seconds that
    were used stay used.

    Args:
        search: the search, whose lock is held.
        table: its table.
        kinds: kinds of failures, see `nasbench_lab.train.live_search.failures.KINDS`.

    Raises:
        ParameterError: there is no such kind, or the time of the search is used up.
        NasbenchLabError: the folder is damaged.
    """
    kinds = check_kinds(kinds)
    prepared, budget = search.plan.conditions.on(table), search.plan.conditions.stated_budget
    with LiveSearchLog(search.path) as log:
        loop = SearchLoop(table, search.plan.searcher, prepared, log, lambda _state: None, inherit=search.plan.inherit)
        loop.run(None)
        reasons = loop.without_value()
        again = [number for number, reason in reasons.items() if not reason or kind_of(reason) in kinds]
        ended = len(loop.steps)
        if again and budget.seconds is not None and log.clock() >= budget.seconds:
            raise ParameterError(
                f"the {budget.seconds:,.0f} s of the search are used up, and another try needs time: give more with "
                "--hours or --minutes"
            )
        table.retry_failed(kinds)
        kept = log.rewind(again[0]) if again else ended
    return Retried(len(again), counts_of(reasons[number] for number in again if reasons[number]), kept, ended)
