"""What ``nasbench-lab landscape`` and ``tables describe`` say of a landscape, one line per topic."""

from __future__ import annotations

import math

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.landscapes import Agreement, Landscape, OptimaNetwork
from nasbench_lab.displays import counted
from nasbench_lab.report.figures.landscape import RULE_WORDS


def landscape_lines(found: Landscape) -> dict[str, str]:
    """Return all lines of a landscape, by topic."""
    lines = {"architectures": f"{found.architectures:,} of {found.space}", **move_lines(found)}
    for name, each in (("fidelities", found.fidelities), ("other tables", found.tables)):
        if each is not None:
            lines[name] = _agreement(each)
    if found.noise is not None:
        noise = found.noise
        lines["seed noise"] = (
            f"{_number(noise.reliability)} of the variance of one repeat is between architectures, "
            f"{_number(noise.reliability_of_mean)} of that of their mean"
        )
        lines["two repeats"] = (
            f"Spearman {_number(noise.spearman)}, Kendall {_number(noise.kendall)}; {noise.swapped:.1%} of the pairs "
            f"in opposite order; {noise.top:.0%} of the best hundredth in common"
        )
        if not math.isnan(noise.optima):
            lines["optima of a repeat"] = f"{noise.optima:,.4g} strict ones on average"
    return lines


def move_lines(found: Landscape) -> dict[str, str]:
    """Return the lines about neighbours; none for a space without them."""
    if found.optima is None:
        return {}
    lines = {
        "neighbours": f"{found.degree.estimate:.4g} on average",
        "best": f"{found.best_value:.6g} {found.metric.unit} (architecture {', '.join(map(str, found.best[:3]))}"
        f"{', ...' if len(found.best) > 3 else ''})",
        "local optima": f"{_count(found.optima.strict)} strict, {_count(found.optima.weak)} weak",
    }
    if not math.isnan(found.optima.plateaus.estimate):
        lines["local optima"] += f"; {counted(int(found.optima.plateaus.estimate), 'plateau')}"
    for climbs in found.climbing:
        lines[RULE_WORDS[climbs.rule]] = (
            f"reaches the best from {_percent(climbs.reach)} of starts, in {climbs.moves.estimate:.3g} moves that look "
            f"at {climbs.evaluations.estimate:,.4g} architectures"
        )
    if found.distance is not None:
        each = [getattr(found.distance, kind) for kind in ("pearson", "spearman", "kendall")]
        lines["fitness and distance"] = ", ".join(
            f"{name} {_number(value)}" for name, value in zip(("Pearson", "Spearman", "Kendall"), each, strict=True)
        )
    if found.walk is not None:
        exact = "" if math.isnan(found.walk.exact[1]) else f"{found.walk.exact[1]:.3f} after one move; "
        lines["random walks"] = (
            f"autocorrelation {exact}{found.walk.walks} walks of {found.walk.steps}: {_number(found.walk.lag_one)}; "
            f"correlation length {found.walk.length:.3g} moves"
        )
    for name, neutral in (("neutrality", found.neutrality), ("distinct trainings", found.neutrality_of_trainings)):
        if neutral is not None:
            lines[name] = f"{_percent(neutral.neutral)} of {neutral.architectures:,} have a neighbour of the same value"
            if not math.isnan(neutral.networks.estimate):
                networks = counted(int(neutral.networks.estimate), "neutral network")
                lines[name] += f"; {networks}, the largest of {neutral.largest.estimate:,.0f}"
    return lines


def network_line(network: OptimaNetwork) -> str:
    """Return what to say of a local optima network."""
    found = network.statistics()
    how = "complete" if network.runs is None else f"from {network.runs:,} searches"
    text = (
        f"{counted(int(found['nodes']), 'local optimum', 'local optima')}, {counted(int(found['edges']), 'escape')}, "
        f"{how}; {found['stays']:.0%} of escapes fail; {found['sinks']:,} without a better one to escape to"
    )
    return text if math.isnan(found["reach"]) else f"{text}; {found['reach']:.0%} of the searches found the best"


def _agreement(found: Agreement) -> str:
    """Return the correlations with the last fidelity, or with the first table, which is the described one."""
    if found.labels[-1].endswith(" epochs"):
        each = zip(found.labels[:-1], found.spearman[:-1, -1].tolist(), strict=True)
        texts = [f"{label.removesuffix(' epochs')}: {_number(value)}" for label, value in each]
        return f"Spearman with {found.labels[-1]}: {', '.join(texts)}"
    return "Spearman " + ", ".join(
        f"{label}: {_number(found.spearman[0, place])}" for place, label in enumerate(found.labels) if place
    )


def _count(value: Interval) -> str:
    if math.isnan(value.low):
        return f"{value.estimate:,.0f}"
    return f"about {value.estimate:,.0f} [{value.low:,.0f}, {value.high:,.0f}]"


def _percent(value: Interval) -> str:
    if math.isnan(value.low):
        return f"{100 * value.estimate:.3g} %"
    return f"{100 * value.estimate:.3g} % [{100 * value.low:.3g}, {100 * value.high:.3g}]"


def _number(value: Interval | float) -> str:
    each = value if isinstance(value, Interval) else Interval(float(value), math.nan, math.nan)
    if math.isnan(each.estimate):
        return "unknown"
    ends = "" if math.isnan(each.low) else f" [{each.low:.3f}, {each.high:.3f}]"
    return f"{each.estimate:.3f}{ends}"
