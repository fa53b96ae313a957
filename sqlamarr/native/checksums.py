"""Checksums of a table's rows, by block of events."""

from __future__ import annotations

from collections.abc import Iterator

from sqlamarr.native.columns import Columns
from sqlamarr.native.library import check, ffi, lib


def block_checksums(table: str, columns: Columns, event: str | None) -> Iterator[tuple[int, int, int]]:
    """Block of 1,000 events, number of its rows, and the sum of their hashes modulo 2^64, by ascending block.

    :param table: the name that the hashes begin with
    :param columns: all columns of the table, in their order; their types are a part of what is hashed
    :param event: the column with the ids of the events; None: there is none, and all rows are in block -1
    """
    if not columns.rows:
        return
    views, keep = columns.native()
    index = -1 if event is None else list(columns).index(event)
    out = ffi.new("sqlamarr_columns **")
    check(lib.sqlamarr_checksums(table.encode(), views, len(columns), columns.rows, index, out))
    del keep  # the buffers had to live until here
    found = Columns.from_native(out[0])
    for block, rows, checksum in zip(*(found[name].tolist() for name in ("block", "rows", "checksum"))):
        yield block, rows, checksum % 2**64
