"""Data sets: official files read safely and divided as published, a user's own arrays, the hardened digits."""

import collections
import importlib
import io
import json
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_files import Official, batch, cifar_module, expect, halves, md5, number, python2_file, split_text

from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError, UnknownNameError
from nasbench_lab.tables.reading import unpickle
from nasbench_lab.train import datasets
from nasbench_lab.train.datasets import Hardening, Split

arrays_module = importlib.import_module("nasbench_lab.train.datasets.user_arrays")
imagenet_module = importlib.import_module("nasbench_lab.train.datasets.imagenet16")
published = importlib.import_module("nasbench_lab.train.datasets.published_files")


@pytest.fixture
def ten(tmp_path, monkeypatch):
    return Official(tmp_path, monkeypatch)


@pytest.fixture
def hundred(tmp_path, monkeypatch):
    return Official(tmp_path, monkeypatch, hundred=True)


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


# --- unpickling -----------------------------------------------------------------------------------------------------


def test_pickles_of_python_2_are_read_without_a_warning():
    content = batch(0, 3, 12)
    read = unpickle.load(python2_file(content), encoding="latin1")
    assert np.array_equal(read["data"], content["data"])
    assert read["labels"] == content["labels"]


@pytest.mark.filterwarnings("ignore:dtype")
def test_the_handwritten_pickles_are_what_pickle_reads_too():
    content = batch(0, 3, 12)
    read = pickle.loads(python2_file(content), encoding="latin1")
    assert np.array_equal(read["data"], content["data"])


# --- CIFAR ----------------------------------------------------------------------------------------------------------


def test_published_checksums():
    assert cifar_module.CIFAR10.archive_md5 == "c58f30108f718f92721af3b95e74349a"
    assert cifar_module.CIFAR100.archive_md5 == "eb9058c3a382ffc7106e4002c42a8d85"
    tables = (cifar_module.CIFAR10.md5s, cifar_module.CIFAR100.md5s, imagenet_module.TRAIN, imagenet_module.VALID)
    md5s = [each for table in tables for each in table.values()]
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in md5s)
    assert len(set(md5s)) == len(md5s) == 6 + 2 + 10 + 1


@pytest.mark.parametrize("form", ["extracted", "archived"])
@pytest.mark.parametrize("direct", [False, True])
def test_cifar10_as_in_nats_bench(ten, form, direct):
    place = getattr(ten, form)()
    dataset = datasets.cifar10(place if direct else ten.folder)
    assert (dataset.name, dataset.classes, dataset.image) == ("cifar10", 10, (3, 32, 32))
    assert number(dataset.train).tolist() == list(range(0, 40, 2))
    assert number(dataset.valid).tolist() == list(range(1, 40, 2))
    assert number(dataset.test).tolist() == list(range(40, 46))
    for split in (dataset.train, dataset.valid, dataset.test):
        assert split.images.dtype == np.uint8
        assert split.images.flags.writeable  # torch warns of others
        assert np.array_equal(split.labels, number(split) % 10)
    assert "cifar-split.txt" in dataset.description
    whole = batch(40, 6, 3072)["data"]
    assert np.array_equal(dataset.test.images, whole.reshape(-1, 3, 32, 32))


def test_cifar10_as_in_nas_bench_101_needs_no_list(ten):
    ten.extracted()
    (ten.folder / "cifar-split.txt").unlink()
    dataset = datasets.cifar10(ten.folder, split="nas-bench-101")
    assert number(dataset.train).tolist() == list(range(32))
    assert number(dataset.valid).tolist() == list(range(32, 40))
    assert number(dataset.test).tolist() == list(range(40, 46))
    with pytest.raises(ParameterError, match="needs no split_file"):
        datasets.cifar10(ten.folder, split="nas-bench-101", split_file="x")


def test_halves_of_the_official_training_images_need_no_list(ten, tmp_path):
    ten.extracted()
    (ten.folder / "cifar-split.txt").unlink()
    dataset = datasets.cifar10(ten.folder, split="halves")
    assert number(dataset.train).tolist() == list(range(20))
    assert number(dataset.valid).tolist() == list(range(20, 40))
    assert number(dataset.test).tolist() == list(range(40, 46))
    assert "20 for train and 20 for valid as in the searches of DARTS" in dataset.description
    with pytest.raises(ParameterError, match="needs no split_file"):
        datasets.cifar10(ten.folder, split="halves", split_file="x")


def test_halves_of_cifar100(hundred):
    hundred.extracted()
    dataset = datasets.cifar100(hundred.folder, split="halves")
    assert [number(split).tolist() for split in (dataset.train, dataset.valid)] == [
        list(range(20)),
        list(range(20, 40)),
    ]
    assert number(dataset.test).tolist() == list(range(40, 52))
    with pytest.raises(UnknownNameError, match="halves"):
        datasets.cifar100(hundred.folder, split="half")


@pytest.mark.parametrize("form", ["extracted", "archived"])
def test_cifar100_divides_the_test_set(hundred, form):
    getattr(hundred, form)()
    dataset = datasets.load({"name": "cifar100", "folder": str(hundred.folder)})
    assert dataset.classes == 100
    assert number(dataset.train).tolist() == list(range(40))
    assert number(dataset.valid).tolist() == list(range(40, 52, 2))
    assert number(dataset.test).tolist() == list(range(41, 52, 2))
    assert all(split.images.flags.writeable for split in (dataset.train, dataset.valid, dataset.test))
    assert datasets.cifar100(hundred.folder).digest() == dataset.digest()


def test_the_archive_and_its_folder_give_the_same(ten):
    archive = ten.archived()
    digest = datasets.cifar10(archive).digest()
    ten.extracted()
    assert datasets.cifar10(ten.folder).digest() == digest


def test_unknown_splits_are_refused(ten):
    for load in (datasets.cifar10, datasets.cifar100):
        with pytest.raises(UnknownNameError, match="nats-bench"):
            load(ten.folder, split="mine")


def test_missing_and_damaged_batches_are_named(ten):
    place = ten.extracted()
    (place / "data_batch_3").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"data_batch_3 is not the published.* md5 is \w{32}, not \w{32}") as error:
        datasets.cifar10(ten.folder)
    one_line(error)
    (place / "data_batch_3").unlink()
    with pytest.raises(DataError, match="lacks data_batch_3; needed: data_batch_1"):
        datasets.cifar10(ten.folder)


def test_an_archive_without_a_batch(ten):
    del ten.files["data_batch_2"]
    release = cifar_module.CIFAR10
    ten.archived()
    ten.monkeypatch.setattr(cifar_module, "CIFAR10", release)
    expect(ten.monkeypatch, cifar_module, "CIFAR10", archive_md5=md5((ten.folder / release.archive).read_bytes()))
    with pytest.raises(DataError, match="lacks data_batch_2 in cifar-10-batches-py"):
        datasets.cifar10(ten.folder)


def test_an_archive_of_another_md5_is_not_opened(ten):
    archive = ten.archived()
    content = bytearray(archive.read_bytes())
    content[-100] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"is not the published cifar-10-python\.tar\.gz") as error:
        datasets.cifar10(archive)
    one_line(error)


@pytest.mark.parametrize("cut", [0, 5, 100, -5000])
def test_truncated_archives(ten, cut):
    """Even with the md5 of the truncated file."""
    archive = ten.archived(cut=cut)
    with pytest.raises(DataError, match="is truncated or corrupt") as error:
        datasets.cifar10(archive)
    one_line(error)


def test_a_member_of_another_md5(ten):
    archive = ten.archived()
    wrong = {**cifar_module.CIFAR10.train, "data_batch_4": "0" * 32}
    expect(ten.monkeypatch, cifar_module, "CIFAR10", train=wrong)
    with pytest.raises(DataError, match=r"data_batch_4 in .* is not the published file"):
        datasets.cifar10(archive)


def test_other_members_of_an_archive_are_passed_over(ten):
    evil = [("../../evil", b"x"), ("/tmp/evil-of-nasbench-lab", b"x"), ("data_batch_1", b"x")]
    before = sorted(ten.folder.rglob("*"))
    archive = ten.archived(*evil, ("cifar-10-batches-py/../cifar-10-batches-py/data_batch_1", b"x"))
    assert len(datasets.cifar10(archive).train) == 20
    assert sorted(ten.folder.rglob("*")) == sorted([*before, archive])
    assert not os.path.exists("/tmp/evil-of-nasbench-lab")  # noqa: PTH110


def test_a_link_in_an_archive_is_not_followed(ten):
    target = ten.folder / "linked.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    expect(ten.monkeypatch, cifar_module, "CIFAR10", archive_md5=md5(target.read_bytes()))
    with pytest.raises(DataError, match="lacks data_batch_1"):
        datasets.cifar10(target)


class Touches:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_hostile_batch_is_refused(ten, tmp_path):
    """Even with its md5."""
    ten.files["data_batch_1"] = pickle.dumps({"data": Touches(tmp_path / "touched"), "labels": [0]}, 2)
    ten.trust()
    ten.extracted()
    with pytest.raises(DataError, match=r"data_batch_1: the pickle asks for \w+.system, which is not allowed") as error:
        datasets.cifar10(ten.folder)
    one_line(error)
    assert not (tmp_path / "touched").exists()


GOOD = batch(0, 4, 3072)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "dictionary with data and labels"),
        ({"data": GOOD["data"]}, "dictionary with data and labels"),
        ({**GOOD, "data": GOOD["data"][:, :-1]}, r"shape \(images, 3072\)"),
        ({**GOOD, "data": GOOD["data"][0]}, r"shape \(images, 3072\)"),
        ({**GOOD, "data": "x"}, r"shape \(images, 3072\)"),
        ({**GOOD, "data": GOOD["data"].astype(float)}, "uint8"),
        ({**GOOD, "data": GOOD["data"].astype(object)}, "uint8"),
        ({**GOOD, "labels": [1, 2, 3]}, "4 whole numbers"),
        ({**GOOD, "labels": [1, 2, 3, 0.5]}, "4 whole numbers"),
        ({**GOOD, "labels": [1, 2, 3, None]}, "4 whole numbers"),
        ({**GOOD, "labels": [1, 2, 3, [4]]}, "4 whole numbers"),
        ({**GOOD, "labels": None}, "4 whole numbers"),
    ],
    ids=range(12),
)
def test_batches_of_another_form(content, message):
    with pytest.raises(DataError, match=f"the file.*{message}") as error:
        published.read_batch(pickle.dumps(content, 2), pixels=3072, labels="labels", file="the file")
    one_line(error)


def test_labels_beyond_the_classes(ten):
    ten.files["test_batch"] = python2_file({**batch(0, 6, 3072), "labels": [0, 1, 2, 3, 4, 10]})
    ten.trust()
    ten.extracted()
    with pytest.raises(DataError, match="labels of the test split must be 0 to 9"):
        datasets.cifar10(ten.folder)


def test_nothing_where_the_data_should_be(tmp_path):
    with pytest.raises(DataError, match=r"has neither cifar-10-batches-py nor cifar-10-python\.tar\.gz"):
        datasets.cifar10(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        datasets.imagenet16_120(tmp_path / "none")


# --- the lists ------------------------------------------------------------------------------------------------------


LISTS = published.SplitFile("list.txt", keys=("a", "b"), head=(0, 2), tail=(7, 9))


def test_a_list_is_looked_for_beside_the_data_or_given(tmp_path):
    (tmp_path / "inner").mkdir()
    places = [tmp_path / "inner", tmp_path]
    with pytest.raises(DataError, match=r"no list\.txt in .*put configs/nas-benchmark/list\.txt of github") as e:
        LISTS.read(10, None, places)
    one_line(e)
    with pytest.raises(DataError, match="cannot read"):
        LISTS.read(10, tmp_path / "other.txt", places)
    for name, given_path in (("list.txt", None), ("other.txt", tmp_path / "other.txt")):
        (tmp_path / name).write_text(split_text("ab", *halves(10)))
        first, second = LISTS.read(10, given_path, places)
        assert (first.tolist(), second.tolist()) == halves(10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be the lists a and b"),
        ("[" * 100_000, "must be the lists a and b"),
        ("[]", "must be the lists a and b"),
        ('{"a": ["int", ["0"]]}', "must be the lists a and b"),
        ('{"a": 1, "b": 2}', "must be the lists a and b"),
        (split_text("ab", ["x"], [1]), "must be the lists a and b"),
        (split_text("ab", ["9" * 30], [1]), "must be the lists a and b"),
        (split_text("ab", *halves(12)), "each of 10 images"),
        (split_text("ab", *halves(8)), "each of 10 images"),
        (split_text("ab", [0, 2, 4, 6, 6], [1, 3, 5, 7, 9]), "each of 10 images"),
        (split_text("ab", [0, 2, 4, 6, 8, 1], [3, 5, 7, 9]), "each of 10 images"),
        (split_text("ab", *halves(10)[::-1]), "does not divide the images as"),
        (split_text("ab", [0, 2, 4, 6, 9], [1, 3, 5, 7, 8]), "does not divide the images as"),
        (split_text("ab", *halves(10))[:-30], "must be the lists a and b"),
    ],
    ids=range(14),
)
def test_other_lists_are_refused(tmp_path, text, message):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=message) as error:
        LISTS.read(10, None, [tmp_path])
    one_line(error)


def test_a_list_is_data_and_never_evaluated(tmp_path):
    (tmp_path / "list.txt").write_text('{"a": __import__("os").system("false")}')
    with pytest.raises(DataError, match="must be the lists"):
        LISTS.read(10, None, [tmp_path])


@pytest.mark.parametrize(
    ("split", "images"),
    [(cifar_module.CIFAR10_SPLIT, 50_000), (cifar_module.CIFAR100_SPLIT, 10_000), (imagenet_module.SPLIT, 6_000)],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_known_of_the_published_lists(tmp_path, split, images):
    """A list that begins and ends as published, in the published form, is read; its length is the published one's."""
    first = [*split.head, *range(split.head[-1] + 1, images)]
    taken = set(split.head) | set(split.tail)
    free = [index for index in range(split.head[-1] + 1, split.tail[0]) if index not in taken]
    below = [index for index in range(split.head[-1]) if index not in taken]
    above = [index for index in range(split.tail[0], images) if index not in taken]
    room = images // 2 - len(split.head) - len(above)
    first = [*split.head, *free[:room], *above]
    second = [*below, *free[room:], *split.tail]
    text = split_text(split.keys, first, second)
    lengths = {50_000: 438_970, 10_000: 78_970, 6_000: 46_970}  # characters of the published files
    keys = sum(len(key) for key in split.keys)
    assert abs(len(text) - keys - lengths[images]) < 20
    (tmp_path / split.name).write_text(text)
    read = split.read(images, None, [tmp_path])
    assert [half.tolist() for half in read] == [first, second]


# --- ImageNet16-120 -------------------------------------------------------------------------------------------------


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    """Ten training files of 30 images and 24 for validation, of classes 1 to 200 in turns."""
    md5s = {}
    for position, name in enumerate([*imagenet_module.TRAIN, *imagenet_module.VALID]):
        content = batch(position * 200, 200, 768, classes=200, start=1)
        content["mean"] = np.zeros(768, dtype=np.uint8)
        (tmp_path / name).write_bytes(python2_file(content) if position % 2 else pickle.dumps(content, 4))
        md5s[name] = md5((tmp_path / name).read_bytes())
    valid = {"val_data": md5s.pop("val_data")}
    monkeypatch.setattr(imagenet_module, "TRAIN", md5s)
    monkeypatch.setattr(imagenet_module, "VALID", valid)
    expect(monkeypatch, imagenet_module, "SPLIT", head=(0, 2), tail=(117, 119))
    (tmp_path / "imagenet-16-120-test-split.txt").write_text(split_text(("xvalid", "xtest"), *halves(120)))
    return tmp_path


def test_imagenet16_120(imagenet):
    dataset = datasets.load({"name": "ImageNet16-120", "folder": imagenet})
    assert (dataset.classes, dataset.image, len(dataset.train)) == (120, (3, 16, 16), 1200)
    assert number(dataset.train).tolist() == [n for n in range(2000) if n % 200 < 120]
    assert number(dataset.valid).tolist() == list(range(2000, 2120, 2))
    assert number(dataset.test).tolist() == list(range(2001, 2120, 2))
    for split in (dataset.train, dataset.valid, dataset.test):
        assert split.images.dtype == np.uint8
        assert np.array_equal(split.labels, number(split) % 200)  # published: 1 to 200
        assert split.images.flags.writeable


def test_halves_of_imagenet16_120(imagenet):
    dataset = datasets.imagenet16_120(imagenet, split="halves")
    numbers = [n for n in range(2000) if n % 200 < 120]
    assert number(dataset.train).tolist() == numbers[:600]
    assert number(dataset.valid).tolist() == numbers[600:]
    assert number(dataset.test).tolist() == list(range(2000, 2120))


def test_imagenet16_120_missing_and_wrong_files(imagenet, monkeypatch):
    monkeypatch.setitem(imagenet_module.VALID, "val_data", "0" * 32)
    with pytest.raises(DataError, match="val_data is not the published file"):
        datasets.imagenet16_120(imagenet)
    content = pickle.dumps({**batch(0, 4, 768), "labels": [0, 1, 2, 3]}, 2)
    (imagenet / "val_data").write_bytes(content)
    monkeypatch.setitem(imagenet_module.VALID, "val_data", md5(content))
    with pytest.raises(DataError, match="labels must be 1 to 1000, got 0 to 3"):
        datasets.imagenet16_120(imagenet)
    (imagenet / "val_data").unlink()
    with pytest.raises(DataError, match="lacks val_data"):
        datasets.imagenet16_120(imagenet)


# --- own arrays -----------------------------------------------------------------------------------------------------


def content(size=20, shape=(6, 7), dtype=np.uint8, classes=3, parts=("train", "valid", "test")):
    random = np.random.default_rng(1)
    result = {}
    for part in parts:
        result[f"{part}_images"] = random.integers(0, 256, (size, *shape)).astype(dtype)
        result[f"{part}_labels"] = np.arange(size) % classes
    return result


def saved(folder, **values):
    np.savez(folder / "mine.npz", **values)
    return folder / "mine.npz"


SHAPES = {"nhw": (6, 7), "nhwc": (6, 7, 3), "nchw": (3, 6, 7)}


@given(
    layout=st.sampled_from(sorted(SHAPES)),
    dtype=st.sampled_from([np.uint8, np.float16, np.float32, np.float64]),
    labels=st.sampled_from([np.uint8, np.int32, np.int64, np.uint64]),
    size=st.integers(3, 12),
    named=st.booleans(),
    compressed=st.booleans(),
)
def test_arrays_round_trip(tmp_path_factory, layout, dtype, labels, size, named, compressed):
    values = content(size, SHAPES[layout], dtype)
    values = {key: value.astype(labels) if key.endswith("labels") else value for key, value in values.items()}
    file = tmp_path_factory.mktemp("arrays") / "mine.npz"
    (np.savez_compressed if compressed else np.savez)(file, **values)
    dataset = datasets.load({"file": str(file), **({"layout": layout} if named else {})})
    assert (dataset.name, dataset.classes, dataset.image) == ("mine", 3, (1 if layout == "nhw" else 3, 6, 7))
    for part in ("train", "valid", "test"):
        split, images = getattr(dataset, part), values[f"{part}_images"]
        assert split.images.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
        assert split.images.flags.c_contiguous
        back = {"nhw": lambda x: x[:, 0], "nhwc": lambda x: np.moveaxis(x, 1, 3), "nchw": lambda x: x}[layout]
        assert np.array_equal(back(split.images), images)
        assert np.array_equal(split.labels, values[f"{part}_labels"])


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=6).filter(lambda counts: max(counts) > 1),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_dividing_is_stratified_and_complete(counts, fraction, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    images = np.arange(len(labels), dtype=np.float32)[:, None, None, None]
    rest, off = arrays_module.divide(Split(images, labels), fraction, seed)
    assert sorted([*rest.images.ravel(), *off.images.ravel()]) == list(range(len(labels)))
    for split in (rest, off):
        numbers = split.images.ravel().astype(int)
        assert np.all(np.diff(numbers) > 0)
        assert np.array_equal(split.labels, labels[numbers])
    for label, count in enumerate(counts):
        got = int(np.sum(off.labels == label))
        assert 0 <= got <= max(count - 1, 0)
        assert abs(got - fraction * count) <= 1
        assert got >= (count > 1)
    again = arrays_module.divide(Split(images, labels), fraction, seed)
    assert np.array_equal(again[1].images, off.images)


def test_validation_is_split_off_where_it_is_missing(tmp_path):
    file = saved(tmp_path, **content(60, parts=("train", "test")))
    dataset = datasets.arrays(file)
    assert (len(dataset.train), len(dataset.valid), len(dataset.test)) == (48, 12, 60)
    assert "0.2 of the training images of every class split off for valid (seed 0)" in dataset.description
    assert datasets.arrays(file).digest() == dataset.digest()
    assert datasets.arrays(file, seed=1).digest() != dataset.digest()
    assert len(datasets.arrays(file, valid_fraction=0.5).valid) == 30
    with pytest.raises(DataError, match="no class has two training images"):
        datasets.arrays(saved(tmp_path, **content(3, parts=("train", "test"))))


def test_a_present_validation_set_is_kept(tmp_path):
    file = saved(tmp_path, **content())
    assert "split off" not in datasets.arrays(file).description
    with pytest.raises(ParameterError, match="only for files without validation images"):
        datasets.arrays(file, valid_fraction=0.5)


def test_ambiguous_layouts_must_be_given(tmp_path):
    for shape in ((3, 6, 3), (5, 6, 7)):
        file = saved(tmp_path, **content(shape=shape))
        with pytest.raises(ParameterError, match="say which with the option layout") as error:
            datasets.arrays(file)
        one_line(error)
        assert datasets.arrays(file, layout="nhwc").image == (shape[2], shape[0], shape[1])
        assert datasets.arrays(file, layout="nchw").image == shape
    with pytest.raises(UnknownNameError, match="nchw"):
        datasets.arrays(file, layout="NCHW")
    with pytest.raises(DataError, match="do not fit the layout nhw "):
        datasets.arrays(file, layout="nhw")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": None}, "lacks train_images; it has"),
        ({"valid_labels": None}, "lacks valid_labels; it has"),
        ({"valid_images": None, "val_images": np.zeros(3)}, "lacks valid_images and must not have val_images; it has"),
        ({"extra": np.zeros(3)}, "must not have extra"),
        ({"train_images": np.zeros(20, np.uint8)}, "3 or 4 axes"),
        ({"train_images": np.zeros((0, 6, 7), np.uint8)}, "do not fit the layout nhw"),
        ({"test_images": np.zeros((20, 6, 7, 1), np.uint8)}, "test_images of shape .* do not fit the layout nhw"),
        ({"test_images": np.zeros((20, 6, 8), np.uint8)}, "images of the test split have shape"),
        ({"train_images": np.zeros((20, 6, 7), np.int64)}, "must be uint8 .* got int64"),
        ({"train_images": np.zeros((20, 6, 7), bool)}, "must be uint8 .* got bool"),
        ({"train_images": np.full((20, 6, 7), np.nan)}, "train_images has pixels that are not finite"),
        ({"train_images": np.full((20, 6, 7), 1e300)}, "train_images has pixels that are not finite"),
        ({"train_images": np.full((20, 6, 7), "a", dtype=object)}, "holds objects"),
        ({"train_labels": np.zeros(19, int)}, "train_labels must be 20 whole numbers"),
        ({"train_labels": np.zeros((20, 1), int)}, r"train_labels must be 20 whole numbers.*\(20, 1\)"),
        ({"train_labels": np.zeros(20)}, "train_labels must be 20 whole numbers"),
        ({"train_labels": np.arange(20) - 1}, "from 0, got -1 to 18"),
        ({"train_labels": np.full(20, 2**63, dtype=np.uint64)}, "from 0, got"),
        ({"train_labels": np.arange(20) + 1}, "no training image has the label 0"),
        ({"train_labels": np.arange(20) % 3 * 2}, "no training image has the label 1, but there are labels up to 4"),
        ({"test_labels": np.arange(20)}, "no training image has the label 3, but there are labels up to 19"),
    ],
    ids=range(21),
)
def test_arrays_of_another_form(tmp_path, changes, message):
    values = {key: value for key, value in {**content(), **changes}.items() if value is not None}
    with pytest.raises(DataError, match=message) as error:
        datasets.arrays(saved(tmp_path, **values))
    one_line(error)


def test_classes_may_be_given(tmp_path):
    values = content()
    file = saved(tmp_path, **{**values, "train_labels": values["train_labels"] + 1})
    assert datasets.arrays(file, classes=7).classes == 7
    with pytest.raises(DataError, match="labels of the train split must be 0 to 2"):
        datasets.arrays(file, classes=3)


@pytest.mark.parametrize(
    "options",
    [{"classes": 0}, {"classes": True}, {"valid_fraction": 0.0}, {"valid_fraction": 1}, {"seed": -1}, {"seed": 1.0}],
)
def test_impossible_options(tmp_path, options):
    with pytest.raises(ParameterError, match=f"{next(iter(options))} must be") as error:
        datasets.arrays(tmp_path / "none.npz", **options)
    one_line(error)


def test_files_that_are_no_arrays(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        datasets.arrays(tmp_path / "none.npz")
    with pytest.raises(DataError, match=r"is no \.npz file"):
        datasets.arrays(tmp_path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"must be an \.npz file"):
        datasets.arrays(tmp_path / "one.npy")
    hostile = tmp_path / "hostile.npz"
    hostile.write_bytes(pickle.dumps(Touches(tmp_path / "touched")))
    with pytest.raises(DataError, match=r"is no \.npz file"):
        datasets.arrays(hostile)
    values = content()
    np.savez(hostile, **{**values, "train_images": np.array([Touches(tmp_path / "touched")], dtype=object)})
    with pytest.raises(DataError, match="holds objects"):
        datasets.arrays(hostile)
    assert not (tmp_path / "touched").exists()


def test_a_header_that_promises_too_much(tmp_path):
    """Nobody has that much memory; the file has 80 bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**6, 1000)}
    )
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        for name in arrays_module._NEEDED:
            archive.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(DataError, match="damaged"):
        datasets.arrays(tmp_path / "mine.npz")


@given(st.data())
def test_damaged_arrays_are_one_line_or_still_whole(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    file = saved(folder, **content(3, (2, 2), classes=1))
    damaged = bytearray(file.read_bytes())
    position = data.draw(st.integers(0, len(damaged) - 1))
    if data.draw(st.booleans()):
        del damaged[position:]
    else:
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(damaged)
    try:
        datasets.arrays(file)
    except NasbenchLabError as error:
        assert "\n" not in str(error)


# --- by name --------------------------------------------------------------------------------------------------------


def test_loading_by_name(tmp_path):
    assert datasets.load("digits").name == "digits"
    with pytest.raises(UnknownNameError, match="cifar10"):
        datasets.load("cifar-10")
    for name in ("cifar10", "cifar100", "ImageNet16-120", "arrays"):
        with pytest.raises(ParameterError, match=f"data set '{name}' does not take these options") as error:
            datasets.load({"name": name, "place": "x"})
        one_line(error)
    with pytest.raises(ParameterError, match="'cifar10' needs the option folder, as in"):
        datasets.load("cifar10")


def test_paths_are_relative_to_the_specification(tmp_path):
    pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")
    from nasbench_lab.train.build import spec_from

    recipe = {"name": "short", "epochs": 1, "batch": 8, "learning_rate": 0.1}
    known = {"name": "x", "space": {"name": "nats-bench-tss"}, "recipe": recipe, "seeds": 1}

    def paths(**dataset):
        return spec_from({**known, "dataset": dataset}, folder=tmp_path).dataset

    assert paths(name="cifar10", folder="data") == {"name": "cifar10", "folder": str(tmp_path / "data")}
    assert paths(file="/mine.npz", split_file="s.txt") == {"file": "/mine.npz", "split_file": str(tmp_path / "s.txt")}
    assert paths(name="digits") == {"name": "digits"}


# --- digits ---------------------------------------------------------------------------------------------------------


def test_no_original_digit_is_in_two_splits():
    """Without distortion, four times the training images, validation and test are exactly the originals."""
    from sklearn.datasets import load_digits

    still = datasets.digits(Hardening(rotation=0, shift=0, scale=0, shear=0, noise=0))
    originals, labels = load_digits(return_X_y=True)

    def counted(images, labels):
        pixels = np.rint(images.reshape(len(images), -1) * 16).astype(np.uint8)
        return collections.Counter(zip(map(bytes, pixels), labels.tolist(), strict=True))

    train, valid, test = (counted(split.images, split.labels) for split in (still.train, still.valid, still.test))
    assert {count % 4 for count in train.values()} == {0}
    once = collections.Counter({key: count // 4 for key, count in train.items()})
    assert once + valid + test == counted(originals / 16, labels)
    assert (once.total(), valid.total(), test.total()) == (900, 450, 447)


def test_digits_are_the_same_every_time():
    assert datasets.digits().digest() == datasets.digits().digest() == datasets.load("digits").digest()
    assert datasets.digits(Hardening(noise=0)).digest() != datasets.digits().digest()


def test_specifications_are_plain_data(tmp_path):
    """What a table records of its data set can be written as JSON and read again."""
    spec = {"file": str(saved(tmp_path, **content())), "layout": "nhw"}
    assert datasets.load(json.loads(json.dumps(spec))).digest() == datasets.load(spec).digest()
