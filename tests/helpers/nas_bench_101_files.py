"""Writes files as those of NAS-Bench-101 are, and reads them as the official package does: slowly, a record at a time.

The writer knows the format from its description, the reader uses protobuf. Neither uses anything of the importer.
"""

import base64
import json
import struct
from typing import NamedTuple

import google_crc32c
import numpy as np

from nasbench_lab.spaces import Cell101Space

NAMES = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
"""Of an evaluation, in the order of the fields 2 to 5."""


def masked_crc(data):
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data):
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def text(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def evaluation(epoch, numbers, checkpoint=b""):
    """One evaluation; ``numbers`` are seconds, train, validation and test accuracy."""
    fields = [double(1, epoch), *(double(field, value) for field, value in enumerate(numbers, start=2))]
    return b"".join(fields) + (text(6, checkpoint) if checkpoint else b"")


def message(halfway, final, parameters, epochs=108, checkpoint=b""):
    """The measurements of a training, in the layout of the official files."""
    start = evaluation(0.0, (0.0, 0.1, 0.1, 0.1), checkpoint)
    parts = (start, evaluation(epochs / 2, halfway, checkpoint), evaluation(epochs, final, checkpoint))
    total = double(3, float(final[0]) * 1.05)
    return b"".join(text(1, part) for part in parts) + varint(2 << 3) + varint(parameters) + total


class Model(NamedTuple):
    """A cell as a file describes it."""

    module_hash: str
    bits: str
    operations: str
    parameters: int


def models(vertices):
    """All cells of at most so many vertices, with made-up numbers of parameters."""
    space = Cell101Space(vertices)
    found = []
    for index in range(space.size):
        adjacency, operations = space.cell(index)
        bits = "".join(map(str, adjacency.astype(int).ravel().tolist()))
        names = ",".join(["input", *operations, "output"])
        found.append(Model(space.module_hash(index), bits, names, 227_274 + int(space.module_hash(index)[:5], 16)))
    return found


def row(model, epochs, content, encode=base64.encodebytes):
    """The JSON of a record."""
    parts = [model.module_hash, epochs, model.bits, model.operations, encode(content).decode()]
    return json.dumps(parts).encode()


def numbers(generator, count, seconds):
    """Made-up measurements, float32 as they were when the official ones were made; shape (count, 2, 4)."""
    drawn = generator.random((count, 2, 4), dtype=np.float32)
    drawn[..., 0] = (drawn[..., 0] + 0.5) * seconds
    drawn[:, 0, 0] /= 2
    return drawn.astype(np.float64)


def rows_of(some_models, fidelities=(108,), repeats=3, seed=0, **options):
    """Rows of all trainings, model by model, with made-up measurements."""
    generator = np.random.default_rng(seed)
    found = []
    for model in some_models:
        for epochs in fidelities:
            for halfway, final in numbers(generator, repeats, 10.0 * epochs):
                found.append(row(model, epochs, message(halfway, final, model.parameters, epochs), **options))
    return found


def write(path, rows):
    path.write_bytes(b"".join(map(framed, rows)))
    return path


def protobuf_class(energy=False):
    """The message class of the official package, or of EC-NAS, made from a description of the fields."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"nasbench_{energy}.proto", package=f"nasbench_{energy}".lower())
    file.syntax = "proto2"

    def add(name, *fields):
        entry = file.message_type.add(name=name)
        for number, field, stated in fields:
            label = kind.LABEL_REPEATED if stated.endswith("*") else kind.LABEL_OPTIONAL
            of = stated.rstrip("*")
            types = {"double": kind.TYPE_DOUBLE, "int32": kind.TYPE_INT32, "string": kind.TYPE_STRING}
            added = entry.field.add(name=field, number=number, label=label, type=types.get(of, kind.TYPE_MESSAGE))
            if of not in types:
                added.type_name = f".{file.package}.{of}"

    evaluated = [(n, name, "double") for n, name in enumerate(("current_epoch", *NAMES), start=1)]
    measured = [
        (1, "evaluation_data", "Evaluation*"),
        (2, "trainable_parameters", "int32"),
        (3, "total_time", "double"),
    ]
    if energy:
        evaluated += [(6, "energy", "double"), (7, "co2eq", "double"), (8, "avg_intensity", "double")]
        evaluated += [(9, "start_emission", "string"), (10, "stop_emission", "string")]
        evaluated += [(11, "pred_energy", "double"), (12, "pred_co2eq", "double")]
        evaluated += [(13, "pred_training_time", "double"), (14, "pred_avg_intensity", "double")]
        measured += [(4, "total_energy", "double"), (5, "total_co2eq", "double")]
        measured += [(8, "overall_avg_intensity", "double"), (9, "avg_power_usages", "Power")]
        add("Usage", (1, "avg_power_usage", "double"))
        add("Device", (1, "avg_power_usages_w", "Usage*"), (2, "avg_power_usages_j", "Usage*"))
        add("Power", (1, "gpu", "Device"), (2, "cpu", "Device"))
    else:
        evaluated.append((6, "checkpoint_path", "string"))
    add("Evaluation", *evaluated)
    add("ModelMetrics", *measured)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.ModelMetrics"))


def read_slowly(data, energy=False):
    """Hash, epochs, matrix, operations and message of every record of a file, as the official package reads them."""
    kind = protobuf_class(energy)
    position = 0
    while position < len(data):
        (length,) = struct.unpack_from("<Q", data, position)
        record = data[position + 12 : position + 12 + length]
        position += length + 16
        module_hash, epochs, bits, operations, raw = json.loads(record.decode("utf-8"))
        side = int(np.sqrt(len(bits)))
        adjacency = np.array([int(bit) for bit in list(bits)], dtype=np.int8).reshape(side, side)
        yield module_hash, epochs, adjacency, operations.split(","), kind.FromString(base64.b64decode(raw))
