"""The catalogue: all tables available by name, their recipes, and the cache of converted tables.

A package adds tables with an entry point in its ``pyproject.toml``, which names a recipe, or a function that returns
recipes (see `nasbench_lab.tables.recipe`)::

    [project.entry-points."nasbench_lab.tables"]
    my-tables = "my_package.tables:recipes"
"""

from __future__ import annotations

import fnmatch
import functools
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np

from nasbench_lab.cache import CACHE_VARIABLE, cache_folder
from nasbench_lab.errors import DataError, OutputError, ParameterError, SourceError, UnknownNameError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import as_command, first_line, several, shortened, stands_for, unknown
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.plugins import added_names, describe, load_entry_point
from nasbench_lab.tables import store
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS, refuse_manual_download
from nasbench_lab.tables.known_answers import check_known_answers
from nasbench_lab.tables.progress_callbacks import Report, silent
from nasbench_lab.tables.recipe import AbstractRecipe, StreamedRecipe
from nasbench_lab.tables.table import Table
from nasbench_lab.tables.tables_in_code import is_in_code, load_from_code

GROUP = "nasbench_lab.tables"
TABLE_SUFFIXES = (".h5", ".hdf5")

_TOPOLOGY = tuple(f"nats-bench-tss/{data}" for data in ("cifar10", "cifar100", "ImageNet16-120"))
ALSO_CALLED = {
    "nasbench201": _TOPOLOGY,  # the same space and data sets; NATS-Bench is its successor
    "nb201": _TOPOLOGY,
    "natsbenchsss": ("nats-bench-sss-curves",),
    "natsbenchsize": ("nats-bench-sss-curves",),
    "natsbench": _TOPOLOGY,
    "nb101": ("nas-bench-101/full", "nas-bench-101/means", "nas-bench-101/only108"),
}
"""Other names of tables, in lower case, for suggestions in error messages: see `nasbench_lab.messages.suggestions`."""

ALIASES = ("nasbench201", "nb201", "nb101")
"""Those of them that stand for nothing else. "natsbench" has two spaces, for example."""


def recipes() -> dict[str, AbstractRecipe]:
    """Return the recipes of all tables by name: the built-in ones and those that installed packages add."""
    return {**_built_in(), **_added()[0]}


def missing_entry_points() -> list[str]:
    """Return one line per installed entry point that fails to add its tables; usually none."""
    return _added()[1]


def is_named(name: str) -> bool:
    """Return whether the catalogue has a table of that name. Built-in names are found without importing other packages.

    >>> is_named("digits/chain"), is_named("digits/no-such-table")
    (True, False)
    """
    return name in _built_in() or name in _added()[0]


@functools.cache
def _built_in() -> dict[str, AbstractRecipe]:
    from nasbench_lab.tables import bundled_tables
    from nasbench_lab.tables.importers import ec_nas, nas_bench_macro
    from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101
    from nasbench_lab.tables.importers.nas_bench_graph import light_version as nas_bench_graph
    from nasbench_lab.tables.importers.nas_bench_nlp import tables as nas_bench_nlp
    from nasbench_lab.tables.importers.naslib_transfer import tables as naslib_transfer
    from nasbench_lab.tables.importers.nats_topology import tables as nats_topology
    from nasbench_lab.tables.importers.trans_nas_bench import tables as trans_nas_bench

    modules = (
        ec_nas,
        nas_bench_101,
        nas_bench_graph,
        nas_bench_macro,
        nas_bench_nlp,
        naslib_transfer,
        nats_topology,
        trans_nas_bench,
    )
    published = (recipe for module in modules for recipe in module.RECIPES)
    return {recipe.description.name: recipe for recipe in (*bundled_tables.recipes(), *published)}


@functools.cache
def _added() -> tuple[dict[str, AbstractRecipe], list[str]]:
    """Return the recipes that packages add, and one message per recipe or entry point that cannot be added."""
    found: dict[str, AbstractRecipe] = {}
    wrong: list[str] = []
    for name in added_names(GROUP):
        try:
            new = _recipes_of(name)
        except ParameterError as error:
            wrong.append(first_line(error))
            continue
        for table, recipe in new.items():
            if table in _built_in() or table in found:
                wrong.append(f"{describe(GROUP, name)} adds a table {table!r}, but there is one of that name already")
            else:
                found[table] = recipe
    return found, wrong


def _recipes_of(name: str) -> dict[str, AbstractRecipe]:
    """Return the recipes of an entry point, or raise ParameterError."""
    given = load_entry_point(GROUP, name)
    try:
        new = given() if callable(given) else given
        new = [new] if isinstance(new, AbstractRecipe) else list(new)
    except (Exception, SystemExit) as error:  # the other package may raise anything
        raise ParameterError(f"{describe(GROUP, name)} gives no recipes: {error!r}") from error
    for recipe in new:
        if not isinstance(recipe, AbstractRecipe):
            raise ParameterError(f"{describe(GROUP, name)} must give recipes, but one is {recipe!r}")
    return {recipe.description.name: recipe for recipe in new}


def list_tables() -> list[str]:
    """Return the names of all tables in the catalogue, sorted.

    >>> "nas-bench-graph/cora" in list_tables()
    True
    """
    return sorted(recipes())


def matching(patterns: Iterable[str]) -> list[str]:
    """Return the names of the tables that match patterns, in the order of the patterns, each once.

    Args:
        patterns: names, names with wildcards (``*``, ``?``), publications (the part of names before the slash), or
            aliases (see `meant`).

    Raises:
        UnknownNameError: a pattern matches no table.
        SourceError: a pattern is the name of tables that need a manual download.

    >>> matching(["nas-bench-graph/c*"])
    ['nas-bench-graph/citeseer', 'nas-bench-graph/computers', 'nas-bench-graph/cora', 'nas-bench-graph/cs']
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        names = [n for n in list_tables() if fnmatch.fnmatchcase(n, pattern) or n.startswith(f"{pattern.rstrip('/')}/")]
        names = names or meant(pattern)
        if not names:
            refuse_manual_download(pattern)
            raise _unknown(pattern, [*to_suggest(), *publications()])
        found |= dict.fromkeys(names)
    return list(found)


def to_suggest() -> list[str]:
    """Return the names of all tables, including those that need a manual download."""
    return [*list_tables(), *(entry.name for entry in MANUAL_DOWNLOADS)]


def publications() -> list[str]:
    """Return the publications of all tables (the part of names before the slash), each once.

    >>> publications()[:2]
    ['digits', 'ec-nas']
    """
    return list(dict.fromkeys(name.partition("/")[0] for name in list_tables()))


def meant(name: str) -> list[str]:
    """Return the tables that a name, another spelling or an alias stands for.

    >>> meant("nas-bench-201/cifar10"), meant("NAS-Bench-Macro")
    (['nats-bench-tss/cifar10'], ['nas-bench-macro/cifar10'])
    >>> meant("nas-bench-201")
    ['nats-bench-tss/cifar10', 'nats-bench-tss/cifar100', 'nats-bench-tss/ImageNet16-120']
    """
    if is_named(name):
        return [name]
    aliases: dict[str, list[str]] = {publication: [] for publication in publications()}
    for table in list_tables():
        aliases[table.partition("/")[0]].append(table)
    for alias in ALIASES:
        aliases[alias] = list(ALSO_CALLED[alias])
        aliases |= {f"{alias}/{table.partition('/')[2]}": [table] for table in ALSO_CALLED[alias]}
    return stands_for(name, list_tables(), aliases)


def full_name(name: str) -> str:
    """Return the name of the table that a name, another spelling or an alias stands for, or the name itself if none.

    Raises:
        UnknownNameError: it stands for several tables.

    >>> full_name("nas-bench-201/cifar10"), full_name("mine.h5")
    ('nats-bench-tss/cifar10', 'mine.h5')
    """
    if is_table_file(name) or is_in_code(name):
        return name
    found = meant(name)
    if len(found) > 1:
        raise several("table", name, found)
    return found[0] if found else name


def find_recipe(name: str) -> AbstractRecipe:
    """Return the recipe of a table.

    Args:
        name: the name, another spelling of it, or an alias.

    Raises:
        UnknownNameError: no table has that name, or several have; the message suggests names.
        SourceError: the tables of that name need a manual download.
    """
    name = full_name(str(name))
    if not is_named(name):
        refuse_manual_download(name)
        raise _unknown(name, to_suggest())
    return _built_in().get(name) or _added()[0][name]


def _unknown(name: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for an unknown table, including any entry points that failed to add tables."""
    error = unknown("table", name, known, ALSO_CALLED, instead="to list the tables: nasbench-lab tables")
    return UnknownNameError("; ".join([str(error), *missing_entry_points()]))


def cached_path(name: str) -> Path:
    """Return the path of the converted table in the cache, whether it exists or not."""
    name = full_name(name)
    digest = find_recipe(name).digest
    return cache_folder() / "tables" / f"{name.replace('/', '__')}-{digest[:16]}.h5"


def is_present(name: str) -> bool:
    """Return whether a table of the catalogue is on this machine: converted earlier, or bundled with the package."""
    return cached_path(name).exists() or _is_bundled(name)


def _is_bundled(name: str) -> bool:
    from nasbench_lab.tables import bundled_tables

    return name in {made.description.name for made in bundled_tables.recipes()}


@functools.cache
def _in_memory(name: str) -> Table:
    """Make a table in memory, without the cache: equal to the one in the cache, with the same checksum."""
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-") as folder:
        path = Path(folder) / "table.h5"
        convert(name, path)
        made = store.open_table(path)
        values = {metric: np.array(made.values(metric)) for metric in made.metrics}
        means = {metric: made.published_means(metric) for metric in made.metrics}
        kept = {metric: np.array(mean) for metric, mean in means.items() if mean is not None}
        return Table(made.description, values, kept, checksum=made.checksum)


def load(name: str | os.PathLike[str]) -> Table:
    """Open a table by its name in the catalogue, or by the path of a table file (``.h5``) or of a folder with one.

    The file of a surrogate is opened as a `nasbench_lab.tables.surrogates.surrogate.Surrogate`, which computes its
    answers, and a packed table is unpacked in memory.

    A table in Python code, such as one that computes its answers (`nasbench_lab.tables.ComputedTable`), is named
    ``"mine.py:name"`` or ``"package.module:name"``: an object, or a class or function without arguments that makes one.

    Other spellings and aliases are names too, if they stand for one table: ``nas-bench-201/cifar10``.

    On first use, a table of the catalogue is converted from its published files. This takes a few seconds, and a
    download of some megabytes unless there is a local copy. Later, it is opened from the cache in milliseconds. A
    table that needs a download of hundreds of megabytes must be fetched first (see `fetch`).

    Raises:
        ParameterError: it is neither a name nor a path, or code that makes no table.
        UnknownNameError: no table has that name.
        SourceError: the published files can be neither found nor downloaded, or the table must be fetched first.
        DataError: a file is corrupt, is no table file or does not exist.
        OutputError: the converted table cannot be written to the cache. A table that comes with the package is then
            kept in memory.
    """
    if not isinstance(name, str | os.PathLike):
        raise ParameterError(f"a table must be a name, a path or a Table, got {shortened(name)}")
    text = os.fspath(name)
    if is_in_code(text):
        return cast(Table, load_from_code(text))  # it may compute its answers, and then refuses to list all of them
    if is_table_file(text):
        return _open_file(text)
    if text and not is_named(text):  # an empty text is not the current folder
        if is_folder(text):
            return _open_file(_only_table(Path(text)))
        _refuse_other_path(name, text)
        text = full_name(text)
    made = find_recipe(text)
    path = cached_path(text)
    if not path.exists() and isinstance(made, StreamedRecipe) and not made.file.is_here():
        size = f"a download of {made.file.size / 1e6:,.0f} MB" if made.file.size else "a large download"
        raise SourceError(f"table {text!r} is {size}; fetch it first: {as_command('tables', 'fetch', text)}")
    try:
        return store.open_table(fetch(text), remedy="; delete the file to make it again")
    except OutputError as error:
        if not _is_bundled(text):
            raise OutputError(f"{error}; set {CACHE_VARIABLE} to a folder that can be written") from error
        return _in_memory(text)


def _open_file(path: str | os.PathLike[str]) -> Table:
    """Open a table file, a surrogate or a packed table."""
    try:
        return store.open_table(path)
    except DataError:
        from nasbench_lab.tables import packed_tables
        from nasbench_lab.tables.surrogates.file import is_surrogate_file, read_surrogate

        if is_surrogate_file(path):
            return cast(Table, read_surrogate(path))  # it answers like a table, and refuses to list all answers
        if packed_tables.is_packed(path):
            return packed_tables.open_packed(path)
        raise


def _refuse_other_path(name: str | os.PathLike[str], text: str) -> None:
    """Raise DataError if a text that names no table is the path of another file, or clearly meant as a path."""
    if is_plain(text):
        command = as_command("tables", "import", text)
        raise DataError(f"{text} is not a table file (.h5); convert it first: {command}")
    if not isinstance(name, str) or text.startswith(("/", "./", "../", "~")) or "\\" in text:
        raise DataError(f"there is no file or folder {text if len(text) <= 4096 else shortened(text)}")


def is_table_file(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is the path of a table file, not the name of a table in the catalogue.

    >>> is_table_file("mine.h5"), is_table_file("nas-bench-graph/cora")
    (True, False)
    """
    return os.fspath(name).endswith(TABLE_SUFFIXES)


def fetch(name: str, *, report: Report = silent) -> Path:
    """Download and convert the published files of a table, check its known answers, and return its path.

    Nothing happens if the table is already in the cache. An interrupted download is resumed.

    Args:
        name: name of the table in the catalogue.
        report: called as ``report(step, done, total)`` while a file is downloaded (bytes) or converted.

    Raises:
        UnknownNameError: no table has that name.
        SourceError: a published file can be neither found nor downloaded.
        DataError: a file does not match its checksum, or the table does not match its known answers.
        OutputError: the download or the table cannot be written.

    >>> fetch("digits/chain").suffix
    '.h5'
    """
    path = cached_path(name)
    if not path.exists():
        with atomic_path(path) as temporary:
            convert(name, temporary, report=report)
    return path


def convert(name: str, path: Path, *, report: Report = silent) -> None:
    """Make a table of the catalogue from its published files, and check its known answers.

    Args:
        name: name of the table in the catalogue.
        path: the table file to write.
        report: see `fetch`.

    Raises:
        SourceError, DataError, OutputError: see `fetch`.
    """
    find_recipe(name).write(path, report)
    wrong = [check for check in check_known_answers(store.open_table(path)) if not check.ok]
    if wrong:
        raise DataError(f"table {name!r} differs from its publication: {wrong[0].what}: {wrong[0].found}")


def _only_table(folder: Path) -> Path:
    """Return the only table file in a folder; importers of several data sets write such folders."""
    files = sorted(path for path in folder.iterdir() if is_table_file(path) and not path.name.startswith("."))
    if len(files) == 1:
        return files[0]
    if not files:
        raise DataError(f"folder {folder} has no table file (.h5)")
    raise DataError(f"folder {folder} has several tables; name one: {', '.join(map(str, files))}")
