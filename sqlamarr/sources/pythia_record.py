"""An event of Pythia 8 as arrays, and such arrays as generator tables: MeV, mm, mm/c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sqlamarr.columns import Columns

SIGNAL = 889  # HepMC status of the signal, as LHCb's generator files have it
DECAYED, BEAM = 2, 4
TO_MEV = 1000.0  # Pythia counts in GeV

_STRINGS = frozenset((*range(81, 87), *range(101, 107)))  # |status| of hadrons made by a whole string

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Record:
    """The particles and vertices of one collision.

    :ivar line: line of Pythia's record, (n,)
    :ivar pid: PDG codes, (n,)
    :ivar status: HepMC statuses, (n,)
    :ivar momenta: pe, px, py, pz, m [MeV], (n, 5)
    :ivar production: index of the production vertex, -1: none, (n,)
    :ivar end: index of the end vertex, -1: none, (n,)
    :ivar vertices: t [mm/c], x, y, z [mm], (v, 4)
    """

    line: Array
    pid: Array
    status: Array
    momenta: Array
    production: Array
    end: Array
    vertices: Array


def read(event: Any) -> Record:
    """Pythia's event record, without its line 0 (the system as a whole)."""
    particles = list(event)
    kind = type(particles[0])
    mother1, mother2, code = (list(map(f, particles)) for f in (kind.mother1, kind.mother2, kind.status))
    production, end, first = graph(mother1, mother2, code)
    momenta = [list(map(f, particles)) for f in (kind.e, kind.px, kind.py, kind.pz, kind.m)]
    makers = [particles[i] for i in first]
    places = [list(map(f, makers)) for f in (kind.tProd, kind.xProd, kind.yProd, kind.zProd)]
    return Record(
        np.arange(1, len(particles)),
        np.array(list(map(kind.id, particles))[1:], np.int64),
        np.array(list(map(kind.statusHepMC, particles))[1:], np.int64),
        np.array(momenta).T[1:] * TO_MEV,
        np.array(production[1:], np.int64),
        np.array(end[1:], np.int64),
        np.array(places).T.reshape(-1, 4),
    )


def graph(
    mother1: Sequence[int], mother2: Sequence[int], status: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """Vertices from the mothers of every line.

    :returns: production and end vertex by line (-1: none), and by vertex the line that it was made for
    """
    production, end = [-1] * len(mother1), [-1] * len(mother1)
    first: list[int] = []
    known: dict[tuple[int, int, bool], int] = {}
    for line, (a, b, code) in enumerate(zip(mother1, mother2, status)):
        if a == 0 and b == 0:
            continue
        key = (a, b, abs(code) in _STRINGS)
        vertex = known.get(key)
        if vertex is None:
            mothers = _mothers(*key)
            vertex = next((end[m] for m in mothers if end[m] >= 0), len(first))
            if vertex == len(first):
                first.append(line)
            for m in mothers:
                end[m] = vertex if end[m] < 0 else end[m]
            known[key] = vertex
        production[line] = vertex
    return production, end, first


def _mothers(a: int, b: int, string: bool) -> Sequence[int]:
    """The lines that two mother codes stand for (Pythia's manual, Particle Properties)."""
    if b in (0, a):
        return (a,)
    if a == 0:
        return (b,)
    return range(a, b + 1) if string and a < b else (min(a, b), max(a, b))


def graft(record: Record, index: int, decay: Record) -> Record:
    """A record in which the particle ``index`` decays, and is the signal.

    :param decay: its decay: the first particle is the one that decays
    """
    n, v = len(record.pid), len(record.vertices)
    status, end = record.status.copy(), record.end.copy()
    status[index] = SIGNAL
    end[index] = v + decay.end[0] if decay.end[0] >= 0 else -1
    return Record(
        np.concatenate([record.line, n + np.arange(1, len(decay.pid))]),
        np.concatenate([record.pid, decay.pid[1:]]),
        np.concatenate([status, decay.status[1:]]),
        np.concatenate([record.momenta, decay.momenta[1:]]),
        np.concatenate([record.production, decay.production[1:] + v]),
        np.concatenate([end, np.where(decay.end[1:] >= 0, decay.end[1:] + v, -1)]),
        np.concatenate([record.vertices, decay.vertices]),
    )


class Collision(NamedTuple):
    """A record, and whose it is.

    :ivar header: the columns of GenEvents but the ids
    """

    event_id: int
    datasource_id: int
    header: dict[str, Any]
    record: Record


#: Columns of GenEvents that a generator may leave out.
_HEADER = {
    "event_number": 0, "process_id": 0, "scale": np.nan, "alpha_qcd": np.nan, "alpha_qed": np.nan, "weight": 1.0,
    "t": 0.0, "x": 0.0, "y": 0.0, "z": 0.0, "cross_section": np.nan, "cross_section_error": np.nan,
    "original_id": None, "collisions_tried": None, "hadronizations": None,
}  # fmt: skip


def tables(collisions: Sequence[Collision]) -> dict[str, Columns]:
    """GenEvents, GenVertices, GenParticles and GenWeights of events of one collision each, by ascending id."""
    ids = np.array([c.event_id for c in collisions], np.int64)
    header = {name: [c.header.get(name, default) for c in collisions] for name, default in _HEADER.items()}
    events = {
        "genevent_id": ids,
        "event_id": ids,
        "collision": np.zeros(len(ids), np.int64),
        "datasource_id": np.array([c.datasource_id for c in collisions], np.int64),
        **header,
    }
    weights = {"event_id": ids, "genevent_id": ids, "position": 0 * ids, "value": np.array(header["weight"], float)}
    return {
        "GenEvents": Columns(events),
        "GenVertices": _vertices(ids, [c.record for c in collisions]),
        "GenParticles": _particles(ids, [c.record for c in collisions]),
        "GenWeights": Columns(weights),
    }


def _vertices(ids: Array, records: Sequence[Record]) -> Columns:
    counts = [len(record.vertices) for record in records]
    owner, position = _rows(ids, counts)
    primary = [_is_primary(record) for record in records]
    names = ("t", "x", "y", "z")
    places = _joined([record.vertices for record in records], (0, 4))
    return Columns(
        {
            "genvertex_id": owner + position,
            "event_id": owner,
            "genevent_id": owner,
            "hepmc_id": -1 - position,
            "status": np.zeros(len(owner), np.int64),
            "is_primary": _joined(primary, (0,)).astype(np.int64),
            **{name: np.ascontiguousarray(places[:, i]) for i, name in enumerate(names)},
        }
    )


def _is_primary(record: Record) -> Array:
    flags = np.zeros(len(record.vertices), bool)
    flags[record.end[(record.status == BEAM) & (record.end >= 0)]] = True
    return flags


def _particles(ids: Array, records: Sequence[Record]) -> Columns:
    owner, position = _rows(ids, [len(record.pid) for record in records])
    momenta = _joined([record.momenta for record in records], (0, 5))
    ends = {
        name: _joined([getattr(record, name) for record in records], (0,)).astype(np.int64)
        for name in ("production", "end")
    }
    return Columns(
        {
            "genparticle_id": owner + position,
            "event_id": owner,
            "genevent_id": owner,
            "hepmc_id": _joined([record.line for record in records], (0,)).astype(np.int64),
            "production_vertex": np.ma.MaskedArray(owner + ends["production"], mask=ends["production"] < 0),
            "end_vertex": np.ma.MaskedArray(owner + ends["end"], mask=ends["end"] < 0),
            "pid": _joined([record.pid for record in records], (0,)).astype(np.int64),
            "status": _joined([record.status for record in records], (0,)).astype(np.int64),
            **{name: np.ascontiguousarray(momenta[:, i]) for i, name in enumerate(("pe", "px", "py", "pz", "m"))},
        }
    )


def _rows(ids: Array, counts: Sequence[int]) -> tuple[Array, Array]:
    """For every row of every event: the event's id, and the row's position in it."""
    starts = np.cumsum([0, *counts])[:-1]
    owner = np.repeat(ids, counts)
    return owner, np.arange(len(owner)) - np.repeat(starts, counts)


def _joined(arrays: Sequence[Array], empty: tuple[int, ...]) -> Array:
    return np.concatenate(arrays) if arrays else np.empty(empty)


__all__ = ["BEAM", "SIGNAL", "TO_MEV", "Collision", "Record", "graft", "graph", "read", "tables"]
