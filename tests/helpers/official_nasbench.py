"""Google's own ``nasbench.api``, from a checkout of github.com/google-research/nasbench, without TensorFlow.

The checkout is the folder in ``NASBENCH_LAB_NASBENCH``. TensorFlow is only replaced where the API reads records, absl
where it keeps settings, and the generated protobuf module by the same messages of the installed protobuf.
"""

import contextlib
import importlib
import io
import os
import struct
import sys
import types
from pathlib import Path

VARIABLE = "NASBENCH_LAB_NASBENCH"
EVALUATION = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


def available():
    return (Path(os.environ.get(VARIABLE, "")) / "nasbench" / "api.py").is_file()


def load():
    """Import the official API."""
    if "nasbench" not in sys.modules:
        sys.path.insert(0, os.environ[VARIABLE])
        sys.modules["tensorflow"] = types.SimpleNamespace(python_io=types.SimpleNamespace(tf_record_iterator=_records))
        flags = _flags()
        sys.modules["absl"], sys.modules["absl.flags"] = types.SimpleNamespace(flags=flags), flags
        for name, module in (("evaluate", types.ModuleType("evaluate")), ("model_metrics_pb2", _messages())):
            sys.modules[f"nasbench.lib.{name}"] = module
            setattr(importlib.import_module("nasbench.lib"), name, module)
    return importlib.import_module("nasbench.api")


def opened(path):
    """Open a file with the official API, quietly."""
    with contextlib.redirect_stdout(io.StringIO()):
        return load().NASBench(str(path))


def _records(path):
    with Path(path).open("rb") as file:
        while head := file.read(12):
            yield file.read(struct.unpack("<Q", head[:8])[0])
            file.read(4)


def _flags():
    """Settings that only have their defaults."""
    known = []
    module = types.ModuleType("absl.flags")
    module.FLAGS = types.SimpleNamespace(flags_by_module_dict=lambda: {"nasbench.lib.config": known})
    for kind in ("list", "string", "integer", "float", "bool"):
        setattr(
            module,
            f"DEFINE_{kind}",
            lambda name, value, _help: known.append(types.SimpleNamespace(name=name, value=value)),
        )
    return module


def _messages():
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="official_nasbench.proto", package="official", syntax="proto2")
    metrics, evaluation = file.message_type.add(name="ModelMetrics"), file.message_type.add(name="EvaluationData")
    metrics.field.add(name="evaluation_data", number=1, label=3, type=11, type_name=".official.EvaluationData")
    metrics.field.add(name="trainable_parameters", number=2, label=1, type=5)
    metrics.field.add(name="total_time", number=3, label=1, type=1)
    for number, name in enumerate(EVALUATION, start=1):
        evaluation.field.add(name=name, number=number, label=1, type=1)
    evaluation.field.add(name="checkpoint_path", number=6, label=1, type=9)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    module = types.ModuleType("nasbench.lib.model_metrics_pb2")
    module.ModelMetrics = message_factory.GetMessageClass(pool.FindMessageTypeByName("official.ModelMetrics"))
    return module
