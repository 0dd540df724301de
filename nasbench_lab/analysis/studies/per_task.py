"""The evidence on one task, in small arrays: after it is collected, the traces are no longer needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from nasbench_lab.analysis.anytime import POINTS, AnytimeCurves, anytime_curves
from nasbench_lab.analysis.auc import area_under_curve
from nasbench_lab.analysis.bootstrap import RESAMPLES, most_groups, resampler
from nasbench_lab.analysis.collected_runs import CollectedRuns
from nasbench_lab.analysis.intervals import LEVEL
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.analysis.ranks import expected_ranks
from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.studies.results import Found, Task
from nasbench_lab.analysis.studies.tasks import Group, describe
from nasbench_lab.analysis.targets import TARGETS, complete_until, ecdf, expected_times, times_to_target
from nasbench_lab.analysis.trajectories import TimeAxis, Trajectories, counted_on
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.reference import Reference, regret_of
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.setting_notes import idle_limits
from nasbench_lab.simulation.stored_runs import same_reference
from nasbench_lab.simulation.trace import REGRETS, RegretKind, row_blocks
from nasbench_lab.strategies.registry import list_strategies, strategy_class

FRACTIONS: FloatArray = np.append(np.geomspace(0.01, 0.1, 8)[:-1], np.linspace(0.1, 1.0, 37))
"""Shares of a budget at which strategies are compared over tasks: from 0.01 to 0.1 in equal ratios, then every 0.025.

So curves have small steps on a linear and on a logarithmic axis.
"""

TIME_GRID: FloatArray = 10.0 ** (np.arange(-3 * 24, 12 * 24 + 1) / 24)
"""Times at which distributions of times to targets are computed: from 0.001 to 10**12, 24 per decade."""

_ROUNDING = 1e-12

_SPLITS: tuple[RegretKind, ...] = REGRETS[1:]  # regrets of a split's means


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """The options of a study; see `study`."""

    level: float = LEVEL
    resamples: int = RESAMPLES
    margin: float = 0.01
    points: int = POINTS
    seed: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Times:
    """Times to targets on one axis, per strategy; NaN for a strategy that did not run.

    Attributes:
        reached, median, expected: see `TargetTimes`, shape (S, targets).
        ecdf: on `TIME_GRID`, shape (S, times).
        complete_until: see `TargetTimes`, shape (S,).
    """

    reached: FloatArray
    median: FloatArray
    expected: FloatArray
    ecdf: FloatArray
    complete_until: FloatArray


@dataclasses.dataclass(frozen=True, eq=False)
class TaskEvidence:
    """Statistics of the runs on one task. Lists have an entry per strategy, None for a strategy that did not run.

    Attributes:
        task: its description.
        labels: of the strategies, shape (S,).
        settings: of the simulations.
        mixed_fidelities: strategies that evaluated at different numbers of epochs.
        one_fidelity: the number of epochs of all evaluations, for each multi-fidelity strategy that has only one.
        idle_limits: limits that every architecture keeps, such as "parameters 5".
        summaries: of the simulations.
        found: the architecture most often found by each strategy.
        final: per kind, regret of each run at its end, inf without a value, shape (runs,) per strategy.
        areas: per kind that can be normalised, area under the curve of the normalised regret, shape (runs,) per
            strategy; None also where no area can be computed.
        ends: when the first run of each strategy ended, as a share of the task's horizon.
        curves: per kind and axis.
        groups: per kind that can be normalised, normalised regrets at `FRACTIONS`, grouped by `Resampler`, shape
            (fractions, groups) per strategy.
        ranks: per kind, run ranks at `FRACTIONS`, shape (S, fractions); NaN if some strategy did not run, and
            after a run of any strategy has ended.
        times: per kind that can be normalised, and axis.
    """

    task: Task
    labels: tuple[str, ...]
    settings: list[Setting | None]
    mixed_fidelities: tuple[str, ...]
    one_fidelity: Mapping[str, int]
    idle_limits: tuple[str, ...]
    summaries: list[Summary]
    found: list[Found]
    final: Mapping[RegretKind, list[FloatArray | None]]
    areas: Mapping[RegretKind, list[FloatArray | None]]
    ends: list[float | None]
    curves: Mapping[tuple[RegretKind, TimeAxis], AnytimeCurves]
    groups: Mapping[RegretKind, list[FloatArray | None]]
    ranks: Mapping[RegretKind, FloatArray]
    times: Mapping[tuple[RegretKind, TimeAxis], Times]

    @property
    def complete(self) -> bool:
        """Whether all strategies ran on the task."""
        return all(setting is not None for setting in self.settings)


def collect(
    read: Callable[[int], CollectedRuns], labels: tuple[str, ...], groups: Sequence[Group], options: StudyOptions
) -> Iterator[TaskEvidence]:
    """Yield the evidence of one task after the other, reading one simulation at a time by its number."""
    for number, each in enumerate(groups):
        yield _of_task(read, labels, each, number, len(groups), options)


def _is_multi_fidelity(setting: Setting) -> bool:
    """Return whether a registered strategy needs several fidelities; traces do not say so of others."""
    known = setting.strategy in list_strategies()
    return known and bool(getattr(strategy_class(setting.strategy), "multi_fidelity", False))


def _check_references(ran: Sequence[CollectedRuns]) -> None:
    """Raise ParameterError if strategies searched different tables with one name, which have no checksums."""
    for each in ran[1:]:
        if not same_reference(ran[0].reference, each.reference):
            labels, table = f"{ran[0].setting.label!r} and {each.setting.label!r}", each.setting.table
            raise ParameterError(f"{labels} searched different tables called {table!r}; rename one of them")


def _best_losses(simulations: Sequence[CollectedRuns | None]) -> dict[RegretKind, float]:
    """Return the lowest loss of any run for each kind whose optimum is not known; 0 where no run has a value.

    Regrets are measured from there, so all that compares strategies works: differences, ranks and tests do not depend
    on the optimum.
    """
    found = [each.trajectories for each in simulations if each is not None]
    best: dict[RegretKind, float] = {}
    for kind in dict.fromkeys(kind for each in found for kind in each.without_optimum):
        losses = np.concatenate([each.regrets[kind] for each in found if kind in each.regrets])
        lowest = float(losses.min(initial=np.inf))
        best[kind] = lowest if np.isfinite(lowest) else 0.0
    return best


def _relative(simulation: CollectedRuns, best: Mapping[RegretKind, float]) -> CollectedRuns:
    return dataclasses.replace(simulation, trajectories=simulation.trajectories.relative_to(best))


def _of_task(
    read: Callable[[int], CollectedRuns],
    labels: tuple[str, ...],
    group: Group,
    number: int,
    tasks: int,
    options: StudyOptions,
) -> TaskEvidence:
    simulations = [None if simulation is None else read(simulation) for simulation in group.numbers]
    best = _best_losses(simulations)
    if best:
        simulations = [None if each is None else _relative(each, best) for each in simulations]
    ran = [each for each in simulations if each is not None]
    _check_references(ran)
    found = [None if each is None else each.trajectories for each in simulations]
    task = describe(group.name, ran[0].setting, ran[0].reference, [each.trajectories for each in ran], best)
    scaled = [kind for kind in task.kinds if np.isfinite(task.scale[kind])]
    groups, ranks = _at_fractions(found, task, scaled, tasks)
    return TaskEvidence(
        task=task,
        labels=labels,
        settings=[None if each is None else each.setting for each in simulations],
        mixed_fidelities=tuple(e.setting.label for e in ran if e.fidelities and e.fidelities[0] < e.fidelities[1]),
        one_fidelity={
            each.setting.label: each.fidelities[0]
            for each in ran
            if each.fidelities and each.fidelities[0] == each.fidelities[1] and _is_multi_fidelity(each.setting)
        },
        idle_limits=_idle_limits(ran[0].setting, ran[0].reference),
        summaries=[each.summary for each in ran],
        found=[
            incumbent
            for strategy, each in enumerate(simulations)
            if each is not None
            for incumbent in _most_found(each.trajectories, each.reference, task, number, strategy)
        ],
        final={kind: [None if e is None else e.regret_at(kind, e.final()) for e in found] for kind in task.kinds},
        areas={kind: _areas(found, task, kind) for kind in scaled},
        ends=[None if each is None else _share(each.end(task.clock), task.horizon) for each in found],
        curves=_curves(found, task, number, options),
        groups=groups,
        ranks=ranks,
        times={(kind, axis): _times(found, task, kind, axis) for kind in scaled for axis in task.axes},
    )


def _idle_limits(setting: Setting, reference: Reference) -> tuple[str, ...]:
    """Return the limits of a search that every architecture with a value of the objective keeps."""
    limits = setting.conditions.limits
    if reference.members is not None:  # only what occurs is known; the simulation has warned where all keep a limit
        return ()
    measured = ~np.isnan(next(iter(reference.means.values())))
    return tuple(f"{n} {limits[n]:g}" for n in idle_limits(limits, reference.metrics, reference.means, measured))


def _share(end: float, horizon: float) -> float:
    return end / horizon if horizon else 0.0


def _curves(
    found: Sequence[Trajectories | None], task: Task, number: int, options: StudyOptions
) -> dict[tuple[RegretKind, TimeAxis], AnytimeCurves]:
    curves: dict[tuple[RegretKind, TimeAxis], AnytimeCurves] = {}
    for axis in task.axes:
        drawn = anytime_curves(
            found,
            axis,
            task.kinds,
            task=number,
            points=options.points,
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
        curves.update({(kind, axis): each for kind, each in drawn.items()})
    return curves


def _most_found(found: Trajectories, reference: Reference, task: Task, number: int, strategy: int) -> list[Found]:
    """Return the architecture with which most runs ended; nothing if no run has a value."""
    final = found.final()
    ends = found.architecture[final[final >= 0]]
    architectures, runs = np.unique(ends[ends >= 0], return_counts=True)
    if not len(architectures):
        return []
    index, often = int(architectures[runs.argmax()]), int(runs.max())  # argmax takes the first, the smallest index
    means: dict[RegretKind, float] = {
        kind: float(reference.means_of(np.array(index), kind)) for kind in _SPLITS if kind in reference.means
    }
    return [
        Found(
            task=number,
            strategy=strategy,
            architecture=index,
            runs=often,
            share=often / found.runs,
            valid=means.get("valid", float("nan")),
            test=means.get("test", float("nan")),
            regret={
                kind: float(regret_of(np.array(mean), task.optimum[kind], task.direction(kind)))
                for kind, mean in means.items()
                if kind in task.optimum
            },
        )
    ]


def _at_fractions(
    found: Sequence[Trajectories | None], task: Task, scaled: Sequence[RegretKind], tasks: int
) -> tuple[dict[RegretKind, list[FloatArray | None]], dict[RegretKind, FloatArray]]:
    """Return `TaskEvidence.groups` and `TaskEvidence.ranks`. Some fractions at a time bound the working memory."""
    runs = sum(each.runs for each in found if each is not None)
    groups: dict[RegretKind, list[list[FloatArray | None]]] = {kind: [] for kind in scaled}
    ranks: dict[RegretKind, list[FloatArray]] = {kind: [] for kind in task.kinds}
    for part in row_blocks(len(FRACTIONS), runs):
        regrets = _regrets_at(FRACTIONS[part] * task.horizon, found, task)
        for kind in task.kinds:
            ranks[kind].append(_ranks(regrets[kind], len(FRACTIONS[part])))
        for kind in scaled:
            groups[kind].append([_group(each, task.scale[kind], tasks) for each in regrets[kind]])
    joined = {kind: [_joined(parts) for parts in zip(*groups[kind], strict=True)] for kind in scaled}
    return joined, {kind: np.concatenate(ranks[kind], axis=1) for kind in task.kinds}


def _joined(parts: Sequence[FloatArray | None]) -> FloatArray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


def _regrets_at(
    grid: FloatArray, found: Sequence[Trajectories | None], task: Task
) -> dict[RegretKind, list[FloatArray | None]]:
    """Return regrets on a grid of the task's clock, per kind and strategy, (points, runs); NaN after the end."""
    regrets: dict[RegretKind, list[FloatArray | None]] = {kind: [] for kind in task.kinds}
    for each in found:
        entries = None if each is None else each.at(task.clock, grid)
        for kind in task.kinds:
            if each is None or entries is None:
                regrets[kind].append(None)
                continue
            ended = grid > each.end(task.clock) * (1 + _ROUNDING)
            regrets[kind].append(np.where(ended[:, None], np.nan, each.regret_at(kind, entries)))
    return regrets


def _group(regret: FloatArray | None, scale: float, tasks: int) -> FloatArray | None:
    """Return normalised regrets as means of neighbouring runs; NaN after the first run's end."""
    if regret is None:
        return None
    return resampler((regret.shape[1],), groups=most_groups(tasks)).group(regret / scale)


def _ranks(regrets: Sequence[FloatArray | None], points: int) -> FloatArray:
    """Return expected ranks, shape (S, points)."""
    shape = (len(regrets), points)
    known = [each for each in regrets if each is not None]
    if len(known) < len(regrets):
        return np.full(shape, np.nan)
    ended = np.any([np.isnan(each).any(axis=1) for each in known], axis=0)
    ranks = np.full(shape, np.nan)
    if not ended.all():
        ranks[:, ~ended] = expected_ranks([each[~ended] for each in known])
    return ranks


def _areas(found: Sequence[Trajectories | None], task: Task, kind: RegretKind) -> list[FloatArray | None]:
    """Return areas under the curves, all up to the earliest end of any run."""
    end = min(each.end(task.clock) for each in found if each is not None)
    if not end > 0:
        return [None] * len(found)
    scale = task.scale[kind]
    return [
        None if each is None else area_under_curve(each, kind, task.clock, end, before=scale) / scale for each in found
    ]


def _times(found: Sequence[Trajectories | None], task: Task, kind: RegretKind, axis: TimeAxis) -> Times:
    shape = (len(found), len(TARGETS))
    found = counted_on(axis, found)
    reached, median, expected = (np.full(shape, np.nan) for _ in range(3))
    share, until = np.full((len(found), len(TIME_GRID)), np.nan), np.full(len(found), np.nan)
    for place, each in enumerate(found):
        if each is None:
            continue
        times = times_to_target(each, kind, axis, TARGETS * task.scale[kind])
        reached[place] = np.isfinite(times).mean(axis=0)
        median[place] = run_quantiles(times, [0.5])[0]
        expected[place] = expected_times(times, each.ends[axis])
        share[place] = ecdf(times, TIME_GRID)
        until[place] = complete_until(times, each.ends[axis])
    return Times(reached, median, expected, share, until)
