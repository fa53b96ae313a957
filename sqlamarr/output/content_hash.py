"""The content hash: a number that two files share if and only if they hold the same results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.declarations import RUN_TABLES
from sqlamarr.native.columns import Array
from sqlamarr.output.file import data_tables

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
    digests = [(hashlib.sha256(), hashlib.sha256()) for _ in columns]  # of the NULLs and of the values
    for chunk in _chunks(db, table, columns, [str(r[0]) for r in sorted(info, key=lambda r: int(r[2])) if r[2]]):
        for digest, name in zip(digests, columns):
            _update(*digest, _base_names(chunk[name]) if name == "datasource" else chunk[name])
    header = [
        table,
        [[str(row[0]), str(row[1])] for row in info],
        [digest.hexdigest() for pair in digests for digest in pair],
    ]
    return hashlib.sha256(json.dumps(header).encode()).hexdigest()


def _chunks(db: Database, table: str, columns: list[str], key: list[str]) -> Iterator[dict[str, Array]]:
    """The table in the order of its key, some rows at a time; a table without key as a whole."""
    names = ", ".join(map(quote_identifier, columns))
    keys = ", ".join(map(quote_identifier, key or columns))
    query = f"SELECT {names} FROM {quote_identifier(table)} {{where}} ORDER BY {keys}"
    # The declared type decides, so that a chunk of NULLs alone looks like any other.
    types = list(db.declared_types(table).values())
    if not key:
        yield dict(db.columns(query.format(where=""), (), types))
        return
    limited = f"{query} LIMIT {_ROWS}"
    chunk = db.columns(limited.format(where=""), (), types)
    after = limited.format(where=f"WHERE ({keys}) > ({', '.join('?' * len(key))})")
    while chunk.rows:
        yield dict(chunk)
        last = [chunk[name][-1] for name in key]
        chunk = db.columns(after, [value if isinstance(value, str) else value.item() for value in last], types)


def _update(nulls: Any, digest: Any, values: Array) -> None:
    if values.dtype == object:
        nulls.update(np.array([value is None for value in values], dtype=bool).tobytes())
        for value in values:
            encoded = b"" if value is None else value.encode("utf-8", "surrogateescape")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return
    missing = np.isnan(values) if values.dtype.kind == "f" else np.ma.getmaskarray(values)
    nulls.update(missing.tobytes())
    plain = np.where(missing, 0, np.ma.getdata(values)) + values.dtype.type(0)  # + 0: no -0.0
    digest.update(plain.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _base_names(paths: Array) -> Array:
    out = np.empty(len(paths), dtype=object)
    out[:] = [None if path is None else path.replace("\\", "/").rsplit("/", 1)[-1] for path in paths]
    return out
