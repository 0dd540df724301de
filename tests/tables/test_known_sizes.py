"""The recorded sizes of tables, compared with the published files and with the tables made of them."""

import math

import pytest

from nasbench_lab import spaces
from nasbench_lab.tables import fetch, find_recipe, list_tables
from nasbench_lab.tables.known_sizes import KNOWN_SIZES
from nasbench_lab.tables.recipe import StreamedRecipe

PUBLISHED = sorted(name for name in list_tables() if not name.startswith("digits/"))
MADE_HERE = [name for name in PUBLISHED if not isinstance(find_recipe(name), StreamedRecipe)]


def test_the_size_of_every_published_table_is_known():
    assert sorted(KNOWN_SIZES) == PUBLISHED


@pytest.mark.mirror
@pytest.mark.parametrize("name", MADE_HERE)
def test_tables_have_the_recorded_size(name):
    assert fetch(name).stat().st_size == pytest.approx(KNOWN_SIZES[name].table, rel=0.01)


@pytest.mark.mirror
@pytest.mark.parametrize("name", MADE_HERE)
def test_downloads_have_the_recorded_size(name):
    files = {file.sha256: file for file in find_recipe(name).files}.values()
    if name.startswith("nas-bench-graph/"):
        (file,) = files
        assert (file.package, file.version) == ("nas-bench-graph", "1.4.0"), "another wheel has another size"
        return
    assert sum(file.fetch().stat().st_size for file in files) == KNOWN_SIZES[name].download


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - set(MADE_HERE)))
def test_large_tables_have_the_size_of_their_axes(name):
    recipe = find_recipe(name)
    description = recipe.description
    axes = {
        "architecture": spaces.make_space(description.space).size,
        "fidelity": len(description.fidelities),
        "repeat": len(description.repeats),
    }
    numbers = sum(math.prod(axes[axis] for axis in metric.axes) for metric in description.metrics)
    assert KNOWN_SIZES[name].table == pytest.approx(8 * numbers, rel=0.01)
    assert KNOWN_SIZES[name].download == recipe.file.size
