"""Results that papers give for their searches: test accuracies of the architectures that they derived."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nasbench_lab.messages import unknown

DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
"""The data sets of NAS-Bench-201 and NATS-Bench."""

BENCH = "Dong and Yang, NAS-Bench-201, ICLR 2020 (arXiv:2001.00326), table 5"
DRNAS = "Chen et al., DrNAS, ICLR 2021; README of xiangning-chen/DrNAS, commit f2caa4d"
DARTS_PT = "Wang et al., Rethinking Architecture Selection in Differentiable NAS, ICLR 2021, table 4"


@dataclasses.dataclass(frozen=True)
class PublishedResult:
    """A row of a published table.

    Attributes:
        method: as the table calls it.
        test: per data set, the mean and the standard deviation over runs of the test accuracy in percent of the derived
            architecture, trained from scratch; None for a deviation that is not given.
        searched: the data set of the search; empty if it was run on each data set.
        source: publication and table.
    """

    method: str
    test: Mapping[str, tuple[float, float | None]]
    searched: str
    source: str


def _rows(
    source: str, searched: str, rows: Mapping[str, tuple[tuple[float, float | None], ...]]
) -> tuple[PublishedResult, ...]:
    return tuple(
        PublishedResult(method, dict(zip(DATASETS, values, strict=False)), searched, source)
        for method, values in rows.items()
    )


PUBLISHED = (
    *_rows(
        BENCH,
        "cifar10",
        {
            "RSPS": ((84.07, 3.61), (52.31, 5.77), (26.28, 3.09)),
            "DARTS-V1": ((54.30, 0.00), (15.61, 0.00), (16.32, 0.00)),
            "DARTS-V2": ((54.30, 0.00), (15.61, 0.00), (16.32, 0.00)),
            "GDAS": ((93.61, 0.09), (70.70, 0.30), (41.71, 0.98)),
            "SETN": ((87.64, 0.00), (59.05, 0.24), (32.52, 0.21)),
            "ENAS": ((53.89, 0.58), (13.96, 2.33), (14.84, 2.10)),
        },
    ),
    *_rows(
        DRNAS,
        "",
        {
            "ENAS": ((54.30, 0.00), (10.62, 0.27), (16.32, 0.00)),
            "DARTS": ((54.30, 0.00), (38.97, 0.00), (18.41, 0.00)),
            "SNAS": ((92.77, 0.83), (69.34, 1.98), (43.16, 2.64)),
            "PC-DARTS": ((93.41, 0.30), (67.48, 0.89), (41.31, 0.22)),
            "DrNAS": ((94.36, 0.00), (73.51, 0.00), (46.34, 0.00)),
        },
    ),
    # The table gives test errors.
    *_rows(
        DARTS_PT,
        "cifar10",
        {
            "DARTS": ((54.3, None),),
            "DARTS+PT": ((88.11, None),),
            "DARTS+PT (fix alpha)": ((93.80, None),),
        },
    ),
)
"""All published rows, table by table."""


def published_results(dataset: str) -> tuple[PublishedResult, ...]:
    """Return the published rows for a data set, table by table.

    Args:
        dataset: on which the derived architectures were trained and tested.

    Raises:
        UnknownNameError: there are no results for this data set.

    >>> [row.method for row in published_results("cifar100")][:3]
    ['RSPS', 'DARTS-V1', 'DARTS-V2']
    """
    if dataset not in DATASETS:
        raise unknown("data set with published results", dataset, DATASETS)
    return tuple(row for row in PUBLISHED if dataset in row.test)
