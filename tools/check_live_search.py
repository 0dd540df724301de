"""Search with real trainings, and compare every value with that of the table that has the same recipe.

    python tools/check_live_search.py FOLDER        # prints the rows of docs/design/live-search.md

Three tables, eight strategies, eight evaluations each: about 150 networks are trained with the complete recipe, which
takes some minutes. The folder keeps the trainings, so the command can be stopped and continued.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import nasbench_lab as nl
from nasbench_lab import train
from nasbench_lab.tables import ComputedTable

TABLES = ("digits/topology", "digits/cell101", "digits/chain")
STRATEGIES = (
    "random-search",
    "regularized-evolution:population_size=4",
    "local-search:initial=2",
    "tpe:initial=3",
    "gp-bo:initial=3",
    "reinforce",
    "asha:eta=2",
    "nsga-ii:population_size=4",
)
OBJECTIVES = {"nsga-ii:population_size=4": ("flops",)}
EVALUATIONS = 8
COMPARED = ("architecture", "fidelity", "repeat", "observed")
"""Everything but the seconds, which are measured."""


def main() -> None:
    """Print a row per table and strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name in TABLES:
        table, live = nl.load(name), train.live(name, folder=folder / name.replace("/", "-"))
        for strategy in STRATEGIES:
            print(row(table, live, strategy), flush=True)


def row(table: nl.Table, live: ComputedTable, strategy: str) -> str:
    """Return how many values of a search on the table and of one with real trainings are the same, bit for bit."""
    options = {"runs": 1, "budget": nl.Budget(evaluations=EVALUATIONS), "objectives": OBJECTIVES.get(strategy, ())}
    expected, found = (nl.simulate(each, strategy, **options) for each in (table, live))
    same = [np.array_equal(getattr(found, name), getattr(expected, name), equal_nan=True) for name in COMPARED]
    verdict = "the same" if all(same) else f"different: {', '.join(np.array(COMPARED)[~np.array(same)])}"
    return f"| {table.name} | {strategy} | {int(found.evaluations.sum())} | {verdict} |"


if __name__ == "__main__":
    main()
