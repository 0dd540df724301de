"""Comparing a strategy in lock step with one written for a single run, evaluation by evaluation."""

import numpy as np

import nasbench_lab as nl
from nasbench_lab.simulation.measurements import Measurements
from nasbench_lab.streams import MEASUREMENT, Streams


def assert_agrees(oracle, table, variant, seed, run, evaluations):
    """Three runs of a strategy evaluate what the oracle does, which draws from the same streams."""
    name, parameters = variant
    budget = nl.Budget(evaluations=evaluations)
    trace = nl.simulate(table, name, runs=3, first_run=run, seed=seed, budget=budget, **parameters)
    for position in range(3):
        measurements = Measurements(table, None, "sample")
        draws = Streams(seed, run + position, 1, MEASUREMENT)

        def evaluate(architecture, measurements=measurements, draws=draws):
            return float(measurements.observe(np.array([[architecture]]), draws).value[0, 0])

        history = oracle(table.space, seed, run + position, evaluate, evaluations, **parameters)
        assert trace.architecture[position][trace.mask[position]].tolist() == history
