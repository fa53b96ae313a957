"""Columns as Awkward arrays, flat or with one list per event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np

from sqlamarr.native.columns import Array


def layout(values: Array, *, nullable: bool = False) -> Any:
    """A column as an Awkward layout: numbers or strings, with an option type where integers or text may be NULL.

    :param nullable: make integers and text an option type even if no value is missing
    """
    content = _strings(values) if values.dtype == object else ak.contents.NumpyArray(np.ma.getdata(values))
    if values.dtype.kind == "f":
        return content
    missing = (
        np.array([value is None for value in values], dtype=bool)
        if values.dtype == object
        else np.ma.getmaskarray(values)
    )
    if not nullable and not missing.any():
        return content
    index = np.where(missing, -1, np.arange(len(values)))
    return ak.contents.IndexedOptionArray(ak.index.Index64(index), content)


def _strings(values: Array) -> Any:
    encoded = [b"" if value is None else value.encode("utf-8", "surrogateescape") for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(item) for item in encoded], out=offsets[1:])
    characters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return ak.contents.ListOffsetArray(
        ak.index.Index64(offsets),
        ak.contents.NumpyArray(characters, parameters={"__array__": "char"}),
        parameters={"__array__": "string"},
    )


def lists(counts: Array, content: Any) -> Any:
    """Lists of the given lengths over a layout."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)


def record(contents: Mapping[str, Any], length: int) -> Any:
    """A record array of layouts."""
    return ak.contents.RecordArray(list(contents.values()), list(contents), length=length)


def from_columns(columns: Mapping[str, Array], nullable: Mapping[str, bool] | None = None) -> ak.Array:
    """Columns of equal length as an array of records.

    :param nullable: True for columns that get an option type even if no value is missing
    """
    nullable = nullable or {}
    contents = {name: layout(values, nullable=nullable.get(name, False)) for name, values in columns.items()}
    return ak.Array(record(contents, len(next(iter(columns.values()))) if columns else 0))
