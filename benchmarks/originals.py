"""Run original implementations of strategies beside ours, and print the mean test regret of both.

Both search the same tables with the same budget, and run r observes the same stream of repeats. The results are in
``docs/design/originals.md``. Install the originals into an environment of their own::

    python -m venv originals
    originals/bin/pip install . optuna==5.0.0 smac==2.4.0 "scikit-learn<1.7"
    originals/bin/pip install --no-deps DEHB==0.1.2  # its dependencies want an older NumPy
    git clone https://github.com/naszilla/naszilla

    originals/bin/python benchmarks/originals.py smac --runs 20 --table nats-bench-tss/cifar10
    originals/bin/python benchmarks/originals.py local-search --runs 500 --table digits/topology --naszilla naszilla

naszilla imports TensorFlow and more, which its local search does not use. They are replaced by empty modules.
"""

import argparse
import importlib
import logging
import queue
import sys
import tempfile
import threading
import types
from pathlib import Path
from unittest import mock

import numpy as np

import nasbench_lab as nl
from nasbench_lab.adapters import OptunaSearch, ask_tell_search


class Smac3:
    """The facade of SMAC3 for hyper-parameters, with its defaults, and one evaluation per architecture."""

    def __init__(self, cardinalities, seed, evaluations):
        import ConfigSpace
        import smac

        logging.disable()  # it warns whenever its local searches find fewer than eight new architectures
        space = ConfigSpace.ConfigurationSpace(seed=seed)
        self._names = [f"code{place:02}" for place in range(len(cardinalities))]
        for name, number in zip(self._names, cardinalities, strict=True):
            space.add(ConfigSpace.CategoricalHyperparameter(name, list(range(number))))
        folder = Path(tempfile.mkdtemp(prefix="smac3-"))
        scenario = smac.Scenario(
            space, deterministic=True, n_trials=evaluations, seed=seed, output_directory=folder, n_workers=1
        )
        self._value = smac.runhistory.dataclasses.TrialValue
        self._facade = smac.HyperparameterOptimizationFacade(
            scenario, target_function=_not_called, overwrite=True, logging_level=False
        )

    def ask(self):
        self._trial = self._facade.ask()
        return [self._trial.config[name] for name in self._names]

    def tell(self, _point, loss):
        self._facade.tell(self._trial, self._value(cost=loss))


def _not_called(config, seed=0):
    """Stand for the function that SMAC3 minimises: it is told the costs."""
    raise NotImplementedError


class InThread:
    """A search that calls a function to evaluate, in a thread that waits for values. A subclass defines `search`."""

    def __init__(self, space, random, options):
        self.space, self.random, self.options = space, random, options
        self._asked, self._told = queue.Queue(), queue.Queue()
        threading.Thread(target=self.search, daemon=True).start()

    def evaluate(self, architecture):
        """Return the loss of an architecture."""
        self._asked.put(int(architecture))
        return -self._told.get()

    def ask(self):
        return self._asked.get()

    def tell(self, _architecture, value):
        self._told.put(value)


class Naszilla(InThread):
    """``local_search`` of naszilla, with its defaults except for the given parameters."""

    def __init__(self, space, random, options, **parameters):
        self._parameters = parameters
        super().__init__(space, random, options)

    def search(self):
        unused = ("meta_neural_net", "bo.bo.probo", "gcn.model", "gcn.train_gcn", "acquisition_functions")
        for name in ("tensorflow", *(f"naszilla.{module}" for module in unused)):
            sys.modules.setdefault(name, mock.MagicMock())
        if str(self.options.naszilla) not in sys.path:
            sys.path.insert(0, str(self.options.naszilla))
        self._seen = set()
        face = types.SimpleNamespace(get_hash=int, get_nbhd=self._neighbors, query_arch=self._query)
        module = importlib.import_module("naszilla.nas_algorithms")
        module.local_search(face, total_queries=self.options.evaluations, verbose=0, **self._parameters)

    def _neighbors(self, architecture, mutate_encoding):
        return self.random.permutation(self.space.neighbors(architecture))

    def _query(self, architecture=None, **_options):
        if architecture is None:
            architecture = self.random.integers(self.space.size)
        # It draws random architectures until one is new. Values of the others are not used.
        loss = np.inf if int(architecture) in self._seen else self.evaluate(architecture)
        self._seen.add(int(architecture))
        return {"spec": architecture, "val_loss": loss}


class Dehb(InThread):
    """``DE`` of the authors of DEHB, with the parameters of their paper on architecture search."""

    def search(self):
        from dehb.optimizers import DE

        numbers = np.array(self.space.cardinalities)

        def loss(vector, **_options):
            codes = np.minimum((vector * numbers).astype(int), numbers - 1)
            architecture = int(self.space.find(codes))
            return {"fitness": np.inf if architecture < 0 else self.evaluate(architecture), "cost": 1.0}

        seed, folder = int(self.random.integers(2**31)), tempfile.mkdtemp(prefix="dehb-")
        parameters = {"pop_size": 20, "mutation_factor": 0.5, "crossover_prob": 0.5, "strategy": "rand1_bin"}
        DE(f=loss, dimensions=len(numbers), seed=seed, output_path=folder, **parameters).run(
            generations=self.options.evaluations
        )


GREEDY = {"stop_at_minimum": False, "query_full_nbhd": True}
ORIGINALS = {
    "smac": lambda options: ask_tell_search(lambda *of_run: Smac3(*of_run, options.evaluations), "smac3"),
    "tpe": lambda _options: OptunaSearch("TPESampler"),
    "local-search": lambda options: lambda space, random: Naszilla(space, random, options),
    "greedy-search": lambda options: lambda space, random: Naszilla(space, random, options, **GREEDY),
    "differential-evolution": lambda options: lambda space, random: Dehb(space, random, options),
}


def main():
    """Compare one strategy on some tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strategy", choices=sorted(ORIGINALS))
    parser.add_argument("--table", action="append", required=True)
    parser.add_argument("--runs", type=int, default=20, help="of the original")
    parser.add_argument("--our-runs", type=int, default=200)
    parser.add_argument("--evaluations", type=int, default=150)
    parser.add_argument("--naszilla", type=Path, help="folder of a clone")
    options = parser.parse_args()
    budget = nl.Budget(evaluations=options.evaluations)
    for name in options.table:
        table, original = nl.load(name), ORIGINALS[options.strategy](options)
        theirs = []
        for run in range(options.runs):  # one at a time: it takes seconds to minutes, and what is done is shown
            trace = nl.simulate(table, original, runs=1, first_run=run, budget=budget)
            theirs.append(trace.regret("test")[0, -1])
            print(f"{name}  run {run}: {theirs[-1]:.3f}", file=sys.stderr, flush=True)
        ours = nl.simulate(table, options.strategy, runs=options.our_runs, budget=budget).regret("test")[:, -1]
        for label, regret in (("original", np.array(theirs)), (options.strategy, ours)):
            error = regret.std(ddof=1) / np.sqrt(len(regret))
            print(f"{name}  {label}: {regret.mean():.3f} +- {error:.3f} ({len(regret)} runs)", flush=True)


if __name__ == "__main__":
    main()
