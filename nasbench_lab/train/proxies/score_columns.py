"""Scores of proxies as columns of a table, so that strategies can use them: `with_scores`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.checks import Above, number
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables import Metric, Table, with_columns
from nasbench_lab.tables.description import AXES
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.proxy_scores import ProxyScores

_ARCHITECTURE, _REPEAT = AXES[0], "repeat"


def with_scores(
    table: Table,
    scores: ProxyScores,
    *,
    scale: float = 1.0,
    names: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Table:
    """Return a table with scores as columns, in memory. `nasbench_lab.tables.write` stores it.

    The column ``NAME`` has the scores, and ``NAME_seconds`` the seconds of one of them, so that strategies can use it
    (``zero-cost-filter:score=NAME``). If there are as many seeds as the table has repeats, every repeat is a seed;
    otherwise the column has the means over seeds, and the seconds of all of them. Architectures without scores get
    those of an architecture that is the same network.

    Args:
        table: the original table, which stays unchanged.
        scores: of all networks of the table, see `score_architectures`.
        scale: seconds of the table per measured second, see `nasbench_lab.train.one_shot.calibrate`.
        names: of the columns, by label of the proxy. By default the name of the proxy, with its parameters; and with
            ``_score`` after it if a metric of the table has that name.
        notes: further notes for the description of the table.

    Raises:
        ParameterError: architectures have no scores, two proxies have one name, or a metric has a role in the table.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.train.proxies import score_architectures
    >>> table = nl.tables.subset(nl.load("digits/chain"), range(5))
    >>> scores = score_architectures(table, ["fisher:per_weight=False", "flops"])
    >>> more = with_scores(table, scores, names={"flops": "size"})
    >>> sorted(set(more.metrics) - set(table.metrics))
    ['fisher_per_weight_False', 'fisher_per_weight_False_seconds', 'size', 'size_seconds']
    """
    scale = number("scale", scale, Above(0))
    place = _places(table, scores.architectures)
    metrics: list[Metric] = []
    values: dict[str, NDArray[np.float32]] = {}
    for label, proxy in scores.proxies.items():
        name = (names or {}).get(label) or _column_name(table, label)
        if name in values:
            raise ParameterError(f"two columns would be called {name!r}; give names")
        axes, (found, seconds) = _column(table, proxy, scores, label)
        values[name] = found[place].astype(np.float32)
        values[f"{name}_seconds"] = (scale * seconds)[place].astype(np.float32)
        metrics += [
            Metric(name, "none", "", "maximize", _description(proxy, label, scores, axes), axes),
            Metric(f"{name}_seconds", "none", "s", "minimize", "seconds of one scoring", (_ARCHITECTURE,)),
        ]
    return with_columns(table, metrics, values, notes=notes)


def _places(table: Table, architectures: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of the scores of every architecture of a table."""
    place = np.full(table.space.size, -1)
    place[architectures] = np.arange(len(architectures))
    if (place < 0).any():
        shared = representatives(table.space)
        same = np.full(table.space.size, -1)
        same[shared[architectures]] = np.arange(len(architectures))
        place = np.where(place < 0, same[shared], place)
    if missing := int((place < 0).sum()):
        raise ParameterError(
            f"{missing:,} of {table.space.size:,} architectures of {table.name} have no scores: score all networks, or "
            "take a table of those that have (nasbench_lab.tables.subset)"
        )
    return place


def _column(
    table: Table, proxy: Proxy, scores: ProxyScores, label: str
) -> tuple[tuple[str, ...], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the axes of a score, and its values and seconds by row."""
    found, seconds = scores.values[label], scores.seconds[label]
    if not proxy.depends_on_seed or len(scores.seeds) == 1:
        return (_ARCHITECTURE,), (found[:, 0], seconds[:, 0])
    if len(scores.seeds) == len(table.description.repeats):
        return (_ARCHITECTURE, _REPEAT), (found, seconds.mean(axis=1))
    return (_ARCHITECTURE,), (found.mean(axis=1), seconds.sum(axis=1))


def _description(proxy: Proxy, label: str, scores: ProxyScores, axes: tuple[str, ...]) -> str:
    seeds = scores.seeds.tolist()
    if not proxy.depends_on_seed:
        return f"zero-cost proxy {label}"
    if len(seeds) == 1 or _REPEAT in axes:
        return (
            f"zero-cost proxy {label}, from {'seed' if len(seeds) == 1 else 'the seeds'} {', '.join(map(str, seeds))}"
        )
    return f"zero-cost proxy {label}, mean over the seeds {', '.join(map(str, seeds))}"


def _column_name(table: Table, label: str) -> str:
    """Return the name of a column for a proxy with its parameters.

    >>> import nasbench_lab as nl
    >>> [_column_name(nl.load("digits/chain"), label) for label in ("zen", "flops", "meco:pixels=0")]
    ['zen', 'flops_score', 'meco_pixels_0']
    """
    name = re.sub(r"\W+", "_", label).strip("_")
    known: Any = table.metrics
    # A column of earlier scores is replaced; a measurement of the table with the same name is kept.
    return f"{name}_score" if name in known and f"{name}_seconds" not in known else name
