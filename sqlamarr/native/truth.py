"""From generator particles to MCParticles: primary vertices and the decay forest, by the native walk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.errors import DataError
from sqlamarr.native.columns import Array, Columns
from sqlamarr.native.library import check, ffi, lib

_PARTICLE_INTEGERS = {
    "genparticle_id": "genparticle_id",
    "event_id": "p_event_id",
    "genevent_id": "p_genevent_id",
    "hepmc_id": "p_hepmc_id",
    "production_vertex": "production_vertex",
    "end_vertex": "end_vertex",
    "pid": "pid",
    "status": "status",
}
_VERTEX_INTEGERS = {
    "genvertex_id": "genvertex_id",
    "event_id": "v_event_id",
    "genevent_id": "v_genevent_id",
    "hepmc_id": "v_hepmc_id",
    "status": "v_status",
    "is_primary": "is_primary",
}
_NULLS = {"production_vertex": "production_null", "end_vertex": "end_null"}


@dataclass(frozen=True)
class TruthOptions:
    """Which generator particles become MCParticles; see ``sqlamarr_truth_options``."""

    statuses: tuple[int, ...]
    keep_decayed: bool
    collapse_copies: bool
    signal_status: int


def find_primaries(particles: Columns, vertices: Columns, signal_status: int) -> Columns:
    """Ids of the vertices to flag as primary in collisions that have none flagged.

    :return: one column, genvertex_id, ascending
    :raises DataError: for a missing column, a repeated id or a reference to a missing vertex
    """
    native, keep = _input(particles, vertices)
    out = ffi.new("sqlamarr_columns **")
    check(lib.sqlamarr_find_primaries(native, signal_status, out))
    del keep
    return Columns.from_native(out[0])


def select(particles: Columns, vertices: Columns, options: TruthOptions) -> tuple[Columns, Columns]:
    """MCParticles and MCVertices (MeV, mm, mm/c), both in ascending order of their ids.

    :raises DataError: as for :func:`find_primaries`, and for a decay graph with a cycle
    """
    native, keep = _input(particles, vertices)
    statuses = ffi.new("int64_t[]", list(options.statuses))
    c_options = ffi.new("sqlamarr_truth_options *")
    c_options.statuses = statuses
    c_options.n_statuses = len(options.statuses)
    c_options.keep_decayed = options.keep_decayed
    c_options.collapse_copies = options.collapse_copies
    c_options.signal_status = options.signal_status
    mcparticles, mcvertices = ffi.new("sqlamarr_columns **"), ffi.new("sqlamarr_columns **")
    check(lib.sqlamarr_select_truth(native, c_options, mcparticles, mcvertices))
    del keep
    return Columns.from_native(mcparticles[0]), Columns.from_native(mcvertices[0])


def _input(particles: Columns, vertices: Columns) -> tuple[Any, list[Any]]:
    """The native view of both tables, and what must be kept alive with it."""
    native = ffi.new("sqlamarr_truth_input *")
    native.n_particles, native.n_vertices = particles.rows, vertices.rows
    keep: list[Any] = [particles, vertices]
    for table, integers, reals, key in (
        (particles, _PARTICLE_INTEGERS, ("pe", "px", "py", "pz", "m"), "genparticle_id"),
        (vertices, _VERTEX_INTEGERS, ("t", "x", "y", "z"), "genvertex_id"),
    ):
        order = _order(_column(table, key))
        for name, field in integers.items():
            _set(native, field, _column(table, name), np.dtype(np.int64), order, keep)
            if name in _NULLS and np.ma.isMaskedArray(table[name]):
                mask = np.ma.getmaskarray(table[name])
                _set(native, _NULLS[name], mask, np.dtype(np.uint8), order, keep)
        for name in reals:
            _set(native, name, _column(table, name), np.dtype(np.float64), order, keep)
    return native, keep


def _column(table: Columns, name: str) -> Array:
    if name not in table:
        raise DataError(f"Column {name!r} is missing; found {', '.join(table) or 'none'}.")
    return table[name]


def _order(ids: Array) -> Array | None:
    """The rows in ascending order of ids; None if they are already sorted."""
    values = np.ma.getdata(ids)
    return None if bool(np.all(values[1:] > values[:-1])) else np.argsort(values, kind="stable")


def _set(native: Any, field: str, array: Array, dtype: Any, order: Array | None, keep: list[Any]) -> None:
    data = np.ma.getdata(array)
    data = np.ascontiguousarray(data if order is None else data[order], dtype=dtype)
    keep.append(data)
    kind = {"i": "int64_t *", "u": "uint8_t *", "f": "double *"}[dtype.kind]
    setattr(native, field, ffi.cast(kind, data.ctypes.data))
