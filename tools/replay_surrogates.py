"""Fit surrogates to 1, 3 and 5 percent of complete tables, and search them and the truth: results/surrogates.

Run it in the root of the repository: ``python tools/replay_surrogates.py``. It needs the published files of NATS-Bench
and NAS-Bench-101. Finished parts are kept in build/surrogates, and it resumes there when it was stopped. With
``--write``, it only writes what is finished. ``--table`` and ``--strategy`` do a part of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nasbench_lab as nl
from nasbench_lab.arrays import IntArray
from nasbench_lab.files import atomic_path
from nasbench_lab.prediction.surrogates.checks import kendall, r_squared
from nasbench_lab.prediction.surrogates.fitting import fit_surrogate
from nasbench_lab.prediction.surrogates.replaying import STRATEGIES, budgets_of, compared, judged, results_of, sign_of
from nasbench_lab.prediction.surrogates.verdict import LeftOutCheck, Verdict
from nasbench_lab.records import Records
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.strategies import list_strategies, needs
from nasbench_lab.tables import AnyTable, Table, subset
from nasbench_lab.tables.surrogates.file import read_surrogate, write_surrogate
from nasbench_lab.tables.surrogates.surrogate import Surrogate
from nasbench_lab.tables.tabulated import tabulate

ROOT = Path(__file__).resolve().parent.parent
TABLES = {
    "nats-bench-tss/cifar10": (None, None),
    "digits/topology": (None, None),
    "nas-bench-101/means": ("hist-gradient-boosting:max_iter=300,learning_rate=0.05", "path+graph-features"),
}
"""The tables, and the models and encodings of their surrogates; None for the defaults."""
PERCENT = (1, 3, 5)
SLOW = (
    "progressive-search",
    "smac",
    "npenas",
    "recurrent-controller",
    "adversarial-search",
    "bananas",
    "brp-nas",
    "gp-bo",
    "predictor-search",
)
"""Strategies that take seconds, the quick ones first."""
RUNS, EVALUATIONS, FOLDS, REPEATS = 20, 150, 3, 3
_MOST_COMPARED = 20_000  # unseen architectures whose predictions are compared with the truth
_FEWEST_IN_REPLAY = 2
_TIMED = 4096  # architectures


def main() -> None:
    """Do what is missing, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="append", choices=TABLES)
    parser.add_argument("--strategy", action="append")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "surrogates")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "surrogates")
    parser.add_argument("--write", action="store_true", help="only write what is finished")
    given = parser.parse_args()
    if not given.write:
        for name in given.table or TABLES:
            study(name, given.work, given.strategy)
    write_results(given.work, given.out)


def strategies_of(truth: AnyTable) -> list[str]:
    """Return the registered strategies that run on a table and its surrogates, the quick ones first.

    Those that need several fidelities are left out, as the surrogates of the study predict the last one, and those that
    need scores where the table has none.
    """
    missing = {"fidelities"} if score_names(truth.description) else {"fidelities", "scores"}
    known = [name for name in list_strategies() if not missing & set(needs(name))]
    return sorted(known, key=lambda name: (SLOW.index(name) if name in SLOW else -1, name not in STRATEGIES, name))


def study(name: str, work: Path, chosen: Sequence[str] | None = None) -> None:
    """Fit the surrogates of a table, leave out strategies, and search the table and its surrogates."""
    truth = nl.load(name)
    strategies = strategies_of(truth) if chosen is None else chosen
    sources: dict[str, AnyTable] = {"truth": truth, "again": truth}
    for percent in PERCENT:
        surrogate = fitted(truth, percent, work)
        sources[str(percent)] = surrogate
        measure_speed(surrogate, work / _plain(name) / f"speed-{percent}.json")
    left_out(truth, work)
    budgets = budgets_of(EVALUATIONS)
    for strategy in strategies:
        for source in sources:
            path = work / _plain(name) / f"{source}-{strategy}.json"
            if path.exists():
                continue
            if isinstance(sources[source], Surrogate):
                sources[source] = tabulate(sources[source], repeats=REPEATS)  # only where something is left to do
            started = time.process_time()
            first = RUNS if source == "again" else 0
            found = results_of(sources[source], strategy, RUNS, budgets, first_run=first)
            _store(path, {"results": found.tolist(), "seconds": time.process_time() - started})
            print(f"{name} {source} {strategy}: {time.process_time() - started:.1f} s", flush=True)


def fitted_to(truth: Table, sample: Sequence[int] | IntArray, **options: Any) -> Surrogate:
    """Return a surrogate of some architectures of a table, without checks unless the options ask for some."""
    models, encoding = TABLES[truth.name]
    return fit_surrogate(
        subset(truth, sample),
        models,
        encoding,
        scores=truth,
        metrics=[],
        fidelities=truth.fidelities[-1:],
        folds=FOLDS,
        check=False,
        **options,
    )


def fitted(truth: Table, percent: int, work: Path) -> Surrogate:
    """Return a surrogate of some percent of a table; what its predictions of the others are worth is stored."""
    path = work / _plain(truth.name) / f"surrogate-{percent}.h5"
    if path.exists():
        return read_surrogate(path)
    started = time.process_time()
    chosen = sample_of(truth, percent)
    surrogate = fitted_to(truth, chosen)
    fit_seconds = time.process_time() - started
    rest = np.setdiff1d(np.arange(truth.space.size), chosen)
    draws = np.random.Generator(np.random.Philox(percent))
    rest = np.sort(draws.permutation(rest)[:_MOST_COMPARED])
    rest = rest[np.isfinite(truth.lookup(rest))]
    unseen = _of_other_networks(truth, chosen, rest)
    rows = []
    for metric in dict.fromkeys((judged(truth).name, truth.objective.name)):
        values, predicted = truth.lookup(rest, metric=metric), surrogate.lookup(rest, metric=metric)
        own = next(check for check in surrogate.verdict["metrics"] if check["metric"] == metric)
        rows.append(
            {
                "table": truth.name,
                "percent": percent,
                "architectures": len(chosen),
                "models": " and ".join(surrogate.verdict["models"]),
                "encoding": surrogate.verdict["encoding"],
                "metric": metric,
                "kendall": kendall(predicted, values),
                "kendall_unseen": kendall(predicted[unseen], values[unseen]),
                "r2_unseen": r_squared(predicted[unseen], values[unseen]),
                "kendall_cross_validated": own["kendall"],
                "r2_cross_validated": own["r2"],
                "spread_from": own["spread_from"],
                **coverage(surrogate, truth, metric, rest[unseen]),
                "fit_seconds": fit_seconds,
            }
        )
    write_surrogate(surrogate, path)
    _store(path.with_suffix(".json"), rows)
    print(f"{truth.name} {percent} %: {rows[0]['kendall_unseen']:.3f}, {fit_seconds:.0f} s", flush=True)
    return surrogate


def measure_speed(surrogate: Surrogate, path: Path) -> None:
    """Store how many new architectures per second of processor time are answered, with all metrics and noise."""
    if path.exists():
        return
    order = np.random.Generator(np.random.Philox(1)).permutation(surrogate.space.size)[: 2 * _TIMED]
    seconds = []
    for rows in np.split(order, 2):
        started = time.process_time()
        surrogate.answers(rows, surrogate.fidelities[-1], 0)
        surrogate.lookup(rows)  # a metric without repeats is no answer of a training
        seconds.append(time.process_time() - started)
    _store(path, _TIMED / min(seconds))


def left_out(truth: Table, work: Path) -> None:
    """Fit a surrogate to what one search of each quick strategy found, leaving out one strategy after the other."""
    path = work / _plain(truth.name) / "left-out.json"
    if path.exists():
        return
    budget = nl.Budget(evaluations=EVALUATIONS)
    found = {name: np.unique(nl.simulate(truth, name, runs=1, budget=budget).architecture) for name in STRATEGIES}
    found = {name: each[each >= 0] for name, each in found.items()}
    sample = np.unique(np.concatenate(list(found.values())))
    surrogate = fitted_to(truth, sample, found_by={name: each.tolist() for name, each in found.items()})
    verdict = Verdict.from_plain(surrogate.verdict)
    rows = [LeftOutCheck("", len(sample), len(sample), verdict.judged.kendall, verdict.judged.r2), *verdict.left_out]
    facts = {"table": truth.name, "metric": verdict.judged.metric}
    _store(path, [{**facts, **dataclasses.asdict(row)} for row in rows])
    print(f"{truth.name}: left out {len(verdict.left_out)} strategies of {len(sample)} architectures", flush=True)


def sample_of(truth: Table, percent: int) -> Any:
    """Return a share of the architectures with results; smaller samples are parts of larger ones."""
    known = np.flatnonzero(np.isfinite(truth.mean_values(truth.objective.name)))
    order = np.random.Generator(np.random.Philox(0)).permutation(known)
    return np.sort(order[: round(len(known) * percent / 100)])


def coverage(surrogate: Surrogate, truth: Table, metric: str, rest: Any) -> dict[str, float]:
    """Return how deviations of true repeats from their mean compare with those of the surrogate, on unseen networks.

    Deviations on both sides are divided by what the surrogate predicts. Their standard deviation on the truth is 1 if
    the predicted spread is right; the shares inside the central 50 and 95 percent of those of the surrogate should be
    0.5 and 0.95.
    """
    values = truth.repeat_values(metric)[rest]
    count = np.isfinite(values).sum(axis=1)
    several = np.flatnonzero(count >= 2)
    if len(several) < 100:
        return {"spread": math.nan, "inside_50": math.nan, "inside_95": math.nan}
    column = next(place for place, each in enumerate(surrogate.parts.columns) if each.metric == metric)
    rows = rest[several]
    size = surrogate._expected(rows)[1][:, column]
    factor = np.sqrt(count[several] / (count[several] - 1))
    true = ((values[several] - np.nanmean(values[several], axis=1, keepdims=True)) * factor[:, None]) / size[:, None]
    true = true[np.isfinite(true)]
    answers = surrogate.answers(rows[:, None], surrogate.fidelities[-1], np.arange(8)).values[metric]
    drawn = ((answers - surrogate.lookup(rows, metric=metric)[:, None]) / size[:, None]).ravel()
    limits = np.quantile(drawn, [0.025, 0.25, 0.75, 0.975])
    return {
        "spread": float(true.std()),
        "inside_50": float(((true >= limits[1]) & (true <= limits[2])).mean()),
        "inside_95": float(((true >= limits[0]) & (true <= limits[3])).mean()),
    }


def _of_other_networks(truth: Table, chosen: Any, rest: Any) -> Any:
    """Return which architectures are other networks than all that were learnt from."""
    form, codes = truth.space.network_form, truth.space.codes
    learnt = {form(row) for row in codes(chosen).tolist()}
    return np.array([form(row) not in learnt for row in codes(rest).tolist()])


def write_results(work: Path, out: Path) -> None:
    """Write what is finished: quality.csv, left-out.csv, strategies.csv and replay.csv."""
    quality = []
    for name in TABLES:
        for path in _found(work, name, "surrogate-*.json"):
            speed = path.with_name(path.name.replace("surrogate", "speed"))
            per_second = round(_read(speed)) if speed.exists() else math.nan
            quality += [{**row, "per_second": per_second} for row in _read(path)]
    means, replays = [], []
    budgets = budgets_of(EVALUATIONS)
    for name in TABLES:
        known = {
            source: {path.stem.removeprefix(f"{source}-"): path for path in _found(work, name, f"{source}-*.json")}
            for source in ("truth", "again", *map(str, PERCENT))
        }
        for source, strategies in known.items():
            for strategy, path in strategies.items():
                results = np.array(_read(path)["results"], dtype=float)
                for place, budget in enumerate(budgets):
                    facts = {"table": name, "source": source, "strategy": strategy, "evaluations": budget}
                    values = results[:, place]
                    means.append({**facts, "mean": values.mean(), "deviation": values.std(ddof=1), "runs": len(values)})
        for percent in map(str, PERCENT):
            both = sorted(set(known["truth"]) & set(known["again"]) & set(known[percent]))
            if len(both) < _FEWEST_IN_REPLAY:
                continue
            arrays = [
                np.stack([np.array(_read(known[source][strategy])["results"]) for strategy in both])
                for source in ("truth", "again", percent)
            ]
            found = compared(name, both, budgets, *arrays, sign_of(judged(nl.load(name))))
            facts = {
                key: getattr(found, key) for key in ("pairs", "same", "clear_pairs", "clear_same", "again", "order")
            }
            replays.append({"table": name, "percent": int(percent), "strategies": len(both), **facts})
    leaving = [row for name in TABLES for path in _found(work, name, "left-out.json") for row in _read(path)]
    for file, rows in (("quality", quality), ("left-out", leaving), ("strategies", means), ("replay", replays)):
        if rows:
            Records({key: np.array([_short(row[key]) for row in rows]) for key in rows[0]}).to_csv(out / f"{file}.csv")
    write_page(out / "README.md", quality, leaving, replays)
    draw(replays, out / "winners.png")


def write_page(page: Path, quality: list[Any], leaving: list[Any], replays: list[Any]) -> None:
    """Write the numbers of the tables of a page: the lines with a bar, below the two of each heading."""
    if not page.exists():
        return
    first = {
        (row["table"], row["percent"]): row for row in reversed(quality)
    }  # the metric of which searches are judged
    predictions = [
        [
            f"`{row['table']}`",
            str(row["percent"]),
            f"{row['architectures']:,}",
            *(f"{row[key]:.2f}" for key in ("kendall_unseen", "r2_unseen", "kendall_cross_validated")),
            f"{row['r2_cross_validated']:.2f}",
            f"{_rounded(row['per_second']):,}",
        ]
        for row in reversed(first.values())
    ]
    noise = [
        [
            f"`{row['table']}`",
            str(row["percent"]),
            f"`{row['metric']}`",
            f"{row['spread']:.2f}",
            *_shares(row, *_INSIDE),
        ]
        for row in quality
        if not math.isnan(row["spread"])
    ]
    without = []
    for name in TABLES:
        of_table = [row for row in leaving if row["table"] == name]
        if of_table:
            whole, *each = of_table
            values = [row["kendall"] for row in each]
            worst = min(each, key=lambda row: row["kendall"])
            numbers = (whole["kendall"], float(np.mean(values)), worst["kendall"])
            cells = [f"{whole['architectures']:,}", str(len(each)), *(f"{value:.2f}" for value in numbers)]
            without.append([f"`{name}`", *cells, f"`{worst['strategy']}`"])
    winners = [
        [
            f"`{row['table']}`",
            *(str(row[key]) for key in ("percent", "strategies", "pairs")),
            *_shares(row, "same"),
            str(row["clear_pairs"]),
            *_shares(row, "clear_same", "again"),
            f"{row['order']:.2f}",
        ]
        for row in replays
    ]
    contents = iter([predictions, noise, without, winners])
    lines, rest = [], page.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(rest):
        is_row = line.startswith("|")
        at_start = is_row and not rest[place - 1].startswith("|")
        if at_start:
            rows = [f"| {' | '.join(row)} |" for row in next(contents)]
            lines += [line, rest[place + 1], *rows]
        elif not is_row:
            lines.append(line)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


_INSIDE = ("inside_50", "inside_95")


def _shares(row: Any, *keys: str) -> list[str]:
    return [f"{row[key]:.0%}".replace("%", " %") for key in keys]


def _rounded(number: float) -> int:
    """Return a number with two digits that count."""
    return int(float(f"{number:.2g}"))


def draw(replays: list[Any], path: Path) -> None:
    """Draw how often the winner is the same, one panel per table."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row["table"] for row in replays))
    figure = Figure(figsize=(3.2 * len(names), 3.2), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, name in zip(panels, names, strict=True):
        rows = [row for row in replays if row["table"] == name]
        percent = [row["percent"] for row in rows]
        for key, label, style in (
            ("clear_same", "clear pairs", "oC0-"),
            ("same", "all pairs", "sC1-"),
            ("again", "all pairs, other runs on the truth", "C1--"),
        ):
            panel.plot(percent, [100 * row[key] for row in rows], style, label=label)
        panel.set(title=name, xlabel="percent of the table in the sample", xticks=PERCENT, ylim=(45, 100))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("pairs with the same winner (%)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=130)


def _short(value: Any) -> Any:
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _plain(name: str) -> str:
    return name.replace("/", "-")


def _found(work: Path, name: str, pattern: str) -> list[Path]:
    return sorted((work / _plain(name)).glob(pattern))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _store(path: Path, content: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
