"""The page of inherited weights shows what its files of numbers say."""

import csv
import re
import statistics

import pytest
from paths import ROOT
from repository_tools import load_tool

pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

FOLDER = ROOT / "results" / "inheritance"


@pytest.fixture(scope="module")
def tool():
    return load_tool("measure_inheritance")


def rows(part):
    with (FOLDER / f"{part}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(part):
    """The cells of a table of the page, without its head."""
    text = re.search(rf"<!-- {part} -->\n(.*)<!-- end of {part} -->", (FOLDER / "README.md").read_text("utf-8"), re.S)
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text[1].split("\n")[3:] if line]


def test_the_tables_are_those_of_the_tool(tool):
    for part, lines in (("pairs", tool.pairs_table()), ("evolution", tool.evolution_table())):
        assert table(part) == [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_means_of_children_are_those_of_the_file():
    found = rows("pairs")
    for task, _, way, _, *cells, _ in table("pairs"):
        for epochs, cell in zip((1, 2, 4, 8), cells, strict=True):
            chosen = [row for row in found if (row["task"], row["way"], row["epochs"]) == (task, way, str(epochs))]
            assert cell == f"{statistics.mean(float(row['valid_accuracy']) for row in chosen):.1f}"


def test_children_are_compared_with_the_same_children():
    found = rows("pairs")
    for task in {row["task"] for row in found}:
        children = {}
        for row in found:
            if row["task"] == task:
                children.setdefault(row["way"], set()).add((row["pair"], row["seed"], row["child"], row["epochs"]))
        assert len({frozenset(each) for each in children.values()}) == 1


def test_searches_stop_when_their_seconds_are_spent(tool):
    found = rows("evolution")
    for row in found:
        assert float(row["spent"]) <= tool.SEARCHES[row["task"]][1]
        assert (int(row["parent"]) < 0) or row["way"].startswith("inherited")
    best = {}
    for row in found:
        place = row["task"], row["way"], row["run"]
        best[place] = max(best.get(place, 0.0), float(row["valid_accuracy"]))
    for task, _, runs, way, _, valid, *_ in table("evolution"):
        values = [value for (each, start, _), value in best.items() if (each, start) == (task, way)]
        assert len(values) == int(runs)
        assert valid == f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"
