"""The notebooks of the documentation run in an empty kernel, and show figures that are not empty."""

import base64
import io

import matplotlib.image
import nbformat
import pytest
import run_notebooks
from paths import ROOT

PATHS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def outputs(notebook):
    """Yield the mime bundle of every output."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            yield output.get("data", {})


def images(notebook):
    for data in outputs(notebook):
        if "image/png" in data:
            yield matplotlib.image.imread(io.BytesIO(base64.b64decode(data["image/png"])))


def test_there_are_three():
    assert len(PATHS) == 3


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_executed_notebook_shows_its_figures(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    stored = nbformat.read(path, as_version=4)
    executed = run_notebooks.execute(path)
    shown = list(images(executed))
    assert shown
    assert len(shown) == len(list(images(stored)))
    for image in shown:
        assert image[..., :3].std() > 0.05  # an empty page has 0
    assert any("text/html" in data for data in outputs(executed))
    errors = [o for cell in executed.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert not errors


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_stored_outputs_name_no_machine(path):
    text = path.read_text()
    for private in ("/home/", "/tmp/", "/root/", "site-packages"):
        assert private not in text
