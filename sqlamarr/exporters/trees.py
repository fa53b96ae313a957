"""TTrees and RNTuples that are filled piece by piece from columns of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import awkward as ak

from sqlamarr.exporters.nulls import filled
from sqlamarr.exporters.uproot_writing import branch_titles
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Array
from sqlamarr.output.tables import awkward_arrays as to
from sqlamarr.output.tables.description import Column

_TYPES = {INT64: "int64", FLOAT64: "float64", TEXT: "string"}

Group = tuple[Array, Mapping[str, Array]]  # rows of every entry, and the columns of all these rows


@dataclass(frozen=True)
class Shape:
    """Layout of a tree: columns with one value per entry, and groups of columns with a list of values per entry."""

    doc: str
    scalars: Mapping[str, Column]
    groups: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)


@dataclass(frozen=True)
class EntryBlock:
    """Some entries of a tree, and the number of rows of the database in them."""

    rows: int
    entries: int
    scalars: Mapping[str, Array]
    groups: Mapping[str, Group] = field(default_factory=dict)


class EntrySource(Protocol):
    """The content of a tree."""

    shape: Shape

    def pieces(self) -> Iterator[EntryBlock]:
        """The entries, in order."""


class TreeWriter:
    """A TTree. NULL becomes NaN in float columns, ``null_integer`` in integer columns, and an empty text otherwise.

    A group ``Tracks`` gives the branches ``nTracks`` and ``Tracks_p``, ``Tracks_pt`` ...
    """

    def __init__(self, file: Any, name: str, shape: Shape, null_integer: int) -> None:
        self._shape, self._null = shape, null_integer
        types: dict[str, Any] = {column.name: _TYPES[column.type] for column in shape.scalars.values()}
        titles = {column.name: column.title for column in shape.scalars.values()}
        for group, columns in shape.groups.items():
            fields = ", ".join(f'"{column.name}": {_TYPES[column.type]}' for column in columns.values())
            types[group] = f"var * {{{fields}}}"
            titles |= {f"{group}_{column.name}": column.title for column in columns.values()}
        with branch_titles(titles):
            self._tree = file.mktree(name, types, title=shape.doc)

    def extend(self, piece: EntryBlock) -> None:
        """Append entries."""
        arrays: dict[str, Any] = {
            name: filled(piece.scalars[name], column, self._null) for name, column in self._shape.scalars.items()
        }
        for group, columns in self._shape.groups.items():
            rows, values = piece.groups[group]
            contents = {
                name: ak.to_layout(filled(values[name], column, self._null)) for name, column in columns.items()
            }
            arrays[group] = ak.Array(to.lists(rows, to.record(contents, int(rows.sum()))))
        self._tree.extend(arrays)


class NTupleWriter:
    """An RNTuple. NULL is a missing value in columns of integers and texts (``std::optional``), NaN in float columns.

    A group ``Tracks`` gives the fields ``nTracks`` and ``Tracks_p``, ``Tracks_pt`` ..., a vector each: ROOT's
    RDataFrame (6.40) does not read collections of records without a class.
    """

    def __init__(self, file: Any, name: str, shape: Shape, _: int) -> None:
        self._shape = shape
        forms = {column.name: _form(column) for column in shape.scalars.values()}
        for group, columns in shape.groups.items():
            forms[f"n{group}"] = ak.forms.NumpyForm("int64", parameters={"__doc__": f"rows of {group}"})
            forms |= {f"{group}_{name}": _list_form(column) for name, column in columns.items()}
        self._ntuple = file.mkrntuple(name, ak.forms.RecordForm(list(forms.values()), list(forms)), shape.doc)

    def extend(self, piece: EntryBlock) -> None:
        """Append entries."""
        contents = {name: _layout(piece.scalars[name], column) for name, column in self._shape.scalars.items()}
        for group, columns in self._shape.groups.items():
            rows, values = piece.groups[group]
            contents[f"n{group}"] = to.layout(rows)
            contents |= {f"{group}_{name}": to.lists(rows, _layout(values[name], c)) for name, c in columns.items()}
        self._ntuple.extend(ak.Array(to.record(contents, piece.entries)))


def _layout(values: Array, column: Column) -> Any:
    return to.layout(values, nullable=column.nullable)


def _list_form(column: Column) -> Any:
    doc = {"__doc__": column.title} if column.title else {}
    return ak.forms.ListOffsetForm("i64", _form(column), parameters=doc)


def _form(column: Column) -> Any:
    doc = {"__doc__": column.title} if column.title else {}
    if column.type == TEXT:
        characters = ak.forms.NumpyForm("uint8", parameters={"__array__": "char"})
        form = ak.forms.ListOffsetForm("i64", characters, parameters={"__array__": "string", **doc})
    else:
        form = ak.forms.NumpyForm(_TYPES[column.type], parameters=doc)
    return (
        ak.forms.IndexedOptionForm("i64", form, parameters=doc) if column.nullable and column.type != FLOAT64 else form
    )
