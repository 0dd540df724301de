"""The metrics that the columns of a file become: as the options say, else by unambiguous column names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast, get_args

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.tables.description import Direction, Metric, Split
from nasbench_lab.tables.importers.columns.hints import option, option_name
from nasbench_lab.tables.importers.columns.options import ColumnOptions, as_names
from nasbench_lab.tables.importers.columns.rows import ParsedRows

SECONDS = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}
"""Units of time allowed for costs, in seconds."""

_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_KINDS = {
    **dict.fromkeys(("acc", "accs", "accuracy", "accuracies", "top"), "accuracy"),
    **dict.fromkeys(("err", "error"), "error"),
    **dict.fromkeys(("ppl", "perplexity"), "perplexity"),
    **dict.fromkeys(("loss", "nll"), "loss"),
    **dict.fromkeys(("f1", "auc", "auroc"), "score"),
    **dict.fromkeys(("seconds", "secs", "sec"), "seconds"),
    **dict.fromkeys(("time", "latency", "energy", "params", "parameters", "flops", "macs", "memory"), "size"),
}
"""Words in column names, and what they measure. The first known word of a name decides."""

_PREFERRED = ("accuracy", "error", "score", "perplexity", "loss")
"""The kinds of measurements that can stand for a split, most preferred first: what searches usually optimise."""

_UNIT_NAMES = {
    **dict.fromkeys(("%", "pct", "percentage"), "percent"),
    **dict.fromkeys(("fractions", "ratio"), "fraction"),
}
"""Other names of units whose ranges are checked."""
_MOST_MILLIONS = 1e4  # parameters or operations: no network of a table has more

_OTHER_TIMES = frozenset(("ms", "milliseconds", "min", "mins", "minutes", "h", "hours", "hrs", "days"))
_GROWING = frozenset(("time", "energy", "co2", "kwh")) | _OTHER_TIMES
_COST = re.compile(r"(train|training|total)_(time_)?(seconds|secs|sec|s)")
_WORD = re.compile(r"[A-Z]?[a-z]+[0-9]?(?![a-z])|[A-Z]+[0-9]?(?![a-z])|[0-9]+")


class ColumnMetrics(NamedTuple):
    """The metrics of a file and their roles.

    Attributes:
        metrics: the metrics with all axes, in the order of the file.
        columns: the position of each metric's column in `ParsedRows.metrics`.
        factors: factors that the numbers of each column are multiplied by.
        valid, test: names of the metrics that stand for these splits.
        cost: names of the metrics that add up to the cost of an evaluation.
        per_epoch: names of the cost metrics that are seconds of a single epoch in the file.
        growing: names of the metrics that grow with the training, such as seconds and energy.
        notes: notes about what was inferred from names and numbers.
        doubts: notes about options that the numbers make doubtful, of which the user is also warned.
    """

    metrics: tuple[Metric, ...]
    columns: tuple[int, ...]
    factors: tuple[float, ...]
    valid: str | None
    test: str | None
    cost: tuple[str, ...]
    per_epoch: tuple[str, ...]
    growing: tuple[str, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]


class _Roles(NamedTuple):
    """The columns with a role."""

    valid: str | None
    test: str | None
    cost: tuple[str, ...]


def find_metrics(file: str, rows: ParsedRows, options: ColumnOptions) -> ColumnMetrics:
    """Find the metrics that the columns of measurements become, and their roles.

    Args:
        file: name of the file, for messages.
        rows: the parsed rows; only the names, minima and maxima of the columns are used.
        options: the options of the user.

    Raises:
        ParameterError: an option is missing or does not fit the column.
        DataError: a required column has no number, a time is negative, or two columns would become metrics of the same
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
    metrics, factors, doubts = [], [], []
    for name, column in zip(used, columns, strict=True):
        unit = _unit(name, float(rows.low[column]), float(rows.high[column]), name in roles.cost, options)
        direction = _direction(name, roles, options)
        text = f"column {name!r} of {file}{unit.remark}"
        split = "valid" if name == roles.valid and name not in options.splits else splits[name]
        metrics.append(Metric(names[name], split, unit.name, direction, text))
        doubts.append(_doubt(name, metrics[-1], float(rows.high[column]), options))
        factors.append(unit.factor)
    left_out = [*rows.unused, *(name for name in rows.metrics if name not in used)]
    return ColumnMetrics(
        tuple(metrics),
        columns,
        tuple(factors),
        names.get(roles.valid or ""),
        names.get(roles.test or ""),
        tuple(names[name] for name in roles.cost),
        tuple(names[name] for name in as_names(options.per_epoch)),
        tuple(names[name] for name in used if name in roles.cost or _grows(name)),
        tuple(_notes(roles, splits, left_out, options)),
        tuple(filter(None, doubts)),
    )


def words(name: str) -> list[str]:
    """Return the words of a column's name, in lower case.

    >>> words("valAcc"), words("x-valid_accuracy"), words("Top1 (test)"), words("F1")
    (['val', 'acc'], ['x', 'valid', 'accuracy'], ['top1', 'test'], ['f1'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def kind(name: str) -> str:
    """Return what a column measures according to its name; an empty text if unknown.

    >>> kind("val_acc"), kind("top1"), kind("trainLoss"), kind("quality")
    ('accuracy', 'accuracy', 'loss', '')
    """
    for word in words(name):
        for known in (word, word.rstrip("0123456789")):
            if known in _KINDS:
                return _KINDS[known]
    return ""


def _split(name: str, options: ColumnOptions) -> Split:
    """Return the split that a column was measured on; ``"none"`` for times and sizes."""
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


def _roles(rows: ParsedRows, splits: Mapping[str, Split], options: ColumnOptions) -> _Roles:
    """Find the columns of validation, test and cost."""
    valid = options.valid or _stands_for("valid", splits)
    test = options.test or _stands_for("test", splits)
    if valid is None and test is None:
        valid = _only_quality({name: split for name, split in splits.items() if name not in options.splits})
    if valid is None and test is None:
        hint = option("valid", rows.metrics[0])
        raise ParameterError(f"name the column of the validation or test metric, for example {hint}")
    per_epoch = as_names(options.per_epoch)
    cost = as_names(options.cost) if options.cost is not None else per_epoch or _costs(rows.metrics)
    for name in per_epoch:
        if name not in cost:
            raise ParameterError(f"column {name!r} is in {option_name('per_epoch')}, but not in {option_name('cost')}")
    return _Roles(valid, test, cost)


def _stands_for(split: str, splits: Mapping[str, Split]) -> str | None:
    """Return the column of the most preferred kind that was measured on a split; ParameterError if it is ambiguous."""
    candidates = [name for name, found in splits.items() if found == split]
    for preferred in (*_PREFERRED, ""):
        found = [name for name in candidates if kind(name) == preferred]
        if len(found) > 1:
            raise ParameterError(
                f"{split} could be {' or '.join(map(repr, found))}; choose one, for example {option(split, found[0])}"
            )
        if found:
            return found[0]
    return None


def _only_quality(splits: Mapping[str, Split]) -> str | None:
    """Return the only column with an accuracy or another quality, whose name gives no split; None if there are several.

    >>> _only_quality({"accuracy": "none", "params": "none"}), _only_quality({"accuracy": "none", "loss": "none"})
    ('accuracy', None)
    """
    found = [name for name, split in splits.items() if split == "none" and kind(name) in _PREFERRED]
    return found[0] if len(found) == 1 else None


def _grows(column: str) -> bool:
    """Return whether a column's name is that of a time or an energy, which grow with the training."""
    return kind(column) == "seconds" or bool(_GROWING & set(words(column)))


def _costs(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the column whose name says that it has the seconds of a training, if it is the only one."""
    found = [name for name in columns if _COST.fullmatch(re.sub(r"[\s-]+", "_", name.lower()))]
    return tuple(found) if len(found) == 1 else ()


class _Unit(NamedTuple):
    """The unit of a metric, the factor for the numbers of the file, and a remark for the metric's description."""

    name: str
    factor: float = 1.0
    remark: str = ""


def _unit(column: str, low: float, high: float, is_cost: bool, options: ColumnOptions) -> _Unit:
    """The unit of a column with numbers from ``low`` to ``high``."""
    said = options.units.get(column)
    if is_cost:
        if said is None and _OTHER_TIMES & set(words(column)):
            raise ParameterError(
                f"column {column!r} seems not to be in seconds; give its unit, for example "
                f"{option('units', {column: 'h'})}"
            )
        if (said or "s") not in SECONDS:
            raise unknown("unit of time", said, SECONDS)
        return _Unit("s", SECONDS[said], f", in {said} there") if said else _Unit("s")
    if said is not None:
        said = _UNIT_NAMES.get(said, said)
        _check_range(column, said, low, high)
        return _Unit(said)
    if kind(column) == "seconds":
        return _Unit("s")
    if kind(column) in ("accuracy", "error") and low >= 0 and high <= 100:
        unit = "fraction" if high <= 1 else "percent"
        return _Unit(unit, remark=f"; unit {unit} assumed, as the values are from {low:.6g} to {high:.6g}")
    return _Unit("")


def _check_range(column: str, unit: str, low: float, high: float) -> None:
    """Raise DataError if numbers are out of the range of the given unit, as verification would do later."""
    most = {"fraction": 1.0, "percent": 100.0}.get(unit)
    if most is not None and not 0 <= low <= high <= most:
        raise DataError(f"{column!r} has values from {low:.6g} to {high:.6g}; unit {unit!r} allows 0 to {most:g}")
    if unit in SECONDS and low < 0:
        raise DataError(f"{column!r} has values from {low:.6g} to {high:.6g}; unit {unit!r} allows no negative values")
    if unit == "millions" and low > _MOST_MILLIONS:
        raise DataError(f"{column!r} has values from {low:.6g} to {high:.6g}, which are too large for unit 'millions'")


def _doubt(column: str, metric: Metric, high: float, options: ColumnOptions) -> str:
    """Return a note if the values of a metric in percent may be fractions; otherwise an empty text.

    Raises:
        DataError: they are fractions. An error rate may be below 1 percent, but not all accuracies can be.
    """
    if column not in options.units or metric.unit != "percent" or not 0 < high <= 1:
        return ""
    text = f"column {column!r} is at most {high:.6g}, but its unit is percent"
    if metric.direction == "maximize":
        raise DataError(f"{text}; for fractions, pass {option('units', {column: 'fraction'})}")
    return f"{text[0].upper()}{text[1:]}. Check that the values are not fractions."


def _direction(column: str, roles: _Roles, options: ColumnOptions) -> Direction:
    said = options.directions.get(column)
    if said is not None:
        if said not in get_args(Direction):
            raise unknown("direction", said, get_args(Direction))
        return cast("Direction", said)
    found = kind(column)
    if not found and column in (roles.valid, roles.test):
        hint = option("directions", {column: "maximize"})
        raise ParameterError(f"give the direction of {column!r}, for example {hint}")
    if found in ("accuracy", "score"):
        return "maximize"
    return "minimize" if found or column in roles.cost else "none"


def _check_numbers(file: str, rows: ParsedRows, roles: _Roles, options: ColumnOptions) -> None:
    """Raise DataError if a required column has no number, or a time is negative."""
    needed = {roles.valid, roles.test, *roles.cost, *as_names(options.metrics)}
    for name, low in zip(rows.metrics, rows.low.tolist(), strict=True):
        if name in needed and math.isnan(low):
            raise DataError(f"column {name!r} of {file} has no numbers")
        if name in roles.cost and low < 0:
            raise DataError(f"column {name!r} of {file} has a negative time, {low:.6g}")


def _names(file: str, columns: Sequence[str]) -> dict[str, str]:
    """Return column name to metric name; characters other than letters, digits, dots and hyphens become underscores."""
    names = {column: re.sub(r"[^\w.-]+", "_", column).strip("_.") for column in columns}
    by_name: dict[str, str] = {}
    for column, name in names.items():
        if not name:
            raise DataError(f"the name of column {column!r} of {file} must have letters or digits")
        if name in by_name:
            raise DataError(f"columns {by_name[name]!r} and {column!r} of {file} would both become metric {name!r}")
        by_name[name] = column
    return names


def _notes(
    roles: _Roles, splits: Mapping[str, Split], left_out: Sequence[str], options: ColumnOptions
) -> Iterator[str]:
    """Yield notes about what the user did not specify."""
    guessed = []
    if options.valid is None and roles.valid is not None:
        guessed.append(f"validation is {roles.valid!r}")
    if options.test is None and roles.test is not None:
        guessed.append(f"test is {roles.test!r}")
    if options.cost is None and roles.cost:
        guessed.append(f"cost is {' and '.join(map(repr, roles.cost))}")
    if guessed:
        yield f"Inferred from column names: {', '.join(guessed)}."
    if options.valid is None and roles.valid is not None and splits[roles.valid] == "none":
        yield f"The name {roles.valid!r} does not say which data were used; test data belong in {option_name('test')}."
    if left_out:
        yield f"Omitted columns without numbers: {', '.join(left_out)}."
