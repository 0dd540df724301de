"""Tables of other packages: what an entry point may name, and what a broken one does."""

import dataclasses

import pytest
from added_entry_points import add_entry_points, forget_entry_points
from command_line import nasbench_lab_here

import nasbench_lab as nl
from nasbench_lab.errors import UnknownNameError
from nasbench_lab.tables import Recipe, catalogue
from nasbench_lab.tables.recipe import AbstractRecipe
from nasbench_lab.testing import synthetic_table


class Nothing:
    """A file that is not needed."""

    sha256 = "0" * 64

    def read(self, report=None):
        return b""


def recipe(name):
    table = synthetic_table("chain")
    values = {metric: table.values(metric) for metric in table.metrics}
    return Recipe(dataclasses.replace(table.description, name=name), (Nothing(),), lambda *_: (values, {}))


@pytest.fixture(autouse=True)
def forget(empty_cache):
    yield
    forget_entry_points()


@pytest.mark.parametrize(
    "given",
    [recipe("mine/a"), lambda: recipe("mine/a"), [recipe("mine/a")], lambda: (recipe(f"mine/{name}") for name in "ab")],
    ids=["recipe", "function", "list", "function-of-several"],
)
def test_what_an_entry_point_may_name(monkeypatch, given):
    add_entry_points(monkeypatch, catalogue.GROUP, mine=given)
    assert "mine/a" in nl.list_tables()
    assert catalogue.missing_entry_points() == []
    assert isinstance(catalogue.find_recipe("mine/a"), AbstractRecipe)
    assert catalogue.matching(["mine"])[0] == "mine/a"
    assert nl.load("mine/a").space == synthetic_table("chain").space
    assert all(check.ok for check in nl.verify("mine/a", sources=True))


def test_an_added_table_is_searched_by_name(monkeypatch):
    add_entry_points(monkeypatch, catalogue.GROUP, mine=recipe("mine/a"))
    done = nasbench_lab_here(
        "run", "--table", "mine/a", "--strategy", "random-search", "--runs", "3", "--evaluations", "4"
    )
    assert done.returncode == 0, done.stderr


def fails():
    raise RuntimeError("no data today")


def test_broken_entry_points_break_nothing_else_and_are_named(monkeypatch):
    add_entry_points(
        monkeypatch,
        catalogue.GROUP,
        broken="no_such_module:recipes",
        failing=fails,
        wrong=lambda: ["a text"],
        taking=lambda: [recipe("digits/chain"), recipe("mine/b")],
        mine=recipe("mine/a"),
    )
    assert {"mine/a", "mine/b", "digits/chain"} <= set(nl.list_tables())
    assert nl.load("digits/chain").description.licence == "Apache-2.0"
    parts = (
        "'broken' in group 'nasbench_lab.tables' cannot be loaded: ModuleNotFoundError",
        "'failing' in group 'nasbench_lab.tables' gives no recipes: RuntimeError('no data today')",
        "'wrong' in group 'nasbench_lab.tables' must give recipes, but one is 'a text'",
        "'taking' in group 'nasbench_lab.tables' adds a table 'digits/chain', but there is one of that name already",
    )
    lines = catalogue.missing_entry_points()
    assert len(lines) == len(parts)
    assert all(part in line for part, line in zip(parts, lines, strict=True))
    with pytest.raises(UnknownNameError, match=r"unknown table 'nothing'.*'broken' in group"):
        nl.load("nothing")
    listed = nasbench_lab_here("tables")
    assert "mine" in listed.stdout
    assert listed.stderr.count("note: the entry point") == 4


def test_built_in_tables_need_no_other_package(monkeypatch):
    imported = []
    add_entry_points(monkeypatch, catalogue.GROUP, mine=lambda: imported.append("mine") or [])
    assert nl.load("digits/chain").name == "digits/chain"
    assert all(check.ok for check in nl.verify("digits/chain"))
    assert not imported
    assert nl.list_tables()
    assert imported
