"""Warnings: limits of the results that a reader of a study must know, one sentence each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from nasbench_lab.analysis.bootstrap import ignored_tasks
from nasbench_lab.analysis.studies.name_lists import some_names as _names
from nasbench_lab.analysis.studies.per_task import TaskEvidence
from nasbench_lab.analysis.studies.recommended_incumbents import recommendation_warnings, training_warnings
from nasbench_lab.simulation.provenance import trained_searches
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import REGRETS

FEW_TASKS = 10
"""With fewer tasks, Friedman's and Nemenyi's tests have little power."""

FEW_RUNS = 20
"""With fewer runs, bootstrap intervals are too narrow."""


def study_warnings(evidence: Sequence[TaskEvidence], provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the warnings of a study."""
    checks: tuple[Callable[[Sequence[TaskEvidence]], Iterator[str]], ...] = (
        _imported,
        _recommended,
        _trained,
        _incomplete,
        _on_test,
        _computed,
        _without_optimum,
        _idle_limits,
        _without_value,
        _few_tasks,
        _related_tasks,
        _few_runs,
        _different_runs,
        _several_contents,
        _several_versions,
        _different_seeds,
        _different_budgets,
        _ended_early,
        _mixed_fidelities,
        _one_fidelity,
        _no_scale,
        _ignored_tasks,
    )
    found = [warning for check in checks for warning in check(evidence)]
    return (*provenance_warnings(provenance), *found)


def provenance_warnings(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Yield the warnings that concern where results come from."""
    skipped = provenance.get("skipped") or []
    if skipped:
        yield f"The suite skipped {len(skipped)} simulations that are impossible."
    for each in provenance.get("inputs") or [provenance]:
        missing, source = each.get("missing") or 0, each.get("source")
        if missing:
            names = _names(f"{one['strategy']} on {one['table']}" for one in each.get("unfinished") or [])
            left_out = f", so these are left out: {names}" if names else ""
            shards = f"{_count(missing, 'shard')} {'is' if missing == 1 else 'are'} missing"
            yield f"The suite {f'in {source} ' if source else ''}is not finished: {shards}{left_out}."
    repeated = provenance.get("repeated") or []
    if repeated:
        yield f"Some runs were given more than once, and count once: {_names(repeated)}."
    releases = (provenance.get("versions") or {}).get("nasbench-lab") or []
    if len(releases) > 1:
        yield f"The results were made by several releases of nasbench-lab: {', '.join(releases)}."


def _imported(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    return imported_warnings(_settings(evidence))


def _recommended(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    rows = [row for each in evidence for row in each.summaries]
    labels = list(dict.fromkeys(row.strategy for row in rows))
    recommending = {row.strategy for row in rows if row.incumbents == "recommended"}
    return recommendation_warnings(labels, [label in recommending for label in labels])


def _trained(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    return training_warnings(trained_searches(_settings(evidence)))


def _settings(evidence: Sequence[TaskEvidence]) -> list[Setting]:
    return [setting for each in evidence for setting in each.settings if setting is not None]


def imported_warnings(settings: Iterable[Setting]) -> Iterator[str]:
    """Yield the warnings that some results are imported, and what their logs do not say."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    by_value: dict[str, None] = {}
    for setting in settings:
        if setting.origin:
            key = str(setting.origin["format"]), tuple(setting.origin["unknown"])
            found.setdefault(key, []).append(setting.label)
            if setting.origin.get("incumbents_only"):
                by_value[setting.label] = None
    for (kind, unknown), labels in found.items():
        missing = f" Their logs do not say {', '.join(unknown)}: these are assumed." if unknown else ""
        yield f"Results of {_names(dict.fromkeys(labels))} are imported ({kind}), not simulated here.{missing}"
    if by_value:
        yield f"The logs of {_names(by_value)} have incumbents, not evaluations: numbers of evaluations are not known."


def _incomplete(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    tasks: dict[tuple[str, ...], list[str]] = {}
    for each in evidence:
        missing = tuple(label for label, setting in zip(each.labels, each.settings, strict=True) if setting is None)
        if missing:
            tasks.setdefault(missing, []).append(each.task.name)
    for missing, names in tasks.items():
        these = "this task" if len(names) == 1 else "these tasks"
        yield f"{_names(missing)} did not run on {_names(names)}: comparisons over tasks leave {these} out."


def _on_test(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    found = [each.task.name for each in evidence if each.task.searched_on_test]
    if found:
        yield f"Searches on {_names(found)} observed test values, as there are no others: test regret is optimistic."


def _idle_limits(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    tasks: dict[str, list[str]] = {}
    for each in evidence:
        for name in each.idle_limits:
            tasks.setdefault(name, []).append(each.task.name)
    for limit, names in tasks.items():
        yield f"The limit {limit} has no effect on {_names(names)}: every architecture keeps it."


def _without_value(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    for each in evidence:
        for row in each.summaries:
            if row.without_value:
                yield (
                    f"{row.without_value} of {row.runs} runs of {row.strategy} on {each.task.name} have no value; they "
                    "count as infinitely bad in quantiles and ranks, and make means infinite."
                )


def _few_tasks(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    count = sum(each.complete for each in evidence)
    if not count:
        yield "No task has all strategies, so there is no leaderboard, and nothing is compared over tasks."
    elif len(evidence[0].labels) > 1 and count < FEW_TASKS:
        number = f"Only {count} tasks" if count != 1 else "Only one task"
        yield (
            f"{number} can be compared: the tests of Friedman, Nemenyi and Wilcoxon, whose unit is the task, have "
            "little or no power."
        )


def _related_tasks(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    spaces = [json.dumps(each.task.space, sort_keys=True, default=str) for each in evidence if each.task.space]
    if len(spaces) == len(evidence) and 1 < len(spaces) > len(set(spaces)):
        spaces_text = "one search space" if len(set(spaces)) == 1 else f"{len(set(spaces))} search spaces"
        yield (
            f"The {len(spaces)} tasks use {spaces_text}: tests over tasks assume independent tasks, so their "
            "p-values are too small."
        )


def _few_runs(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    fewest = min(row.runs for each in evidence for row in each.summaries)
    if fewest < FEW_RUNS:
        yield f"Some strategies have only {_count(fewest, 'run')} on a task: bootstrap intervals are too narrow."


def _different_runs(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    counts = {row.runs for each in evidence for row in each.summaries}
    if len(counts) > 1:
        yield f"Numbers of runs differ, from {min(counts)} to {max(counts)}; all tasks have the same weight."


def _several_contents(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    contents: dict[str, set[str]] = {}
    for each in evidence:
        contents.setdefault(each.task.table, set()).add(each.task.checksum)
    for table, checksums in contents.items():
        if len(checksums) > 1:
            yield (
                f"There are results on {len(checksums)} tables called {table}, whose contents differ: they are "
                "separate tasks."
            )


def _several_versions(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    versions: dict[str, set[int]] = {}
    for setting in _settings(evidence):
        if not setting.origin:  # the version of imported results is not known
            versions.setdefault(setting.strategy, set()).add(setting.version)
    for name, found in versions.items():
        if len(found) > 1:
            numbers = " and ".join(map(str, sorted(found)))
            yield f"Results of {name} are from versions {numbers} of the strategy, which search differently."


def _different_seeds(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    settings = _settings(evidence)
    known = (setting for setting in settings if "seed" not in setting.origin.get("unknown", ()))
    seeds = sorted({setting.conditions.seed for setting in known})
    if len(seeds) > 1:
        yield f"Root seeds differ: {', '.join(map(str, seeds))}."


def _different_budgets(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    budgets = {str(each.task.conditions.budget) for each in evidence}
    if len(budgets) > 1:
        yield f"Budgets differ between tasks ({'; '.join(sorted(budgets))}): shares of budgets are compared."


def _ended_early(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    ends = [
        (end, each.task.name, label) for each in evidence for label, end in zip(each.labels, each.ends, strict=True)
    ]
    early = [(end, task, label) for end, task, label in ends if end is not None and end < 1 - 1e-9]
    if not early:
        return
    end, task, label = min(early)
    if len(early) == 1:
        yield (
            f"A run of {label} on {task} ended after {end:.1%} of the longest curve: its curves over all tasks end "
            "there, as nothing is extrapolated."
        )
    else:
        yield (
            f"Runs of {len(early)} of {len(ends)} searches ended before the longest curve of their task, the first "
            f"after {end:.1%} of it ({label} on {task}): a strategy's curves over all tasks end with its first run, as "
            "nothing is extrapolated."
        )


def _mixed_fidelities(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    mixed = dict.fromkeys(label for each in evidence for label in each.mixed_fidelities)
    if mixed:
        by_evaluations = any(each.mixed_fidelities and each.task.clock == "evaluations" for each in evidence)
        fair = "seconds are the fair axis" + (", but some tasks are compared by evaluations" if by_evaluations else "")
        yield f"Evaluations of {_names(mixed)} differ in epochs, so they do not cost the same: {fair}."


def _one_fidelity(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    tasks: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for each in evidence:
        for epochs in dict.fromkeys(each.one_fidelity.values()):
            labels = tuple(label for label, only in each.one_fidelity.items() if only == epochs)
            tasks.setdefault((labels, epochs), []).append(each.task.name)
    for (labels, epochs), names in tasks.items():
        yield (
            f"All evaluations of {_names(labels)} on {_names(names)} have {_count(epochs, 'epoch')}: a multi-fidelity "
            "strategy with one fidelity searches like a single-fidelity strategy, often like random search."
        )


_SOURCES = {
    "surrogate": "predictions of a model, not trainings",
    "live": "trainings that were done for these searches",
    "function": "values of a function, not trainings",
}


def _computed(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    for kind, source in _SOURCES.items():
        names = list(dict.fromkeys(each.task.table for each in evidence if each.task.table_kind == kind))
        if names:
            what = f"{'is a' if len(names) == 1 else 'are'} {kind} table{'' if len(names) == 1 else 's'}"
            yield f"{_names(names)} {what}: the results are {source}."


def _without_optimum(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    names = list(dict.fromkeys(each.task.name for each in evidence if each.task.without_optimum))
    if names:
        yield (
            f"The best possible value of {_names(names)} is not known, so there is no regret: values are shown, and "
            "statistics compare them."
        )


def _no_scale(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    for each in evidence:
        kinds = [kind for kind in each.task.kinds if kind != "observed" and not each.task.scale[kind] > 0]
        if kinds and each.task.table_kind == "measured":
            what = " and ".join(kinds)
            yield f"Architectures of {each.task.name} do not differ in {what}: regret cannot be normalised."


def _ignored_tasks(evidence: Sequence[TaskEvidence]) -> Iterator[str]:
    kind = next((kind for kind in reversed(REGRETS) if any(kind in each.groups for each in evidence)), None)
    tasks = [each for each in evidence if each.complete and kind in each.groups]
    if kind is None or len(tasks) < 2:
        return
    found: dict[str, list[str]] = {}
    for strategy, label in enumerate(evidence[0].labels):
        losses = [each.final[kind][strategy] for each in tasks]
        scaled = [loss / each.task.scale[kind] for loss, each in zip(losses, tasks, strict=True) if loss is not None]
        for place in ignored_tasks(scaled):
            found.setdefault(tasks[place].task.name, []).append(label)
    if found:
        parts = "; ".join(f"those of {_names(labels)} on {task}" for task, labels in found.items())
        yield (
            "The interquartile mean over all runs of all tasks ignores every run of some tasks, as all are in the best "
            f"or the worst quarter: {parts}. Look at the mean, too."
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
