"""What columns of measurements mean: as the user says; else what their names say beyond doubt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast, get_args

from nasbench_lab.errors import DataError, ParameterError, unknown
from nasbench_lab.tables.description import Direction, Metric, Split
from nasbench_lab.tables.importers.columns.options import ColumnOptions, as_names
from nasbench_lab.tables.importers.columns.rows import ColumnRows

SECONDS = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}
"""Units of time that costs may be given in, and their seconds."""

_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_KINDS = {
    **dict.fromkeys(("acc", "accuracy", "top"), "accuracy"),
    **dict.fromkeys(("err", "error"), "error"),
    **dict.fromkeys(("ppl", "perplexity"), "perplexity"),
    **dict.fromkeys(("loss", "nll"), "loss"),
    **dict.fromkeys(("f1", "auc", "auroc"), "score"),
    **dict.fromkeys(("seconds", "secs", "sec"), "seconds"),
    **dict.fromkeys(("time", "latency", "energy", "params", "parameters", "flops", "macs", "memory"), "size"),
}
"""Words in the names of columns, and what they measure. The first word that is here counts."""

_PREFERRED = ("accuracy", "error", "score", "perplexity", "loss")
"""Which measurement stands for a split, where a file has several kinds: what searches usually optimise."""

_OTHER_TIMES = frozenset(("ms", "milliseconds", "min", "mins", "minutes", "h", "hours", "hrs", "days"))
_COST = re.compile(r"(train|training|total)_(time_)?(seconds|secs|sec|s)")
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]?(?![a-z])|[A-Z]+[0-9]?(?![a-z])|[0-9]+")


class Meaning(NamedTuple):
    """The metrics of a file and their roles.

    Attributes:
        metrics: with all axes, in the order of the file.
        columns: the position of each metric's column in `ColumnRows.metrics`.
        factors: what the numbers of each column are multiplied by.
        valid, test: names of the metrics that stand for these splits.
        cost: names of the metrics that an evaluation costs.
        per_epoch: names of those that are seconds of one epoch in the file.
        notes: what was taken from names and numbers, not from the user.
    """

    metrics: tuple[Metric, ...]
    columns: tuple[int, ...]
    factors: tuple[float, ...]
    valid: str | None
    test: str | None
    cost: tuple[str, ...]
    per_epoch: tuple[str, ...]
    notes: tuple[str, ...]


class _Roles(NamedTuple):
    """Which columns stand for what."""

    valid: str | None
    test: str | None
    cost: tuple[str, ...]


def find_meaning(file: str, rows: ColumnRows, options: ColumnOptions) -> Meaning:
    """Find what the columns of measurements mean.

    Args:
        file: its name, for messages.
        rows: the file, of which the names, least and greatest numbers of its columns are used.
        options: what the user said.

    Raises:
        ParameterError: the user has to say something, or said what makes no sense.
        DataError: a column that is needed has no number, a time is negative, or two columns would become metrics of one
            name.
    """
    if not rows.metrics:
        raise DataError(f"{file} has no column of measurements")
    splits = {name: _split(name, options) for name in rows.metrics}
    roles = _roles(rows, splits, options)
    _check_numbers(file, rows, roles, options)
    used = [name for name, low in zip(rows.metrics, rows.low.tolist(), strict=True) if not math.isnan(low)]
    names = _names(file, used)
    columns = tuple(rows.metrics.index(name) for name in used)
    metrics, factors = [], []
    for name, column in zip(used, columns, strict=True):
        unit = _unit(name, float(rows.low[column]), float(rows.high[column]), name in roles.cost, options)
        direction = _direction(name, roles, options)
        says = f"column {name!r} of {file}{unit.says}"
        metrics.append(Metric(names[name], splits[name], unit.name, direction, says))
        factors.append(unit.factor)
    left_out = [*rows.unused, *(name for name in rows.metrics if name not in used)]
    return Meaning(
        tuple(metrics),
        columns,
        tuple(factors),
        names.get(roles.valid or ""),
        names.get(roles.test or ""),
        tuple(names[name] for name in roles.cost),
        tuple(names[name] for name in as_names(options.per_epoch)),
        tuple(_notes(roles, left_out, options)),
    )


def words(name: str) -> list[str]:
    """Return the words of a column's name, in lower case.

    >>> words("valAcc"), words("x-valid_accuracy"), words("Top1 (test)"), words("F1")
    (['val', 'acc'], ['x', 'valid', 'accuracy'], ['top1', 'test'], ['f1'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def kind(name: str) -> str:
    """Return what a column measures, as far as its name says it; else an empty text.

    >>> kind("val_acc"), kind("top1"), kind("trainLoss"), kind("quality")
    ('accuracy', 'accuracy', 'loss', '')
    """
    for word in words(name):
        for known in (word, word.rstrip("0123456789")):
            if known in _KINDS:
                return _KINDS[known]
    return ""


def _split(name: str, options: ColumnOptions) -> Split:
    """The split that a column was measured on; times and sizes have none."""
    if name in options.splits:
        said = options.splits[name]
        if said not in get_args(Split):
            raise unknown("split", said, get_args(Split))
        return cast("Split", said)
    if name in (options.valid, options.test):
        return "valid" if name == options.valid else "test"
    if kind(name) not in _PREFERRED:
        return "none"
    found = {_SPLITS[word] for word in words(name) if word in _SPLITS}
    return found.pop() if len(found) == 1 else "none"


def _roles(rows: ColumnRows, splits: Mapping[str, Split], options: ColumnOptions) -> _Roles:
    """Find which columns stand for validation, test and cost."""
    valid = options.valid or _stands_for("valid", splits)
    test = options.test or _stands_for("test", splits)
    if valid is None and test is None:
        raise ParameterError(f"say which column is the validation or test measurement, as in valid={rows.metrics[0]!r}")
    per_epoch = as_names(options.per_epoch)
    cost = as_names(options.cost) if options.cost is not None else per_epoch or _costs(rows.metrics)
    for name in per_epoch:
        if name not in cost:
            raise ParameterError(f"the column {name!r} is given as seconds of one epoch, but not as a cost")
    return _Roles(valid, test, cost)


def _stands_for(split: str, splits: Mapping[str, Split]) -> str | None:
    """The one column of the preferred kind that was measured on a split; an error where there are several."""
    candidates = [name for name, found in splits.items() if found == split]
    for preferred in (*_PREFERRED, ""):
        found = [name for name in candidates if kind(name) == preferred]
        if len(found) > 1:
            raise ParameterError(
                f"the columns {' and '.join(map(repr, found))} may both be meant; write {split}={found[0]!r}"
            )
        if found:
            return found[0]
    return None


def _costs(columns: Sequence[str]) -> tuple[str, ...]:
    """The column that says in its name that it has the seconds of a training, if there is just one."""
    found = [name for name in columns if _COST.fullmatch(re.sub(r"[\s-]+", "_", name.lower()))]
    return tuple(found) if len(found) == 1 else ()


class _Unit(NamedTuple):
    """The unit of a metric, what the numbers of the file are multiplied by, and what to say of it."""

    name: str
    factor: float = 1.0
    says: str = ""


def _unit(column: str, low: float, high: float, is_cost: bool, options: ColumnOptions) -> _Unit:
    """The unit of a column with numbers from ``low`` to ``high``."""
    said = options.units.get(column)
    if is_cost:
        if said is None and _OTHER_TIMES & set(words(column)):
            raise ParameterError(f"{column!r} seems not to be in seconds; write units={{{column!r}: 'h'}}, or another")
        if (said or "s") not in SECONDS:
            raise unknown("unit of time", said, SECONDS)
        return _Unit("s", SECONDS[said], f", where it is in {said}") if said else _Unit("s")
    if said is not None:
        _check_range(column, said, low, high)
        return _Unit(said)
    if kind(column) == "seconds":
        return _Unit("s")
    if kind(column) in ("accuracy", "error") and low >= 0 and high <= 100:
        unit = "fraction" if high <= 1 else "percent"
        return _Unit(unit, says=f"; taken for {unit}, as it is from {low:.6g} to {high:.6g}")
    return _Unit("")


def _check_range(column: str, unit: str, low: float, high: float) -> None:
    """Raise DataError where numbers cannot be of the unit that the user said; verification would say so later."""
    most = {"fraction": 1.0, "percent": 100.0}.get(unit)
    if most is not None and not 0 <= low <= high <= most:
        raise DataError(f"{column!r} is from {low:.6g} to {high:.6g}, which is no {unit}: allowed is 0 to {most:g}")


def _direction(column: str, roles: _Roles, options: ColumnOptions) -> Direction:
    said = options.directions.get(column)
    if said is not None:
        if said not in get_args(Direction):
            raise unknown("direction", said, get_args(Direction))
        return cast("Direction", said)
    found = kind(column)
    if not found and column in (roles.valid, roles.test):
        raise ParameterError(
            f"say whether more or less of {column!r} is better: directions={{{column!r}: 'maximize'}}, or 'minimize'"
        )
    if found in ("accuracy", "score"):
        return "maximize"
    return "minimize" if found or column in roles.cost else "none"


def _check_numbers(file: str, rows: ColumnRows, roles: _Roles, options: ColumnOptions) -> None:
    """Raise DataError where a column that is needed has no number, or a time is negative."""
    needed = {roles.valid, roles.test, *roles.cost, *as_names(options.metrics)}
    for name, low in zip(rows.metrics, rows.low.tolist(), strict=True):
        if name in needed and math.isnan(low):
            raise DataError(f"the column {name!r} of {file} has no number at all")
        if name in roles.cost and low < 0:
            raise DataError(f"the column {name!r} of {file} has the negative time {low:.6g}")


def _names(file: str, columns: Sequence[str]) -> dict[str, str]:
    """Names of metrics: those of the columns, with an underscore for what is no letter, digit, dot or hyphen."""
    names = {column: re.sub(r"[^\w.-]+", "_", column).strip("_.") for column in columns}
    by_name: dict[str, str] = {}
    for column, name in names.items():
        if not name:
            raise DataError(f"the column {column!r} of {file} needs a name with letters or digits")
        if name in by_name:
            raise DataError(f"the columns {by_name[name]!r} and {column!r} of {file} would both be the metric {name!r}")
        by_name[name] = column
    return names


def _notes(roles: _Roles, left_out: Sequence[str], options: ColumnOptions) -> Iterator[str]:
    """What was not said by the user, in words."""
    guessed = []
    if options.valid is None and roles.valid is not None:
        guessed.append(f"validation is {roles.valid!r}")
    if options.test is None and roles.test is not None:
        guessed.append(f"test is {roles.test!r}")
    if options.cost is None and roles.cost:
        guessed.append(f"the cost is {' and '.join(map(repr, roles.cost))}")
    if guessed:
        yield f"Taken from the names of the columns: {', '.join(guessed)}."
    if left_out:
        yield f"Columns without numbers were left out: {', '.join(left_out)}."
