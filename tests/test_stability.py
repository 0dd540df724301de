"""Marks of what will go and of what may change: when they warn, where, and what stays as it was."""

import abc
import ast
import dataclasses
import inspect
import pickle
import re
import warnings
from pathlib import Path

import pytest

import nasbench_lab
from nasbench_lab.errors import ParameterError
from nasbench_lab.stability import DeprecatedWarning, ExperimentalWarning, deprecated, experimental, renamed_parameter

ROOT = Path(nasbench_lab.__file__).parent


@deprecated(since="0.2", removal="0.4", instead="`shorter`")
def long_name(value, *, factor=1):
    """Multiply.

    The rest of it.
    """
    return value * factor


@deprecated(since="0.2", removal="1.0", instead="`Line`")
@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve."""

    degree: int = 2


class Named(abc.ABC):  # noqa: B024 - for its metaclass, as that of strategies and spaces
    names: list[str] = []  # noqa: RUF012 - shared on purpose

    def __init_subclass__(cls, *, suffix="", **options):
        super().__init_subclass__(**options)
        Named.names.append(cls.__name__ + suffix)


@experimental
class Trial(Named):
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)


@renamed_parameter("n_runs", "runs", since="0.2", removal="0.3")
def search(table, runs=10):
    return table, runs


@renamed_parameter("size", "population_size", since="0.2", removal="0.3")
@dataclasses.dataclass(frozen=True)
class Evolution:
    population_size: int = 100


def test_a_deprecated_function_warns_at_the_caller_and_works():
    message = r"^long_name is deprecated since 0\.2 and will be removed in 0\.4; use `shorter` instead$"
    with pytest.warns(DeprecatedWarning, match=message) as caught:
        assert long_name(3, factor=2) == 6
    assert [warning.filename for warning in caught] == [__file__]
    assert issubclass(DeprecatedWarning, DeprecationWarning)


def test_a_mark_is_in_the_docstring_and_the_signature_is_kept():
    summary, note, rest = inspect.getdoc(long_name).split("\n\n")
    assert (summary, rest) == ("Multiply.", "The rest of it.")
    assert note.startswith("Note: long_name is deprecated since 0.2")
    assert str(inspect.signature(long_name)) == "(value, *, factor=1)"
    assert inspect.getdoc(Trial).startswith("Note: Trial is experimental")


def test_a_deprecated_class_warns_and_stays_the_same_class():
    with pytest.warns(DeprecatedWarning, match="Curve is deprecated") as caught:
        curve = Curve(3)
    assert [warning.filename for warning in caught] == [__file__]
    assert curve.degree == 3
    assert type(curve) is Curve
    assert pickle.loads(pickle.dumps(curve)) == curve, "what was stored can be read without a warning"


def test_deriving_from_a_deprecated_class_warns():
    with pytest.warns(DeprecatedWarning) as caught:

        @dataclasses.dataclass(frozen=True)
        class Mine(Curve):
            degree: int = 5

    assert [warning.filename for warning in caught] == [__file__]
    assert Mine().degree == 5, "its own __init__ warns no more"


def test_deriving_from_an_experimental_class_warns_and_runs_its_own_hook():
    with pytest.warns(ExperimentalWarning, match="Trial is experimental: it may change or go") as caught:

        class Mine(Trial, suffix="!"):
            pass

    assert [warning.filename for warning in caught] == [__file__], "not that of `abc`"
    assert Named.names == ["Trial", "Mine!"]


def test_a_renamed_parameter_is_taken_by_both_names():
    with pytest.warns(DeprecatedWarning, match="the parameter 'n_runs' of search is deprecated since 0.2") as caught:
        assert search("table", n_runs=3) == ("table", 3)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(DeprecatedWarning, match="use 'population_size' instead"):
        assert Evolution(size=7) == Evolution(7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert search("table", runs=3) == search("table", 3)


def test_a_parameter_by_both_names_at_once_is_an_error():
    with pytest.raises(ParameterError, match="search was given 'n_runs' and 'runs', which are the same; give 'runs'"):
        search("table", n_runs=3, runs=3)


@pytest.mark.parametrize(("old", "new"), [("n_runs", "rums"), ("table", "runs")])
def test_a_wrong_name_of_a_parameter_is_found_where_it_is_marked(old, new):
    def function(table, runs):
        return table, runs

    with pytest.raises(ParameterError, match=f"must have a parameter '{new}' and none '{old}'"):
        renamed_parameter(old, new, since="0.2", removal="0.3")(function)


@pytest.mark.parametrize(("since", "removal"), [("0.2", "0.2"), ("0.10", "0.9"), ("1.0", "0.9")])
def test_what_is_deprecated_stays_for_a_minor_release(since, removal):
    with pytest.raises(ParameterError, match=f"deprecated since {since} must stay in all of {since}"):
        deprecated(since=since, removal=removal, instead="nothing")


@pytest.mark.parametrize("release", ["2", "0.2.1", "soon", ""])
def test_releases_are_written_in_one_way(release):
    with pytest.raises(ParameterError, match=r"releases must be like '0\.2'"):
        renamed_parameter("old", "new", since=release, removal="9.0")


def overdue(source, version):
    """The releases in which marks of a source say that something goes, and which have come."""
    marks = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [mark for mark in marks if getattr(mark.func, "id", "") in ("deprecated", "renamed_parameter")]
    given = [word.value for mark in named for word in mark.keywords if word.arg == "removal"]
    removals = [value.value for value in given if isinstance(value, ast.Constant)]
    return [removal for removal in removals if numbers(removal) <= numbers(version)]


def numbers(version):
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def test_nothing_is_left_that_was_to_be_removed_by_now():
    source = "@deprecated(since='0.2', removal='0.3', instead='this')\ndef that(): ..."
    assert overdue(source, "0.2.9") == []
    assert overdue(source, "0.3.0") == overdue(source, "0.10.0") == ["0.3"]
    for path in ROOT.rglob("*.py"):
        left = overdue(path.read_text(encoding="utf-8"), nasbench_lab.__version__)
        assert not left, f"{path.relative_to(ROOT)} has what was to be removed in {left[0]}"


def test_the_page_has_the_version_of_every_format():
    versions = {}
    for path in ROOT.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        name = re.search(r'^FORMAT = "(.+)"$', source, re.M)
        if name:
            versions[name[1]] = re.search(r"^FORMAT_VERSION = (\d+)$", source, re.M)[1]
    page = (ROOT.parent / "docs" / "stability.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| (nasbench-lab .+?) \| .+? \| (\d+) \|", page, re.M)) == versions
