"""Tables whose official files need a manual download, for example from a shared folder behind a web page."""

from __future__ import annotations

import dataclasses

from nasbench_lab.errors import SourceError


@dataclasses.dataclass(frozen=True)
class ManualDownload:
    """Tables that need a manual download.

    Attributes:
        name: name of the tables, as in ``nasbench-lab tables fetch NAME``.
        what: one-line summary of the tables.
        page: URL of the page with the files.
        file: the files to download there, and how to prepare them.
        source: the file or folder to import afterwards.
    """

    name: str
    what: str
    page: str
    file: str
    source: str

    @property
    def steps(self) -> str:
        """Instructions for the user, in one line."""
        return f"download {self.file} from {self.page}, then run: nasbench-lab tables import {self.source}"


_NATS_BENCH = "https://github.com/D-X-Y/NATS-Bench#preparation-and-download"

MANUAL_DOWNLOADS = (
    ManualDownload(
        "nats-bench-tss-curves",
        "NATS-Bench topology: learning curves of every training on three data sets",
        _NATS_BENCH,
        "and unpack NATS-tss-v1_0-3ffb9-simple.tar (or download NATS-tss-v1_0-3ffb9.pickle.pbz2)",
        "NATS-tss-v1_0-3ffb9-simple",
    ),
    ManualDownload(
        "nats-bench-sss-curves",
        "NATS-Bench size: learning curves of 32,768 channel configurations on three data sets",
        _NATS_BENCH,
        "and unpack NATS-sss-v1_0-50262-simple.tar (or download NATS-sss-v1_0-50262.pickle.pbz2)",
        "NATS-sss-v1_0-50262-simple",
    ),
    ManualDownload(
        "nas-bench-201-curves",
        "NAS-Bench-201, versions 1.0 and 1.1: learning curves of every training on three data sets",
        "https://github.com/D-X-Y/NAS-Bench-201#preparation-and-download",
        "NAS-Bench-201-v1_1-096897.pth",
        "NAS-Bench-201-v1_1-096897.pth",
    ),
    ManualDownload(
        "trans-nas-bench-101-curves",
        "TransNAS-Bench-101: learning curves of 7,352 networks on seven tasks",
        "https://github.com/yawen-d/TransNASBench",
        "transnas-bench_v10141024.pth",
        "transnas-bench_v10141024.pth",
    ),
    ManualDownload(
        "accel-nasbench",
        "Accel-NASBench: 5,125 networks on ImageNet, and their speed on six accelerators",
        "https://github.com/afzalxo/Accel-NASBench/tree/main/anb_dataset",
        "anb_dataset_jsons.tar.gz",
        "anb_dataset_jsons.tar.gz",
    ),
    ManualDownload(
        "nas-bench-graph-curves",
        "NAS-Bench-Graph: learning curves of every training on nine data sets",
        "https://figshare.com/articles/dataset/NAS-bench-Graph/20070371",
        "into a folder the three files of a data set (cora0.bench, cora1.bench, cora2.bench)",
        "FOLDER",
    ),
)


def refuse_manual_download(name: str) -> None:
    """Raise SourceError with instructions if the tables of this name need a manual download.

    >>> refuse_manual_download("nas-bench-graph/cora")
    """
    for entry in MANUAL_DOWNLOADS:
        if entry.name == name.rstrip("/"):
            raise SourceError(f"{name!r} needs a manual download: {entry.steps}")
