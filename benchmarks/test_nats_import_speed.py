"""Reading the official archives: into tables, and as the official code does, with pickle into dictionaries."""

import bz2
import io
import os
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nasbench_lab.tables.importers.nats_archives import archives as nats_archives
from nasbench_lab.tables.importers.nats_archives.benchmarks import DATASETS, TOPOLOGY
from nasbench_lab.tables.importers.nats_archives.curve_tables import ArchiveLayout, CurveTableWriter, TableKey
from nasbench_lab.tables.reading import pickle_stream, unpickle

ARCHIVE = "D-X-Y/NATS-Bench/fake_torch_dir/NATS-tss-v1_0-3ffb9-simple"
COPIES = 8


@pytest.fixture(scope="module")
def compressed():
    """The real archives of three architectures."""
    if "NASBENCH_LAB_MIRROR" not in os.environ:
        pytest.skip("needs published data: set NASBENCH_LAB_MIRROR to a mirror")
    folder = Path(os.environ["NASBENCH_LAB_MIRROR"]) / ARCHIVE
    return {index: (folder / f"{index:06d}.pickle.pbz2").read_bytes() for index in (0, 11, 284)}


@pytest.fixture(scope="module")
def tables():
    """Tables to write into. Making and sealing them takes the same few seconds for three architectures and for all."""
    layout = ArchiveLayout(present=3)
    layout = ArchiveLayout(top5=frozenset(TableKey(dataset, "12") for dataset in DATASETS))
    with (
        tempfile.TemporaryDirectory() as folder,
        CurveTableWriter(TOPOLOGY, layout, "benchmark", Path(folder)) as tables,
    ):
        yield tables


@pytest.mark.benchmark(group="an architecture of a NATS-Bench folder")
def test_folder_to_tables(per_item, compressed, tables):
    def read():
        for index, content in compressed.items():
            infos = unpickle.load(nats_archives._decompress(content))
            nats_archives._put(tables, TOPOLOGY, index, infos)

    read()  # makes the tables
    per_item("ours", len(compressed), read)


@pytest.mark.benchmark(group="an architecture of a NATS-Bench folder")
def test_folder_to_dictionaries(per_item, compressed):
    def read():
        return [pickle.loads(bz2.decompress(content)) for content in compressed.values()]  # noqa: S301

    per_item("pickle", len(compressed), read)


@pytest.fixture(scope="module")
def one_file(compressed):
    """One pickle of some copies of the architectures."""
    each = [bz2.decompress(content) for content in compressed.values()]
    infos = {i: pickle.loads(each[i % 3]) for i in range(3 * COPIES)}  # noqa: S301
    whole = {"meta_archs": TOPOLOGY.space.format(np.arange(15_625)), "total_archs": 15_625, "arch2infos": infos}
    return pickle.dumps(whole, protocol=4)


@pytest.mark.benchmark(group="an architecture of one pickle, decompressed")
def test_one_file_streamed(per_item, one_file):
    def read():
        stream = pickle_stream.PickleStream(lambda: io.BytesIO(one_file), "arch2infos", unpickle.ALLOWED)
        return sum(1 for _ in stream)

    assert per_item("ours", 3 * COPIES, read) == 3 * COPIES


@pytest.mark.benchmark(group="an architecture of one pickle, decompressed")
def test_one_file_at_once(per_item, one_file):
    per_item("pickle", 3 * COPIES, lambda: pickle.loads(one_file))  # noqa: S301
