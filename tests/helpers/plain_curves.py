"""Anytime curves as plain loops over runs and evaluations, straight from their definition."""

import math


def regret_of_run(trace, run, kind, axis, until):
    """Regret of the incumbent that a run has at a time: by the best value observed by then; inf without a value.

    Evaluations are all at one fidelity.
    """
    maximize = trace.setting.objective.direction == "maximize"
    best, chosen = None, None
    for step in range(trace.steps):
        if not trace.mask[run, step]:
            break
        ended = step + 1 if axis == "evaluations" else trace.time[run, step]
        if ended > until * (1 + 1e-12):
            break
        value = trace.observed[run, step]
        if math.isnan(value):
            continue
        if best is None or (value > best if maximize else value < best):
            best, chosen = value, trace.architecture[run, step]
    if chosen is None:
        return math.inf
    if kind == "observed":
        gap = abs(trace.reference.observable - best)
        return 0.0 if gap <= 1e-12 * abs(trace.reference.observable) else gap
    means = trace.reference.means[kind]
    known = [mean for mean in means if not math.isnan(mean)]
    optimum = max(known) if trace.reference.metrics[kind].direction == "maximize" else min(known)
    gap = abs(optimum - means[chosen])
    return math.inf if math.isnan(gap) else 0.0 if gap <= 1e-12 * abs(optimum) else float(gap)


def quartiles(trace, kind, axis, until):
    """Lower quartile, median and upper quartile over runs: the smallest value with at least that share of runs."""
    losses = sorted(regret_of_run(trace, run, kind, axis, until) for run in range(trace.runs))
    return [losses[math.ceil(share * trace.runs) - 1] for share in (0.25, 0.5, 0.75)]


def end_of_run(trace, run, axis):
    """When a run ended; one that a budget in seconds ended, ends with the budget."""
    steps = [step for step in range(trace.steps) if trace.mask[run, step]]
    if axis == "evaluations":
        return len(steps)
    if trace.setting.budget.seconds is not None and not trace.stopped[run]:
        limit = trace.setting.budget.evaluations
        if limit is None or len(steps) < limit:
            return trace.setting.budget.seconds
    return trace.time[run, steps[-1]] if steps else 0.0
