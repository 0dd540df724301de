"""Zero-cost scores of the topology space and their computation times, from the cached metrics of FreeREA.

A zero-cost score rates an untrained network. FreeREA initialised every network three times and stored the mean of the
three scores, and the sum of the seconds: with initialisation (``_seconds``) and without (``_pure_seconds``). A strategy
that uses a stored score pays ``_seconds``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nats_topology.extra_metrics import ExtraMetrics, indexed_numbers, metric
from nasbench_lab.tables.recipe import Arrays

_SCORES = {
    "synflow": "sum over weights of |weight * its gradient|, input of ones",
    "logsynflow": "sum over weights of |weight * log(its gradient + 1)|, input of ones",
    "naswot": "log-determinant of the overlap of activations on 64 images; -inf where it is singular",
}
_SHA256 = {
    ("cifar10", "synflow"): "3da60c54c70554b230899eca3dfe7dbc04513895de28944434f28b3e88616b18",
    ("cifar10", "logsynflow"): "02ffa0ade7525975b2acb4b3af42a48c21ed7141dac821f80d00a43a889bb94e",
    ("cifar10", "naswot"): "c18f163c0dd1b09a4a520ba6c7b4760015d046dab1ca146762a5c889cbbcafdd",
    ("cifar100", "synflow"): "837b87f72fa64c78a8fcd6f6c1a8b192656e62cbd0e3c6f5be4fcdaa2edab8c0",
    ("cifar100", "logsynflow"): "7058f774bb9194f3c497a9b7918f740be20db48cdd441a692b72edefad0314e4",
    ("cifar100", "naswot"): "c3fd2cc2448b27993b32e60f9ef0ac61d94e9e277363f288793f2d4ce12ef5fc",
    ("ImageNet16-120", "synflow"): "2bdea25fc4f9ebec5f89f80c454bb4965eff16a991a13658cfa521cb19450321",
    ("ImageNet16-120", "logsynflow"): "1aa499e415446177f37792be66285d47184013654bba9d82a3a43fb0d4d0f8c5",
    ("ImageNet16-120", "naswot"): "5bd1e163d0b0776d97e785e28dbd262ea88d34d3bb9c9e608fa7c3cfd4c32762",
}
_WITHOUT_PURE_SECONDS = {("cifar10", "logsynflow")}

CITATION = """@inproceedings{cavagnero2023freerea,
  title     = {{FreeREA}: Training-Free Evolution-based Architecture Search},
  author    = {Cavagnero, Niccol{\\`o} and Robbiano, Luca and Caputo, Barbara and Averta, Giuseppe},
  booktitle = {Proceedings of the IEEE/CVF Winter Conference on Applications of Computer Vision (WACV)},
  pages     = {1493--1502},
  year      = {2023}
}"""

_NOTES = (
    "Zero-cost scores are means of three initialisations, and their seconds what all three took on FreeREA's GPU.",
)


def freerea_file(dataset: str, name: str, sha256: str) -> GitHubFile:
    """Return one of FreeREA's cached metrics of the topology space."""
    path = f"cached_metrics/nats/{dataset}/{name}.csv"
    commit = "9c2a726cd3adf526c43ae52a515a8fc5ea927fe7"
    return GitHubFile("NiccoloCavagnero/FreeREA", commit, path, "MIT", sha256)


def scores(dataset: str) -> ExtraMetrics:
    """Return the zero-cost scores on a data set, for its table."""
    return ExtraMetrics(
        metrics=tuple(metric for score in _SCORES for metric in _metrics(dataset, score)),
        files=tuple(freerea_file(dataset, score, _SHA256[dataset, score]) for score in _SCORES),
        read=partial(_read, dataset),
        citation=CITATION,
        notes=_NOTES,
    )


def _metrics(dataset: str, score: str) -> tuple[Metric, ...]:
    how = "seconds of three initialisations and scores"
    described = [
        metric(score, "", "maximize", f"{_SCORES[score]}; mean of 3 initialisations"),
        metric(f"{score}_seconds", "s", "minimize", how),
        metric(f"{score}_pure_seconds", "s", "minimize", f"{how}, without initialising"),
    ]
    return tuple(m for m in described if m.name in _sources(dataset, score))


def _sources(dataset: str, score: str) -> dict[str, str]:
    """Return the name of every metric of a score to its column in the file."""
    sources = {score: score, f"{score}_seconds": "time=[s]"}
    if (dataset, score) not in _WITHOUT_PURE_SECONDS:
        sources[f"{score}_pure_seconds"] = "time_pure=[s]"
    return sources


def _read(dataset: str, files: Sequence[bytes]) -> Arrays:
    values: Arrays = {}
    for score, data in zip(_SCORES, files, strict=True):
        sources = _sources(dataset, score)
        found = indexed_numbers(data, list(sources.values()))
        values.update({name: found[column] for name, column in sources.items()})
    return values
