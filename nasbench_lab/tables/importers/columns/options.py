"""The options for reading a file of columns, and the columns that they name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nasbench_lab.checks import AtLeast, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.tables.importers.columns import hints
from nasbench_lab.tables.importers.columns.wide import REPEAT

ARCHITECTURE_NAMES = frozenset(
    (
        *(f"{word}{kind}" for word in ("arch", "architecture", "net") for kind in ("", "_str", "_string")),
        *("arch_hash", "arch_index", "arch_id", "cell", "cellstr", "genotype", "module_hash", "md5"),
    )
)
EPOCHS_NAMES = frozenset(("epoch", "epochs"))
REPEAT_NAMES = frozenset(("seed", "repeat"))
"""Column names, in lower case, that are recognised if the option is not given."""


@dataclasses.dataclass(frozen=True)
class ColumnOptions:
    """The options for reading a file; `read_columns` documents every field."""

    architecture: str | Sequence[str] | None = None
    space: str | Mapping[str, Any] | None = None
    epochs: str | int | None = None
    repeat: str | Mapping[str, Sequence[str]] | None = None
    valid: str | None = None
    test: str | None = None
    cost: str | Sequence[str] | None = None
    metrics: str | Sequence[str] | None = None
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)
    directions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    splits: Mapping[str, str] = dataclasses.field(default_factory=dict)
    per_epoch: str | Sequence[str] = ()
    resumable: bool = False
    first_epoch: int = 1
    max_epochs: int | None = None
    match_repeats: bool = True
    name: str | None = None
    title: str | None = None
    licence: str = ""
    citation: str = ""
    origin: str = ""
    notes: str | Sequence[str] = ()
    delimiter: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        one_of("first_epoch", self.first_epoch, (0, 1))
        if self.max_epochs is not None:
            whole("max_epochs", self.max_epochs, AtLeast(1))
        for name in ("units", "directions", "splits"):
            if not isinstance(getattr(self, name), Mapping):
                raise ParameterError(f"{name} must be a mapping with columns as keys, for example {{'val_acc': ...}}")
        if not isinstance(self.space, str | Mapping | None):
            raise ParameterError(
                f"space must be a name, or a mapping with name and parameters, got {type(self.space).__name__}"
            )
        for text in (self.name, self.title, *self.units.values()):
            if text is not None and not (isinstance(text, str) and text.isprintable()):
                raise ParameterError(f"names, titles and units must be one line of text, got {text!r}")
        if self.citation.strip():
            from nasbench_lab.tables.citations import entries

            entries(self.citation)  # `cite` could not print a damaged one


class KeyColumns(NamedTuple):
    """The columns that identify a row, and the columns that may be measurements.

    Attributes:
        architecture: one column, or one column per choice.
        epochs: the column with the number of epochs; None if it is the same for all rows.
        repeat: the column of seeds; None if every architecture was trained once.
        metrics: columns that may be measurements, in the order of the file.
        required: columns of measurements named by the user, which must have numbers.
    """

    architecture: tuple[str, ...]
    epochs: str | None
    repeat: str | None
    metrics: tuple[str, ...]
    required: frozenset[str]


def find_key_columns(names: Sequence[str], options: ColumnOptions) -> KeyColumns:
    """Find the key columns: as the options say, else by their names.

    Raises:
        UnknownNameError: the file has no such column.
        ParameterError: a column is named for two purposes, or several columns could be meant.
    """
    known = [name for name in names if name]
    architecture = _architecture(known, options)
    found = epochs_column(names, options)
    epochs = found if isinstance(found, str) else None
    repeat = REPEAT if isinstance(options.repeat, Mapping) else options.repeat
    if repeat is None:
        repeat = _only("repeat", known, REPEAT_NAMES, besides=architecture)
    keys = [*architecture, *([epochs] if epochs is not None else []), *([repeat] if repeat is not None else [])]
    named = list(dict.fromkeys(_named_metrics(options)))
    for name in (*keys, *named, *options.units, *options.directions, *options.splits):
        if name not in known:
            raise unknown("column", name, known)
    for name in keys:
        if keys.count(name) > 1 or name in named:
            raise ParameterError(f"column {name!r} is used for two purposes")
    roles = [name for name in (options.valid, options.test, *as_names(options.cost)) if name is not None]
    for name in roles:
        if roles.count(name) > 1:
            raise ParameterError(f"column {name!r} is used for two purposes")
    wanted = as_names(options.metrics) if options.metrics is not None else known
    metrics = tuple(name for name in known if name not in keys and (name in wanted or name in named))
    return KeyColumns(architecture, epochs, repeat, metrics, frozenset(named))


def is_architecture_name(name: str) -> bool:
    """Return whether a column of this name is recognised as the architecture."""
    return _plain(name) in ARCHITECTURE_NAMES


def architecture_columns(names: Sequence[str], options: ColumnOptions) -> tuple[str, ...]:
    """Return the columns of the architecture: as named, or the choices of the space, or by a recognised name.

    Raises:
        ParameterError: no column is named or recognised.
    """
    return _architecture([name for name in names if name], options)


def epochs_column(names: Sequence[str], options: ColumnOptions) -> str | int | None:
    """Return the column of epochs, as named or by a recognised name; or the number of epochs of all rows, if given."""
    if options.epochs is not None:
        return options.epochs
    return _only("epochs", [name for name in names if name], EPOCHS_NAMES, besides=architecture_columns(names, options))


def as_names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name or several as a tuple of names.

    >>> as_names("a"), as_names(["a", "b"]), as_names(None)
    (('a',), ('a', 'b'), ())
    """
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _named_metrics(options: ColumnOptions) -> Iterable[str]:
    """Yield the columns of measurements that the user named."""
    yield from (name for name in (options.valid, options.test) if name is not None)
    yield from (*as_names(options.cost), *as_names(options.metrics), *as_names(options.per_epoch))


def _architecture(known: Sequence[str], options: ColumnOptions) -> tuple[str, ...]:
    """Return the columns of the architecture: as named, or the choices of the space, or by a recognised name."""
    if options.architecture is not None:
        names = as_names(options.architecture)
        if not names:
            raise ParameterError("architecture must name at least one column")
        return names
    if isinstance(options.space, Mapping) and "choices" in options.space and "length" not in options.space:
        return tuple(str(pair[0]) for pair in options.space["choices"])
    found = _only("architecture", known, ARCHITECTURE_NAMES, besides=())
    if found is None:
        hint = hints.option("architecture", known[0])
        raise ParameterError(f"name the column of the architecture, for example {hint}; {_has(known)}")
    return (found,)


def _only(option: str, known: Sequence[str], recognised: Iterable[str], besides: Sequence[str]) -> str | None:
    """Return the column with a recognised name, or None; ParameterError if several columns have one."""
    found = [name for name in known if _plain(name) in recognised and name not in besides]
    if len(found) > 1:  # a notation says more than a number or a hash
        notations = [name for name in found if _plain(name).endswith(("_str", "_string"))]
        found = notations if len(notations) == 1 else found
    if len(found) > 1:
        raise ParameterError(
            f"{option} could be {' or '.join(map(repr, found))}; choose one with {hints.option(option)}"
        )
    return found[0] if found else None


def _plain(name: str) -> str:
    """Return a name in lower case with underscores between its words.

    >>> _plain("ArchitectureString"), _plain("Arch-Str "), _plain("MD5"), _plain("archSTR")
    ('architecture_string', 'arch_str', 'md5', 'arch_str')
    """
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())).lower()


def _has(known: Sequence[str]) -> str:
    return f"the columns are {', '.join(map(repr, known))}"
