"""The columns that a batch keeps at hand are those of its tables."""

from __future__ import annotations

import numpy as np
import pytest

import sqlamarr
from sqlamarr.steps.batch import Batch


@pytest.fixture
def batch(db):

    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL)")
    return Batch(db, {}, 1)


def test_columns_are_forgotten_at_any_other_write(batch):
    batch.write("t", sqlamarr.Columns({"id": [1, 2], "x": [1.0, 2.0]}))
    assert batch.columns("t")["x"].tolist() == [1.0, 2.0]
    batch.db.execute("UPDATE t SET x = 7 WHERE id = 2").fetchall()
    assert batch.columns("t")["x"].tolist() == [1.0, 7.0]
    batch.db.insert("t", {"id": [3], "x": [3.0]})
    assert batch.columns("t")["x"].tolist() == [1.0, 7.0, 3.0]


def test_columns_at_hand_are_those_that_the_table_would_give(batch):
    batch.write("t", sqlamarr.Columns({"id": [3, 1], "x": np.array([3, 1])}))
    assert batch.columns("t")["id"].tolist() == [1, 3]
    assert batch.columns("t")["x"].dtype == float


def test_a_callers_array_is_not_the_cache(batch):
    x = np.array([1.0])
    batch.write("t", {"id": [1], "x": x})
    x[0] = 99
    assert batch.columns("t")["x"].tolist() == [1.0]
