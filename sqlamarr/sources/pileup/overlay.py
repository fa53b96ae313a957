"""Put collisions that were made one by one together into events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sqlamarr.errors import SqlamarrError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.columns import Columns
from sqlamarr.sources.record_tables import Array

TABLES = ("GenEvents", "GenVertices", "GenParticles", "GenWeights")
#: Columns that hold ids, and the tables whose rows they number.
_IDS = {
    "genevent_id": "GenEvents", "genvertex_id": "GenVertices", "production_vertex": "GenVertices",
    "end_vertex": "GenVertices", "genparticle_id": "GenParticles",
}  # fmt: skip
Tables = dict[str, Columns]


class OverlayPart(NamedTuple):
    """An event of a source that becomes one or several collisions of another event.

    :ivar made_as: its event_id in the original tables
    :ivar event_id: event_id of the event that it belongs to
    :ivar rank: its position in that event
    :ivar datasource_id: the data source that it comes from
    """

    made_as: int
    event_id: int
    rank: int
    datasource_id: int


class Group(NamedTuple):
    """Tables and what becomes of their events. Events that are not part of another event are left out."""

    tables: Tables
    parts: list[OverlayPart]


class TooManyRowsError(SqlamarrError):
    """An event has more rows than there are ids.

    :ivar reasons: sentences by event_id
    """

    def __init__(self, reasons: dict[int, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


def overlay(groups: Sequence[Group]) -> Tables:
    """Generator tables of events that consist of all collisions of their parts.

    :raises TooManyRowsError: there are not enough ids
    """
    parts = [part for group in groups for part in group.parts]
    order = np.lexsort(([part.rank for part in parts], [part.event_id for part in parts]))
    made, events, _, sources = np.array(parts, np.int64).reshape(-1, 4)[order].T
    place = np.argsort(order)
    rows = {name: _rows(groups, name, place) for name in TABLES}
    before = {name: _before(rows[name].part, events, name) for name in TABLES}
    tables = {}
    for name in TABLES:
        part = rows[name].part
        columns = dict(rows[name].columns)
        for column in columns:
            if column in _IDS:
                columns[column] = columns[column] + (events + before[_IDS[column]] - made)[part]
        columns["event_id"] = events[part]
        if name == "GenEvents":
            columns["datasource_id"] = sources[part]
            columns["collision"] = columns["genevent_id"] - columns["event_id"]
        tables[name] = Columns(columns)
    return tables


class _Rows(NamedTuple):
    columns: dict[str, Array]
    part: Array  # to which of the ordered parts each row belongs


def _rows(groups: Sequence[Group], table: str, place: Array) -> _Rows:
    """The rows of a table from all groups, in the order of the parts."""
    found, kept, begin = [], [], 0
    for group in groups:
        ids = np.array([part.made_as for part in group.parts], np.int64)
        owner = group.tables[table]["event_id"]
        sorting = np.argsort(ids)
        at = sorting[np.minimum(np.searchsorted(ids, owner, sorter=sorting), len(ids) - 1)] if len(ids) else 0 * owner
        keep = ids[at] == owner if len(ids) else np.zeros(len(owner), bool)
        found.append(place[begin + at[keep]])
        kept.append(keep)
        begin += len(ids)
    part = np.concatenate(found) if found else np.empty(0, np.int64)
    order = np.argsort(part, kind="stable")
    names = dict.fromkeys(name for group in groups for name in group.tables[table])
    columns = {
        name: _column([_of(group.tables[table], name)[keep] for group, keep in zip(groups, kept)])[order]
        for name in names
    }
    return _Rows(columns, part[order])


def _before(part: Array, events: Array, table: str) -> Array:
    """How many rows of the same event come before the rows of each part."""
    counts = np.bincount(part, minlength=len(events))
    ends = np.cumsum(counts)
    first = np.searchsorted(events, events)
    begins = ends - counts
    filled = ends - begins[first]
    if len(filled) and filled.max() > ROWS_PER_EVENT:
        text = f"Together its collisions have more than {ROWS_PER_EVENT} rows in {table}."
        raise TooManyRowsError({int(event): text for event in events[filled > ROWS_PER_EVENT]})
    return begins - begins[first]


def _of(table: Columns, name: str) -> Array:
    """A column; NULLs if the table does not have it."""
    if name in table:
        return table[name]
    return np.ma.MaskedArray(np.zeros(table.rows, np.int64), mask=np.ones(table.rows, bool))


def _column(arrays: Sequence[Array]) -> Array:
    values = np.concatenate([np.ma.getdata(array) for array in arrays])
    if not any(np.ma.isMaskedArray(array) for array in arrays):
        return values
    return np.ma.MaskedArray(values, mask=np.concatenate([np.ma.getmaskarray(array) for array in arrays]))


def primary_places(tables: Tables) -> Array:
    """Places of collisions: x, y, z [mm] of the primary vertex of each row of GenEvents, (n, 3).

    The primary vertex is the first flagged vertex. Without one, it is the production vertex of the first particle that
    has one, as in the step find_primary_vertices without signal. Otherwise, it is the origin.
    """
    collisions, vertices, particles = (tables[name] for name in TABLES[:3])
    places = np.stack([vertices[axis] for axis in ("x", "y", "z")], axis=1)
    made = particles["production_vertex"]
    begins = np.flatnonzero(~np.ma.getmaskarray(made))
    at = np.searchsorted(vertices["genvertex_id"], np.ma.getdata(made)[begins])
    out = np.zeros((collisions.rows, 3))
    # The better of the two comes last and replaces the other.
    flagged = np.flatnonzero(vertices["is_primary"] == 1)
    for owner, rows in ((particles["genevent_id"][begins], at), (vertices["genevent_id"][flagged], flagged)):
        ids, first = np.unique(owner, return_index=True)
        out[np.searchsorted(collisions["genevent_id"], ids)] = places[rows[first]]
    return out


def move(tables: Tables, steps: Array) -> Tables:
    """Move collisions.

    :param steps: shift of each row of GenEvents in x, y, z [mm], (n, 3)
    """
    ids = tables["GenEvents"]["genevent_id"]
    moved = dict(tables)
    for name in ("GenEvents", "GenVertices"):
        columns = dict(tables[name])
        shift = steps[np.searchsorted(ids, columns["genevent_id"])]
        columns.update({axis: columns[axis] + shift[:, i] for i, axis in enumerate(("x", "y", "z"))})
        moved[name] = Columns(columns)
    return moved


__all__ = ["TABLES", "Group", "OverlayPart", "Tables", "TooManyRowsError", "move", "overlay", "primary_places"]
