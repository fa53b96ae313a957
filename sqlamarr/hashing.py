"""The content hash: one number that two files share exactly if they hold the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from sqlamarr.columns import Array
from sqlamarr.database import Database, quote_identifier
from sqlamarr.output import RUN_TABLES, data_tables

_ROWS = 100_000  # rows in memory at a time


def content_hashes(db: Database) -> dict[str, str]:
    """SHA-256 per table, as hexadecimal digits.

    What is hashed: the table's name, its columns' names and declared types, and every value in the
    order of the primary key, -0.0 as 0.0; of files the base name. Provenance and bookkeeping are not.
    """
    return {table: _table_hash(db, table) for table in sorted([*RUN_TABLES, *data_tables(db)])}


def total_hash(hashes: dict[str, str]) -> str:
    """One SHA-256 over those of the tables."""
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _table_hash(db: Database, table: str) -> str:
    info = list(db.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,)))
    columns = [str(row[0]) for row in info]
    digests = [hashlib.sha256() for _ in columns]
    for chunk in _chunks(db, table, columns, [str(r[0]) for r in sorted(info, key=lambda r: int(r[2])) if r[2]]):
        for digest, name in zip(digests, columns):
            _update(digest, _base_names(chunk[name]) if name == "datasource" else chunk[name])
    header = [table, [[str(row[0]), str(row[1])] for row in info], [digest.hexdigest() for digest in digests]]
    return hashlib.sha256(json.dumps(header).encode()).hexdigest()


def _chunks(db: Database, table: str, columns: list[str], key: list[str]) -> Iterator[dict[str, Array]]:
    names = ", ".join(map(quote_identifier, columns))
    order = ", ".join(map(quote_identifier, key)) or names
    # The declared type decides, so that a chunk of NULLs alone looks like any other.
    types = list(db.declared_types(table).values())
    query = f"SELECT {names} FROM {quote_identifier(table)} ORDER BY {order} LIMIT {_ROWS} OFFSET :offset"
    offset = 0
    while True:
        chunk = db.columns(query, {"offset": offset}, types)
        if not chunk.rows:
            return
        yield dict(chunk)
        offset += _ROWS


def _update(digest: Any, values: Array) -> None:
    if values.dtype == object:
        for value in values:
            encoded = b"\0" if value is None else b"t" + value.encode("utf-8", "surrogateescape")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return
    if values.dtype.kind == "f":
        digest.update(np.isnan(values).tobytes())
        values = np.where(np.isnan(values), 0.0, values) + 0.0  # one NaN for all, and no -0.0
    digest.update(np.ma.getmaskarray(values).tobytes())
    digest.update(np.ma.filled(values, 0).astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _base_names(paths: Array) -> Array:
    out = np.empty(len(paths), dtype=object)
    out[:] = [None if path is None else path.replace("\\", "/").rsplit("/", 1)[-1] for path in paths]
    return out
