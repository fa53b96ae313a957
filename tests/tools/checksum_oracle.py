"""The checksums of an output file in plain Python, computed from what the sqlite3 module reads."""

from __future__ import annotations

import sqlite3
import struct
from collections import defaultdict
from pathlib import Path

MASK = 2**64 - 1
VERSION = 1
NULL, INTEGER, REAL, LENGTH, BYTES = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x27D4EB2F165667C5,
    0x85EBCA77C2B2AE63,
)


def mixed(hash_, word, factor):
    hash_ = (hash_ ^ (word & MASK)) * factor & MASK
    return hash_ ^ hash_ >> 32


def mixed_text(hash_, data):
    hash_ = mixed(hash_, len(data), LENGTH)
    for begin in range(0, len(data), 8):
        hash_ = mixed(hash_, int.from_bytes(data[begin : begin + 8], "little"), BYTES)
    return hash_


def row_hash(table, row):
    """Of one row: its values None, int, float or bytes, by the declared types of their columns."""
    hash_ = mixed_text(VERSION, table.encode())
    for value in row:
        if value is None:
            hash_ = mixed(hash_, 0, NULL)
        elif isinstance(value, int):
            hash_ = mixed(hash_, value, INTEGER)
        elif isinstance(value, float):
            hash_ = mixed(hash_, struct.unpack("<q", struct.pack("<d", value + 0.0))[0], REAL)
        else:
            hash_ = mixed_text(hash_, value)
    hash_ = (hash_ ^ hash_ >> 30) * 0xBF58476D1CE4E5B9 & MASK
    hash_ = (hash_ ^ hash_ >> 27) * 0x94D049BB133111EB & MASK
    return hash_ ^ hash_ >> 31


def as_declared(value, declared):
    return float(value) if isinstance(value, int) and declared == "REAL" else value


def checksums(path: Path) -> dict[tuple[int, str], tuple[int, int]]:
    """(rows, checksum) by (block, table), of every table and of the schema."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.text_factory = bytes
    found: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    names = [name.decode() for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in [name for name in names if name != "Checksums"] + ["sqlite_schema"]:
        info = [(row[1].decode(), row[2].decode()) for row in db.execute(f'PRAGMA table_info("{table}")')]
        info = info if table != "sqlite_schema" else [(c, "TEXT") for c in ("type", "name", "tbl_name", "sql")]
        event = next((i for i, (name, _) in enumerate(info) if name == "event_id"), None)
        columns = ", ".join(f'"{name}"' for name, _ in info)
        for row in db.execute(f'SELECT {columns} FROM "{table}"'):
            values = [as_declared(value, declared) for value, (_, declared) in zip(row, info)]
            block = -1 if event is None or values[event] is None else values[event] // 1_000_000 // 1000
            entry = found[block, table]
            entry[0], entry[1] = entry[0] + 1, entry[1] + row_hash(table, values) & MASK
    db.close()
    return {key: (rows, checksum) for key, (rows, checksum) in found.items()}


def stored(path: Path) -> dict[tuple[int, str], tuple[int, int]]:
    """What the table Checksums of a file says."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = {(b, n): (rows, checksum % 2**64) for b, n, rows, checksum in db.execute("SELECT * FROM Checksums")}
    db.close()
    return found
