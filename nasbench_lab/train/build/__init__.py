"""Building a table of one's own: every architecture of a space, trained."""

from nasbench_lab.train.build.assemble import assemble, unfinished
from nasbench_lab.train.build.run import How, Shard, build, train_units
from nasbench_lab.train.build.spec import BuildSpec, read_spec, spec_from

__all__ = ["BuildSpec", "How", "Shard", "assemble", "build", "read_spec", "spec_from", "train_units", "unfinished"]
