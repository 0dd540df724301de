"""Measure what inherited weights are worth on the tables of handwritten digits.

python tools/measure_inheritance.py pairs       # trains children of one parent, with and without its weights
python tools/measure_inheritance.py evolution   # searches with and without inheritance, with equal seconds
python tools/measure_inheritance.py summary     # writes the table and the figure of results/inheritance/README.md

The first two append to CSV files, and continue where they were stopped.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasbench_lab import tables, train
from nasbench_lab.report.figures.save import save_figure_as
from nasbench_lab.report.figures.style import RC
from nasbench_lab.spaces import SizeSpace
from nasbench_lab.strategies import resolve
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.datasets import load as load_dataset
from nasbench_lab.train.inheritance import Inheritance
from nasbench_lab.train.recipes import TrainingRecipe, recipe

FOLDER = Path(__file__).parents[1] / "results" / "inheritance"
README = FOLDER / "README.md"
EPOCHS = (1, 2, 4, 8)
PARENT_EPOCHS = 12
SEEDS = (0, 1)


@dataclasses.dataclass(frozen=True)
class Task:
    """A space of networks for digits."""

    name: str
    pairs: int
    rules: tuple[str, ...]

    def inheritance(self, rule: Any) -> Inheritance:
        """Return how its children inherit."""
        space = SizeSpace() if self.name == "size" else tables.load(self.name).space
        options = {"channels": 8, "cells": 3} if self.name == "digits/topology" else {}
        return Inheritance(space, (1, 8, 8), 10, options, rule)

    def recipe(self, epochs: int) -> TrainingRecipe:
        """Return the recipe of its table, for a number of epochs."""
        known = recipe("digits")
        if self.name == "digits/chain":  # as its description says
            known = dataclasses.replace(known, learning_rate=0.01, optimizer="adamw", weight_decay=0.01)
        return dataclasses.replace(known, epochs=epochs)


TASKS = {
    each.name: each
    for each in (
        Task("digits/chain", 16, ("equal", "overlapping", "net2net")),
        Task("digits/topology", 3, ("overlapping",)),
        Task("size", 3, ("overlapping", "net2net")),
    )
}


def main() -> None:
    """Run the part of the measurement that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["pairs", "evolution", "summary"])
    parser.add_argument("--task", choices=list(TASKS), action="append")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.part == "summary":
        summarise()
        return
    for name in given.task or TASKS:
        rows = pairs(TASKS[name]) if given.part == "pairs" else evolution(TASKS[name])
        append(FOLDER / f"{given.part}.csv", rows)


def append(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Append rows to a file as they come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for row in rows:
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file; none if it is missing."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def trained(task: Task, network: torch.nn.Module, epochs: int, seed: int) -> train.TrainedNetwork:
    """Train a network from the weights that it has."""
    return train.train(network, load_dataset({"name": "digits"}), task.recipe(epochs), seed=seed)


def pairs(task: Task) -> Iterator[dict[str, Any]]:
    """Yield accuracies of children with and without the weights of a parent, which has another code."""
    random = np.random.default_rng(11)
    done = {(row["task"], row["pair"], row["seed"]) for row in read(FOLDER / "pairs.csv")}
    space = task.inheritance("equal").space
    for pair in range(task.pairs):
        codes = np.array([random.integers(0, 2 if task.name == "size" else size) for size in space.cardinalities])
        parent = int(space.index(codes))
        if task.name == "size":  # one layer wider: larger networks would take most of the time
            position = int(random.integers(0, len(codes)))
            codes[position] += 1
            child = int(space.index(codes))
        else:
            child = int(random.choice(space.neighbors(parent)))
        for seed in SEEDS:
            if (task.name, str(pair), str(seed)) in done:
                continue
            yield from of_pair(task, pair, seed, parent, child)


def of_pair(task: Task, pair: int, seed: int, parent: int, child: int) -> Iterator[dict[str, Any]]:
    """Yield the accuracies of one child, trained for different numbers of epochs."""
    scratch = task.inheritance("equal")
    start = trained(task, scratch.network(parent, 100 + seed), PARENT_EPOCHS, 100 + seed)
    rows = []
    for way in ("scratch", *task.rules):
        inheritance = task.inheritance("equal" if way == "scratch" else way)
        network = inheritance.network(child, seed)
        share, kept = 0.0, False
        if way != "scratch":
            found = inheritance.initial_weights(child, parent, start.weights, seed=seed)
            if found is not None:
                network.load_state_dict(found.state)
                share, kept = found.share, found.keeps_function
        for epochs in EPOCHS:
            result = trained(task, network, epochs, seed)
            rows.append(
                {
                    "task": task.name,
                    "pair": pair,
                    "seed": seed,
                    "parent": scratch.space.format(parent),
                    "child": scratch.space.format(child),
                    "way": way,
                    "epochs": epochs,
                    "valid_accuracy": round(result.metrics["valid_accuracy"], 3),
                    "test_accuracy": round(result.metrics["test_accuracy"], 3),
                    "seconds": round(result.seconds, 4),
                    "share": round(share, 4),
                    "keeps_function": int(kept),
                    "parent_accuracy": round(start.metrics["valid_accuracy"], 3),
                }
            )
    yield from rows  # all rows of a pair, or none


SEARCHES = {"digits/chain": (4, 6.0)}
"""Runs and seconds of training of every search."""

WAYS = {"scratch, 12 epochs": (12, False), "scratch, 3 epochs": (3, False), "inherited, 3 epochs": (3, True)}


def evolution(task: Task) -> Iterator[dict[str, Any]]:
    """Yield every evaluation of regularized evolution with and without inheritance, until its seconds are spent."""
    done = {(row["task"], row["run"], row["way"]) for row in read(FOLDER / "evolution.csv")}
    if task.name not in SEARCHES:
        return
    runs, seconds = SEARCHES[task.name]
    for run, (way, (epochs, inherits)) in itertools.product(range(runs), WAYS.items()):
        if (task.name, str(run), way) not in done:
            yield from list(search(task, run, way, epochs, seconds, inherits=inherits))


def search(task: Task, run: int, way: str, epochs: int, limit: float, *, inherits: bool) -> Iterator[dict[str, Any]]:
    """Yield the evaluations of one search. Founders and children are trained for the same number of epochs."""
    inheritance = task.inheritance("overlapping")
    table = tables.load(task.name)
    strategy = resolve("regularized-evolution", {})
    state = strategy.start(Problem(table.space, Streams(5, run, 1), inherits=inherits))
    weights: list[tuple[int, dict[str, torch.Tensor], int]] = []
    spent = 0.0
    while spent < limit:
        asked = strategy.ask(state)
        proposals = asked if isinstance(asked, Proposals) else Proposals(asked)
        for place, architecture in enumerate(proposals.architecture[0].tolist()):
            number = len(weights)
            network, generation, share, before = inheritance.network(architecture, number), 0, 0.0, 0.0
            parent = -1 if proposals.parent is None else int(proposals.parent[0, place])
            if parent >= 0:
                before = train_clock()
                index, given, older = weights[parent]
                found = inheritance.initial_weights(architecture, index, given, seed=number)
                if found is not None:
                    network.load_state_dict(found.state)
                    generation, share = older + 1, found.share
                before = train_clock() - before
            result = trained(task, network, epochs, number)
            spent += result.seconds + before
            weights.append((architecture, result.weights, generation))
            value = result.metrics["valid_accuracy"]
            told = (np.array([[architecture]]), np.array([[value]]), np.array([[number]]))
            strategy.tell(state, Evaluations(*told))
            if spent > limit:
                return
            yield {
                "task": task.name,
                "run": run,
                "way": way,
                "number": number,
                "parent": parent,
                "generation": generation,
                "share": round(share, 4),
                "architecture": table.space.format(architecture),
                "spent": round(spent, 4),
                "valid_accuracy": round(value, 3),
                "test_accuracy": round(result.metrics["test_accuracy"], 3),
                "table_test_accuracy": round(float(table.mean_values("test_accuracy")[architecture]), 3),
            }


def train_clock() -> float:
    """Return the seconds of the clock that trainings are measured with."""
    return training_clock(torch.device("cpu"))


def summarise() -> None:
    """Write the tables between the marks of the page, and the figure."""
    text = README.read_text(encoding="utf-8")
    for name, lines in (("pairs", pairs_table()), ("evolution", evolution_table())):
        first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(first)
        text = before + first + "\n".join(["", *lines, ""]) + "\n" + last + rest.split(last)[1]
    README.write_text(text, encoding="utf-8")
    draw()


def pairs_of(task: str, way: str, epochs: int) -> dict[tuple[str, str], float]:
    """Return the validation accuracies of children by pair and seed."""
    return {
        (row["pair"], row["seed"]): float(row["valid_accuracy"])
        for row in read(FOLDER / "pairs.csv")
        if (row["task"], row["way"], row["epochs"]) == (task, way, str(epochs))
    }


def ways_of(task: str) -> list[str]:
    """Return the ways in which children of a task were trained, in order."""
    return list(dict.fromkeys(row["way"] for row in read(FOLDER / "pairs.csv") if row["task"] == task))


def measured_tasks(part: str) -> list[str]:
    """Return the tasks that a file has, in order."""
    return list(dict.fromkeys(row["task"] for row in read(FOLDER / f"{part}.csv")))


def pairs_table() -> list[str]:
    """Return the lines of the table of children."""
    lines = [
        "| networks | children x seeds | start | inherited | " + " | ".join(f"{e} ep." for e in EPOCHS) + " | 12 ep. |",
        "|---|---|---|---|" + "---|" * (len(EPOCHS) + 1),
    ]
    for task in measured_tasks("pairs"):
        rows = [row for row in read(FOLDER / "pairs.csv") if row["task"] == task]
        counted = f"{len({row['pair'] for row in rows})} x {len({row['seed'] for row in rows})}"
        for way in ways_of(task):
            share = statistics.mean(float(row["share"]) for row in rows if row["way"] == way)
            means = [f"{statistics.mean(pairs_of(task, way, epochs).values()):.1f}" for epochs in EPOCHS]
            means.append(from_scratch(task, rows) if way == "scratch" else "")
            lines.append(f"| `{task}` | {counted} | {way} | {share:.0%} | {' | '.join(means)} |")
    return lines


def from_scratch(task: str, rows: list[dict[str, str]]) -> str:
    """Return the mean accuracy of children that were trained for the table of the task; nothing without a table."""
    if task not in tables.list_tables():
        return ""
    table = tables.load(task)
    children = {row["pair"]: table.space.parse(row["child"]) for row in rows}
    return f"{float(np.mean(table.mean_values('valid_accuracy')[list(children.values())])):.1f}"


def ends(task: str, way: str) -> list[dict[str, float]]:
    """Return what the runs of a search found: the best network, and what the table says of its architecture."""
    found = []
    rows = [row for row in read(FOLDER / "evolution.csv") if (row["task"], row["way"]) == (task, way)]
    for run in dict.fromkeys(row["run"] for row in rows):
        evaluated = [row for row in rows if row["run"] == run]
        best = max(evaluated, key=lambda row: float(row["valid_accuracy"]))
        names = ("valid_accuracy", "test_accuracy", "table_test_accuracy", "generation")
        found.append({name: float(best[name]) for name in names} | {"evaluations": float(len(evaluated))})
    return found


def evolution_table() -> list[str]:
    """Return the lines of the table of searches."""
    lines = [
        "| table | seconds | runs | start and epochs | trainings | network, valid | test | architecture | generation |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for task in measured_tasks("evolution"):
        for way in WAYS:
            runs = ends(task, way)
            names = ("valid_accuracy", "test_accuracy", "table_test_accuracy")
            columns = [_mean_and_deviation([run[name] for run in runs]) for name in names]
            counts = [f"{statistics.mean(run[name] for run in runs):.0f}" for name in ("evaluations", "generation")]
            lines.append(
                f"| `{task}` | {SEARCHES[task][1]:g} | {len(runs)} | {way} | {counts[0]} | {' | '.join(columns)} | "
                f"{counts[1]} |"
            )
    return lines


def _mean_and_deviation(values: list[float]) -> str:
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


COLORS = {"scratch": "#444444", "equal": "#56b4e9", "overlapping": "#0072b2", "net2net": "#d55e00"}
SEARCH_COLORS = dict(zip(WAYS, ("#999999", "#444444", "#0072b2"), strict=True))


def draw() -> None:
    """Draw accuracies of children over epochs, and of searches over seconds."""
    import matplotlib.pyplot as plt

    with plt.rc_context(RC):
        children, searched = measured_tasks("pairs"), measured_tasks("evolution")
        figure, axes = plt.subplots(1, len(children) + len(searched), figsize=(2.4 * len(children + searched), 3.3))
        for panel, task in zip(axes, children, strict=False):
            _draw_children(panel, task)
        for panel, task in zip(axes[len(children) :], searched, strict=True):
            _draw_searches(panel, task)
        axes[0].set_ylabel("accuracy on validation (%)")
        save_figure_as(figure, FOLDER / "accuracy.png", FOLDER / "accuracy.pdf")
        plt.close(figure)


def _draw_children(panel: Any, task: str) -> None:
    for way in ways_of(task):
        values = [list(pairs_of(task, way, epochs).values()) for epochs in EPOCHS]
        means = [statistics.mean(each) for each in values]
        error = [statistics.stdev(each) / len(each) ** 0.5 for each in values]
        panel.errorbar(EPOCHS, means, error, color=COLORS[way], label=way, marker="o", markersize=3, capsize=2)
    parents = {(row["pair"], row["seed"]): row for row in read(FOLDER / "pairs.csv") if row["task"] == task}
    level = statistics.mean(float(row["parent_accuracy"]) for row in parents.values())
    panel.axhline(level, color="#999999", linewidth=0.8, linestyle=":", label=f"parents, {PARENT_EPOCHS} epochs")
    panel.set_xscale("log", base=2)
    panel.set_xticks(EPOCHS, [str(epochs) for epochs in EPOCHS])
    panel.set_title(f"children, {task}")
    panel.set_xlabel("epochs of the child")
    panel.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)


def _draw_searches(panel: Any, task: str) -> None:
    limit = SEARCHES[task][1]
    grid = np.linspace(0, limit, 200)
    rows = [row for row in read(FOLDER / "evolution.csv") if row["task"] == task]
    for way in WAYS:
        curves = []
        for run in dict.fromkeys(row["run"] for row in rows if row["way"] == way):
            chosen = [row for row in rows if (row["way"], row["run"]) == (way, run)]
            best = np.maximum.accumulate([float(row["valid_accuracy"]) for row in chosen])
            place = np.searchsorted([float(row["spent"]) for row in chosen], grid, side="right") - 1
            curves.append(np.where(place >= 0, best[np.maximum(place, 0)], np.nan))
        known = ~np.isnan(curves).any(axis=0)
        panel.plot(grid[known], np.mean(curves, axis=0)[known], color=SEARCH_COLORS[way], label=way)
    panel.set_title(f"evolution, {task}")
    panel.set_xlabel("seconds of training")
    panel.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=1)


if __name__ == "__main__":
    main()
