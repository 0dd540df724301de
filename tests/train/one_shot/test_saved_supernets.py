"""Supernets in files: they score as before, they are found by run and epoch, and no file is trusted."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.spaces import Cell101Space, LayerChainSpace, SizeSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from small_supernets import SPACE as CHAIN  # noqa: E402
from small_supernets import write_dataset  # noqa: E402

from nasbench_lab.train.chosen_datasets import load_dataset  # noqa: E402
from nasbench_lab.train.dataset_records import DatasetRecord  # noqa: E402
from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.image_batches import ImageBatches  # noqa: E402
from nasbench_lab.train.one_shot import (  # noqa: E402
    SupernetDetails,
    SupernetTraining,
    UniformPaths,
    find_snapshots,
    load_supernet,
    make_supernet,
    save_supernet,
    score,
    snapshot_path,
)
from nasbench_lab.train.one_shot.saved_supernets import open_supernet  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Path, SplitSupernet  # noqa: E402
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels, widen  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe, recipe  # noqa: E402

SPACE = TopologySpace()
SMALL = {"image": (1, 8, 8), "classes": 10, "options": {"channels": 2, "cells": 1}}
SPACES = {
    "topology": (SPACE, SMALL),
    "size": (SizeSpace(), SMALL | {"options": {}}),
    "cell101": (Cell101Space(3), SMALL | {"options": {"channels": 8, "cells": 1}}),
    "layer-chain": (LayerChainSpace([["conv3x3-4", "max-pool"], ["identity", "dense-6"]]), SMALL | {"options": {}}),
}


@pytest.mark.parametrize(
    ("name", "affine"), [("topology", True), ("size", False), ("cell101", False), ("layer-chain", True)]
)
def test_a_supernet_comes_back_as_it_was(name, affine, tmp_path):
    space, how = SPACES[name]
    supernet = make_supernet(space, **how, seed=3, affine=affine, statistics="recalibrated")
    loaded = load_supernet(save_supernet(tmp_path / "net.pt", supernet))
    assert (loaded.space.spec(), loaded.image, loaded.classes) == (space.spec(), (1, 8, 8), 10)
    assert (loaded.network_options, loaded.statistics, loaded.affine) == (how["options"], "recalibrated", affine)
    before, after = supernet.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not loaded.training
    assert all(value.requires_grad for value in loaded.parameters())


@pytest.mark.parametrize("statistics", ["batch", "running", "recalibrated"])
def test_scores_are_the_same_to_the_last_digit(statistics, tmp_path):
    data = load_dataset(write_dataset(tmp_path / "data.npz"))
    supernet = make_supernet(CHAIN, image=data.image, classes=data.classes, statistics=statistics)
    training = SupernetTraining(supernet, UniformPaths(), data, TrainingRecipe("short", 2, 10, 0.1), 0)
    training.finish()
    loaded = load_supernet(save_supernet(tmp_path / "net.pt", supernet))
    every = range(CHAIN.size)
    np.testing.assert_array_equal(score(loaded, training.batches, every), score(supernet, training.batches, every))
    images, _ = next(training.batches.evaluation(data.valid))
    for codes in CHAIN.codes(every).tolist():
        assert torch.equal(loaded(images, Path(codes)), supernet(images, Path(codes)))


@pytest.mark.parametrize("widened", [False, True])
def test_partial_channels_come_back(widened, tmp_path):
    supernet = make_supernet(
        SPACE, image=(1, 8, 8), classes=10, partial=PartialChannels(4, 2), options={"channels": 4, "cells": 1}
    )
    if widened:
        optimizer = torch.optim.SGD(supernet.parameters(), 0.1)
        widen(supernet, optimizer, np.random.default_rng(0))
    supernet.to(memory_format=torch.channels_last)  # as in trainings
    loaded = load_supernet(save_supernet(tmp_path / "net.pt", supernet))
    images = torch.randn(5, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    codes = SPACE.codes(4321).tolist()
    assert torch.equal(loaded(images, Path(codes)), supernet.eval()(images, Path(codes)))
    assert loaded.partial == PartialChannels(4, 2)
    content = torch.load(tmp_path / "net.pt", weights_only=True)
    name = next(name for name in content["weights"] if name.endswith("_extra_state"))
    torch.save({**content, "weights": {**content["weights"], name: torch.tensor(3)}}, tmp_path / "odd.pt")
    with pytest.raises(DataError, match="not a number of channels"):
        load_supernet(tmp_path / "odd.pt")


@pytest.mark.parametrize("split", [False, True])
def test_split_supernets_come_back(split, tmp_path):
    supernet = SplitSupernet(make_supernet(CHAIN, image=(1, 4, 4), classes=3), 1)
    if split:
        supernet.split(torch.optim.SGD(supernet.parameters(), 0.1))
        with torch.no_grad():
            for number, part in enumerate(supernet.parts):
                for weight in part.parameters():
                    weight.add_(number)
    supernet.to(memory_format=torch.channels_last)  # as in trainings
    loaded = load_supernet(save_supernet(tmp_path / "net.pt", supernet))
    assert repr(loaded) == repr(supernet)
    images = torch.randn(5, 1, 4, 4).contiguous(memory_format=torch.channels_last)
    for codes in CHAIN.codes(range(CHAIN.size)).tolist():
        assert torch.equal(loaded(images, Path(codes)), supernet.eval()(images, Path(codes)))


def test_details_come_back(tmp_path):
    details = SupernetDetails(
        "spos", 30, 7, 12.5, recipe("digits"), DatasetRecord.of("digits"), "digits/topology", {"paths": "uniform"}
    )
    file = save_supernet(tmp_path / "net.pt", make_supernet(SPACE, **SMALL), details)
    found = open_supernet(file)
    assert found.details == details
    assert found.details.dataset.load().digest() == digits().digest()
    assert ImageBatches(found.details.dataset.load(), found.details.recipe, [7], torch.device("cpu")).steps == 6


def test_a_data_set_of_a_file_is_found_again_and_a_changed_one_is_refused(tmp_path, monkeypatch):
    data = digits()
    names = {f"{part}_{kind}": getattr(getattr(data, part), kind) for part in ("train", "test") for kind in ("images",)}
    labels = {f"{part}_labels": getattr(data, part).labels for part in ("train", "test")}
    np.savez(tmp_path / "mine.npz", **names, **labels)
    monkeypatch.chdir(tmp_path)
    record = DatasetRecord.of("mine.npz")
    monkeypatch.chdir("/")
    assert record.load().name == "mine"
    assert DatasetRecord.from_json(json.loads(json.dumps(dataclasses.asdict(record)))) == record
    labels["train_labels"] = labels["train_labels"][::-1]
    np.savez(tmp_path / "mine.npz", **names, **labels)
    with pytest.raises(DataError, match="images differ"):
        record.load()
    memory = DatasetRecord.of(dataclasses.replace(data, name="made"))
    assert memory.source is None
    with pytest.raises(DataError, match="give it with dataset="):
        memory.load()
    assert DatasetRecord.of(data).source == {"name": "digits"}
    assert DatasetRecord.of(dataclasses.replace(data, parts=1)).source is None, "its trainings differ"


def test_snapshots_are_listed_by_run_and_epoch(tmp_path):
    supernet = make_supernet(SPACE, **SMALL)
    for run, epoch in ((10, 5), (2, 12345), (2, 30)):
        save_supernet(snapshot_path(tmp_path, run, epoch), supernet)
    (tmp_path / "supernets/run-2/epoch-0030.valid-scores.npz").touch()
    (tmp_path / "supernets/notes.txt").touch()
    found = find_snapshots(tmp_path)
    assert [(each.run, each.epoch) for each in found] == [(2, 30), (2, 12345), (10, 5)]
    assert found == find_snapshots(tmp_path / "supernets")
    assert not list(tmp_path.rglob(".nasbench*")), "nothing is left behind"
    with pytest.raises(DataError, match="has no supernets; they are at supernets/run-0"):
        find_snapshots(tmp_path / "supernets/run-2")
    with pytest.raises(DataError, match="is not a folder"):
        find_snapshots(tmp_path / "missing")


def test_a_file_is_small_and_float32(tmp_path):
    supernet = make_supernet(SPACE, image=(1, 8, 8), classes=10, options={"channels": 8, "cells": 3})
    file = save_supernet(tmp_path / "net.pt", supernet.double())
    weights = torch.load(file, weights_only=True)["weights"]
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    numbers = sum(value.numel() for value in weights.values())
    assert file.stat().st_size < 4 * numbers + 700 * len(weights)


def test_wrong_arguments(tmp_path):
    supernet = make_supernet(SPACE, **SMALL)
    with pytest.raises(ParameterError, match=r"must end in \.pt"):
        save_supernet(tmp_path / "net.pth", supernet)
    with pytest.raises(ParameterError, match="JSON"):
        save_supernet(tmp_path / "net.pt", supernet, SupernetDetails(notes={"a": object()}))
    with pytest.raises(ParameterError, match="epoch must be at least 0"):
        SupernetDetails(epoch=-1)
    assert not (tmp_path / "net.pt").exists()


def changed(file, out, **changes):
    """Write a file with a changed description; `changes` are values, or functions of the old value."""
    content = torch.load(file, weights_only=True)
    description = json.loads(content["description"])
    for key, value in changes.items():
        description[key] = value(description[key]) if callable(value) else value
    torch.save({**content, "description": json.dumps(description)}, out)
    return out


HOSTILE = {
    "space": [{"name": "size"}, {"name": "nowhere"}, [], {"name": "subset", "parent": {}, "members": ""}, {}],
    "image": [[1, 8], [1, 2**40, 8], "188", None, [1, 8, 8, 8], [0, 8, 8]],
    "classes": [0, 11, 2**60, "ten", None, 10.0],
    "options": [
        *({"channels": 2**62, "cells": 1}, {"channels": 2, "cells": 10**6}, {"channels": 2}, {"nothing": 1}),
        *(None, {"channels": "2", "cells": 1}),
    ],
    "statistics": ["other", None, {}],
    "affine": [True, 0, None],
    "partial": [{"parts": 2, "growth": 1}, {"parts": 0}, {"odd": 1}, 4],
    "split": [1, -1, 99, True, "1"],
    "training": [{}, None, lambda old: old | {"seed": -1}, lambda old: old | {"recipe": {"name": 1}}],
}


@pytest.mark.parametrize("key", HOSTILE)
def test_a_hostile_description_is_refused_in_one_line(key, tmp_path):
    file = save_supernet(tmp_path / "net.pt", make_supernet(SPACE, **SMALL))
    for value in HOSTILE[key]:
        with pytest.raises(DataError) as error:
            load_supernet(changed(file, tmp_path / "changed.pt", **{key: value}))
        assert "\n" not in str(error.value)
        assert "changed.pt" in str(error.value)


class _Harm:
    def __reduce__(self):
        return (open, ("harm.txt", "w"))


def test_foreign_files_are_refused_and_nothing_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = save_supernet(tmp_path / "net.pt", make_supernet(SPACE, **SMALL))
    content = torch.load(file, weights_only=True)
    torch.save({**content, "weights": _Harm()}, "harm.pt")
    torch.save({**content, "weights": {"a": 1}}, "numbers.pt")
    torch.save({**content, "weights": {**content["weights"], "odd\nname": torch.zeros(1)}}, "more.pt")
    torch.save({**content, "format_version": 2}, "newer.pt")
    torch.save({**content, "description": "[" * 10**5}, "deep.pt")
    torch.save({**content, "description": 5}, "number.pt")
    torch.save([1, 2], "list.pt")
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "folder.pt").mkdir()
    with zipfile.ZipFile("zip.pt", "w") as archive:
        archive.writestr("a/b.txt", "c")
    first = next(name for name, value in content["weights"].items() if value.numel() > 1)
    for number, weird in enumerate(
        [torch.zeros(()), torch.zeros(0), content["weights"][first].double(), content["weights"][first][None]]
    ):
        torch.save({**content, "weights": {**content["weights"], first: weird}}, f"weird-{number}.pt")
    for path in [*sorted(tmp_path.glob("*.pt")), tmp_path / "missing.pt"]:
        if path != file:
            with pytest.raises(DataError) as error:
                load_supernet(path)
            assert "\n" not in str(error.value)
            assert path.name in str(error.value)
    assert not (tmp_path / "harm.txt").exists()


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_or_equal(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    space = LayerChainSpace([["max-pool", "dense-2"]])
    supernet = make_supernet(space, image=(1, 2, 2), classes=2)
    content = bytearray(save_supernet(folder / "net.pt", supernet).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    (folder / "net.pt").write_bytes(content)
    try:
        found = load_supernet(folder / "net.pt").state_dict()
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert all(torch.equal(value, found[name]) for name, value in supernet.state_dict().items())
