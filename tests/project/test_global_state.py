"""What belongs to the whole process is after a call of the package what it was before."""

import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import sklearn.ensemble  # noqa: F401 - sets environment variables and filters of warnings when it is imported

import nasbench_lab as nl
from nasbench_lab.files import atomic_folder, atomic_path
from nasbench_lab.report import regret_figure, save_figure, write_result
from nasbench_lab.suites.stored_results import open_results
from nasbench_lab.testing import BaselineCheck, synthetic_table

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGABRT)


def umask():
    """Only setting it tells what it was."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def torch_state():
    torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    newer = (matmul.fp32_precision, cudnn.conv.fp32_precision) if hasattr(matmul, "fp32_precision") else ()
    return {
        "cudnn": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        "precision": newer or (torch.get_float32_matmul_precision(), cudnn.allow_tf32),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "random": torch.get_rng_state().tolist(),
    }


def process_state():
    return {
        "umask": umask(),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "folder": Path.cwd(),
        "warnings": list(warnings.filters),
        "signals": {number: signal.getsignal(number) for number in SIGNALS},
        "profiler": (sys.getprofile(), sys.gettrace()),
        "recursion": sys.getrecursionlimit(),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": (logging.root.level, len(logging.root.handlers)),
        "random": random.getstate(),
        "numpy": (np.geterr(), np.geterrcall(), np.get_printoptions()),
        "numpy random": np.random.get_state()[1].tolist() + list(np.random.get_state()[2:]),  # noqa: NPY002
        "matplotlib": dict(mpl.rcParams),
    }


def assert_unchanged(call, snapshot):
    before = snapshot()
    call()
    after = snapshot()
    assert {name: after[name] for name in before if after[name] != before[name]} == {}


def searched(strategy="random-search", runs=3):
    return nl.simulate(synthetic_table(), strategy, runs=runs, budget=nl.Budget(evaluations=10))


def write_file(folder):
    with atomic_path(folder / "file.txt") as temporary:
        temporary.write_text("text")


def write_folder(folder):
    with atomic_folder(folder / "folder") as temporary:
        (temporary / "file.txt").write_text("text")


def fail_to_write(folder):
    with pytest.raises(ZeroDivisionError), atomic_path(folder / "file.txt"):
        1 / 0  # noqa: B018 - raises


def simulate_a_model(folder):
    searched("local-search")
    searched("bananas", runs=1)


def save_results(folder):
    write_result([searched()], folder / "results")
    open_results(folder / "results")


def draw(folder):
    save_figure(regret_figure([searched()]), folder, "regret")


def check_a_baseline(folder):
    check = BaselineCheck("random-search", "synthetic/chain", nl.Budget(evaluations=10), runs=8)
    check.write(folder / "baseline.json")
    check.against(folder / "baseline.json")


def refuse(folder):
    with pytest.raises(nl.NasbenchLabError):
        nl.load(folder / "missing.h5")


CALLS = (write_file, write_folder, fail_to_write, simulate_a_model, save_results, draw, check_a_baseline, refuse)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_the_process_is_left_as_it_was(call, tmp_path, monkeypatch):
    # Settings that nobody has by default, so that setting a default is noticed, too.
    monkeypatch.setitem(mpl.rcParams, "font.size", 11.5)
    with np.errstate(under="warn"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="of a user")
        assert_unchanged(lambda: call(tmp_path), process_state)


@pytest.mark.parametrize("adapter", ["optuna", "nevergrad"])
def test_optimisers_of_others_leave_the_process_as_it_was(adapter, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = pytest.importorskip(adapter)
    from nasbench_lab.adapters import OptunaSearch, nevergrad_search

    strategy = OptunaSearch("RandomSampler") if adapter == "optuna" else nevergrad_search("OnePlusOne", 10)
    searched(strategy, runs=1)  # what the library does once, when it is first used, is its own
    assert_unchanged(lambda: searched(strategy, runs=2), process_state)
    if adapter == "optuna":
        library.logging.set_verbosity(library.logging.ERROR)
        assert_unchanged(lambda: searched(strategy, runs=2), lambda: {"level": library.logging.get_verbosity()})
        library.logging.set_verbosity(library.logging.INFO)


def test_writing_never_sets_the_umask(tmp_path, monkeypatch):
    """Not even for a moment, in which another thread could create a file."""
    monkeypatch.setattr(os, "umask", lambda _mask: pytest.fail("os.umask is called"))
    write_file(tmp_path)
    write_folder(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o002])
def test_files_and_folders_have_the_modes_of_ordinary_ones(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_file(tmp_path)
        write_folder(tmp_path)
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"file.txt": 0o666 & ~mask, "folder": 0o777 & ~mask, "folder/file.txt": 0o666 & ~mask}


def test_threads_that_write_at_the_same_time_get_files_of_their_own(tmp_path):
    def write(number):
        with atomic_path(tmp_path / "same.txt") as temporary:
            temporary.write_text(str(number) * 1000)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["same.txt"]
    assert len(set((tmp_path / "same.txt").read_text())) == 1


class TestTorch:
    """Settings of torch, which a script may have changed before it trains here."""

    @pytest.fixture(autouse=True)
    def settings_of_a_user(self):
        torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")
        cudnn = torch.backends.cudnn
        before = cudnn.benchmark, cudnn.deterministic, torch.get_float32_matmul_precision(), torch.get_rng_state()
        cudnn.benchmark, cudnn.deterministic = True, False
        torch.set_float32_matmul_precision("high")
        torch.manual_seed(99)
        yield
        cudnn.benchmark, cudnn.deterministic = before[:2]
        torch.set_float32_matmul_precision(before[2])
        torch.set_rng_state(before[3])

    def training(self, device="cpu"):
        from nasbench_lab.train.datasets import digits
        from nasbench_lab.train.networks import topology_network
        from nasbench_lab.train.recipes import TrainingRecipe
        from nasbench_lab.train.training import Training

        def build(copies):
            return topology_network([3] * 6, channels=2, cells=1, image_channels=1, copies=copies)

        return Training(build, digits(), TrainingRecipe("short", 2, 100, 0.1), [0, 1], device=device)

    def train(self, device="cpu"):
        training = self.training(device)
        training.finish()
        training.predict("test")

    def test_training(self):
        self.train()  # what scikit-learn and torch set when they are first used is theirs
        assert_unchanged(self.train, lambda: {**process_state(), **torch_state()})

    @pytest.mark.cuda
    def test_training_on_a_gpu(self):
        if not pytest.importorskip("torch").cuda.is_available():
            pytest.skip("needs an NVIDIA GPU")
        self.train("cuda")
        assert_unchanged(lambda: self.train("cuda"), torch_state)

    def test_between_two_epochs_the_settings_are_those_of_the_user(self):
        expected = torch_state()
        assert [torch_state() == expected for _ in self.training().epochs()] == [True, True]

    def test_arithmetic_of_a_gpu(self):
        """The settings exist without a GPU, too."""
        import torch

        from nasbench_lab.train.devices import reproducible_arithmetic

        cudnn = torch.backends.cudnn

        def use():
            with pytest.raises(ZeroDivisionError), reproducible_arithmetic(torch.device("cuda")):
                assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
                if hasattr(torch.backends.cuda.matmul, "fp32_precision"):
                    assert torch.backends.cuda.matmul.fp32_precision == cudnn.conv.fp32_precision == "ieee"
                else:
                    assert torch.get_float32_matmul_precision() == "highest"
                    assert not cudnn.allow_tf32
                1 / 0  # noqa: B018 - raises

        assert_unchanged(use, torch_state)

    def test_measuring_costs(self):
        import torch

        from nasbench_lab.train.complexity import multiply_additions
        from nasbench_lab.train.hardware_costs import measure_costs

        frozen = torch.nn.BatchNorm2d(3).eval()  # as in fine-tuning, in a network that trains
        network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), frozen, torch.nn.Dropout())

        def measure():
            multiply_additions(network, (1, 8, 8))
            measure_costs(network, (1, 8, 8), passes=1)

        state = {name: value.clone() for name, value in network.state_dict().items()}
        assert_unchanged(measure, torch_state)
        assert [module.training for module in network] == [True, False, True]
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
