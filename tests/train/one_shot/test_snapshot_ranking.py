"""Rankings over the epochs of training: equal to those of each supernet alone, and nothing is scored twice."""

import json

import numpy as np
import pytest
from command_line import nasbench_lab_here

from nasbench_lab.errors import DataError, ParameterError, SettingWarning, UnknownNameError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from small_supernets import SmallSearches, write_dataset  # noqa: E402

from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402
from nasbench_lab.train.one_shot import load_supernet, rank_snapshots, ranking, snapshot_path, snapshot_scores  # noqa: E402
from nasbench_lab.train.one_shot.snapshot_scores import scores_path  # noqa: E402

ONE = {"runs": (0,), "epochs": (1,)}


@pytest.fixture
def small(tmp_path):
    return SmallSearches(tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """The architectures that were really scored."""
    counted = []
    original = snapshot_scores.score

    def score(supernet, batches, architectures, split):
        counted.extend(architectures)
        return original(supernet, batches, architectures, split)

    monkeypatch.setattr(snapshot_scores, "score", score)
    return counted


def test_snapshots_rank_as_their_supernets_do_and_only_once(small, calls):
    folder, table = small.write("a"), small.table
    told = []
    found = rank_snapshots(folder, architectures=8, progress=lambda *done: told.append(done))
    known = np.flatnonzero(np.arange(table.space.size) != 5)
    assert found.networks == len(np.unique(representatives(table.space)[known]))
    assert (found.table, found.architectures, told[-1]) == ("small", 8, (32, 32))
    assert len(calls) == 32
    (curve,) = found.curves
    assert (curve.label, curve.runs, curve.epochs.tolist()) == ("spos", (0, 1), [1, 2])
    assert curve.seconds.tolist() == [[1.5, 3.0]] * 2
    for run in (0, 1):
        for place, epoch in enumerate((1, 2)):
            supernet = load_supernet(snapshot_path(folder, run, epoch))
            alone = ranking(supernet, table, architectures=8, dataset=small.dataset)
            assert curve.values()[run, place] == alone.valid.kendall[1.0]
            assert curve.values("regret", 5, "test")[run, place] == alone.test.regret[5]
    again = rank_snapshots(folder, architectures=8)
    assert len(calls) == 32
    np.testing.assert_array_equal(again.curves[0].values(), curve.values())
    everything = rank_snapshots(folder, architectures=None)
    assert everything.architectures == found.networks
    assert len(calls) == 4 * found.networks, "only what was missing is scored"
    assert rank_snapshots(folder, architectures=8, split="test").split == "test"
    assert len(calls) == 4 * found.networks + 32


def test_a_killed_ranking_continues(small, calls, monkeypatch):
    folder = small.write("a", **ONE)
    monkeypatch.setattr(snapshot_scores, "_AT_ONCE", 2)

    def stop(done, total):
        if done == 4 < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank_snapshots(folder, architectures=7, progress=stop)
    assert len(calls) == 4
    found = rank_snapshots(folder, architectures=7)
    assert len(calls) == len(set(calls)) == 7
    supernet = load_supernet(snapshot_path(folder, 0, 1))
    alone = ranking(supernet, small.table, architectures=7, dataset=small.dataset)
    np.testing.assert_array_equal(found.last("spos").scored.scores, alone.scores)


def test_scores_of_another_supernet_or_data_set_are_not_used(small, calls, tmp_path):
    folder = small.write("a", **ONE)
    first = rank_snapshots(folder, architectures=8)
    small.write("a", **ONE, first=7)
    second = rank_snapshots(folder, architectures=8)
    assert len(calls) == 16
    assert not np.array_equal(first.last("spos").scored.scores, second.last("spos").scored.scores)
    rank_snapshots(folder, architectures=8, dataset=write_dataset(tmp_path / "other.npz", seed=1))
    assert len(calls) == 24
    small.write("a", **ONE, dataset=None)
    with pytest.raises(ParameterError, match="do not say on which data set"):
        rank_snapshots(folder, architectures=8)
    write_dataset(small.dataset, seed=2)
    small.write("a", **ONE, first=9)
    with pytest.raises(DataError, match="images differ"):
        rank_snapshots(folder, architectures=8)


@pytest.mark.parametrize("content", [b"hello", b"", None])
def test_damaged_scores_are_computed_again(content, small, calls):
    folder = small.write("a", **ONE)
    expected = rank_snapshots(folder, architectures=4).last("spos").scored.scores
    kept = scores_path(snapshot_path(folder, 0, 1), "valid")
    kept.write_bytes(kept.read_bytes()[:-100] if content is None else content)
    with pytest.warns(SettingWarning, match="is damaged and written again"):
        found = rank_snapshots(folder, architectures=4)
    np.testing.assert_array_equal(found.last("spos").scored.scores, expected)
    assert len(calls) == 8


@pytest.mark.filterwarnings("ignore:.*is damaged")
def test_scores_that_cannot_be_written_are_used_all_the_same(small):
    folder = small.write("a", **ONE)
    scores_path(snapshot_path(folder, 0, 1), "valid").mkdir()
    with pytest.warns(SettingWarning, match="the scores are not kept"):
        assert rank_snapshots(folder, architectures=4).architectures == 4


def test_several_folders_have_a_label_each(small):
    first = small.write("a/first", **ONE)
    small.write("a/second", **ONE)
    small.write("a/third", method="", **ONE)
    found = rank_snapshots(small.home / "a", architectures=3)
    assert found.labels == ("spos (first)", "spos (second)", "third")
    other = small.write("b/first", **ONE)
    assert len(set(rank_snapshots([first, other, first], architectures=3).labels)) == 2
    small.write("a/first", runs=(1,), epochs=(1,), method="fairnas")
    with pytest.raises(DataError, match="supernets of several methods: fairnas, spos"):
        rank_snapshots(first)


def test_the_table_must_be_known_and_one(small):
    first = small.write("a", **ONE)
    second = small.write("b", table="digits/chain", **ONE)
    with pytest.raises(ParameterError, match=r"several tables: .*, 'digits/chain'; rank them apart"):
        rank_snapshots([first, second])
    with pytest.raises(ParameterError, match="one of the space 'layer-chain', but table 'digits/chain'"):
        rank_snapshots(second, architectures=3)
    small.write("b", table="", **ONE)
    with pytest.raises(ParameterError, match="give it"):
        rank_snapshots(second)
    small.write("b", table="my-own", **ONE)
    with pytest.raises(UnknownNameError, match="give its file"):
        rank_snapshots(second)
    assert rank_snapshots(second, table=small.table, architectures=3).architectures == 3
    with pytest.raises(DataError, match="is not a folder"):
        rank_snapshots(small.home / "missing")
    snapshot_path(second, 0, 1).write_bytes(b"hello")
    with pytest.raises(DataError, match="epoch-0001"):
        rank_snapshots(second)


def test_the_command(small):
    home, folder, other = small.home, small.write("spos"), small.write("fair", epochs=(1,), method="fairnas", first=5)
    common = ("one-shot", "rank", folder, "--pick", "3")
    done = nasbench_lab_here(
        *(*common, "--figure", home / "a.pdf", "--scatter", home / "b.png", "--csv", home / "c.csv", "--all")
    )
    assert done.returncode == 0, done
    title, _, header, *rows = done.stdout.splitlines()
    size = rank_snapshots(folder, architectures=None).networks
    assert title == f"small: {size} of {size} networks, scored on the validation images, ranked by validation values"
    columns = "method epochs runs Kendall top half top fifth top tenth precision@3 regret@1 regret@3 seconds"
    assert header.split() == columns.split()
    assert [row.split()[:3] for row in rows[:2]] == [["spos", "1", "2"], ["spos", "2", "2"]]
    assert {path.name for path in home.glob("?.*")} == {"a.pdf", "b.png", "c.csv"}
    assert len((home / "c.csv").read_text().splitlines()) == 5
    both = nasbench_lab_here(*common, other, "--truth", "test").stdout.splitlines()
    assert [row.split()[:2] for row in both[3:5]] == [["spos", "2"], ["fairnas", "1"]], "the last epochs"
    for words, message in (
        (("--sample", "3", "--all"), "--all and --sample exclude each other"),
        (("--figure", "a.jpg"), "must end in"),
        (("--axis", "steps"), "unknown axis 'steps'"),
        (("--truth", "train"), "unknown kind of true values 'train'"),
        (("--split", "train"), "split must be"),
        (("--scatter", "a.png", other), "--scatter shows one supernet"),
        (("--highlight", "mine", "--figure", "a.png"), "unknown strategy to highlight"),
        ((home / "missing",), "is not a folder"),
    ):
        failed = nasbench_lab_here(*common, *words)
        assert (failed.returncode, failed.stdout) == (2, ""), words
        assert message in failed.stderr.splitlines()[-1]


def test_the_command_prints_json(small):
    folder = small.write("spos")
    done = nasbench_lab_here("one-shot", "rank", folder, "--sample", "6", "--json")
    found = json.loads(done.stdout)
    assert set(found) == {"table", "split", "architectures", "networks", "rows", "files"}, "as docs/shell.md says"
    assert (found["architectures"], len(found["rows"]), found["files"]) == (6, 2, [])
    rows = rank_snapshots(folder, architectures=6).curves[0]
    for place, row in enumerate(found["rows"]):
        assert (row["method"], row["epoch"], row["runs"]) == ("spos", place + 1, 2)
        for name, measure, at, truth in (
            ("kendall", "kendall", 1.0, "valid"),
            ("test_spearman_top_half", "spearman", 0.5, "test"),
            ("regret_5", "regret", 5, "valid"),
        ):
            values = rows.values(measure, at, truth)[:, place]
            assert row[name]["estimate"] == (None if np.isnan(values).any() else pytest.approx(values.mean()))
