"""Generator tables from arrays of particles and vertices, for sources that make them in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sqlamarr.native.columns import Columns

Array = np.ndarray[Any, np.dtype[Any]]

_HEADER = {
    "event_number": 0, "process_id": None, "scale": np.nan, "alpha_qcd": np.nan, "alpha_qed": np.nan, "weight": 1.0,
    "t": 0.0, "x": 0.0, "y": 0.0, "z": 0.0, "cross_section": np.nan, "cross_section_error": np.nan,
    "original_id": None, "collisions_tried": None, "hadronizations": None,
}  # fmt: skip
_INTEGERS = ("event_number", "process_id", "original_id", "collisions_tried", "hadronizations")


def collision_tables(
    ids: Array, sources: Array, header: Mapping[str, Sequence[Any]], weights: Sequence[Sequence[float]] = ()
) -> dict[str, Columns]:
    """GenEvents and GenWeights of events of one collision each.

    :param ids: event_id, (n,)
    :param sources: datasource_id, (n,)
    :param header: other columns of GenEvents; missing ones get their defaults
    :param weights: all weights of each event; by default only the weight in the header
    """
    filled = {name: header.get(name, [default] * len(ids)) for name, default in _HEADER.items()}
    columns = {name: _integers(v) if name in _INTEGERS else np.array(v, float) for name, v in filled.items()}
    own = {"genevent_id": ids, "event_id": ids, "collision": 0 * ids, "datasource_id": sources}
    every = weights or [(value,) for value in columns["weight"].tolist()]
    owner, position = rows_of(ids, np.array([len(values) for values in every], np.int64))
    values = np.array([value for values in every for value in values], float)
    rows = {"event_id": owner, "genevent_id": owner, "position": position, "value": values}
    return {"GenEvents": Columns({**own, **columns}), "GenWeights": Columns(rows)}


def _integers(values: Sequence[Any]) -> Array:
    missing = np.array([value is None for value in values], bool)
    return np.ma.MaskedArray(np.array([value or 0 for value in values], np.int64), mask=missing)


def rows_of(ids: Array, counts: Sequence[int] | Array) -> tuple[Array, Array]:
    """For every row of every event: the event's id, and the row's position in it.

    :param ids: of the events
    :param counts: how many rows each has
    """
    ends = np.cumsum(counts, dtype=np.int64)
    owner = np.repeat(ids, counts)
    return owner, np.arange(len(owner)) - np.repeat(ends - counts, counts)


def vertex_columns(owner: Array, position: Array, primary: Array, places: Array) -> Columns:
    """GenVertices.

    :param owner: the event's id, (n,)
    :param position: of the vertex in its event, (n,)
    :param primary: whether it is a collision, (n,)
    :param places: t [mm/c], x, y, z [mm], (n, 4)
    """
    return Columns(
        {
            "genvertex_id": owner + position,
            "event_id": owner,
            "genevent_id": owner,
            "hepmc_id": -1 - position,
            "status": np.zeros(len(owner), np.int64),
            "is_primary": np.asarray(primary).astype(np.int64),
            **{name: np.ascontiguousarray(places[:, i]) for i, name in enumerate(("t", "x", "y", "z"))},
        }
    )


def particle_columns(
    owner: Array, position: Array, barcode: Array, ends: tuple[Array, Array], pid: Array, status: Array, momenta: Array
) -> Columns:
    """GenParticles.

    :param owner: the event's id, (n,)
    :param position: of the particle in its event, (n,)
    :param barcode: hepmc_id, (n,)
    :param ends: positions of the production and end vertex in the event, -1 for none, (n,) each
    :param momenta: pe, px, py, pz, m [MeV], (n, 5)
    """
    production, end = (np.ma.MaskedArray(owner + vertex, mask=vertex < 0) for vertex in ends)
    return Columns(
        {
            "genparticle_id": owner + position,
            "event_id": owner,
            "genevent_id": owner,
            "hepmc_id": barcode,
            "production_vertex": production,
            "end_vertex": end,
            "pid": pid,
            "status": status,
            **{name: np.ascontiguousarray(momenta[:, i]) for i, name in enumerate(("pe", "px", "py", "pz", "m"))},
        }
    )


__all__ = ["Array", "collision_tables", "particle_columns", "rows_of", "vertex_columns"]
