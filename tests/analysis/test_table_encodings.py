"""Vectors of a table's architectures: encodings of the space and zero-cost scores."""

import numpy as np
import pytest

from nasbench_lab.analysis.table_encodings import encode, encoding_seconds, encodings_of, scores_in
from nasbench_lab.errors import OutOfSpaceError, ParameterError, UnknownNameError
from nasbench_lab.tables import with_columns
from nasbench_lab.tables.description import Metric
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")


def two_scores():
    names = ("cheap", "cheap_seconds")
    metrics = [Metric(name, "none", "", "maximize", "made up", ("architecture",)) for name in names]
    values = np.arange(TABLE.space.size, dtype=float)
    values[3] = np.nan
    return with_columns(TABLE, metrics, {"cheap": values, "cheap_seconds": np.full(len(values), 0.5)})


def test_scores_stand_where_their_names_do():
    table, index = two_scores(), np.array([[2, 3], [4, 2]])
    found = encode(table, index, "cheap+counts+synflow")
    assert found.shape == (2, 2, 5)
    np.testing.assert_array_equal(found[..., 0], [[2, np.nan], [4, 2]])
    np.testing.assert_array_equal(found[..., 1:4], TABLE.space.encode(index, "counts"))
    np.testing.assert_array_equal(found[..., 4], TABLE.values("synflow")[index])
    np.testing.assert_array_equal(encode(table, index, "scores"), encode(table, index, "synflow+cheap"))
    assert encodings_of(table)[-3:] == ("synflow", "cheap", "scores")


def test_scores_cost_what_the_table_says():
    table, index = two_scores(), np.array([2, 7])
    expected = 0.5 + TABLE.values("synflow_seconds")[index]
    np.testing.assert_allclose(encoding_seconds(table, index, "scores+codes"), expected)
    np.testing.assert_allclose(encoding_seconds(table, index, "cheap"), 0.5)
    assert scores_in(table, "scores+cheap") == ("synflow", "cheap")


def test_what_is_missing_is_named():
    with pytest.raises(UnknownNameError, match="unknown encoding 'naswot'; known: codes, counts, one-hot, scores, syn"):
        encode(TABLE, 0, "counts+naswot")
    with pytest.raises(ParameterError, match="has 'synflow' twice"):
        encode(TABLE, 0, "synflow+synflow")
    with pytest.raises(OutOfSpaceError):
        encode(TABLE, 9999, "synflow")
