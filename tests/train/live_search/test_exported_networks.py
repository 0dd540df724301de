"""Exported networks give the scores of the networks, for batches of any size, from one file."""

import pytest
import torch

from nasbench_lab import train
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.spaces import make_space
from nasbench_lab.train.live_search import exported_networks
from nasbench_lab.train.live_search.exported_networks import check_export, export_network

ARCHITECTURES = [("topology", {}, 1462), ("cell101", {"vertices": 5}, 77), ("darts", {}, 12345678901234567)]


@pytest.fixture
def network():
    """Return a function that makes a small network whose normalisation has seen some images."""

    def make(name, options, architecture):
        found = train.network(make_space({"name": name, **options}), architecture, dataset="digits")
        found.train()(torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
        return found.eval()

    return make


def test_a_torch_export_gives_the_same_scores(network, tmp_path):
    original = network(*ARCHITECTURES[0])
    path = export_network(original, (1, 8, 8), tmp_path / "best", "torch-export")
    loaded = torch.export.load(path).module()
    for batch in (1, 5):
        images = torch.randn(batch, 1, 8, 8, generator=torch.Generator().manual_seed(batch))
        torch.testing.assert_close(loaded(images), original(images))


@pytest.mark.parametrize(("name", "options", "architecture"), ARCHITECTURES, ids=[each[0] for each in ARCHITECTURES])
def test_an_onnx_export_gives_the_same_scores_and_is_one_file(network, tmp_path, name, options, architecture):
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package)
    runtime = pytest.importorskip("onnxruntime")
    original = network(name, options, architecture)
    export_network(original, (1, 8, 8), tmp_path / "best", "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["best.onnx"]
    session = runtime.InferenceSession(str(tmp_path / "best.onnx"))
    for batch in (1, 5):
        images = torch.randn(batch, 1, 8, 8, generator=torch.Generator().manual_seed(batch))
        (scores,) = session.run(["scores"], {"images": images.numpy()})
        torch.testing.assert_close(torch.from_numpy(scores), original(images).detach())


def test_a_format_without_its_packages_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(exported_networks.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ParameterError, match=r"needs onnx and onnxscript: pip install 'nasbench-lab\[onnx\]'"):
        check_export("onnx")
    with pytest.raises(UnknownNameError, match="did you mean 'onnx'"):
        check_export("onx")
