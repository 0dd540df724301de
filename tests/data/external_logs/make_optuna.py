"""Write the sample of Optuna: a study of ``digits/topology`` in a journal.

Run with the project's own environment, with Optuna 5::

    python tests/data/external_logs/make_optuna.py
"""

from pathlib import Path

import optuna

import nasbench_lab as nl
from nasbench_lab.adapters.optuna import optuna_objective

HERE = Path(__file__).parent


def main():
    table = nl.load("digits/topology")
    (HERE / "optuna.log").unlink(missing_ok=True)
    journal = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(HERE / "optuna.log")))
    study = optuna.create_study(
        study_name="pruned",
        storage=journal,
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=3),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    study.optimize(optuna_objective(table, prune=True, seed=3), n_trials=5)


if __name__ == "__main__":
    main()
