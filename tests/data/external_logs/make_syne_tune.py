"""Write the samples of Syne Tune: two real searches of ``digits/topology``, with four workers.

Run with Syne Tune 0.16, which the project itself does not need::

    pip install syne-tune .
    python tests/data/external_logs/make_syne_tune.py

The folders ``syne-tune-random`` and ``syne-tune-asha`` are what Syne Tune writes, without its logs and its pickle.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
EDGES = 6
SPEED = 50  # times faster than the training


def notation(cell):
    a, b, c, d, e, f = cell
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def train():
    """Report the validation error of a training after every epoch, or at the end. Syne Tune runs this as a script."""
    from syne_tune import Reporter

    import nasbench_lab as nl

    parser = argparse.ArgumentParser()
    for edge in range(EDGES):
        parser.add_argument(f"--hp_x{edge}")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--every", type=int)
    given, _ = parser.parse_known_args()
    table, report = nl.load("digits/topology"), Reporter()
    cell = notation([getattr(given, f"hp_x{edge}") for edge in range(EDGES)])
    before = 0.0
    for epoch in range(given.every, given.epochs + 1, given.every):
        measured = table.query(cell, epochs=epoch, repeat=0)
        time.sleep((measured["seconds"] - before) / SPEED)
        before = measured["seconds"]
        report(epoch=epoch, valid_error=1 - measured["valid_accuracy"] / 100, train_seconds=measured["seconds"])


def search(name, scheduler, trials):
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend import LocalBackend

    tuner = Tuner(
        trial_backend=LocalBackend(entry_point=__file__),
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_finished=trials),
        n_workers=4,
        sleep_time=0.2,
        tuner_name=name,
        suffix_tuner_name=False,
        save_tuner=False,
    )
    tuner.run()
    target = HERE / f"syne-tune-{name}"
    target.mkdir(exist_ok=True)
    for file in ("results.csv.zip", "metadata.json"):
        shutil.copy(Path(tuner.tuner_path) / file, target / file)


def main():
    from syne_tune.config_space import choice
    from syne_tune.optimizer.baselines import ASHA, RandomSearch

    space = {f"hp_x{edge}": choice(OPERATIONS) for edge in range(EDGES)}
    random = RandomSearch({**space, "epochs": 12, "every": 12}, metrics=["valid_error"], random_seed=1)
    search("random", random, 12)
    asha = ASHA({**space, "epochs": 12, "every": 1}, metric="valid_error", time_attr="epoch", max_t=12, random_seed=2)
    search("asha", asha, 12)


if __name__ == "__main__":
    if any(argument.startswith("--hp_x0") for argument in sys.argv):
        train()
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.environ.setdefault("SYNETUNE_FOLDER", folder)
            main()
