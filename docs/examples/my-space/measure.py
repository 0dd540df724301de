"""Train every network of the space and write what was measured: python measure.py (a few minutes, needs torch)."""

import csv
import tempfile
from pathlib import Path

from nasbench_lab.tables import Table
from nasbench_lab.train.build import assemble, build, read_spec

HERE = Path(__file__).parent
EPOCHS = (5, 10, 20)


def write(table: Table, path: Path) -> None:
    """Write accuracies and seconds at some epochs."""
    names = ("valid_accuracy", "test_accuracy", "seconds")
    values = {name: table.values(name) for name in names}
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("architecture", "epoch", "seed", *names))
        for architecture in range(table.space.size):
            for epoch in EPOCHS:
                for seed in range(table.repeats):
                    place = (architecture, table.fidelities.index(epoch), seed)
                    found = [f"{values[name][place]:.4f}" for name in names]
                    rows.writerow((table.space.format(architecture), epoch, seed, *found))


if __name__ == "__main__":
    spec = read_spec(HERE / "build.toml")
    with tempfile.TemporaryDirectory() as folder:
        build(spec, Path(folder))
        write(assemble(spec, Path(folder)), HERE / "src/my_space/measurements.csv")
