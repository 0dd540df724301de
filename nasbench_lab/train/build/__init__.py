"""Building a table by training the architectures of a space."""

from nasbench_lab.train.build.assembly import assemble, unfinished
from nasbench_lab.train.build.run import BuildShard, ExecutionOptions, build, train_units
from nasbench_lab.train.build.spec import BuildSpec, read_spec, spec_from

__all__ = [
    "BuildShard",
    "BuildSpec",
    "ExecutionOptions",
    "assemble",
    "build",
    "read_spec",
    "spec_from",
    "train_units",
    "unfinished",
]
