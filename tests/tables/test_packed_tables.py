"""Packed tables: small, complete, and never wrong."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import quality
from nasbench_lab.analysis.table_quality import between_repeats, rank_correlation
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.report import save_figure, table_figure
from nasbench_lab.tables import bundled_tables, packed_tables, store
from nasbench_lab.tables.table import Table
from nasbench_lab.testing import synthetic_table


@pytest.fixture
def shared():
    """A table in which architectures share their measurements in pairs, but not their parameters."""
    table = synthetic_table("chain")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    for array in values.values():
        if array.ndim > 1:
            array[1::2] = array[:-1:2]
    return Table(table.description, values)


def unpacked(path):
    description, _ = packed_tables.read_header(path)
    return Table(description, *packed_tables.unpack(description, [path.read_bytes()]))


def test_what_is_packed_comes_back(shared, tmp_path):
    path = tmp_path / "small.h5"
    packed_tables.pack(shared, path)
    found = unpacked(path)
    assert found.description == shared.description
    for name in shared.metrics:
        np.testing.assert_array_equal(found.values(name), shared.values(name))
        assert found.values(name).dtype == shared.values(name).dtype
    store.write(shared, tmp_path / "large.h5")
    assert path.stat().st_size < (tmp_path / "large.h5").stat().st_size


def test_packing_is_reproducible(shared, tmp_path):
    packed_tables.pack(shared, tmp_path / "one.h5")
    packed_tables.pack(shared, tmp_path / "two.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_damaged_files_are_refused(shared, tmp_path):
    path = tmp_path / "small.h5"
    packed_tables.pack(shared, path)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    description, _ = packed_tables.read_header(path)
    for position in random.integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << random.integers(8)
        try:
            values, _ = packed_tables.unpack(description, [bytes(damaged)])
        except DataError as error:
            assert "\n" not in str(error)
            continue
        for name in shared.metrics:  # a bit that carries nothing
            np.testing.assert_array_equal(values[name], shared.values(name))
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            unpacked(path)


def test_other_files_are_refused(shared, tmp_path):
    store.write(shared, tmp_path / "table.h5")
    with pytest.raises(DataError, match="not a packed table"):
        packed_tables.read_header(tmp_path / "table.h5")
    with pytest.raises(DataError, match="cannot be read"):
        packed_tables.read_header(tmp_path / "none.h5")


def test_published_means_cannot_be_packed(tmp_path):
    table = synthetic_table("chain")
    name = table.objective.name
    means = {name: np.zeros((table.space.size, len(table.fidelities)))}
    with_means = Table(table.description, {n: table.values(n) for n in table.metrics}, means)
    with pytest.raises(ParameterError, match="published means"):
        packed_tables.pack(with_means, tmp_path / "small.h5")


@pytest.mark.parametrize("recipe", bundled_tables.recipes(), ids=lambda recipe: recipe.description.name)
class TestEmbedded:
    def test_it_is_small(self, recipe):
        assert recipe.files[0].path.stat().st_size < 8e6

    def test_it_tells_architectures_apart(self, recipe):
        """What the project promises of its own tables."""
        table = nl.load(recipe.description.name)
        found = quality(table)
        assert found.architectures == table.space.size
        assert 75 <= found.best <= 98
        assert found.ties < 0.01
        assert found.between_seeds >= 0.8
        third = next(p for p, epochs in enumerate(table.fidelities) if 3 * epochs >= table.fidelities[-1])
        assert found.with_end[third] >= 0.6
        assert found.with_end_single[third] >= 0.6
        assert not np.isnan(table.values("seconds")).any()

    def test_it_is_searched_and_drawn(self, recipe, tmp_path):
        table = nl.load(recipe.description.name)
        trace = nl.simulate(table, "regularized-evolution", runs=20, budget=nl.Budget(evaluations=100))
        assert trace.final("test").mean() > np.median(table.mean_values("test_accuracy"))
        assert all(path.stat().st_size for path in save_figure(table_figure(table, quality(table)), tmp_path, "t"))


def test_rank_correlations_are_scipys():
    from scipy.stats import spearmanr

    random = np.random.default_rng(0)
    one, other = random.integers(0, 20, (2, 200)).astype(float)
    one[:10] = np.nan
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one[10:], other[10:]).statistic)
    assert np.isnan(rank_correlation(np.zeros(5), np.arange(5.0)))
    three = random.normal(size=(50, 3))
    pairs = [spearmanr(three[:, a], three[:, b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    assert between_repeats(three) == pytest.approx(np.mean(pairs))
