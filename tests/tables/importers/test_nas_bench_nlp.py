"""NAS-Bench-NLP: every number of the archive at its cell, losses that are not numbers, and damaged archives."""

import collections
import io
import json
import math
import zipfile

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError
from nasbench_lab.tables import find_recipe

ARCHIVE = "fmsnew/nas-bench-nlp-release/train_logs_wikitext-2/logs.zip"
NAME = "nas-bench-nlp/wikitext-2"
COMMUTE = ("linear", "elementwise_sum", "elementwise_prod")


@pytest.fixture
def logs(mirror):
    with zipfile.ZipFile(mirror / ARCHIVE) as archive:
        return [json.loads(archive.read(name)) for name in sorted(archive.namelist())]


def expanded(recipe):
    """What a recipe computes, as nested tuples without names: shared nodes are written out."""
    recipe = json.loads(recipe)

    def expand(name):
        if name not in recipe:
            return name
        inputs = [expand(source) for source in recipe[name]["input"]]
        return (recipe[name]["op"], *(sorted(inputs, key=repr) if recipe[name]["op"] in COMMUTE else inputs))

    return repr([expand(f"h_new_{state}") for state in range(3) if f"h_new_{state}" in recipe])


@pytest.mark.mirror
def test_every_number_is_at_its_cell(logs):
    table = nl.load(NAME)
    trainings = collections.defaultdict(list)
    for log in logs:
        trainings[table.space.parse(log["recepie"])].append(log)
    assert sorted(trainings) == list(range(table.space.size))
    for cell, found in trainings.items():
        assert len({expanded(log["recepie"]) for log in [*found, {"recepie": table.space.format(cell)}]}) == 1
        assert {log["num_params"] / 1e6 for log in found} == {float(table.values("parameters")[cell])}
        for repeat, log in enumerate(found):
            epochs = len(log["val_losses"])
            for metric, key in (("train", "train_losses"), ("valid", "val_losses"), ("test", "test_losses")):
                curve = np.asarray(table.values(f"{metric}_perplexity"))[cell, :, repeat]
                assert np.allclose(curve[:epochs], [math.exp(x) for x in log[key]], rtol=1e-12, equal_nan=True)
                assert np.isnan(curve[epochs:]).all()
            assert table.values("train_seconds")[cell, epochs - 1, repeat] == pytest.approx(sum(log["wall_times"]))
        assert np.isnan(np.asarray(table.values("train_seconds"))[cell, :, len(found) :]).all()
    assert len({expanded(log["recepie"]) for log in logs}) == table.space.size == 265


@pytest.mark.mirror
def test_the_best_cell(logs):
    table = nl.load(NAME)
    finished = [log for log in logs if log["status"] == "OK"]
    losses = collections.defaultdict(list)
    for log in finished:
        losses[expanded(log["recepie"])].append(math.exp(log["val_losses"][-1]))
    best = min(losses, key=lambda cell: np.mean(losses[cell]))
    assert table.optimum("valid") == pytest.approx(np.mean(losses[best])) == pytest.approx(96.49292371695707)
    found = int(np.nanargmin(table.mean_values("valid_perplexity")))
    assert expanded(table.space.format(found)) == best
    assert np.count_nonzero(~np.isnan(table.repeat_values("valid_perplexity"))) == len(finished) == 341


@pytest.mark.mirror
@pytest.mark.parametrize("strategy", ["random-search", "regularized-evolution", "local-search", "hyperband"])
def test_strategies_minimise_perplexity(strategy):
    table = nl.load(NAME)
    trace = nl.simulate(table, strategy, runs=4, budget=nl.Budget(seconds=50 * 10_000))
    assert (trace.final() < np.nanmedian(table.mean_values("test_perplexity"))).all()
    assert (trace.final() >= table.optimum("test")).all()


def rewrite(mirror, change):
    """The archive with its first member changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(mirror / ARCHIVE) as archive, zipfile.ZipFile(target, "w") as changed:
        for place, name in enumerate(sorted(archive.namelist())):
            content = archive.read(name)
            content = change(json.loads(content)) if place == 0 else content
            if content is not None:
                changed.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return target.getvalue()


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: None, "the archive has 344 trainings of 265 cells, not 345"),
        (lambda _: [1, 2], "lacks a field"),
        (lambda _: b"{", "the archive is damaged"),
        (lambda log: {**log, "val_losses": log["val_losses"][1:]}, "curves that are not of 50 epochs"),
        (lambda log: {**log, "val_losses": "high"}, "val_losses of .* is not a list of 1 to 50 numbers"),
        (lambda log: {**log, "val_losses": [math.inf] * 50}, "something else than finite numbers"),
        (lambda log: {**log, "val_losses": [math.nan] * 50}, "a loss that is not a usable number"),
        (lambda log: {**log, "test_losses": [1e6] * 50}, "a loss that is not a usable number"),
        (lambda log: {**log, "wall_times": [-1.0] * 50}, "no possible seconds"),
        (lambda log: {**log, "num_params": 0}, "no possible seconds or number of parameters"),
        (lambda log: {**log, "data": "data/ptb"}, "a training on 'data/ptb', not on data/wikitext-2"),
        (lambda log: {**log, "recepie": 3}, "in place of a recipe"),
        (lambda log: {**log, "recepie": "{}"}, "has another cell: a recipe is a JSON object"),
        (lambda log: {**log, "recepie": "[" * 9_000}, "malformed recipe"),
    ],
)
def test_other_archives_are_refused_in_one_line(mirror, change, reason):
    recipe = find_recipe(NAME)
    with pytest.raises(DataError, match=reason) as caught:
        recipe.importer(recipe.description, [rewrite(mirror, change)])
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.mirror
@pytest.mark.parametrize("length", [0, 100, 800_000])
def test_a_truncated_archive_is_refused(mirror, length):
    recipe = find_recipe(NAME)
    with pytest.raises(DataError, match="the archive is damaged"):
        recipe.importer(recipe.description, [(mirror / ARCHIVE).read_bytes()[:length]])
