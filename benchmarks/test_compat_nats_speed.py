"""The faces of NATS-Bench and NAS-Bench-201 beside the official packages, on real architectures, all in memory."""

import bz2
import os
import pickle
from pathlib import Path

import pytest

from nasbench_lab.compat import nas_201_api, nats_bench

MIRROR = os.environ.get("NASBENCH_LAB_MIRROR")
ARCHIVES = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}
CASES = [("tss", "12"), ("tss", "200"), ("sss", "01"), ("sss", "12"), ("sss", "90")]
ARCHITECTURES = (0, 11, 284)

pytestmark = pytest.mark.skipif(not MIRROR, reason="needs published data: set NASBENCH_LAB_MIRROR to a mirror")

METHODS = {
    "get_more_info": lambda api, hp, i: api.get_more_info(i, "cifar100", hp=hp),
    "get_more_info, mean": lambda api, hp, i: api.get_more_info(i, "cifar100", hp=hp, is_random=False),
    "simulate_train_eval": lambda api, hp, i: api.simulate_train_eval(i, "cifar10", hp=hp),
    "query_by_index, get_eval": lambda api, hp, i: [
        trial.get_eval("ori-test") for trial in api.query_by_index(i, "cifar10", hp).values()
    ],
    "query_by_arch": lambda api, hp, i: api.query_by_arch(i, hp),
    "get_cost_info": lambda api, hp, i: api.get_cost_info(i, "cifar10", hp),
}


def archive(space):
    return Path(MIRROR) / "D-X-Y/NATS-Bench/fake_torch_dir" / ARCHIVES[space]


@pytest.fixture(scope="module", params=ARCHIVES)
def faces(request):
    """Name of the contender to its API; everything that will be asked for was asked for once."""
    official = pytest.importorskip("nats_bench")
    path, space = str(archive(request.param)), request.param
    apis = {
        "ours": nats_bench.create(path, space, fast_mode=True, verbose=False),
        "nats_bench": official.create(path, space, fast_mode=True, verbose=False),
    }
    for api in apis.values():
        for index in ARCHITECTURES:
            api.query_by_index(index)
            api.query_index_by_arch(api[index])
    return space, apis


@pytest.mark.parametrize("contender", ["ours", "nats_bench"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hp", ["01", "12", "90", "200"])
def test_query(benchmark, per_item, faces, hp, method, contender):
    space, apis = faces
    if (space, hp) not in CASES:
        pytest.skip("not in this space")
    benchmark.group = f"{space} {hp}: {method}"
    api, ask, times = apis[contender], METHODS[method], 300 if contender == "ours" else 3

    def run():
        for _ in range(times):
            for index in ARCHITECTURES:
                ask(api, hp, index)

    per_item(contender, times * len(ARCHITECTURES), run)


@pytest.mark.parametrize("contender", ["ours", "nats_bench"])
@pytest.mark.parametrize("hp", ["12", "200"])
def test_question_that_was_not_asked_before(benchmark, per_item, faces, hp, contender):
    space, apis = faces
    if (space, hp) not in CASES:
        pytest.skip("not in this space")
    benchmark.group = f"{space} {hp}: get_more_info, never asked before"
    api = apis[contender]
    seeds = api.query_by_index(0, hp=hp).get_dataset_seeds("cifar100")
    questions = [(i, e, seed) for i in ARCHITECTURES for e in range(int(hp)) for seed in seeds]

    def run():
        if contender == "ours":
            api._archive.require("cifar100", hp).answers.clear()
        for index, epoch, seed in questions:
            api.get_more_info(index, "cifar100", epoch, hp, seed)

    per_item(contender, len(questions), run)


@pytest.mark.parametrize("contender", ["ours", "nats_bench"])
def test_index_of_a_notation(benchmark, per_item, faces, contender):
    space, apis = faces
    benchmark.group = f"{space}: query_index_by_arch"  # one dictionary look-up in both: cannot be much faster
    api = apis[contender]
    texts = [api[index] for index in range(1_000)]
    per_item(contender, len(texts), lambda: [api.query_index_by_arch(text) for text in texts])


@pytest.mark.parametrize("contender", ["ours", "nats_bench"])
def test_best_architecture(benchmark, per_item, faces, contender):
    space, apis = faces
    benchmark.group = f"{space}: find_best, an architecture"
    per_item(contender, 3, lambda: apis[contender].find_best("cifar10", "valid", hp="12", enforce_all=False))


@pytest.mark.parametrize("contender", ["ours", "nats_bench"])
def test_opening(benchmark, per_item, faces, contender):
    space, _ = faces
    official = pytest.importorskip("nats_bench")
    benchmark.group = f"{space}: open, and ask for one architecture"
    create = nats_bench.create if contender == "ours" else official.create
    path = str(archive(space))
    per_item(contender, 1, lambda: create(path, space, True, False).get_more_info(0, "cifar10", hp="12"))


@pytest.fixture(scope="module")
def older_faces():
    pytest.importorskip("torch")
    official = pytest.importorskip("nas_201_api")
    path = archive("tss")
    ours = nas_201_api.NASBench201API(path, verbose=False)
    infos = {}
    for index in ARCHITECTURES:
        info = pickle.loads(bz2.decompress((path / f"{index:06d}.pickle.pbz2").read_bytes()))  # noqa: S301 - published
        infos[index] = {"less": info["12"], "full": info["200"]}
    content = {"meta_archs": ours.meta_archs, "arch2infos": infos, "evaluated_indexes": list(infos)}
    return {"ours": ours, "nas_201_api": official.NASBench201API(content, verbose=False)}


@pytest.mark.parametrize("contender", ["ours", "nas_201_api"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hp", ["12", "200"])
def test_query_of_the_older_face(benchmark, per_item, older_faces, hp, method, contender):
    benchmark.group = f"NAS-Bench-201 {hp}: {method}"
    api, ask, times = older_faces[contender], METHODS[method], 300 if contender == "ours" else 3

    def run():
        for _ in range(times):
            for index in ARCHITECTURES:
                ask(api, hp, index)

    per_item(contender, times * len(ARCHITECTURES), run)
