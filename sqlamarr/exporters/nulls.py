"""Replace NULL for formats without it: by NaN in float columns, by a number that does not occur in integer columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import DataError
from sqlamarr.native.columns import INT64, TEXT, Array
from sqlamarr.output.tables.description import Column

INT64_RANGE = np.iinfo(np.int64)


def check_null_integer(value: int) -> None:
    """Check that the value is a 64-bit integer.

    :raises DataError: it is not
    """
    if not INT64_RANGE.min <= value <= INT64_RANGE.max:
        raise DataError(f"--null-integer must be a 64-bit integer, found {value}.")


def integers_with_nulls(db: Database, name: str, columns: Mapping[str, Column], stands_for: int) -> set[str]:
    """The integer columns of a table that hold NULLs, in one pass over it.

    :param stands_for: the number that will be written for NULL
    :raises DataError: a column with NULLs also holds that number, so the two could not be distinguished
    """
    check_null_integer(stands_for)
    asked = [column for column, what in columns.items() if what.type == INT64 and what.nullable]
    if not asked:
        return set()
    quoted = [quote_identifier(column) for column in asked]
    sums = ", ".join(f"count(*) - count({column}), total({column} = ?1)" for column in quoted)
    row = db.execute(f"SELECT {sums} FROM {quote_identifier(name)}", (stands_for,)).fetchone() or ()
    missing = {column for column, n in zip(asked, row[::2]) if n}
    for column, n in zip(asked, row[1::2]):
        if column in missing and n:
            raise DataError(
                f"{name}.{column} has NULLs and also the value {stands_for}, which would stand for NULL in the file. "
                "Choose another value with --null-integer."
            )
    return missing


def filled(values: Array, column: Column, stands_for: int) -> Any:
    """A column without NULL: NaN, ``stands_for`` or empty text in its place."""
    if column.type == TEXT:
        import awkward as ak

        from sqlamarr.output.tables import awkward_arrays as to

        return ak.Array(to.layout(np.array([value or "" for value in values], dtype=object)))
    return np.ma.filled(values, stands_for) if column.type == INT64 else np.asarray(values)


def marked(db: Database, name: str, columns: Mapping[str, Column], stands_for: int) -> dict[str, Column]:
    """The columns, with what stands for NULL in the comments of those that hold any.

    :raises DataError: as :func:`integers_with_nulls`
    """
    missing = integers_with_nulls(db, name, columns, stands_for)
    return {
        name: replace(column, doc=f"{column.doc}; {stands_for}: none".lstrip("; ")) if name in missing else column
        for name, column in columns.items()
    }
