"""Figures and result folders."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, OutputError, ParameterError
from nasbench_lab.files import atomic_folder, atomic_path
from nasbench_lab.report import FILES, regret_figure, save_figure, write_result
from nasbench_lab.report.figures.regret import overview_figure
from nasbench_lab.simulation import load_traces
from nasbench_lab.testing import identical, synthetic_table

NAMES = ["local-search", "random-search", "regularized-evolution"]


@pytest.fixture(scope="module")
def traces():
    budget = nl.Budget(evaluations=60)
    timed, untimed = synthetic_table("chain"), nl.load("nas-bench-graph/proteins")
    return [nl.simulate(table, name, runs=30, budget=budget) for table in (timed, untimed) for name in NAMES]


def test_panels_axes_and_legend(traces):
    figure = regret_figure(traces, "both", "both", style="double")
    panels = figure.axes
    assert len(panels) == 6  # a timed table has two rows, the other one; validation and test are the columns
    for panel in panels:
        assert (panel.get_xscale(), panel.get_yscale()) == ("linear", "log")
        assert len([line for line in panel.lines if len(line.get_xdata()) > 2]) == 3
    labels = [panel.get_xlabel() for panel in panels]
    assert labels == ["evaluations"] * 2 + ["simulated seconds"] * 2 + ["evaluations"] * 2
    assert panels[1].get_ylabel().replace("\n", " ") == "test regret, mean over repeats (fraction)"
    assert figure.get_suptitle() == "lines: median of 30 runs; bands: interquartile range"
    assert {text.get_text() for text in panels[1].texts} - {"optimum"} == {*NAMES}


def test_what_is_drawn_is_the_median(traces):
    panel = regret_figure(traces[:1]).axes[0]
    line = max(panel.lines, key=lambda line: len(line.get_xdata()))
    regret = np.sort(traces[0].regret("test"), axis=0)
    median = regret[int(np.ceil(0.5 * len(regret))) - 1]
    reached = median > 0
    assert np.array_equal(line.get_ydata()[reached], median[reached])
    (optimum,) = [text.xy[1] for text in panel.texts if text.get_text() == "optimum"]
    assert (line.get_ydata()[~reached] == optimum).all(), "the optimum is drawn on its line"


def test_the_same_traces_give_the_same_bytes(traces, tmp_path):
    for name in ("one", "two"):
        save_figure(regret_figure(traces, "both", "both"), tmp_path, name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_the_pdf_keeps_its_text(traces, tmp_path):
    pdf, _ = save_figure(regret_figure(traces, "both", "both"), tmp_path, "figure")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf.read_bytes(), re.S)
    assert any(b"Tf" in zlib.decompress(stream) for stream in streams if stream[:1] == b"x"), "no text operators"


@pytest.mark.mirror
@pytest.mark.filterwarnings("ignore::nasbench_lab.SearchOnTestWarning")
def test_a_search_on_test_accuracy_says_so_in_the_figure():
    table = nl.load("nas-bench-macro/cifar10")
    trace = nl.simulate(table, "random-search", runs=9, budget=nl.Budget(evaluations=9))
    panels = regret_figure([trace], "both").axes
    assert [panel.get_title(loc="left") for panel in panels] == ["nas-bench-macro/cifar10, on test"]


def test_figures_that_cannot_be_drawn():
    with pytest.raises(ParameterError, match="no results"):
        regret_figure([])
    options = {"runs": 2, "budget": nl.Budget(evaluations=5)}
    traces = [nl.simulate(synthetic_table("chain"), "random-search", seed=seed, **options) for seed in (0, 1)]
    with pytest.raises(ParameterError, match="'random-search' ran twice on table"):
        regret_figure(traces)


def test_rounding_is_no_regret():
    """Two architectures of cora have the best validation mean but for its last bit; no axis may show the difference."""
    table = nl.load("nas-bench-graph/cora")
    means = table.mean_values("valid_accuracy")
    nearly = np.flatnonzero((means != means.max()) & (means > means.max() - 1e-12))
    assert len(nearly) > 0
    trace = nl.simulate(table, "local-search", runs=4, budget=nl.Budget(evaluations=4000), repeat="mean")
    assert (trace.reference.regret("valid", means[nearly]) == 0).all()
    regret = trace.regret("valid")
    assert ((regret == 0) | (regret > 1e-6)).all()
    assert regret_figure([trace], "valid").axes[0].get_ylim()[0] > 1e-5


def test_panels_that_cannot_be_drawn_say_why():
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    texts = [panel.texts[0].get_text() for panel in overview_figure([empty]).axes]
    assert texts == ["no curves: every strategy has a run\nthat ended before it had a value"]


def test_nothing_is_drawn_where_every_panel_would_be_empty():
    empty = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(seconds=1e-3))
    with pytest.raises(MissingDataError, match="there is nothing to draw: no curves: every strategy has a run that"):
        regret_figure([empty], "both", "both")


def test_searches_that_differ_in_what_they_observe_have_panels_of_their_own():
    options = {"runs": 4, "budget": nl.Budget(evaluations=9)}
    table = synthetic_table("chain")
    searches = [{}, {"fidelity": 4}, {"repeat": "mean"}, {"repeat": 1}]
    traces = [nl.simulate(table, "random-search", **options, **search) for search in searches]
    titles = [panel.get_title(loc="left").replace("\n", " ") for panel in regret_figure(traces).axes]
    observed = ("12, sampled repeats", "4, sampled repeats", "12, mean of repeats", "12, repeat 1")
    epochs = [text.replace(",", " epochs each,") for text in observed]
    assert titles == [f"synthetic/chain ({text})" for text in epochs]


@pytest.mark.parametrize("length", [3, 60, 300])
def test_the_legend_fits_into_the_figure(length):
    class Guess:
        def __init__(self, space, random, label):
            self.space, self.random = space, random

        def ask(self):
            return self.random.integers(self.space.size)

        def tell(self, architecture, value):
            pass

    labels = [str(i) * length for i in range(7)]
    options = {"runs": 2, "budget": nl.Budget(evaluations=4)}
    table = synthetic_table("chain")
    figure = regret_figure([nl.simulate(table, Guess, label=label, **options) for label in labels], kind="both")
    figure.draw_without_rendering()
    legend, page = figure.legends[0].get_window_extent(), figure.bbox
    assert legend.x0 >= page.x0
    assert legend.x1 <= page.x1
    assert legend.y1 <= page.y1 + 1


def test_a_result_folder_is_complete_and_can_be_read_back(traces, tmp_path):
    with atomic_folder(tmp_path / "result") as folder:
        summaries = write_result(traces, folder)
    assert {path.name for path in (tmp_path / "result").iterdir()} == FILES
    assert len(summaries) == len(traces)
    loaded = load_traces(tmp_path / "result" / "traces.h5")
    assert all(identical(one, two) for one, two in zip(traces, loaded, strict=True))


# Atomic files and folders.


def test_an_error_leaves_nothing_behind(tmp_path):
    for context in (atomic_path, atomic_folder):
        with pytest.raises(RuntimeError, match="half-way"), context(tmp_path / "target") as temporary:
            (temporary / "part" if context is atomic_folder else temporary).write_text("half")
            raise RuntimeError("half-way")
        assert list(tmp_path.iterdir()) == []


def test_an_older_folder_is_replaced_only_if_allowed(tmp_path):
    target = tmp_path / "result"
    target.mkdir()
    with atomic_folder(target) as folder:  # an empty folder is not in the way
        (folder / "a").write_text("first")
    with pytest.raises(OutputError, match="already has a; choose another folder"), atomic_folder(target):
        pass
    with atomic_folder(target, replace={"a", "b"}) as folder:
        (folder / "b").write_text("second")
    assert [path.name for path in target.iterdir()] == ["b"]
    (target / "thesis.tex").write_text("do not delete me")
    with (
        pytest.raises(OutputError, match=r"files that are no result \(thesis.tex\)"),
        atomic_folder(target, replace={"b"}),
    ):
        pass
    assert {path.name for path in target.iterdir()} == {"b", "thesis.tex"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_the_current_folder_a_link_and_a_mount_point(tmp_path, monkeypatch):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    monkeypatch.chdir(real)
    for target in (Path(), link, link):
        with atomic_folder(target, replace={"a"}) as folder:
            (folder / "a").write_text(str(target))
        assert [path.name for path in real.iterdir()] == ["a"]
        assert (real / "a").read_text() == str(target)
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_what_a_killed_run_left_behind_is_not_in_the_way(tmp_path):
    target = tmp_path / "result"
    (target / ".nasbench-lab-left").mkdir(parents=True)
    for replace in (None, {"a"}):
        with atomic_folder(target, replace=replace) as folder:
            (folder / "a").write_text("done")
        assert (target / "a").read_text() == "done"
        assert sorted(path.name for path in target.iterdir()) == [".nasbench-lab-left", "a"]


def test_an_error_while_replacing_keeps_the_older_folder(tmp_path):
    target = tmp_path / "result"
    with atomic_folder(target) as folder:
        (folder / "a").write_text("first")
    with pytest.raises(RuntimeError), atomic_folder(target, replace={"a"}) as folder:
        (folder / "a").write_text("second")
        raise RuntimeError
    assert (target / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "result").write_text("")
    with pytest.raises(OutputError, match="it is not a folder"), atomic_folder(tmp_path / "result"):
        pass
    with pytest.raises(OutputError, match="cannot write"), atomic_folder(tmp_path / "result" / "deeper"):
        pass


@pytest.mark.parametrize("evaluations", [1, 5])
@pytest.mark.parametrize("runs", [1, 4])
def test_figures_of_very_little(tmp_path, runs, evaluations):
    """One run, one evaluation, every regret zero, failed trainings: a figure, and no warning."""
    tables = [synthetic_table("chain", constant=True), synthetic_table("tiny"), synthetic_table("chain", failures=0.9)]
    for table in tables:
        trace = nl.simulate(table, "random-search", runs=runs, budget=nl.Budget(evaluations=evaluations))
        for path in save_figure(overview_figure([trace]), tmp_path, "figure"):
            assert path.stat().st_size > 1000
