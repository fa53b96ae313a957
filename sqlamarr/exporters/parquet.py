"""Parquet files through pyarrow: one for every table and view, units with the fields, provenance with the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.database.connection import Database
from sqlamarr.errors import SqlamarrError, missing_package
from sqlamarr.exporters.event_tree import EventTree
from sqlamarr.exporters.events import EventNumbers
from sqlamarr.exporters.flat import FlatTable
from sqlamarr.exporters.options import ExportOptions, ExportSummary
from sqlamarr.exporters.provenance import EVENT_TREE, entries
from sqlamarr.exporters.trees import EntryBlock, EntrySource, Group, Shape
from sqlamarr.native.columns import FLOAT64, INT64, Array
from sqlamarr.output.tables.description import Column

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise missing_package("Export to Parquet", "pyarrow", "parquet") from error

_CODECS = {"zstd": "zstd", "lz4": "lz4", "zlib": "gzip", "none": "none"}


def write(db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary) -> None:
    """Write one table as a file, or a folder with a file for each.

    :raises SqlamarrError: the output is the name of one file, and there are several tables
    """
    numbers = EventNumbers(db)
    metadata = {key.encode(): value.encode() for key, value in entries(db, f"pyarrow {pa.__version__}").items()}
    codec, level = _codec(options["compression"])

    def one(name: str, source: EntrySource, target: Path) -> None:
        schema = _schema(source.shape, metadata)
        with pq.ParquetWriter(target, schema, compression=codec, compression_level=level) as writer:
            n = 0
            for piece in source.pieces():
                writer.write_table(_table(piece, source.shape, schema))
                n += piece.entries
                options.advance(piece.rows)
        summary.entries[name] = (n, len(schema))

    if summary.output.endswith(".parquet"):
        if len(tables) != 1:
            raise SqlamarrError(
                f"{summary.output}: a Parquet file holds one table; choose it with --table, or name a folder "
                "and add --format parquet."
            )
        one(tables[0], FlatTable(db, tables[0], numbers, options.rows, None), path)
        return
    if options["layout"] != "event":
        for name in tables:
            one(name, FlatTable(db, name, numbers, options.rows, None), path / f"{name}.parquet")
    if options["layout"] != "flat":
        events = EventTree(db, tables, numbers, options, None)
        summary.notes += events.notes
        one(EVENT_TREE, events, path / f"{EVENT_TREE}.parquet")


def _codec(text: str) -> tuple[str, int | None]:
    name, colon, level = text.lower().partition(":")
    if name not in _CODECS or (colon and not level.isdigit()):
        raise SqlamarrError(f"Unknown Parquet compression {text!r}; expected {', '.join(_CODECS)}.")
    return _CODECS[name], int(level) if colon else None


def _schema(shape: Shape, metadata: dict[bytes, bytes]) -> Any:
    fields = [_field(column) for column in shape.scalars.values()]
    for group, columns in shape.groups.items():
        fields.append(pa.field(group, pa.list_(pa.struct([_field(column) for column in columns.values()]))))
    return pa.schema(fields, metadata={**metadata, b"description": shape.doc.encode()})


def _field(column: Column) -> Any:
    kind = {INT64: pa.int64(), FLOAT64: pa.float64()}.get(column.type, pa.string())
    about = {key: value for key, value in (("unit", column.unit), ("description", column.doc)) if value}
    return pa.field(column.name, kind, nullable=column.nullable, metadata=about)


def _table(piece: EntryBlock, shape: Shape, schema: Any) -> Any:
    arrays = [_array(piece.scalars[name], column) for name, column in shape.scalars.items()]
    arrays += [_lists(piece.groups[group], columns) for group, columns in shape.groups.items()]
    return pa.Table.from_arrays([array.cast(field.type) for array, field in zip(arrays, schema)], schema=schema)


def _array(values: Array, column: Column) -> Any:
    if column.type == FLOAT64:  # missing floats are NULL here, as in the database, which never stores NaN
        return pa.array(values, mask=np.isnan(values))
    if column.type == INT64:
        return pa.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values))
    return pa.array(values.tolist(), pa.string())


def _lists(group: Group, columns: Any) -> Any:
    rows, values = group
    offsets = np.concatenate([[0], np.cumsum(rows)]).astype(np.int32)
    fields = [_field(column) for column in columns.values()]
    content = pa.StructArray.from_arrays([_array(values[name], c) for name, c in columns.items()], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), content)
