"""Callbacks: what they are told, that their errors harm nothing, and the three loggers."""

import re
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from small_builds import SPEC

from nasbench_lab.errors import CallbackWarning, OutputError, ParameterError, UnknownNameError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train.build import BuildSpec, ExecutionOptions, assemble, build, read_spec  # noqa: E402
from nasbench_lab.train.build.followed_units import FollowedUnits  # noqa: E402
from nasbench_lab.train.build.run import units  # noqa: E402
from nasbench_lab.train.callbacks import Callback, MLflow, TensorBoard, TrainingRun, WandB, logger  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402
from nasbench_lab.train.training import QUANTITIES  # noqa: E402

SHORT = TrainingRecipe("short", 2, 100, 0.1)
RUN = TrainingRun("topology 7, seed 0", "mine/topology", "|a|b|", "topology", "digits", SHORT, 0)
OTHER = TrainingRun("topology 7, seed 1", "mine/topology", "|a|b|", "topology", "digits", SHORT, 1)


class Recorder(Callback):
    def __init__(self):
        self.calls = []

    def on_start(self, run):
        self.calls.append(("start", run.name))

    def on_epoch(self, run, epoch, values):
        self.calls.append((epoch, run.name, values))

    def on_end(self, run, metrics, status):
        self.calls.append(("end", run.name, metrics, status))


class Failing(Recorder):
    def __init__(self, method):
        super().__init__()
        self.method = method
        setattr(self, method, self.fail)

    def fail(self, *_):
        self.calls.append("failed")
        raise RuntimeError("disk\nis full")


def test_a_training_tells_its_start_epochs_and_end():
    recorder = Recorder()
    result = train.train(("digits/chain", 5), "digits", SHORT, seed=3, callbacks=recorder, name="first try")
    start, *epochs, end = recorder.calls
    assert start == ("start", "first try")
    assert [(number, name) for number, name, _ in epochs] == [(1, "first try"), (2, "first try")]
    for number, _, values in epochs:
        assert values == {name: result.curve[name][number - 1] for name in QUANTITIES}
    assert end == ("end", "first try", dict(result.metrics), "finished")


@pytest.mark.parametrize("method", ["on_start", "on_epoch", "on_end"])
def test_a_callback_that_fails_does_not_harm_the_training(method):
    failing, other = Failing(method), Recorder()
    with pytest.warns(
        CallbackWarning, match=f"Failing failed in {method} .*disk.*training goes on without it"
    ) as caught:
        result = train.train(("digits/chain", 5), "digits", SHORT, callbacks=[failing, other])
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert not result.failed
    assert len(other.calls) == 4
    assert failing.calls[-1] == "failed", "it is not called again"


def test_runs_that_are_stopped_are_closed():
    class Stop(Recorder):
        def on_epoch(self, run, epoch, values):
            raise KeyboardInterrupt

    stop, other = Stop(), Recorder()
    with pytest.raises(KeyboardInterrupt):
        train.train(("digits/chain", 5), "digits", SHORT, callbacks=[other, stop])
    assert [calls[0] for calls in (stop.calls[-1], other.calls[-1])] == ["end", "end"]
    assert other.calls[-1][2:] == ({}, "stopped")


def test_a_failed_training_is_told_without_the_missing_numbers():
    recorder = Recorder()
    train.train(("digits/chain", 5), "digits", TrainingRecipe("wild", 2, 100, 1e30), callbacks=recorder)
    assert recorder.calls[-1][-1] == "failed"
    assert all(np.isfinite(list(call[2].values())).all() for call in recorder.calls if len(call) > 2)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SPEC.replace("sample = 7", "sample = 2"))
    return read_spec(path)


def test_a_build_calls_in_this_process_with_one_run_per_seed(spec, tmp_path):
    recorder, failing = Recorder(), Failing("on_epoch")
    with pytest.warns(CallbackWarning, match="Failing failed"):
        build(spec, tmp_path / "work", how=ExecutionOptions(processes=1, callbacks=(recorder, failing)))
    table = assemble(spec, tmp_path / "work")
    names = [f"topology {unit[0]}, seed {seed}" for unit in units(spec) for seed in (0, 1)]
    for name in names:
        own = [call for call in recorder.calls if call[1] == name]
        assert [call[0] for call in own] == ["start", 1, 2, "end"]
        assert own[-1][3] == "finished"
        measured = table.values("test_accuracy")[..., int(name[-1])]
        assert np.float32(own[2][2]["test_accuracy"]) in measured[:, 1]
        assert own[-1][2]["seconds"] == pytest.approx(own[1][2]["seconds"] + own[2][2]["seconds"])
    assert len(recorder.calls) == 4 * len(names)
    build(spec, tmp_path / "work", how=ExecutionOptions(processes=1, callbacks=(recorder,)))
    assert len(recorder.calls) == 4 * len(names), "nothing was trained, so there is nothing to tell"


def arrays(seeds, epochs, first=0):
    values = np.arange(first, first + epochs, dtype=float) + 10 * np.arange(seeds)[:, None]
    return {name: values.copy() for name in QUANTITIES}


def test_epochs_arrive_once_and_in_order_however_late_the_messages_are(spec):
    recorder = Recorder()
    unit = units(spec)[0]
    with FollowedUnits((recorder,), spec) as followed:
        followed._epochs(unit, 0, arrays(2, 1))
        followed._epochs(unit, 0, arrays(2, 2))  # a process that resumes sends all epochs of the checkpoint
        followed.finish(unit, {**arrays(2, 4), "failed": np.array([False, True])})
        followed._epochs(unit, 3, arrays(2, 1, first=3))  # late
    for seed, status in ((0, "finished"), (1, "failed")):
        own = [call for call in recorder.calls if call[1].endswith(f"seed {seed}")]
        assert [call[0] for call in own] == ["start", 1, 2, 3, 4, "end"]
        assert [call[2]["train_loss"] for call in own[1:5]] == [10 * seed + epoch for epoch in range(4)]
        assert own[-1][3] == status


def test_a_build_that_is_stopped_closes_its_runs(spec):
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt), FollowedUnits((recorder,), spec) as followed:
        followed._epochs(units(spec)[0], 0, arrays(2, 1))
        raise KeyboardInterrupt
    assert [call[-1] for call in recorder.calls if call[0] == "end"] == ["stopped", "stopped"]


def test_budgets_are_separate_runs():
    from nasbench_lab.train.build.followed_units import run_of

    budgets = BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, SHORT, (0, 7), (4, 12))
    names = {run_of(budgets, (5, epochs), seed).name for epochs in (4, 12) for seed in (0, 7)}
    assert len(names) == 4
    assert run_of(budgets, (5, 4), 0).recipe.epochs == 4


def log_two(callback):
    for run in (RUN, OTHER):
        callback.on_start(run)
    for epoch in (1, 2):
        for run in (RUN, OTHER):
            callback.on_epoch(run, epoch, {"valid_accuracy": 50.0 + epoch + run.seed, "train_loss": 0.5})
    callback.on_end(RUN, {"test_accuracy": 88.0}, "finished")
    callback.on_end(OTHER, {}, "stopped")


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_files_have_the_curves(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log_two(TensorBoard(tmp_path / "runs"))
    log_two(TensorBoard(tmp_path / "runs"))
    folders = sorted(path.relative_to(tmp_path / "runs").as_posix() for path in (tmp_path / "runs").glob("*/*"))
    names = ["mine-topology/topology-7-seed-0", "mine-topology/topology-7-seed-1"]
    assert folders == sorted([*names, *(f"{name}-2" for name in names)]), "the second time does not mix with the first"
    for seed, name in enumerate(names):
        found = accumulator.EventAccumulator(str(tmp_path / "runs" / name)).Reload()
        events = found.Scalars("valid_accuracy")
        assert [(event.step, event.value) for event in events] == [(1, 51.0 + seed), (2, 52.0 + seed)]
        text = found.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
        assert "| dataset | digits |" in text
    first = accumulator.EventAccumulator(str(tmp_path / "runs" / names[0])).Reload()
    assert first.Scalars("end/test_accuracy")[0].value == 88.0


@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_the_runs(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    log_two(MLflow(tmp_path / "runs"))
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'runs/mlflow.db'}")
    experiment = client.get_experiment_by_name("mine/topology")
    assert Path(experiment.artifact_location.removeprefix("file://")) == tmp_path / "runs/artifacts"
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert runs.keys() == {RUN.name, OTHER.name}
    assert (runs[RUN.name].info.status, runs[OTHER.name].info.status) == ("FINISHED", "KILLED")
    assert runs[RUN.name].data.params["recipe.epochs"] == "2"
    assert runs[RUN.name].data.metrics["end.test_accuracy"] == 88.0
    curve = client.get_metric_history(runs[OTHER.name].info.run_id, "valid_accuracy")
    assert [(point.step, point.value) for point in curve] == [(1, 52.0), (2, 53.0)]
    with pytest.raises(OutputError, match="MLflow cannot use") as caught:
        MLflow("no-such-scheme://x")
    assert "\n" not in str(caught.value)


class StandInWandb(types.ModuleType):
    """The part of wandb that is used, with what it was given."""

    def __init__(self):
        super().__init__("wandb")
        self.runs = []

    def init(self, **options):
        run = types.SimpleNamespace(options=options, rows=[], summary={}, code=None)
        run.log = lambda values, step: run.rows.append((step, values))
        run.finish = lambda exit_code: setattr(run, "code", exit_code)
        self.runs.append(run)
        return run


def test_wandb_gets_the_runs(monkeypatch, tmp_path):
    """With a stand-in: wandb is not among the requirements of the tests. If it is there, see the next test."""
    stand_in = StandInWandb()
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    log_two(WandB("nas", mode="offline", folder=tmp_path))
    one, other = stand_in.runs
    assert one.options["project"] == "nas"
    assert one.options["group"] == "mine/topology"
    assert one.options["name"] == RUN.name
    assert one.options["reinit"] == "create_new", "several runs are under way at once"
    assert one.options["config"]["recipe.epochs"] == 2
    assert [step for step, _ in one.rows] == [1, 2]
    assert other.rows[1][1]["valid_accuracy"] == 53.0
    assert one.summary == {"status": "finished", "end.test_accuracy": 88.0}
    assert (one.code, other.code) == (0, 1)


@pytest.mark.filterwarnings("ignore")
def test_wandb_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="needs wandb: pip install wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    log_two(WandB("nas", mode="offline", folder=tmp_path))
    files = list(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(files) == 2
    assert any(RUN.name.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("tensorbord:runs", UnknownNameError, "did you mean 'tensorboard'"),
        ("tensorboard", ParameterError, "must be like tensorboard:FOLDER"),
        ("tensorboard:", ParameterError, "must be like tensorboard:FOLDER"),
        ("", UnknownNameError, "unknown logger"),
    ],
)
def test_loggers_that_do_not_exist(text, error, message):
    with pytest.raises(error, match=message):
        logger(text)


@pytest.mark.parametrize(
    ("kind", "module"), [(TensorBoard, "torch.utils.tensorboard"), (MLflow, "mlflow"), (WandB, "wandb")]
)
def test_a_missing_package_is_named_with_its_extra(kind, module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    extra = kind.__name__.lower()
    with pytest.raises(ParameterError, match=re.escape(f"pip install 'nasbench-lab[{extra}]'")) as caught:
        kind(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [print, Callback, "tensorboard:runs", None, [Callback(), 7]])
def test_what_is_no_callback_is_refused(given):
    with pytest.raises(ParameterError, match="a callback needs the methods"):
        ExecutionOptions(callbacks=given)


def test_a_folder_that_cannot_be_made(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(OutputError, match="cannot make the folder"):
            TensorBoard(tmp_path / "file" / "runs")


def test_weights_of_a_build_side_by_side_are_those_of_networks_alone(spec, tmp_path):
    from nasbench_lab.train.build.saved_units import has_weights, weight_paths
    from nasbench_lab.train.build.worker import Worker
    from nasbench_lab.train.datasets import digits

    data, unit = digits(), units(spec)[0]
    worker = Worker(spec, spec.make_space(), data, weights=tmp_path)
    assert not has_weights(tmp_path, spec, unit)
    found = worker.train(unit)
    assert has_weights(tmp_path, spec, unit)
    for place, path in enumerate(weight_paths(tmp_path, spec, unit)):
        result = train.load(path)
        predicted = _predict(result, data)
        assert 100 * (predicted == data.test.labels).mean() == pytest.approx(found["test_accuracy"][place, -1])


def _predict(network, data):
    mean, deviation = data.statistics()
    scale = 255 if data.test.images.dtype == np.uint8 else 1
    images = (data.test.images / scale - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        return network(torch.from_numpy(images.astype(np.float32))).argmax(1).numpy()
