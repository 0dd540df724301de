"""The face of `nasbench_lab.train`: networks of architectures, one training, and saved weights."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.tables import subset

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from torch import nn  # noqa: E402

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.build.spec import BuildSpec  # noqa: E402
from nasbench_lab.train.build.worker import Worker  # noqa: E402
from nasbench_lab.train.complexity import parameters  # noqa: E402
from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.datasets.image_shapes import image_shape  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe, recipe  # noqa: E402

SHORT = TrainingRecipe("short", 2, 100, 0.1, average=0.5)
SMALL = {"channels": 2, "cells": 1}
LAYERS = [["conv3x3-2", "identity"], ["relu"], ["dense-8", "tanh"]]


def states_equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_importing_the_package_does_not_import_torch():
    code = (
        "import sys, nasbench_lab.train as t; from nasbench_lab.train.callbacks import Callback; "
        "assert 'torch' not in sys.modules; assert 'network' in dir(t); sys.modules['torch'] = None\n"
        "try: t.network\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "nasbench_lab.train.network needs torch: pip install 'nasbench-lab[torch]'"


@pytest.mark.parametrize("name", ["digits/topology", "digits/cell101", "digits/chain"])
def test_the_network_of_a_table_is_the_one_that_was_trained_for_it(name):
    table = nl.load(name)
    for index in np.random.default_rng(0).choice(table.space.size, 5, replace=False).tolist():
        network = train.network(name, index)
        assert parameters(network) == table.query(index)["parameters"]
        assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize(
    ("space", "architecture", "image", "classes", "count"),
    [
        ("topology", 11, (3, 32, 32), 10, 802_426),  # counts as published
        ("size", "8:8:8:16:32", (3, 32, 32), 10, 49_202),
        (spaces.ChainSpace("012", 8), "02012100", (3, 32, 32), 10, 890_666),
        (spaces.LayerChainSpace(LAYERS), "identity|relu|dense-8", (3, 32, 32), 10, (3 * 32 * 32 + 1) * 8 + 90),
        (spaces.Cell101Space(4), 1, (3, 32, 32), 10, None),
    ],
)
def test_every_space_with_networks_gives_one(space, architecture, image, classes, count):
    network = train.network(space, architecture)
    assert count in (None, parameters(network))
    assert network.eval()(torch.zeros(2, *image)).shape == (2, classes)


def test_the_data_set_gives_the_shape():
    own = digits()
    assert image_shape("digits") == (own.image, own.classes)
    by_name, by_data = (train.network("topology", 5, dataset=data) for data in ("digits", own))
    assert states_equal(by_name.state_dict(), by_data.state_dict())
    assert parameters(by_name) == nl.load("digits/topology").query(5)["parameters"]
    assert train.network("topology", 5, dataset="cifar100", **SMALL)(torch.zeros(2, 3, 32, 32)).shape == (2, 100)
    assert train.network("topology", 5, image=(1, 4, 4), classes=3, **SMALL)(torch.zeros(2, 1, 4, 4)).shape == (2, 3)


def test_a_seed_gives_the_same_initial_weights_and_leaves_torch_alone():
    torch.manual_seed(9)
    state = torch.get_rng_state()
    one, same, other = (train.network("topology", 77, seed=seed, **SMALL).state_dict() for seed in (4, 4, 5))
    assert states_equal(one, same)
    assert not states_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_sample_has_the_networks_of_its_parent():
    table = nl.load("digits/topology")
    small = subset(table, [5, 1462])
    assert states_equal(train.network(small, 1).state_dict(), train.network(table, 1462).state_dict())


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("gnn", 3), {}, ParameterError, "no networks for the space 'gnn'; there are for .*topology"),
        (("topology", 15_625), {}, OutOfSpaceError, "15625"),
        (("topology", "|none|"), {}, OutOfSpaceError, "none"),
        (("topolgy", 3), {}, UnknownNameError, "unknown"),
        (("topology", 3), {"channel": 3}, ParameterError, "a network takes channels and cells"),
        (("topology", 3), {"channels": 0}, ParameterError, "a network takes channels and cells"),
        (("size", 3), {"channels": 3}, ParameterError, "a network takes no options"),
        (("topology", 3), {"seed": -1}, ParameterError, "seed must be at least 0"),
        (("topology", 3), {"dataset": "digit"}, UnknownNameError, "did you mean 'digits'"),
        (("topology", 3), {"dataset": 7}, ParameterError, "a data set must be a name"),
    ],
)
def test_networks_that_do_not_exist(arguments, options, error, message):
    with pytest.raises(error, match=message) as caught:
        train.network(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_table_of_networks_with_other_options_is_not_guessed():
    import dataclasses

    table = nl.load("digits/topology")
    renamed = nl.Table(
        dataclasses.replace(table.description, name="mine/topology"), {m: table.values(m) for m in table.metrics}
    )
    with pytest.raises(ParameterError, match=r"built otherwise \(.* give dataset= and the options"):
        train.network(renamed, 11)
    assert parameters(train.network(renamed, 11, dataset="digits")) == table.query(11)["parameters"]


def test_one_training_is_the_repeat_of_a_build():
    """The oracle is the training of two seeds side by side, as builds do it."""
    spec = BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, SHORT, (3, 8), network=SMALL)
    together = Worker(spec, spec.make_space(), digits()).train((1462, 2))
    network = train.network("topology", 1462, dataset="digits", seed=8, **SMALL)
    result = train.train(network, "digits", SHORT, seed=8)
    for name in ("train_loss", "valid_accuracy", "test_loss"):
        np.testing.assert_allclose(result.curve[name], together[name][1], rtol=1e-3, err_msg=name)
    frame = result.to_frame()
    assert frame["epoch"].tolist() == [1, 2]
    assert frame["test_accuracy"].iloc[-1] == result.metrics["test_accuracy"]
    assert result.seconds == pytest.approx(frame["seconds"].sum())
    assert 0 <= result.metrics["test_f1"] <= 100
    assert "test accuracy" in repr(result)


def test_the_given_network_stays_as_it_is():
    network = train.network("topology", 1462, dataset="digits", **SMALL)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    one, same = (train.train(network, "digits", SHORT) for _ in range(2))
    assert states_equal(network.state_dict(), before)
    assert states_equal(one.weights, same.weights)
    assert not states_equal(one.weights, before)
    assert one.description.options == SMALL


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (nn.Linear(3, 3), {}, "does not take images of shape"),
        (nn.Flatten(), {}, r"must give 10 scores per image of 'digits', got \(2, 64\)"),
        (7, {}, "give a network, or a pair"),
        (("topology",), {}, "give a network, or a pair"),
        (("gnn", 3), {}, "no networks"),
        (("digits/chain", 3), {"device": "tpu"}, "device 'tpu'"),
        (("digits/chain", 3), {"precision": "half"}, "unknown precision 'half'"),
        (("digits/chain", 3), {"epochs": 0}, "epochs must be at least 1"),
        (("digits/chain", 3), {"seed": 0.5}, "seed must be a whole number"),
        (("digits/chain", 3), {"recipe": "digit"}, "did you mean 'digits'"),
        (("digits/chain", 3), {"callbacks": print}, "a callback needs the methods"),
    ],
)
def test_trainings_that_do_not_fit(given, options, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message) as caught:
        train.train(given, "digits", **options)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def result():
    return train.train(("digits/chain", 321), "digits", SHORT, seed=2)


@pytest.fixture
def saved(result, tmp_path):
    return result.save(tmp_path / "chain.pt")


def test_loaded_networks_predict_what_was_measured(result, saved):
    network = train.load(saved)
    details = json.loads(saved.with_suffix(".json").read_text())
    data = digits()
    mean, deviation = (torch.tensor(details["normalisation"][name])[:, None, None] for name in ("mean", "deviation"))
    images = torch.from_numpy(data.test.images).float() / (255 if data.test.images.dtype == np.uint8 else 1)
    with torch.no_grad():
        predicted = network((images - mean) / deviation).argmax(1).numpy()
    assert 100 * (predicted == data.test.labels).mean() == pytest.approx(result.metrics["test_accuracy"])
    assert details["recipe"]["epochs"] == 2
    assert details["seed"] == 2
    assert details["dataset"]["sha256"] == data.digest()
    assert details["metrics"]["test_accuracy"] == result.metrics["test_accuracy"]
    assert details["network"]["architecture"] == nl.load("digits/chain").space.format(321)
    assert len(details["curve"]["valid_loss"]) == 2
    assert states_equal(torch.load(saved, weights_only=True), result.weights), "plain torch reads them, too"


def test_networks_of_your_own_get_their_weights_back(tmp_path):
    own = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    result = train.train(own, "digits", SHORT)
    path = result.save(tmp_path / "own.pt")
    with pytest.raises(ParameterError, match="a network of your own"):
        train.load(path)
    again = train.load(path, nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    assert states_equal(again.state_dict(), result.weights)
    with pytest.raises(DataError, match="do not fit the network") as caught:
        train.load(path, nn.Linear(3, 3))
    assert "\n" not in str(caught.value)
    with pytest.raises(ParameterError, match=r"must end in \.pt"):
        result.save(tmp_path / "own.bin")


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_nothing_in_a_file_of_weights_is_executed(saved, capsys):
    import hashlib

    content = pickle.dumps(Evil())
    saved.write_bytes(content)
    details = saved.with_suffix(".json")
    details.write_text(json.dumps(json.loads(details.read_text()) | {"sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(DataError, match="is not a file of weights") as caught:
        train.load(saved)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def changed(saved, **changes):
    details = saved.with_suffix(".json")
    details.write_text(json.dumps(json.loads(details.read_text()) | changes))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.unlink(), r"cannot read .*chain\.pt: No such file"),
        (lambda path: path.with_suffix(".json").unlink(), "cannot read the details"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is damaged, or not the file"),
        (lambda path: path.with_suffix(".json").write_text("{"), "is not a JSON file"),
        (lambda path: path.with_suffix(".json").write_text("[" * 100_000), "is not a JSON file"),
        (lambda path: path.with_suffix(".json").write_text("7"), "does not have the details"),
        (lambda path: changed(path, format_version=2), "format version 2"),
        (lambda path: changed(path, network=7), "description of a network must have"),
        (lambda path: changed(path, network={}), "description of a network must have"),
    ],
)
def test_damaged_weights_are_refused_in_one_line(saved, harm, message):
    harm(saved)
    with pytest.raises(DataError, match=message) as caught:
        train.load(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("space", {"name": "topologies"}),
        ("space", {"name": "chain"}),
        ("space", 7),
        ("architecture", "x|y"),
        ("architecture", 7),
        ("image", [1, 8]),
        ("image", [1, 8, -1]),
        ("image", "abc"),
        ("classes", 2**40),
        ("options", {"channels": 3}),
        ("options", [3]),
    ],
)
def test_descriptions_of_networks_that_make_no_sense(saved, part, value):
    network = json.loads(saved.with_suffix(".json").read_text())["network"]
    changed(saved, network=network | {part: value})
    with pytest.raises(DataError, match=r"chain\.json: ") as caught:
        train.load(saved)
    assert "\n" not in str(caught.value)


def test_a_training_that_fails_says_so(tmp_path):
    result = train.train(("digits/chain", 5), "digits", TrainingRecipe("wild", 2, 100, 1e30))
    assert result.failed
    assert "failed" in repr(result)
    path = result.save(tmp_path / "failed.pt")
    assert json.loads(path.with_suffix(".json").read_text())["failed"] is True


def test_a_training_resumes_from_its_checkpoint(tmp_path):
    class Stop(train.callbacks.Callback):
        def on_epoch(self, run, epoch, values):
            raise KeyboardInterrupt

    seen = []

    class Note(train.callbacks.Callback):
        def on_epoch(self, run, epoch, values):
            seen.append(epoch)

    options = {"seed": 1, "checkpoint": tmp_path / "state.pt"}
    with pytest.raises(KeyboardInterrupt):
        train.train(("digits/chain", 5), "digits", SHORT, callbacks=Stop(), **options)
    resumed = train.train(("digits/chain", 5), "digits", SHORT, callbacks=Note(), **options)
    whole = train.train(("digits/chain", 5), "digits", SHORT, seed=1)
    assert states_equal(resumed.weights, whole.weights)
    assert seen == [1, 2], "the epoch before the stop is reported, too"


def test_the_default_recipe_is_that_of_the_data_set():
    assert train.train(("digits/chain", 5), epochs=1).details["recipe"]["name"] == recipe("digits").name
