"""What a user says of the columns of a file, and which columns it is about."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nasbench_lab.errors import ParameterError, unknown
from nasbench_lab.tables.importers.columns.wide import REPEAT

ARCHITECTURE_NAMES = frozenset(
    (
        *("arch", "architecture", "arch_str", "arch_string", "arch_hash", "arch_index", "arch_id"),
        *("cell", "cellstr", "genotype", "module_hash", "md5"),
    )
)
EPOCHS_NAMES = frozenset(("epoch", "epochs"))
REPEAT_NAMES = frozenset(("seed", "repeat"))
"""Names of columns that are taken for what they say, in lower case, where the user says nothing."""


@dataclasses.dataclass(frozen=True)
class ColumnOptions:
    """What a user says of a file; `read_columns` documents every field."""

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
        if self.first_epoch not in (0, 1):
            raise ParameterError(f"the first epoch is 0 or 1, got {self.first_epoch!r}")
        for name in ("units", "directions", "splits"):
            if not isinstance(getattr(self, name), Mapping):
                raise ParameterError(f"{name} is a mapping from columns, such as {{'val_acc': ...}}")
        if not isinstance(self.space, str | Mapping | None):
            raise ParameterError(f"space is a name, or its name and parameters, got {type(self.space).__name__}")
        for text in (self.name, self.title, *self.units.values()):
            if text is not None and not (isinstance(text, str) and text.isprintable()):
                raise ParameterError(f"names, titles and units are one line of text, got {text!r}")
        if self.citation.strip():
            from nasbench_lab.tables.citations import entries

            entries(self.citation)  # refused here, as `cite` could not print it


class Keys(NamedTuple):
    """The columns that tell what a row is about, and those that may be measurements.

    Attributes:
        architecture: one column, or one a choice.
        epochs: the column of numbers of epochs; None where all rows have the same.
        repeat: the column of seeds; None where every architecture was trained once.
        metrics: columns that may be measurements, in the order of the file.
        required: those of them that the user named, and that therefore must be numbers.
    """

    architecture: tuple[str, ...]
    epochs: str | None
    repeat: str | None
    metrics: tuple[str, ...]
    required: frozenset[str]


def find_keys(names: Sequence[str], options: ColumnOptions) -> Keys:
    """Find the columns that the options name, and by their names those that they do not.

    Raises:
        UnknownNameError: the file has no such column.
        ParameterError: a column is named for two purposes, or which one is meant cannot be told.
    """
    known = [name for name in names if name]
    architecture = _architecture(known, options)
    epochs = options.epochs if isinstance(options.epochs, str) else None
    if options.epochs is None:
        epochs = _only("epochs", known, EPOCHS_NAMES, besides=architecture)
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
            raise ParameterError(f"the column {name!r} is given for two purposes")
    roles = [name for name in (options.valid, options.test, *as_names(options.cost)) if name is not None]
    for name in roles:
        if roles.count(name) > 1:
            raise ParameterError(f"the column {name!r} is given for two purposes")
    wanted = as_names(options.metrics) if options.metrics is not None else known
    metrics = tuple(name for name in known if name not in keys and (name in wanted or name in named))
    return Keys(architecture, epochs, repeat, metrics, frozenset(named))


def as_names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name or several as a tuple of names.

    >>> as_names("a"), as_names(["a", "b"]), as_names(None)
    (('a',), ('a', 'b'), ())
    """
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _named_metrics(options: ColumnOptions) -> Iterable[str]:
    """The columns of measurements that the user named."""
    yield from (name for name in (options.valid, options.test) if name is not None)
    yield from (*as_names(options.cost), *as_names(options.metrics), *as_names(options.per_epoch))


def _architecture(known: Sequence[str], options: ColumnOptions) -> tuple[str, ...]:
    """The columns of the architecture: as named, or those of the space's choices, or one with a telling name."""
    if options.architecture is not None:
        names = as_names(options.architecture)
        if not names:
            raise ParameterError("architecture needs at least one column")
        return names
    if isinstance(options.space, Mapping) and "choices" in options.space and "length" not in options.space:
        return tuple(str(pair[0]) for pair in options.space["choices"])
    found = _only("architecture", known, ARCHITECTURE_NAMES, besides=())
    if found is None:
        raise ParameterError(f"say which column the architecture is, such as architecture={known[0]!r}; {_has(known)}")
    return (found,)


def _only(option: str, known: Sequence[str], telling: Iterable[str], besides: Sequence[str]) -> str | None:
    """The one column with a telling name, or None; an error where there are several."""
    found = [name for name in known if _plain(name) in telling and name not in besides]
    if len(found) > 1:
        raise ParameterError(f"the columns {' and '.join(map(repr, found))} may both be meant; write {option}=...")
    return found[0] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _has(known: Sequence[str]) -> str:
    return f"the file has {', '.join(map(repr, known))}"
