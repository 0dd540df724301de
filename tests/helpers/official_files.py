"""Small CIFAR data sets in the form of the official files, as Python 2 pickled them."""

import dataclasses
import hashlib
import importlib
import io
import struct
import tarfile

import numpy as np

from nasbench_lab.train import datasets

cifar_module = importlib.import_module("nasbench_lab.train.datasets.cifar")


def python2(value):
    """The opcodes that Python 2's pickle writes for a value, protocol 2: byte strings everywhere, plain integers."""
    if isinstance(value, str):
        text = value.encode("latin1")
        return b"U" + bytes([len(text)]) + text if len(text) < 256 else b"T" + struct.pack("<i", len(text)) + text
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, tuple):
        return b"(" + b"".join(map(python2, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(python2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(python2(key) + python2(item) for key, item in value.items()) + b"u"
    assert value.dtype == np.uint8
    dtype = b"cnumpy\ndtype\n" + python2(("u1", 0, 1)) + b"R(" + python2(3) + python2("|") + b"NNN"
    dtype += python2(-1) + python2(-1) + python2(0) + b"tb"
    data = python2(value.tobytes().decode("latin1"))
    empty = b"cnumpy.core.multiarray\n_reconstruct\n" + b"(cnumpy\nndarray\n" + python2((0,)) + python2("b") + b"tR"
    return empty + b"(" + python2(1) + python2(value.shape) + dtype + python2(False) + data + b"tb"


def python2_file(value):
    return b"\x80\x02" + python2(value) + b"."


def batch(first, images, pixels, labels="labels", classes=10, start=0):
    """A batch of images whose leading bytes are their number."""
    data = np.random.default_rng(first).integers(0, 256, (images, pixels), dtype=np.uint8)
    numbers = np.arange(first, first + images)
    data[:, 0], data[:, 1] = numbers >> 8, numbers & 255
    return {"data": data, labels: [start + int(n) % classes for n in numbers]}


def number(split):
    """The numbers that `batch` wrote into the images."""
    pixels = split.images.reshape(len(split), -1).astype(int)
    return pixels[:, 0] * 256 + pixels[:, 1]


def md5(content):
    return hashlib.md5(content).hexdigest()


def halves(count):
    """Two interleaved halves: even and odd numbers."""
    return list(range(0, count, 2)), list(range(1, count, 2))


def split_text(keys, first, second):
    """As the published lists are written."""
    lists = [f'  "{key}"             : ["int"   , [' for key in keys]
    texts = [", ".join(f'"{index}"' for index in indices) for indices in (first, second)]
    return "{\n" + ",\n".join(f"{start}{text}]]" for start, text in zip(lists, texts, strict=True)) + "\n}"


def expect(monkeypatch, module, name, **changes):
    monkeypatch.setattr(module, name, dataclasses.replace(getattr(module, name), **changes))


class Official:
    """A small CIFAR of the official form in a folder, and md5s that fit."""

    def __init__(self, folder, monkeypatch, hundred=False):
        self.folder, self.monkeypatch = folder, monkeypatch
        self.name, self.load = ("CIFAR100", datasets.cifar100) if hundred else ("CIFAR10", datasets.cifar10)
        self.release = getattr(cifar_module, self.name)
        sizes = {"train": 40, "test": 12} if hundred else dict.fromkeys(self.release.train, 8) | {"test_batch": 6}
        first, self.files = 0, {}
        for name, size in sizes.items():
            content = batch(first, size, 3072, self.release.labels, self.release.classes)
            self.files[name] = python2_file({"batch_label": name, "filenames": ["a.png"] * size, **content})
            first += size
        split = "CIFAR100_SPLIT" if hundred else "CIFAR10_SPLIT"
        keys = getattr(cifar_module, split).keys
        text = split_text(keys, *halves(12 if hundred else 40))
        (folder / getattr(cifar_module, split).name).write_text(text)
        expect(monkeypatch, cifar_module, split, head=(0, 2, 4), tail=((9, 11) if hundred else (37, 39)))
        self.trust()

    def trust(self, **changes):
        """Take the md5s of the files as they are."""
        md5s = {name: md5(content) for name, content in self.files.items()}
        test = {name: md5s.pop(name) for name in self.release.test if name in md5s}
        expect(self.monkeypatch, cifar_module, self.name, train=md5s, test=test, **changes)

    def extracted(self):
        place = self.folder / self.release.folder
        place.mkdir()
        for name, content in self.files.items():
            (place / name).write_bytes(content)
        return place

    def archived(self, *extra, cut=None):
        target = self.folder / self.release.archive
        with tarfile.open(target, "w:gz") as archive:
            for name, content in (*extra, *((f"{self.release.folder}/{n}", c) for n, c in self.files.items())):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        if cut is not None:
            target.write_bytes(target.read_bytes()[:cut])
        self.trust(archive_md5=md5(target.read_bytes()))
        return target
