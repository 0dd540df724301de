"""Files of NAS-Bench-101 at full scale, made up quickly, and the two ways of reading them.

As a program: ``python nas_bench_101_at_scale.py ours|original FILE TARGET`` reads a file in a process of its own and
prints the seconds it took and the most memory that was in use, in bytes.
"""

from __future__ import annotations

import base64
import json
import resource
import struct
import sys
import time
from pathlib import Path

import google_crc32c
import numpy as np

from nasbench_lab.spaces import Cell101Space

FIDELITIES, REPEATS = (4, 12, 36, 108), 3
_EVALUATION = [("head", "S2")] + [item for i in range(5) for item in ((f"tag{i}", "u1"), (f"value{i}", "<f8"))]
_MESSAGE = np.dtype(
    [(f"evaluation{i}", _EVALUATION) for i in range(3)]
    + [("tag", "u1"), ("parameters", "4u1"), ("total_tag", "u1"), ("total", "<f8")]
)
_MODELS = 4_096  # at a time


def messages(generator: np.random.Generator, count: int) -> np.ndarray:
    """Made-up protobuf messages in the layout of the official ones, shape (count, bytes)."""
    made = np.zeros(count, dtype=_MESSAGE)
    for i in range(3):
        part = made[f"evaluation{i}"]
        part["head"] = b"\x0a\x2d"
        for field in range(5):
            part[f"tag{field}"] = (field + 1) << 3 | 1
            part[f"value{field}"] = generator.random(count, dtype=np.float32)
    made["tag"], made["total_tag"] = 2 << 3, 3 << 3 | 1
    made["parameters"] = [0x80 | 1, 0x80 | 2, 0x80 | 3, 4]
    return made.view(np.uint8).reshape(count, -1)


def write(path: Path, vertices: int) -> int:
    """Write a file with all cells of at most so many vertices, and return the number of its records."""
    space, generator = Cell101Space(vertices), np.random.default_rng(0)
    heads: dict[int, bytes] = {}
    with path.open("wb") as file:
        for first in range(0, space.size, _MODELS):
            index = np.arange(first, min(first + _MODELS, space.size))
            pieces = []
            per_model = len(FIDELITIES) * REPEATS
            made = iter(messages(generator, len(index) * per_model))
            for cell in index.tolist():
                adjacency, operations = space.cell(cell)
                bits = "".join(map(str, adjacency.astype(int).ravel().tolist()))
                names = ",".join(["input", *operations, "output"])
                for epochs in FIDELITIES:
                    before = f'["{space.module_hash(cell)}", {epochs}, "{bits}", "{names}", "'.encode()
                    for _ in range(REPEATS):
                        text = base64.encodebytes(next(made).tobytes()).replace(b"\n", b"\\n")
                        data = before + text + b'"]'
                        head = heads.get(len(data)) or heads.setdefault(len(data), _head(len(data)))
                        pieces += [head, data, _masked(data)]
            file.write(b"".join(pieces))
    return space.size * len(FIDELITIES) * REPEATS


def _head(length: int) -> bytes:
    packed = struct.pack("<Q", length)
    return packed + _masked(packed)


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def read_as_the_original(path: Path) -> dict[str, dict[int, list[dict[str, float]]]]:
    """Read a file as the official package does, without TensorFlow: an object a record, into dictionaries."""
    from nas_bench_101_files import NAMES, protobuf_class

    kind, content, position = protobuf_class(), path.read_bytes(), 0
    fixed: dict[str, dict[str, object]] = {}
    computed: dict[str, dict[int, list[dict[str, float]]]] = {}
    while position < len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        record = content[position + 12 : position + 12 + length]
        position += length + 16
        module_hash, epochs, bits, operations, raw = json.loads(record.decode("utf-8"))
        side = int(np.sqrt(len(bits)))
        adjacency = np.array([int(e) for e in list(bits)], dtype=np.int8).reshape(side, side)
        metrics = kind.FromString(base64.b64decode(raw))
        if module_hash not in fixed:
            fixed[module_hash] = {"module_adjacency": adjacency, "module_operations": operations.split(",")}
            fixed[module_hash]["trainable_parameters"] = metrics.trainable_parameters
            computed[module_hash] = {}
        point = {}
        for when, part in zip(("halfway", "final"), metrics.evaluation_data[1:], strict=True):
            point |= {f"{when}_{name}": getattr(part, name) for name in NAMES}
        computed[module_hash].setdefault(epochs, []).append(point)
    return computed


def main(reader: str, source: Path, target: Path) -> None:
    """Read a file, and print seconds and bytes."""
    from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101

    start = time.perf_counter()
    if reader == "ours":
        nas_bench_101.convert(source, target)
    else:
        read_as_the_original(source)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps([seconds, most]))


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
