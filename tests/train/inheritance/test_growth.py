"""Networks that grow from small to large."""

import numpy as np
import pytest
import torch

from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import LayerChainSpace
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.inheritance import grow, growth_path
from nasbench_lab.train.networks import layer_chain_network
from nasbench_lab.train.recipes import TrainingRecipe

RECIPE = TrainingRecipe("short", 1, 60, 0.01, optimizer="adamw")
SPACE = LayerChainSpace(
    [["conv3x3-2", "conv5x5-3"], ["relu", "tanh"], ["max-pool"], ["identity", "conv3x3-3"], ["relu", "identity"]]
)
SMALL, LARGE = "conv3x3-2|relu|max-pool|identity|identity", "conv5x5-3|relu|max-pool|conv3x3-3|relu"


def test_a_path_changes_one_code_at_a_time():
    path = growth_path(SPACE, SMALL, LARGE)
    assert (path[0], path[-1], len(path)) == (SMALL, LARGE, 4)
    codes = SPACE.codes(SPACE.parse(path))
    assert ((codes[1:] != codes[:-1]).sum(axis=1) == 1).all()


def test_there_is_no_path_to_another_function():
    with pytest.raises(ParameterError, match="cannot compute what the parent computes"):
        growth_path(SPACE, SMALL, "conv5x5-3|tanh|max-pool|conv3x3-3|relu")
    with pytest.raises(ParameterError, match="cannot compute what the parent computes"):
        growth_path(SPACE, LARGE, SMALL)


def test_a_grown_network_starts_where_the_smaller_one_ended():
    growth = grow(SPACE, growth_path(SPACE, SMALL, LARGE), digits(), RECIPE, epochs=[2, 1, 1, 1], seed=3)
    assert [stage.architecture for stage in growth.stages][-1] == LARGE
    assert growth.epochs == 5
    images = torch.randn(4, 1, 8, 8)
    for smaller, larger in zip(growth.stages, growth.stages[1:], strict=False):
        start = layer_chain_network(larger.architecture.split("|"), image=(1, 8, 8)).eval()
        start.load_state_dict(larger.inherited.state)
        with torch.no_grad():
            assert torch.allclose(start(images), smaller.trained.network(images), atol=1e-4)
    assert growth.seconds > sum(stage.trained.seconds for stage in growth.stages)  # growing costs time, too
    columns = growth.records().to_dict()
    assert columns["epoch"] == [1, 2, 3, 4, 5]
    assert columns["seconds"][-1] == pytest.approx(growth.seconds)
    assert growth.network(images).shape == (4, 10)


def test_growth_stops_where_it_does_not_help(monkeypatch):
    accuracy = iter([50.0, 60.0, 55.0, 58.0, 99.0])

    class Trained:
        network = layer_chain_network(SMALL.split("|"), image=(1, 8, 8))
        curve = {"seconds": np.ones(1), "valid_accuracy": np.ones(1)}  # noqa: RUF012
        seconds = 1.0

        def __init__(self):
            self.metrics = {"valid_accuracy": next(accuracy)}

    from nasbench_lab.train.inheritance import growth

    monkeypatch.setattr(growth, "train", lambda *_arguments, **_options: Trained())
    found = grow(SPACE, [SMALL] * 5, digits(), RECIPE, epochs=1, patience=2)
    assert len(found.stages) == 4


@pytest.mark.parametrize(
    ("path", "epochs", "reason"),
    [
        ([], 1, "at least one architecture"),
        ([SMALL, LARGE], [1], "needs as many numbers of epochs, got 1"),
        ([SMALL], 0, "epochs must be"),
        ([LARGE, SMALL], 1, "cannot compute what the parent computes"),
    ],
)
def test_bad_settings_are_refused_before_any_training(path, epochs, reason, monkeypatch):
    from nasbench_lab.train.inheritance import growth

    monkeypatch.setattr(growth, "train", None)
    with pytest.raises(ParameterError, match=reason):
        grow(SPACE, path, digits(), RECIPE, epochs=epochs)
