"""The settings of an evaluation of predictors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from nasbench_lab.checks import AtLeast, one_of, require, whole
from nasbench_lab.simulation.measurements import RepeatPolicy

TestFrom = Literal["uniform", "good"]
"""Where test architectures come from: the whole space, or the neighbourhood of good architectures."""
TEST_FROM: tuple[TestFrom, ...] = get_args(TestFrom)

SIZES = (5, 8, 14, 24, 42, 71, 121, 205)
"""The default numbers of labels."""
TEST = 200
"""The default number of test architectures."""


@dataclasses.dataclass(frozen=True)
class SourceSettings:
    """The other table of a transfer.

    Attributes:
        table: its name.
        checksum: of its content.
        epochs: of its labels.
        labels: their number.
    """

    table: str
    checksum: str
    epochs: int
    labels: int


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings that decide what trials are drawn: the same settings give the same trials.

    Attributes:
        table: name of the table.
        checksum: of its content.
        sizes: numbers of labels, ascending.
        test: number of test architectures.
        test_from: ``"uniform"`` or ``"good"``.
        repeat: what a label is.
        seed: root seed.
        source: the other table of a transfer, if any.
    """

    table: str
    checksum: str
    sizes: tuple[int, ...]
    test: Annotated[int, AtLeast(3)]
    test_from: TestFrom
    repeat: RepeatPolicy
    seed: int
    source: SourceSettings | None = None

    def __post_init__(self) -> None:
        whole("test", self.test, AtLeast(3))
        one_of("test_from", self.test_from, TEST_FROM)

    def plain(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return {**dataclasses.asdict(self), "sizes": list(self.sizes)}

    @classmethod
    def of_plain(cls, data: dict[str, Any]) -> Settings:
        """Return the settings from plain data."""
        source = data.get("source")
        return cls(
            **{
                **{field.name: data[field.name] for field in dataclasses.fields(cls)},
                "sizes": tuple(data["sizes"]),
                "source": None if source is None else SourceSettings(**source),
            }
        )


def checked_sizes(sizes: Sequence[int], least: int) -> tuple[int, ...]:
    """Return numbers of labels, ascending.

    Raises:
        ParameterError: there are none, one is given twice or is too small.

    >>> checked_sizes([24, 5], 1)
    (5, 24)
    """
    found = tuple(sorted(whole("sizes", size, AtLeast(least)) for size in sizes))
    require(bool(found), "sizes must name at least one number of labels")
    require(len(set(found)) == len(found), f"sizes must be different numbers, got {', '.join(map(str, found))}")
    return found
