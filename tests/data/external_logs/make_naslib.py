"""Write the sample of NASLib: its own trainer and optimizers, with ``digits/topology`` in place of its benchmark.

Run with a checkout of NASLib (it needs torch and fvcore; other packages that it imports are replaced here)::

    PYTHONPATH=NASLib python tests/data/external_logs/make_naslib.py

Written are a random search whose entries are incumbents, as usual, and one whose entries are its last architectures.
"""

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np

import nasbench_lab as nl

HERE = Path(__file__).parent
EPOCHS = 20


def import_naslib():
    """Import the trainer and an optimizer of NASLib, with replacements for packages that are not installed."""
    sys.modules["naslib.predictors"] = MagicMock(name="naslib.predictors")  # not for current Python
    while True:
        try:
            metric = importlib.import_module("naslib.search_spaces.core.query_metrics").Metric
            trainer = importlib.import_module("naslib.defaults.trainer")
            search = importlib.import_module("naslib.optimizers.discrete.rs.optimizer").RandomSearch
            return trainer.Trainer, metric, search
        except ModuleNotFoundError as error:
            sys.modules[error.name] = MagicMock(name=error.name)
            for name, module in list(sys.modules.items()):
                if name.partition(".")[0] == "naslib" and not isinstance(module, MagicMock):
                    del sys.modules[name]  # half imported


def main():
    trainer_class, metric, search_class = import_naslib()
    import torch

    table = nl.load("digits/topology")
    names = {
        metric.TRAIN_ACCURACY: "train_accuracy",
        metric.VAL_ACCURACY: "valid_accuracy",
        metric.TEST_ACCURACY: "test_accuracy",
        metric.TRAIN_TIME: "seconds",
    }

    class Cell(torch.nn.Module):
        """A cell of the table, as NASLib's search spaces are used by its optimizers."""

        QUERYABLE = True
        OPTIMIZER_SCOPE = ()

        def clone(self):
            return Cell()

        def sample_random_architecture(self, dataset_api=None):
            self.index = np.random.randint(table.space.size)  # noqa: NPY002 - what NASLib seeds

        def query(self, wanted, dataset=None, epoch=-1, dataset_api=None):
            measured = table.query(self.index)
            return measured if wanted is metric.RAW else measured[names[wanted]]

    class Search(search_class):
        def get_model_size(self):
            return 0

    class Trainer(trainer_class):
        def _setup_checkpointers(self, *_arguments, **_options):
            self.periodic_checkpointer = SimpleNamespace(step=lambda _epoch: None)
            return 0

    for incumbents in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            settings = SimpleNamespace(epochs=EPOCHS, fidelity=-1, seed=1, checkpoint_freq=EPOCHS)
            config = SimpleNamespace(dataset="cifar10", search=settings, save=folder, save_arch_weights=False)
            optimizer = Search(config)
            optimizer.before_training = optimizer.after_training = lambda: None
            optimizer.adapt_search_space(Cell(), scope=())
            Trainer(optimizer, config).search(report_incumbent=incumbents)
            target = HERE / f"naslib-{'incumbents' if incumbents else 'last'}"
            target.mkdir(exist_ok=True)
            shutil.copy(Path(folder) / "errors.json", target)


if __name__ == "__main__":
    main()
