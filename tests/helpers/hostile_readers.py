"""Every reader of the package, fed with damaged files in a process of its own, in bounded time and memory.

``python hostile_readers.py FOLDER NAME...`` writes the case that it is at to FOLDER/case, and one line of JSON per
reader to standard output: the number of cases, and what went wrong.
"""

import bz2
import contextlib
import gzip
import importlib.util
import io
import json
import os
import pickle
import sqlite3
import struct
import sys
import tarfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

import hostile_files
import numpy as np

import nasbench_lab as nl
from nasbench_lab.errors import DataError, NasbenchLabError

MOST_SECONDS = 5.0
MOST_MEBIBYTES = 512
ADDRESS_SPACE = 3 * 2**30

BYTES, TEXT, JSON = hostile_files.of_bytes, hostile_files.of_text, hostile_files.of_json


class Reader:
    """A reader: what it reads, how it is damaged, and whether the format has checksums that find any damage."""

    def __init__(self, make, read, mutations=(BYTES,), *, checked=False, count=12):
        self.make, self.read, self.mutations, self.checked, self.count = make, read, mutations, checked, count


def _table(folder, version=3):
    from nasbench_lab.tables import write
    from nasbench_lab.testing import synthetic_table

    write(synthetic_table("tiny"), folder / "table.h5")
    if version == 2:
        _with_old_texts(folder / "table.h5", version)
    return folder / "table.h5"


def _with_old_texts(path, version):
    """Store the texts of an HDF5 file as formats before did, with variable lengths."""
    import h5py

    with h5py.File(path, "r+", libver="v110") as file:
        if "description" in file:
            file.attrs["description"] = file["description"][:].tobytes().decode()
            del file["description"]
        file.attrs["format_version"] = version
        for group in (file, *(file[name] for name in ("traces/0", "references/0") if name in file)):
            for name, value in group.attrs.items():
                if isinstance(value, bytes):
                    group.attrs[name] = value.decode()


def _read_table(path):
    table = nl.load(path)
    return {name: np.array(table.values(name)).tobytes() for name in table.metrics}


def _packed(folder, version=2):
    from nasbench_lab.tables import packed_tables
    from nasbench_lab.testing import synthetic_table

    packed_tables.pack(synthetic_table("tiny"), folder / "packed.h5")
    if version == 1:
        _with_old_texts(folder / "packed.h5", version)
    return folder / "packed.h5"


def _read_packed(path):
    from nasbench_lab.tables import packed_tables

    description, _ = packed_tables.read_header(path)
    values, _ = packed_tables.unpack(description, [path.read_bytes()])
    return {name: array.tobytes() for name, array in values.items()}


def _surrogate(folder):
    from forged_surrogates import small_surrogate

    from nasbench_lab.tables.surrogates import write_surrogate

    write_surrogate(small_surrogate("decision-tree", 30, folds=2), folder / "surrogate.h5")
    return folder / "surrogate.h5"


def _read_surrogate(path):
    surrogate = nl.load(path)
    return {name: surrogate.lookup(range(20), repeat=1, metric=name).tobytes() for name in surrogate.metrics}


def _traces(folder, version=4):
    from nasbench_lab.simulation import save_traces
    from nasbench_lab.testing import synthetic_table

    trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=2, budget=nl.Budget(evaluations=5))
    save_traces([trace], folder / "traces.h5")
    if version == 3:
        _with_old_texts(folder / "traces.h5", version)
    return folder / "traces.h5"


def _read_traces(path):
    from nasbench_lab.simulation import load_traces
    from nasbench_lab.simulation.results import open_traces

    open_traces(path)
    return [trace.observed.tobytes() for trace in load_traces(path)]


def _suite(name):
    """A finished suite; the reader damages one of its files."""

    def make(folder):
        from small_suites import small_suite

        from nasbench_lab.suites import run_suite

        run_suite(small_suite(folder, strategies=("random-search",), runs=2), folder / "out")
        return next((folder / "out").glob(name))

    return make


def _read_suite(path):
    from nasbench_lab.suites.folder import SuiteFolder
    from nasbench_lab.suites.stored_results import open_results

    folder = path if (path / "suite.json").exists() else path.parent
    folder = folder if (folder / "suite.json").exists() else folder.parent
    SuiteFolder.open(folder).damaged()
    opened = SuiteFolder.open(folder)
    [opened.is_finished(shard) for shard in opened.plan.shards]
    results = open_results(folder)
    return [np.array(trace.observed).tobytes() for trace in results]


def _baseline(folder):
    from nasbench_lab.testing import BaselineCheck

    BaselineCheck("random-search", "synthetic/tiny", nl.Budget(evaluations=5), runs=20).write(folder / "baseline.json")
    return folder / "baseline.json"


def _read_baseline(path):
    from nasbench_lab.testing.baselines.baseline_file import read_baseline

    return repr(read_baseline(path))


def _written(name, content):
    def make(folder):
        (folder / name).write_bytes(content() if callable(content) else content)
        return folder / name

    return make


def _read_suite_file(path):
    from nasbench_lab.suites.toml_files import read_suite

    return read_suite(path).hash


def _read_space_file(path):
    from nasbench_lab.spaces import read_space

    return read_space(path).spec()


def _read_build_file(path):
    from nasbench_lab.train.build.spec import read_spec

    return repr(read_spec(path))


_TWICE = ((0, 1), (0, 2), (1, 1), (1, 2))


def _csv():
    rows = [f"{kernel},{width},{seed},{epoch},0.5" for kernel in "35" for width in (16, 32) for seed, epoch in _TWICE]
    return "\n".join(["kernel,width,seed,epoch,val_acc", *rows, ""]).encode()


def _read_columns(path):
    table = nl.read_columns(path, architecture=["kernel", "width"], repeat="seed", epochs="epoch", valid="val_acc")
    return np.array(table.values("val_acc")).tobytes()


def _csv_of_indices():
    return b"arch,val_acc\n" + b"".join(b"%d,0.%d\n" % (index, index % 10) for index in range(0, 243, 2))


def _read_indices(path):
    space = {"name": "chain", "choices": "012", "length": 5}
    return np.array(
        nl.read_columns(path, architecture="arch", space=space, valid="val_acc").values("val_acc")
    ).tobytes()


def _csv_of_names():
    return b"arch,val_acc\n" + b"".join(b"%d,0.%d\n" % (index**3, index % 10) for index in range(50))


def _read_names(path):
    return np.array(nl.read_columns(path, architecture="arch", valid="val_acc").values("val_acc")).tobytes()


def _parquet(folder):
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "kernel": ["3", "5"] * 4,
        "width": [1, 1, 2, 2] * 2,
        "seed": [0] * 4 + [1] * 4,
        "val_acc": [0.5] * 8,
        "epoch": [1] * 8,
    }
    parquet.write_table(pa.table(columns), folder / "mine.parquet")
    return folder / "mine.parquet"


def _npz(folder):
    images, labels = np.zeros((20, 8, 8), dtype=np.uint8), np.arange(20) % 2
    arrays = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}
    np.savez_compressed(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def _supernet(folder):
    from nasbench_lab.spaces import LayerChainSpace
    from nasbench_lab.train.one_shot import SupernetDetails, make_supernet, save_supernet

    space = LayerChainSpace([["max-pool", "dense-2"]])
    details = SupernetDetails("mine", epoch=3)
    return save_supernet(folder / "net.pt", make_supernet(space, image=(1, 2, 2), classes=2), details)


def _read_supernet(path):
    from nasbench_lab.train.one_shot.saved_supernets import open_supernet

    file = open_supernet(path)
    weights = {name: value.tolist() for name, value in file.build().state_dict().items()}
    return pickle.dumps((file.details.epoch, sorted(weights.items())))


def _read_npz(path):
    from nasbench_lab.train.datasets.user_arrays import arrays

    return arrays(path).digest()


def _journal(folder):
    from nasbench_lab.train.build.journal import Journal

    with Journal(folder / "journal.sqlite", "mine") as journal:
        for unit in range(3):
            journal.record((unit, 4), {"accuracy": np.arange(40.0), "seconds": np.ones(40)})
    return folder / "journal.sqlite"


def _blob(folder):
    """The content of a unit of a journal."""
    with sqlite3.connect(_journal(folder)) as connection:
        (content,) = connection.execute("SELECT arrays FROM units").fetchone()
    connection.close()
    return _written("blob", content)(folder)


def _read_journal(path):
    from nasbench_lab.train.build.journal import Journal

    if path.name == "blob":
        (path.parent / "journal.sqlite").unlink(missing_ok=True)
        where = _journal(path.parent)
        connection = sqlite3.connect(where)
        with connection:
            connection.execute("UPDATE units SET arrays = ?", (path.read_bytes(),))
        connection.close()
        path = where
    with Journal(path, "mine") as journal:
        journal.finished()
        return [(unit, {name: array.tobytes() for name, array in arrays.items()}) for unit, arrays in journal.items()]


def _importer(format_):
    """Import a file, and return what is in its tables."""

    def read(path):
        import tempfile
        import warnings

        from nasbench_lab.tables.importers.formats import import_tables

        source = path.parent if format_.endswith("folder") else path
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target = Path(folder, "out" if format_.split()[0] in ("nats-bench", "trans-nas-bench-101") else "out.h5")
            written = import_tables(source, target, format=format_.split()[0])
            return [_read_table(table) for table in written]

    return read


def _graph(folder):
    from nasbench_lab.spaces.gnn import PROTEINS_OPERATIONS, GnnSpace
    from nasbench_lab.tables.importers.nas_bench_graph.light_version import architecture_keys

    keys = architecture_keys(GnnSpace(PROTEINS_OPERATIONS)).tolist()[:30]
    made = {key: {"dur": np.random.default_rng(key).random((3, 7)).tolist(), "perf": 0.5} for key in keys}
    return _written("proteins0.bench", pickle.dumps(made))(folder)


def _records(folder):
    from nas_bench_101_files import models, rows_of, write

    return write(folder / "small.tfrecord", rows_of(models(3)))


def _accel():
    from nasbench_lab.tables.importers import accel_nasbench

    def at(content, path, value):
        for key in path[:-1]:
            content = content.setdefault(key, {})
        content[path[-1]] = value

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(2):
            result = {"architecture": {name: values[number] for name, values in accel_nasbench._CHOICES.items()}}
            for path in accel_nasbench._FIELDS.values():
                at(result, path, 1.5)
            text = json.dumps(result).encode()
            info = tarfile.TarInfo(f"x/result_{number}.json")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return gzip.compress(file.getvalue())


def _archive(kind):
    """A small archive of NATS-Bench: a folder of compressed pickles, of which one is damaged, or one file."""

    def make(folder):
        import nats_archives

        infos = {0: {"01": _results()}}
        if kind == "folder":
            nats_archives.write_folder(folder / "archive", "sss", infos)
            return folder / "archive" / "000000.pickle.pbz2"
        nats_archives.write_file(folder / "archive.pickle.pbz2", "sss", infos)
        return folder / "archive.pickle.pbz2"

    def _results():
        import random

        import nats_archives

        return nats_archives.results(random.Random(0), "sss", 0, "01", {"cifar100": [777]})

    return make


def _torch(form):
    content = {"a": [1, 2.5, None, True], "b": {"c": ["x" * 20] * 3}}

    def make():
        if form == "zip":
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for name, part in (("data.pkl", pickle.dumps(content, 2)), ("byteorder", b"little"), ("version", b"3")):
                    archive.writestr(f"archive/{name}", part)
            return file.getvalue()
        head = (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02M\xe9\x03.", b"\x80\x02}.")
        return b"".join(head) + pickle.dumps(content, 2) + b"\x80\x02]."

    return make


def _read_torch(path):
    from nasbench_lab.tables.reading import torch_file

    return pickle.dumps(torch_file.load(path))


def _read_pickle(path):
    from nasbench_lab.tables.reading import unpickle

    unpickle.load(path.read_bytes())


def _cell_cache(folder):
    from nasbench_lab.spaces.cell101_cache import _write

    _write(folder / "spaces" / "mine", {"squares": np.arange(40) ** 2})
    return folder / "spaces" / "mine" / "squares.npy"


def _cell_cache_checksums(folder):
    return _cell_cache(folder).with_name("checksums.json")


def _read_cell_cache(path):
    from nasbench_lab.spaces.cell101_cache import KeptArrays

    os.environ["NASBENCH_LAB_CACHE"] = str(path.parents[2])
    return KeptArrays("mine", lambda: {"squares": np.arange(40) ** 2})["squares"].tobytes()


def _zen(folder):
    """A zip archive of JSON lists, as the catalogue reads."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zen/1.json", json.dumps([{"arch": "x"}] * 50))
    return _written("zen.zip", file.getvalue())(folder)


def _read_zen(path):
    import re

    from nasbench_lab.tables.importers import naslib_archives

    rows = list(naslib_archives.rows(path.read_bytes(), re.compile("zen/.*")))
    if not rows:
        raise DataError("it lacks all architectures")
    return rows


def _description(folder):
    from nasbench_lab.testing import synthetic_table

    return _written("description.json", synthetic_table("tiny").description.to_json().encode())(folder)


def _read_description(path):
    from nasbench_lab.spaces import make_space
    from nasbench_lab.tables import Description

    make_space(Description.from_json(path.read_text(encoding="utf-8", errors="replace")).space)


def _split_file(folder):
    from nasbench_lab.train.datasets.cifar import CIFAR100_SPLIT

    halves = {key: ["", [str(i) for i in range(n, 40, 2)]] for n, key in enumerate(CIFAR100_SPLIT.keys)}
    return _written("split.txt", json.dumps(halves).encode())(folder)


def _read_split_file(path):
    from nasbench_lab.train.datasets.cifar import CIFAR100_SPLIT

    with contextlib.suppress(NasbenchLabError):
        CIFAR100_SPLIT.read(40, path, ())


_PICKLE = pickle.dumps({"a": [1.5, (2, "x")] * 5, "b": np.arange(6.0), "c": {1: 0.5, 2: 1.5}, "d": {1, 2}}, 4)
_SUITE_TOML = b"""
title = "mine"
runs = 3
strategies = ["random-search", { name = "regularized-evolution", population = 10 }]
tables = [{ name = "synthetic/tiny", budget = { evaluations = 5 } }]
budget = { evaluations = 10 }
seed = 1
"""


_SPACE_TOML = b"""
name = "product"

[[parts]]
name = "layer-chain"
label = "chain"
layers = [{ choices = ["conv{3x3,5x5}-8", "identity"], repeat = 20 }, ["relu", "skip-3"]]

[[parts]]
name = "choices"
choices = { width = [16, 32], depth = [1, 2] }
"""


def _build_toml():
    from small_builds import SPEC

    return SPEC.encode()


def _read_naszilla(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = nl.import_results(path, format="naszilla", table="digits/topology")
    return [trace.observed.tobytes() for trace in found]


_LOGS = Path(__file__).parent.parent / "data" / "external_logs"


def _log(name):
    """A real log of another program, alone in the folder."""
    return _written(Path(name).name, (_LOGS / name).read_bytes)


def _steps(form):
    """Evaluations in the documented form."""

    def make(folder):
        from nasbench_lab.testing import synthetic_table

        trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=2, budget=nl.Budget(evaluations=5))
        rows = trace.records()
        if form == "csv":
            return rows.to_csv(folder / "steps.csv")
        columns = rows.to_dict()
        lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
        (folder / "steps.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return folder / "steps.jsonl"

    return make


def _read_log(kind, table="digits/topology", **options):
    def read(path):
        from nasbench_lab.testing import synthetic_table

        searched = synthetic_table("tiny") if table is None else table
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = nl.import_results(path, format=kind, table=searched, strategy="theirs", **options)
        return [trace.observed.tobytes() for trace in found]

    return read


READERS = {
    "table": Reader(_table, _read_table, checked=True),
    "table, version 2": Reader(lambda folder: _table(folder, 2), _read_table, checked=True),
    "packed": Reader(_packed, _read_packed, checked=True),
    "packed, version 1": Reader(lambda folder: _packed(folder, 1), _read_packed, checked=True),
    "surrogate": Reader(_surrogate, _read_surrogate, checked=True),
    "traces": Reader(_traces, _read_traces, checked=True),
    "traces, version 3": Reader(lambda folder: _traces(folder, 3), _read_traces, checked=True),
    "suite.json": Reader(_suite("suite.json"), _read_suite, (BYTES, TEXT, JSON)),
    "manifest": Reader(_suite("shards/*.json"), _read_suite, (BYTES, TEXT, JSON)),
    "reference": Reader(_suite("references/*.h5"), _read_suite, checked=True),
    "baseline": Reader(_baseline, _read_baseline, (BYTES, TEXT, JSON)),
    "suite file": Reader(_written("mine.toml", _SUITE_TOML), _read_suite_file, (BYTES, TEXT)),
    "space file": Reader(_written("mine.toml", _SPACE_TOML), _read_space_file, (BYTES, TEXT)),
    "build file": Reader(_written("mine.toml", _build_toml), _read_build_file, (BYTES, TEXT)),
    "csv": Reader(_written("mine.csv", _csv), _read_columns, (BYTES, TEXT)),
    "csv of indices": Reader(_written("mine.csv", _csv_of_indices), _read_indices, (BYTES, TEXT)),
    "csv of names": Reader(_written("mine.csv", _csv_of_names), _read_names, (BYTES, TEXT)),
    "csv.gz": Reader(_written("mine.csv.gz", lambda: gzip.compress(_csv(), mtime=0)), _read_columns),
    "parquet": Reader(_parquet, _read_columns),
    "npz": Reader(_npz, _read_npz, checked=True),
    "supernet": Reader(_supernet, _read_supernet, checked=True, count=4),
    "journal": Reader(_journal, _read_journal, count=4),
    "journal's blob": Reader(_blob, _read_journal, checked=True, count=4),
    "graph": Reader(_graph, _importer("nas-bench-graph"), count=4),
    "tfrecord": Reader(_records, _importer("nas-bench-101")),
    "accel": Reader(_written("anb.tar.gz", _accel), _importer("accel-nasbench"), checked=True),
    "nats folder": Reader(_archive("folder"), _importer("nats-bench folder"), checked=True, count=4),
    "nats file": Reader(_archive("file"), _importer("nats-bench"), checked=True, count=4),
    "torch zip": Reader(_written("mine.pth", _torch("zip")), _read_torch, checked=True),
    "torch stream": Reader(_written("mine.pth", _torch("stream")), _read_torch),
    "trans": Reader(_written("mine.pth", _torch("zip")), _importer("trans-nas-bench-101")),
    "pickle": Reader(_written("mine.pkl", _PICKLE), _read_pickle),
    "cached array": Reader(_cell_cache, _read_cell_cache, checked=True),
    "cached checksums": Reader(_cell_cache_checksums, _read_cell_cache, (BYTES, TEXT), checked=True),
    "zip of json": Reader(_zen, _read_zen, checked=True),
    "description": Reader(_description, _read_description, (BYTES, TEXT, JSON)),
    "split file": Reader(_split_file, _read_split_file, (BYTES, TEXT, JSON)),
    "steps, csv": Reader(_steps("csv"), _read_log("csv", None), (BYTES, TEXT)),
    "steps, json lines": Reader(_steps("jsonl"), _read_log("jsonl", None), (BYTES, TEXT)),
    "syne tune": Reader(
        _log("syne-tune-random/results.csv.zip"),
        _read_log("syne-tune", unit="fraction", error=True, columns={"value": "valid_error"}),
    ),
    "naslib": Reader(_log("naslib-last/errors.json"), _read_log("naslib"), (BYTES, JSON), count=4),
    "naszilla": Reader(_log("naszilla-specs-0.pkl"), _read_naszilla),
    "optuna": Reader(_log("optuna.log"), _read_log("optuna"), (BYTES,), count=8),
}


def _declaring(make, name, **storage):
    """An HDF5 file in which an array declares gigabytes and stores nothing."""

    def write(folder):
        import h5py

        path = make(folder)
        with h5py.File(path, "r+") as file:
            kind = file[name].dtype
            del file[name]
            file.create_dataset(name, shape=(2**31,), dtype=kind, **storage)
        return path

    return write


def _linked_outside(make, name, target):
    """An HDF5 file with a link to another file, or to another place."""

    def write(folder):
        import h5py

        path = make(folder)
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = h5py.SoftLink("/") if target is None else h5py.ExternalLink(target, "/")
        return path

    return write


def _heap_of_zeros(make, version):
    """A file of an older format whose heap of texts has zeros instead of its second object."""

    def write(folder):
        path = make(folder, version)
        content = bytearray(path.read_bytes())
        start = content.index(b"GCOL") + 16
        start += 16 + -(-int.from_bytes(content[start + 8 : start + 16], "little") // 8) * 8
        content[start : start + 64] = bytes(64)
        path.write_bytes(content)
        return path

    return write


def _bomb_npz(folder):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**27, 1, 1)})
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("train_images", "train_labels", "test_images", "test_labels"):
            with archive.open(f"{name}.npy", "w") as member:
                member.write(header.getvalue())
                for _ in range(8 if name == "train_images" else 1):
                    member.write(bytes(2**24))
    return folder / "bomb.npz"


def _bomb_gzip():
    return gzip.compress(b"kernel,width,seed,epoch,val_acc,note\n" + (b"3,1,0,1,5," + b"x" * 2**16 + b"\n") * 2_100, 9)


def _bomb_parquet(folder):
    import pyarrow as pa
    from pyarrow import parquet

    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2**18, np.int32)), pa.array(["x" * 2**14]))
    columns = {
        "kernel": texts,
        "width": np.arange(2**18),
        "seed": [0] * 2**18,
        "val_acc": [0.5] * 2**18,
        "epoch": [1] * 2**18,
    }
    parquet.write_table(pa.table(columns), folder / "bomb.parquet")
    return folder / "bomb.parquet"


def _device_in_archive(folder):
    path = _archive("folder")(folder)
    path.unlink()
    path.symlink_to("/dev/zero")
    return path


def _pipe(name):
    def make(folder):
        os.mkfifo(folder / name)
        return folder / name

    return make


def _alike(number):
    """A number whose hash is 0."""
    return b"\x8a\x0a" + (number * (2**61 - 1)).to_bytes(10, "little")


def _nested_sets():
    """Two equal frozen sets that share no parts; comparing them takes 2**60 steps."""
    made, number, ends = b"\x80\x04", 0, []
    for _ in range(2):
        made += b"(K\x05\x91r" + struct.pack("<I", number) + b"0"
        for _ in range(60):
            last = b"(j" + struct.pack("<I", number)
            number += 1
            made += last + last + b"\x91\x91r" + struct.pack("<I", number) + b"0"
        ends.append(number)
        number += 1
    return made + b"(" + b"".join(b"j" + struct.pack("<I", end) for end in ends) + b"\x91."


_LONG = b"\x8b" + struct.pack("<i", 300_000) + b"\x01" * 300_000
_TEXT = b"B" + struct.pack("<I", 300_000) + b"a" * 300_000
_ARRAY = pickle.dumps(np.arange(20_000), 4)[:-1]
HOSTILE_PICKLES = {
    "equal hashes in a dictionary": b"\x80\x02}(" + b"".join(_alike(n) + b"N" for n in range(1, 20_000)) + b"u.",
    "equal hashes, one by one": b"\x80\x02}" + b"".join(_alike(n) + b"Ns" for n in range(1, 20_000)) + b".",
    "equal hashes in a set": b"\x80\x04\x8f(" + b"".join(map(_alike, range(1, 20_000))) + b"\x90.",
    "equal hashes of tuples": b"\x80\x02}(" + b"".join(_alike(n) + b"\x85N" for n in range(1, 20_000)) + b"u.",
    "equal hashes in a call": b"\x80\x02cbuiltins\nset\n](" + b"".join(map(_alike, range(1, 20_000))) + b"e\x85R.",
    "nested sets": _nested_sets(),
    "nested slices": b"\x80\x04cbuiltins\nslice\nq\x000Nq\x010"
    + b"h\x00h\x01h\x01h\x01\x87Rq\x010" * 40
    + b"}h\x01Ns.",
    "texts that look like items": b"\x80\x02" + b"X\x04\0\0\0aq\0G0NNNNNN(" * 10_000 + b".",
    "sets of one array": _ARRAY + b"q\xff0cbuiltins\nfrozenset\nq\xfe0(" + b"h\xfeh\xff\x85R0" * 3_000 + b"t.",
    "one long number as a key": b"\x80\x04" + _LONG + b"q\x01}(" + b"h\x01N" * 20_000 + b"u.",
    "two equal texts as keys": b"\x80\x04" + _TEXT + b"q\x01" + _TEXT + b"q\x02}(h\x01N" + b"h\x02N" * 20_000 + b"u.",
    "empty sets": b"\x80\x04(" + b"\x8f" * 1_000_000 + b"l.",
    "memo": b"\x80\x02K\x01" + b"".join(b"p%d\n" % (n * (2**61 - 1)) for n in range(1, 20_000)) + b".",
    "kind of an array": b"\x80\x04]q\x010" + b"](h\x01h\x01eq\x010" * 40 + b"cnumpy\ndtype\nh\x01\x85R.",
    "name of an encoding": b"\x80\x02c_codecs\nencode\n(X\x01\0\0\0a]q\x00h\x00atR.",
    "something after it": pickle.dumps([1]) + b"x",
}
HOSTILE = {
    "digests of gigabytes": (_declaring(_table, "digests"), _read_table),
    "digests of gigabytes in chunks": (_declaring(_table, "digests", chunks=(2**20,)), _read_table),
    "traces of gigabytes": (_declaring(_traces, "traces/0/observed", compression="gzip"), _read_traces),
    "packed rows of gigabytes": (_declaring(_packed, "row_of_architecture", compression="gzip"), _read_packed),
    "link to a device": (_linked_outside(_table, "digests", "/dev/zero"), _read_table),
    "link to a place": (_linked_outside(_traces, "traces/0", None), _read_traces),
    "reference in a device": (_linked_outside(_traces, "references/0", "/dev/zero"), _read_traces),
    "zeros in a table's heap": (_heap_of_zeros(_table, 2), _read_table),
    "zeros in a packed table's heap": (_heap_of_zeros(_packed, 1), _read_packed),
    "zeros in a traces file's heap": (_heap_of_zeros(_traces, 3), _read_traces),
    "npz of gigabytes": (_bomb_npz, _read_npz),
    "parquet of gigabytes": (_bomb_parquet, _read_columns),
    "gzip of gigabytes": (
        _written("mine.csv.gz", _bomb_gzip),
        _read_columns,
    ),
    "empty sets in bz2": (
        _written("mine.pickle.pbz2", lambda: bz2.compress(b"\x80\x04}(X\x0a\0\0\0arch2infos" + b"\x8f" * 3_000_000)),
        _importer("nats-bench"),
    ),
    "device in an archive": (_device_in_archive, _importer("nats-bench folder")),
    "pipe as a table": (_pipe("mine.h5"), _read_table),
    "pipe as a CSV file": (_pipe("mine.csv"), _read_columns),
    "pipe as an archive": (_pipe("mine.pth"), _importer("nas-bench-201")),
    "pipe as records": (_pipe("mine.tfrecord"), _importer("nas-bench-101")),
    "pipe as a tape": (_pipe("mine.tar.gz"), _importer("accel-nasbench")),
    "pipe as a curve": (_pipe("cora0.bench"), _importer("nas-bench-graph")),
    "pipe as a suite": (_pipe("mine.toml"), _read_suite_file),
    "pipe as a space": (_pipe("mine.toml"), _read_space_file),
    "pipe as a specification": (_pipe("mine.toml"), _read_build_file),
    "pipe as arrays": (_pipe("mine.npz"), _read_npz),
    "pipe as a baseline": (_pipe("mine.json"), _read_baseline),
    **{
        f"long name of a file for {reader.__name__}": (lambda folder: folder / ("x" * 5_000), reader)
        for reader in (_read_table, _read_traces, _read_columns, _read_npz, _read_baseline, _read_suite_file)
    },
    **{f"pickle: {name}": (_written("mine.pkl", made), _read_pickle) for name, made in HOSTILE_PICKLES.items()},
}
"""What is to be refused: a function that writes it, and the reader."""


def check(reader, folder, note):
    """Damage a file in many ways; return the number of cases, and what went wrong."""
    path = reader.make(folder)
    content = path.read_bytes()
    true = None
    with contextlib.suppress(NasbenchLabError):  # the file for TransNAS-Bench-101 is none
        true = reader.read(path)
    count, wrong = 0, []
    for mutations in reader.mutations:
        for case, damaged in mutations(content, 0, reader.count):
            if damaged == content:
                continue
            count += 1
            note(case)
            path.write_bytes(damaged)
            found, problem = _try(lambda: reader.read(path))
            if problem is None and reader.checked and mutations is BYTES and found not in (REFUSED, true):
                problem = "accepted with other values"
            if problem:
                wrong.append(f"{case}: {problem}")
    return count, wrong


def check_refused(folder, note):
    """Read what is to be refused; return the number of cases, and what went wrong."""
    wrong = []
    for number, (case, (make, read)) in enumerate(HOSTILE.items()):
        note(case)
        place = folder / str(number)
        place.mkdir()
        path = make(place)
        found, problem = _try(lambda path=path, read=read: read(path))
        if problem is None and found is not REFUSED:
            problem = "accepted"
        if problem:
            wrong.append(f"{case}: {problem}")
    return len(HOSTILE), wrong


if importlib.util.find_spec("torch") is None:  # these readers belong to `nasbench_lab.train`, which imports it
    WITH_TORCH = (_read_build_file, _read_journal, _read_npz, _read_split_file, _read_supernet)
    READERS = {name: reader for name, reader in READERS.items() if reader.read not in WITH_TORCH}
    HOSTILE = {name: (make, read) for name, (make, read) in HOSTILE.items() if read not in WITH_TORCH}

REFUSED = object()


def _try(read):
    """Return what a reader returns, or `REFUSED`, and what was wrong about it."""
    peak, began, found, problem = _peak(), time.process_time(), REFUSED, None
    try:
        found = read()
    except NasbenchLabError as error:
        text = str(error)
        if "\n" in text or not text:
            problem = f"a message that is not one line: {text[:300]!r}"
        if _lacked_memory(error):
            problem = f"too little memory: {text[:300]}"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(f.filename).name}:{f.lineno}" for f in where if "nasbench_lab" in f.filename]
        problem = f"{type(error).__name__} at {ours[-1:]}: {str(error)[:200]}"
    took, grown = time.process_time() - began, _peak() - peak
    if took > MOST_SECONDS:
        problem = f"{took:.1f} seconds"
    if grown > MOST_MEBIBYTES:
        problem = f"{grown:.0f} MiB"
    return found, problem


def _lacked_memory(error):
    """Whether an error, or one that caused it, says that memory could not be reserved."""
    while error is not None:
        if isinstance(error, MemoryError) or "allocat" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _peak():
    """Return the peak of the memory of this process in MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 / (2**10 if sys.platform == "darwin" else 1)


def main(folder, names):
    import resource

    if sys.platform == "linux":
        with contextlib.suppress(ImportError):
            import torch  # noqa: F401 - before the limit: the build for graphics processors maps gigabytes of libraries
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESS_SPACE, used + ADDRESS_SPACE))
    for number, name in enumerate(names):
        place = folder / str(number)
        place.mkdir()

        def note(case, name=name):
            (folder / "case").write_text(f"{name}: {case}", encoding="utf-8", errors="replace")

        if name == "sleeping":  # as a reader that never ends
            note("forever")
            time.sleep(3_600)
        count, wrong = check_refused(place, note) if name == "hostile" else check(READERS[name], place, note)
        print(json.dumps([name, count, wrong]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
