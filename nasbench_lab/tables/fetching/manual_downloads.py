"""Official files that no program can download (shared folders that ask for a click), and what to do with them."""

from __future__ import annotations

import dataclasses

from nasbench_lab.errors import SourceError


@dataclasses.dataclass(frozen=True)
class ByHand:
    """Tables that a user makes from files that they download themselves.

    Attributes:
        name: what the tables are called, as in ``nasbench-lab tables fetch NAME``.
        what: what they hold, in one line.
        page: where the files are.
        file: what to download there, and what to do with it.
        source: what is imported then.
    """

    name: str
    what: str
    page: str
    file: str
    source: str

    @property
    def steps(self) -> str:
        """What the user has to do, in one line."""
        return f"download {self.file} from {self.page}, then type: nasbench-lab tables import {self.source}"


_NATS_BENCH = "https://github.com/D-X-Y/NATS-Bench#preparation-and-download"

BY_HAND = (
    ByHand(
        "nats-bench-tss-curves",
        "NATS-Bench topology: learning curves of every training on three data sets",
        _NATS_BENCH,
        "and unpack NATS-tss-v1_0-3ffb9-simple.tar (or download NATS-tss-v1_0-3ffb9.pickle.pbz2)",
        "NATS-tss-v1_0-3ffb9-simple",
    ),
    ByHand(
        "nats-bench-sss-curves",
        "NATS-Bench size: learning curves of 32,768 channel configurations on three data sets",
        _NATS_BENCH,
        "and unpack NATS-sss-v1_0-50262-simple.tar (or download NATS-sss-v1_0-50262.pickle.pbz2)",
        "NATS-sss-v1_0-50262-simple",
    ),
    ByHand(
        "nas-bench-201-curves",
        "NAS-Bench-201, versions 1.0 and 1.1: learning curves of every training on three data sets",
        "https://github.com/D-X-Y/NAS-Bench-201#preparation-and-download",
        "NAS-Bench-201-v1_1-096897.pth",
        "NAS-Bench-201-v1_1-096897.pth",
    ),
    ByHand(
        "trans-nas-bench-101-curves",
        "TransNAS-Bench-101: learning curves of 7,352 networks on seven tasks",
        "https://github.com/yawen-d/TransNASBench",
        "transnas-bench_v10141024.pth",
        "transnas-bench_v10141024.pth",
    ),
    ByHand(
        "accel-nasbench",
        "Accel-NASBench: 5,125 networks on ImageNet, and their speed on six accelerators",
        "https://github.com/afzalxo/Accel-NASBench/tree/main/anb_dataset",
        "anb_dataset_jsons.tar.gz",
        "anb_dataset_jsons.tar.gz",
    ),
    ByHand(
        "nas-bench-graph-curves",
        "NAS-Bench-Graph: learning curves of every training on nine data sets",
        "https://figshare.com/articles/dataset/NAS-bench-Graph/20070371",
        "into a folder the three files of a data set (cora0.bench, cora1.bench, cora2.bench)",
        "FOLDER",
    ),
)


def refuse_by_hand(name: str) -> None:
    """Raise SourceError, saying what to do, where a name is that of tables that cannot be fetched.

    >>> refuse_by_hand("nas-bench-graph/cora")
    """
    for entry in BY_HAND:
        if entry.name == name.rstrip("/"):
            raise SourceError(f"{name!r} cannot be downloaded by a program: {entry.steps}")
