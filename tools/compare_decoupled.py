"""Compare decoupled search with the same strategies on all choices at once, on tables where the truth is known.

    python tools/compare_decoupled.py TABLE ...     # prints the rows of docs/design/hierarchical.md

A minute or two per table. Random numbers are the same in both, so the differences are paired.
"""

from __future__ import annotations

import argparse

import nasbench_lab as nl

RUNS = 500
BUDGETS = (100, 300)
STRATEGIES = ("random-search", "regularized-evolution", "tpe")
ORDERS = {
    "digits/topology": "node1/node2+node3",
    "digits/chain": "layer1/layer2/layer3+layer4/layer5/layer6",
    "digits/hierarchical": "macro+cell",
}
"""Two parts, where the groups of the space are smaller; other tables: all groups, one after the other."""


def main() -> None:
    """Print a row per table, budget and strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", metavar="TABLE")
    for name in parser.parse_args().tables:
        table = nl.load(name)
        for evaluations in BUDGETS:
            for inner in STRATEGIES:
                print(row(table, evaluations, inner), flush=True)


def row(table: nl.Table, evaluations: int, inner: str) -> str:
    """Return the mean validation regrets of joint and of decoupled search, and their difference with two errors."""
    budget = nl.Budget(evaluations=evaluations)
    joint = nl.simulate(table, inner, runs=RUNS, budget=budget).regret("valid")[:, -1]
    cells = [f"{joint.mean():.2f}"]
    for order in dict.fromkeys(["", ORDERS.get(table.name, "")]):
        parameters = {"inner": inner, "evaluations": evaluations, "order": order}
        found = nl.simulate(table, "decoupled", runs=RUNS, budget=budget, parameters=parameters).regret("valid")[:, -1]
        more = found - joint
        cells.append(f"{order or 'all'}: {found.mean():.2f} ({more.mean():+.2f} +- {2 * more.std() / RUNS**0.5:.2f})")
    return f"| {table.name} | {evaluations} | {inner} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
