"""Rows as columns, for tests of tables that are columns."""

from __future__ import annotations

import numpy as np

from sqlamarr import Columns


def as_columns(rows):
    """Tuples (id, event, x, word), None for NULL, as the columns of a table."""
    ids, events, reals, words = (list(column) for column in zip(*rows)) if rows else ([], [], [], [])
    mask = [event is None for event in events]
    return Columns(
        {
            "id": np.array(ids, np.int64),
            "event": np.ma.MaskedArray(np.array([event or 0 for event in events], np.int64), mask=mask),
            "x": np.array([np.nan if value is None else value for value in reals], np.float64),
            "word": np.array([*words, None], dtype=object)[:-1],
        }
    )
